#include "kv/http/dialect.h"

#include <utility>

#include "base/str_cat.h"
#include "kv/http/body.h"
#include "kv/http/status_table.h"
#include "kv/wire/chogori.h"
#include "kv/wire/message_pack.h"

namespace orochi::kv::http {
namespace {

constexpr int kOk = 200;
constexpr int kCreated = 201;
constexpr uint64_t kClockId = 1;

Document Empty() {
  return Document::Array();
}
Document Bytes(std::string_view text) {
  return Document::Bytes(std::string(text));
}
Document TimestampDocument(Timestamp timestamp) {
  return Document::Array({Document::Unsigned(timestamp.value()),
                          Document::Unsigned(timestamp == kNever ? 0 : kClockId),
                          Document::Unsigned(0)});
}
Document EmptyStorage() {
  return Document::Array(
      {Document::Array(), Document::Unsigned(0), Bytes(""), Document::Unsigned(0)});
}
Document EmptySchema() {
  return Document::Array({Document::Array({Bytes(""), Document::Unsigned(0), Document::Array(),
                                           Document::Array(), Document::Array()})});
}
Document EmptyTimestamp() {
  return Document::Array({TimestampDocument(kNever)});
}
Document EmptyRead() {
  return Document::Array({Bytes(""), Bytes(""), EmptyStorage()});
}
Document EmptyQueryId() {
  return Document::Array({Document::Unsigned(0)});
}
Document EmptyPage() {
  return Document::Array(
      {Document::Array(), Bytes(""), Document::Bool(false), Document::Bool(true)});
}

Result<Timestamp> TimestampFrom(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(3));
  ASSIGN_OR_RETURN(uint64_t const end, place.Item(0).Unsigned(UINT64_MAX));
  RETURN_IF_ERROR(place.Item(1).Unsigned(UINT32_MAX).status());
  RETURN_IF_ERROR(place.Item(2).Unsigned(UINT32_MAX).status());
  return Timestamp(end);
}

// [name, hashScheme, storageDriver, [4 numbers], retention, heartbeat, deleted], range ends
Result<CollectionDefinition> CollectionFrom(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(2));
  Place const metadata = place.Item(0);
  RETURN_IF_ERROR(metadata.CheckArray(7));
  CollectionDefinition definition;
  ASSIGN_OR_RETURN(definition.name, metadata.Item(0).Text());
  ASSIGN_OR_RETURN(uint64_t const scheme, metadata.Item(1).Unsigned(1));
  definition.distribution = scheme == 0 ? Distribution::kRange : Distribution::kHash;
  RETURN_IF_ERROR(metadata.Item(2).Unsigned(0).status());
  Place const capacity = metadata.Item(3);
  RETURN_IF_ERROR(capacity.CheckArray(4));
  for (size_t index = 0; index < 4; ++index) {
    RETURN_IF_ERROR(capacity.Item(index).Unsigned(UINT64_MAX).status());
  }
  ASSIGN_OR_RETURN(uint64_t const nodes, capacity.Item(3).Unsigned(kPartitionCountMax));
  Place const ends = place.Item(1);
  RETURN_IF_ERROR(ends.CheckArray());
  size_t const count = definition.distribution == Distribution::kRange ? ends.item_count() : nodes;
  definition.partition_count = static_cast<uint32_t>(std::min<size_t>(count, kPartitionCountMax));
  RETURN_IF_ERROR(CheckCollection(definition));
  return definition;
}

// The values of the first key fields that a storage has, in the key's order.
std::vector<Value> KeyValues(const Schema& schema, const std::vector<Value>& values) {
  std::vector<Value> key;
  for (uint32_t const field : schema.key_fields()) {
    if (field >= values.size()) {
      break;
    }
    key.push_back(values[field]);
  }
  return key;
}

