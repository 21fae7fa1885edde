#include "cli/terminal.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

constexpr int kWidthDefault = 80;
constexpr int kWidthMin = 20;
constexpr int kWidthMax = 120;  // longer lines are hard to read however wide the window is

bool IsContinuationByte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

const char* Code(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kDim:
      return "\x1b[2m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kRed:
      return "\x1b[31m";
    case Ink::kCyan:
      return "\x1b[36m";
  }
  return "";
}

bool WantsColour(int fd) {
  const char* no_color = getenv("NO_COLOR");
  const char* term = getenv("TERM");
  return isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         strcmp(term, "dumb") != 0;
}

/// The lines of `text`, each after `first` or, from the second on, as many spaces.
void PrintIndented(std::string_view first, std::string_view text) {
  std::string const rest_indent(first.size(), ' ');
  std::string_view indent = first;
  while (!text.empty()) {
    size_t const end = text.find('\n');
    std::string_view const line = text.substr(0, end);
    fprintf(stderr, "%.*s%.*s\n", static_cast<int>(indent.size()), indent.data(),
            static_cast<int>(line.size()), line.data());
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    indent = rest_indent;
  }
}

}  // namespace

Terminal Terminal::Detect(FILE* stream) {
  int const fd = fileno(stream);
  bool const interactive = isatty(fd) != 0;
  int width = 0;
  winsize size = {};
  if (interactive && ioctl(fd, TIOCGWINSZ, &size) == 0) {
    width = size.ws_col;
  }
  const char* columns = getenv("COLUMNS");
  if (width <= 0 && columns != nullptr) {
    width = atoi(columns);
  }
  width = width <= 0 ? kWidthDefault : std::clamp(width, kWidthMin, kWidthMax);
  bool const unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  return Terminal(stream, interactive, WantsColour(fd), unicode, width);
}

std::string Terminal::Paint(Ink ink, std::string_view text) const {
  if (!colour_ || ink == Ink::kPlain) {
    return std::string(text);
  }
  return StrCat(Code(ink), text, "\x1b[0m");
}

void Terminal::Heading(std::string_view title) const {
  std::string rule;
  for (int column = 0; column < DisplayWidth(title); ++column) {
    rule += Choose("\u2500", "-");
  }
  Line("");
  Line(Paint(Ink::kBold, title));
  Line(Paint(Ink::kDim, rule));
}

void Terminal::Line(std::string_view text) const {
  fwrite(text.data(), 1, text.size(), stream_);
  fputc('\n', stream_);
  fflush(stream_);
}

int DisplayWidth(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

std::string Shorten(std::string_view text, int width, bool unicode) {
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  std::string_view const mark = unicode ? "\u2026" : "..";
  int const kept = std::max(0, width - DisplayWidth(mark));
  size_t end = 0;
  for (int column = 0; column < kept; ++column) {
    do {
      ++end;
    } while (end < text.size() && IsContinuationByte(text[end]));
  }
  return StrCat(text.substr(0, end), mark);
}

void PrintError(const Status& status) {
  bool const colour = WantsColour(STDERR_FILENO);
  std::string_view message = status.message();
  std::string const first_line(message.substr(0, message.find('\n')));
  fprintf(stderr, "%sorochi: %s%s\n", colour ? Code(Ink::kRed) : "", first_line.c_str(),
          colour ? "\x1b[0m" : "");
  if (size_t const end = message.find('\n'); end != std::string_view::npos) {
    PrintIndented("  ", message.substr(end + 1));
  }
  PrintIndented("  detail: ", status.detail());
  PrintIndented("  what to do: ", status.hint());
}

}  // namespace orochi::cli
