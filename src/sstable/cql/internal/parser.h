#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sstable/cql/syntax.h"

namespace orochi::sstable::cql::internal {

/// A recursive-descent parser over the tokens of a script. Its functions begin at the next token
/// and leave it behind what they read; `depth` bounds recursion.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  bool at_end() const { return Peek().kind == TokenKind::kEnd; }
  bool TakeSymbol(std::string_view symbol);
  Status ExpectEnd();

  Result<Statement> ParseStatement();
  Result<TypeSyntax> ParseType(int depth);
  Result<Term> ParseTerm(int depth);

 private:
  // Tokens.
  const Token& Peek(size_t ahead = 0) const;
  const Token& Next();
  bool PeekSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool PeekWord(std::string_view word, size_t ahead = 0) const;
  bool TakeWord(std::string_view word);
  /// Takes all of the words or none.
  bool TakeWords(std::initializer_list<std::string_view> words);
  Status ExpectSymbol(std::string_view symbol);
  Status ExpectWord(std::string_view word);
  Status ExpectWords(std::initializer_list<std::string_view> words);
  Status Mismatch(std::string_view expected) const;
  Status CheckDepth(int depth) const;
  bool NameAhead(size_t ahead = 0) const;
  Result<std::string> ParseName(std::string_view expected);
  Result<std::vector<std::string>> ParseNamesInParentheses();
  Result<TableName> ParseTableName();

  // Terms.
  Result<Term> ParseNumber();
  Result<Term> ParseBraces(int depth);
  Result<Term> ParseParentheses(int depth);
  Result<Term> ParseWordTerm(int depth);
  Status ParseTermList(std::string_view end, int depth, std::vector<Term>& items);
  bool CastAhead() const;

  // Schema.
  Result<Statement> ParseCreate();
  Result<Statement> ParseAlter();
  Result<Statement> ParseCreateType();
  Result<Statement> ParseCreateTable();
  Status ParseTableItem(CreateTable& table);
  Status ParsePrimaryKey(CreateTable& table);
  Status ParseTableOptions(CreateTable& table);
  Status ParseClusteringOrder(CreateTable& table);
  Result<TableOption> ParseOption();
  Result<ColumnDefinition> ParseColumnDefinition();
  Status ParseMask();
  Result<Statement> ParseAlterTable();
  Status ParseAlterDrop(AlterTable& alter);
  Result<Statement> ParseAlterType();
  Result<std::vector<std::pair<std::string, std::string>>> ParseRenames();
  Result<Statement> SkipStatement();

  // Queries.
  Result<Statement> ParseSelect(bool explain);
  Status ParseSelectors(Select& select);
  Result<Selector> ParseSelector(int depth);
  Result<Selector> ParseProduct(int depth);
  Result<Selector> ParseOperand(int depth);
  Result<Selector> ParseSelectorStart(int depth);
  Result<Selector> ParseSelectorFunction(int depth);
  Status ParseSubscript(Selector& selector, int depth);
  Status ParseOrderBy(Select& select);
  Status ParseSelectEnd(Select& select);
  Status ParseWhere(std::vector<Relation>& where);
  Status ParseRelation(std::vector<Relation>& where, int depth);
  Result<Relation> ParseColumnRelation();
  Status ParseInValues(Relation& relation);
  Result<Operator> ParseOperator();

  // Changes.
  Result<Statement> ParseChangeStatement();
  Result<Change> ParseChange();
  Result<Insert> ParseInsert();
  Result<Update> ParseUpdate();
  Result<Assignment> ParseAssignment();
  Result<Delete> ParseDelete();
  Result<Batch> ParseBatch();
  Status ParseUsing(UsingClause& clause);
  Result<bool> ParseConditions();

  std::string_view text_;
  std::vector<Token> tokens_;  // the last is kEnd
  size_t at_ = 0;
};

}  // namespace orochi::sstable::cql::internal
