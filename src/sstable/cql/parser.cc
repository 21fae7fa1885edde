#include "sstable/cql/parser.h"

#include "base/str_cat.h"
#include "sstable/cql/internal/parser.h"
#include "sstable/types/type.h"

namespace orochi::sstable::cql {

namespace internal {

const Token& Parser::Peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::Next() {
  const Token& token = Peek();
  at_ = std::min(at_ + 1, tokens_.size() - 1);
  return token;
}

bool Parser::PeekSymbol(std::string_view symbol, size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text == symbol;
}

bool Parser::PeekWord(std::string_view word, size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kWord && Peek(ahead).text == word;
}

bool Parser::TakeSymbol(std::string_view symbol) {
  if (!PeekSymbol(symbol)) {
    return false;
  }
  Next();
  return true;
}

bool Parser::TakeWord(std::string_view word) {
  if (!PeekWord(word)) {
    return false;
  }
  Next();
  return true;
}

bool Parser::TakeWords(std::initializer_list<std::string_view> words) {
  size_t ahead = 0;
  for (std::string_view const word : words) {
    if (!PeekWord(word, ahead++)) {
      return false;
    }
  }
  at_ += words.size();
  return true;
}

Status Parser::Mismatch(std::string_view expected) const {
  const Token& token = Peek();
  std::string_view const found =
      token.kind == TokenKind::kEnd
          ? "<EOF>"
          : text_.substr(
                token.position.offset_bytes,
                std::min<size_t>(token.end_offset_bytes - token.position.offset_bytes, 60));
  return Status::InvalidArgument(
      StrCat(PositionText(token.position), " mismatched input '", found, "' expecting ", expected));
}

Status Parser::ExpectSymbol(std::string_view symbol) {
  return TakeSymbol(symbol) ? Status::Ok() : Mismatch(StrCat("'", symbol, "'"));
}

Status Parser::ExpectWord(std::string_view word) {
  if (TakeWord(word)) {
    return Status::Ok();
  }
  std::string upper;
  for (char const c : word) {
    upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return Mismatch(upper);
}

Status Parser::ExpectWords(std::initializer_list<std::string_view> words) {
  for (std::string_view const word : words) {
    RETURN_IF_ERROR(ExpectWord(word));
  }
  return Status::Ok();
}

Status Parser::ExpectEnd() {
  return at_end() ? Status::Ok() : Mismatch("the end");
}

Status Parser::CheckDepth(int depth) const {
  if (depth > kNestingMax) {
    return Status::InvalidArgument(
        StrCat(PositionText(Peek().position), " nested deeper than ", kNestingMax, " levels"));
  }
  return Status::Ok();
}

bool Parser::NameAhead(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kWord && !IsReservedWord(token.text));
}

Result<std::string> Parser::ParseName(std::string_view expected) {
  if (!NameAhead()) {
    return Mismatch(expected);
  }
  return Next().text;
}

Result<std::vector<std::string>> Parser::ParseNamesInParentheses() {
  std::vector<std::string> names;
  RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    ASSIGN_OR_RETURN(std::string name, ParseName("a column name"));
    names.push_back(std::move(name));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectSymbol(")"));
  return names;
}

Result<TableName> Parser::ParseTableName() {
  TableName name;
  name.position = Peek().position;
  ASSIGN_OR_RETURN(name.table, ParseName("a name"));
  if (TakeSymbol(".")) {
    name.keyspace = std::move(name.table);
    ASSIGN_OR_RETURN(name.table, ParseName("a name"));
  }
  return name;
}

Result<Statement> Parser::ParseStatement() {
  if (PeekWord("select")) {
    return ParseSelect(/*explain=*/false);
  }
  if (TakeWord("explain")) {
    return ParseSelect(/*explain=*/true);
  }
  if (PeekWord("insert") || PeekWord("update") || PeekWord("delete") || PeekWord("begin")) {
    return ParseChangeStatement();
  }
  if (TakeWord("use")) {
    Use use;
    ASSIGN_OR_RETURN(use.keyspace, ParseName("a keyspace"));
    return Statement(std::move(use));
  }
  if (PeekWord("create")) {
    return ParseCreate();
  }
  if (PeekWord("alter")) {
    return ParseAlter();
  }
  for (std::string_view const word :
       {"drop", "truncate", "grant", "revoke", "list", "add", "describe", "desc"}) {
    if (PeekWord(word)) {
      return SkipStatement();
    }
  }
  return Mismatch("a statement");
}

// ---- types

Result<TypeSyntax> Parser::ParseType(int depth) {
  RETURN_IF_ERROR(CheckDepth(depth));
  TypeSyntax type;
  type.position = Peek().position;
  if (Peek().kind == TokenKind::kString) {
    type.custom = true;
    type.name = Next().text;
    return type;
  }
  if (PeekWord("set")) {  // a reserved word, but a type too
    type.name = Next().text;
  } else {
    ASSIGN_OR_RETURN(type.name, ParseName("a type"));
  }
  if (TakeSymbol(".")) {
    type.keyspace = std::move(type.name);
    ASSIGN_OR_RETURN(type.name, ParseName("a type"));
    return type;
  }
  if (!TakeSymbol("<")) {
    return type;
  }
  do {
    if (type.name == "vector" && type.parameters.size() == 1) {
      uint64_t dimension = 0;
      if (Peek().kind == TokenKind::kInteger && Peek().text.size() < 11) {
        dimension = std::stoull(Peek().text);
      }
      if (dimension == 0 || dimension > INT32_MAX) {
        return Mismatch("a dimension from 1 to 2147483647");
      }
      Next();
      type.dimension = static_cast<uint32_t>(dimension);
      break;
    }
    ASSIGN_OR_RETURN(TypeSyntax parameter, ParseType(depth + 1));
    type.parameters.push_back(std::move(parameter));
  } while (TakeSymbol(","));
  // ">=" after a type: list<int>=5 does not occur, so the lexer's reading of it is an error.
  RETURN_IF_ERROR(ExpectSymbol(">"));
  return type;
}

// ---- terms

Result<Term> Parser::ParseTerm(int depth) {
  RETURN_IF_ERROR(CheckDepth(depth));
  Term term;
  term.position = Peek().position;
  switch (Peek().kind) {
    case TokenKind::kString:
      term.kind = Term::Kind::kString;
      break;
    case TokenKind::kUuid:
      term.kind = Term::Kind::kUuid;
      break;
    case TokenKind::kHex:
      term.kind = Term::Kind::kHex;
      break;
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kDuration:
      return ParseNumber();
    case TokenKind::kSymbol:
      if (PeekSymbol("-")) {
        return ParseNumber();
      }
      if (PeekSymbol("{")) {
        return ParseBraces(depth);
      }
      if (PeekSymbol("(")) {
        return ParseParentheses(depth);
      }
      if (TakeSymbol("[")) {
        term.kind = Term::Kind::kList;
        RETURN_IF_ERROR(ParseTermList("]", depth, term.items));
        return term;
      }
      if (TakeSymbol("?")) {
        term.kind = Term::Kind::kMarker;
        return term;
      }
      if (TakeSymbol(":")) {
        term.kind = Term::Kind::kMarker;
        ASSIGN_OR_RETURN(term.text, ParseName("a name"));
        return term;
      }
      return Mismatch("a value");
    case TokenKind::kWord:
    case TokenKind::kQuotedName:
      return ParseWordTerm(depth);
    case TokenKind::kEnd:
      return Mismatch("a value");
  }
  term.text = Next().text;
  return term;
}

Result<Term> Parser::ParseNumber() {
  Term term;
  term.position = Peek().position;
  bool const negative = TakeSymbol("-");
  if (Peek().kind == TokenKind::kInteger) {
    term.kind = Term::Kind::kInteger;
  } else if (Peek().kind == TokenKind::kFloat || PeekWord("infinity") || PeekWord("nan")) {
    term.kind = Term::Kind::kFloat;
  } else if (Peek().kind == TokenKind::kDuration) {
    term.kind = Term::Kind::kDuration;
  } else {
    return Mismatch("a number");
  }
  term.text = StrCat(negative ? "-" : "", PeekWord("infinity") ? "Infinity"
                                          : PeekWord("nan")    ? "NaN"
                                                               : Peek().text);
  Next();
  return term;
}

Status Parser::ParseTermList(std::string_view end, int depth, std::vector<Term>& items) {
  if (TakeSymbol(end)) {
    return Status::Ok();
  }
  do {
    ASSIGN_OR_RETURN(Term item, ParseTerm(depth + 1));
    items.push_back(std::move(item));
  } while (TakeSymbol(","));
  return ExpectSymbol(end);
}

Result<Term> Parser::ParseBraces(int depth) {
  Term term;
  term.position = Next().position;
  term.kind = Term::Kind::kSet;
  if (TakeSymbol("}")) {
    return term;
  }
  bool const constant_ahead = PeekWord("true") || PeekWord("false");  // {true: 1} is a map
  if (NameAhead() && !constant_ahead && PeekSymbol(":", 1)) {
    term.kind = Term::Kind::kUserType;
    do {
      ASSIGN_OR_RETURN(std::string name, ParseName("a field name"));
      RETURN_IF_ERROR(ExpectSymbol(":"));
      ASSIGN_OR_RETURN(Term value, ParseTerm(depth + 1));
      term.names.push_back(std::move(name));
      term.items.push_back(std::move(value));
    } while (TakeSymbol(","));
    RETURN_IF_ERROR(ExpectSymbol("}"));
    return term;
  }
  ASSIGN_OR_RETURN(Term first, ParseTerm(depth + 1));
  term.items.push_back(std::move(first));
  if (!PeekSymbol(":")) {
    if (TakeSymbol(",")) {
      RETURN_IF_ERROR(ParseTermList("}", depth, term.items));
      return term;
    }
    RETURN_IF_ERROR(ExpectSymbol("}"));
    return term;
  }
  term.kind = Term::Kind::kMap;
  while (true) {
    RETURN_IF_ERROR(ExpectSymbol(":"));
    ASSIGN_OR_RETURN(Term value, ParseTerm(depth + 1));
    term.items.push_back(std::move(value));
    if (!TakeSymbol(",")) {
      break;
    }
    ASSIGN_OR_RETURN(Term key, ParseTerm(depth + 1));
    term.items.push_back(std::move(key));
  }
  RETURN_IF_ERROR(ExpectSymbol("}"));
  return term;
}

/// True for "(int)" and the like before a value.
bool Parser::CastAhead() const {
  static constexpr std::string_view kTypes[] = {
      "ascii", "bigint",   "blob",   "boolean",  "date",  "decimal",   "double",
      "float", "duration", "inet",   "int",      "text",  "smallint",  "time",
      "uuid",  "tinyint",  "varint", "timeuuid", "list",  "timestamp", "varchar",
      "map",   "set",      "tuple",  "frozen",   "vector"};
  if (Peek(1).kind != TokenKind::kWord || !(PeekSymbol(")", 2) || PeekSymbol("<", 2))) {
    return false;
  }
  for (std::string_view const type : kTypes) {
    if (Peek(1).text == type) {
      return true;
    }
  }
  return false;
}

Result<Term> Parser::ParseParentheses(int depth) {
  Term term;
  term.position = Peek().position;
  if (CastAhead()) {
    Next();
    term.kind = Term::Kind::kCast;
    ASSIGN_OR_RETURN(TypeSyntax type, ParseType(depth + 1));
    term.cast_type.push_back(std::move(type));
    RETURN_IF_ERROR(ExpectSymbol(")"));
    ASSIGN_OR_RETURN(Term value, ParseTerm(depth + 1));
    term.items.push_back(std::move(value));
    return term;
  }
  Next();
  term.kind = Term::Kind::kTuple;
  RETURN_IF_ERROR(ParseTermList(")", depth, term.items));
  return term;
}

Result<Term> Parser::ParseWordTerm(int depth) {
  Term term;
  term.position = Peek().position;
  if (TakeWord("null")) {
    return term;
  }
  if (PeekWord("infinity") || PeekWord("nan")) {
    return ParseNumber();
  }
  if ((PeekWord("true") || PeekWord("false")) && !PeekSymbol("(", 1)) {
    term.kind = Term::Kind::kBoolean;
    term.text = Next().text;
    return term;
  }
  bool const token_function = PeekWord("token");  // reserved, but a function too
  if (!(NameAhead() || token_function) || !PeekSymbol("(", 1)) {
    return Mismatch("a value");
  }
  term.kind = Term::Kind::kFunction;
  term.text = Next().text;
  Next();
  RETURN_IF_ERROR(ParseTermList(")", depth, term.items));
  return term;
}

}  // namespace internal