Result<ReadOne> ReadFrom(const SchemaHandle& in, const Place& storage) {
  ASSIGN_OR_RETURN(auto stored, chogori::StorageFromDocument(*in.schema, storage));
  if (stored.values.size() < in.schema->key_fields().size()) {
    return storage.Fail("All key fields must be specified in the record");
  }
  stored.values.resize(in.schema->field_count());
  return ReadOne{.in = in, .key = std::move(stored.values), .as_stored = true};
}

// [timestamp, collection, schema, isDelete, precondition, storage, fieldsForPartialUpdate]
Result<WriteOne> WriteFrom(const SchemaHandle& in, const Place& place) {
  WriteOne write{.in = in};
  const Schema& schema = *in.schema;
  ASSIGN_OR_RETURN(bool const is_delete, place.Item(3).Bool());
  ASSIGN_OR_RETURN(uint64_t const precondition, place.Item(4).Unsigned(2));
  ASSIGN_OR_RETURN(auto stored, chogori::StorageFromDocument(schema, place.Item(5)));
  Place const fields = place.Item(6);
  RETURN_IF_ERROR(fields.CheckArray());
  bool const partial = fields.item_count() > 0;
  size_t const needed = partial || is_delete ? schema.key_fields().size() : schema.field_count();
  if (stored.values.size() < needed) {
    return Status::InvalidArgument("All fields must be specified in the record");
  }
  size_t const given = stored.values.size();
  write.values = std::move(stored.values);
  write.values.resize(schema.field_count());
  if (!partial) {
    write.kind = is_delete ? OperationKind::kDelete : OperationKind::kPut;
    write.presence = static_cast<Presence>(precondition);
    return write;
  }
  write.kind = OperationKind::kUpdate;
  for (size_t index = 0; index < fields.item_count(); ++index) {
    ASSIGN_OR_RETURN(uint64_t const field, fields.Item(index).Unsigned(given - 1));
    if (schema.IsKeyField(static_cast<uint32_t>(field))) {
      return fields.Item(index).Fail("a field of the key is not updated");
    }
    write.updated.push_back(static_cast<uint32_t>(field));
  }
  return write;
}

// The key of a bound; one that is not there has no fields, and no version.
Result<std::vector<Value>> BoundValues(const Schema& schema, const Place& storage) {
  RETURN_IF_ERROR(storage.CheckArray(4));
  ASSIGN_OR_RETURN(uint64_t const count, storage.Item(1).Unsigned(kFieldCountMax));
  if (count == 0) {
    return std::vector<Value>();
  }
  ASSIGN_OR_RETURN(auto const stored, chogori::StorageFromDocument(schema, storage));
  return KeyValues(schema, stored.values);
}

std::optional<KeyBound> BoundOf(std::vector<Value> key, bool inclusive) {
  return key.empty() ? std::nullopt
                     : std::optional(KeyBound{.fields = std::move(key), .inclusive = inclusive});
}

// [timestamp, collection, schema, start, end, limit, mismatch, reverse, filter, projection]
Result<QueryOne> QueryFrom(const SchemaHandle& in, const Place& place) {
  const Schema& schema = *in.schema;
  QueryOne one{.in = in, .query = {.space = in.space(), .version = schema.version()}};
  ASSIGN_OR_RETURN(int64_t const limit, place.Item(5).Signed(-1, INT32_MAX));
  if (limit >= 0) {
    one.query.limit = static_cast<uint64_t>(limit);
  }
  ASSIGN_OR_RETURN(bool const mismatch, place.Item(6).Bool());
  one.query.version_rule = mismatch ? VersionRule::kAsStored : VersionRule::kOnly;
  ASSIGN_OR_RETURN(one.query.reverse, place.Item(7).Bool());
  ASSIGN_OR_RETURN(one.query.filter, chogori::FilterFromDocument(place.Item(8)));
  Place const projection = place.Item(9);
  RETURN_IF_ERROR(projection.CheckArray());
  for (size_t index = 0; index < projection.item_count(); ++index) {
    ASSIGN_OR_RETURN(std::string name, projection.Item(index).Text());
    one.query.projection.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(std::vector<Value> first, BoundValues(schema, place.Item(3)));
  ASSIGN_OR_RETURN(std::vector<Value> last, BoundValues(schema, place.Item(4)));
  // The start is inside. The end is not, but as the beginning of a key it has all that begin so.
  bool const is_prefix = last.size() < schema.key_fields().size();
  auto& from = one.query.reverse ? one.query.to : one.query.from;
  auto& to = one.query.reverse ? one.query.from : one.query.to;
  from = BoundOf(std::move(first), true);
  to = BoundOf(std::move(last), is_prefix);
  if (auto compiled = CompiledQuery::Make(one.query, in.history()); !compiled.ok()) {
    return Status::InvalidArgument(compiled.status().message());
  }
  return one;
}

}  // namespace

