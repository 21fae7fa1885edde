#include "cli/foreign_format.h"

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view start;
  ForeignFormat format;
};

// Long enough that no header of a CSV file begins with one by chance.
constexpr Signature kSignatures[] = {
    {"\x1F\x8B"sv, {"gzip-compressed data", "zcat", true}},
    {"\x28\xB5\x2F\xFD"sv, {"zstd-compressed data", "zstdcat", true}},
    {"\xFD"
     "7zXZ\x00"sv,
     {"xz-compressed data", "xzcat", true}},
    {"BZh91AY&SY"sv, {"bzip2-compressed data", "bzcat", true}},
    {"\x04\x22\x4D\x18"sv, {"lz4-compressed data", "lz4cat", true}},
    {"PK\x03\x04"sv,
     {"a zip archive", "unzip it first; of a spreadsheet, save the sheet as CSV", false}},
    {"PAR1\x15"sv, {"a Parquet file", "save it as CSV first", false}},
    {"\xFF\xFE"sv, {"UTF-16", "iconv -f UTF-16 -t UTF-8", true}},
    {"\xFE\xFF"sv, {"UTF-16", "iconv -f UTF-16 -t UTF-8", true}},
};

}  // namespace

std::optional<ForeignFormat> RecognizeForeignFormat(std::string_view start) {
  for (const Signature& signature : kSignatures) {
    if (start.starts_with(signature.start)) {
      return signature.format;
    }
  }
  if (start.find('\0') != std::string_view::npos) {
    return ForeignFormat{"a zero byte: it is binary, or UTF-16 without a byte order mark",
                         "load reads CSV text; UTF-16 is converted by iconv -f UTF-16LE -t UTF-8",
                         false};
  }
  return std::nullopt;
}

std::string AdviceFor(const ForeignFormat& format, std::string_view name) {
  return format.advice_is_command
             ? StrCat("make text of it first: ", format.advice, " ", name, " > new.csv")
             : std::string(format.advice);
}

}  // namespace orochi::cli
