#include "kv/http/keys.h"

#include <utility>

#include "base/str_cat.h"
#include "kv/http/body.h"
#include "kv/http/status_table.h"

namespace orochi::kv::http {
namespace {

constexpr std::string_view kCollection = "keys";
constexpr std::string_view kSchema = "key";

SchemaDefinition KeySchema() {
  return {.name = std::string(kSchema),
          .version = SchemaVersion(1),
          .fields = {{.name = "key", .order = {FieldType::kBytes}},
                     {.name = "value", .order = {FieldType::kBytes}}},
          .partition_key = {0}};
}

// Somebody else's collection of this name is left alone.
Status CheckSchema(const Schema& schema) {
  SchemaDefinition const expected = KeySchema();
  const SchemaDefinition& found = schema.definition();
  bool same = found.fields.size() == expected.fields.size();
  for (size_t index = 0; same && index < found.fields.size(); ++index) {
    same = found.fields[index].type() == expected.fields[index].type() &&
           found.fields[index].name == expected.fields[index].name;
  }
  return same && found.partition_key == expected.partition_key
             ? Status::Ok()
             : Status::FailedPrecondition(
                   "the collection 'keys' has another schema than that of simple keys");
}

Reply NoSuchKey(const std::string& key) {
  return ErrorReply(404, "not_found", StrCat("there is no key '", key, "'"), "");
}

}  // namespace

void Keys::Handle(Call call, Done done) {
  std::string const key = call.path.substr(kKeysPath.size());
  if (key.empty()) {
    done(ErrorReply(Status::InvalidArgument("a key has one byte or more")));
    return;
  }
  bool const posts = call.method == "POST";
  if (!posts && call.method != "GET" && call.method != "DELETE") {
    done(ErrorReply(405, "method_not_allowed",
                    StrCat(call.path, " takes GET, POST or DELETE, not ", call.method), ""));
    return;
  }
  Find([this, key, posts, method = call.method, value = std::move(call.raw),
        done = std::move(done)](Result<SchemaHandle> in) {
    if (in.ok()) {
      if (Status other = CheckSchema(*in->schema); !other.ok()) {
        done(ErrorReply(other));
      } else if (posts) {
        Put(*in, key, value, done);
      } else if (method == "GET") {
        Get(*in, key, done);
      } else {
        Delete(*in, key, done);
      }
    } else if (in.status().code() != StatusCode::kNotFound) {
      done(ErrorReply(in.status()));
    } else if (!posts) {
      done(NoSuchKey(key));
    } else {
      Make([this, key, value, done](Result<SchemaHandle> made) {
        if (made.ok()) {
          Put(*made, key, value, done);
        } else {
          done(ErrorReply(made.status()));
        }
      });
    }
  });
}

void Keys::Find(Gateway::Done<SchemaHandle> done) {
  gateway_.FindSchema(std::string(kCollection), std::string(kSchema), SchemaVersion(1),
                      std::move(done));
}

// Others may do the same at the same time, so that it exists is as good.
void Keys::Make(Gateway::Done<SchemaHandle> done) {
  gateway_.catalog().CreateCollection(
      {.name = std::string(kCollection)},
      [this, done = std::move(done)](const Result<Catalog::Collection>& collection) {
        if (!collection.ok() && collection.status().code() != StatusCode::kAlreadyExists) {
          done(collection.status());
          return;
        }
        gateway_.catalog().CreateSchema(
            std::string(kCollection), KeySchema(), {},
            [this, done](const Result<std::shared_ptr<const Schema>>& schema) {
              if (!schema.ok() && schema.status().code() != StatusCode::kAlreadyExists) {
                done(schema.status());
              } else {
                Find(done);
              }
            });
      });
}

void Keys::Get(const SchemaHandle& in, const std::string& key, Done done) {
  gateway_.Read(std::nullopt, {.in = in, .key = {key, Null{}}},
                [key, done = std::move(done)](const Result<ReadResult>& read) {
                  if (!read.ok()) {
                    done(ErrorReply(read.status()));
                  } else if (!read->record) {
                    done(NoSuchKey(key));
                  } else {
                    const Value& value = read->record->values[1];
                    done({.raw = IsNull(value) ? "" : std::get<std::string>(value),
                          .raw_type = "application/octet-stream"});
                  }
                });
}

void Keys::Put(const SchemaHandle& in, const std::string& key, std::string value, Done done) {
  gateway_.Write(std::nullopt, {{.in = in, .values = {key, std::move(value)}}},
                 [done = std::move(done)](const Result<WriteResult>& written) {
                   done(written.ok() ? Reply{.status = 201, .document = Document::Object()}
                                     : ErrorReply(written.status()));
                 });
}

void Keys::Delete(const SchemaHandle& in, const std::string& key, Done done) {
  gateway_.Write(std::nullopt,
                 {{.in = in,
                   .kind = OperationKind::kDelete,
                   .values = {key, Null{}},
                   .presence = Presence::kPresent}},
                 [key, done = std::move(done)](const Result<WriteResult>& written) {
                   if (!written.ok()) {
                     done(ErrorReply(written.status()));
                   } else if (written->outcome != OperationOutcome::kDone) {
                     done(NoSuchKey(key));
                   } else {
                     done({.document = Document::Object()});
                   }
                 });
}

}  // namespace orochi::kv::http
