// A log of three segments with any bytes changed, or with any bytes as a segment: it opens or says
// what is wrong; the groups that it gives out are whole, it goes on, and opening it again gives
// the same.
#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "codec/testing/fuzz_input.h"
#include "kv/log/segment_log.h"
#include "kv/log/testing/memory_device.h"

namespace {

using namespace orochi::kv::log;
using orochi::SeededRandom;
using orochi::codec::testing::FuzzInput;
using orochi::codec::testing::Require;
using orochi::kv::log::testing::MemoryDevice;
namespace raft = orochi::raft;

constexpr uint64_t kSegmentBytes = 16 << 10;
constexpr uint64_t kSegments = 3;
constexpr uint64_t kGroups = 3;

LogOptions Options() {
  return {.segment_size_bytes = kSegmentBytes,
          .batch_size_bytes_max = kSegmentBytes / 4,
          .batch_wait_us_max = 0,
          .confirm_after_us = 0,
          .segment_count_min = kSegments + 1,
          .spare_count_max = 0};
}

bool Drain(SegmentLog& log) {
  for (int round = 0; log.Next(0).kind == Decision::Kind::kWrite; ++round) {
    Require(round < 1000, "the log comes to rest");
    WriteOrder const order = log.BuildWrite();
    if (!log.files().Write(order).ok()) {
      return false;
    }
    log.OnWritten(0);
    if (!log.files().Recycle(order).ok()) {
      return false;
    }
  }
  return true;
}

raft::PersistRequest Request(uint64_t sequence, uint64_t first) {
  raft::PersistRequest request;
  request.sequence = sequence;
  request.hard_state = raft::HardState{raft::Term(first), raft::ReplicaId(2), raft::LogIndex(1)};
  for (uint64_t index = first; index < first + 3; ++index) {
    request.entries.push_back({.index = raft::LogIndex(index),
                               .term = raft::Term(first),
                               .payload = std::make_shared<std::string>(100 * (index % 8), 'x')});
  }
  return request;
}

MemoryDevice MakeLog() {
  MemoryDevice device;
  SeededRandom random(1);
  auto log = SegmentLog::Open(Options(), device, random, SegmentLog::Expect::kNew);
  Require(log.ok(), "a new log");
  for (uint64_t round = 0; (*log)->statistics().segment_count < kSegments; ++round) {
    GroupId const group(1 + round % kGroups);
    Require((*log)->Append(group, Request(round + 1, 1 + 2 * (round / kGroups)), 0).ok(), "append");
    Require(Drain(**log), "write");
  }
  return device;
}

std::map<uint64_t, uint64_t> LastEntries(SegmentLog& log) {
  std::map<uint64_t, uint64_t> last;
  for (GroupId const group : log.Groups()) {
    auto const state = log.LoadGroup(group);
    if (!state.ok()) {
      last[group.value()] = UINT64_MAX;
      continue;
    }
    raft::LogIndex index = state->base.index;
    for (const raft::Entry& entry : state->entries) {
      Require(entry.index == index + 1, "entries without holes");
      index = entry.index;
    }
    last[group.value()] = index.value();
  }
  return last;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  static const MemoryDevice kImage = MakeLog();
  MemoryDevice device = kImage;
  FuzzInput input(data, size_bytes);
  uint8_t const mode = input.TakeByte();
  if (mode % 4 == 3) {
    std::vector<std::byte> segment(input.rest().begin(), input.rest().end());
    segment.resize(kSegmentBytes);
    device.Put(SegmentFiles::NameOf(SegmentNumber(1 + mode / 4 % kSegments)), std::move(segment));
  } else {
    while (!input.rest().empty()) {
      uint64_t const segment = input.TakeByte() % kSegments;
      uint64_t const high = input.TakeByte();
      uint64_t const offset = (high << 8 | input.TakeByte()) % kSegmentBytes;
      device.Flip(SegmentFiles::NameOf(SegmentNumber(1 + segment)), offset, input.TakeByte());
    }
  }
  SeededRandom random(2);
  auto log = SegmentLog::Open(Options(), device, random, SegmentLog::Expect::kExisting);
  if (!log.ok()) {
    Require(log.status().code() == orochi::StatusCode::kCorruption, "only damage is in the way");
    return 0;
  }
  auto const last = LastEntries(**log);
  for (const auto& [group, index] : last) {
    if (index == UINT64_MAX) {
      Require(!(*log)->damages().empty(), "a damaged group has its damage");
      Require((*log)->Remove(GroupId(group), raft::ReplicaId(9), 1, 0).ok(), "removed");
    } else {
      Require((*log)->Append(GroupId(group), {}, 0).ok(), "appended");
    }
  }
  Require(Drain(**log), "the log goes on");
  log = SegmentLog::Open(Options(), device, random, SegmentLog::Expect::kExisting);
  Require(log.ok(), "and opens again");
  for (const auto& [group, index] : LastEntries(**log)) {
    auto const before = last.find(group);
    Require(before != last.end() && before->second == index, "with the same in it");
  }
  return 0;
}
