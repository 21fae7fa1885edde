#include "codec/dictionary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

namespace orochi::codec {
namespace {

constexpr uint32_t kNoValue = UINT32_MAX;

// The first place of each distinct value, and for every place the number of its value in order of
// first appearance.
struct FirstSeen {
  std::vector<uint32_t> places;
  std::vector<int64_t> numbers;
};

// Open addressing over the numbers of values. Gives up past `entry_count_max` values, or when
// somebody chose values that collide so much that lookups stop being cheap.
template <class HashAt, class EqualAt>
bool FindFirstSeen(size_t count, size_t entry_count_max, HashAt hash_at, EqualAt equal_at,
                   FirstSeen& seen) {
  constexpr size_t kProbesPerValueMax = 8;
  size_t const slot_count = std::bit_ceil(2 * std::min(count, entry_count_max) + 2);
  std::vector<uint32_t> slots(slot_count, kNoValue);
  size_t probes_left = count * kProbesPerValueMax + slot_count;
  seen.places.clear();
  seen.numbers.clear();
  seen.numbers.reserve(count);
  for (uint32_t place = 0; place < count; ++place) {
    size_t slot = hash_at(place) & (slot_count - 1);
    while (slots[slot] != kNoValue && !equal_at(seen.places[slots[slot]], place)) {
      slot = (slot + 1) & (slot_count - 1);
      if (--probes_left == 0) {
        return false;
      }
    }
    if (slots[slot] == kNoValue) {
      if (seen.places.size() == entry_count_max) {
        return false;
      }
      slots[slot] = static_cast<uint32_t>(seen.places.size());
      seen.places.push_back(place);
    }
    seen.numbers.push_back(slots[slot]);
  }
  return true;
}

// Sorts the values by `less` (of places) and makes `seen.numbers` ranks.
template <class Less>
void SortSeen(Less less, FirstSeen& seen) {
  std::vector<uint32_t> order(seen.places.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t left, uint32_t right) {
    return less(seen.places[left], seen.places[right]);
  });
  std::vector<uint32_t> places(order.size());
  std::vector<int64_t> ranks(order.size());
  for (size_t rank = 0; rank < order.size(); ++rank) {
    places[rank] = seen.places[order[rank]];
    ranks[order[rank]] = static_cast<int64_t>(rank);
  }
  seen.places = std::move(places);
  for (int64_t& number : seen.numbers) {
    number = ranks[static_cast<size_t>(number)];
  }
}

// Slots come from the low bits, so the high ones must reach them: whole numbers stored as float64
// differ nowhere else.
uint64_t MixWord(uint64_t word) {
  word = (word ^ (word >> 32)) * 0x9E3779B97F4A7C15u;
  return word ^ (word >> 32);
}

bool BytewiseLess(std::span<const std::byte> left, std::span<const std::byte> right) {
  size_t const shared_bytes = std::min(left.size(), right.size());
  int const order = shared_bytes == 0 ? 0 : std::memcmp(left.data(), right.data(), shared_bytes);
  return order != 0 ? order < 0 : left.size() < right.size();
}

bool BytewiseEqual(std::span<const std::byte> left, std::span<const std::byte> right) {
  return left.size() == right.size() &&
         (left.empty() || std::memcmp(left.data(), right.data(), left.size()) == 0);
}

Status ReadEntryCount(ByteReader& reader, size_t value_count, size_t& entry_count) {
  if (!reader.ReadVarintUpTo(value_count, entry_count) || entry_count == 0) {
    return Status::Corruption(
        StrCat("dictionary: it does not have 1 to ", value_count, " entries"));
  }
  return Status::Ok();
}

Status ReadCodes(ByteReader& reader, size_t entry_count, std::span<uint32_t> codes) {
  RETURN_IF_ERROR(DecodeFrameOfReference(reader, codes));
  uint32_t const greatest = *std::max_element(codes.begin(), codes.end());
  if (greatest >= entry_count) {
    return Status::Corruption(
        StrCat("dictionary: code ", greatest, " with ", entry_count, " entries"));
  }
  return Status::Ok();
}

// Copies short strings, the usual case, as a whole 16 bytes where both sides have room.
void Gather(std::span<const std::byte> entries, std::span<const uint32_t> entry_offsets,
            std::span<const uint32_t> codes, std::span<const uint32_t> offsets,
            std::span<std::byte> out) {
  constexpr size_t kWide = 16;
  for (size_t index = 0; index < codes.size(); ++index) {
    uint32_t const from = entry_offsets[codes[index]];
    uint32_t const to = offsets[index];
    uint32_t const size_bytes = offsets[index + 1] - to;
    if (size_bytes <= kWide && from + kWide <= entries.size() && to + kWide <= out.size()) {
      std::memcpy(out.data() + to, entries.data() + from, kWide);
    } else if (size_bytes > 0) {
      std::memcpy(out.data() + to, entries.data() + from, size_bytes);
    }
  }
}

}  // namespace

