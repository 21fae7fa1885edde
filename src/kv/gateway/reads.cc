// One record.

#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/open_transaction.h"
#include "kv/record/row.h"

namespace orochi::kv {

void Gateway::Tell(const SchemaHandle& in, const std::string& key, const std::string& row,
                   bool as_stored, Done<Record> done) {
  auto const version = ReadRowVersion(row);
  if (!version.ok()) {
    done(version.status());
    return;
  }
  FindVersion(
      in, *version,
      [in, key, row, as_stored,
       done = std::move(done)](Result<std::shared_ptr<const Schema>> stored) {
        if (!stored.ok()) {
          done(std::move(stored).status());
          return;
        }
        auto values = DecodeRecord(in.space(), **stored, key, row);
        if (!values.ok()) {
          done(std::move(values).status());
        } else if (as_stored || (*stored)->version() == in.schema->version()) {
          done(Record{.schema = *std::move(stored), .values = *std::move(values)});
        } else {
          done(Record{.schema = in.schema, .values = ConvertRecord(**stored, *in.schema, *values)});
        }
      });
}

void Gateway::ReadRecord(const OpenPointer& open, const ReadOne& request, Done<ReadResult> done) {
  auto key = EncodeStorageKey(request.in.space(), *request.in.schema, request.key);
  if (!key.ok()) {
    done(Status::InvalidArgument(key.status().message()));
    return;
  }
  open->transaction.Read(
      KeySpan::Of(*key), false, 1,
      WhileHere(std::function<void(Transaction::ReadResult)>(
          [this, open, in = request.in, as_stored = request.as_stored,
           done = std::move(done)](Transaction::ReadResult result) {
            if (result.outcome != Outcome::kOk) {
              done(open->Fail(FailureOf(result.outcome, result.error)));
            } else if (result.rows.empty()) {
              done(ReadResult{.timestamp = open->transaction.id().start});
            } else {
              Tell(in, result.rows[0].first, result.rows[0].second, as_stored,
                   [done, timestamp = open->transaction.id().start](Result<Record> record) {
                     if (record.ok()) {
                       done(ReadResult{.record = *std::move(record), .timestamp = timestamp});
                     } else {
                       done(std::move(record).status());
                     }
                   });
            }
          })));
}

void Gateway::Read(const InTransaction& transaction, ReadOne request, Done<ReadResult> done) {
  if (transaction) {
    Run(
        *transaction,
        [this, request = std::move(request), done](const OpenPointer& open,
                                                   std::function<void()> next) {
          if (Status failed = open->CountOperation(options_); !failed.ok()) {
            next();
            done(std::move(failed));
            return;
          }
          ReadRecord(open, request, [next, done](Result<ReadResult> record) {
            next();
            done(std::move(record));
          });
        },
        done);
    return;
  }
  OpenPointer const open = NewOpen();
  BeginStamped(open,
               [this, open, request = std::move(request), done = std::move(done)](Status begun) {
                 if (begun.ok()) {
                   ReadRecord(open, request, done);
                 } else {
                   done(std::move(begun));
                 }
               });
}

}  // namespace orochi::kv
