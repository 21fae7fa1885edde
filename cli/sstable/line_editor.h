#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orochi::cli {

/// Lines typed at a terminal, with editing, history and completion, by libedit. What the user sets
/// in ~/.editrc holds.
///
/// While it lives Ctrl-C sends no signal: it is a key of the line typed, or of the next one. Work
/// between lines that is to be interrupted turns ISIG on and off again.
///
/// Threads: one editor in a process, in one thread.
class LineEditor {
 public:
  /// The words that may stand for the one that ends the text, and where that word begins.
  struct Completions {
    size_t word_start = 0;
    std::vector<std::string> words;
  };
  using Complete = std::function<Completions(std::string_view text)>;
  enum class Outcome { kLine, kInterrupted, kEnd };

  /// `history_path` may be empty: nothing is kept then.
  LineEditor(std::string history_path, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Reads a line without its end. kInterrupted for Ctrl-C, kEnd for Ctrl-D on an empty line.
  Outcome Read(const std::string& prompt, std::string& line);
  /// Keeps it, also in the file.
  void AddHistory(const std::string& text);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace orochi::cli
