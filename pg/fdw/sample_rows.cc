// ANALYZE: a random sample of the rows of a foreign table. Large tables are read in part, by ranges
// of tokens, which are hashes of the keys and so as good as random.

#include "pg/fdw/sample_rows.h"

#include <limits>

#include "pg/fdw/sstable_scan.h"

extern "C" {
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "commands/vacuum.h"
#include "utils/rel.h"
#include "utils/sampling.h"
}

namespace orochi::pg {
namespace {

// About so much data is decoded for one ANALYZE.
constexpr uint64_t kSampledBytesMax = uint64_t{256} << 20;
constexpr uint64_t kRangeCount = 64;

// The sample while it is taken: algorithm Z of PostgreSQL's own sampling.
class Reservoir {
 public:
  Reservoir(HeapTuple* rows, int capacity) : rows_(rows), capacity_(capacity) {
    TryPg([&]() noexcept { reservoir_init_selection_state(&state_, capacity_); });
  }

  void Add(TupleDesc descriptor, Datum* values, bool* nulls) {
    seen_ += 1;
    int place = count_;
    if (count_ == capacity_) {
      if (to_skip_ < 0) {
        to_skip_ =
            TryPg([&]() noexcept { return reservoir_get_next_S(&state_, seen_ - 1, capacity_); });
      }
      to_skip_ -= 1;
      if (to_skip_ >= 0) {
        return;
      }
      place = static_cast<int>(capacity_ * sampler_random_fract(&state_.randstate));
    }
    TryPg([&]() noexcept {
      if (place < count_) {
        heap_freetuple(rows_[place]);
      }
      rows_[place] = heap_form_tuple(descriptor, values, nulls);
    });
    count_ = std::max(count_, place + 1);
  }

  int count() const { return count_; }
  double seen() const { return seen_; }

 private:
  HeapTuple* rows_;
  int capacity_;
  ReservoirStateData state_ = {};
  int count_ = 0;
  double seen_ = 0;
  double to_skip_ = -1;
};

Status ReadInto(SstableScan& scan, TupleDesc descriptor, MemoryContext row_context,
                Reservoir& reservoir) {
  std::vector<Datum> values(static_cast<size_t>(descriptor->natts));
  std::vector<char> nulls(values.size());
  auto* const null_flags = reinterpret_cast<bool*>(nulls.data());
  while (true) {
    CheckInterrupts();
    MemoryContextReset(row_context);
    bool found = false;
    {
      ContextScope const scope(row_context);
      ASSIGN_OR_RETURN(found, scan.Next(values.data(), null_flags));
    }
    if (!found) {
      return Status::Ok();
    }
    reservoir.Add(descriptor, values.data(), null_flags);
  }
}

// Reads every row, or `fraction` of the ring, spread over it.
Status Sample(SstableScan& scan, TupleDesc descriptor, double fraction, MemoryContext row_context,
              Reservoir& reservoir) {
  if (fraction >= 1) {
    RETURN_IF_ERROR(scan.Restart({}));
    return ReadInto(scan, descriptor, row_context, reservoir);
  }
  auto const step = static_cast<uint64_t>(0x1p64 / kRangeCount);
  auto const width = static_cast<uint64_t>(static_cast<double>(step) * fraction);
  pg_prng_state random = {};
  sampler_random_init_state(MyProcPid, &random);
  for (uint64_t range = 0; range < kRangeCount; ++range) {
    double const shift = sampler_random_fract(&random) * static_cast<double>(step - width);
    uint64_t const first = range * step + static_cast<uint64_t>(shift);
    RETURN_IF_ERROR(scan.RestartTokens(sstable::Token{.position = first}.murmur3(),
                                       sstable::Token{.position = first + width - 1}.murmur3()));
    RETURN_IF_ERROR(ReadInto(scan, descriptor, row_context, reservoir));
  }
  return Status::Ok();
}

int AcquireRows(Relation relation, int log_level, HeapTuple* rows, int target_count,
                double* total_rows, double* total_dead_rows) {
  return Boundary([&]() -> Result<int> {
    TupleDesc const descriptor = RelationGetDescr(relation);
    std::vector<AttrNumber> wanted;
    for (int number = 1; number <= descriptor->natts; ++number) {
      wanted.push_back(static_cast<AttrNumber>(number));
    }
    ASSIGN_OR_RETURN(auto const scan, SstableScan::Open(RelationGetRelid(relation), descriptor,
                                                        std::move(wanted), {}));
    uint64_t const size_bytes = scan->table().data_size_bytes();
    bool const hashed =
        scan->table().source().layout().partitioner == sstable::Partitioner::kMurmur3;
    double const fraction =
        hashed && size_bytes > kSampledBytesMax
            ? static_cast<double>(kSampledBytesMax) / static_cast<double>(size_bytes)
            : 1.0;
    MemoryContext const row_context = TryPg([]() noexcept {
      return AllocSetContextCreate(CurrentMemoryContext, "orochi sstable sample",
                                   ALLOCSET_DEFAULT_SIZES);
    });
    Reservoir reservoir(rows, target_count);
    RETURN_IF_ERROR(Sample(*scan, descriptor, fraction, row_context, reservoir));
    *total_rows = reservoir.seen() / fraction;
    *total_dead_rows = 0;
    double const seen = reservoir.seen();
    int const count = reservoir.count();
    TryPg([&]() noexcept {
      MemoryContextDelete(row_context);
      ereport(log_level, (errmsg("\"%s\": read %.0f rows of SSTables, %.1f %% of the ring; %d rows "
                                 "in sample, %.0f estimated total rows",
                                 RelationGetRelationName(relation), seen, fraction * 100, count,
                                 *total_rows)));
    });
    return count;
  });
}

}  // namespace

bool AnalyzeTable(Relation relation, AcquireSampleRowsFunc* function, BlockNumber* total_pages) {
  return Boundary([&]() -> Result<bool> {
    ASSIGN_OR_RETURN(TableOptions const options, ReadTableOptions(RelationGetRelid(relation)));
    ASSIGN_OR_RETURN(auto const table, OpenTable::Open(options));
    uint64_t const pages = (table->stored_size_bytes() + BLCKSZ - 1) / BLCKSZ;
    *total_pages = static_cast<BlockNumber>(std::clamp<uint64_t>(pages, 1, MaxBlockNumber));
    *function = &AcquireRows;
    return true;
  });
}

}  // namespace orochi::pg
