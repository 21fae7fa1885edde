#pragma once

#include "pg/bridge.h"
#include "sstable/schema/table_schema.h"

namespace orochi::pg {

/// How IMPORT FOREIGN SCHEMA declares columns.
struct ImportTypes {
  std::string schema;           // where composite types are
  bool composite_types = true;  // false: user types are jsonb
  std::string vector_type;      // qualified; empty: vectors are arrays
};

/// The PostgreSQL type of columns of a CQL type, as SQL.
std::string TypeNameFor(const sstable::Type& type, const ImportTypes& types);

/// Makes sure that the composite types for the columns of a table exist, those inside others first.
/// One that is there already is used when its fields are the same. kAlreadyExists otherwise.
Status MakeCompositeTypes(const sstable::TableSchema& table, const ImportTypes& types);

/// The name of a type called vector that is visible, or empty.
std::string VisibleVectorType();

std::string QuotedName(const std::string& name);
std::string QuotedText(const std::string& text);

}  // namespace orochi::pg
