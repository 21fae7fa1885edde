// Writes: made into operations, sent alone or within a transaction.

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/filter/bound_filter.h"
#include "kv/gateway/batch.h"
#include "kv/gateway/open_transaction.h"
#include "kv/record/row.h"

namespace orochi::kv {
namespace {

Result<RecordOperation> OperationOf(const WriteOne& write, size_t ordinal,
                                    const GatewayOptions& options) {
  const Schema& schema = *write.in.schema;
  RecordOperation operation{.kind = write.kind,
                            .presence = write.presence,
                            .unchanged_since = write.unchanged_since,
                            .filter = write.filter,
                            .tells_row = write.tells_row,
                            .ordinal = static_cast<uint32_t>(ordinal),
                            .distribution = write.in.space().distribution,
                            .updated = write.updated};
  if (write.filter) {
    if (auto bound = BoundFilter::Bind(*write.filter, schema); !bound.ok()) {
      return Status::InvalidArgument(bound.status().message());
    }
  }
  if (operation.NeedsSchemas()) {
    operation.schemas = {write.in.schema};
  }
  if (write.kind == OperationKind::kPut || write.kind == OperationKind::kUpdate) {
    std::vector<Value> values = write.values;
    if (write.kind == OperationKind::kUpdate) {
      for (uint32_t const field : schema.value_fields()) {
        if (std::find(write.updated.begin(), write.updated.end(), field) == write.updated.end()) {
          values[field] = Null{};
        }
      }
    }
    auto row = EncodeRow(schema, values);
    if (!row.ok()) {
      return Status::InvalidArgument(row.status().message());
    }
    operation.row = *std::move(row);
  }
  if (operation.row.size() > options.value_size_bytes_max) {
    return Status::InvalidArgument(StrCat(schema.Describe(), ": the record has ",
                                          operation.row.size(), " bytes, at most ",
                                          options.value_size_bytes_max));
  }
  return operation;
}

// What an operation's bytes say it came to. A request that comes twice is not told again.
Result<OperationResult> ResultOf(std::string_view bytes, size_t ordinal) {
  if (bytes.empty()) {
    return OperationResult{.ordinal = static_cast<uint32_t>(ordinal)};
  }
  return DecodeOperationResult(bytes);
}

}  // namespace

Result<std::shared_ptr<Gateway::Batch>> Gateway::Prepare(std::vector<ReadOne> reads,
                                                         std::vector<WriteOne> writes) const {
  size_t const count = reads.size() + writes.size();
  if (count > options_.batch_operation_count_max) {
    return Status::InvalidArgument(
        StrCat("found ", count, " operations, at most ", options_.batch_operation_count_max));
  }
  auto const batch = std::make_shared<Batch>();
  batch->reads = std::move(reads);
  size_t size_bytes = 0;
  for (size_t index = 0; index < writes.size(); ++index) {
    WriteOne& write = writes[index];
    auto const context = [&] { return StrCat("write ", index); };
    auto key = EncodeStorageKey(write.in.space(), *write.in.schema, write.values);
    if (!key.ok()) {
      return Status::InvalidArgument(key.status().message()).WithContext(context());
    }
    auto operation = OperationOf(write, index, options_);
    if (!operation.ok()) {
      return std::move(operation).status().WithContext(context());
    }
    auto bytes = EncodeOperation(*operation);
    if (!bytes.ok()) {
      return Status::InvalidArgument(bytes.status().message()).WithContext(context());
    }
    size_bytes += key->size() + bytes->size();
    batch->writes.push_back({.asked = std::move(write),
                             .operation = *std::move(operation),
                             .key = *std::move(key),
                             .bytes = *std::move(bytes)});
  }
  if (size_bytes > options_.batch_size_bytes_max) {
    return Status::InvalidArgument(
        StrCat("the writes have ", size_bytes, " bytes, at most ", options_.batch_size_bytes_max));
  }
  return batch;
}

// A record was of a version that its operation had not brought.
void Gateway::AddVersion(const std::shared_ptr<Batch>& batch, size_t index, SchemaVersion version,
                         std::function<void(Status)> done) {
  const Batch::Write& write = batch->writes[index];
  if (write.operation.schemas.size() >= kOperationSchemaCountMax) {
    done(Status::Unavailable("the record changes its version again and again"));
    return;
  }
  FindVersion(write.asked.in, version,
              [batch, index, done = std::move(done)](Result<std::shared_ptr<const Schema>> found) {
                if (!found.ok()) {
                  done(std::move(found).status());
                  return;
                }
                Batch::Write& write = batch->writes[index];
                write.operation.schemas.push_back(*std::move(found));
                auto bytes = EncodeOperation(write.operation);
                if (!bytes.ok()) {
                  done(std::move(bytes).status());
                  return;
                }
                write.bytes = *std::move(bytes);
                done(Status::Ok());
              });
}

// Keeps what was told of a write's row.
void Gateway::Took(const std::shared_ptr<Batch>& batch, size_t index, const OperationResult& result,
                   std::function<void(Status)> next) {
  WriteResult& written = batch->result.written;
  written.rows.resize(batch->writes.size());
  if (!result.row) {
    next(Status::Ok());
    return;
  }
  const Batch::Write& write = batch->writes[index];
  Tell(write.asked.in, write.key, *result.row, false,
       [batch, index, next = std::move(next)](Result<Record> record) {
         if (!record.ok()) {
           next(std::move(record).status());
           return;
         }
         batch->result.written.rows[index] = *std::move(record);
         next(Status::Ok());
       });
}

void Gateway::WriteWithin(const OpenPointer& open, const std::shared_ptr<Batch>& batch,
                          size_t index) {
  if (index == batch->writes.size()) {
    FinishWrites(open, batch, Status::Ok());
    return;
  }
  const Batch::Write& write = batch->writes[index];
  open->transaction.Write(
      write.key, write.bytes,
      WhileHere(std::function<void(Transaction::WriteResult)>(
          [this, open, batch, index](Transaction::WriteResult answer) {
            if (answer.outcome != Outcome::kOk && answer.outcome != Outcome::kConditionFailed) {
              FinishWrites(open, batch, FailureOf(answer.outcome, answer.error));
              return;
            }
            if (!open->writes_move &&
                open->transaction.write_timestamp() > open->transaction.id().start) {
              FinishWrites(open, batch,
                           Status::OutOfRange("another transaction that began later has read or "
                                              "written this record already"));
              return;
            }
            auto const result = ResultOf(answer.result, index);
            if (!result.ok()) {
              FinishWrites(open, batch, result.status());
              return;
            }
            if (result->outcome == OperationOutcome::kVersionMissing) {
              AddVersion(batch, index, *result->version, [this, open, batch, index](Status added) {
                if (added.ok()) {
                  WriteWithin(open, batch, index);
                } else {
                  FinishWrites(open, batch, std::move(added));
                }
              });
              return;
            }
            Took(batch, index, *result, [this, open, batch, index, result = *result](Status took) {
              if (!took.ok()) {
                FinishWrites(open, batch, std::move(took));
              } else if (result.outcome == OperationOutcome::kDone) {
                WriteWithin(open, batch, index + 1);
              } else {
                batch->result.written.outcome = result.outcome;
                batch->result.written.failed = index;
                FinishWrites(open, batch, Status::Ok());
              }
            });
          })));
}

void Gateway::Write(const InTransaction& transaction, std::vector<WriteOne> writes,
                    Done<WriteResult> done) {
  auto prepared = Prepare({}, std::move(writes));
  if (!prepared.ok()) {
    done(std::move(prepared).status());
    return;
  }
  std::shared_ptr<Batch> const batch = *prepared;
  if (!transaction) {
    batch->done = [this, done = std::move(done)](Result<BatchResult> result) {
      CountSingle(result);
      if (result.ok()) {
        done(std::move(result->written));
      } else {
        done(std::move(result).status());
      }
    };
    StartBatch(batch);
    return;
  }
  batch->commits = false;
  Run(
      *transaction,
      [this, batch, done](const OpenPointer& open, std::function<void()> next) {
        batch->done = [next = std::move(next), done](Result<BatchResult> result) {
          next();
          if (result.ok()) {
            done(std::move(result->written));
          } else {
            done(std::move(result).status());
          }
        };
        if (Status failed = open->CountOperation(options_); !failed.ok()) {
          batch->done(std::move(failed));
          return;
        }
        WriteWithin(open, batch, 0);
      },
      done);
}

// All keys in one partition: one entry in its log, no intents, no record.
void Gateway::SendOneShot(const std::shared_ptr<Batch>& batch) {
  OneShotRequest request;
  for (const Batch::Write& write : batch->writes) {
    request.operations.push_back({.key = write.key, .operation = write.bytes});
  }
  host_.Send(batch->writes.front().key, std::move(request),
             WhileHere(std::function<void(std::optional<Result<Answer>>)>(
                 [this, batch](std::optional<Result<Answer>> answer) {
                   if (!answer) {
                     batch->done(Status::OutcomeUnknown(
                         "the partition's leader did not answer: the write may or may not have "
                         "happened, now or a little later"));
                   } else if (!answer->ok()) {
                     batch->done(std::move(*answer).status());
                   } else {
                     TakeOneShot(batch, **answer, 0);
                   }
                 })));
}

void Gateway::TakeOneShot(const std::shared_ptr<Batch>& batch, const Answer& answer, size_t index) {
  WriteResult& written = batch->result.written;
  if (answer.outcome != Outcome::kOk && answer.outcome != Outcome::kConditionFailed) {
    batch->done(FailureOf(answer.outcome, nullptr));
    return;
  }
  if (index == answer.results.size()) {
    if (answer.outcome == Outcome::kOk) {
      written.timestamp = answer.timestamp;
    }
    batch->done(std::move(batch->result));
    return;
  }
  auto const result = DecodeOperationResult(answer.results[index]);
  if (!result.ok() || result->ordinal >= batch->writes.size()) {
    batch->done(Status::Corruption("a leader's answer to a write is none"));
    return;
  }
  size_t const ordinal = result->ordinal;
  if (result->outcome == OperationOutcome::kVersionMissing) {
    AddVersion(batch, ordinal, *result->version, [this, batch](Status added) {
      if (added.ok()) {
        SendOneShot(batch);
      } else {
        batch->done(std::move(added));
      }
    });
    return;
  }
  if (result->outcome != OperationOutcome::kDone) {
    written.outcome = result->outcome;
    written.failed = ordinal;
  }
  Took(batch, ordinal, *result, [this, batch, answer, index](Status took) {
    if (took.ok()) {
      TakeOneShot(batch, answer, index + 1);
    } else {
      batch->done(std::move(took));
    }
  });
}

}  // namespace orochi::kv
