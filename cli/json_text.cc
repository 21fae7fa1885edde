#include "cli/json_text.h"

#include <fmt/format.h>

namespace orochi::cli {

namespace {

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (char const c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

void JsonObject::AddName(std::string_view name) {
  if (!members_.empty()) {
    members_ += ", ";
  }
  AppendQuoted(members_, name);
  members_ += ": ";
}

void JsonObject::Add(std::string_view name, std::string_view value) {
  AddName(name);
  AppendQuoted(members_, value);
}

void JsonObject::Add(std::string_view name, int64_t value) {
  AddName(name);
  members_ += fmt::format("{}", value);
}

}  // namespace orochi::cli
