#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/node/peer_message.h"

namespace orochi::kv {

/// The bytes of messages between nodes, one after the other: docs/formats/kv-node.md.
std::string EncodePeerMessages(const std::vector<PeerMessage>& messages);
/// kCorruption for bytes that are none of EncodePeerMessages's; nothing of them may be believed
/// then. What a message means is checked by whoever it is for.
Result<std::vector<PeerMessage>> DecodePeerMessages(std::string_view bytes);

}  // namespace orochi::kv
