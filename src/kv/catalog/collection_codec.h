#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/gateway/catalog.h"
#include "kv/mvcc/versions.h"

namespace orochi::kv {

/// A collection as an entry of the cluster map: docs/formats/kv-collections.md.
struct StoredCollection {
  CollectionInfo info;
  std::string changed_by{};  // 16 bytes that whoever changed it last drew for that
};

std::string EncodeCollection(const StoredCollection& collection);
/// kCorruption when the bytes are none of EncodeCollection's.
Result<StoredCollection> DecodeCollection(std::string_view bytes);

/// Names of entries: of a collection, and of the number of the next one.
std::string CollectionEntry(std::string_view name);
inline constexpr std::string_view kNextCollectionEntry = "collections";
/// The collection that an entry is of; nothing for others.
std::optional<std::string_view> CollectionOfEntry(std::string_view entry);

/// The collection's part of the key space, cut where its partitions begin with.
std::vector<KeySpan> SpansOf(const CollectionInfo& collection);

}  // namespace orochi::kv
