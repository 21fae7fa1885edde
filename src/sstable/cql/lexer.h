#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orochi::sstable::cql {

/// Where something stands in CQL text: lines from 1, characters of a line from 0, as Cassandra's
/// messages count them.
struct Position {
  uint32_t offset_bytes = 0;
  uint32_t line = 1;
  uint32_t column = 0;
};

enum class TokenKind : uint8_t {
  kEnd,
  kWord,        // a keyword or name, in lower case
  kQuotedName,  // "Name", unquoted
  kString,      // 'it''s' or $$it's$$, unquoted
  kInteger,     // digits only; a sign is a token of its own
  kFloat,
  kUuid,
  kHex,       // 0x..; the text is the digits after 0x
  kDuration,  // 1y2mo or P1Y2M, as written
  kSymbol,    // ( ) [ ] { } , ; : . = < > <= >= != + - * / % ? += -=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  Position position;
  uint32_t end_offset_bytes = 0;
};

/// Cuts CQL text into tokens; the last is kEnd. Comments (--, //, /* */) are skipped.
/// kInvalidArgument names the position of what is no token.
Result<std::vector<Token>> Tokenize(std::string_view text);

/// "line 2:14", the way all messages about CQL text begin.
std::string PositionText(Position position);

}  // namespace orochi::sstable::cql
