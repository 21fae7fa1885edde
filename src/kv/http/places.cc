#include "kv/http/places.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/str_cat.h"
#include "kv/wire/filter_document.h"
#include "kv/wire/json.h"
#include "kv/wire/record_document.h"

namespace orochi::kv::http {
namespace {

Result<bool> FlagOf(const Place& place, std::string_view name) {
  if (!place.Has(name)) {
    return false;
  }
  ASSIGN_OR_RETURN(Place const flag, place.Member(name));
  return flag.Bool();
}

// All key fields and no others, as values of a record.
Result<std::vector<Value>> KeyFrom(const Schema& schema, const Place& place, WireForm form) {
  ASSIGN_OR_RETURN(auto const fields, FieldsFromDocument(schema, place, form));
  std::vector<Value> values(schema.field_count());
  std::vector<bool> given(schema.field_count(), false);
  for (const FieldUpdate& field : fields) {
    if (!schema.IsKeyField(field.field)) {
      return place.Fail(StrCat("'", schema.field(field.field).name, "' is no field of the key"));
    }
    values[field.field] = field.value;
    given[field.field] = true;
  }
  for (uint32_t const field : schema.key_fields()) {
    if (!given[field]) {
      return place.Fail(StrCat("the key field '", schema.field(field).name, "' is missing"));
    }
  }
  return values;
}

Status ConditionFrom(const Schema& schema, const Place& place, WireForm form, WriteOne& write) {
  RETURN_IF_ERROR(place.CheckObject({"presence", "unchanged_since", "filter"}));
  if (place.Has("presence")) {
    ASSIGN_OR_RETURN(Place const presence, place.Member("presence"));
    ASSIGN_OR_RETURN(std::string const text, presence.Text());
    if (text != "present" && text != "absent") {
      return presence.Fail(StrCat("found '", text, "', expected present or absent"));
    }
    write.presence = text == "present" ? Presence::kPresent : Presence::kAbsent;
  }
  if (place.Has("unchanged_since")) {
    ASSIGN_OR_RETURN(Place const since, place.Member("unchanged_since"));
    ASSIGN_OR_RETURN(write.unchanged_since, TimestampFrom(since));
  }
  if (place.Has("filter")) {
    ASSIGN_OR_RETURN(Place const filter, place.Member("filter"));
    ASSIGN_OR_RETURN(write.filter, FilterFromDocument(filter, &schema, form));
  }
  return Status::Ok();
}

Status KindFrom(const Place& place, WriteOne& write) {
  ASSIGN_OR_RETURN(Place const op, place.Member("op"));
  ASSIGN_OR_RETURN(std::string const text, op.Text());
  constexpr std::array<std::pair<std::string_view, OperationKind>, 5> kKinds = {
      {{"put", OperationKind::kPut},
       {"insert", OperationKind::kPut},
       {"update", OperationKind::kUpdate},
       {"delete", OperationKind::kDelete},
       {"check", OperationKind::kCheck}}};
  for (const auto& [name, kind] : kKinds) {
    if (text == name) {
      write.kind = kind;
      write.presence = text == "insert" ? Presence::kAbsent : Presence::kAny;
      return Status::Ok();
    }
  }
  return op.Fail(StrCat("found '", text, "', expected put, insert, update, delete or check"));
}

// Values of the first key fields, in the key's order.
Result<std::vector<Value>> KeyValuesFrom(const Schema& schema, const Place& place, WireForm form) {
  RETURN_IF_ERROR(place.CheckArray());
  if (place.item_count() > schema.key_fields().size()) {
    return place.Fail(StrCat("found ", place.item_count(), " values, the key has ",
                             schema.key_fields().size(), " fields"));
  }
  std::vector<Value> values;
  for (size_t index = 0; index < place.item_count(); ++index) {
    FieldType const type = schema.field(schema.key_fields()[index]).type();
    ASSIGN_OR_RETURN(Value value, ValueFromDocument(type, place.Item(index), form));
    values.push_back(std::move(value));
  }
  return values;
}

Result<std::optional<KeyBound>> BoundFrom(const Schema& schema, const Place& place,
                                          std::string_view name, WireForm form) {
  if (!place.Has(name)) {
    return std::optional<KeyBound>();
  }
  ASSIGN_OR_RETURN(Place const bound, place.Member(name));
  RETURN_IF_ERROR(bound.CheckObject({"fields", "inclusive"}));
  KeyBound made;
  ASSIGN_OR_RETURN(Place const fields, bound.Member("fields"));
  ASSIGN_OR_RETURN(made.fields, KeyValuesFrom(schema, fields, form));
  if (bound.Has("inclusive")) {
    ASSIGN_OR_RETURN(made.inclusive, FlagOf(bound, "inclusive"));
  }
  return std::optional<KeyBound>(std::move(made));
}

Status PageFrom(const Place& place, PageBounds& bounds) {
  RETURN_IF_ERROR(place.CheckObject({"records", "scanned", "bytes"}));
  for (auto const& [name, bound] : {std::pair("records", &bounds.record_count_max),
                                    std::pair("scanned", &bounds.scanned_count_max),
                                    std::pair("bytes", &bounds.size_bytes_max)}) {
    if (place.Has(name)) {
      ASSIGN_OR_RETURN(Place const count, place.Member(name));
      ASSIGN_OR_RETURN(uint64_t const most, count.Unsigned(UINT32_MAX));
      if (most == 0) {
        return count.Fail("found 0, expected 1 or more");
      }
      *bound = most;
    }
  }
  return Status::Ok();
}

Status VersionsFrom(const Place& place, VersionRule& rule) {
  ASSIGN_OR_RETURN(std::string const text, place.Text());
  if (text == "convert") {
    rule = VersionRule::kConvert;
  } else if (text == "only") {
    rule = VersionRule::kOnly;
  } else if (text == "as_stored") {
    rule = VersionRule::kAsStored;
  } else {
    return place.Fail(StrCat("found '", text, "', expected convert, only or as_stored"));
  }
  return Status::Ok();
}

Status ProjectionFrom(const Place& place, std::vector<std::string>& projection) {
  RETURN_IF_ERROR(place.CheckArray());
  for (size_t index = 0; index < place.item_count(); ++index) {
    ASSIGN_OR_RETURN(std::string name, place.Item(index).Text());
    projection.push_back(std::move(name));
  }
  return Status::Ok();
}

Result<std::string> TokenFrom(const Place& place) {
  ASSIGN_OR_RETURN(std::string text, place.Text());
  if (place.kind() == Document::Kind::kBytes) {
    return text;
  }
  auto bytes = DecodeBase64(text);
  if (!bytes.ok()) {
    return place.Fail(bytes.status().message());
  }
  return bytes;
}

}  // namespace

Status CheckIsObject(const Place& place) {
  return place.kind() == Document::Kind::kObject ? Status::Ok() : place.FailKind("an object");
}

Result<std::optional<SchemaVersion>> VersionParameter(const Call& call) {
  auto const place = call.parameters.find("version");
  if (place == call.parameters.end()) {
    return std::optional<SchemaVersion>();
  }
  const std::string& text = place->second;
  uint32_t version = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Status::InvalidArgument(StrCat("version: found '", text, "', expected a number"));
  }
  return std::optional(SchemaVersion(version));
}

