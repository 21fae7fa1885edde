#include "kv/engine/write_batch.h"

#include <span>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr uint8_t kGoes = 0x80;

}  // namespace

void WriteBatch::Put(Family family, std::string key, std::string value) {
  size_bytes_ += key.size() + value.size();
  changes_.push_back({.family = family, .key = std::move(key), .value = std::move(value)});
}

void WriteBatch::Delete(Family family, std::string key) {
  size_bytes_ += key.size();
  changes_.push_back({.family = family, .key = std::move(key), .value = std::nullopt});
}

void WriteBatch::Append(WriteBatch other) {
  size_bytes_ += other.size_bytes_;
  if (changes_.empty()) {
    changes_ = std::move(other.changes_);
    return;
  }
  for (Change& change : other.changes_) {
    changes_.push_back(std::move(change));
  }
}

std::string WriteBatch::Encode() const {
  std::string bytes;
  bytes.reserve(size_bytes_ + changes_.size() * 5);
  for (const Change& change : changes_) {
    auto const family = static_cast<uint8_t>(change.family);
    bytes.push_back(static_cast<char>(change.value ? family : family | kGoes));
    AppendText(bytes, change.key);
    if (change.value) {
      AppendText(bytes, *change.value);
    }
  }
  return bytes;
}

Result<WriteBatch> WriteBatch::Decode(std::string_view bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(bytes)));
  WriteBatch batch;
  while (reader.remaining_bytes() > 0) {
    uint8_t kind = 0;
    std::string key;
    std::string value;
    bool const goes = reader.ReadFixed(kind) && (kind & kGoes) != 0;
    kind &= static_cast<uint8_t>(~kGoes);
    if (kind >= kFamilyCount || !ReadText(reader, key) || (!goes && !ReadText(reader, value))) {
      return Status::Corruption(StrCat("write batch of ", bytes.size(), " bytes: change ",
                                       batch.changes_.size(), " is damaged"));
    }
    if (goes) {
      batch.Delete(static_cast<Family>(kind), std::move(key));
    } else {
      batch.Put(static_cast<Family>(kind), std::move(key), std::move(value));
    }
  }
  return batch;
}

}  // namespace orochi::kv
