#include "columnar/internal/value_encoder.h"

#include <algorithm>

#include "base/assert.h"
#include "codec/byte_writer.h"
#include "codec/gorilla.h"
#include "codec/varint.h"

namespace orochi::columnar::internal {
namespace {

// Runs and dictionaries of more entries than this share of the values never pay.
constexpr size_t kValuesPerEntryMin = 2;

// Of equal sizes the first is taken, so the fastest to decode come first.
constexpr Encoding kByDecodingSpeed[] = {
    Encoding::kConstant, Encoding::kPlain,      Encoding::kFrameOfReference, Encoding::kRunLength,
    Encoding::kDelta,    Encoding::kDictionary, Encoding::kDecimal,          Encoding::kGorilla};

void AppendWord(uint64_t word, uint32_t width_bytes, std::vector<std::byte>& out) {
  codec::AppendSpan(out, std::as_bytes(std::span(&word, 1)).first(width_bytes));
}

}  // namespace

bool ValueEncoder::is_integer() const {
  switch (buffer_->type()) {
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
      return true;
    case PhysicalType::kFloat32:
    case PhysicalType::kFloat64:
    case PhysicalType::kBytes:
      return false;
  }
  return false;
}

bool ValueEncoder::is_float() const {
  return buffer_->type() == PhysicalType::kFloat32 || buffer_->type() == PhysicalType::kFloat64;
}

std::span<const int64_t> ValueEncoder::integers() const {
  return {reinterpret_cast<const int64_t*>(buffer_->words().data()), buffer_->words().size()};
}

void ValueEncoder::Plan(const ColumnBuffer& buffer) {
  ASSERT(buffer.value_count() > 0);
  buffer_ = &buffer;
  std::fill(std::begin(size_bytes_), std::end(size_bytes_), std::nullopt);
  auto const size_of = [this](Encoding encoding) -> std::optional<size_t>& {
    return size_bytes_[static_cast<size_t>(encoding)];
  };
  if (is_bytes()) {
    strings_plan_ = codec::PlanByteStrings(strings());
    size_of(Encoding::kPlain) = strings_plan_.size_bytes;
    codec::FindRuns(strings(), runs_);
  } else {
    size_of(Encoding::kPlain) = buffer.words().size() * WidthBytes(buffer.type());
    codec::FindRuns(buffer.words(), runs_);
  }
  if (runs_.starts.size() == 1) {
    size_of(Encoding::kConstant) =
        is_bytes() ? strings().At(0).size() : size_t{WidthBytes(buffer.type())};
    return;  // nothing is smaller
  }
  PlanRuns();
  if (is_integer()) {
    PlanIntegers();
  }
  if (is_float()) {
    PlanFloats();
  }
  if (buffer.type() != PhysicalType::kBool) {
    PlanDictionary();
  }
}

void ValueEncoder::PlanRuns() {
  size_t const run_count = runs_.starts.size();
  if (run_count * kValuesPerEntryMin > buffer_->value_count()) {
    return;
  }
  size_t values_size_bytes = 0;
  if (is_integer()) {
    run_integers_.clear();
    for (uint32_t const start : runs_.starts) {
      run_integers_.push_back(integers()[start]);
    }
    run_frame_ = codec::PlanFrameOfReference(run_integers_);
    values_size_bytes = run_frame_.size_bytes;
  } else if (is_float()) {
    values_size_bytes = run_count * WidthBytes(buffer_->type());
  } else {
    run_ends_.clear();
    run_bytes_.clear();
    for (uint32_t const start : runs_.starts) {
      codec::AppendSpan(run_bytes_, strings().At(start));
      run_ends_.push_back(static_cast<uint32_t>(run_bytes_.size()));
    }
    run_strings_ = codec::PlanByteStrings({run_ends_, run_bytes_});
    values_size_bytes = run_strings_.size_bytes;
  }
  size_bytes_[static_cast<size_t>(Encoding::kRunLength)] =
      codec::RunLengthsSizeBytes(runs_) + values_size_bytes;
}

void ValueEncoder::PlanIntegers() {
  frame_ = codec::PlanFrameOfReference(integers());
  size_bytes_[static_cast<size_t>(Encoding::kFrameOfReference)] = frame_.size_bytes;
  codec::TakeDifferences(integers(), differences_);
  delta_ = codec::PlanDelta(integers(), differences_);
  size_bytes_[static_cast<size_t>(Encoding::kDelta)] = delta_.size_bytes;
}

// Last, because a dictionary whose entries alone are larger than another encoding need not be
// finished: most columns give up after a few values.
void ValueEncoder::PlanDictionary() {
  size_t const entry_count_max = buffer_->value_count() / kValuesPerEntryMin;
  std::optional<size_t>& size_bytes = size_bytes_[static_cast<size_t>(Encoding::kDictionary)];
  if (is_bytes()) {
    if (codec::BuildDictionary(strings(), entry_count_max, byte_dictionary_)) {
      size_bytes = byte_dictionary_.size_bytes;
    }
    return;
  }
  uint32_t const width_bytes = WidthBytes(buffer_->type());
  size_t const paying_count_max = *SizeBytes(Smallest()) / width_bytes;
  if (codec::BuildDictionary(buffer_->words(), width_bytes,
                             std::min(entry_count_max, paying_count_max), word_dictionary_)) {
    size_bytes = word_dictionary_.size_bytes;
  }
}

void ValueEncoder::PlanFloats() {
  if (buffer_->type() == PhysicalType::kFloat32) {
    PlanFloatsOf(patterns32_);
  } else {
    PlanFloatsOf(patterns64_);
  }
}

template <class Unsigned>
void ValueEncoder::PlanFloatsOf(std::vector<Unsigned>& patterns) {
  patterns.clear();
  patterns.reserve(buffer_->words().size());
  for (uint64_t const word : buffer_->words()) {
    patterns.push_back(static_cast<Unsigned>(word));
  }
  std::span<const Unsigned> const values = patterns;
  decimal_ = codec::PlanDecimal(values);
  if (decimal_) {
    decimal_bytes_.clear();
    codec::EncodeDecimal(values, *decimal_, decimal_bytes_);
    size_bytes_[static_cast<size_t>(Encoding::kDecimal)] = decimal_bytes_.size();
  }
  // The size is known only by encoding, which is not worth it beside a good decimal form.
  if (!decimal_ || decimal_bytes_.size() * 4 > values.size_bytes()) {
    gorilla_bytes_.clear();
    codec::EncodeGorilla(values, gorilla_bytes_);
    size_bytes_[static_cast<size_t>(Encoding::kGorilla)] = gorilla_bytes_.size();
  }
}

std::optional<size_t> ValueEncoder::SizeBytes(Encoding encoding) const {
  return size_bytes_[static_cast<size_t>(encoding)];
}

Encoding ValueEncoder::Smallest() const {
  Encoding smallest = Encoding::kPlain;
  size_t size_bytes = SIZE_MAX;
  for (Encoding const encoding : kByDecodingSpeed) {
    std::optional<size_t> const candidate = SizeBytes(encoding);
    if (candidate && *candidate < size_bytes) {
      smallest = encoding;
      size_bytes = *candidate;
    }
  }
  ASSERT(size_bytes != SIZE_MAX);
  return smallest;
}

void ValueEncoder::Encode(Encoding encoding, std::vector<std::byte>& out) const {
  std::optional<size_t> const promised = SizeBytes(encoding);
  ASSERT(promised.has_value());
  size_t const begin = out.size();
  switch (encoding) {
    case Encoding::kPlain:
      EncodePlain(out);
      break;
    case Encoding::kConstant:
      EncodeConstant(out);
      break;
    case Encoding::kRunLength:
      EncodeRuns(out);
      break;
    case Encoding::kFrameOfReference:
      codec::EncodeFrameOfReference(integers(), frame_, out);
      break;
    case Encoding::kDelta:
      codec::EncodeDelta(integers(), differences_, delta_, out);
      break;
    case Encoding::kDictionary:
      if (is_bytes()) {
        codec::EncodeDictionary(byte_dictionary_, out);
      } else {
        codec::EncodeDictionary(word_dictionary_, WidthBytes(buffer_->type()), out);
      }
      break;
    case Encoding::kGorilla:
      codec::AppendSpan(out, gorilla_bytes_);
      break;
    case Encoding::kDecimal:
      codec::AppendSpan(out, decimal_bytes_);
      break;
  }
  ASSERT(out.size() - begin == *promised);
}

void ValueEncoder::EncodePlain(std::vector<std::byte>& out) const {
  if (is_bytes()) {
    codec::EncodeByteStrings(strings(), strings_plan_, out);
    return;
  }
  uint32_t const width_bytes = WidthBytes(buffer_->type());
  for (uint64_t const word : buffer_->words()) {
    AppendWord(word, width_bytes, out);
  }
}

void ValueEncoder::EncodeConstant(std::vector<std::byte>& out) const {
  if (is_bytes()) {
    codec::AppendSpan(out, strings().At(0));
  } else {
    AppendWord(buffer_->words()[0], WidthBytes(buffer_->type()), out);
  }
}

void ValueEncoder::EncodeRuns(std::vector<std::byte>& out) const {
  codec::EncodeRunLengths(runs_, out);
  if (is_integer()) {
    codec::EncodeFrameOfReference(run_integers_, run_frame_, out);
  } else if (is_float()) {
    for (uint32_t const start : runs_.starts) {
      AppendWord(buffer_->words()[start], WidthBytes(buffer_->type()), out);
    }
  } else {
    codec::EncodeByteStrings({run_ends_, run_bytes_}, run_strings_, out);
  }
}

}  // namespace orochi::columnar::internal
