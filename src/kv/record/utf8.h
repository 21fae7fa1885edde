#pragma once

#include <string_view>

namespace orochi::kv {

/// Well-formed as Unicode defines it: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace orochi::kv
