#include "sstable/format/version.h"

#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

constexpr std::string_view kBigVersions[] = {"ma", "mb", "mc", "md", "me", "na", "nb", "nc", "oa"};
constexpr std::string_view kBtiVersions[] = {"da"};

}  // namespace

std::string_view IndexFormatName(IndexFormat format) {
  return format == IndexFormat::kBti ? "bti" : "big";
}

Result<Version> Version::Parse(std::string_view letters, IndexFormat format) {
  if (format == IndexFormat::kBig) {
    for (std::string_view known : kBigVersions) {
      if (letters == known) {
        return Version(letters, format);
      }
    }
  } else {
    for (std::string_view known : kBtiVersions) {
      if (letters == known) {
        return Version(letters, format);
      }
    }
  }
  return Status::Unsupported(StrCat("SSTable version ", letters, "-", IndexFormatName(format),
                                    " is not known; ma to me, na to nc and oa with big, and da "
                                    "with bti can be read"));
}

}  // namespace orochi::sstable