bool BuildDictionary(std::span<const uint64_t> words, uint32_t width_bytes, size_t entry_count_max,
                     WordDictionary& dictionary) {
  ASSERT(!words.empty());
  ASSERT(width_bytes >= 1 && width_bytes <= 8);
  FirstSeen seen;
  if (!FindFirstSeen(
          words.size(), entry_count_max, [&](uint32_t place) { return MixWord(words[place]); },
          [&](uint32_t left, uint32_t right) { return words[left] == words[right]; }, seen)) {
    return false;
  }
  SortSeen(
      [&](uint32_t left, uint32_t right) {
        return static_cast<int64_t>(words[left]) < static_cast<int64_t>(words[right]);
      },
      seen);
  dictionary.entries.clear();
  for (uint32_t const place : seen.places) {
    dictionary.entries.push_back(words[place]);
  }
  dictionary.codes = std::move(seen.numbers);
  dictionary.frame = PlanFrameOfReference(dictionary.codes);
  dictionary.size_bytes = VarintSizeBytes(dictionary.entries.size()) +
                          dictionary.entries.size() * width_bytes + dictionary.frame.size_bytes;
  return true;
}

bool BuildDictionary(const ByteStrings& strings, size_t entry_count_max,
                     ByteDictionary& dictionary) {
  ASSERT(strings.count() > 0);
  FirstSeen seen;
  if (!FindFirstSeen(
          strings.count(), entry_count_max,
          [&](uint32_t place) { return MixWord(Crc32c(strings.At(place))); },
          [&](uint32_t left, uint32_t right) {
            return BytewiseEqual(strings.At(left), strings.At(right));
          },
          seen)) {
    return false;
  }
  SortSeen([&](uint32_t left,
               uint32_t right) { return BytewiseLess(strings.At(left), strings.At(right)); },
           seen);
  dictionary.ends.clear();
  dictionary.bytes.clear();
  for (uint32_t const place : seen.places) {
    AppendSpan(dictionary.bytes, strings.At(place));
    dictionary.ends.push_back(static_cast<uint32_t>(dictionary.bytes.size()));
  }
  dictionary.codes = std::move(seen.numbers);
  dictionary.entries_plan = PlanByteStrings(dictionary.entries());
  dictionary.frame = PlanFrameOfReference(dictionary.codes);
  dictionary.size_bytes = VarintSizeBytes(dictionary.ends.size()) +
                          dictionary.entries_plan.size_bytes + dictionary.frame.size_bytes;
  return true;
}

void EncodeDictionary(const WordDictionary& dictionary, uint32_t width_bytes,
                      std::vector<std::byte>& out) {
  AppendVarint(out, dictionary.entries.size());
  for (const uint64_t& entry : dictionary.entries) {
    AppendSpan(out, std::as_bytes(std::span(&entry, 1)).first(width_bytes));
  }
  EncodeFrameOfReference(dictionary.codes, dictionary.frame, out);
}

void EncodeDictionary(const ByteDictionary& dictionary, std::vector<std::byte>& out) {
  AppendVarint(out, dictionary.ends.size());
  EncodeByteStrings(dictionary.entries(), dictionary.entries_plan, out);
  EncodeFrameOfReference(dictionary.codes, dictionary.frame, out);
}

template <class Unsigned>
Status DecodeDictionary(ByteReader& reader, std::vector<uint32_t>& codes,
                        std::vector<uint64_t>& entries, std::span<Unsigned> out) {
  ASSERT(!out.empty());
  size_t entry_count = 0;
  RETURN_IF_ERROR(ReadEntryCount(reader, out.size(), entry_count));
  std::span<const std::byte> entry_bytes;
  if (!reader.ReadSpan(entry_count * sizeof(Unsigned), entry_bytes)) {
    return Status::Corruption(StrCat("dictionary: ", entry_count, " entries do not fit in ",
                                     reader.remaining_bytes(), " bytes"));
  }
  entries.resize(entry_count);
  for (size_t index = 0; index < entry_count; ++index) {
    Unsigned entry = 0;
    std::memcpy(&entry, entry_bytes.data() + index * sizeof(Unsigned), sizeof(Unsigned));
    entries[index] = entry;
  }
  codes.resize(out.size());
  RETURN_IF_ERROR(ReadCodes(reader, entry_count, codes));
  for (size_t index = 0; index < out.size(); ++index) {
    out[index] = static_cast<Unsigned>(entries[codes[index]]);
  }
  return Status::Ok();
}

