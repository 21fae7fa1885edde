#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "kv/gateway/gateway.h"
#include "kv/http/message.h"
#include "kv/wire/place.h"

namespace orochi::kv::http {

// Parts of requests of /v1, read. All errors are kInvalidArgument with the path.

Status CheckIsObject(const Place& place);

/// ?version=3
Result<std::optional<SchemaVersion>> VersionParameter(const Call& call);

/// Timestamps are opaque to clients: text in JSON, whose numbers are not exact everywhere.
Document TimestampDocument(Timestamp timestamp, WireForm form);
Result<Timestamp> TimestampFrom(const Place& place);

/// "collection", "schema" and perhaps "version" of an object.
struct SchemaNames {
  std::string collection;
  std::string schema;
  std::optional<SchemaVersion> version = {};
};
Result<SchemaNames> SchemaNamesFrom(const Place& place);

/// {names, "key": {...}, "as_stored": false}
Result<ReadOne> ReadFrom(const SchemaHandle& in, const Place& place, WireForm form);
/// {names, "op": "put", "record": {...}} or {names, "op": "update", "key": {...}, "set": {...}},
/// "delete", "check", "insert", with "if": {"presence", "unchanged_since", "filter"} and "return"
Result<WriteOne> WriteFrom(const SchemaHandle& in, const Place& place, WireForm form);
/// {names, "prefix": [...], "from", "to": {"fields": [...], "inclusive"}, "reverse", "limit",
///  "projection": [...], "filter", "versions", "page": {"records", "scanned", "bytes"}, "token"}
Result<QueryOne> QueryFrom(const SchemaHandle& in, const Place& place, WireForm form);

/// Tokens in answers and requests: bytes, in JSON as base64.
Document TokenDocument(const std::string& token, WireForm form);

}  // namespace orochi::kv::http