const std::vector<Dialect::Verb>& Dialect::Verbs() {
  static const std::vector<Verb> verbs = {
      {"CreateCollection", "create a collection", &Dialect::CreateCollection, Empty},
      {"DropCollection", "drop a collection", &Dialect::DropCollection, Empty},
      {"CreateSchema", "add a version of a schema", &Dialect::CreateSchema, Empty},
      {"GetSchema", "a version of a schema, or the newest", &Dialect::GetSchema, EmptySchema},
      {"TxnBegin", "begin a transaction", &Dialect::TxnBegin, EmptyTimestamp},
      {"Read", "read a record", &Dialect::Read, EmptyRead},
      {"Write", "write, update or delete a record", &Dialect::Write, Empty},
      {"CreateQuery", "prepare a query", &Dialect::CreateQuery, EmptyQueryId},
      {"Query", "the next page of a query", &Dialect::Query, EmptyPage},
      {"DestroyQuery", "forget a query", &Dialect::DestroyQuery, Empty},
      {"TxnEnd", "commit or abort a transaction", &Dialect::TxnEnd, Empty},
  };
  return verbs;
}

std::vector<std::string_view> Dialect::VerbNames() {
  std::vector<std::string_view> names;
  for (const Verb& verb : Verbs()) {
    names.push_back(verb.name);
  }
  return names;
}

Dialect::Answer Dialect::Failed(const Status& error) {
  return {.code = ErrorKindOf(error.code()).dialect_status, .message = error.message()};
}

void Dialect::Handle(Call call, Done done) {
  if (call.method == "GET" && call.segments.size() == 1) {
    std::string list;
    for (const Verb& verb : Verbs()) {
      list += StrCat(verb.name, ": ", verb.description, "\n");
    }
    done({.raw = std::move(list), .raw_type = "text/plain"});
    return;
  }
  const Verb* found = nullptr;
  for (const Verb& verb : Verbs()) {
    if (call.segments.size() == 2 && call.segments[1] == verb.name) {
      found = &verb;
    }
  }
  if (found == nullptr) {
    done(ErrorReply(404, "no_such_route", StrCat("there is nothing at ", call.path), ""));
    return;
  }
  if (call.method != "POST") {
    done(ErrorReply(405, "method_not_allowed", StrCat(call.path, " takes POST, not ", call.method),
                    ""));
    return;
  }
  auto const answered = [done = std::move(done), found](Answer answer) {
    bool const good = answer.code < 300;
    Document status = Document::Array({Document::Signed(answer.code), Bytes(answer.message)});
    Document const all =
        Document::Array({std::move(status), good ? std::move(answer.response) : found->empty()});
    done({.raw = WriteMessagePack(all),
          .raw_type = "application/x-msgpack",
          .dialect_status = answer.code,
          .dialect_message = answer.message});
  };
  if (call.form != WireForm::kMessagePack) {
    answered({.code = 400, .message = "Unsupported request content type"});
    return;
  }
  auto body = ParseMessagePack(call.raw, {});
  if (!body.ok()) {
    answered({.code = 400,
              .message =
                  StrCat("Unable to parse incoming bytes as MSGPACK: ", body.status().message())});
    return;
  }
  user_ = std::move(call.user);
  (this->*found->handler)(std::make_shared<const Document>(*std::move(body)), answered);
}

