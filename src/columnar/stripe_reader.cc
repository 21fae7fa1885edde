#include "columnar/stripe_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"
#include "columnar/internal/chunk_codec.h"
#include "columnar/internal/footer.h"

namespace orochi::columnar {

struct ReadScratch::Buffers {
  std::vector<std::byte> stored;  // as long as the longest chunk so far
  internal::ChunkDecoder decoder;
};

ReadScratch::ReadScratch() : buffers_(std::make_unique<Buffers>()) {}
ReadScratch::~ReadScratch() = default;

size_t ReadScratch::memory_bytes() const {
  return buffers_->stored.capacity() + buffers_->decoder.memory_bytes();
}

class StripeReader::Impl {
 public:
  Impl(const io::RandomAccessFile& file, uint64_t offset_bytes, internal::Footer footer,
       ReadScratch* scratch)
      : file_(file), offset_bytes_(offset_bytes), footer_(std::move(footer)) {
    if (scratch == nullptr) {
      own_scratch_.emplace();
      scratch = &*own_scratch_;
    }
    scratch_ = scratch->buffers_.get();
    uint32_t first_row = 0;
    for (uint32_t const rows : footer_.row_group_rows) {
      first_rows_.push_back(first_row);
      first_row += rows;
    }
    ASSERT(first_row == footer_.row_count);
  }

  Status ReadChunk(uint32_t row_group, uint32_t column, ColumnVector& out) {
    return Read(row_group, column,
                [&](PhysicalType type, const internal::StoredChunk& chunk, Bytes stored) {
                  return scratch_->decoder.Decode(type, chunk, stored, out);
                });
  }

  Status ReadCell(uint32_t row_group, uint32_t column, uint32_t row, CellShortcut* shortcut,
                  Cell& cell) {
    if (shortcut != nullptr && !shortcut->raw.empty()) {
      return Named(
          row_group, column,
          scratch_->decoder.FindCell(footer_.schema.columns[column], Chunk(row_group, column),
                                     shortcut->raw, row, shortcut, cell));
    }
    return Read(row_group, column,
                [&](PhysicalType type, const internal::StoredChunk& chunk, Bytes stored) {
                  return scratch_->decoder.ReadCell(type, chunk, stored, row, shortcut, cell);
                });
  }

  const internal::StoredChunk& Chunk(uint32_t row_group, uint32_t column) const {
    ASSERT(row_group < footer_.row_group_rows.size());
    ASSERT(column < footer_.schema.column_count());
    return footer_.chunks[footer_.ChunkIndex(row_group, column)];
  }

  const internal::Footer& footer() const { return footer_; }
  const std::vector<uint32_t>& first_rows() const { return first_rows_; }

 private:
  using Bytes = std::span<const std::byte>;

  template <class Decode>
  Status Read(uint32_t row_group, uint32_t column, Decode decode) {
    const internal::StoredChunk& chunk = Chunk(row_group, column);
    if (scratch_->stored.size() < chunk.info.size_bytes) {
      scratch_->stored.resize(chunk.info.size_bytes);
    }
    auto const stored = std::span(scratch_->stored).first(chunk.info.size_bytes);
    Status status = file_.ReadExact(offset_bytes_ + chunk.info.offset_bytes, stored);
    if (status.ok()) {
      status = decode(footer_.schema.columns[column], chunk, stored);
    }
    return Named(row_group, column, std::move(status));
  }

  Status Named(uint32_t row_group, uint32_t column, Status status) const {
    return status.ok() ? std::move(status)
                       : std::move(status).WithContext(StrCat("stripe at offset ", offset_bytes_,
                                                              ", column ", column, ", row group ",
                                                              row_group));
  }

  const io::RandomAccessFile& file_;
  uint64_t offset_bytes_;
  internal::Footer footer_;
  std::vector<uint32_t> first_rows_;  // of each row group
  std::optional<ReadScratch> own_scratch_;
  ReadScratch::Buffers* scratch_;
};

Result<StripeReader> StripeReader::Open(const io::RandomAccessFile& file, const Location& location,
                                        ReadScratch* scratch) {
  auto const in_stripe = [&](Status status) {
    return std::move(status).WithContext(StrCat("stripe at offset ", location.offset_bytes));
  };
  if (location.footer_size_bytes > location.size_bytes ||
      location.offset_bytes > UINT64_MAX - location.size_bytes) {
    return in_stripe(Status::Corruption(StrCat("footer of ", location.footer_size_bytes,
                                               " bytes in a stripe of ", location.size_bytes)));
  }
  // The location may be as damaged as the stripe: look at the file before allocating.
  ASSIGN_OR_RETURN(uint64_t const file_size_bytes, file.SizeBytes());
  if (location.offset_bytes + location.size_bytes > file_size_bytes) {
    return in_stripe(
        Status::Corruption(StrCat("it ends at ", location.offset_bytes + location.size_bytes,
                                  ", past the file's ", file_size_bytes, " bytes")));
  }
  std::vector<std::byte> bytes(location.footer_size_bytes);
  uint64_t const footer_offset_bytes =
      location.offset_bytes + location.size_bytes - location.footer_size_bytes;
  if (Status status = file.ReadExact(footer_offset_bytes, bytes); !status.ok()) {
    return in_stripe(std::move(status));
  }
  Result<internal::Footer> footer = internal::DecodeFooter(bytes, location.size_bytes);
  if (!footer.ok()) {
    return in_stripe(std::move(footer).status());
  }
  return StripeReader(
      std::make_unique<Impl>(file, location.offset_bytes, *std::move(footer), scratch));
}

StripeReader::StripeReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StripeReader::StripeReader(StripeReader&&) noexcept = default;
StripeReader& StripeReader::operator=(StripeReader&&) noexcept = default;
StripeReader::~StripeReader() = default;

const Schema& StripeReader::schema() const {
  return impl_->footer().schema;
}
uint32_t StripeReader::row_count() const {
  return impl_->footer().row_count;
}

uint32_t StripeReader::row_group_count() const {
  return static_cast<uint32_t>(impl_->footer().row_group_rows.size());
}

uint32_t StripeReader::row_group_rows(uint32_t row_group) const {
  ASSERT(row_group < row_group_count());
  return impl_->footer().row_group_rows[row_group];
}

uint32_t StripeReader::row_group_first_row(uint32_t row_group) const {
  ASSERT(row_group < row_group_count());
  return impl_->first_rows()[row_group];
}

uint32_t StripeReader::RowGroupOf(uint32_t row) const {
  ASSERT(row < row_count());
  const std::vector<uint32_t>& first_rows = impl_->first_rows();
  auto const after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
  return static_cast<uint32_t>(after - first_rows.begin()) - 1;
}

const ChunkInfo& StripeReader::chunk(uint32_t row_group, uint32_t column) const {
  return impl_->Chunk(row_group, column).info;
}

Status StripeReader::ReadChunk(uint32_t row_group, uint32_t column, ColumnVector& out) const {
  return impl_->ReadChunk(row_group, column, out);
}

Status StripeReader::ReadCell(uint32_t row_group, uint32_t column, uint32_t row,
                              CellShortcut* shortcut, Cell& cell) const {
  return impl_->ReadCell(row_group, column, row, shortcut, cell);
}

}  // namespace orochi::columnar
