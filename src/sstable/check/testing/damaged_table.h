#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "codec/testing/fuzz_input.h"
#include "io/testing/memory_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/format/crc32.h"
#include "sstable/read/reader.h"
#include "sstable/read/verify.h"
#include "sstable/write/rewrite.h"
#include "sstable/write/sstable_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable::testing {

/// A small good table, of which a fuzz target replaces components. Not compressed unless asked for,
/// so that what the fuzzer writes is what the decoders see.
class DamagedTable {
 public:
  explicit DamagedTable(Version version, bool compressed = false, uint32_t row_count_max = 30)
      : descriptor_{version, "1"} {
    files_.CreateDirectories("t").IgnoreError("in memory");
    files_.CreateDirectories("out").IgnoreError("in memory");
    SeededRandom random(5);
    RandomTableOptions const table = {.partition_count = 3, .row_count_max = row_count_max};
    layout_ = RandomTableLayout(table);
    partitions_ = RandomPartitions(random, layout_, table);
    WriterOptions options;
    options.version = version;
    if (compressed) {
      options.compression->chunk_size_bytes = 1024;
    } else {
      options.compression.reset();
    }
    options.row_block_size_bytes = 256;
    auto writer = SstableWriter::Create(files_, "t", layout_, options);
    OwnedStream source(layout_, partitions_, false);
    WriteStream(source, **writer).IgnoreError("checked by the first lookup");
    (*writer)->Finish().status().IgnoreError("as above");
  }

  /// The fuzzer's bytes as a component: an even first byte says that edits follow, each a u16
  /// position and what to flip there, an odd one that the rest is the component itself.
  std::vector<std::byte> Apply(Component component, std::span<const std::byte> input) {
    std::vector<std::byte> bytes;
    if (input.empty() || (input[0] & std::byte{1}) == std::byte{0}) {
      bytes = *ReadWholeFile(files_, PathOf(component), UINT64_MAX);
      for (size_t at = 1; at + 3 <= input.size(); at += 3) {
        size_t const position =
            std::to_integer<size_t>(input[at]) * 256 + std::to_integer<size_t>(input[at + 1]);
        if (!bytes.empty()) {
          bytes[position % bytes.size()] ^= input[at + 2];
        }
      }
    } else {
      bytes.assign(input.begin() + 1, input.end());
    }
    return bytes;
  }

  const Descriptor& descriptor() const { return descriptor_; }

  /// Reads everything there is with edits to any components: each edit is a byte that says which,
  /// a u16 position and what to flip there.
  void ReadEdited(std::span<const std::byte> input) {
    std::map<Component, std::vector<std::byte>> const good = Edit(input);
    ReadOpened();
    StoreAll(good);
  }

  /// Salvages what is left after edits, as above: it is a sound SSTable, or there is no file.
  void ScrubEdited(std::span<const std::byte> input) {
    std::map<Component, std::vector<std::byte>> const good = Edit(input);
    Salvage();
    StoreAll(good);
  }

  bool Has(Component component) { return *files_.Exists(PathOf(component)); }

  std::vector<std::byte> BytesOf(Component component) {
    return *ReadWholeFile(files_, PathOf(component), UINT64_MAX);
  }

  /// Reads everything there is in every way there is, with `bytes` for the component.
  void ReadAll(Component component, const std::vector<std::byte>& bytes) {
    std::vector<std::byte> const good = *ReadWholeFile(files_, PathOf(component), UINT64_MAX);
    std::vector<std::byte> const good_crc =
        *ReadWholeFile(files_, PathOf(Component::kCrc), UINT64_MAX);
    Store(PathOf(component), bytes);
    if (component == Component::kData) {
      Store(PathOf(Component::kCrc), BlockCrcs(bytes));
    }
    ReadOpened();
    Store(PathOf(component), good);
    Store(PathOf(Component::kCrc), good_crc);
  }

 private:
  std::string PathOf(Component component) const { return "t/" + descriptor_.FileName(component); }

  void Store(const std::string& path, const std::vector<std::byte>& bytes) {
    auto file = files_.Create(path);
    (*file)->Append(bytes).IgnoreError("in memory");
    (*file)->Close().IgnoreError("in memory");
  }

  void StoreAll(const std::map<Component, std::vector<std::byte>>& contents) {
    for (const auto& [component, bytes] : contents) {
      Store(PathOf(component), bytes);
    }
  }

