#include "cli/sstable/line_editor.h"

#include <histedit.h>

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.h"

namespace orochi::cli {

namespace {

constexpr int kHistoryLines = 2000;

}  // namespace

struct LineEditor::Library {
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event = {};
  std::string history_path;
  std::string prompt;
  Complete complete;
  bool interrupted = false;
  std::optional<struct termios> terminal;  // as it was found

  static unsigned char OnInterrupt(EditLine* editor, int) {
    Library* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    self->interrupted = true;
    return CC_EOF;
  }

  static char* Prompt(EditLine* editor) {
    Library* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->prompt.data();
  }

  static unsigned char OnTab(EditLine* editor, int) {
    Library* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->CompleteWord();
  }

  unsigned char CompleteWord() {
    const LineInfo* const info = el_line(editor);
    std::string_view const text(info->buffer, static_cast<size_t>(info->cursor - info->buffer));
    Completions const completions = complete(text);
    if (completions.words.empty()) {
      return CC_REFRESH_BEEP;
    }
    std::string common = completions.words.front();
    for (const std::string& word : completions.words) {
      auto const end = std::mismatch(common.begin(), common.end(), word.begin(), word.end()).first;
      common.erase(end, common.end());
    }
    std::string_view const typed = text.substr(completions.word_start);
    if (completions.words.size() > 1 && common.size() <= typed.size()) {
      ShowChoices(completions.words);
      return CC_REDISPLAY;
    }
    bool const whole =
        completions.words.size() == 1 && !common.ends_with('(') && !common.ends_with('/');
    el_deletestr(editor, static_cast<int>(typed.size()));
    el_insertstr(editor, (common + (whole ? " " : "")).c_str());
    return CC_REFRESH;
  }

  static void ShowChoices(const std::vector<std::string>& words) {
    size_t widest = 0;
    for (const std::string& word : words) {
      widest = std::max(widest, word.size() + 2);
    }
    size_t const width = static_cast<size_t>(std::max(20, Terminal::Detect(stdout).width()));
    size_t const columns = std::max<size_t>(1, width / widest);
    fputc('\n', stdout);
    for (size_t index = 0; index < words.size(); ++index) {
      bool const ends = (index + 1) % columns == 0 || index + 1 == words.size();
      fprintf(stdout, "%-*s%s", static_cast<int>(ends ? 0 : widest), words[index].c_str(),
              ends ? "\n" : "");
    }
    fflush(stdout);
  }
};

LineEditor::LineEditor(std::string history_path, Complete complete)
    : library_(std::make_unique<Library>()) {
  library_->history_path = std::move(history_path);
  library_->complete = std::move(complete);
  library_->editor = el_init("orochi", stdin, stdout, stderr);
  library_->history = history_init();
  history(library_->history, &library_->event, H_SETSIZE, kHistoryLines);
  history(library_->history, &library_->event, H_SETUNIQUE, 1);
  if (!library_->history_path.empty()) {
    history(library_->history, &library_->event, H_LOAD, library_->history_path.c_str());
  }
  EditLine* const editor = library_->editor;
  el_set(editor, EL_CLIENTDATA, library_.get());
  el_set(editor, EL_PROMPT, &Library::Prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_HIST, history, library_->history);
  el_set(editor, EL_ADDFN, "orochi-complete", "complete the word", &Library::OnTab);
  el_set(editor, EL_BIND, "^I", "orochi-complete", nullptr);
  // Ctrl-C is a key, while a line is typed, because libedit reads on after a signal, and between
  // lines, so that none is lost on the way to the next one. What runs turns the signal on.
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor, EL_SETTY, "-x", "-isig", nullptr);
  struct termios terminal = {};
  if (tcgetattr(STDIN_FILENO, &terminal) == 0) {
    library_->terminal = terminal;
    terminal.c_lflag &= ~static_cast<tcflag_t>(ISIG);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal);
  }
  el_set(editor, EL_ADDFN, "orochi-interrupt", "give the line up", &Library::OnInterrupt);
  el_set(editor, EL_BIND, "^C", "orochi-interrupt", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(editor, nullptr);
}

LineEditor::~LineEditor() {
  history_end(library_->history);
  el_end(library_->editor);
  if (library_->terminal.has_value()) {
    tcsetattr(STDIN_FILENO, TCSADRAIN, &*library_->terminal);
  }
}

LineEditor::Outcome LineEditor::Read(const std::string& prompt, std::string& line) {
  library_->prompt = prompt;
  int count = 0;
  library_->interrupted = false;
  // Before the prompt is shown, so that all that is typed at it is a key.
  el_set(library_->editor, EL_PREP_TERM, 1);
  const char* const text = el_gets(library_->editor, &count);
  if (library_->interrupted) {
    return Outcome::kInterrupted;
  }
  if (text == nullptr || count <= 0) {
    return Outcome::kEnd;
  }
  line.assign(text, static_cast<size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) {
    line.pop_back();
  }
  return Outcome::kLine;
}

void LineEditor::AddHistory(const std::string& text) {
  history(library_->history, &library_->event, H_ENTER, text.c_str());
  if (library_->history_path.empty()) {
    return;
  }
  // What was asked may be private.
  int const file = open(library_->history_path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    history(library_->history, &library_->event, H_SAVE, library_->history_path.c_str());
  }
}

}  // namespace orochi::cli