namespace {

Result<internal::Parser> MakeParser(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text));
  return internal::Parser(text, std::move(tokens));
}

}  // namespace

Result<std::vector<Statement>> ParseScript(std::string_view text) {
  ASSIGN_OR_RETURN(internal::Parser parser, MakeParser(text));
  std::vector<Statement> statements;
  while (true) {
    while (parser.TakeSymbol(";")) {
    }
    if (parser.at_end()) {
      return statements;
    }
    ASSIGN_OR_RETURN(Statement statement, parser.ParseStatement());
    statements.push_back(std::move(statement));
    if (!parser.TakeSymbol(";")) {
      RETURN_IF_ERROR(parser.ExpectEnd());
    }
  }
}

Result<Statement> ParseStatement(std::string_view text) {
  ASSIGN_OR_RETURN(internal::Parser parser, MakeParser(text));
  ASSIGN_OR_RETURN(Statement statement, parser.ParseStatement());
  while (parser.TakeSymbol(";")) {
  }
  RETURN_IF_ERROR(parser.ExpectEnd());
  return statement;
}

Result<TypeSyntax> ParseType(std::string_view text) {
  ASSIGN_OR_RETURN(internal::Parser parser, MakeParser(text));
  ASSIGN_OR_RETURN(TypeSyntax type, parser.ParseType(0));
  RETURN_IF_ERROR(parser.ExpectEnd());
  return type;
}

Result<Term> ParseTerm(std::string_view text) {
  ASSIGN_OR_RETURN(internal::Parser parser, MakeParser(text));
  ASSIGN_OR_RETURN(Term term, parser.ParseTerm(0));
  RETURN_IF_ERROR(parser.ExpectEnd());
  return term;
}

}  // namespace orochi::sstable::cql
