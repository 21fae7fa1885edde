#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orochi::kv {

/// The ordered maps that the state of a node is kept in. Keys are compared as bytes.
enum class Family : uint8_t {
  kData = 0,         // versions of values
  kIntent = 1,       // writes of transactions that are not decided, one a key
  kTransaction = 2,  // decisions
  kMeta = 3,         // what the node keeps about its partitions
};
inline constexpr size_t kFamilyCount = 4;

/// A position in one family, in key order. Key and value are good until it moves.
///
/// Threads: none.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// To the first key that is not before `key`.
  virtual void Seek(std::string_view key) = 0;
  /// To the last key before `key`; to the last of all for an empty one.
  virtual void SeekBefore(std::string_view key) = 0;
  /// REQUIRES: Valid().
  virtual void Next() = 0;
  virtual void Previous() = 0;

  /// Whether it is at a key. Not after either end, and not after an error.
  virtual bool Valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual Status status() const = 0;
};

/// A state that can be read: the newest, or a snapshot.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::optional<std::string>> Get(Family family, std::string_view key) const = 0;
  virtual std::unique_ptr<Cursor> NewCursor(Family family) const = 0;
};

}  // namespace orochi::kv
