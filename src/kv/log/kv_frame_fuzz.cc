// Any bytes read as a frame's head; what was read is written and is the same again.
#include <algorithm>
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/log/frame.h"
#include "kv/log/segment_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv::log;
  using orochi::codec::testing::Require;
  constexpr uint32_t kBlockBytes = 512;
  auto const bytes = std::as_bytes(std::span(data, size_bytes));
  auto const found = DecodeFrameHead(bytes);
  if (found) {
    Require(found->size_bytes <= size_bytes, "a frame lies within its bytes");
    FrameBuilder builder;
    std::vector<uint64_t> const offsets = PayloadOffsets(found->records);
    bool whole = true;
    for (size_t index = 0; index < found->records.size(); ++index) {
      const RecordHead& record = found->records[index];
      auto const payload = bytes.subspan(offsets[index], record.size_bytes);
      whole = whole && PayloadMatches(record, payload);
      builder.AddOwned(record,
                       std::string(reinterpret_cast<const char*>(payload.data()), payload.size()));
    }
    if (whole) {
      FrameHead head = *found;
      AlignedBuffer const again = builder.Finish(head, kBlockBytes);
      Require(std::equal(again.span().begin(),
                         again.span().begin() + static_cast<ptrdiff_t>(found->size_bytes),
                         bytes.begin()),
              "a frame that is read and written is the same");
    }
  }
  SegmentScan const scan =
      ScanSegment(bytes, {.log_id = {}, .segment = SegmentNumber(1)}, kBlockBytes);
  uint64_t end = 0;
  for (const ScannedFrame& frame : scan.frames) {
    Require(frame.head.offset_bytes >= end, "frames follow each other");
    end = frame.head.offset_bytes + frame.head.size_bytes;
  }
  return 0;
}
