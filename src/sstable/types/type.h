#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orochi::sstable {

enum class TypeKind : uint8_t {
  kAscii,
  kBigint,
  kBlob,
  kBoolean,
  kCounter,
  kDate,
  kDecimal,
  kDouble,
  kDuration,
  kFloat,
  kInet,
  kInt,
  kSmallint,
  kText,
  kTime,
  kTimestamp,
  kTimeuuid,
  kTinyint,
  kUuid,
  kVarint,
  // Types of other types.
  kList,
  kSet,
  kMap,
  kTuple,
  kUdt,
  kVector,
  // Never in CQL, but in files.
  kEmpty,        // EmptyType: the value has no bytes
  kLegacyDate,   // DateType: milliseconds, ordered as unsigned bytes
  kLexicalUuid,  // LexicalUUIDType: ordered as two signed halves
  kComposite,    // CompositeType: partition keys of several columns, compact tables
  kCustom,       // any other class: its values are bytes
};

struct Type;
/// Shared by every schema, reader and value that speaks of the type; nobody changes it.
using TypeRef = std::shared_ptr<const Type>;

/// A CQL type: a tree. Made by the functions below, which keep its invariants; compare by
/// SameType, not by pointer.
struct Type {
  TypeKind kind = TypeKind::kBlob;
  /// Collections and user types: stored as one value. False means one cell per element, which only
  /// a column's own type can be. All other kinds are always stored as one value, and are frozen.
  bool frozen = true;
  /// A clustering column in descending order. Only a column's own type, never one inside another.
  bool reversed = false;
  uint32_t dimension = 0;  // vectors
  /// list, set, vector: the element; map: key and value; tuple, user type, composite: the parts.
  std::vector<TypeRef> parameters;
  std::string keyspace;                  // user types; may be empty where it is not known
  std::string name;                      // user types; of kCustom the whole class string
  std::vector<std::string> field_names;  // user types: one per parameter

  bool is_collection() const {
    return kind == TypeKind::kList || kind == TypeKind::kSet || kind == TypeKind::kMap;
  }
  /// One cell per element.
  bool multi_cell() const { return !frozen; }
  /// The type of the elements of a list, set or vector, or of a map's keys.
  const Type& element() const { return *parameters[0]; }
  const Type& map_value() const { return *parameters[1]; }
};

/// A type without parameters. REQUIRES: `kind` is one.
TypeRef SimpleType(TypeKind kind);
/// Collections begin not frozen; what is inside gets frozen.
TypeRef ListOf(TypeRef element);
TypeRef SetOf(TypeRef element);
TypeRef MapOf(TypeRef key, TypeRef value);
TypeRef TupleOf(std::vector<TypeRef> fields);
TypeRef VectorOf(TypeRef element, uint32_t dimension);
TypeRef CompositeOf(std::vector<TypeRef> parts);
/// Not frozen. REQUIRES: as many names as fields.
TypeRef UserTypeOf(std::string keyspace, std::string name, std::vector<std::string> field_names,
                   std::vector<TypeRef> fields);
TypeRef CustomType(std::string class_string);
TypeRef Frozen(const TypeRef& type);
TypeRef Reversed(const TypeRef& type);
/// Without the reversed flag.
TypeRef Unreversed(const TypeRef& type);

/// How many bytes every non-empty value has in a cell or clustering without a length before it, or
/// nullopt where a length is stored. (tinyint, smallint, date and time do store one.)
std::optional<uint32_t> FixedLengthBytes(const Type& type);

/// Deep equality. Keyspaces of user types are not compared: files moved between keyspaces keep the
/// old name.
bool SameType(const Type& left, const Type& right);

/// True when values written as `from` can be read as `to`: equal, or a widening that Cassandra's
/// ALTER allows or allowed (ascii → text → blob, any → blob, int → varint, ...).
bool CanReadAs(const Type& from, const Type& to);

/// "frozen<map<text, frozen<list<int>>>>", as DESCRIBE prints it; types that CQL has no name for
/// are their class string in quotes. Reversal is not part of it.
std::string CqlName(const Type& type);

/// True for the words, in lower case, that CQL never takes as an unquoted name.
bool IsReservedWord(std::string_view word);

/// An identifier as CQL text needs it: quoted where it is not lower case or is a reserved word.
std::string QuoteIdentifier(std::string_view name);

}  // namespace orochi::sstable
