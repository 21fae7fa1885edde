#include "kv/operation/operation.h"

#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"
#include "kv/filter/filter_codec.h"
#include "kv/record/row.h"
#include "kv/record/schema_history.h"

namespace orochi::kv {
namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kHasFilter = 1;
constexpr uint8_t kHasUnchangedSince = 2;
constexpr uint8_t kTellsRow = 4;
constexpr uint8_t kRange = 8;
constexpr uint8_t kFlagsMax = 15;
constexpr uint8_t kDescending = 1;
constexpr uint8_t kNullsLast = 2;

codec::ByteReader ReaderOf(std::string_view bytes) {
  return codec::ByteReader(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

// Names only where a filter has some to be found; the others are never told to anybody.
void AppendSchema(std::string& out, const Schema& schema, bool with_names) {
  AppendVarint(out, schema.version().value());
  AppendVarint(out, schema.field_count());
  for (const Field& field : schema.definition().fields) {
    AppendVarint(out, field.id.value());
    out.push_back(static_cast<char>(field.type()));
    out.push_back(static_cast<char>((field.order.descending ? kDescending : 0) |
                                    (field.order.nulls_last ? kNullsLast : 0)));
    if (with_names) {
      AppendText(out, field.name);
    }
  }
  AppendVarint(out, schema.definition().partition_key.size());
  AppendVarint(out, schema.definition().range_key.size());
  for (uint32_t const field : schema.key_fields()) {
    AppendVarint(out, field);
  }
}

bool ReadField(codec::ByteReader& reader, bool with_names, size_t index, Field& field) {
  uint32_t id = 0;
  uint8_t type = 0;
  uint8_t order = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, id) || !reader.ReadFixed(type) ||
      !reader.ReadFixed(order) || order > (kDescending | kNullsLast)) {
    return false;
  }
  auto const known = FieldTypeFromNumber(type);
  if (!known || (with_names && !ReadText(reader, field.name))) {
    return false;
  }
  if (!with_names) {
    field.name = StrCat("field ", index);
  }
  field.id = FieldId(id);
  field.order = {.type = *known,
                 .descending = (order & kDescending) != 0,
                 .nulls_last = (order & kNullsLast) != 0};
  return true;
}

bool ReadDefinition(codec::ByteReader& reader, bool with_names, SchemaDefinition& definition) {
  uint32_t version = 0;
  size_t field_count = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, version) ||
      !reader.ReadVarintUpTo(kFieldCountMax, field_count)) {
    return false;
  }
  definition.version = SchemaVersion(version);
  definition.fields.resize(field_count);
  for (size_t index = 0; index < field_count; ++index) {
    if (!ReadField(reader, with_names, index, definition.fields[index])) {
      return false;
    }
  }
  size_t partition_count = 0;
  size_t range_count = 0;
  if (!reader.ReadVarintUpTo(kKeyFieldCountMax, partition_count) ||
      !reader.ReadVarintUpTo(kKeyFieldCountMax, range_count)) {
    return false;
  }
  definition.partition_key.resize(partition_count);
  definition.range_key.resize(range_count);
  for (auto* key : {&definition.partition_key, &definition.range_key}) {
    for (uint32_t& field : *key) {
      if (!reader.ReadVarintUpTo(kFieldCountMax, field)) {
        return false;
      }
    }
  }
  return true;
}

Status Damaged(std::string_view part) {
  return Status::Corruption(StrCat("operation on a record: its ", part, " cannot be read"));
}

Status ReadSchemas(codec::ByteReader& reader, RecordOperation& operation) {
  uint32_t id = 0;
  std::string name;
  size_t count = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, id) || !ReadText(reader, name) ||
      !reader.ReadVarintUpTo(kOperationSchemaCountMax, count) || count == 0) {
    return Damaged("list of schema versions");
  }
  std::vector<SchemaDefinition> definitions;
  std::vector<SchemaVersion> order;
  for (size_t index = 0; index < count; ++index) {
    SchemaDefinition definition{.name = name, .version = SchemaVersion(0)};
    if (!ReadDefinition(reader, operation.filter.has_value(), definition)) {
      return Damaged("schema version");
    }
    order.push_back(definition.version);
    definitions.push_back(std::move(definition));
  }
  auto history = SchemaHistory::Restore(SchemaId(id), std::move(definitions));
  if (!history.ok()) {
    return std::move(history).status().WithContext("operation on a record");
  }
  for (SchemaVersion const version : order) {
    operation.schemas.push_back(history->Find(version));
  }
  return Status::Ok();
}

Status ReadUpdated(codec::ByteReader& reader, RecordOperation& operation) {
  const Schema& schema = *operation.schemas.front();
  size_t count = 0;
  if (!reader.ReadVarintUpTo(kFieldCountMax, count)) {
    return Damaged("list of fields");
  }
  for (size_t index = 0; index < count; ++index) {
    uint32_t field = 0;
    if (!reader.ReadVarintUpTo(schema.field_count() - 1, field) || schema.IsKeyField(field)) {
      return Damaged("list of fields");
    }
    operation.updated.push_back(field);
  }
  return Status::Ok();
}

}  // namespace

