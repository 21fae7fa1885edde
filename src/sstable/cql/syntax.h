#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sstable/cql/lexer.h"

namespace orochi::sstable::cql {

/// Statements as they are written: names are not looked up and values have no types yet.

/// `keyspace` is empty where it is not written.
struct TableName {
  std::string keyspace;
  std::string table;
  Position position;
};

/// map<text, frozen<list<int>>>. User types are any name that is no CQL type.
struct TypeSyntax {
  std::string keyspace;  // of a user type, where it is written
  std::string name;      // in lower case unless quoted; of custom types the class string
  bool custom = false;   // 'org.apache.cassandra...'
  uint32_t dimension = 0;
  std::vector<TypeSyntax> parameters;
  Position position;
};

/// A value as it is written.
struct Term {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,  // text: true or false
    kInteger,  // text: digits with sign
    kFloat,    // text, or NaN, Infinity, -Infinity
    kString,
    kUuid,
    kHex,       // text: the digits
    kDuration,  // text as written, with sign
    kList,      // [items]
    kSet,       // {items}; {} may mean a map
    kMap,       // {items: items}, keys and values in turns
    kTuple,     // (items), two or more, or one in a context that takes a tuple
    kUserType,  // {names: items}
    kFunction,  // text(items)
    kCast,      // (cast_type) items[0]
    kMarker,    // ? or :name
    kBytes,     // text: a serialised value. Made by programs that bind values, never by parsing
  };
  Kind kind = Kind::kNull;
  std::string text;
  std::vector<Term> items;
  std::vector<std::string> names;
  std::vector<TypeSyntax> cast_type;  // one for kCast
  Position position;
};

// ---- schema

struct ColumnDefinition {
  std::string name;
  TypeSyntax type;
  bool is_static = false;
  Position position;
};

/// Options of WITH in the order written: `gc_grace_seconds = 5`, `compression = {'class': ..}`.
struct TableOption {
  std::string name;
  Term value;
};

struct CreateType {
  TableName name;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> fields;
};

struct CreateTable {
  TableName name;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::vector<std::string> partition_key;
  std::vector<std::string> clustering;
  struct Order {
    std::string column;
    bool descending = false;
  };
  std::vector<Order> clustering_order;
  bool compact_storage = false;
  std::vector<TableOption> options;
};

struct AlterTable {
  enum class Action : uint8_t { kAdd, kDrop, kRename, kAlterType, kWith };
  TableName name;
  Action action = Action::kWith;
  std::vector<ColumnDefinition> columns;                     // kAdd; kAlterType: one
  std::vector<std::string> dropped;                          // kDrop
  std::optional<Term> dropped_at_micros;                     // kDrop: USING TIMESTAMP
  std::vector<std::pair<std::string, std::string>> renames;  // from, to
  std::vector<TableOption> options;                          // kWith
};

struct AlterType {
  TableName name;
  std::vector<ColumnDefinition> added;
  std::vector<std::pair<std::string, std::string>> renames;
};

struct Use {
  std::string keyspace;
};

/// A statement that says nothing about the shape of tables (CREATE KEYSPACE, CREATE INDEX, GRANT,
/// ...), read up to its semicolon.
struct OtherStatement {
  std::string first_words;
};

// ---- queries

enum class Operator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kContains,
  kContainsKey,
  kLike,
  kIsNotNull
};

/// column = 1, (a, b) > (1, 2), token(k) > 5, m['x'] = 1
struct Relation {
  std::vector<std::string> columns;  // one, or those of a tuple or of token()
  bool is_token = false;
  bool is_tuple = false;
  std::optional<Term> element;  // m[element]
  Operator op = Operator::kEqual;
  std::vector<Term> values;  // one; of IN any number
  Position position;
};

/// What SELECT computes.
struct Selector {
  enum class Kind : uint8_t {
    kColumn,
    kFunction,  // name(arguments); count(*) has no arguments and name "countrows"
    kCast,      // CAST(arguments[0] AS cast_type)
    kElement,   // arguments[0][term]
    kSlice,     // arguments[0][term..term]
    kField,     // arguments[0].name
    kTerm,      // a literal
    kOperator,  // arguments[0] name arguments[1], name one of + - * / %
    kNegate,    // -arguments[0]
  };
  Kind kind = Kind::kColumn;
  std::string name;
  std::vector<Selector> arguments;
  std::vector<Term> terms;
  std::vector<TypeSyntax> cast_type;
  std::string alias;
  std::string text;     // as written, for the heading
  int parentheses = 0;  // around it
  Position position;
};

struct OrderBy {
  std::string column;
  bool descending = false;
  Position position;
};

struct Select {
  TableName from;
  bool json = false;
  bool distinct = false;
  bool wildcard = false;  // SELECT *
  std::vector<Selector> selectors;
  std::vector<Relation> where;
  std::vector<Selector> group_by;
  std::vector<OrderBy> order_by;
  std::optional<Term> per_partition_limit;
  std::optional<Term> limit;
  bool allow_filtering = false;
  bool explain = false;  // EXPLAIN SELECT, which Cassandra does not have
};

// ---- changes

struct UsingClause {
  std::optional<Term> timestamp;
  std::optional<Term> ttl;
};

struct Insert {
  TableName into;
  std::vector<std::string> columns;
  std::vector<Term> values;
  std::optional<Term> json;  // INSERT INTO t JSON '...'
  bool json_default_unset = false;
  bool if_not_exists = false;
  UsingClause using_clause;
};

/// SET column = value and its forms for collections and counters.
struct Assignment {
  enum class Kind : uint8_t {
    kSet,       // column = value
    kAdd,       // column = column + value, column += value
    kPrepend,   // column = value + column
    kSubtract,  // column = column - value, column -= value
    kElement,   // column[element] = value
    kField,     // column.field = value
  };
  Kind kind = Kind::kSet;
  std::string column;
  std::string field;
  std::optional<Term> element;
  Term value;
  Position position;
};

struct Update {
  TableName table;
  UsingClause using_clause;
  std::vector<Assignment> assignments;
  std::vector<Relation> where;
  bool conditional = false;  // IF ...: the conditions are not kept
};

struct Delete {
  struct Target {
    std::string column;
    std::string field;
    std::optional<Term> element;
    Position position;
  };
  TableName from;
  std::vector<Target> targets;  // none: whole rows
  UsingClause using_clause;
  std::vector<Relation> where;
  bool conditional = false;
};

struct Batch;
using Change = std::variant<Insert, Update, Delete>;
struct Batch {
  UsingClause using_clause;
  std::vector<Change> changes;
};

using Statement = std::variant<CreateType, CreateTable, AlterTable, AlterType, Use, OtherStatement,
                               Select, Insert, Update, Delete, Batch>;

}  // namespace orochi::sstable::cql