void Dialect::CreateCollection(const BodyPointer& body, Answered answered) {
  auto definition = CollectionFrom(Place(*body));
  if (!definition.ok()) {
    answered(Failed(definition.status()));
    return;
  }
  gateway_.catalog().CreateCollection(
      *std::move(definition), [answered](const Result<Catalog::Collection>& made) {
        answered(made.ok() ? Answer{.code = kCreated, .response = Empty()} : Failed(made.status()));
      });
}

void Dialect::DropCollection(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  Status shape = place.CheckArray(1);
  auto name = shape.ok() ? place.Item(0).Text() : Result<std::string>(shape);
  if (!name.ok()) {
    answered(Failed(name.status()));
    return;
  }
  gateway_.catalog().DropCollection(*std::move(name), [answered](const Status& dropped) {
    answered(dropped.ok() ? Answer{.response = Empty()} : Failed(dropped));
  });
}

void Dialect::CreateSchema(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  auto const read = [&]() -> Result<std::pair<std::string, SchemaDefinition>> {
    RETURN_IF_ERROR(place.CheckArray(2));
    ASSIGN_OR_RETURN(std::string collection, place.Item(0).Text());
    ASSIGN_OR_RETURN(SchemaDefinition definition, chogori::SchemaFromDocument(place.Item(1)));
    return std::pair(std::move(collection), std::move(definition));
  };
  auto parsed = read();
  if (!parsed.ok()) {
    answered(Failed(parsed.status()));
    return;
  }
  gateway_.catalog().CreateSchema(
      std::move(parsed->first), std::move(parsed->second), {},
      [answered](const Result<std::shared_ptr<const Schema>>& made) {
        answered(made.ok() ? Answer{.code = kCreated, .response = Empty()} : Failed(made.status()));
      });
}

void Dialect::GetSchema(const BodyPointer& body, Answered answered) {
  struct Names {
    std::string collection;
    std::string schema;
    std::optional<SchemaVersion> version;
  };
  Place const place(*body);
  auto const read = [&]() -> Result<Names> {
    RETURN_IF_ERROR(place.CheckArray(3));
    Names names;
    ASSIGN_OR_RETURN(names.collection, place.Item(0).Text());
    ASSIGN_OR_RETURN(names.schema, place.Item(1).Text());
    ASSIGN_OR_RETURN(int64_t const version, place.Item(2).Signed(-1, UINT32_MAX));
    if (version >= 0) {
      names.version = SchemaVersion(static_cast<uint32_t>(version));
    }
    return names;
  };
  auto const names = read();
  if (!names.ok()) {
    answered(Failed(names.status()));
    return;
  }
  gateway_.FindSchema(names->collection, names->schema, names->version,
                      [answered](const Result<SchemaHandle>& found) {
                        if (!found.ok()) {
                          answered(Failed(found.status()));
                          return;
                        }
                        auto schema = chogori::SchemaToDocument(found->schema->definition());
                        if (!schema.ok()) {
                          answered(Failed(schema.status()));
                          return;
                        }
                        answered({.response = Document::Array({*std::move(schema)})});
                      });
}

