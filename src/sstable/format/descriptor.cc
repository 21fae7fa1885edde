#include "sstable/format/descriptor.h"

#include <algorithm>
#include <array>

#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

constexpr std::array<std::string_view, 11> kComponentFileNames = {
    "Data.db",       "Index.db",           "Summary.db", "Partitions.db", "Rows.db", "Filter.db",
    "Statistics.db", "CompressionInfo.db", "CRC.db",     "Digest.crc32",  "TOC.txt",
};

bool IsDecimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// dddd_ssss_nnnnnrrrrrrrrrrrrr in base 36.
bool IsTimeBasedId(std::string_view text) {
  if (text.size() != 28) {
    return false;
  }
  for (size_t index = 0; index < text.size(); ++index) {
    char const c = text[index];
    bool const is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    if (index == 4 || index == 9 ? c != '_' : !is_digit) {
      return false;
    }
  }
  return true;
}

Status NotAnSstable(std::string_view file_name, std::string_view reason) {
  return Status::InvalidArgument(
      StrCat("'", file_name, "' is not the name of an SSTable's file: ", reason,
             "; expected <version>-<id>-<big|bti>-<component>, as in nb-1-big-Data.db"));
}

// Decimal generations by number, before time-based identifiers, which sort as text.
bool ComesBefore(const Descriptor& a, const Descriptor& b) {
  bool const a_decimal = IsDecimal(a.id);
  bool const b_decimal = IsDecimal(b.id);
  if (a_decimal != b_decimal) {
    return a_decimal;
  }
  if (a_decimal && a.id.size() != b.id.size()) {
    return a.id.size() < b.id.size();
  }
  return a.id != b.id ? a.id < b.id : a.version.letters() < b.version.letters();
}

}  // namespace

std::string_view ComponentFileName(Component component) {
  return kComponentFileNames[static_cast<size_t>(component)];
}

Result<Descriptor> Descriptor::Parse(std::string_view file_name) {
  std::array<std::string_view, 4> parts;
  std::string_view rest = file_name;
  for (size_t index = 0; index < 3; ++index) {
    size_t const dash = rest.find('-');
    if (dash == std::string_view::npos) {
      return NotAnSstable(file_name, StrCat("it has ", index + 1, " parts of 4"));
    }
    parts[index] = rest.substr(0, dash);
    rest = rest.substr(dash + 1);
  }
  parts[3] = rest;
  if (parts[0].size() != 2) {
    return NotAnSstable(file_name, StrCat("its version is '", parts[0], "', not two letters"));
  }
  if (!IsDecimal(parts[1]) && !IsTimeBasedId(parts[1])) {
    return NotAnSstable(file_name, StrCat("its identifier is '", parts[1],
                                          "', neither a number nor a time-based one"));
  }
  IndexFormat format = IndexFormat::kBig;
  if (parts[2] == "bti") {
    format = IndexFormat::kBti;
  } else if (parts[2] != "big") {
    return NotAnSstable(file_name, StrCat("its format is '", parts[2], "'"));
  }
  if (parts[3].empty()) {
    return NotAnSstable(file_name, "it names no component");
  }
  ASSIGN_OR_RETURN(Version const version, Version::Parse(parts[0], format));
  return Descriptor{version, std::string(parts[1])};
}

std::string Descriptor::Stem() const {
  return StrCat(version.letters(), "-", id, "-", IndexFormatName(version.format()));
}

std::string Descriptor::FileName(Component component) const {
  return StrCat(Stem(), "-", ComponentFileName(component));
}

Result<std::vector<Descriptor>> ListSstables(io::FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::vector<std::string> const names, files.List(directory));
  std::vector<Descriptor> found;
  for (const std::string& name : names) {
    if (!name.ends_with("-Data.db")) {
      continue;
    }
    Result<Descriptor> descriptor = Descriptor::Parse(name);
    if (!descriptor.ok()) {
      if (descriptor.status().code() == StatusCode::kInvalidArgument) {
        continue;  // a user's file that only looks like ours
      }
      return std::move(descriptor).status().WithContext(StrCat(directory, "/", name));
    }
    // A writer that died leaves components without a TOC, and only those.
    ASSIGN_OR_RETURN(bool const complete,
                     files.Exists(StrCat(directory, "/", descriptor->FileName(Component::kToc))));
    if (complete) {
      found.push_back(*std::move(descriptor));
    }
  }
  std::sort(found.begin(), found.end(), ComesBefore);
  return found;
}

}  // namespace orochi::sstable