Status DecodeDictionary(ByteReader& reader, size_t count, uint64_t size_bytes,
                        ByteDictionaryScratch& scratch, std::vector<uint32_t>& offsets,
                        std::vector<std::byte>& bytes) {
  ASSERT(count > 0);
  size_t entry_count = 0;
  RETURN_IF_ERROR(ReadEntryCount(reader, count, entry_count));
  std::span<const std::byte> entries;
  RETURN_IF_ERROR(DecodeByteStrings(reader, entry_count, scratch.entry_offsets, entries));
  scratch.codes.resize(count);
  RETURN_IF_ERROR(ReadCodes(reader, entry_count, scratch.codes));
  offsets.resize(count + 1);
  uint64_t end = 0;
  offsets[0] = 0;
  for (size_t index = 0; index < count; ++index) {
    uint32_t const code = scratch.codes[index];
    end += scratch.entry_offsets[code + 1] - scratch.entry_offsets[code];
    offsets[index + 1] = static_cast<uint32_t>(end);
  }
  if (end != size_bytes || end > UINT32_MAX) {
    return Status::Corruption(
        StrCat("dictionary: its strings have ", end, " bytes together, expected ", size_bytes));
  }
  bytes.resize(size_bytes);
  Gather(entries, scratch.entry_offsets, scratch.codes, offsets, bytes);
  return Status::Ok();
}

namespace {

Status ReadCodeAt(ByteReader reader, size_t entry_count, size_t count, size_t index,
                  uint64_t& code) {
  RETURN_IF_ERROR(ReadFrameOfReferenceAt(reader, count, index, code));
  if (code >= entry_count) {
    return Status::Corruption(
        StrCat("dictionary: code ", code, " of value ", index, ", ", entry_count, " entries"));
  }
  return Status::Ok();
}

}  // namespace

template <class Unsigned>
Status ReadDictionaryAt(ByteReader reader, size_t count, size_t index, Unsigned& value) {
  ASSERT(index < count);
  size_t entry_count = 0;
  RETURN_IF_ERROR(ReadEntryCount(reader, count, entry_count));
  std::span<const std::byte> entries;
  if (!reader.ReadSpan(entry_count * sizeof(Unsigned), entries)) {
    return Status::Corruption(StrCat("dictionary: ", entry_count, " entries do not fit in ",
                                     reader.remaining_bytes(), " bytes"));
  }
  uint64_t code = 0;
  RETURN_IF_ERROR(ReadCodeAt(reader, entry_count, count, index, code));
  std::memcpy(&value, entries.data() + code * sizeof(Unsigned), sizeof(Unsigned));
  return Status::Ok();
}

Status ReadDictionaryAt(ByteReader reader, size_t count, size_t index,
                        ByteDictionaryScratch& scratch, std::span<const std::byte>& value) {
  ASSERT(index < count);
  size_t entry_count = 0;
  RETURN_IF_ERROR(ReadEntryCount(reader, count, entry_count));
  std::span<const std::byte> entries;
  RETURN_IF_ERROR(DecodeByteStrings(reader, entry_count, scratch.entry_offsets, entries));
  uint64_t code = 0;
  RETURN_IF_ERROR(ReadCodeAt(reader, entry_count, count, index, code));
  value = entries.subspan(scratch.entry_offsets[code],
                          scratch.entry_offsets[code + 1] - scratch.entry_offsets[code]);
  return Status::Ok();
}

template Status ReadDictionaryAt(ByteReader, size_t, size_t, uint8_t&);
template Status ReadDictionaryAt(ByteReader, size_t, size_t, uint16_t&);
template Status ReadDictionaryAt(ByteReader, size_t, size_t, uint32_t&);
template Status ReadDictionaryAt(ByteReader, size_t, size_t, uint64_t&);
template Status DecodeDictionary(ByteReader&, std::vector<uint32_t>&, std::vector<uint64_t>&,
                                 std::span<uint8_t>);
template Status DecodeDictionary(ByteReader&, std::vector<uint32_t>&, std::vector<uint64_t>&,
                                 std::span<uint16_t>);
template Status DecodeDictionary(ByteReader&, std::vector<uint32_t>&, std::vector<uint64_t>&,
                                 std::span<uint32_t>);
template Status DecodeDictionary(ByteReader&, std::vector<uint32_t>&, std::vector<uint64_t>&,
                                 std::span<uint64_t>);

}  // namespace orochi::codec
