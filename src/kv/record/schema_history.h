#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/record/schema.h"

namespace orochi::kv {

inline constexpr size_t kSchemaVersionCountMax = 1000;

/// All versions of one schema of a collection. A pure value: whoever stores schemas stores what
/// versions() has and gives it back to Restore.
///
/// A new version continues a base version, by default the newest there is. A field with the name
/// and type of a field of the base is that field and keeps its id; so is one that the change
/// renames. Any other is a new field: rows written before have NULL there, also where a name comes
/// back that some version dropped, or with another type. Ids are not used twice.
class SchemaHistory {
 public:
  struct Rename {
    std::string from;  // of the base version
    std::string to;    // of the new version
  };
  struct Change {
    std::optional<SchemaVersion> base = {};  // absent: the highest version
    std::vector<Rename> renames = {};        // of value fields
  };

  explicit SchemaHistory(SchemaId id) : id_(id) {}

  /// From versions with ids, in any order. kCorruption when they cannot be of one schema.
  static Result<SchemaHistory> Restore(SchemaId id, std::vector<SchemaDefinition> versions);

  /// Adds `definition`, whose field ids do not count. The version may be any that is not there yet.
  ///   kInvalidArgument    breaks a rule of Schema, or a rename names no field
  ///   kAlreadyExists      the version is there
  ///   kFailedPrecondition another name, or names, types, order or places of key fields differ
  ///   kNotFound           no such base
  ///   kResourceExhausted  kSchemaVersionCountMax versions
  Result<std::shared_ptr<const Schema>> Add(SchemaDefinition definition, const Change& change);

  SchemaId id() const { return id_; }
  /// nullptr: there is none.
  std::shared_ptr<const Schema> Find(SchemaVersion version) const;
  std::shared_ptr<const Schema> Newest() const;  // the highest version
  /// Ascending. Shared with readers that outlive a change of the history.
  const std::vector<std::shared_ptr<const Schema>>& versions() const { return versions_; }

 private:
  Status CheckSameKey(const SchemaDefinition& definition) const;
  Status AssignIds(SchemaDefinition& definition, const Schema& base, const Change& change) const;
  void Insert(Schema schema);

  SchemaId id_;
  uint32_t next_field_id_ = 1;
  std::vector<std::shared_ptr<const Schema>> versions_;
};

}  // namespace orochi::kv