  /// Returns what the edited components were.
  std::map<Component, std::vector<std::byte>> Edit(std::span<const std::byte> input) {
    std::map<Component, std::vector<std::byte>> good;
    for (size_t at = 0; at + 4 <= input.size(); at += 4) {
      auto const component = static_cast<Component>(std::to_integer<unsigned>(input[at]) %
                                                    (static_cast<unsigned>(Component::kToc) + 1));
      Result<std::vector<std::byte>> bytes = ReadWholeFile(files_, PathOf(component), UINT64_MAX);
      if (!bytes.ok()) {
        continue;  // tables of this kind have no such component
      }
      good.emplace(component, *bytes);
      std::byte const edit[] = {std::byte{0}, input[at + 1], input[at + 2], input[at + 3]};
      Store(PathOf(component), Apply(component, edit));
    }
    return good;
  }

  // A time of deletion that nobody can have meant is kept as it was found, and reported.
  void CheckSound(const Descriptor& descriptor) {
    Result<VerifyReport> const verified = Verify(files_, "out", descriptor);
    ASSERT(verified.ok());
    for (const std::string& finding : verified->findings) {
      if (finding.find("nobody can have meant") == std::string::npos) {
        codec::testing::Require(false, finding.c_str());
      }
    }
  }

  void Salvage() {
    auto const reader = SalvageReader::Open(files_, "t", descriptor_);
    CheckError(reader.status());
    if (!reader.ok()) {
      return;
    }
    Result<WriterOptions> const options = OptionsLike(**reader);
    ASSERT(options.ok());
    Result<std::optional<WrittenSstable>> const written = Scrub(**reader, files_, "out", *options);
    codec::testing::Require(written.ok(), written.status().ToString().c_str());
    if (written->has_value()) {
      CheckSound((*written)->descriptor);
    } else {
      ASSERT(files_.List("out")->empty());
    }
    std::vector<std::string> const names = *files_.List("out");
    for (const std::string& name : names) {
      files_.Remove("out/" + name).IgnoreError("in memory");
    }
  }

  static std::vector<std::byte> BlockCrcs(std::span<const std::byte> bytes) {
    constexpr uint32_t kBlockSizeBytes = 65536;
    std::vector<std::byte> out;
    auto const append = [&](uint32_t value) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::byte>(value >> shift));
      }
    };
    append(kBlockSizeBytes);
    for (size_t at = 0; at < bytes.size(); at += kBlockSizeBytes) {
      append(Crc32(bytes.subspan(at, std::min<size_t>(kBlockSizeBytes, bytes.size() - at))));
    }
    return out;
  }

  /// An error of damaged files is one of these and says in which file.
  static void CheckError(const Status& status) {
    if (!status.ok()) {
      StatusCode const code = status.code();
      ASSERT(code == StatusCode::kCorruption || code == StatusCode::kUnsupported ||
             code == StatusCode::kNotFound || code == StatusCode::kResourceExhausted);
      codec::testing::Require(status.message().find("t/") != std::string::npos,
                              status.ToString().c_str());
    }
  }

  static void Drain(const Result<std::unique_ptr<UnfilteredStream>>& stream) {
    CheckError(stream.ok() ? Transcript(**stream).status() : stream.status());
  }

  void ReadOpened() {
    auto const reader = SstableReader::Open(files_, "t", descriptor_);
    CheckError(reader.status());
    if (reader.ok()) {
      ReadTable(**reader);
    }
    Result<VerifyReport> const report = Verify(files_, "t", descriptor_);
    CheckError(report.status());
    ASSERT(reader.ok() || !report.ok() || !report->good());
  }

  void ReadTable(const SstableReader& reader) {
    Drain(reader.Scan(PartitionRange()));
    Drain(reader.Scan(PartitionRange(), {.reversed = true}));
    std::string const number("\0\0\0\x0A", 4);
    ClusteringValue const value{AsBytes(number), false};
    ClusteringSlice slice;
    slice.start.Assign({ClusteringKind::kExclStartBound, {&value, 1}});
    for (const OwnedPartition& partition : partitions_) {
      Bytes const key = AsBytes(partition.key);
      Drain(reader.Lookup(key));
      Drain(reader.Lookup(key, {.slices = {slice}}));
      Drain(reader.Lookup(key, {.slices = {slice}, .reversed = true}));
      Token const token = TokenOf(layout_.partitioner, key);
      PartitionRange range;
      range.start = {token, {}, false};
      Drain(reader.Scan(range));
    }
  }

  io::testing::MemoryFileSystem files_;
  Layout layout_;
  std::vector<OwnedPartition> partitions_;
  Descriptor descriptor_;
};

}  // namespace orochi::sstable::testing
