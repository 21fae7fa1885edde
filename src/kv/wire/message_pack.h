#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/wire/document.h"

namespace orochi::kv {

/// One MessagePack value and nothing after it. Names of maps are strings or bytes; extension types
/// are refused. kInvalidArgument says where: "$[1].name: ...".
Result<Document> ParseMessagePack(std::string_view bytes, const DocumentBounds& bounds);

/// The first value of several; takes it off the front of `rest`.
Result<Document> TakeMessagePack(std::string_view& rest, const DocumentBounds& bounds);

/// Integers in the fewest bytes; kFloat in four bytes, kDouble in eight.
std::string WriteMessagePack(const Document& document);

}  // namespace orochi::kv
