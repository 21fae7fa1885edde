#include "kv/engine/checkpoint.h"

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/crc32c.h"

namespace orochi::kv {
namespace {

constexpr uint32_t kMagic = 0x43564B4F;  // "OKVC"
constexpr size_t kHeadBytes = 16;
constexpr size_t kCrcCoversFrom = 8;

void Append32(std::string& out, uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint32_t CrcOf(std::string_view chunk) {
  return codec::Crc32c(std::as_bytes(std::span(chunk.substr(kCrcCoversFrom))));
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

CheckpointExporter::CheckpointExporter(const Reader& snapshot, std::vector<FamilyRange> ranges,
                                       uint64_t chunk_size_bytes)
    : snapshot_(snapshot), ranges_(std::move(ranges)), chunk_size_bytes_(chunk_size_bytes) {}

Result<std::string> CheckpointExporter::NextChunk() {
  ASSERT(!done_);
  std::string chunk;
  Append32(chunk, kMagic);
  Append32(chunk, 0);
  Append32(chunk, chunk_++);
  Append32(chunk, 0);
  while (range_ < ranges_.size() && chunk.size() < chunk_size_bytes_) {
    const FamilyRange& range = ranges_[range_];
    if (cursor_ == nullptr) {
      cursor_ = snapshot_.NewCursor(range.family);
      cursor_->Seek(range.range.begin);
    }
    if (!cursor_->Valid() || !range.range.Contains(cursor_->key())) {
      RETURN_IF_ERROR(cursor_->status());
      cursor_.reset();
      ++range_;
      continue;
    }
    std::string_view const key = cursor_->key();
    std::string_view const value = cursor_->value();
    if (chunk.size() > kHeadBytes && chunk.size() + key.size() + value.size() > chunk_size_bytes_) {
      break;
    }
    chunk.push_back(static_cast<char>(range.family));
    Append32(chunk, static_cast<uint32_t>(key.size()));
    Append32(chunk, static_cast<uint32_t>(value.size()));
    chunk.append(key).append(value);
    cursor_->Next();
  }
  done_ = range_ == ranges_.size();
  uint32_t const last = done_ ? 1 : 0;
  std::memcpy(chunk.data() + 12, &last, sizeof(last));
  uint32_t const crc = CrcOf(chunk);
  std::memcpy(chunk.data() + 4, &crc, sizeof(crc));
  return chunk;
}

CheckpointImporter::CheckpointImporter(std::vector<FamilyRange> ranges)
    : ranges_(std::move(ranges)) {}

Status CheckpointImporter::Add(std::string_view chunk) {
  if (failed_) {
    return Status::FailedPrecondition("a checkpoint goes on after a damaged chunk");
  }
  failed_ = true;  // until this one is all taken
  codec::ByteReader reader(std::as_bytes(std::span(chunk)));
  uint32_t magic = 0;
  uint32_t crc = 0;
  uint32_t number = 0;
  uint32_t last = 0;
  if (!reader.ReadFixed(magic) || !reader.ReadFixed(crc) || !reader.ReadFixed(number) ||
      !reader.ReadFixed(last) || magic != kMagic || crc != CrcOf(chunk) || last > 1) {
    return Status::Corruption(StrCat("checkpoint chunk ", chunk_, ": ", chunk.size(),
                                     " bytes that are not what was sent"));
  }
  if (number != chunk_ || complete_) {
    return Status::Corruption(StrCat("checkpoint chunk ", number, ", expected ",
                                     complete_ ? "none after" : "number", " ", chunk_));
  }
  while (reader.remaining_bytes() > 0) {
    uint8_t family = 0;
    uint32_t key_size_bytes = 0;
    uint32_t value_size_bytes = 0;
    std::span<const std::byte> key_bytes;
    std::span<const std::byte> value_bytes;
    if (!reader.ReadFixed(family) || !reader.ReadFixed(key_size_bytes) ||
        !reader.ReadFixed(value_size_bytes) || !reader.ReadSpan(key_size_bytes, key_bytes) ||
        !reader.ReadSpan(value_size_bytes, value_bytes)) {
      return Status::Corruption(StrCat("checkpoint chunk ", number, ": a record beyond its end"));
    }
    std::string key(AsText(key_bytes));
    auto const belongs = [&] {
      const FamilyRange& range = ranges_[range_];
      return static_cast<uint8_t>(range.family) == family && range.range.Contains(key) &&
             (!range_has_key_ || key > last_key_);
    };
    while (range_ < ranges_.size() && !belongs()) {
      ++range_;
      range_has_key_ = false;
    }
    if (range_ == ranges_.size()) {
      return Status::Corruption(StrCat("checkpoint chunk ", number, ": a key of family ", family,
                                       " that is in none of the ranges, or out of order"));
    }
    last_key_ = key;
    range_has_key_ = true;
    taken_.push_back({.family = ranges_[range_].family,
                      .key = std::move(key),
                      .value = std::string(AsText(value_bytes))});
  }
  ++chunk_;
  complete_ = last == 1;
  failed_ = false;
  return Status::Ok();
}

Status CheckpointImporter::Install(Engine& engine, const WriteBatch& others) {
  ASSERT(complete_);
  WriteBatch batch;
  for (const FamilyRange& range : ranges_) {
    auto const cursor = engine.NewCursor(range.family);
    for (cursor->Seek(range.range.begin); cursor->Valid() && range.range.Contains(cursor->key());
         cursor->Next()) {
      batch.Delete(range.family, std::string(cursor->key()));
    }
    RETURN_IF_ERROR(cursor->status());
  }
  for (const WriteBatch::Change& change : taken_) {
    batch.Put(change.family, change.key, *change.value);
  }
  for (const WriteBatch::Change& change : others.changes()) {
    change.value ? batch.Put(change.family, change.key, *change.value)
                 : batch.Delete(change.family, change.key);
  }
  return engine.Write(batch);
}

}  // namespace orochi::kv
