#include "cli/kv/zipfian.h"

#include <algorithm>
#include <cmath>

namespace orochi::cli {
namespace {

constexpr double kTheta = 0.99;
constexpr double kAlpha = 1 / (1 - kTheta);

// FNV-1a over the eight bytes, as YCSB scatters ranks.
uint64_t Scatter(uint64_t value) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int byte = 0; byte < 8; ++byte) {
    hash = (hash ^ (value >> (8 * byte) & 0xff)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

Zipfian::Zipfian(uint64_t count) : count_(std::max<uint64_t>(count, 2)), zeta_(0) {
  for (uint64_t rank = 1; rank <= count_; ++rank) {
    zeta_ += std::pow(static_cast<double>(rank), -kTheta);
  }
  double const zeta_of_two = 1 + std::pow(2, -kTheta);
  eta_ = (1 - std::pow(2.0 / static_cast<double>(count_), 1 - kTheta)) / (1 - zeta_of_two / zeta_);
}

uint64_t Zipfian::Rank(Random& random) const {
  double const drawn = random.Unit();
  double const scaled = drawn * zeta_;
  if (scaled < 1) {
    return 0;
  }
  if (scaled < 1 + std::pow(0.5, kTheta)) {
    return 1;
  }
  auto const rank = static_cast<uint64_t>(static_cast<double>(count_) *
                                          std::pow(eta_ * drawn - eta_ + 1, kAlpha));
  return std::min(rank, count_ - 1);
}

uint64_t Zipfian::Scattered(Random& random) const {
  return Scatter(Rank(random)) % count_;
}

}  // namespace orochi::cli