// [timeout, priority, syncFinalize]; one older client sends two timeouts.
void Dialect::TxnBegin(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  auto const check = [&]() -> Status {
    RETURN_IF_ERROR(place.CheckArray(1));
    Place const options = place.Item(0);
    RETURN_IF_ERROR(options.CheckArray());
    if (options.item_count() != 3 && options.item_count() != 4) {
      return options.Fail(StrCat("found ", options.item_count(), " items, expected 3"));
    }
    size_t const last = options.item_count() - 1;
    for (size_t index = 0; index < last - 1; ++index) {
      RETURN_IF_ERROR(options.Item(index).Signed(INT64_MIN, INT64_MAX).status());
    }
    RETURN_IF_ERROR(options.Item(last - 1).Unsigned(255).status());
    return options.Item(last).Bool().status();
  };
  if (Status wrong = check(); !wrong.ok()) {
    answered(Failed(wrong));
    return;
  }
  gateway_.Begin(
      {.writes_move = false}, [this, user = user_, answered](const Result<TransactionId>& id) {
        if (id.ok() && !user.empty()) {
          Own(id->start, user);
        }
        answered(id.ok() ? Answer{.code = kCreated,
                                  .response = Document::Array({TimestampDocument(id->start)})}
                         : Failed(id.status()));
      });
}

Result<TransactionId> Dialect::OpenTransaction(const Place& place) const {
  ASSIGN_OR_RETURN(Timestamp const start, TimestampFrom(place));
  if (auto const id = gateway_.FindOpen(start); id && IsOwn(start)) {
    return *id;
  }
  return Status::Cancelled("transaction does not exist");
}

// Timestamps can be guessed, so that they prove nothing.
bool Dialect::IsOwn(Timestamp transaction) const {
  if (user_.empty()) {
    return true;
  }
  auto const owner = owners_.find(transaction);
  return owner != owners_.end() && owner->second == user_;
}

void Dialect::TxnEnd(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  auto const read = [&]() -> Result<std::pair<TransactionId, bool>> {
    RETURN_IF_ERROR(place.CheckArray(2));
    ASSIGN_OR_RETURN(uint64_t const action, place.Item(1).Unsigned(2));
    if (action == 0) {
      return place.Item(1).Fail("found 0, expected 1 to abort or 2 to commit");
    }
    ASSIGN_OR_RETURN(TransactionId const id, OpenTransaction(place.Item(0)));
    return std::pair(id, action == 2);
  };
  auto const end = read();
  if (!end.ok()) {
    answered(Failed(end.status()));
    return;
  }
  auto const& [id, commits] = *end;
  ForgetQueries(id.start);
  if (commits) {
    gateway_.Commit(id, [answered](const Result<Timestamp>& committed) {
      answered(committed.ok() ? Answer{.response = Empty()} : Failed(committed.status()));
    });
  } else {
    gateway_.Abort(id, [answered](const Status& aborted) {
      answered(aborted.ok() ? Answer{.response = Empty()} : Failed(aborted));
    });
  }
}

// The schema that a storage says it is of.
void Dialect::FindStored(const Place& collection, const Place& schema, const Place& storage,
                         Gateway::Done<SchemaHandle> done) {
  struct Names {
    std::string collection;
    std::string schema;
    SchemaVersion version;
  };
  auto const read = [&]() -> Result<Names> {
    ASSIGN_OR_RETURN(std::string collection_name, collection.Text());
    ASSIGN_OR_RETURN(std::string schema_name, schema.Text());
    ASSIGN_OR_RETURN(SchemaVersion const version, chogori::StorageVersion(storage));
    return Names{.collection = std::move(collection_name),
                 .schema = std::move(schema_name),
                 .version = version};
  };
  auto names = read();
  if (!names.ok()) {
    done(std::move(names).status());
    return;
  }
  gateway_.FindSchema(std::move(names->collection), std::move(names->schema), names->version,
                      std::move(done));
}

