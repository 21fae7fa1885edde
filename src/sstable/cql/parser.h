#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/cql/syntax.h"

namespace orochi::sstable::cql {

/// How deep types and values may be nested; deeper ones are refused rather than recursed into.
inline constexpr int kNestingMax = 64;

/// All statements of a script, one after the other with semicolons between them.
/// kInvalidArgument begins with "line L:C" of the token that does not fit.
Result<std::vector<Statement>> ParseScript(std::string_view text);

/// Exactly one statement, with or without a semicolon.
Result<Statement> ParseStatement(std::string_view text);

/// A type by itself: "map<text, int>".
Result<TypeSyntax> ParseType(std::string_view text);

/// A value by itself: "{'a': 1}".
Result<Term> ParseTerm(std::string_view text);

}  // namespace orochi::sstable::cql
