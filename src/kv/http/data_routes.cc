// Records: alone, or within the transaction that the path names.

#include <utility>

#include "base/str_cat.h"
#include "kv/http/places.h"
#include "kv/http/service.h"
#include "kv/http/status_table.h"
#include "kv/wire/json.h"
#include "kv/wire/record_document.h"

namespace orochi::kv::http {
namespace {

// /v1/txn/{id}/read, or /v1/read.
Result<Gateway::InTransaction> TransactionOf(const Call& call) {
  if (call.segments.size() != 4) {
    return Gateway::InTransaction();
  }
  ASSIGN_OR_RETURN(TransactionId const id, ParseTransactionText(call.segments[2]));
  return Gateway::InTransaction(id);
}

Document RecordOrNull(const std::optional<Record>& record, WireForm form) {
  return record ? RecordToDocument(*record->schema, record->values, form) : Document{};
}

Reply ConditionReply(const WriteResult& result, WireForm form) {
  const ConditionKind& kind = ConditionKindOf(result.outcome);
  Reply reply = ErrorReply(kConditionFailedStatus, "condition_failed",
                           StrCat("write ", result.failed, ": ", kind.message), "");
  reply.document.Add("reason", Document::String(std::string(kind.reason)));
  reply.document.Add("failed", Document::Unsigned(result.failed));
  if (result.failed < result.rows.size() && result.rows[result.failed]) {
    reply.document.Add("record", RecordOrNull(result.rows[result.failed], form));
  }
  return reply;
}

void AddWritten(Document& body, const WriteResult& result, WireForm form) {
  if (result.timestamp != kNever) {
    body.Add("timestamp", TimestampDocument(result.timestamp, form));
  }
  Document records = Document::Array();
  bool any = false;
  for (const auto& row : result.rows) {
    records.items.push_back(RecordOrNull(row, form));
    any = any || row.has_value();
  }
  if (any) {
    body.Add("records", std::move(records));
  }
}

// Told before the commit: who does not get the commit's answer can ask any node about it.
void AddAnchor(Document& body, const Gateway& gateway, const Gateway::InTransaction& transaction) {
  if (!transaction) {
    return;
  }
  if (std::string const anchor = gateway.AnchorOf(*transaction); !anchor.empty()) {
    body.Add("anchor", Document::String(EncodeBase64(anchor)));
  }
}

// The items of an array; none when it is not there.
Result<std::vector<Place>> ItemsOf(const Place& place, std::string_view name) {
  RETURN_IF_ERROR(CheckIsObject(place));
  std::vector<Place> items;
  if (!place.Has(name)) {
    return items;
  }
  ASSIGN_OR_RETURN(Place const list, place.Member(name));
  RETURN_IF_ERROR(list.CheckArray());
  for (const Document& item : list.document().items) {
    items.emplace_back(item);
  }
  return items;
}

using Handles = std::vector<SchemaHandle>;

// The schemas that the items name, each found once.
void FindSchemas(Gateway& gateway, std::vector<SchemaNames> names, Handles found,
                 Gateway::Done<Handles> done) {
  if (found.size() == names.size()) {
    done(std::move(found));
    return;
  }
  const SchemaNames next = names[found.size()];
  if (!found.empty()) {
    const SchemaHandle& last = found.back();
    const SchemaNames& before = names[found.size() - 1];
    if (before.collection == next.collection && before.schema == next.schema &&
        before.version == next.version) {
      found.push_back(last);
      FindSchemas(gateway, std::move(names), std::move(found), std::move(done));
      return;
    }
  }
  gateway.FindSchema(next.collection, next.schema, next.version,
                     [&gateway, names = std::move(names), found = std::move(found),
                      done = std::move(done)](Result<SchemaHandle> handle) mutable {
                       if (!handle.ok()) {
                         done(std::move(handle).status());
                         return;
                       }
                       found.push_back(*std::move(handle));
                       FindSchemas(gateway, std::move(names), std::move(found), std::move(done));
                     });
}

std::string ItemName(size_t index, size_t read_count) {
  return index < read_count ? StrCat("read ", index) : StrCat("write ", index - read_count);
}

// Of reads, then writes.
Result<std::vector<SchemaNames>> NamesOf(const std::vector<Place>& items, size_t read_count) {
  std::vector<SchemaNames> names;
  for (size_t index = 0; index < items.size(); ++index) {
    auto one = SchemaNamesFrom(items[index]);
    if (!one.ok()) {
      return std::move(one).status().WithContext(ItemName(index, read_count));
    }
    names.push_back(*std::move(one));
  }
  return names;
}

struct Parsed {
  std::vector<ReadOne> reads = {};
  std::vector<WriteOne> writes = {};
};

Result<Parsed> ParseItems(const std::vector<Place>& reads, const std::vector<Place>& writes,
                          const Handles& handles, WireForm form) {
  Parsed parsed;
  for (size_t index = 0; index < reads.size(); ++index) {
    auto read = ReadFrom(handles[index], reads[index], form);
    if (!read.ok()) {
      return std::move(read).status().WithContext(ItemName(index, reads.size()));
    }
    parsed.reads.push_back(*std::move(read));
  }
  for (size_t index = 0; index < writes.size(); ++index) {
    auto write = WriteFrom(handles[reads.size() + index], writes[index], form);
    if (!write.ok()) {
      return std::move(write).status().WithContext(ItemName(reads.size() + index, reads.size()));
    }
    parsed.writes.push_back(*std::move(write));
  }
  return parsed;
}

// Reads the lists of a body, finds their schemas, and hands over typed operations.
void WithItems(Gateway& gateway, std::shared_ptr<const Call> call, Result<std::vector<Place>> reads,
               Result<std::vector<Place>> writes, Gateway::Done<Parsed> done) {
  if (!reads.ok() || !writes.ok()) {
    done(reads.ok() ? writes.status() : reads.status());
    return;
  }
  size_t const count = reads->size() + writes->size();
  if (count > gateway.options().batch_operation_count_max) {
    done(Status::InvalidArgument(StrCat("found ", count, " operations, at most ",
                                        gateway.options().batch_operation_count_max)));
    return;
  }
  std::vector<Place> all = *reads;
  all.insert(all.end(), writes->begin(), writes->end());
  auto names = NamesOf(all, reads->size());
  if (!names.ok()) {
    done(std::move(names).status());
    return;
  }
  FindSchemas(gateway, *std::move(names), {},
              [call, reads = *std::move(reads), writes = *std::move(writes),
               done = std::move(done)](Result<Handles> handles) {
                if (handles.ok()) {
                  done(ParseItems(reads, writes, *handles, call->form));
                } else {
                  done(std::move(handles).status());
                }
              });
}

}  // namespace

void Service::Read(const CallPointer& call, Done done) {
  auto const transaction = TransactionOf(*call);
  if (!transaction.ok()) {
    done(ErrorReply(transaction.status()));
    return;
  }
  WithItems(
      gateway_, call, std::vector{Place(call->body)}, std::vector<Place>(),
      [this, call, transaction = *transaction, done = std::move(done)](Result<Parsed> parsed) {
        if (!parsed.ok()) {
          done(ErrorReply(parsed.status()));
          return;
        }
        gateway_.Read(transaction, std::move(parsed->reads.front()),
                      [call, done](const Result<ReadResult>& read) {
                        if (!read.ok()) {
                          done(ErrorReply(read.status()));
                          return;
                        }
                        if (!read->record) {
                          Reply reply = ErrorReply(404, "not_found", "there is no such record", "");
                          reply.document.Add("timestamp",
                                             TimestampDocument(read->timestamp, call->reply_form));
                          done(std::move(reply));
                          return;
                        }
                        Document body = Document::Object();
                        body.Add("record", RecordOrNull(read->record, call->reply_form));
                        body.Add("version",
                                 Document::Unsigned(read->record->schema->version().value()));
                        body.Add("timestamp", TimestampDocument(read->timestamp, call->reply_form));
                        done({.document = std::move(body)});
                      });
      });
}

void Service::Write(const CallPointer& call, Done done) {
  auto const transaction = TransactionOf(*call);
  if (!transaction.ok()) {
    done(ErrorReply(transaction.status()));
    return;
  }
  Place const body(call->body);
  auto writes = ItemsOf(body, "writes");
  if (writes.ok() && !body.Has("writes")) {
    writes->push_back(body);
  } else if (writes.ok()) {
    if (Status strict = body.CheckObject({"writes"}); !strict.ok()) {
      done(ErrorReply(strict));
      return;
    }
  }
  WithItems(
      gateway_, call, std::vector<Place>(), std::move(writes),
      [this, call, transaction = *transaction, done = std::move(done)](Result<Parsed> parsed) {
        if (!parsed.ok()) {
          done(ErrorReply(parsed.status()));
          return;
        }
        gateway_.Write(transaction, std::move(parsed->writes),
                       [this, call, transaction, done](const Result<WriteResult>& result) {
                         if (!result.ok()) {
                           done(ErrorReply(result.status()));
                         } else if (result->outcome != OperationOutcome::kDone) {
                           done(ConditionReply(*result, call->reply_form));
                         } else {
                           Document body = Document::Object();
                           AddWritten(body, *result, call->reply_form);
                           AddAnchor(body, gateway_, transaction);
                           done({.document = std::move(body)});
                         }
                       });
      });
}

void Service::RunBatch(const CallPointer& call, Done done) {
  Place const body(call->body);
  Status strict = CheckIsObject(body);
  if (strict.ok()) {
    strict = body.CheckObject({"reads", "writes"});
  }
  if (!strict.ok()) {
    done(ErrorReply(strict));
    return;
  }
  WithItems(gateway_, call, ItemsOf(body, "reads"), ItemsOf(body, "writes"),
            [this, call, done = std::move(done)](Result<Parsed> parsed) {
              if (!parsed.ok()) {
                done(ErrorReply(parsed.status()));
                return;
              }
              gateway_.RunBatch(
                  std::move(parsed->reads), std::move(parsed->writes),
                  [call, done](const Result<BatchResult>& result) {
                    if (!result.ok()) {
                      done(ErrorReply(result.status()));
                      return;
                    }
                    Reply reply;
                    if (result->written.outcome == OperationOutcome::kDone) {
                      reply.document = Document::Object();
                      AddWritten(reply.document, result->written, call->reply_form);
                    } else {
                      reply = ConditionReply(result->written, call->reply_form);
                    }
                    Document reads = Document::Array();
                    for (const ReadResult& read : result->reads) {
                      reads.items.push_back(RecordOrNull(read.record, call->reply_form));
                    }
                    reply.document.Add("reads", std::move(reads));
                    done(std::move(reply));
                  });
            });
}

void Service::RunQuery(const CallPointer& call, Done done) {
  auto const transaction = TransactionOf(*call);
  if (!transaction.ok()) {
    done(ErrorReply(transaction.status()));
    return;
  }
  auto const names = SchemaNamesFrom(Place(call->body));
  if (!names.ok()) {
    done(ErrorReply(names.status()));
    return;
  }
  FindSchemas(
      gateway_, {*names}, {},
      [this, call, transaction = *transaction, done = std::move(done)](Result<Handles> handles) {
        if (!handles.ok()) {
          done(ErrorReply(handles.status()));
          return;
        }
        auto query = QueryFrom(handles->front(), Place(call->body), call->form);
        if (!query.ok()) {
          done(ErrorReply(query.status()));
          return;
        }
        bool const as_stored = query->query.version_rule == VersionRule::kAsStored;
        gateway_.RunQuery(
            transaction, *std::move(query),
            [call, as_stored, done](const Result<QueryResult>& result) {
              if (!result.ok()) {
                done(ErrorReply(result.status()));
                return;
              }
              Document records = Document::Array();
              Document versions = Document::Array();
              for (const QueryRecord& record : result->records) {
                records.items.push_back(
                    RecordToDocument(*record.schema, record.values, call->reply_form));
                versions.items.push_back(Document::Unsigned(record.schema->version().value()));
              }
              Document body = Document::Object();
              body.Add("records", std::move(records));
              if (as_stored) {
                body.Add("versions", std::move(versions));
              }
              body.Add("scanned", Document::Unsigned(result->scanned_count));
              if (!result->token.empty()) {
                body.Add("token", TokenDocument(result->token, call->reply_form));
              }
              done({.document = std::move(body)});
            });
      });
}

}  // namespace orochi::kv::http
