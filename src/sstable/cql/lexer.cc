#include "sstable/cql/lexer.h"

#include <algorithm>
#include <array>

#include "base/str_cat.h"

namespace orochi::sstable::cql {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsWordChar(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_';
}
char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    do {
      RETURN_IF_ERROR(SkipBlanksAndComments());
      ASSIGN_OR_RETURN(Token token, Next());
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != TokenKind::kEnd);
    return tokens;
  }

 private:
  char At(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool StartsWith(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  void Advance(size_t count) {
    for (size_t index = 0; index < count && at_ < text_.size(); ++index, ++at_) {
      if (text_[at_] == '\n') {
        ++position_.line;
        position_.column = 0;
      } else {
        ++position_.column;
      }
    }
    position_.offset_bytes = static_cast<uint32_t>(at_);
  }

  Status Unfinished(Position begin, std::string_view what) const {
    return Status::InvalidArgument(StrCat(PositionText(begin), " ", what, " without its end"));
  }

  Status SkipBlanksAndComments() {
    while (at_ < text_.size()) {
      char const c = At();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        Advance(1);
      } else if (StartsWith("--") || StartsWith("//")) {
        size_t const end = text_.find('\n', at_);
        Advance((end == std::string_view::npos ? text_.size() : end) - at_);
      } else if (StartsWith("/*")) {
        Position const begin = position_;
        size_t const end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          return Unfinished(begin, "comment");
        }
        Advance(end + 2 - at_);
      } else {
        break;
      }
    }
    return Status::Ok();
  }

  Token Take(TokenKind kind, size_t size, std::string text) {
    Token token{.kind = kind, .text = std::move(text), .position = position_};
    Advance(size);
    token.end_offset_bytes = position_.offset_bytes;
    return token;
  }
  Token TakeAsIs(TokenKind kind, size_t size) {
    return Take(kind, size, std::string(text_.substr(at_, size)));
  }

  Result<Token> Next() {
    if (at_ >= text_.size()) {
      return Take(TokenKind::kEnd, 0, "");
    }
    char const c = At();
    if (c == '\'' || c == '"') {
      return Quoted(c);
    }
    if (StartsWith("$$")) {
      size_t const end = text_.find("$$", at_ + 2);
      if (end == std::string_view::npos) {
        return Unfinished(position_, "string");
      }
      return Take(TokenKind::kString, end + 2 - at_,
                  std::string(text_.substr(at_ + 2, end - at_ - 2)));
    }
    if (IsHexDigit(c) && UuidAhead()) {
      return TakeAsIs(TokenKind::kUuid, 36);
    }
    if (c == '0' && (At(1) == 'x' || At(1) == 'X')) {
      size_t size = 2;
      while (IsHexDigit(At(size))) {
        ++size;
      }
      return Take(TokenKind::kHex, size, std::string(text_.substr(at_ + 2, size - 2)));
    }
    if (IsDigit(c)) {
      return NumberOrDuration();
    }
    if (IsLetter(c)) {
      return Word();
    }
    return Symbol();
  }

  Result<Token> Quoted(char quote) {
    std::string value;
    size_t at = at_ + 1;
    while (at < text_.size()) {
      if (text_[at] == quote) {
        if (at + 1 >= text_.size() || text_[at + 1] != quote) {
          return Take(quote == '"' ? TokenKind::kQuotedName : TokenKind::kString, at + 1 - at_,
                      std::move(value));
        }
        ++at;
      }
      value += text_[at++];
    }
    return Unfinished(position_, quote == '"' ? "quoted name" : "string");
  }

  bool UuidAhead() const {
    constexpr size_t kSize = 36;
    for (size_t index = 0; index < kSize; ++index) {
      bool const dash = index == 8 || index == 13 || index == 18 || index == 23;
      if (dash ? At(index) != '-' : !IsHexDigit(At(index))) {
        return false;
      }
    }
    return !IsWordChar(At(kSize));
  }

  Result<Token> NumberOrDuration() {
    size_t size = 0;
    while (IsDigit(At(size))) {
      ++size;
    }
    if (IsLetter(At(size)) && DurationAhead()) {
      return TakeAsIs(TokenKind::kDuration, WordSize());
    }
    TokenKind kind = TokenKind::kInteger;
    if (At(size) == '.' && IsDigit(At(size + 1))) {
      kind = TokenKind::kFloat;
      for (++size; IsDigit(At(size)); ++size) {
      }
    }
    size_t exponent = size + 1;
    if (At(size) == 'e' || At(size) == 'E') {
      exponent += At(exponent) == '+' || At(exponent) == '-' ? 1 : 0;
      if (IsDigit(At(exponent))) {
        kind = TokenKind::kFloat;
        for (size = exponent; IsDigit(At(size)); ++size) {
        }
      }
    }
    if (IsWordChar(At(size))) {
      return Status::InvalidArgument(StrCat(PositionText(position_),
                                            " no viable alternative at input '",
                                            text_.substr(at_, size + 1), "'"));
    }
    return TakeAsIs(kind, size);
  }

  size_t WordSize() const {
    size_t size = 0;
    // The micro sign of "µs" in UTF-8.
    while (IsWordChar(At(size)) || At(size) == '\xC2' || At(size) == '\xB5') {
      ++size;
    }
    return size;
  }

  /// Numbers with units: 1y2mo3w4d5h6m7s8ms9us10ns.
  bool DurationAhead() const {
    std::string word;
    for (char const c : text_.substr(at_, WordSize())) {
      word += ToLower(c);
    }
    constexpr std::array<std::string_view, 11> kUnits = {"mo", "ms", "us", "\xC2\xB5s", "ns", "y",
                                                         "w",  "d",  "h",  "m",         "s"};
    std::string_view rest = word;
    while (!rest.empty()) {
      size_t const digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
      rest.remove_prefix(digits);
      auto const unit = std::find_if(kUnits.begin(), kUnits.end(),
                                     [&](std::string_view name) { return rest.starts_with(name); });
      if (digits == 0 || unit == kUnits.end()) {
        return false;
      }
      rest.remove_prefix(unit->size());
    }
    return true;
  }

  Result<Token> Word() {
    size_t size = 0;
    std::string text;
    while (IsWordChar(At(size))) {
      text += ToLower(At(size++));
    }
    // P1Y2M3DT4H5M6S; a name may begin with p and a digit too, but has no uppercase P by habit.
    if (At() == 'P' && size > 1 && IsIsoDuration(text_.substr(at_, size))) {
      return TakeAsIs(TokenKind::kDuration, size);
    }
    return Take(TokenKind::kWord, size, std::move(text));
  }

  static bool IsIsoDuration(std::string_view word) {
    bool digits = false;
    bool any = false;
    for (char const c : word.substr(1)) {
      if (IsDigit(c)) {
        digits = true;
      } else if (c == 'T' && !digits) {
        continue;
      } else if (std::string_view("YMWDHS").find(c) != std::string_view::npos && digits) {
        digits = false;
        any = true;
      } else {
        return false;
      }
    }
    return any && !digits;
  }

  Result<Token> Symbol() {
    for (std::string_view const two : {"<=", ">=", "!=", "+=", "-="}) {
      if (StartsWith(two)) {
        return TakeAsIs(TokenKind::kSymbol, 2);
      }
    }
    if (std::string_view("()[]{},;:.=<>+-*/%?").find(At()) != std::string_view::npos) {
      return TakeAsIs(TokenKind::kSymbol, 1);
    }
    return Status::InvalidArgument(
        StrCat(PositionText(position_), " no viable alternative at character '", At(), "'"));
  }

  std::string_view text_;
  size_t at_ = 0;
  Position position_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) {
  constexpr size_t kSizeBytesMax = size_t{1} << 30;
  if (text.size() > kSizeBytesMax) {
    return Status::InvalidArgument(
        StrCat("CQL text of ", text.size(), " bytes, at most ", kSizeBytesMax, " are possible"));
  }
  return Lexer(text).Run();
}

std::string PositionText(Position position) {
  return StrCat("line ", position.line, ":", position.column);
}

}  // namespace orochi::sstable::cql
