#include "kv/mvcc/versions.h"

#include <algorithm>

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv::mvcc {
namespace {

constexpr size_t kSuffixBytes = 8;

std::string DataKey(std::string_view key, Timestamp timestamp) {
  std::string bytes;
  bytes.reserve(key.size() + kSuffixBytes);
  bytes.append(key);
  AppendBigEndian(bytes, ~timestamp.value());
  return bytes;
}

// Behind every version of the key.
std::string AfterVersions(std::string_view key) {
  return DataKey(key, kNever) + '\0';
}

// The key of a span that can hold no other. Its reads open no cursor over intents: one would pass
// over all that were resolved and not compacted since, up to the next that is there.
std::optional<std::string_view> OnlyKeyOf(const KeySpan& span) {
  bool const is_one = span.end.size() == span.begin.size() + 1 && span.end.back() == '\0' &&
                      span.end.starts_with(span.begin);
  return is_one ? std::optional<std::string_view>(span.begin) : std::nullopt;
}

struct Entry {
  std::string_view key;
  Timestamp timestamp;
};

Result<Entry> EntryOf(std::string_view data_key) {
  if (data_key.size() < kSuffixBytes) {
    return Status::Corruption(
        StrCat("version of a key: its own key has ", data_key.size(), " bytes, fewer than 8"));
  }
  size_t const size = data_key.size() - kSuffixBytes;
  return Entry{.key = data_key.substr(0, size),
               .timestamp = Timestamp(~BigEndianAt(data_key.substr(size)))};
}

// To a version of the span's last key.
Status SeekLast(Cursor& cursor, const KeySpan& span) {
  if (!span.end.empty()) {
    cursor.Seek(span.end);
    if (cursor.Valid()) {
      ASSIGN_OR_RETURN(Entry const entry, EntryOf(cursor.key()));
      if (entry.key < span.end) {
        return Status::Ok();
      }
    }
    RETURN_IF_ERROR(cursor.status());
  }
  cursor.SeekBefore(span.end);
  return Status::Ok();
}

Result<Version> VersionOf(const Entry& entry, std::string_view value) {
  if (value.empty() || static_cast<uint8_t>(value[0]) > 1 || (value[0] == 0 && value.size() > 1)) {
    return Status::Corruption(StrCat("version of a key of ", entry.key.size(),
                                     " bytes: its value begins with none of 0 and 1"));
  }
  Version version{.timestamp = entry.timestamp, .value = std::nullopt};
  if (value[0] == 1) {
    version.value = std::string(value.substr(1));
  }
  return version;
}

}  // namespace

Result<std::optional<Version>> NewestAt(const Reader& state, std::string_view key,
                                        Timestamp timestamp) {
  auto const cursor = state.NewCursor(Family::kData);
  cursor->Seek(DataKey(key, timestamp));
  if (!cursor->Valid()) {
    RETURN_IF_ERROR(cursor->status());
    return std::optional<Version>();
  }
  ASSIGN_OR_RETURN(Entry const entry, EntryOf(cursor->key()));
  if (entry.key != key) {
    return std::optional<Version>();
  }
  ASSIGN_OR_RETURN(Version version, VersionOf(entry, cursor->value()));
  return std::optional<Version>(std::move(version));
}

Result<Timestamp> LastWritten(const Reader& state, std::string_view key) {
  ASSIGN_OR_RETURN(auto const newest, NewestAt(state, key, Timestamp(~uint64_t{0})));
  return newest ? newest->timestamp : kNever;
}

Result<std::optional<Intent>> IntentOf(const Reader& state, std::string_view key) {
  ASSIGN_OR_RETURN(auto const bytes, state.Get(Family::kIntent, key));
  if (!bytes) {
    return std::optional<Intent>();
  }
  ASSIGN_OR_RETURN(Intent intent, Intent::Decode(key, *bytes));
  return std::optional<Intent>(std::move(intent));
}

Status ScanAt(const Reader& state, const KeySpan& span, Timestamp timestamp, bool reverse,
              const std::function<bool(std::string_view key, const Version& version)>& visit) {
  if (auto const key = OnlyKeyOf(span)) {
    ASSIGN_OR_RETURN(auto const version, NewestAt(state, *key, timestamp));
    if (version) {
      visit(*key, *version);
    }
    return Status::Ok();
  }
  auto const cursor = state.NewCursor(Family::kData);
  // A bound may be longer than a key that it begins with: versions of that key lie on both sides.
  if (reverse) {
    RETURN_IF_ERROR(SeekLast(*cursor, span));
  } else {
    cursor->Seek(span.begin);
  }
  while (cursor->Valid()) {
    ASSIGN_OR_RETURN(Entry const entry, EntryOf(cursor->key()));
    std::string const key(entry.key);
    if (!reverse && key < span.begin) {
      cursor->Seek(AfterVersions(key));
      continue;
    }
    if (!span.Holds(key)) {
      break;
    }
    ASSIGN_OR_RETURN(auto const version, NewestAt(state, key, timestamp));
    if (version && !visit(key, *version)) {
      break;
    }
    if (reverse) {
      cursor->SeekBefore(key);
    } else {
      cursor->Seek(AfterVersions(key));
    }
  }
  return cursor->status();
}

Status ScanIntents(const Reader& state, const KeySpan& span,
                   const std::function<bool(std::string_view key, const Intent& intent)>& visit) {
  if (auto const key = OnlyKeyOf(span)) {
    ASSIGN_OR_RETURN(auto const intent, IntentOf(state, *key));
    if (intent) {
      visit(*key, *intent);
    }
    return Status::Ok();
  }
  auto const cursor = state.NewCursor(Family::kIntent);
  for (cursor->Seek(span.begin); cursor->Valid() && span.Holds(cursor->key()); cursor->Next()) {
    ASSIGN_OR_RETURN(Intent const intent, Intent::Decode(cursor->key(), cursor->value()));
    if (!visit(cursor->key(), intent)) {
      break;
    }
  }
  return cursor->status();
}

Result<std::optional<std::string>> WrittenBetween(const Reader& state, const KeySpan& span,
                                                  Timestamp after, Timestamp until) {
  std::optional<std::string> found;
  RETURN_IF_ERROR(
      ScanAt(state, span, until, false, [&](std::string_view key, const Version& version) {
        if (version.timestamp > after) {
          found = std::string(key);
        }
        return !found;
      }));
  return found;
}

void PutVersion(WriteBatch& batch, std::string_view key, const Version& version) {
  std::string value(1, version.value ? 1 : 0);
  if (version.value) {
    value.append(*version.value);
  }
  batch.Put(Family::kData, DataKey(key, version.timestamp), std::move(value));
}

void PutIntent(WriteBatch& batch, std::string_view key, const Intent& intent) {
  batch.Put(Family::kIntent, std::string(key), intent.Encode());
}

void DeleteIntent(WriteBatch& batch, std::string_view key) {
  batch.Delete(Family::kIntent, std::string(key));
}

Result<std::string> CollectGarbage(const Reader& state, const KeySpan& span, std::string_view from,
                                   Timestamp safepoint, size_t count_max, WriteBatch& batch) {
  auto const cursor = state.NewCursor(Family::kData);
  cursor->Seek(std::max<std::string_view>(from, span.begin));
  std::string key;
  bool below = false;  // a version of `key` not after the safepoint has been passed
  size_t count = 0;
  for (; cursor->Valid(); cursor->Next()) {
    ASSIGN_OR_RETURN(Entry const entry, EntryOf(cursor->key()));
    if (entry.key < span.begin) {
      continue;
    }
    if (!span.Holds(entry.key)) {
      break;
    }
    if (entry.key != key) {
      if (count >= count_max) {
        return std::string(entry.key);
      }
      key = std::string(entry.key);
      below = false;
    }
    if (entry.timestamp > safepoint) {
      continue;
    }
    ASSIGN_OR_RETURN(Version const version, VersionOf(entry, cursor->value()));
    if (below || !version.value) {
      batch.Delete(Family::kData, std::string(cursor->key()));
      ++count;
    }
    below = true;
  }
  RETURN_IF_ERROR(cursor->status());
  return std::string();
}

}  // namespace orochi::kv::mvcc
