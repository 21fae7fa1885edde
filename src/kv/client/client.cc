#include "kv/client/client.h"

#include <utility>

#include "base/str_cat.h"
#include "io/posix/system_random.h"
#include "kv/client/message_pack.h"

namespace orochi::kv::client {
namespace {

constexpr const char* kMessagePackType = "application/x-msgpack";
constexpr const char* kKeys = "/v1/api/keys/";

Status CheckKey(const std::string& key) {
  return key.empty() ? Status::InvalidArgument("a key has one byte or more") : Status::Ok();
}

}  // namespace

Result<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  std::unique_ptr<Client> client(new Client());
  ASSIGN_OR_RETURN(client->caller_,
                   Caller::Create(std::move(options), client->clock_, io::SystemRandom().Next()));
  return client;
}

CallReply Client::Post(const std::string& target, const Value& body, bool only_reads,
                       bool is_whole) {
  return Call({.method = "POST",
               .target = target,
               .content_type = kMessagePackType,
               .body = WriteMessagePack(body),
               .only_reads = only_reads,
               .is_whole = is_whole});
}

Result<ReadAnswer> Client::Read(const Target& in, const Object& key) {
  CallReply const reply = Post("/v1/read", DocumentOf(KeyRead{.in = in, .key = key}), true, true);
  return ReadAnswerFrom(reply);
}

Result<Written> Client::WriteOne(const Write& write) {
  return WrittenFrom(Post("/v1/write", DocumentOf(write), false, true));
}

Result<Written> Client::WriteAll(const std::vector<Write>& writes) {
  Value::Array documents;
  for (const Write& write : writes) {
    documents.emplace_back(DocumentOf(write));
  }
  return WrittenFrom(Post("/v1/write", Object{{"writes", std::move(documents)}}, false, true));
}

Result<BatchAnswer> Client::RunBatch(const std::vector<KeyRead>& reads,
                                     const std::vector<Write>& writes) {
  Value::Array read_documents;
  for (const KeyRead& read : reads) {
    read_documents.emplace_back(DocumentOf(read));
  }
  Value::Array write_documents;
  for (const Write& write : writes) {
    write_documents.emplace_back(DocumentOf(write));
  }
  CallReply const reply =
      Post("/v1/txn",
           Object{{"reads", std::move(read_documents)}, {"writes", std::move(write_documents)}},
           writes.empty(), true);
  return BatchAnswerFrom(reply);
}

Result<QueryPage> Client::RunQuery(const Query& query, const std::string& token) {
  return QueryPageFrom(Post("/v1/query", DocumentOf(query, token), true, true));
}

Status Client::Scan(const Query& query, const std::function<bool(const Value& record)>& each) {
  std::string token;
  do {
    ASSIGN_OR_RETURN(QueryPage page, RunQuery(query, token));
    for (const Value& record : page.records) {
      if (!each(record)) {
        return Status::Ok();
      }
    }
    token = std::move(page.token);
  } while (!token.empty());
  return Status::Ok();
}

Result<std::optional<std::string>> Client::GetKey(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  CallReply reply = Call({.target = StrCat(kKeys, PercentEncode(key)), .only_reads = true});
  if (reply.status.code() == StatusCode::kNotFound) {
    return std::optional<std::string>();
  }
  RETURN_IF_ERROR(reply.status);
  return std::optional(std::move(reply.http.body));
}

Status Client::PutKey(const std::string& key, const std::string& value) {
  RETURN_IF_ERROR(CheckKey(key));
  return Call({.method = "POST",
               .target = StrCat(kKeys, PercentEncode(key)),
               .content_type = "application/octet-stream",
               .body = value,
               .is_whole = true})
      .status;
}

Result<bool> Client::DeleteKey(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  CallReply const reply =
      Call({.method = "DELETE", .target = StrCat(kKeys, PercentEncode(key)), .is_whole = true});
  if (reply.status.code() == StatusCode::kNotFound) {
    return false;
  }
  RETURN_IF_ERROR(reply.status);
  return true;
}

}  // namespace orochi::kv::client
