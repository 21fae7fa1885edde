#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/mvcc/intent.h"

namespace orochi::kv {

/// Keys from `begin` on and before `end`; an empty `end` is behind all keys.
struct KeySpan {
  std::string begin{};
  std::string end{};

  bool Holds(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
  bool Overlaps(const KeySpan& other) const {
    return (end.empty() || other.begin < end) && (other.end.empty() || begin < other.end);
  }
  static KeySpan Of(std::string_view key) {
    return {.begin = std::string(key), .end = std::string(key) + '\0'};
  }
};

/// One value that a key had, from `timestamp` to that of the next version.
struct Version {
  Timestamp timestamp{};
  std::optional<std::string> value{};  // nullopt: the key was deleted
};

/// Versions and intents of one state, read. Keys are prefix-free: none is the beginning of another.
/// In the data family the version of `key` at `t` is under key || big-endian(~t), so that the
/// newest comes first; its value is 1 and the bytes, or 0 for a deletion. The intent of `key` is
/// under `key` in the intent family.
///
/// Threads: as many as the Reader bears.    Borrows: the Reader.
namespace mvcc {

/// The newest version of the key that is not after `timestamp`.
Result<std::optional<Version>> NewestAt(const Reader& state, std::string_view key,
                                        Timestamp timestamp);
/// When the key was last written; kNever when it was not.
Result<Timestamp> LastWritten(const Reader& state, std::string_view key);
Result<std::optional<Intent>> IntentOf(const Reader& state, std::string_view key);

/// Calls `visit` for the newest version not after `timestamp` of each key of the span in key order,
/// from the end on when `reverse`, deletions too; until it answers false.
Status ScanAt(const Reader& state, const KeySpan& span, Timestamp timestamp, bool reverse,
              const std::function<bool(std::string_view key, const Version& version)>& visit);
/// Calls `visit` for each intent of the span in key order until it answers false.
Status ScanIntents(const Reader& state, const KeySpan& span,
                   const std::function<bool(std::string_view key, const Intent& intent)>& visit);
/// Whether a key of the span was written after `after` and not after `until`; that key.
Result<std::optional<std::string>> WrittenBetween(const Reader& state, const KeySpan& span,
                                                  Timestamp after, Timestamp until);

/// What a change adds to a batch.
void PutVersion(WriteBatch& batch, std::string_view key, const Version& version);
void PutIntent(WriteBatch& batch, std::string_view key, const Intent& intent);
void DeleteIntent(WriteBatch& batch, std::string_view key);

/// Removes versions that no read at `safepoint` or later sees: of each key all that are older than
/// its newest not after the safepoint, and that one when it is a deletion. Goes on from `from` and
/// stops after `count_max` removals; answers where to go on, empty at the end.
Result<std::string> CollectGarbage(const Reader& state, const KeySpan& span, std::string_view from,
                                   Timestamp safepoint, size_t count_max, WriteBatch& batch);

}  // namespace mvcc

}  // namespace orochi::kv
