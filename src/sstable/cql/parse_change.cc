// INSERT, UPDATE, DELETE and BATCH.
#include "sstable/cql/internal/parser.h"

namespace orochi::sstable::cql::internal {

Result<Statement> Parser::ParseChangeStatement() {
  if (PeekWord("begin")) {
    ASSIGN_OR_RETURN(Batch batch, ParseBatch());
    return Statement(std::move(batch));
  }
  ASSIGN_OR_RETURN(Change change, ParseChange());
  return std::visit([](auto&& statement) { return Result<Statement>(std::move(statement)); },
                    std::move(change));
}

Result<Change> Parser::ParseChange() {
  if (PeekWord("insert")) {
    ASSIGN_OR_RETURN(Insert insert, ParseInsert());
    return Change(std::move(insert));
  }
  if (PeekWord("update")) {
    ASSIGN_OR_RETURN(Update update, ParseUpdate());
    return Change(std::move(update));
  }
  if (PeekWord("delete")) {
    ASSIGN_OR_RETURN(Delete deletion, ParseDelete());
    return Change(std::move(deletion));
  }
  return Mismatch("INSERT, UPDATE or DELETE");
}

/// USING TIMESTAMP 1 AND TTL 2, in either order.
Status Parser::ParseUsing(UsingClause& clause) {
  if (!TakeWord("using")) {
    return Status::Ok();
  }
  do {
    if (TakeWord("timestamp")) {
      ASSIGN_OR_RETURN(clause.timestamp, ParseTerm(0));
    } else {
      RETURN_IF_ERROR(ExpectWord("ttl"));
      ASSIGN_OR_RETURN(clause.ttl, ParseTerm(0));
    }
  } while (TakeWord("and"));
  return Status::Ok();
}

/// IF EXISTS or IF column = value AND ...; true when there was one.
Result<bool> Parser::ParseConditions() {
  if (!TakeWord("if")) {
    return false;
  }
  if (TakeWord("exists")) {
    return true;
  }
  std::vector<Relation> ignored;
  RETURN_IF_ERROR(ParseWhere(ignored));
  return true;
}

Result<Insert> Parser::ParseInsert() {
  Insert insert;
  RETURN_IF_ERROR(ExpectWords({"insert", "into"}));
  ASSIGN_OR_RETURN(insert.into, ParseTableName());
  if (TakeWord("json")) {
    ASSIGN_OR_RETURN(insert.json, ParseTerm(0));
    if (TakeWord("default")) {
      insert.json_default_unset = TakeWord("unset");
      if (!insert.json_default_unset) {
        RETURN_IF_ERROR(ExpectWord("null"));
      }
    }
  } else {
    ASSIGN_OR_RETURN(insert.columns, ParseNamesInParentheses());
    Position const position = Peek().position;
    RETURN_IF_ERROR(ExpectWord("values"));
    RETURN_IF_ERROR(ExpectSymbol("("));
    RETURN_IF_ERROR(ParseTermList(")", 0, insert.values));
    if (insert.values.size() != insert.columns.size()) {
      return Status::InvalidArgument(PositionText(position) + " Unmatched column names/values");
    }
  }
  insert.if_not_exists = TakeWords({"if", "not", "exists"});
  RETURN_IF_ERROR(ParseUsing(insert.using_clause));
  return insert;
}

Result<Update> Parser::ParseUpdate() {
  Update update;
  RETURN_IF_ERROR(ExpectWord("update"));
  ASSIGN_OR_RETURN(update.table, ParseTableName());
  RETURN_IF_ERROR(ParseUsing(update.using_clause));
  RETURN_IF_ERROR(ExpectWord("set"));
  do {
    ASSIGN_OR_RETURN(Assignment assignment, ParseAssignment());
    update.assignments.push_back(std::move(assignment));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectWord("where"));
  RETURN_IF_ERROR(ParseWhere(update.where));
  ASSIGN_OR_RETURN(update.conditional, ParseConditions());
  return update;
}

Result<Assignment> Parser::ParseAssignment() {
  Assignment assignment;
  assignment.position = Peek().position;
  ASSIGN_OR_RETURN(assignment.column, ParseName("a column name"));
  if (TakeSymbol("[")) {
    assignment.kind = Assignment::Kind::kElement;
    ASSIGN_OR_RETURN(assignment.element, ParseTerm(0));
    RETURN_IF_ERROR(ExpectSymbol("]"));
  } else if (TakeSymbol(".")) {
    assignment.kind = Assignment::Kind::kField;
    ASSIGN_OR_RETURN(assignment.field, ParseName("a field name"));
  } else if (TakeSymbol("+=") || PeekSymbol("-=")) {
    assignment.kind = TakeSymbol("-=") ? Assignment::Kind::kSubtract : Assignment::Kind::kAdd;
    ASSIGN_OR_RETURN(assignment.value, ParseTerm(0));
    return assignment;
  }
  RETURN_IF_ERROR(ExpectSymbol("="));
  if (assignment.kind == Assignment::Kind::kSet && NameAhead() &&
      Peek().text == assignment.column && (PeekSymbol("+", 1) || PeekSymbol("-", 1))) {
    Next();
    assignment.kind = Next().text == "+" ? Assignment::Kind::kAdd : Assignment::Kind::kSubtract;
  }
  ASSIGN_OR_RETURN(assignment.value, ParseTerm(0));
  if (assignment.kind == Assignment::Kind::kSet && TakeSymbol("+")) {
    if (!NameAhead() || Peek().text != assignment.column) {
      return Mismatch("the assigned column");
    }
    Next();
    assignment.kind = Assignment::Kind::kPrepend;
  }
  return assignment;
}

Result<Delete> Parser::ParseDelete() {
  Delete deletion;
  RETURN_IF_ERROR(ExpectWord("delete"));
  while (!PeekWord("from")) {
    Delete::Target target;
    target.position = Peek().position;
    ASSIGN_OR_RETURN(target.column, ParseName("a column name or FROM"));
    if (TakeSymbol("[")) {
      ASSIGN_OR_RETURN(target.element, ParseTerm(0));
      RETURN_IF_ERROR(ExpectSymbol("]"));
    } else if (TakeSymbol(".")) {
      ASSIGN_OR_RETURN(target.field, ParseName("a field name"));
    }
    deletion.targets.push_back(std::move(target));
    if (!TakeSymbol(",")) {
      break;
    }
  }
  RETURN_IF_ERROR(ExpectWord("from"));
  ASSIGN_OR_RETURN(deletion.from, ParseTableName());
  RETURN_IF_ERROR(ParseUsing(deletion.using_clause));
  RETURN_IF_ERROR(ExpectWord("where"));
  RETURN_IF_ERROR(ParseWhere(deletion.where));
  ASSIGN_OR_RETURN(deletion.conditional, ParseConditions());
  return deletion;
}

Result<Batch> Parser::ParseBatch() {
  Batch batch;
  RETURN_IF_ERROR(ExpectWord("begin"));
  if (!TakeWord("unlogged")) {
    TakeWord("counter");
  }
  RETURN_IF_ERROR(ExpectWord("batch"));
  RETURN_IF_ERROR(ParseUsing(batch.using_clause));
  while (!TakeWord("apply")) {
    ASSIGN_OR_RETURN(Change change, ParseChange());
    batch.changes.push_back(std::move(change));
    TakeSymbol(";");
  }
  RETURN_IF_ERROR(ExpectWord("batch"));
  return batch;
}

}  // namespace orochi::sstable::cql::internal