void Dialect::Read(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  Status shape = place.CheckArray(4);
  auto const id = shape.ok() ? OpenTransaction(place.Item(0)) : Result<TransactionId>(shape);
  if (!id.ok()) {
    answered(Failed(id.status()));
    return;
  }
  FindStored(
      place.Item(1), place.Item(2), place.Item(3),
      [this, body, id = *id, answered](const Result<SchemaHandle>& found) {
        auto read =
            found.ok() ? ReadFrom(*found, Place(*body).Item(3)) : Result<ReadOne>(found.status());
        if (!read.ok()) {
          answered(Failed(read.status()));
          return;
        }
        gateway_.Read(id, *std::move(read), [in = *found, answered](const Result<ReadResult>& one) {
          if (!one.ok()) {
            answered(Failed(one.status()));
            return;
          }
          if (!one->record) {
            answered({.code = 404, .message = "key not found"});
            return;
          }
          auto storage = chogori::StorageToDocument(*one->record->schema, one->record->values);
          if (!storage.ok()) {
            answered(Failed(storage.status()));
            return;
          }
          answered({.response = Document::Array({Bytes(in.collection->definition.name),
                                                 Bytes(in.schema->name()), *std::move(storage)})});
        });
      });
}

void Dialect::Write(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  Status shape = place.CheckArray(7);
  auto const id = shape.ok() ? OpenTransaction(place.Item(0)) : Result<TransactionId>(shape);
  if (!id.ok()) {
    answered(Failed(id.status()));
    return;
  }
  FindStored(place.Item(1), place.Item(2), place.Item(5),
             [this, body, id = *id, answered](const Result<SchemaHandle>& found) {
               auto write =
                   found.ok() ? WriteFrom(*found, Place(*body)) : Result<WriteOne>(found.status());
               if (write.ok()) {
                 FinishWrite(id, *std::move(write), answered);
               } else {
                 answered(Failed(write.status()));
               }
             });
}

void Dialect::FinishWrite(const TransactionId& id, WriteOne write, Answered answered) {
  bool const updates = write.kind == OperationKind::kUpdate;
  gateway_.Write(id, {std::move(write)}, [updates, answered](const Result<WriteResult>& result) {
    if (!result.ok()) {
      answered(Failed(result.status()));
    } else if (result->outcome == OperationOutcome::kDone) {
      answered({.code = kCreated, .response = Empty()});
    } else {
      const ConditionKind& kind = ConditionKindOf(result->outcome);
      bool const missing = result->outcome == OperationOutcome::kAbsent && !updates;
      answered({.code = missing ? kConditionFailedStatus : kind.dialect_status,
                .message = std::string(kind.message)});
    }
  });
}

void Dialect::CreateQuery(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  auto const read = [&]() -> Result<std::pair<TransactionId, std::optional<SchemaVersion>>> {
    RETURN_IF_ERROR(place.CheckArray(10));
    ASSIGN_OR_RETURN(TransactionId const id, OpenTransaction(place.Item(0)));
    RETURN_IF_ERROR(place.Item(1).Text().status());
    RETURN_IF_ERROR(place.Item(2).Text().status());
    // Bounds that are not there are of version 0: then it is the newest.
    std::optional<SchemaVersion> version;
    for (size_t const bound : {4, 3}) {
      ASSIGN_OR_RETURN(SchemaVersion const one, chogori::StorageVersion(place.Item(bound)));
      if (one != SchemaVersion(0)) {
        version = one;
      }
    }
    return std::pair(id, version);
  };
  auto const asked = read();
  if (!asked.ok()) {
    answered(Failed(asked.status()));
    return;
  }
  if (queries_.size() >= query_count_max_) {
    ForgetGone();
  }
  if (queries_.size() >= query_count_max_) {
    answered(Failed(Status::ResourceExhausted(
        StrCat("found ", queries_.size(), " queries, there may be at most ", query_count_max_))));
    return;
  }
  gateway_.FindSchema(
      *place.Item(1).Text(), *place.Item(2).Text(), asked->second,
      [this, body, id = asked->first, answered](const Result<SchemaHandle>& found) {
        auto query =
            found.ok() ? QueryFrom(*found, Place(*body)) : Result<QueryOne>(found.status());
        if (!query.ok()) {
          answered(Failed(query.status()));
          return;
        }
        uint64_t const number = next_query_++;
        queries_.emplace(number, OpenQuery{.transaction = id.start, .asked = *std::move(query)});
        answered({.response = Document::Array({Document::Unsigned(number)})});
      });
}

