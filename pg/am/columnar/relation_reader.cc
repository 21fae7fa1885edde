#include "pg/am/columnar/relation_reader.h"

#include "base/str_cat.h"
#include "pg/am/columnar/handler.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace {

// So many blocks in no visible stripe are looked at without asking whose they are.
constexpr uint64_t kUnexplainedBlocksMax = 32;

size_t FooterBytes(size_t row_group_count, size_t column_count) {
  return row_group_count * column_count * sizeof(columnar::ChunkInfo);
}

size_t FooterBytes(const columnar::StripeReader& stripe) {
  return FooterBytes(stripe.row_group_count(), stripe.schema().column_count());
}

// PostgreSQL's own messages name a file and a block; people know tables.
void AddContext(const CaughtError& error, const std::string& line) noexcept {
  ErrorData& data = *error.data;
  size_t const old_size = data.context == nullptr ? 0 : std::strlen(data.context) + 1;
  auto* const text = static_cast<char*>(MemoryContextAllocExtended(
      data.assoc_context, old_size + line.size() + 1, MCXT_ALLOC_NO_OOM));
  if (text == nullptr) {
    return;
  }
  if (old_size > 0) {
    std::memcpy(text, data.context, old_size - 1);
    text[old_size - 1] = '\n';
  }
  std::memcpy(text + old_size, line.c_str(), line.size() + 1);
  data.context = text;
}

}  // namespace

bool IsColumnar(Relation relation) {
  return relation->rd_tableam == ColumnarRoutine();
}

ColumnarReader::ColumnarReader(Relation relation) : relation_(relation), file_(relation) {
  Adopt(RelationGetDescr(relation));
}

void ColumnarReader::Adopt(TupleDesc descriptor) {
  descriptor_ = descriptor;
  auto const count = static_cast<size_t>(descriptor->natts);
  bool same = types_.size() == count;
  for (size_t i = 0; i < count && same; ++i) {
    same = IsTypeOf(types_[i], *TupleDescAttr(descriptor, i));
  }
  if (same) {
    return;
  }
  std::vector<ColumnType> types;
  types.reserve(count);
  for (int i = 0; i < descriptor->natts; ++i) {
    types.push_back(ColumnTypeOf(*TupleDescAttr(descriptor, i)));
  }
  types_ = std::move(types);
  ++descriptor_changes_;
}

void ColumnarReader::Rebind(Relation relation) {
  relation_ = relation;
  file_ = StreamFile(relation);
  Adopt(RelationGetDescr(relation));
}

Result<std::unique_ptr<ColumnarReader>> ColumnarReader::Open(Relation relation, Snapshot snapshot) {
  RETURN_IF_ERROR(WriteOutPending(relation));
  ASSIGN_OR_RETURN(auto reader, OpenForFetch(relation));
  TryPg([&]() noexcept { PredicateLockRelation(relation, snapshot); });
  if (reader->storage_id_ != 0) {
    reader->stripes_ =
        stripe_catalog::List(reader->storage_id_, reader->moved_stripe_count_, snapshot);
  }
  for (const StripeEntry& entry : reader->stripes_) {
    reader->row_count_ += entry.row_count;
  }
  reader->snapshot_ = snapshot;
  reader->row_blocks_ = row_pages::Blocks(relation, reader->stripes_);
  if (reader->storage_id_ != 0 && reader->row_blocks_.unknown_count() > kUnexplainedBlocksMax) {
    // Perhaps stripes that somebody is loading: their pages need not be read to know it.
    reader->row_blocks_.Skip(stripe_catalog::ListWritten(reader->storage_id_));
  }
  return reader;
}

Result<std::unique_ptr<ColumnarReader>> ColumnarReader::OpenForFetch(Relation relation) {
  auto reader = std::unique_ptr<ColumnarReader>(new ColumnarReader(relation));
  Metapage const metapage = TryPg([&]() noexcept -> Metapage { return ReadMetapage(relation); });
  reader->storage_id_ = metapage.storage_id;
  reader->Refresh(metapage);
  return reader;
}

void ColumnarReader::Refresh(const Metapage& metapage) {
  ASSERT(metapage.storage_id == storage_id_);
  moved_stripe_count_ = metapage.moved_stripe_count;
  has_stubs_ = metapage.stub_directory_levels > 0;
}

