#include "columnar/stripe_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"
#include "columnar/internal/chunk_codec.h"
#include "columnar/internal/column_buffer.h"
#include "columnar/internal/footer.h"

namespace orochi::columnar {
namespace {

constexpr uint32_t kValueBytesMax = 1u << 30;

uint64_t RawBytesOf(std::span<const Cell> cells) {
  uint64_t raw_bytes = 0;
  for (const Cell& cell : cells) {
    raw_bytes += sizeof(uint64_t) + (cell.is_null ? 0 : cell.size_bytes);
  }
  return raw_bytes;
}

}  // namespace

class StripeWriter::Impl {
 public:
  Impl(const Schema& schema, const StripeOptions& options, MemoryBudget& budget)
      : schema_(schema),
        options_(options),
        charge_(budget),
        encoder_(options.compression, options.compression_level),
        read_back_(schema.column_count()) {
    ASSERT(options.row_group_rows > 0 && options.row_group_rows <= kRowGroupRowsMax);
    ASSERT(options.stripe_rows > 0 && options.stripe_rows <= kStripeRowsMax);
    ASSERT(options.row_group_raw_bytes_max <= internal::kChunkValueBytesMax);
    ASSERT(schema.column_count() <= internal::kColumnCountMax);
    for (PhysicalType const type : schema.columns) {
      open_columns_.emplace_back(type);
    }
  }

  Status Append(std::span<const Cell> cells);
  Result<StripeLocation> Finish(io::ByteSink& sink);
  Result<Cell> ReadBack(uint32_t row, uint32_t column);

  uint32_t row_count() const { return encoded_row_count_ + open_row_count_; }
  bool full() const { return row_count() >= options_.stripe_rows; }
  uint64_t buffered_bytes() const { return charge_.size_bytes(); }

 private:
  struct RowGroup {
    uint32_t row_count = 0;
    uint32_t first_row = 0;
    std::vector<internal::EncodedChunk> chunks;  // one per column
  };
  // The row group that was last read back of a column; kNone before.
  struct ReadBackColumn {
    static constexpr size_t kNone = SIZE_MAX;
    size_t row_group = kNone;
    ColumnVector vector;
  };

  Status CheckSizes(std::span<const Cell> cells) const;
  bool MustCloseRowGroup(std::span<const Cell> cells) const;
  Result<RowGroup> EncodeOpenRows();
  Status CloseRowGroup();
  void AddRowGroup(RowGroup group);
  Status WriteChunks(io::ByteSink& sink, internal::Footer& footer) const;

