#include "sstable/format/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/crc32.h"
#include "sstable/format/internal/stats_codec.h"

namespace orochi::sstable {

namespace {

enum ComponentType : uint32_t { kValidation = 0, kCompaction = 1, kStats = 2, kHeader = 3 };
constexpr std::array<std::string_view, 4> kComponentNames = {"validation", "compaction", "stats",
                                                             "header"};
constexpr size_t kCrcSizeBytes = 4;

struct TocEntry {
  uint32_t type = 0;
  uint32_t offset = 0;
};

Status CheckCrc(std::span<const std::byte> bytes, uint32_t stored, std::string_view what) {
  uint32_t const computed = Crc32(bytes);
  if (computed != stored) {
    return Status::Corruption(
        StrCat("checksum of ", what, " is ", computed, ", stored is ", stored));
  }
  return Status::Ok();
}

Result<std::vector<TocEntry>> DecodeToc(std::span<const std::byte> bytes, Version version) {
  BigEndianReader reader(bytes);
  uint32_t count = 0;
  uint32_t crc = 0;
  bool const has_crcs = version.has_metadata_checksums();
  if (!reader.Read(count) || (has_crcs && !reader.Read(crc))) {
    return Status::Corruption(StrCat("file of ", bytes.size(), " bytes has no component count"));
  }
  if (has_crcs) {
    RETURN_IF_ERROR(CheckCrc(bytes.first(sizeof(count)), crc, "the component count"));
  }
  if (count > kComponentNames.size()) {
    return Status::Corruption(
        StrCat(count, " components announced, at most ", kComponentNames.size(), " exist"));
  }
  size_t const toc_begin = reader.position_bytes();
  std::vector<TocEntry> toc(count);
  for (TocEntry& entry : toc) {
    if (!reader.Read(entry.type) || !reader.Read(entry.offset)) {
      return Status::Corruption(
          StrCat("at offset ", reader.position_bytes(), ": file ends in the table of components"));
    }
  }
  if (has_crcs) {
    std::vector<std::byte> covered(bytes.begin(), bytes.begin() + sizeof(count));
    AppendBytes(covered, bytes.subspan(toc_begin, reader.position_bytes() - toc_begin));
    if (!reader.Read(crc)) {
      return Status::Corruption("file ends before the checksum of the table of components");
    }
    RETURN_IF_ERROR(CheckCrc(covered, crc, "the table of components"));
  }
  uint64_t previous_end = reader.position_bytes();
  for (const TocEntry& entry : toc) {
    if (entry.type >= kComponentNames.size() || entry.offset < previous_end ||
        entry.offset > bytes.size()) {
      return Status::Corruption(StrCat(
          "component of type ", entry.type, " at offset ", entry.offset, ": expected a type below ",
          kComponentNames.size(), " and an offset in [", previous_end, ", ", bytes.size(), "]"));
    }
    previous_end = entry.offset;
  }
  return toc;
}

Status DecodeValidation(internal::FieldReader& reader, ValidationMetadata& validation) {
  bool const good = reader.ShortText("partitioner", validation.partitioner) &&
                    reader.Double("bloom filter false positive chance", validation.bloom_fp_chance);
  return good ? Status::Ok() : reader.Error();
}

Status DecodeComponent(ComponentType type, std::span<const std::byte> content, size_t offset,
                       Version version, Statistics& statistics) {
  internal::FieldReader reader(content, offset);
  switch (type) {
    case kValidation:
      return DecodeValidation(reader, statistics.validation);
    case kCompaction:
      statistics.compaction.assign(content.begin(), content.end());
      break;
    case kStats:
      return internal::DecodeStats(reader, version, statistics.stats);
    case kHeader:
      return internal::DecodeHeader(reader, statistics.header);
  }
  return Status::Ok();
}

// The bytes of [begin, end) without their checksum, when it is theirs.
std::optional<std::span<const std::byte>> CheckedContent(std::span<const std::byte> bytes,
                                                         size_t begin, size_t end) {
  if (begin > end || end > bytes.size() || end - begin < kCrcSizeBytes) {
    return std::nullopt;
  }
  std::span<const std::byte> const content = bytes.subspan(begin, end - begin - kCrcSizeBytes);
  auto const stored = LoadBigEndian<uint32_t>(content.data() + content.size());
  return Crc32(content) == stored ? std::optional(content) : std::nullopt;
}

// Where components start, when the table of them cannot be read: each ends with its checksum, the
// first follows the table and the last, the header, ends the file.
constexpr size_t kTocSizeBytes = 4 + 4 + 4 * 8 + 4;
constexpr size_t kSearchSizeBytesMax = 256 << 10;

std::vector<std::pair<ComponentType, std::pair<size_t, size_t>>> FindComponents(
    std::span<const std::byte> bytes) {
  std::vector<std::pair<ComponentType, std::pair<size_t, size_t>>> found;
  if (bytes.size() > kSearchSizeBytesMax) {
    return found;
  }
  for (size_t end = kTocSizeBytes + kCrcSizeBytes; end < bytes.size(); ++end) {
    if (CheckedContent(bytes, kTocSizeBytes, end).has_value()) {
      found.push_back({kValidation, {kTocSizeBytes, end}});
      break;
    }
  }
  for (size_t begin = kTocSizeBytes; begin + kCrcSizeBytes < bytes.size(); ++begin) {
    if (CheckedContent(bytes, begin, bytes.size()).has_value()) {
      found.push_back({kHeader, {begin, bytes.size()}});
      break;
    }
  }
  return found;
}

}  // namespace

EstimatedHistogram EstimatedHistogram::WithOffsets(size_t bucket_count) {
  EstimatedHistogram histogram;
  int64_t offset = 1;
  for (size_t index = 0; index < bucket_count; ++index) {
    histogram.offsets.push_back(offset);
    auto const next = static_cast<int64_t>(std::llround(static_cast<double>(offset) * 1.2));
    offset = std::max(next, offset + 1);
  }
  histogram.counts.assign(bucket_count + 1, 0);
  return histogram;
}

void EstimatedHistogram::Add(int64_t value) {
  auto const bucket = std::lower_bound(offsets.begin(), offsets.end(), value) - offsets.begin();
  ++counts[static_cast<size_t>(bucket)];
}

Result<Statistics> Statistics::Decode(std::span<const std::byte> bytes, Version version) {
  ASSIGN_OR_RETURN(std::vector<TocEntry> const toc, DecodeToc(bytes, version));
  Statistics statistics;
  std::array<bool, kComponentNames.size()> seen{};
  for (size_t index = 0; index < toc.size(); ++index) {
    auto const [type, offset] = toc[index];
    std::string_view const name = kComponentNames[type];
    if (seen[type]) {
      return Status::Corruption(StrCat("two ", name, " components"));
    }
    seen[type] = true;
    size_t const end = index + 1 < toc.size() ? toc[index + 1].offset : bytes.size();
    std::span<const std::byte> content = bytes.subspan(offset, end - offset);
    if (version.has_metadata_checksums()) {
      if (content.size() < kCrcSizeBytes) {
        return Status::Corruption(StrCat(name, " at offset ", offset, " has ", content.size(),
                                         " bytes, its checksum alone needs ", kCrcSizeBytes));
      }
      auto const stored = LoadBigEndian<uint32_t>(content.data() + content.size() - kCrcSizeBytes);
      content = content.first(content.size() - kCrcSizeBytes);
      RETURN_IF_ERROR(CheckCrc(content, stored, StrCat(name, " at offset ", offset)));
    }
    Status status =
        DecodeComponent(static_cast<ComponentType>(type), content, offset, version, statistics);
    if (!status.ok()) {
      return std::move(status).WithContext(name);
    }
  }
  for (ComponentType const needed : {kValidation, kStats, kHeader}) {
    if (!seen[needed]) {
      return Status::Corruption(StrCat("there is no ", kComponentNames[needed], " component"));
    }
  }
  return statistics;
}

Result<Statistics> Statistics::DecodeReadable(std::span<const std::byte> bytes, Version version,
                                              std::vector<std::string>& lost) {
  Result<Statistics> whole = Decode(bytes, version);
  if (whole.ok() || !version.has_metadata_checksums()) {
    return whole;
  }
  std::vector<std::pair<ComponentType, std::pair<size_t, size_t>>> places;
  Result<std::vector<TocEntry>> const toc = DecodeToc(bytes, version);
  if (toc.ok()) {
    for (size_t index = 0; index < toc->size(); ++index) {
      size_t const end = index + 1 < toc->size() ? (*toc)[index + 1].offset : bytes.size();
      places.push_back(
          {static_cast<ComponentType>((*toc)[index].type), {(*toc)[index].offset, end}});
    }
  } else {
    places = FindComponents(bytes);
  }
  Statistics statistics;
  std::array<bool, kComponentNames.size()> seen{};
  for (auto const& [type, place] : places) {
    auto const content = CheckedContent(bytes, place.first, place.second);
    seen[type] = content.has_value() &&
                 DecodeComponent(type, *content, place.first, version, statistics).ok();
  }
  if (!seen[kHeader]) {
    return std::move(whole).status();
  }
  for (size_t type = 0; type < seen.size(); ++type) {
    if (!seen[type]) {
      lost.emplace_back(kComponentNames[type]);
    }
  }
  if (!seen[kStats]) {
    statistics.stats = StatsMetadata();
  }
  return statistics;
}

std::vector<std::byte> Statistics::Encode(Version version) const {
  ASSERT(version.has_metadata_checksums());
  std::array<std::vector<std::byte>, kComponentNames.size()> contents;
  AppendShortText(contents[kValidation], validation.partitioner);
  AppendBigEndianDouble(contents[kValidation], validation.bloom_fp_chance);
  contents[kCompaction] = compaction;
  internal::AppendStats(contents[kStats], version, stats);
  internal::AppendHeader(contents[kHeader], header);

  std::vector<std::byte> out;
  AppendBigEndian(out, static_cast<uint32_t>(contents.size()));
  std::vector<std::byte> covered = out;
  AppendBigEndian(out, Crc32(covered));
  size_t offset = out.size() + contents.size() * 8 + kCrcSizeBytes;
  for (uint32_t type = 0; type < contents.size(); ++type) {
    for (std::vector<std::byte>* target : {&out, &covered}) {
      AppendBigEndian(*target, type);
      AppendBigEndian(*target, static_cast<uint32_t>(offset));
    }
    offset += contents[type].size() + kCrcSizeBytes;
  }
  AppendBigEndian(out, Crc32(covered));
  for (const std::vector<std::byte>& content : contents) {
    AppendBytes(out, content);
    AppendBigEndian(out, Crc32(content));
  }
  return out;
}

}  // namespace orochi::sstable
