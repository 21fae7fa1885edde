// Goal: the bytes of every encoding stay what they are: what was written years ago must decode.
// Method: testdata/*.txt, scripts that encode readable values and show the bytes (which are decoded
// again), or decode hand-written bytes. Rewrite with OROCHI_REWRITE=1, then read the diff.
#include <gtest/gtest.h>

#include <bit>
#include <sstream>
#include <stdexcept>
#include <type_traits>

#include "base/str_cat.h"
#include "base/testing/data_driven.h"
#include "codec/bit_packing.h"
#include "codec/byte_strings.h"
#include "codec/crc32c.h"
#include "codec/decimal.h"
#include "codec/delta.h"
#include "codec/dictionary.h"
#include "codec/frame_of_reference.h"
#include "codec/gorilla.h"
#include "codec/run_length.h"
#include "codec/varint.h"

namespace orochi::codec {
namespace {

using Bytes = std::vector<std::byte>;
using orochi::testing::DataDrivenStep;

std::string Hex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = StrCat(bytes.size(), bytes.size() == 1 ? " byte:" : " bytes:");
  for (size_t index = 0; index < bytes.size(); ++index) {
    text += index > 0 && index % 32 == 0 ? "\n " : " ";
    text += kDigits[std::to_integer<int>(bytes[index]) >> 4];
    text += kDigits[std::to_integer<int>(bytes[index]) & 15];
  }
  return text;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

// Numbers; "5x3" is 5 three times, "0..100/10" counts from 0 to 100 by 10.
std::vector<int64_t> Integers(const std::string& text) {
  std::vector<int64_t> values;
  for (const std::string& word : Words(text)) {
    if (size_t const dots = word.find(".."); dots != std::string::npos) {
      size_t const slash = word.find('/');
      int64_t const last = std::stoll(word.substr(dots + 2));
      int64_t const step = slash == std::string::npos ? 1 : std::stoll(word.substr(slash + 1));
      for (int64_t value = std::stoll(word); value <= last; value += step) {
        values.push_back(value);
      }
    } else if (size_t const times = word.find('x'); times != std::string::npos) {
      values.insert(values.end(), std::stoul(word.substr(times + 1)), std::stoll(word));
    } else {
      values.push_back(std::stoll(word));
    }
  }
  return values;
}

template <class Unsigned>
std::vector<Unsigned> FloatBits(const std::string& text) {
  using Float = std::conditional_t<sizeof(Unsigned) == 4, float, double>;
  std::vector<Unsigned> values;
  for (const std::string& word : Words(text)) {
    // Narrowed from double only where the text is exact in both or is meant to be rounded.
    values.push_back(std::bit_cast<Unsigned>(sizeof(Unsigned) == 4
                                                 ? static_cast<Float>(std::stof(word))
                                                 : static_cast<Float>(std::stod(word))));
  }
  return values;
}

Bytes FromHex(const std::string& text) {
  Bytes bytes;
  for (const std::string& word : Words(text)) {
    bytes.push_back(static_cast<std::byte>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

std::string Verdict(const Status& status, bool same) {
  return status.ok() ? (same ? "" : "\nDIFFERENT when decoded") : "\n" + status.ToString();
}

template <class Decode>
std::string CheckIntegers(const std::vector<int64_t>& values, const Bytes& bytes, Decode decode) {
  std::vector<uint64_t> found(values.size());
  ByteReader reader(bytes);
  Status const status = decode(reader, std::span(found));
  bool const same = std::equal(values.begin(), values.end(), found.begin(),
                               [](int64_t value, uint64_t word) {
                                 return static_cast<uint64_t>(value) == word;
                               }) &&
                    reader.remaining_bytes() == 0;
  return Hex(bytes) + Verdict(status, same);
}

std::string EncodeIntegersAs(const std::string& encoding, const std::vector<int64_t>& values) {
  Bytes bytes;
  if (encoding == "frame_of_reference") {
    EncodeFrameOfReference(values, bytes);
    return CheckIntegers(values, bytes, &DecodeFrameOfReference<uint64_t>);
  }
  if (encoding == "delta") {
    std::vector<int64_t> differences;
    TakeDifferences(values, differences);
    EncodeDelta(values, differences, PlanDelta(values, differences), bytes);
    return CheckIntegers(values, bytes, &DecodeDelta<uint64_t>);
  }
  std::vector<uint64_t> const words(values.begin(), values.end());
  if (encoding == "run_lengths") {
    Runs runs;
    FindRuns(words, runs);
    EncodeRunLengths(runs, bytes);
    return Hex(bytes);
  }
  if (encoding == "dictionary") {
    WordDictionary dictionary;
    if (!BuildDictionary(words, 4, words.size(), dictionary)) {
      return "no dictionary";
    }
    EncodeDictionary(dictionary, 4, bytes);
    return Hex(bytes);
  }
  throw std::invalid_argument(encoding);
}

template <class Unsigned>
std::string EncodeFloatsAs(const std::string& encoding, const std::string& input) {
  std::vector<Unsigned> const values = FloatBits<Unsigned>(input);
  std::span<const Unsigned> const patterns = values;
  std::vector<Unsigned> found(values.size());
  Bytes bytes;
  if (encoding == "gorilla") {
    EncodeGorilla(patterns, bytes);
    ByteReader reader(bytes);
    Status const status = DecodeGorilla(reader, std::span(found));
    return Hex(bytes) + Verdict(status, found == values);
  }
  std::optional<DecimalPlan> const plan = PlanDecimal(patterns);
  if (!plan) {
    return "no decimals";
  }
  EncodeDecimal(patterns, *plan, bytes);
  std::vector<uint64_t> scratch;
  ByteReader reader(bytes);
  Status const status = DecodeDecimal(reader, std::span(found), scratch);
  return StrCat("exponent ", plan->exponent, plan->use_delta ? ", delta, " : ", frame, ",
                plan->exceptions.size(), " exceptions\n", Hex(bytes),
                Verdict(status, found == values));
}

std::string EncodeStrings(const DataDrivenStep& step) {
  std::vector<uint32_t> ends;
  Bytes text;
  for (const std::string& word : Words(step.input)) {
    auto const bytes = std::as_bytes(std::span(word));
    if (word != "''") {
      text.insert(text.end(), bytes.begin(), bytes.end());
    }
    ends.push_back(static_cast<uint32_t>(text.size()));
  }
  ByteStrings const strings{ends, text};
  Bytes bytes;
  if (step.arguments.at(0) == "dictionary") {
    ByteDictionary dictionary;
    if (!BuildDictionary(strings, strings.count(), dictionary)) {
      return "no dictionary";
    }
    EncodeDictionary(dictionary, bytes);
  } else {
    EncodeByteStrings(strings, PlanByteStrings(strings), bytes);
  }
  return Hex(bytes);
}

// decode ENCODING COUNT, then bytes in hex.
std::string DecodeHex(const DataDrivenStep& step) {
  const std::string& encoding = step.arguments.at(0);
  Bytes const bytes = FromHex(step.input);
  std::vector<uint64_t> values(std::stoul(step.arguments.at(1)));
  std::vector<uint64_t> scratch;
  std::vector<uint32_t> codes;
  ByteReader reader(bytes);
  Status status;
  if (encoding == "frame_of_reference") {
    status = DecodeFrameOfReference(reader, std::span(values));
  } else if (encoding == "delta") {
    status = DecodeDelta(reader, std::span(values));
  } else if (encoding == "dictionary") {
    status = DecodeDictionary(reader, codes, scratch, std::span(values));
  } else if (encoding == "gorilla") {
    status = DecodeGorilla(reader, std::span(values));
  } else if (encoding == "decimal") {
    status = DecodeDecimal(reader, std::span(values), scratch);
  } else if (encoding == "run_lengths") {
    status = DecodeRunLengths(reader, values.size(), codes);
    values.assign(codes.begin(), codes.end());
  } else {
    return "unknown encoding";
  }
  if (!status.ok()) {
    return status.ToString();
  }
  std::string text = "ok:";
  for (uint64_t const value : values) {
    text += encoding == "gorilla" || encoding == "decimal"
                ? StrCat(" ", std::bit_cast<double>(value))
                : StrCat(" ", static_cast<int64_t>(value));
  }
  return text + StrCat("; ", reader.remaining_bytes(), " bytes left");
}

std::string RunStep(const DataDrivenStep& step) {
  if (step.command == "integers") {
    return EncodeIntegersAs(step.arguments.at(0), Integers(step.input));
  }
  if (step.command == "float64") {
    return EncodeFloatsAs<uint64_t>(step.arguments.at(0), step.input);
  }
  if (step.command == "float32") {
    return EncodeFloatsAs<uint32_t>(step.arguments.at(0), step.input);
  }
  if (step.command == "strings") {
    return EncodeStrings(step);
  }
  if (step.command == "decode") {
    return DecodeHex(step);
  }
  if (step.command == "varints") {
    Bytes bytes;
    for (int64_t const value : Integers(step.input)) {
      AppendVarint(bytes, static_cast<uint64_t>(value));
    }
    return Hex(bytes);
  }
  if (step.command == "pack") {
    std::vector<int64_t> const values = Integers(step.input);
    std::vector<uint64_t> const words(values.begin(), values.end());
    Bytes bytes;
    PackBits(words, static_cast<uint32_t>(std::stoul(step.arguments.at(0))), bytes);
    return Hex(bytes);
  }
  if (step.command == "crc32c") {
    std::string_view const text(step.input.data(), step.input.size() - 1);
    return StrCat(Crc32c(std::as_bytes(std::span(text))));
  }
  return "unknown command";
}

class GoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTest, EncodesAndDecodesAsWritten) {
  std::string const path = StrCat(OROCHI_TESTDATA_DIR, "/", GetParam(), ".txt");
  EXPECT_EQ(orochi::testing::RunDataDriven(path, &RunStep), "");
}

INSTANTIATE_TEST_SUITE_P(Scripts, GoldenTest,
                         ::testing::Values("integers", "floats", "strings", "primitives"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace orochi::codec
