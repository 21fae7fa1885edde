#include "sstable/read/components.h"

#include <string_view>
#include <vector>

#include "base/str_cat.h"
#include "sstable/read/data_file.h"

namespace orochi::sstable {

namespace {

constexpr uint64_t kTocSizeBytesMax = 64 * 1024;
constexpr Component kComponents[] = {
    Component::kData, Component::kIndex,  Component::kSummary,    Component::kPartitions,
    Component::kRows, Component::kFilter, Component::kStatistics, Component::kCompressionInfo,
    Component::kCrc,  Component::kDigest, Component::kToc,
};

}  // namespace

Result<ComponentSet> ComponentSet::Load(io::FileSystem& files, const std::string& directory,
                                        const Descriptor& descriptor) {
  std::string const path = StrCat(directory, "/", descriptor.FileName(Component::kToc));
  ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                   ReadWholeFile(files, path, kTocSizeBytesMax));
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ComponentSet set;
  while (!rest.empty()) {
    size_t const end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    for (Component const component : kComponents) {
      if (line == ComponentFileName(component)) {
        set.bits_ |= 1u << static_cast<unsigned>(component);
      }
    }
  }
  Component const index = descriptor.version.is_bti() ? Component::kPartitions : Component::kIndex;
  for (Component const needed : {Component::kData, Component::kStatistics, index}) {
    if (!set.Has(needed)) {
      return Status::Corruption(StrCat(path, ": does not list ", ComponentFileName(needed)));
    }
  }
  if (!set.Has(Component::kCompressionInfo) && !set.Has(Component::kCrc)) {
    // Data.db is one or the other; to guess would be to take compressed bytes for rows.
    return Status::Corruption(StrCat(path, ": lists neither CompressionInfo.db nor CRC.db"));
  }
  for (Component const component : kComponents) {
    if (!set.Has(component)) {
      continue;
    }
    std::string const name = descriptor.FileName(component);
    ASSIGN_OR_RETURN(bool const exists, files.Exists(StrCat(directory, "/", name)));
    if (!exists) {
      return Status::Corruption(StrCat(path, ": lists ", name, ", which is not there"));
    }
  }
  return set;
}

}  // namespace orochi::sstable
