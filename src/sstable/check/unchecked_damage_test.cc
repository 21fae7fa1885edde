// Goal: bytes that no checksum guards, or whose checksum is right, never crash a reader: every
// decoder bounds what it believes, and an error names the file.
// Method: a small table of each format; bytes of each component that decoders read are changed one
// at a time, and components cut at many lengths, with CRC.db made right; everything is then read
// forwards, backwards, by key, slice and range, and verified. DamagedTable asserts on the errors.
#include <gtest/gtest.h>

#include "sstable/check/testing/damaged_table.h"

namespace orochi::sstable {
namespace {

struct DamageCase {
  const char* version;
  IndexFormat format;
  Component component;
};

std::string NameOf(const ::testing::TestParamInfo<DamageCase>& info) {
  std::string name(ComponentFileName(info.param.component));
  return info.param.version + name.substr(0, name.find('.'));
}

class UncheckedDamage : public ::testing::TestWithParam<DamageCase> {
 protected:
  testing::DamagedTable table_{*Version::Parse(GetParam().version, GetParam().format), false, 8};
};

TEST_P(UncheckedDamage, AnyByteMayBeWrong) {
  Component const component = GetParam().component;
  std::vector<std::byte> const good = table_.BytesOf(component);
  ASSERT_FALSE(good.empty());
  size_t const step = good.size() > 1000 ? 3 : 1;  // the seconds that a test may take
  for (size_t at = 0; at < good.size(); at += step) {
    // One bit of a byte, another one for the next, and all of every fifth.
    std::byte const flip = at % 5 == 0 ? std::byte{0xFF} : std::byte{1} << (at % 8);
    std::vector<std::byte> damaged = good;
    damaged[at] ^= flip;
    SCOPED_TRACE(::testing::Message() << "byte " << at);
    table_.ReadAll(component, damaged);
  }
}

TEST_P(UncheckedDamage, AnyLengthMayBeShort) {
  Component const component = GetParam().component;
  std::vector<std::byte> const good = table_.BytesOf(component);
  for (size_t size_bytes = 0; size_bytes < good.size(); size_bytes += 1 + size_bytes / 32) {
    std::vector<std::byte> const cut(good.begin(),
                                     good.begin() + static_cast<ptrdiff_t>(size_bytes));
    SCOPED_TRACE(::testing::Message() << size_bytes << " bytes");
    table_.ReadAll(component, cut);
  }
}

INSTANTIATE_TEST_SUITE_P(Components, UncheckedDamage,
                         ::testing::Values(DamageCase{"nb", IndexFormat::kBig, Component::kData},
                                           DamageCase{"nb", IndexFormat::kBig, Component::kIndex},
                                           DamageCase{"nb", IndexFormat::kBig, Component::kSummary},
                                           DamageCase{"oa", IndexFormat::kBig, Component::kData},
                                           DamageCase{"oa", IndexFormat::kBig, Component::kFilter},
                                           DamageCase{"oa", IndexFormat::kBig, Component::kToc},
                                           DamageCase{"da", IndexFormat::kBti, Component::kData},
                                           DamageCase{"da", IndexFormat::kBti,
                                                      Component::kPartitions},
                                           DamageCase{"da", IndexFormat::kBti, Component::kRows},
                                           DamageCase{"da", IndexFormat::kBti, Component::kCrc}),
                         NameOf);

}  // namespace
}  // namespace orochi::sstable
