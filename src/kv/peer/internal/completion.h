#pragma once

#include <functional>

namespace orochi::kv::peer {

/// What gRPC's completion queue gives back: its address is the tag. It outlives the operation.
using Completion = std::function<void(bool ok)>;

}  // namespace orochi::kv::peer
