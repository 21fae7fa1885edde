#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace orochi::sstable::testing {

/// "00 2a ff" as bytes; blanks are skipped.
inline std::string FromHex(std::string_view hex) {
  std::string digits;
  for (char const c : hex) {
    if (c != ' ') {
      digits += c;
    }
  }
  std::string out;
  for (size_t index = 0; index + 1 < digits.size(); index += 2) {
    out += static_cast<char>(std::stoi(digits.substr(index, 2), nullptr, 16));
  }
  return out;
}

inline std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (char const c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace orochi::sstable::testing
