#include "codec/delta.h"

#include "base/assert.h"
#include "codec/varint.h"

namespace orochi::codec {

void TakeDifferences(std::span<const int64_t> values, std::vector<int64_t>& differences) {
  ASSERT(!values.empty());
  differences.resize(values.size() - 1);
  for (size_t index = 0; index < differences.size(); ++index) {
    differences[index] = static_cast<int64_t>(static_cast<uint64_t>(values[index + 1]) -
                                              static_cast<uint64_t>(values[index]));
  }
}

DeltaPlan PlanDelta(std::span<const int64_t> values, std::span<const int64_t> differences) {
  ASSERT(differences.size() + 1 == values.size());
  DeltaPlan plan;
  plan.size_bytes = VarintSizeBytes(ZigZagEncode(values[0]));
  if (!differences.empty()) {
    plan.differences = PlanFrameOfReference(differences);
    plan.size_bytes += plan.differences.size_bytes;
  }
  return plan;
}

void EncodeDelta(std::span<const int64_t> values, std::span<const int64_t> differences,
                 const DeltaPlan& plan, std::vector<std::byte>& out) {
  size_t const begin = out.size();
  AppendVarint(out, ZigZagEncode(values[0]));
  if (!differences.empty()) {
    EncodeFrameOfReference(differences, plan.differences, out);
  }
  ASSERT(out.size() - begin == plan.size_bytes);
}

template <class Unsigned>
Status DecodeDelta(ByteReader& reader, std::span<Unsigned> out) {
  ASSERT(!out.empty());
  uint64_t zigzag = 0;
  if (!reader.ReadVarint(zigzag)) {
    return Status::Corruption("delta: no first value");
  }
  out[0] = static_cast<Unsigned>(ZigZagDecode(zigzag));
  if (out.size() == 1) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(DecodeFrameOfReference(reader, out.subspan(1)));
  Unsigned running = out[0];
  for (Unsigned& value : out.subspan(1)) {
    running = static_cast<Unsigned>(running + value);
    value = running;
  }
  return Status::Ok();
}

Status ReadDeltaAt(ByteReader reader, size_t count, size_t index, uint64_t& value) {
  ASSERT(index < count);
  uint64_t zigzag = 0;
  if (!reader.ReadVarint(zigzag)) {
    return Status::Corruption("delta: no first value");
  }
  uint64_t differences = 0;
  if (index > 0) {
    RETURN_IF_ERROR(SumFrameOfReference(reader, count - 1, index, differences));
  }
  value = static_cast<uint64_t>(ZigZagDecode(zigzag)) + differences;
  return Status::Ok();
}

template Status DecodeDelta(ByteReader&, std::span<uint8_t>);
template Status DecodeDelta(ByteReader&, std::span<uint16_t>);
template Status DecodeDelta(ByteReader&, std::span<uint32_t>);
template Status DecodeDelta(ByteReader&, std::span<uint64_t>);

}  // namespace orochi::codec
