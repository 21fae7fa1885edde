#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/wire/document.h"

namespace orochi::kv {

/// One JSON text. Integers up to 64 bits are exact; longer ones and those with point or exponent
/// are kDouble and keep their text. kInvalidArgument says where: "$.fields[2]: ..., at byte 17".
Result<Document> ParseJson(std::string_view text, const DocumentBounds& bounds);

/// Bytes of strings that are not UTF-8 become U+FFFD; values of text fields have a form of their
/// own for that. REQUIRES: no kBytes; numbers are finite.
std::string WriteJson(const Document& document);

/// RFC 4648, section 4, with padding.
std::string EncodeBase64(std::string_view bytes);
/// kInvalidArgument unless EncodeBase64 gives exactly this text.
Result<std::string> DecodeBase64(std::string_view text);

}  // namespace orochi::kv
