// CREATE and ALTER of tables and types. All other definitions are read over.
#include "base/str_cat.h"
#include "sstable/cql/internal/parser.h"

namespace orochi::sstable::cql::internal {

Result<Statement> Parser::ParseCreate() {
  if (PeekWord("type", 1)) {
    return ParseCreateType();
  }
  if (PeekWord("table", 1) || PeekWord("columnfamily", 1)) {
    return ParseCreateTable();
  }
  return SkipStatement();
}

Result<Statement> Parser::ParseAlter() {
  if (PeekWord("type", 1)) {
    return ParseAlterType();
  }
  if (PeekWord("table", 1) || PeekWord("columnfamily", 1)) {
    return ParseAlterTable();
  }
  return SkipStatement();
}

Result<Statement> Parser::SkipStatement() {
  OtherStatement other;
  for (int words = 0; words < 3 && Peek().kind == TokenKind::kWord; ++words) {
    other.first_words += StrCat(words == 0 ? "" : " ", Next().text);
  }
  while (!at_end() && !PeekSymbol(";")) {
    Next();
  }
  return Statement(std::move(other));
}

Result<ColumnDefinition> Parser::ParseColumnDefinition() {
  ColumnDefinition column;
  column.position = Peek().position;
  ASSIGN_OR_RETURN(column.name, ParseName("a column name"));
  ASSIGN_OR_RETURN(column.type, ParseType(0));
  return column;
}

/// MASKED WITH function(arguments): how values are shown to users, not how they are stored.
Status Parser::ParseMask() {
  if (!TakeWord("masked")) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(ExpectWord("with"));
  if (TakeWord("default")) {
    return Status::Ok();
  }
  return ParseTableName().status().ok() && PeekSymbol("(") ? ParseTerm(0).status()
                                                           : Mismatch("a masking function");
}

Result<Statement> Parser::ParseCreateType() {
  CreateType type;
  RETURN_IF_ERROR(ExpectWords({"create", "type"}));
  type.if_not_exists = TakeWords({"if", "not", "exists"});
  ASSIGN_OR_RETURN(type.name, ParseTableName());
  RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    ASSIGN_OR_RETURN(ColumnDefinition field, ParseColumnDefinition());
    type.fields.push_back(std::move(field));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectSymbol(")"));
  return Statement(std::move(type));
}

Result<Statement> Parser::ParseCreateTable() {
  CreateTable table;
  Next();
  Next();
  table.if_not_exists = TakeWords({"if", "not", "exists"});
  ASSIGN_OR_RETURN(table.name, ParseTableName());
  RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    RETURN_IF_ERROR(ParseTableItem(table));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectSymbol(")"));
  if (table.partition_key.empty()) {
    return Status::InvalidArgument(StrCat("No PRIMARY KEY specified for table '", table.name.table,
                                          "' (exactly one required)"));
  }
  if (TakeWord("with")) {
    RETURN_IF_ERROR(ParseTableOptions(table));
  }
  return Statement(std::move(table));
}

/// A column, or PRIMARY KEY (...).
Status Parser::ParseTableItem(CreateTable& table) {
  if (PeekWord("primary")) {
    return ParsePrimaryKey(table);
  }
  ASSIGN_OR_RETURN(ColumnDefinition column, ParseColumnDefinition());
  column.is_static = TakeWord("static");
  RETURN_IF_ERROR(ParseMask());
  Position const position = Peek().position;
  if (TakeWord("primary")) {
    RETURN_IF_ERROR(ExpectWord("key"));
    if (!table.partition_key.empty()) {
      return Status::InvalidArgument(StrCat(PositionText(position),
                                            " Multiple PRIMARY KEY specified for table '",
                                            table.name.table, "' (exactly one required)"));
    }
    table.partition_key.push_back(column.name);
  }
  table.columns.push_back(std::move(column));
  return Status::Ok();
}

Status Parser::ParsePrimaryKey(CreateTable& table) {
  Position const position = Peek().position;
  RETURN_IF_ERROR(ExpectWords({"primary", "key"}));
  if (!table.partition_key.empty()) {
    return Status::InvalidArgument(StrCat(PositionText(position),
                                          " Multiple PRIMARY KEY specified for table '",
                                          table.name.table, "' (exactly one required)"));
  }
  RETURN_IF_ERROR(ExpectSymbol("("));
  if (PeekSymbol("(")) {
    ASSIGN_OR_RETURN(table.partition_key, ParseNamesInParentheses());
  } else {
    ASSIGN_OR_RETURN(std::string name, ParseName("a column name"));
    table.partition_key.push_back(std::move(name));
  }
  while (TakeSymbol(",")) {
    ASSIGN_OR_RETURN(std::string name, ParseName("a column name"));
    table.clustering.push_back(std::move(name));
  }
  return ExpectSymbol(")");
}

Status Parser::ParseTableOptions(CreateTable& table) {
  do {
    if (TakeWords({"compact", "storage"})) {
      table.compact_storage = true;
    } else if (PeekWord("clustering") && PeekWord("order", 1)) {
      RETURN_IF_ERROR(ParseClusteringOrder(table));
    } else {
      ASSIGN_OR_RETURN(TableOption option, ParseOption());
      table.options.push_back(std::move(option));
    }
  } while (TakeWord("and"));
  return Status::Ok();
}