Document TimestampDocument(Timestamp timestamp, WireForm form) {
  return form == WireForm::kMessagePack ? Document::Unsigned(timestamp.value())
                                        : Document::String(std::to_string(timestamp.value()));
}

Result<Timestamp> TimestampFrom(const Place& place) {
  if (place.kind() != Document::Kind::kString) {
    ASSIGN_OR_RETURN(uint64_t const number, place.Unsigned(UINT64_MAX));
    return Timestamp(number);
  }
  ASSIGN_OR_RETURN(std::string const text, place.Text());
  uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return place.Fail(StrCat("found '", text, "', expected a timestamp"));
  }
  return Timestamp(number);
}

Result<SchemaNames> SchemaNamesFrom(const Place& place) {
  RETURN_IF_ERROR(CheckIsObject(place));
  SchemaNames names;
  ASSIGN_OR_RETURN(Place const collection, place.Member("collection"));
  ASSIGN_OR_RETURN(names.collection, collection.Text());
  ASSIGN_OR_RETURN(Place const schema, place.Member("schema"));
  ASSIGN_OR_RETURN(names.schema, schema.Text());
  if (place.Has("version")) {
    ASSIGN_OR_RETURN(Place const version, place.Member("version"));
    ASSIGN_OR_RETURN(uint64_t const number, version.Unsigned(UINT32_MAX));
    names.version = SchemaVersion(static_cast<uint32_t>(number));
  }
  return names;
}

Result<ReadOne> ReadFrom(const SchemaHandle& in, const Place& place, WireForm form) {
  RETURN_IF_ERROR(place.CheckObject({"collection", "schema", "version", "key", "as_stored"}));
  ReadOne read{.in = in};
  ASSIGN_OR_RETURN(Place const key, place.Member("key"));
  ASSIGN_OR_RETURN(read.key, KeyFrom(*in.schema, key, form));
  ASSIGN_OR_RETURN(read.as_stored, FlagOf(place, "as_stored"));
  return read;
}

