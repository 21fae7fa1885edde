#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace orochi::swim {

/// A cluster's secret: 32 bytes.
using ClusterKey = std::array<std::byte, 32>;

/// 64 hexadecimal digits. kInvalidArgument otherwise, without repeating the text.
Result<ClusterKey> ParseClusterKey(std::string_view text);

/// How many bytes sealing adds to a packet.
inline constexpr size_t kSealSizeBytes = 45;

struct SealCounters {
  uint64_t unsealed = 0;     // bytes that are not sealed at all
  uint64_t unknown_key = 0;  // sealed with a key that is not accepted
  uint64_t forged = 0;       // their tag is wrong: made without the key, or damaged
  uint64_t replayed = 0;     // opened before, or too old to know
};

/// Encrypts packets and proves that a holder of the cluster's key made them: AES-256-GCM, each
/// sealer under a key of its own, derived from the cluster's and a random salt, so that counters
/// are nonces. Bytes: docs/formats/swim-packet.md.
///
/// A packet is opened once by each sealer, in any order within kReplayWindow of the newest. What a
/// sealer has opened it forgets when it is destroyed, and per sender when kSendersMax others were
/// heard since: then an old packet may be opened again. What it can do is bounded by the versions
/// of the members in it.
///
/// Keys are rotated in three steps, each on all nodes: accept the new one, use it, drop the old.
///
/// Threads: none.
class Sealer {
 public:
  static constexpr uint64_t kReplayWindow = 1'024;
  static constexpr size_t kSendersMax = 8'192;
  static constexpr size_t kKeysMax = 8;

  /// Seals with the first key and opens with any. `random` gives 128 bits that no other sealer
  /// gets: the operating system's. kInvalidArgument without keys, with too many or twice the same.
  static Result<Sealer> Create(std::span<const ClusterKey> keys, Random& random);
  Sealer(Sealer&& other) noexcept;
  Sealer& operator=(Sealer&& other) noexcept;
  ~Sealer();

  std::vector<std::byte> Seal(std::span<const std::byte> plain);
  /// kPermissionDenied for bytes that no holder of a key made, or that were opened before.
  Result<std::vector<std::byte>> Open(std::span<const std::byte> sealed);
  const SealCounters& counters() const;

 private:
  class State;
  explicit Sealer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace orochi::swim
