// Goal: the header compiles as C++, and its functions have C's names.
// Method: this file, which is linked with nothing but the library.
#include "orochi_sstable.h"

static_assert(sizeof(orochi_sst_value) == 2 * sizeof(void*) + 2 * sizeof(int32_t));

extern "C" uint32_t VersionFromCxx() {
  return orochi_sst_abi_version();
}