Result<WriteOne> WriteFrom(const SchemaHandle& in, const Place& place, WireForm form) {
  RETURN_IF_ERROR(place.CheckObject(
      {"collection", "schema", "version", "op", "record", "key", "set", "if", "return"}));
  const Schema& schema = *in.schema;
  WriteOne write{.in = in};
  RETURN_IF_ERROR(KindFrom(place, write));
  bool const whole = write.kind == OperationKind::kPut;
  bool const partial = write.kind == OperationKind::kUpdate;
  if (place.Has("record") != whole || place.Has("key") == whole || place.Has("set") != partial) {
    return place.Fail(whole     ? "expected 'record', and neither 'key' nor 'set'"
                      : partial ? "expected 'key' and 'set', and not 'record'"
                                : "expected 'key', and neither 'record' nor 'set'");
  }
  if (whole) {
    ASSIGN_OR_RETURN(Place const record, place.Member("record"));
    ASSIGN_OR_RETURN(write.values, RecordFromDocument(schema, record, form));
  } else {
    ASSIGN_OR_RETURN(Place const key, place.Member("key"));
    ASSIGN_OR_RETURN(write.values, KeyFrom(schema, key, form));
  }
  if (partial) {
    ASSIGN_OR_RETURN(Place const set, place.Member("set"));
    ASSIGN_OR_RETURN(auto const fields, FieldsFromDocument(schema, set, form));
    for (const FieldUpdate& field : fields) {
      if (schema.IsKeyField(field.field)) {
        return set.Fail(StrCat("'", schema.field(field.field).name,
                               "' is a field of the key, which does not change"));
      }
      write.values[field.field] = field.value;
      write.updated.push_back(field.field);
    }
  }
  if (place.Has("if")) {
    ASSIGN_OR_RETURN(Place const condition, place.Member("if"));
    RETURN_IF_ERROR(ConditionFrom(schema, condition, form, write));
  }
  ASSIGN_OR_RETURN(write.tells_row, FlagOf(place, "return"));
  return write;
}

Result<QueryOne> QueryFrom(const SchemaHandle& in, const Place& place, WireForm form) {
  RETURN_IF_ERROR(
      place.CheckObject({"collection", "schema", "version", "prefix", "from", "to", "reverse",
                         "limit", "projection", "filter", "versions", "page", "token"}));
  const Schema& schema = *in.schema;
  QueryOne one{.in = in, .query = {.space = in.space(), .version = schema.version()}};
  Query& query = one.query;
  if (place.Has("prefix")) {
    ASSIGN_OR_RETURN(Place const prefix, place.Member("prefix"));
    ASSIGN_OR_RETURN(query.prefix, KeyValuesFrom(schema, prefix, form));
  }
  ASSIGN_OR_RETURN(query.from, BoundFrom(schema, place, "from", form));
  ASSIGN_OR_RETURN(query.to, BoundFrom(schema, place, "to", form));
  ASSIGN_OR_RETURN(query.reverse, FlagOf(place, "reverse"));
  if (place.Has("limit")) {
    ASSIGN_OR_RETURN(Place const limit, place.Member("limit"));
    ASSIGN_OR_RETURN(query.limit, limit.Unsigned(UINT64_MAX));
  }
  if (place.Has("projection")) {
    ASSIGN_OR_RETURN(Place const projection, place.Member("projection"));
    RETURN_IF_ERROR(ProjectionFrom(projection, query.projection));
  }
  if (place.Has("filter")) {
    ASSIGN_OR_RETURN(Place const filter, place.Member("filter"));
    ASSIGN_OR_RETURN(query.filter, FilterFromDocument(filter, &schema, form));
  }
  if (place.Has("versions")) {
    ASSIGN_OR_RETURN(Place const versions, place.Member("versions"));
    RETURN_IF_ERROR(VersionsFrom(versions, query.version_rule));
  }
  if (place.Has("page")) {
    ASSIGN_OR_RETURN(Place const page, place.Member("page"));
    RETURN_IF_ERROR(PageFrom(page, one.bounds));
  }
  if (place.Has("token")) {
    ASSIGN_OR_RETURN(Place const token, place.Member("token"));
    ASSIGN_OR_RETURN(one.token, TokenFrom(token));
  }
  return one;
}

Document TokenDocument(const std::string& token, WireForm form) {
  return form == WireForm::kMessagePack ? Document::Bytes(token)
                                        : Document::String(EncodeBase64(token));
}

}  // namespace orochi::kv::http
