#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/byte_strings.h"
#include "codec/decimal.h"
#include "codec/delta.h"
#include "codec/dictionary.h"
#include "codec/frame_of_reference.h"
#include "codec/run_length.h"
#include "columnar/encoding.h"
#include "columnar/internal/column_buffer.h"

namespace orochi::columnar::internal {

/// Lays out the non-NULL values of a column buffer. docs/formats/columnar.md describes what each
/// encoding writes for each type.
///
/// Life:    Plan -> (SizeBytes | Smallest | Encode)*, and again. Scratch space is kept.
/// Threads: none.    Borrows: the planned buffer, until the next Plan.
class ValueEncoder {
 public:
  /// Looks at the values once and prepares every encoding that may pay.
  /// REQUIRES: buffer.value_count() > 0.
  void Plan(const ColumnBuffer& buffer);

  /// Exact. Nothing when the encoding does not apply to the type, or cannot pay for these values.
  std::optional<size_t> SizeBytes(Encoding encoding) const;

  /// The smallest one; of equals, the one that is fastest to decode.
  Encoding Smallest() const;

  /// Appends to `out`. REQUIRES: SizeBytes(encoding) has a value.
  void Encode(Encoding encoding, std::vector<std::byte>& out) const;

 private:
  void PlanIntegers();
  void PlanRuns();
  void PlanDictionary();
  void PlanFloats();
  template <class Unsigned>
  void PlanFloatsOf(std::vector<Unsigned>& patterns);

  void EncodePlain(std::vector<std::byte>& out) const;
  void EncodeConstant(std::vector<std::byte>& out) const;
  void EncodeRuns(std::vector<std::byte>& out) const;

  bool is_integer() const;
  bool is_float() const;
  bool is_bytes() const { return buffer_->type() == PhysicalType::kBytes; }
  std::span<const int64_t> integers() const;
  codec::ByteStrings strings() const { return {buffer_->ends(), buffer_->bytes()}; }

  const ColumnBuffer* buffer_ = nullptr;
  std::optional<size_t> size_bytes_[8];  // by encoding number

  codec::Runs runs_;
  std::vector<int64_t> run_integers_;
  codec::FrameOfReferencePlan run_frame_;
  std::vector<uint32_t> run_ends_;
  std::vector<std::byte> run_bytes_;
  codec::ByteStringsPlan run_strings_;

  codec::FrameOfReferencePlan frame_;
  std::vector<int64_t> differences_;
  codec::DeltaPlan delta_;
  codec::ByteStringsPlan strings_plan_;
  codec::WordDictionary word_dictionary_;
  codec::ByteDictionary byte_dictionary_;
  std::vector<uint32_t> patterns32_;
  std::vector<uint64_t> patterns64_;
  std::optional<codec::DecimalPlan> decimal_;
  std::vector<std::byte> decimal_bytes_;
  std::vector<std::byte> gorilla_bytes_;
};

}  // namespace orochi::columnar::internal
