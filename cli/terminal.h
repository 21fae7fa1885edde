#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "base/status.h"

namespace orochi::cli {

enum class Ink { kPlain, kBold, kDim, kGreen, kYellow, kRed, kCyan };

/// What a standard stream can show.
///
/// Colour only on a terminal, and not when NO_COLOR is set or TERM is "dumb"; line drawing only
/// where the locale's encoding is UTF-8. Every output reads the same without either.
class Terminal {
 public:
  /// Looks at `stream`, stdout or stderr, as it is now: a window can change its size.
  static Terminal Detect(FILE* stream);
  /// For tests: a plain, non-interactive page of this width, on stdout.
  static Terminal Plain(int width) { return Terminal(stdout, false, false, false, width); }

  bool interactive() const { return interactive_; }
  bool unicode() const { return unicode_; }
  int width() const { return width_; }

  std::string Paint(Ink ink, std::string_view text) const;
  /// `fancy` where the encoding can show it.
  std::string_view Choose(std::string_view fancy, std::string_view plain) const {
    return unicode_ ? fancy : plain;
  }
  /// A heading with a rule under it, and a blank line before.
  void Heading(std::string_view title) const;
  void Line(std::string_view text) const;

 private:
  Terminal(FILE* stream, bool interactive, bool colour, bool unicode, int width)
      : stream_(stream),
        interactive_(interactive),
        colour_(colour),
        unicode_(unicode),
        width_(width) {}

  FILE* stream_;
  bool interactive_;
  bool colour_;
  bool unicode_;
  int width_;
};

/// Columns that `text`, in UTF-8, takes on a terminal: one per code point.
int DisplayWidth(std::string_view text);

/// `text` cut to `width` columns, the cut shown by an ellipsis.
std::string Shorten(std::string_view text, int width, bool unicode);

/// Reports an error on stderr: the message, then detail and hint on indented lines.
void PrintError(const Status& status);

}  // namespace orochi::cli