void ColumnarReader::FindHidden(uint64_t first_row, uint32_t row_count, HiddenRows& out) const {
  out.count_ = 0;
  if (!has_stubs_) {
    return;
  }
  row_stub::HiddenBits const found = TryPg([&]() noexcept -> row_stub::HiddenBits {
    Snapshot const snapshot = snapshot_->snapshot_type == SNAPSHOT_ANY ? SnapshotSelf : snapshot_;
    return row_stub::FindHidden(relation_, first_row, row_count, snapshot);
  });
  if (found.words != nullptr) {
    out.words_.assign(found.words, found.words + (row_count + 63) / 64);
    out.count_ = found.hidden_count;
    pfree(found.words);
  }
}

std::optional<StripeEntry> ColumnarReader::FindStripeOf(uint64_t row_number,
                                                        Snapshot snapshot) const {
  if (storage_id_ == 0) {
    return std::nullopt;
  }
  return stripe_catalog::Find(storage_id_, moved_stripe_count_, row_number, snapshot);
}

std::string ColumnarReader::NameOf(const StripeEntry& entry) const {
  return StrCat("columnar table \"", RelationGetRelationName(relation_), "\", stripe ",
                entry.stripe_number);
}

std::string ColumnarReader::NameOfColumn(uint32_t row_group, AttrNumber attribute) const {
  ASSERT(open_entry_.has_value());
  return StrCat(NameOf(*open_entry_), ", row group ", row_group, ", column \"",
                NameStr(TupleDescAttr(descriptor_, attribute - 1)->attname), "\"");
}

Result<const columnar::StripeReader*> ColumnarReader::Stripe(size_t stripe) {
  ASSERT(stripe < stripes_.size());
  return OpenEntry(stripes_[stripe]);
}

Result<const columnar::StripeReader*> ColumnarReader::OpenEntry(const StripeEntry& entry) {
  if (open_entry_ && open_entry_->stripe_number == entry.stripe_number &&
      open_entry_->offset_bytes == entry.offset_bytes) {
    return open_;
  }
  auto const key = std::pair(entry.stripe_number, entry.offset_bytes);
  auto found = footers_.find(key);
  if (found == footers_.end()) {
    open_entry_.reset();
    size_t const size_bytes = FooterBytes(entry.row_group_count, types_.size());
    while (!footers_.empty() &&
           (footers_.size() >= kOpenStripesMax || footers_bytes_ + size_bytes > kFootersBytesMax)) {
      footers_bytes_ -= FooterBytes(footers_.begin()->second);
      footers_.erase(footers_.begin());
    }
    try {
      auto opened = columnar::StripeReader::Open(file_,
                                                 {.offset_bytes = entry.offset_bytes,
                                                  .size_bytes = entry.size_bytes,
                                                  .footer_size_bytes = entry.footer_size_bytes},
                                                 &scratch_);
      if (!opened.ok()) {
        return std::move(opened).status().WithContext(NameOf(entry));
      }
      if (opened->row_count() != entry.row_count ||
          opened->row_group_count() != entry.row_group_count) {
        return Status::Corruption(StrCat(NameOf(entry), ": footer has ", opened->row_count(),
                                         " rows in ", opened->row_group_count(), " row groups of ",
                                         opened->schema().column_count(), " columns, expected ",
                                         entry.row_count, " rows in ", entry.row_group_count,
                                         " row groups of at most ", types_.size(), " columns"));
      }
      found = footers_.emplace(key, *std::move(opened)).first;
      footers_bytes_ += FooterBytes(found->second);
    } catch (const CaughtError& error) {
      AddContext(error, StrCat("reading the footer of ", NameOf(entry)));
      throw;
    }
  }
  open_ = &found->second;
  open_entry_ = entry;
  return open_;
}

const columnar::ChunkInfo* ColumnarReader::Chunk(uint32_t row_group, AttrNumber attribute) const {
  ASSERT(open_entry_.has_value());
  auto const column = static_cast<uint32_t>(attribute - 1);
  return column < open_->schema().column_count() ? &open_->chunk(row_group, column) : nullptr;
}

Status ColumnarReader::ReadColumn(size_t stripe, uint32_t row_group, AttrNumber attribute,
                                  columnar::ColumnVector& out) {
  ASSIGN_OR_RETURN(const columnar::StripeReader* opened, Stripe(stripe));
  (void)opened;
  return ReadColumnOfOpen(row_group, attribute, out);
}

