// Goal: a batch comes back from its bytes as it went, and damaged bytes are an error.
// Method: random batches; every prefix of one, and every byte of it changed.
#include "kv/engine/write_batch.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/testing/test_seed.h"

namespace orochi::kv {
namespace {

WriteBatch RandomBatch(Random& random) {
  WriteBatch batch;
  for (uint64_t left = random.Below(6); left > 0; --left) {
    auto const family = static_cast<Family>(random.Below(kFamilyCount));
    std::string key(random.Below(200), 'k');
    if (random.OneIn(3)) {
      batch.Delete(family, std::move(key));
    } else {
      batch.Put(family, std::move(key), std::string(random.Below(300), '\0'));
    }
  }
  return batch;
}

bool Same(const WriteBatch& one, const WriteBatch& other) {
  return std::equal(one.changes().begin(), one.changes().end(), other.changes().begin(),
                    other.changes().end(), [](const auto& a, const auto& b) {
                      return a.family == b.family && a.key == b.key && a.value == b.value;
                    });
}

TEST(WriteBatch, ComesBackAsItWent) {
  SeededRandom random(orochi::testing::TestSeed(20261121));
  for (int round = 0; round < 500; ++round) {
    WriteBatch const batch = RandomBatch(random);
    auto const decoded = WriteBatch::Decode(batch.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.status().message();
    EXPECT_TRUE(Same(batch, *decoded));
    EXPECT_EQ(batch.size_bytes(), decoded->size_bytes());
  }
}

TEST(WriteBatch, DamagedBytesAreAnErrorOrAnotherBatch) {
  WriteBatch batch;
  batch.Put(Family::kData, "key", "value");
  batch.Delete(Family::kMeta, "other");
  std::string const bytes = batch.Encode();
  size_t errors = 0;
  for (size_t size = 1; size < bytes.size(); ++size) {
    auto const decoded = WriteBatch::Decode(std::string_view(bytes).substr(0, size));
    errors += decoded.ok() ? 0 : 1;
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.status().code(), StatusCode::kCorruption);
    }
  }
  EXPECT_EQ(errors, bytes.size() - 2);  // the first change alone is a batch
  for (size_t index = 0; index < bytes.size(); ++index) {
    std::string damaged = bytes;
    damaged[index] = static_cast<char>(damaged[index] ^ 0x55);
    auto const decoded = WriteBatch::Decode(damaged);
    EXPECT_TRUE(!decoded.ok() || !Same(batch, *decoded)) << index;
  }
}

}  // namespace
}  // namespace orochi::kv
