#pragma once

#include "pg/compat.h"

#include "io/file.h"
#include "pg/am/columnar/stripe_catalog.h"

extern "C" {
#include "storage/block.h"
#include "utils/relcache.h"
}

namespace orochi::pg {

/// The byte stream in blocks 1 and up of a columnar relation: a page's payload follows the page
/// before. Stripes are written once, each from a page's start on, and never change.

/// Blocks of a relation's file.
struct BlockRun {
  BlockNumber first;
  BlockNumber end;
};

/// The blocks of a stripe.
BlockRun PagesOf(const StripeEntry& entry);

/// Writes `size_bytes` at `offset_bytes`, reserved for this by ReserveBytes. Every page goes
/// through shared buffers and, where the relation needs it, to the WAL as a whole.
/// Plain PostgreSQL code that may ereport.
void WriteStream(Relation relation, uint64_t offset_bytes, const std::byte* bytes,
                 uint64_t size_bytes) noexcept;

/// Copies a stripe's pages to `to` and those behind it, reserved for this. ERRCODE_DATA_CORRUPTED
/// when one of them is no page of a stripe. Plain PostgreSQL code.
void CopyStripePages(Relation relation, const BlockRun& from, BlockNumber to) noexcept;

/// Cuts the file behind `end_offset_bytes`. REQUIRES: AccessExclusiveLock. Plain PostgreSQL code.
void TruncateStream(Relation relation, uint64_t end_offset_bytes) noexcept;

/// Reads the stream. kCorruption for a page that was never written or ends early; PostgreSQL's own
/// errors (checksums, I/O) fly as CaughtError. Borrows `relation`, locked while it lives.
class StreamFile final : public io::RandomAccessFile {
 public:
  explicit StreamFile(Relation relation) : relation_(relation) {}
  Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const override;
  Result<uint64_t> SizeBytes() const override;

 private:
  Relation relation_;
  mutable BlockNumber block_count_ = 0;  // the file had so many when last asked
};

/// Collects a finished stripe, whose size must be known before its pages are reserved.
class MemorySink final : public io::ByteSink {
 public:
  Status Append(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return Status::Ok();
  }
  void Reserve(size_t size_bytes) { bytes_.reserve(size_bytes); }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace orochi::pg