Status ColumnarReader::ReadColumnOfOpen(uint32_t row_group, AttrNumber attribute,
                                        columnar::ColumnVector& out) {
  ASSERT(open_entry_.has_value());
  auto const column = static_cast<uint32_t>(attribute - 1);
  if (column >= open_->schema().column_count()) {
    return FillMissing(attribute, open_->row_group_rows(row_group), out);
  }
  return ReadOfOpen(row_group, attribute, [&] { return open_->ReadChunk(row_group, column, out); });
}

Status ColumnarReader::ReadCellOfOpen(uint32_t row_group, AttrNumber attribute, uint32_t row,
                                      columnar::CellShortcut& shortcut, columnar::Cell& cell) {
  ASSERT(open_entry_.has_value());
  auto const column = static_cast<uint32_t>(attribute - 1);
  if (column >= open_->schema().column_count()) {
    cell = MissingValue(attribute);
    return Status::Ok();
  }
  return ReadOfOpen(row_group, attribute,
                    [&] { return open_->ReadCell(row_group, column, row, &shortcut, cell); });
}

template <class Read>
Status ColumnarReader::ReadOfOpen(uint32_t row_group, AttrNumber attribute, Read read) {
  columnar::PhysicalType const stored = open_->schema().columns[static_cast<size_t>(attribute - 1)];
  // A dropped column no longer says of which type it was.
  if (stored != column_type(attribute).physical && !column_type(attribute).dropped) {
    return Status::Corruption(StrCat(NameOfColumn(row_group, attribute),
                                     ": stored as physical type ", stored, ", expected ",
                                     column_type(attribute).physical));
  }
  try {
    Status status = read();
    return status.ok() ? std::move(status)
                       : std::move(status).WithContext(NameOfColumn(row_group, attribute));
  } catch (const CaughtError& error) {
    AddContext(error, StrCat("reading ", NameOfColumn(row_group, attribute)));
    throw;
  }
}

columnar::Cell ColumnarReader::MissingValue(AttrNumber attribute) const {
  struct Missing {
    Datum value;
    bool is_null;
  };
  const ColumnType& type = column_type(attribute);
  Missing const missing = TryPg([&]() noexcept -> Missing {
    Missing found;
    found.value = getmissingattr(descriptor_, attribute, &found.is_null);
    if (!found.is_null && type.shape == ColumnType::Shape::kVarlena) {
      found.value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(found.value));
    }
    return found;
  });
  return missing.is_null ? columnar::Cell::Null() : CellOf(type, missing.value);
}

Status ColumnarReader::FillMissing(AttrNumber attribute, uint32_t row_count,
                                   columnar::ColumnVector& out) const {
  const ColumnType& type = column_type(attribute);
  columnar::Cell const cell = MissingValue(attribute);
  out.type = type.physical;
  out.row_count = row_count;
  out.null_count = cell.is_null ? row_count : 0;
  out.valid_words.assign((row_count + 63) / 64, 0);
  uint32_t const width_bytes = columnar::WidthBytes(type.physical);
  if (width_bytes > 0) {
    out.fixed_words.assign((uint64_t{row_count} * width_bytes + 7) / 8, 0);
    auto* const bytes = reinterpret_cast<std::byte*>(out.fixed_words.data());
    for (uint32_t row = 0; row < row_count && !cell.is_null; ++row) {
      std::memcpy(bytes + uint64_t{row} * width_bytes, &cell.word, width_bytes);
    }
    return Status::Ok();
  }
  if (uint64_t{cell.size_bytes} * row_count > UINT32_MAX) {
    return Status::ResourceExhausted(StrCat(
        "the default of column \"", NameStr(TupleDescAttr(descriptor_, attribute - 1)->attname),
        "\" has ", cell.size_bytes, " bytes, too many to repeat for ", row_count, " rows"));
  }
  out.offsets.resize(size_t{row_count} + 1);
  out.bytes.clear();
  out.bytes.reserve(size_t{row_count} * cell.size_bytes);
  for (uint32_t row = 0; row < row_count; ++row) {
    out.offsets[row] = row * cell.size_bytes;
    out.bytes.insert(out.bytes.end(), cell.data, cell.data + cell.size_bytes);
  }
  out.offsets[row_count] = row_count * cell.size_bytes;
  return Status::Ok();
}

}  // namespace orochi::pg