  const Schema& schema_;
  StripeOptions options_;
  MemoryCharge charge_;
  internal::ChunkEncoder encoder_;
  internal::ChunkDecoder decoder_;
  std::vector<internal::ColumnBuffer> open_columns_;
  uint32_t open_row_count_ = 0;
  uint64_t open_raw_bytes_ = 0;
  uint32_t encoded_row_count_ = 0;
  std::vector<RowGroup> row_groups_;
  std::vector<ReadBackColumn> read_back_;
  bool finished_ = false;
};

Status StripeWriter::Impl::CheckSizes(std::span<const Cell> cells) const {
  for (size_t column = 0; column < cells.size(); ++column) {
    if (schema_.columns[column] == PhysicalType::kBytes && !cells[column].is_null &&
        cells[column].size_bytes > kValueBytesMax) {
      return Status::OutOfRange(StrCat("value of column ", column, " has ",
                                       cells[column].size_bytes, " bytes, at most ", kValueBytesMax,
                                       " fit in a columnar table"));
    }
  }
  return Status::Ok();
}

bool StripeWriter::Impl::MustCloseRowGroup(std::span<const Cell> cells) const {
  if (open_row_count_ == 0) {
    return false;
  }
  // Closing before the row that would pass the bound keeps every chunk within
  // kChunkValueBytesMax, because a single value is.
  return open_row_count_ == options_.row_group_rows ||
         open_raw_bytes_ + RawBytesOf(cells) > options_.row_group_raw_bytes_max;
}

Status StripeWriter::Impl::Append(std::span<const Cell> cells) {
  ASSERT(cells.size() == schema_.column_count());
  ASSERT(!full() && !finished_);
  RETURN_IF_ERROR(CheckSizes(cells));
  if (MustCloseRowGroup(cells)) {
    RETURN_IF_ERROR(CloseRowGroup());
  }
  size_t growth_bytes = 0;
  for (size_t column = 0; column < cells.size(); ++column) {
    growth_bytes += open_columns_[column].GrowthBytes(cells[column]);
  }
  if (growth_bytes > 0) {
    RETURN_IF_ERROR(charge_.Resize(charge_.size_bytes() + growth_bytes));
    for (size_t column = 0; column < cells.size(); ++column) {
      open_columns_[column].Grow(cells[column]);
    }
  }
  for (size_t column = 0; column < cells.size(); ++column) {
    open_columns_[column].Append(cells[column]);
  }
  ++open_row_count_;
  open_raw_bytes_ += RawBytesOf(cells);
  return Status::Ok();
}

Result<StripeWriter::Impl::RowGroup> StripeWriter::Impl::EncodeOpenRows() {
  RowGroup group;
  group.row_count = open_row_count_;
  group.first_row = encoded_row_count_;
  group.chunks.resize(schema_.column_count());
  for (size_t column = 0; column < schema_.column_count(); ++column) {
    RETURN_IF_ERROR(encoder_.Encode(open_columns_[column], group.chunks[column]));
  }
  return group;
}

void StripeWriter::Impl::AddRowGroup(RowGroup group) {
  encoded_row_count_ += group.row_count;
  row_groups_.push_back(std::move(group));
  for (internal::ColumnBuffer& buffer : open_columns_) {
    buffer.Clear();
  }
  open_row_count_ = 0;
  open_raw_bytes_ = 0;
}

// Leaves everything as it was when the budget does not have room for the encoded bytes.
Status StripeWriter::Impl::CloseRowGroup() {
  ASSIGN_OR_RETURN(RowGroup group, EncodeOpenRows());
  size_t encoded_bytes = 0;
  for (const internal::EncodedChunk& chunk : group.chunks) {
    encoded_bytes += sizeof(chunk) + chunk.bytes.capacity();
  }
  RETURN_IF_ERROR(charge_.Resize(charge_.size_bytes() + encoded_bytes));
  AddRowGroup(std::move(group));
  return Status::Ok();
}

Status StripeWriter::Impl::WriteChunks(io::ByteSink& sink, internal::Footer& footer) const {
  for (size_t column = 0; column < schema_.column_count(); ++column) {
    for (const RowGroup& group : row_groups_) {
      const internal::EncodedChunk& chunk = group.chunks[column];
      RETURN_IF_ERROR(sink.Append(chunk.bytes));
      footer.chunks.push_back(chunk.stored);
    }
  }
  return Status::Ok();
}

Result<StripeLocation> StripeWriter::Impl::Finish(io::ByteSink& sink) {
  ASSERT(row_count() > 0);
  ASSERT(!finished_);
  finished_ = true;
  // Not charged: encoded bytes replace raw ones that are, so that a writer which has used up its
  // budget can still finish.
  if (open_row_count_ > 0) {
    ASSIGN_OR_RETURN(RowGroup group, EncodeOpenRows());
    AddRowGroup(std::move(group));
  }
  internal::Footer footer;
  footer.schema = schema_;
  footer.row_count = row_count();
  for (const RowGroup& group : row_groups_) {
    footer.row_group_rows.push_back(group.row_count);
  }
  RETURN_IF_ERROR(WriteChunks(sink, footer));
  std::vector<std::byte> footer_bytes;
  internal::EncodeFooter(footer, footer_bytes);
  RETURN_IF_ERROR(sink.Append(footer_bytes));
  uint64_t size_bytes = footer_bytes.size();
  for (const internal::StoredChunk& chunk : footer.chunks) {
    size_bytes += chunk.info.size_bytes;
  }
  return StripeLocation{.size_bytes = size_bytes,
                        .footer_size_bytes = static_cast<uint32_t>(footer_bytes.size()),
                        .row_count = row_count(),
                        .row_group_count = static_cast<uint32_t>(row_groups_.size())};
}

Result<Cell> StripeWriter::Impl::ReadBack(uint32_t row, uint32_t column) {
  ASSERT(row < row_count());
  ASSERT(column < schema_.column_count());
  if (row >= encoded_row_count_) {
    return open_columns_[column].At(row - encoded_row_count_);
  }
  auto const after = std::upper_bound(
      row_groups_.begin(), row_groups_.end(), row,
      [](uint32_t wanted, const RowGroup& group) { return wanted < group.first_row; });
  auto const index = static_cast<size_t>(after - row_groups_.begin()) - 1;
  const RowGroup& group = row_groups_[index];
  ReadBackColumn& cached = read_back_[column];
  if (cached.row_group != index) {
    cached.row_group = ReadBackColumn::kNone;
    const internal::EncodedChunk& chunk = group.chunks[column];
    RETURN_IF_ERROR(
        decoder_.Decode(schema_.columns[column], chunk.stored, chunk.bytes, cached.vector));
    cached.row_group = index;
  }
  uint32_t const row_in_group = row - group.first_row;
  if (cached.vector.IsNull(row_in_group)) {
    return Cell::Null();
  }
  if (cached.vector.type == PhysicalType::kBytes) {
    return Cell::Bytes(cached.vector.BytesAt(row_in_group));
  }
  uint32_t const width_bytes = WidthBytes(cached.vector.type);
  uint64_t word = 0;
  std::memcpy(&word,
              reinterpret_cast<const std::byte*>(cached.vector.fixed_words.data()) +
                  size_t{row_in_group} * width_bytes,
              width_bytes);
  return Cell::Word(internal::NormalizeWord(cached.vector.type, word));
}

StripeWriter::StripeWriter(const Schema& schema, const StripeOptions& options, MemoryBudget& budget)
    : impl_(std::make_unique<Impl>(schema, options, budget)) {}
StripeWriter::~StripeWriter() = default;

Status StripeWriter::Append(std::span<const Cell> cells) {
  return impl_->Append(cells);
}
Result<StripeLocation> StripeWriter::Finish(io::ByteSink& sink) {
  return impl_->Finish(sink);
}
uint32_t StripeWriter::row_count() const {
  return impl_->row_count();
}
bool StripeWriter::full() const {
  return impl_->full();
}
uint64_t StripeWriter::buffered_bytes() const {
  return impl_->buffered_bytes();
}
Result<Cell> StripeWriter::ReadBack(uint32_t row, uint32_t column) {
  return impl_->ReadBack(row, column);
}

}  // namespace orochi::columnar