Result<std::string> EncodeOperation(const RecordOperation& operation) {
  ASSERT(!operation.NeedsSchemas() || !operation.schemas.empty());
  std::string out;
  out.reserve(operation.row.size() + 64);
  out.push_back(static_cast<char>(kFormat));
  out.push_back(static_cast<char>(operation.kind));
  out.push_back(static_cast<char>(operation.presence));
  out.push_back(static_cast<char>((operation.filter ? kHasFilter : 0) |
                                  (operation.unchanged_since ? kHasUnchangedSince : 0) |
                                  (operation.tells_row ? kTellsRow : 0) |
                                  (operation.distribution == Distribution::kRange ? kRange : 0)));
  AppendVarint(out, operation.ordinal);
  if (operation.unchanged_since) {
    AppendBigEndian(out, operation.unchanged_since->value());
  }
  if (operation.filter) {
    ASSIGN_OR_RETURN(std::string const filter, EncodeFilter(*operation.filter));
    AppendText(out, filter);
  }
  if (operation.NeedsSchemas()) {
    const Schema& first = *operation.schemas.front();
    AppendVarint(out, first.id().value());
    AppendText(out, first.name());
    AppendVarint(out, operation.schemas.size());
    for (const auto& schema : operation.schemas) {
      AppendSchema(out, *schema, operation.filter.has_value());
    }
  }
  if (operation.kind == OperationKind::kUpdate) {
    AppendVarint(out, operation.updated.size());
    for (uint32_t const field : operation.updated) {
      AppendVarint(out, field);
    }
  }
  if (operation.kind == OperationKind::kPut || operation.kind == OperationKind::kUpdate) {
    out += operation.row;
  }
  return out;
}

bool OperationReads(std::string_view bytes) {
  if (bytes.size() < 4) {
    return true;
  }
  auto const kind = static_cast<OperationKind>(bytes[1]);
  bool const blind = kind == OperationKind::kPut || kind == OperationKind::kDelete;
  bool const tells_found =
      kind == OperationKind::kDelete && (static_cast<uint8_t>(bytes[3]) & kTellsRow) != 0;
  return !blind || bytes[2] != static_cast<char>(Presence::kAny) || tells_found ||
         (static_cast<uint8_t>(bytes[3]) & (kHasFilter | kHasUnchangedSince)) != 0;
}

Result<RecordOperation> DecodeOperation(std::string_view bytes) {
  codec::ByteReader reader = ReaderOf(bytes);
  RecordOperation operation;
  uint8_t format = 0;
  uint8_t kind = 0;
  uint8_t presence = 0;
  uint8_t flags = 0;
  if (!reader.ReadFixed(format) || format != kFormat || !reader.ReadFixed(kind) ||
      kind > static_cast<uint8_t>(OperationKind::kCheck) || !reader.ReadFixed(presence) ||
      presence > static_cast<uint8_t>(Presence::kAbsent) || !reader.ReadFixed(flags) ||
      flags > kFlagsMax || !reader.ReadVarintUpTo(UINT32_MAX, operation.ordinal)) {
    return Damaged("header");
  }
  operation.kind = static_cast<OperationKind>(kind);
  operation.presence = static_cast<Presence>(presence);
  operation.tells_row = (flags & kTellsRow) != 0;
  operation.distribution = (flags & kRange) != 0 ? Distribution::kRange : Distribution::kHash;
  if ((flags & kHasUnchangedSince) != 0) {
    std::span<const std::byte> timestamp;
    if (!reader.ReadSpan(8, timestamp)) {
      return Damaged("timestamp");
    }
    operation.unchanged_since =
        Timestamp(BigEndianAt({reinterpret_cast<const char*>(timestamp.data()), timestamp.size()}));
  }
  if ((flags & kHasFilter) != 0) {
    std::string filter;
    if (!ReadText(reader, filter)) {
      return Damaged("filter");
    }
    ASSIGN_OR_RETURN(operation.filter, DecodeFilter(filter));
  }
  if (operation.NeedsSchemas()) {
    RETURN_IF_ERROR(ReadSchemas(reader, operation));
  }
  if (operation.kind == OperationKind::kUpdate) {
    RETURN_IF_ERROR(ReadUpdated(reader, operation));
  }
  bool const has_row =
      operation.kind == OperationKind::kPut || operation.kind == OperationKind::kUpdate;
  if (has_row) {
    operation.row = bytes.substr(bytes.size() - reader.remaining_bytes());
    ASSIGN_OR_RETURN(SchemaVersion const version, ReadRowVersion(operation.row));
    if (operation.NeedsSchemas() && version != operation.schemas.front()->version()) {
      return Damaged("row");
    }
  } else if (reader.remaining_bytes() != 0) {
    return Damaged("end");
  }
  return operation;
}

std::string EncodeOperationResult(const OperationResult& result) {
  std::string out(1, static_cast<char>(result.outcome));
  AppendVarint(out, result.ordinal);
  if (result.outcome == OperationOutcome::kVersionMissing) {
    AppendVarint(out, result.version.value_or(SchemaVersion(0)).value());
  }
  out += result.row.value_or("");  // rows are never empty
  return out;
}

Result<OperationResult> DecodeOperationResult(std::string_view bytes) {
  codec::ByteReader reader = ReaderOf(bytes);
  OperationResult result;
  uint8_t outcome = 0;
  bool good = reader.ReadFixed(outcome) && outcome <= kOperationOutcomeMax &&
              reader.ReadVarintUpTo(UINT32_MAX, result.ordinal);
  result.outcome = static_cast<OperationOutcome>(outcome);
  if (good && result.outcome == OperationOutcome::kVersionMissing) {
    uint32_t version = 0;
    good = reader.ReadVarintUpTo(UINT32_MAX, version);
    result.version = SchemaVersion(version);
  }
  if (!good) {
    return Status::Corruption(
        StrCat("result of an operation on a record: found ", bytes.size(), " bytes that are none"));
  }
  if (reader.remaining_bytes() > 0) {
    result.row = bytes.substr(bytes.size() - reader.remaining_bytes());
  }
  return result;
}

}  // namespace orochi::kv
