#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/filter/expression.h"
#include "kv/mvcc/timestamp.h"
#include "kv/record/schema.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {

enum class OperationKind : uint8_t {
  kPut = 0,     // the whole row, whatever was there
  kUpdate = 1,  // some fields of a record that is there
  kDelete = 2,
  kCheck = 3,  // changes nothing, but keeps others from it until the transaction has ended
};

enum class Presence : uint8_t { kAny = 0, kPresent = 1, kAbsent = 2 };

/// Versions of a schema that one operation can bring.
inline constexpr size_t kOperationSchemaCountMax = 64;

/// What a client wants done with one record, as it travels to the leader of the record's partition
/// (docs/formats/kv-operations.md). It brings the schema versions that its evaluation needs, so
/// that leaders know no schemas.
struct RecordOperation {
  OperationKind kind = OperationKind::kPut;
  // What must hold, all of it.
  Presence presence = Presence::kAny;
  std::optional<Timestamp> unchanged_since = {};  // not written after that
  std::optional<Expression> filter = {};  // passes the record, as its version of `schemas[0]`

  bool tells_row = false;  // the result has the row: the new one, or the one that does not fit
  uint32_t ordinal = 0;    // told back in the result, so that of several the failed one is known
  Distribution distribution = Distribution::kHash;
  std::string row = {};                // kPut, kUpdate: a row of the version written
  std::vector<uint32_t> updated = {};  // kUpdate: which fields of `row` are meant; value fields
  /// With kUpdate or a filter: versions of the record's schema, the one that is written or that the
  /// filter is meant in first. A record of a version that is not here is not evaluated
  /// (OperationOutcome::kVersionMissing).
  std::vector<std::shared_ptr<const Schema>> schemas = {};

  bool NeedsSchemas() const { return kind == OperationKind::kUpdate || filter.has_value(); }
};

/// kInvalidArgument, kOutOfRange: as EncodeFilter. REQUIRES: schemas where they are needed.
Result<std::string> EncodeOperation(const RecordOperation& operation);
/// kCorruption for bytes that are no operation.
Result<RecordOperation> DecodeOperation(std::string_view bytes);
/// Whether its outcome depends on what it finds. True for bytes that are no operation.
bool OperationReads(std::string_view bytes);

enum class OperationOutcome : uint8_t {
  kDone = 0,
  kAbsent = 1,   // there is no record, and must be
  kPresent = 2,  // there is one, and must not be
  kFilterRejects = 3,
  kChanged = 4,         // written after `unchanged_since`
  kForgotten = 5,       // that is so long ago that nobody knows
  kVersionMissing = 6,  // the record is of `version`, which the operation did not bring
};
inline constexpr uint8_t kOperationOutcomeMax = 6;

/// What the leader tells who asked. All but kDone wrote nothing.
struct OperationResult {
  OperationOutcome outcome = OperationOutcome::kDone;
  uint32_t ordinal = 0;
  std::optional<SchemaVersion> version = {};  // kVersionMissing
  std::optional<std::string> row = {};        // with tells_row, when there is one

  friend bool operator==(const OperationResult&, const OperationResult&) = default;
};

std::string EncodeOperationResult(const OperationResult& result);
Result<OperationResult> DecodeOperationResult(std::string_view bytes);

}  // namespace orochi::kv
