// SELECT, and the WHERE clauses of all statements.
#include "base/str_cat.h"
#include "sstable/cql/internal/parser.h"
#include "sstable/cql/parser.h"

namespace orochi::sstable::cql::internal {

Result<Statement> Parser::ParseSelect(bool explain) {
  Select select;
  select.explain = explain;
  RETURN_IF_ERROR(ExpectWord("select"));
  // "json" and "distinct" may be columns: a keyword is followed by what begins a selector.
  auto const selector_follows = [&] {
    return !PeekSymbol(",", 1) && !PeekWord("from", 1) && !PeekSymbol("(", 1) &&
           !PeekWord("as", 1) && !PeekSymbol(".", 1) && !PeekSymbol("[", 1);
  };
  if (PeekWord("json") && selector_follows()) {
    Next();
    select.json = true;
  }
  if (PeekWord("distinct") && selector_follows()) {
    Next();
    select.distinct = true;
  }
  RETURN_IF_ERROR(ParseSelectors(select));
  RETURN_IF_ERROR(ExpectWord("from"));
  ASSIGN_OR_RETURN(select.from, ParseTableName());
  if (TakeWord("where")) {
    RETURN_IF_ERROR(ParseWhere(select.where));
  }
  RETURN_IF_ERROR(ParseSelectEnd(select));
  return Statement(std::move(select));
}

Status Parser::ParseSelectors(Select& select) {
  if (TakeSymbol("*")) {
    select.wildcard = true;
    return Status::Ok();
  }
  do {
    size_t const begin = Peek().position.offset_bytes;
    ASSIGN_OR_RETURN(Selector selector, ParseSelector(0));
    size_t const end = tokens_[at_ - 1].end_offset_bytes;
    selector.text = std::string(text_.substr(begin, end - begin));
    if (TakeWord("as")) {
      ASSIGN_OR_RETURN(selector.alias, ParseName("an alias"));
    }
    select.selectors.push_back(std::move(selector));
  } while (TakeSymbol(","));
  return Status::Ok();
}

namespace {

Selector Operation(std::string name, Position position, Selector left, Selector right) {
  Selector operation;
  operation.kind = Selector::Kind::kOperator;
  operation.name = std::move(name);
  operation.position = position;
  operation.arguments.push_back(std::move(left));
  operation.arguments.push_back(std::move(right));
  return operation;
}

}  // namespace

/// a + b - c: from the left.
Result<Selector> Parser::ParseSelector(int depth) {
  ASSIGN_OR_RETURN(Selector selector, ParseProduct(depth));
  for (int steps = 0; PeekSymbol("+") || PeekSymbol("-"); ++steps) {
    RETURN_IF_ERROR(CheckDepth(steps));
    Token const op = Next();
    ASSIGN_OR_RETURN(Selector right, ParseProduct(depth + 1));
    selector = Operation(op.text, op.position, std::move(selector), std::move(right));
  }
  return selector;
}

Result<Selector> Parser::ParseProduct(int depth) {
  ASSIGN_OR_RETURN(Selector selector, ParseOperand(depth));
  for (int steps = 0; PeekSymbol("*") || PeekSymbol("/") || PeekSymbol("%"); ++steps) {
    RETURN_IF_ERROR(CheckDepth(steps));
    Token const op = Next();
    ASSIGN_OR_RETURN(Selector right, ParseOperand(depth + 1));
    selector = Operation(op.text, op.position, std::move(selector), std::move(right));
  }
  return selector;
}

Result<Selector> Parser::ParseOperand(int depth) {
  RETURN_IF_ERROR(CheckDepth(depth));
  size_t const begin = Peek().position.offset_bytes;
  bool const is_number = Peek(1).kind == TokenKind::kInteger || Peek(1).kind == TokenKind::kFloat ||
                         Peek(1).kind == TokenKind::kDuration;
  if (PeekSymbol("-") && !is_number) {
    Selector negation;
    negation.kind = Selector::Kind::kNegate;
    negation.position = Next().position;
    ASSIGN_OR_RETURN(Selector operand, ParseOperand(depth + 1));
    negation.arguments.push_back(std::move(operand));
    return negation;
  }
  ASSIGN_OR_RETURN(Selector selector, ParseSelectorStart(depth));
  for (int steps = 0; PeekSymbol(".") || PeekSymbol("["); ++steps) {
    RETURN_IF_ERROR(CheckDepth(steps));
    if (PeekSymbol("[")) {
      RETURN_IF_ERROR(ParseSubscript(selector, depth));
      continue;
    }
    Selector field;
    field.kind = Selector::Kind::kField;
    field.position = Next().position;
    ASSIGN_OR_RETURN(field.name, ParseName("a field name"));
    field.arguments.push_back(std::move(selector));
    selector = std::move(field);
  }
  size_t const end = tokens_[at_ - 1].end_offset_bytes;
  selector.text = std::string(text_.substr(begin, end - begin));
  return selector;
}

/// selector[term], selector[from..to] with either left out.
Status Parser::ParseSubscript(Selector& selector, int depth) {
  Selector element;
  element.position = Next().position;
  auto const range_ahead = [&] { return PeekSymbol(".") && PeekSymbol(".", 1); };
  Term open;
  open.kind = Term::Kind::kNull;
  if (!range_ahead()) {
    ASSIGN_OR_RETURN(open, ParseTerm(depth + 1));
  }
  element.terms.push_back(std::move(open));
  element.kind = Selector::Kind::kElement;
  if (range_ahead()) {
    Next();
    Next();
    element.kind = Selector::Kind::kSlice;
    Term to;
    if (!PeekSymbol("]")) {
      ASSIGN_OR_RETURN(to, ParseTerm(depth + 1));
    }
    element.terms.push_back(std::move(to));
  }
  RETURN_IF_ERROR(ExpectSymbol("]"));
  element.arguments.push_back(std::move(selector));
  selector = std::move(element);
  return Status::Ok();
}

Result<Selector> Parser::ParseSelectorStart(int depth) {
  Selector selector;
  selector.position = Peek().position;
  if (PeekWord("cast") && PeekSymbol("(", 1)) {
    Next();
    Next();
    selector.kind = Selector::Kind::kCast;
    ASSIGN_OR_RETURN(Selector argument, ParseSelector(depth + 1));
    selector.arguments.push_back(std::move(argument));
    RETURN_IF_ERROR(ExpectWord("as"));
    ASSIGN_OR_RETURN(TypeSyntax type, ParseType(depth + 1));
    selector.cast_type.push_back(std::move(type));
    RETURN_IF_ERROR(ExpectSymbol(")"));
    return selector;
  }
  if ((NameAhead() || PeekWord("token")) && PeekSymbol("(", 1)) {
    return ParseSelectorFunction(depth);
  }
  if (NameAhead() && PeekSymbol(".", 1) && NameAhead(2) && PeekSymbol("(", 3)) {
    Next();  // the keyspace of a function
    Next();
    return ParseSelectorFunction(depth);
  }
  if (NameAhead() && !PeekWord("true") && !PeekWord("false")) {
    selector.name = Next().text;
    return selector;
  }
  if (PeekSymbol("(") && !CastAhead()) {  // a sum in parentheses
    size_t const here = at_;
    Next();
    Result<Selector> inner = ParseSelector(depth + 1);
    if (inner.ok() && TakeSymbol(")")) {
      ++inner->parentheses;
      return inner;
    }
    at_ = here;  // a tuple
  }
  if (at_end() || PeekWord("from") || PeekSymbol("*")) {
    return Mismatch("a column or function");
  }
  selector.kind = Selector::Kind::kTerm;
  ASSIGN_OR_RETURN(Term term, ParseTerm(depth + 1));
  selector.terms.push_back(std::move(term));
  return selector;
}

Result<Selector> Parser::ParseSelectorFunction(int depth) {
  Selector selector;
  selector.kind = Selector::Kind::kFunction;
  selector.position = Peek().position;
  selector.name = Next().text;
  Next();
  bool const count_all =
      selector.name == "count" && PeekSymbol(")", 1) &&
      (PeekSymbol("*") || (Peek().kind == TokenKind::kInteger && Peek().text == "1"));
  if (count_all) {
    Next();
    Next();
    selector.name = "countrows";
    return selector;
  }
  if (TakeSymbol(")")) {
    return selector;
  }
  do {
    ASSIGN_OR_RETURN(Selector argument, ParseSelector(depth + 1));
    selector.arguments.push_back(std::move(argument));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectSymbol(")"));
  return selector;
}

Status Parser::ParseSelectEnd(Select& select) {
  if (TakeWord("group")) {
    RETURN_IF_ERROR(ExpectWord("by"));
    do {
      ASSIGN_OR_RETURN(Selector selector, ParseSelector(0));
      select.group_by.push_back(std::move(selector));
    } while (TakeSymbol(","));
  }
  if (PeekWord("order")) {
    RETURN_IF_ERROR(ParseOrderBy(select));
  }
  if (TakeWord("per")) {
    RETURN_IF_ERROR(ExpectWords({"partition", "limit"}));
    ASSIGN_OR_RETURN(select.per_partition_limit, ParseTerm(0));
  }
  if (TakeWord("limit")) {
    ASSIGN_OR_RETURN(select.limit, ParseTerm(0));
  }
  if (TakeWord("allow")) {
    RETURN_IF_ERROR(ExpectWord("filtering"));
    select.allow_filtering = true;
  }
  return Status::Ok();
}

Status Parser::ParseOrderBy(Select& select) {
  RETURN_IF_ERROR(ExpectWords({"order", "by"}));
  do {
    OrderBy order;
    order.position = Peek().position;
    ASSIGN_OR_RETURN(order.column, ParseName("a column name"));
    order.descending = TakeWord("desc");
    if (!order.descending) {
      TakeWord("asc");
    }
    select.order_by.push_back(std::move(order));
  } while (TakeSymbol(","));
  return Status::Ok();
}

// ---- WHERE

Status Parser::ParseWhere(std::vector<Relation>& where) {
  do {
    RETURN_IF_ERROR(ParseRelation(where, 0));
  } while (TakeWord("and"));
  return Status::Ok();
}

Result<Operator> Parser::ParseOperator() {
  struct Symbol {
    std::string_view text;
    Operator op;
  };
  for (const Symbol& symbol : std::initializer_list<Symbol>{{"=", Operator::kEqual},
                                                            {"!=", Operator::kNotEqual},
                                                            {"<", Operator::kLess},
                                                            {"<=", Operator::kLessEqual},
                                                            {">", Operator::kGreater},
                                                            {">=", Operator::kGreaterEqual}}) {
    if (TakeSymbol(symbol.text)) {
      return symbol.op;
    }
  }
  return Mismatch("an operator");
}

Status Parser::ParseRelation(std::vector<Relation>& where, int depth) {
  RETURN_IF_ERROR(CheckDepth(depth));
  Relation relation;
  relation.position = Peek().position;
  if (PeekWord("token") && PeekSymbol("(", 1)) {
    Next();
    relation.is_token = true;
    ASSIGN_OR_RETURN(relation.columns, ParseNamesInParentheses());
    ASSIGN_OR_RETURN(relation.op, ParseOperator());
    ASSIGN_OR_RETURN(Term value, ParseTerm(0));
    relation.values.push_back(std::move(value));
    where.push_back(std::move(relation));
    return Status::Ok();
  }
  if (!PeekSymbol("(")) {
    ASSIGN_OR_RETURN(relation, ParseColumnRelation());
    where.push_back(std::move(relation));
    return Status::Ok();
  }
  bool const is_tuple = NameAhead(1) && (PeekSymbol(",", 2) || PeekSymbol(")", 2));
  if (!is_tuple) {  // a relation in parentheses
    Next();
    do {
      RETURN_IF_ERROR(ParseRelation(where, depth + 1));
    } while (TakeWord("and"));
    return ExpectSymbol(")");
  }
  relation.is_tuple = true;
  ASSIGN_OR_RETURN(relation.columns, ParseNamesInParentheses());
  if (TakeWord("in")) {
    RETURN_IF_ERROR(ParseInValues(relation));
  } else {
    ASSIGN_OR_RETURN(relation.op, ParseOperator());
    ASSIGN_OR_RETURN(Term value, ParseTerm(0));
    relation.values.push_back(std::move(value));
  }
  where.push_back(std::move(relation));
  return Status::Ok();
}

Status Parser::ParseInValues(Relation& relation) {
  relation.op = Operator::kIn;
  RETURN_IF_ERROR(ExpectSymbol("("));
  return ParseTermList(")", 0, relation.values);
}

Result<Relation> Parser::ParseColumnRelation() {
  Relation relation;
  relation.position = Peek().position;
  ASSIGN_OR_RETURN(std::string column, ParseName("a column name"));
  relation.columns.push_back(std::move(column));
  if (TakeSymbol("[")) {
    ASSIGN_OR_RETURN(relation.element, ParseTerm(0));
    RETURN_IF_ERROR(ExpectSymbol("]"));
  }
  if (TakeWord("in")) {
    RETURN_IF_ERROR(ParseInValues(relation));
    return relation;
  }
  if (TakeWord("is")) {
    RETURN_IF_ERROR(ExpectWords({"not", "null"}));
    relation.op = Operator::kIsNotNull;
    return relation;
  }
  if (TakeWord("contains")) {
    relation.op = TakeWord("key") ? Operator::kContainsKey : Operator::kContains;
  } else if (TakeWord("like")) {
    relation.op = Operator::kLike;
  } else {
    ASSIGN_OR_RETURN(relation.op, ParseOperator());
  }
  ASSIGN_OR_RETURN(Term value, ParseTerm(0));
  relation.values.push_back(std::move(value));
  return relation;
}

}  // namespace orochi::sstable::cql::internal
