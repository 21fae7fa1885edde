#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/engine/reader.h"

namespace orochi::kv {

/// Changes of a state that happen together or not at all. A later change of a key replaces an
/// earlier one. Replicas of a partition apply the same batches in the same order.
///
/// Encoded: for each change
///   1 byte    family, + 0x80 when the key goes
///   varint    bytes of the key, then the key
///   varint    bytes of the value, then the value; not when the key goes
class WriteBatch {
 public:
  struct Change {
    Family family{};
    std::string key{};
    std::optional<std::string> value{};  // nullopt: the key goes
  };

  void Put(Family family, std::string key, std::string value);
  void Delete(Family family, std::string key);
  /// All of `other`, after what is here.
  void Append(WriteBatch other);

  bool empty() const { return changes_.empty(); }
  const std::vector<Change>& changes() const { return changes_; }
  size_t size_bytes() const { return size_bytes_; }  // of keys and values

  std::string Encode() const;
  /// kCorruption when the bytes are none of Encode's.
  static Result<WriteBatch> Decode(std::string_view bytes);

 private:
  std::vector<Change> changes_;
  size_t size_bytes_ = 0;
};

}  // namespace orochi::kv
