#include "pg/nodes/aggregate_sink.h"

namespace orochi::pg {

PlainSink::PlainSink(std::span<const AggregateCall> calls) : calls_(calls) {
  for (const AggregateCall& call : calls_) {
    accumulators_.emplace_back(call.function.aggregate, call.function.physical);
  }
}

Status PlainSink::TakeRows(uint64_t row_count) {
  for (vexec::Accumulator& accumulator : accumulators_) {
    accumulator.AddRows(row_count);
  }
  return Status::Ok();
}

Status PlainSink::Take(InputBatch& batch) {
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].input.has_value()) {
      accumulators_[i].AddRows(batch.selection().CountSelected());
      continue;
    }
    size_t const input = *calls_[i].input;
    const columnar::ChunkInfo* const chunk = batch.Chunk(input);
    if (chunk != nullptr && accumulators_[i].AddFromStatistics(chunk->statistics, chunk->row_count,
                                                               chunk->null_count)) {
      continue;
    }
    ASSIGN_OR_RETURN(const columnar::ColumnVector* const column, batch.Column(input));
    RETURN_IF_ERROR(accumulators_[i].Add(*column, batch.selection()));
  }
  return Status::Ok();
}

GroupSink::GroupSink(std::vector<columnar::PhysicalType> key_types,
                     std::span<const AggregateCall> calls, size_t memory_limit_bytes)
    : key_count_(key_types.size()),
      calls_(calls),
      memory_limit_bytes_(memory_limit_bytes),
      groups_(std::move(key_types)) {
  for (const AggregateCall& call : calls_) {
    accumulators_.emplace_back(call.function.aggregate, call.function.physical);
  }
}

void GroupSink::Begin(const vexec::GroupTable::Share& share) {
  share_ = share;
  groups_.SetShare(share);
  for (vexec::GroupedAccumulator& accumulator : accumulators_) {
    accumulator.Clear();
  }
  overflowed_ = false;
}

size_t GroupSink::memory_bytes() const {
  size_t size_bytes = groups_.memory_bytes();
  for (const vexec::GroupedAccumulator& accumulator : accumulators_) {
    size_bytes += accumulator.memory_bytes();
  }
  return size_bytes;
}

Status GroupSink::TakeRows(uint64_t) {
  return Status::Internal("rows without their keys were given to a grouped aggregation");
}

Status GroupSink::Take(InputBatch& batch) {
  std::vector<const columnar::ColumnVector*> keys(key_count_);
  for (size_t i = 0; i < key_count_; ++i) {
    ASSIGN_OR_RETURN(keys[i], batch.Column(i));
  }
  selection_ = batch.selection();
  groups_.Assign(keys, selection_, group_of_row_);
  size_t const group_count = groups_.group_count();
  for (size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].input.has_value()) {
      accumulators_[i].AddRows(selection_, group_of_row_, group_count);
      continue;
    }
    ASSIGN_OR_RETURN(const columnar::ColumnVector* const column, batch.Column(*calls_[i].input));
    RETURN_IF_ERROR(accumulators_[i].Add(*column, selection_, group_of_row_, group_count));
  }
  // A single group, and the smallest share, are kept whatever they take.
  if (memory_bytes() > memory_limit_bytes_ && group_count > 1 &&
      share_.modulus < vexec::GroupTable::kModulusMax) {
    overflowed_ = true;
    return Status::ResourceExhausted("too many groups for one pass");
  }
  return Status::Ok();
}

}  // namespace orochi::pg
