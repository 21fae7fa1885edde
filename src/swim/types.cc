#include "swim/types.h"

#include "swim/planted_bug.h"

namespace orochi::swim {
namespace {

std::string Hex(uint64_t high, uint64_t low) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(32, '0');
  for (size_t index = 0; index < 16; ++index) {
    text[15 - index] = kDigits[(high >> (4 * index)) & 15];
    text[31 - index] = kDigits[(low >> (4 * index)) & 15];
  }
  return text;
}

// What nothing of the same generation takes back.
int Finality(Health health) {
  switch (health) {
    case Health::kConflict:
      return 2;
    case Health::kLeft:
      return IsPlanted(PlantedBug::kLeaveNotSticky) ? 0 : 1;
    default:
      return 0;
  }
}

int Gravity(Health health) {
  return health == Health::kLeft ? 0 : static_cast<int>(health);
}

}  // namespace

std::string ToString(NodeId id) {
  return Hex(id.high, id.low);
}

std::string ToString(ClusterId id) {
  return Hex(id.high, id.low);
}

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kAlive:
      return "alive";
    case Health::kSuspect:
      return "suspect";
    case Health::kDead:
      return "dead";
    case Health::kLeft:
      return "left";
    case Health::kConflict:
      return "conflict";
  }
  return "?";
}

std::strong_ordering CompareClaims(const Record& a, const Record& b) {
  if (!IsPlanted(PlantedBug::kGenerationIgnored)) {
    if (auto const order = a.generation <=> b.generation; order != 0) {
      return order;
    }
  }
  if (auto const order = Finality(a.health) <=> Finality(b.health); order != 0) {
    return order;
  }
  if (auto const order = a.incarnation <=> b.incarnation; order != 0) {
    return order;
  }
  return Gravity(a.health) <=> Gravity(b.health);
}

}  // namespace orochi::swim
