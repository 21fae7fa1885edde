#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/descriptor.h"

namespace orochi::sstable {

/// Which components an SSTable says it has, from TOC.txt. Names that are not known (secondary
/// indexes) are passed over.
class ComponentSet {
 public:
  /// kCorruption when a component listed is not there, or one that every SSTable of the version has
  /// is not listed.
  static Result<ComponentSet> Load(io::FileSystem& files, const std::string& directory,
                                   const Descriptor& descriptor);

  bool Has(Component component) const {
    return (bits_ >> static_cast<unsigned>(component) & 1) != 0;
  }

 private:
  uint32_t bits_ = 0;
};

}  // namespace orochi::sstable
