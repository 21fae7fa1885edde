#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/client/value.h"

namespace orochi::kv::client {

inline constexpr size_t kReplyDepthMax = 64;
inline constexpr size_t kReplyValueCountMax = 4'000'000;

/// The MessagePack of a value: integers in the fewest bytes, text as str, Bytes as bin.
std::string WriteMessagePack(const Value& value);

/// One MessagePack value and nothing after it. Members of maps have text as names; extension types
/// are refused. kCorruption says at which byte; also past the bounds above.
Result<Value> ReadMessagePack(std::string_view bytes);

}  // namespace orochi::kv::client