Status Parser::ParseClusteringOrder(CreateTable& table) {
  RETURN_IF_ERROR(ExpectWords({"clustering", "order", "by"}));
  RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    CreateTable::Order order;
    ASSIGN_OR_RETURN(order.column, ParseName("a column name"));
    order.descending = TakeWord("desc");
    if (!order.descending) {
      TakeWord("asc");
    }
    table.clustering_order.push_back(std::move(order));
  } while (TakeSymbol(","));
  return ExpectSymbol(")");
}

Result<TableOption> Parser::ParseOption() {
  TableOption option;
  ASSIGN_OR_RETURN(option.name, ParseName("the name of an option"));
  RETURN_IF_ERROR(ExpectSymbol("="));
  ASSIGN_OR_RETURN(option.value, ParseTerm(0));
  return option;
}

Result<std::vector<std::pair<std::string, std::string>>> Parser::ParseRenames() {
  std::vector<std::pair<std::string, std::string>> renames;
  do {
    ASSIGN_OR_RETURN(std::string from, ParseName("a name"));
    RETURN_IF_ERROR(ExpectWord("to"));
    ASSIGN_OR_RETURN(std::string to, ParseName("a name"));
    renames.emplace_back(std::move(from), std::move(to));
  } while (TakeWord("and"));
  return renames;
}

Result<Statement> Parser::ParseAlterTable() {
  AlterTable alter;
  Next();
  Next();
  TakeWords({"if", "exists"});
  ASSIGN_OR_RETURN(alter.name, ParseTableName());
  if (TakeWord("add")) {
    alter.action = AlterTable::Action::kAdd;
    TakeWords({"if", "not", "exists"});
    bool const parenthesised = TakeSymbol("(");
    do {
      ASSIGN_OR_RETURN(ColumnDefinition column, ParseColumnDefinition());
      column.is_static = TakeWord("static");
      RETURN_IF_ERROR(ParseMask());
      alter.columns.push_back(std::move(column));
    } while (TakeSymbol(","));
    if (parenthesised) {
      RETURN_IF_ERROR(ExpectSymbol(")"));
    }
  } else if (TakeWord("drop")) {
    if (TakeWords({"compact", "storage"})) {
      return Statement(OtherStatement{.first_words = "alter table"});
    }
    RETURN_IF_ERROR(ParseAlterDrop(alter));
  } else if (TakeWord("rename")) {
    alter.action = AlterTable::Action::kRename;
    TakeWords({"if", "exists"});
    ASSIGN_OR_RETURN(alter.renames, ParseRenames());
  } else if (TakeWord("alter")) {
    alter.action = AlterTable::Action::kAlterType;
    TakeWords({"if", "exists"});
    ColumnDefinition column;
    column.position = Peek().position;
    ASSIGN_OR_RETURN(column.name, ParseName("a column name"));
    if (PeekWord("masked") || PeekWord("drop")) {
      return SkipStatement();
    }
    RETURN_IF_ERROR(ExpectWord("type"));
    ASSIGN_OR_RETURN(column.type, ParseType(0));
    alter.columns.push_back(std::move(column));
  } else {
    RETURN_IF_ERROR(ExpectWord("with"));
    do {
      ASSIGN_OR_RETURN(TableOption option, ParseOption());
      alter.options.push_back(std::move(option));
    } while (TakeWord("and"));
  }
  return Statement(std::move(alter));
}

Status Parser::ParseAlterDrop(AlterTable& alter) {
  alter.action = AlterTable::Action::kDrop;
  TakeWords({"if", "exists"});
  if (PeekSymbol("(")) {
    ASSIGN_OR_RETURN(alter.dropped, ParseNamesInParentheses());
  } else {
    do {
      ASSIGN_OR_RETURN(std::string name, ParseName("a column name"));
      alter.dropped.push_back(std::move(name));
    } while (TakeSymbol(","));
  }
  if (TakeWord("using")) {
    RETURN_IF_ERROR(ExpectWord("timestamp"));
    ASSIGN_OR_RETURN(alter.dropped_at_micros, ParseTerm(0));
  }
  return Status::Ok();
}

Result<Statement> Parser::ParseAlterType() {
  AlterType alter;
  RETURN_IF_ERROR(ExpectWords({"alter", "type"}));
  TakeWords({"if", "exists"});
  ASSIGN_OR_RETURN(alter.name, ParseTableName());
  if (TakeWord("rename")) {
    TakeWords({"if", "exists"});
    ASSIGN_OR_RETURN(alter.renames, ParseRenames());
    return Statement(std::move(alter));
  }
  RETURN_IF_ERROR(ExpectWord("add"));
  TakeWords({"if", "not", "exists"});
  ASSIGN_OR_RETURN(ColumnDefinition field, ParseColumnDefinition());
  alter.added.push_back(std::move(field));
  return Statement(std::move(alter));
}

}  // namespace orochi::sstable::cql::internal
