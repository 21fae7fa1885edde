#include "kv/client/records.h"

#include <array>
#include <utility>

#include "base/str_cat.h"

namespace orochi::kv::client {
namespace {

constexpr int kConditionFailed = 412;
constexpr std::array<const char*, 5> kKinds = {"put", "insert", "update", "delete", "check"};

Status Unexpected(std::string_view what) {
  return Status::Corruption(StrCat("the answer has no '", what, "', or another than expected"));
}

Value::Array ItemsOf(const Value& document, std::string_view name) {
  const Value* const member = document.Find(name);
  return member != nullptr && member->AsArray() != nullptr ? *member->AsArray() : Value::Array();
}

uint64_t NumberOf(const Value& document, std::string_view name) {
  const Value* const member = document.Find(name);
  return member != nullptr ? member->AsUint64().value_or(0) : 0;
}

Value BoundDocument(const Query::Bound& bound) {
  return Object{{"fields", bound.fields}, {"inclusive", bound.inclusive}};
}

}  // namespace

Write Write::Put(Target in, Object record) {
  return {.kind = Kind::kPut, .in = std::move(in), .record = std::move(record)};
}

Write Write::Insert(Target in, Object record) {
  return {.kind = Kind::kInsert, .in = std::move(in), .record = std::move(record)};
}

Write Write::Update(Target in, Object key, Object set) {
  return {.kind = Kind::kUpdate, .in = std::move(in), .key = std::move(key), .set = std::move(set)};
}

Write Write::Delete(Target in, Object key) {
  return {.kind = Kind::kDelete, .in = std::move(in), .key = std::move(key)};
}

Write Write::Check(Target in, Object key, Condition condition) {
  return {.kind = Kind::kCheck,
          .in = std::move(in),
          .key = std::move(key),
          .condition = std::move(condition)};
}

Write Write::If(Condition its_condition) && {
  condition = std::move(its_condition);
  return std::move(*this);
}

Write Write::Returning() && {
  returns_record = true;
  return std::move(*this);
}

Object DocumentOf(const Target& in) {
  Object document{{"collection", in.collection}, {"schema", in.schema}};
  if (in.version) {
    document.emplace_back("version", uint64_t{*in.version});
  }
  return document;
}

Object DocumentOf(const KeyRead& read) {
  Object document = DocumentOf(read.in);
  document.emplace_back("key", read.key);
  return document;
}

Object DocumentOf(const Write& write) {
  Object document = DocumentOf(write.in);
  document.emplace_back("op", kKinds[static_cast<size_t>(write.kind)]);
  if (write.kind == Write::Kind::kPut || write.kind == Write::Kind::kInsert) {
    document.emplace_back("record", write.record);
  } else {
    document.emplace_back("key", write.key);
  }
  if (write.kind == Write::Kind::kUpdate) {
    document.emplace_back("set", write.set);
  }
  Object condition;
  if (write.condition.is_present) {
    condition.emplace_back("presence", *write.condition.is_present ? "present" : "absent");
  }
  if (write.condition.unchanged_since) {
    condition.emplace_back("unchanged_since", *write.condition.unchanged_since);
  }
  if (!write.condition.filter.is_null()) {
    condition.emplace_back("filter", write.condition.filter);
  }
  if (!condition.empty()) {
    document.emplace_back("if", std::move(condition));
  }
  if (write.returns_record) {
    document.emplace_back("return", true);
  }
  return document;
}

Object DocumentOf(const Query& query, const std::string& token) {
  Object document = DocumentOf(query.in);
  if (!query.prefix.empty()) {
    document.emplace_back("prefix", query.prefix);
  }
  if (query.from) {
    document.emplace_back("from", BoundDocument(*query.from));
  }
  if (query.to) {
    document.emplace_back("to", BoundDocument(*query.to));
  }
  if (query.reverse) {
    document.emplace_back("reverse", true);
  }
  if (query.limit) {
    document.emplace_back("limit", *query.limit);
  }
  if (!query.filter.is_null()) {
    document.emplace_back("filter", query.filter);
  }
  if (!query.projection.empty()) {
    document.emplace_back("projection",
                          Value::Array(query.projection.begin(), query.projection.end()));
  }
  if (query.page_records) {
    document.emplace_back("page", Object{{"records", *query.page_records}});
  }
  if (!token.empty()) {
    document.emplace_back("token", Bytes{token});
  }
  return document;
}

Result<Written> WrittenFrom(const CallReply& reply) {
  RETURN_IF_ERROR(reply.status);
  const Value& document = reply.document;
  if (document.AsObject() == nullptr) {
    return Unexpected("outcome of a write");
  }
  Written written{.done = reply.http.status != kConditionFailed};
  if (written.done) {
    written.timestamp = NumberOf(document, "timestamp");
    written.records = ItemsOf(document, "records");
    return written;
  }
  written.reason = document.TextOf("reason");
  if (written.reason.empty()) {
    return Unexpected("reason");
  }
  written.failed = NumberOf(document, "failed");
  if (const Value* const record = document.Find("record")) {
    written.record = *record;
  }
  return written;
}

Result<ReadAnswer> ReadAnswerFrom(const CallReply& reply) {
  ReadAnswer answer{.timestamp = NumberOf(reply.document, "timestamp")};
  // Of what is missing, only the answer about a record says as of when.
  if (reply.status.code() == StatusCode::kNotFound && answer.timestamp != 0) {
    return answer;
  }
  RETURN_IF_ERROR(reply.status);
  const Value* const record = reply.document.Find("record");
  if (record == nullptr || record->AsObject() == nullptr) {
    return Unexpected("record");
  }
  answer.record = *record;
  answer.version = static_cast<uint32_t>(NumberOf(reply.document, "version"));
  return answer;
}

Result<BatchAnswer> BatchAnswerFrom(const CallReply& reply) {
  BatchAnswer answer;
  ASSIGN_OR_RETURN(answer.written, WrittenFrom(reply));
  answer.records = ItemsOf(reply.document, "reads");
  return answer;
}

Result<QueryPage> QueryPageFrom(const CallReply& reply) {
  RETURN_IF_ERROR(reply.status);
  const Value& document = reply.document;
  const Value* const records = document.Find("records");
  if (records == nullptr || records->AsArray() == nullptr) {
    return Unexpected("records");
  }
  QueryPage page{.records = *records->AsArray(), .scanned_count = NumberOf(document, "scanned")};
  if (const Value* const token = document.Find("token")) {
    if (token->AsBytes() == nullptr) {
      return Unexpected("token");
    }
    page.token = *token->AsBytes();
  }
  return page;
}

}  // namespace orochi::kv::client
