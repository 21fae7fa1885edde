#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orochi::cli {

/// One flat JSON object, members in the order added. Text is UTF-8.
class JsonObject {
 public:
  void Add(std::string_view name, std::string_view value);
  void Add(std::string_view name, int64_t value);
  /// The whole object on one line.
  std::string Text() const { return "{" + members_ + "}"; }

 private:
  void AddName(std::string_view name);
  std::string members_;
};

}  // namespace orochi::cli
