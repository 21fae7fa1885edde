#include "raft/configuration.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::raft {
namespace {

static_assert(std::endian::native == std::endian::little, "ids are copied as they are");

using Ids = std::vector<ReplicaId>;

bool Holds(const Ids& ids, ReplicaId id) {
  return std::binary_search(ids.begin(), ids.end(), id);
}

bool MajorityAgrees(const Ids& voters, const std::function<bool(ReplicaId)>& agrees) {
  auto const count = static_cast<size_t>(std::count_if(voters.begin(), voters.end(), agrees));
  return count > voters.size() / 2;
}

uint64_t MajorityValue(const Ids& voters, const std::function<uint64_t(ReplicaId)>& reached) {
  std::vector<uint64_t> values;
  values.reserve(voters.size());
  for (ReplicaId const id : voters) {
    values.push_back(reached(id));
  }
  // With n voters the majority is n / 2 + 1, so the value there, counted from the greatest.
  auto const at = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end(), std::greater<>());
  return *at;
}

Status CheckIds(const Ids& ids, const char* name) {
  for (size_t index = 0; index < ids.size(); ++index) {
    if (ids[index] == kNobody) {
      return Status::InvalidArgument(StrCat("replica id 0 among the ", name));
    }
    if (index > 0 && !(ids[index - 1] < ids[index])) {
      return Status::InvalidArgument(StrCat("the ", name,
                                            " are not in ascending order: ", ids[index - 1].value(),
                                            " before ", ids[index].value()));
    }
  }
  return Status::Ok();
}

void AppendIds(std::string& out, const Ids& ids) {
  auto const count = static_cast<uint32_t>(ids.size());
  out.append(reinterpret_cast<const char*>(&count), sizeof(count));
  for (ReplicaId const id : ids) {
    uint64_t const value = id.value();
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
}

bool TakeIds(std::string_view& bytes, Ids& ids) {
  uint32_t count = 0;
  if (bytes.size() < sizeof(count)) {
    return false;
  }
  std::memcpy(&count, bytes.data(), sizeof(count));
  bytes.remove_prefix(sizeof(count));
  if (bytes.size() / sizeof(uint64_t) < count) {
    return false;
  }
  for (uint32_t index = 0; index < count; ++index) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof(value));
    bytes.remove_prefix(sizeof(value));
    ids.emplace_back(value);
  }
  return true;
}

void AppendText(std::string& out, const char* name, const Ids& ids) {
  if (ids.empty()) {
    return;
  }
  out += StrCat(out.empty() ? "" : ", ", name);
  for (ReplicaId const id : ids) {
    out += StrCat(" ", id.value());
  }
}

}  // namespace

bool Configuration::IsVoter(ReplicaId id) const {
  return Holds(voters, id) || Holds(outgoing, id);
}

bool Configuration::IsLearner(ReplicaId id) const {
  return Holds(learners, id);
}

Ids Configuration::Members() const {
  Ids all = voters;
  all.insert(all.end(), outgoing.begin(), outgoing.end());
  all.insert(all.end(), learners.begin(), learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool Configuration::HasQuorum(const std::function<bool(ReplicaId)>& agrees) const {
  return MajorityAgrees(voters, agrees) && (outgoing.empty() || MajorityAgrees(outgoing, agrees));
}

uint64_t Configuration::QuorumValue(const std::function<uint64_t(ReplicaId)>& reached) const {
  if (voters.empty()) {
    return 0;
  }
  uint64_t const value = MajorityValue(voters, reached);
  return outgoing.empty() ? value : std::min(value, MajorityValue(outgoing, reached));
}

Status CheckConfiguration(const Configuration& configuration) {
  RETURN_IF_ERROR(CheckIds(configuration.voters, "voters"));
  RETURN_IF_ERROR(CheckIds(configuration.outgoing, "outgoing voters"));
  RETURN_IF_ERROR(CheckIds(configuration.learners, "learners"));
  if (configuration.voters.empty()) {
    return Status::InvalidArgument("a configuration without voters");
  }
  for (ReplicaId const id : configuration.learners) {
    if (configuration.IsVoter(id)) {
      return Status::InvalidArgument(StrCat("replica ", id.value(), " is a voter and a learner"));
    }
  }
  return Status::Ok();
}

std::string EncodeConfiguration(const Configuration& configuration) {
  std::string out;
  AppendIds(out, configuration.voters);
  AppendIds(out, configuration.outgoing);
  AppendIds(out, configuration.learners);
  return out;
}

Result<Configuration> DecodeConfiguration(std::string_view bytes) {
  Configuration out;
  std::string_view rest = bytes;
  if (!TakeIds(rest, out.voters) || !TakeIds(rest, out.outgoing) || !TakeIds(rest, out.learners) ||
      !rest.empty()) {
    return Status::Corruption(
        StrCat("configuration of ", bytes.size(), " bytes: its lists and its size do not agree"));
  }
  if (Status status = CheckConfiguration(out); !status.ok()) {
    return Status::Corruption(StrCat("configuration: ", status.message()));
  }
  return out;
}

std::string ToString(const Configuration& configuration) {
  std::string out;
  AppendText(out, "voters", configuration.voters);
  AppendText(out, "outgoing", configuration.outgoing);
  AppendText(out, "learners", configuration.learners);
  return out;
}

}  // namespace orochi::raft