// [timestamp, queryId, paginationKey, exclusive], answered with [records, paginationKey, exclusive,
// done]; of the first two only, with [done, records], and the server remembers the position.
void Dialect::Query(const BodyPointer& body, Answered answered) {
  struct Asked {
    TransactionId transaction;
    uint64_t number = 0;
    std::optional<std::string> position = {};
  };
  Place const place(*body);
  auto const read = [&]() -> Result<Asked> {
    RETURN_IF_ERROR(place.CheckArray());
    if (place.item_count() != 2 && place.item_count() != 4) {
      return place.Fail(StrCat("found ", place.item_count(), " items, expected 4"));
    }
    ASSIGN_OR_RETURN(TransactionId const id, OpenTransaction(place.Item(0)));
    Asked asked{.transaction = id};
    ASSIGN_OR_RETURN(asked.number, place.Item(1).Unsigned(UINT64_MAX));
    if (place.item_count() == 4) {
      ASSIGN_OR_RETURN(asked.position, place.Item(2).Text());
      RETURN_IF_ERROR(place.Item(3).Bool().status());
    }
    auto const query = queries_.find(asked.number);
    if (query == queries_.end() || query->second.transaction != id.start) {
      return Status::Cancelled("Query does not exist");
    }
    return asked;
  };
  auto const asked = read();
  if (!asked.ok()) {
    answered(Failed(asked.status()));
    return;
  }
  const OpenQuery& open = queries_.at(asked->number);
  bool const remembers = !asked->position;
  QueryOne query = open.asked;
  query.token = remembers ? open.position : *asked->position;
  gateway_.RunQuery(
      asked->transaction, std::move(query),
      [this, number = asked->number, remembers, answered](const Result<QueryResult>& result) {
        if (!result.ok()) {
          answered(Failed(result.status()));
          return;
        }
        Document records = Document::Array();
        for (const QueryRecord& record : result->records) {
          auto storage = chogori::StorageToDocument(*record.schema, record.values);
          if (!storage.ok()) {
            answered(Failed(storage.status()));
            return;
          }
          records.items.push_back(*std::move(storage));
        }
        Document const is_done = Document::Bool(result->token.empty());
        if (!remembers) {
          answered(
              {.response = Document::Array({std::move(records), Bytes(result->token),
                                            Document::Bool(!result->token.empty()), is_done})});
          return;
        }
        if (auto const place = queries_.find(number); place != queries_.end()) {
          place->second.position = result->token;
        }
        answered({.response = Document::Array({is_done, std::move(records)})});
      });
}

void Dialect::DestroyQuery(const BodyPointer& body, Answered answered) {
  Place const place(*body);
  Status shape = place.CheckArray(2);
  auto const number = shape.ok() ? place.Item(1).Unsigned(UINT64_MAX) : Result<uint64_t>(shape);
  if (!number.ok()) {
    answered(Failed(number.status()));
    return;
  }
  if (auto const query = queries_.find(*number);
      query != queries_.end() && IsOwn(query->second.transaction)) {
    queries_.erase(query);
  }
  answered({.code = kOk, .response = Empty()});
}

void Dialect::ForgetQueries(Timestamp transaction) {
  std::erase_if(queries_,
                [&](const auto& query) { return query.second.transaction == transaction; });
}

// Of transactions that ended by themselves.
void Dialect::ForgetGone() {
  std::erase_if(queries_, [&](const auto& query) {
    return !gateway_.FindOpen(query.second.transaction).has_value();
  });
}

void Dialect::Own(Timestamp transaction, const std::string& user) {
  owners_[transaction] = user;
  // Seldom, as it looks at all.
  if (owners_.size() > 2 * gateway_.open_transaction_count() + kOwnerCountSlack) {
    std::erase_if(owners_,
                  [&](const auto& owner) { return !gateway_.FindOpen(owner.first).has_value(); });
  }
}

}  // namespace orochi::kv::http
