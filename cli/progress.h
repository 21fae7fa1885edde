#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace orochi::cli {

/// How far a piece of work is.
struct ProgressState {
  std::string_view label;
  int64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t bytes_total = 0;
  double elapsed_s = 0;
};

/// One line: label, bar, per cent, rows, rate, and the time left; at most the terminal's width.
std::string RenderProgress(const ProgressState& state, const Terminal& terminal);

/// Shows progress on standard error, where it cannot get into results that are piped or saved: on a
/// terminal one line redrawn at most ten times a second, elsewhere a line for every tenth of the
/// way.
class Progress {
 public:
  /// `label` outlives this.
  Progress(std::string_view label, uint64_t bytes_total);
  /// Cheap enough to call for every thousand rows.
  void Update(int64_t rows, uint64_t bytes);
  /// Clears the line, so that a result can take its place.
  void Finish();
  double ElapsedSeconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  ProgressState state_;
  Clock::time_point const started_;
  Clock::time_point drawn_;
  uint64_t tenths_shown_ = 0;
  bool on_screen_ = false;
};

}  // namespace orochi::cli
