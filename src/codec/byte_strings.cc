#include "codec/byte_strings.h"

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_writer.h"

namespace orochi::codec {

ByteStringsPlan PlanByteStrings(const ByteStrings& strings) {
  ASSERT(strings.count() > 0);
  ByteStringsPlan plan;
  plan.lengths.reserve(strings.count());
  uint32_t begin = 0;
  for (uint32_t const end : strings.ends) {
    plan.lengths.push_back(int64_t{end} - int64_t{begin});
    begin = end;
  }
  ASSERT(begin == strings.bytes.size());
  plan.frame = PlanFrameOfReference(plan.lengths);
  plan.size_bytes = plan.frame.size_bytes + strings.bytes.size();
  return plan;
}

void EncodeByteStrings(const ByteStrings& strings, const ByteStringsPlan& plan,
                       std::vector<std::byte>& out) {
  EncodeFrameOfReference(plan.lengths, plan.frame, out);
  AppendSpan(out, strings.bytes);
}

Status DecodeByteStrings(ByteReader& reader, size_t count, std::vector<uint32_t>& offsets,
                         std::span<const std::byte>& bytes) {
  ASSERT(count > 0);
  offsets.resize(count + 1);
  offsets[0] = 0;
  RETURN_IF_ERROR(DecodeFrameOfReference(reader, std::span(offsets).subspan(1)));
  uint64_t end = 0;  // wider than what it is stored in, so that it cannot wrap
  for (size_t index = 1; index <= count; ++index) {
    end += offsets[index];
    offsets[index] = static_cast<uint32_t>(end);
  }
  if (end > UINT32_MAX || !reader.ReadSpan(end, bytes)) {
    return Status::Corruption(StrCat("byte strings: ", count, " of them have ", end,
                                     " bytes together, ", reader.remaining_bytes(), " are left"));
  }
  return Status::Ok();
}

}  // namespace orochi::codec
