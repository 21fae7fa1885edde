#include "cli/copy_text.h"

namespace orochi::cli {

void CopyTextWriter::AddValue(std::string_view text) {
  Separate();
  while (true) {
    size_t const special = text.find_first_of("\\\t\n\r");
    out_.append(text.substr(0, special));
    if (special == std::string_view::npos) {
      return;
    }
    out_.push_back('\\');
    switch (text[special]) {
      case '\t':
        out_.push_back('t');
        break;
      case '\n':
        out_.push_back('n');
        break;
      case '\r':
        out_.push_back('r');
        break;
      default:
        out_.push_back('\\');
    }
    text.remove_prefix(special + 1);
  }
}

}  // namespace orochi::cli
