#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/str_cat.h"
#include "cli/number_format.h"

namespace orochi::cli {

namespace {

constexpr int kBarWidthMax = 30;
constexpr int kBarWidthMin = 8;

std::string Bar(double fraction, int width, const Terminal& terminal) {
  int const full = static_cast<int>(std::floor(fraction * width));
  std::string bar;
  for (int cell = 0; cell < width; ++cell) {
    bar += cell < full ? terminal.Choose("\u2588", "#") : terminal.Choose("\u2591", ".");
  }
  return bar;
}

}  // namespace

std::string RenderProgress(const ProgressState& state, const Terminal& terminal) {
  double const total = static_cast<double>(std::max<uint64_t>(1, state.bytes_total));
  double const fraction = std::min(1.0, static_cast<double>(state.bytes) / total);
  std::string facts =
      fmt::format("{:3.0f} %  {}", std::floor(fraction * 100), FormatQuantity(state.rows, "row"));
  // Before a tenth of a second rates are noise.
  if (state.elapsed_s >= 0.1 && state.bytes > 0) {
    double const bytes_per_s = static_cast<double>(state.bytes) / state.elapsed_s;
    facts += fmt::format("  {}/s", FormatBytes(static_cast<uint64_t>(bytes_per_s)));
    if (state.bytes < state.bytes_total) {
      double const left_s = static_cast<double>(state.bytes_total - state.bytes) / bytes_per_s;
      facts += fmt::format("  {} left", FormatDuration(left_s));
    }
  }
  int const bar_width = std::min(
      kBarWidthMax, terminal.width() - DisplayWidth(state.label) - DisplayWidth(facts) - 4);
  if (bar_width < kBarWidthMin) {
    return Shorten(StrCat(state.label, "  ", facts), terminal.width() - 1, terminal.unicode());
  }
  return StrCat(state.label, "  ", terminal.Paint(Ink::kCyan, Bar(fraction, bar_width, terminal)),
                " ", facts);
}

Progress::Progress(std::string_view label, uint64_t bytes_total)
    : started_(Clock::now()), drawn_(started_) {
  state_.label = label;
  state_.bytes_total = bytes_total;
}

double Progress::ElapsedSeconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

void Progress::Update(int64_t rows, uint64_t bytes) {
  state_.rows = rows;
  state_.bytes = bytes;
  state_.elapsed_s = ElapsedSeconds();
  Clock::time_point const now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100)) {
    return;
  }
  drawn_ = now;
  Terminal const terminal = Terminal::Detect(stderr);
  if (terminal.interactive()) {
    std::string const line = RenderProgress(state_, terminal);
    fprintf(stderr, "\r\x1b[K%s", line.c_str());
    on_screen_ = true;
    return;
  }
  uint64_t const tenths = state_.bytes_total == 0 ? 10 : bytes * 10 / state_.bytes_total;
  // Work that is over at once needs no account of its steps.
  if (tenths > tenths_shown_ && tenths < 10 && state_.elapsed_s >= 1) {
    tenths_shown_ = tenths;
    terminal.Line(RenderProgress(state_, terminal));
  }
}

void Progress::Finish() {
  if (on_screen_) {
    fputs("\r\x1b[K", stderr);
    on_screen_ = false;
  }
}

}  // namespace orochi::cli
