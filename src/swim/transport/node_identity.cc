#include "swim/transport/node_identity.h"

#include <array>
#include <cstring>
#include <vector>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"

namespace orochi::swim {
namespace {

constexpr uint64_t kMagic = 0x31444F4E49484F52;  // "ROHINOD1"
constexpr size_t kFileSizeBytes = 52;

std::vector<std::byte> Encode(const NodeIdentity& identity) {
  std::vector<std::byte> bytes;
  for (uint64_t const value : {kMagic, identity.cluster.high, identity.cluster.low,
                               identity.id.high, identity.id.low, identity.generation.value()}) {
    codec::AppendFixed(bytes, value);
  }
  codec::AppendFixed(bytes, codec::Crc32c(bytes));
  return bytes;
}

Result<NodeIdentity> Read(io::FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(auto const file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(uint64_t const size_bytes, file->SizeBytes());
  if (size_bytes != kFileSizeBytes) {
    return Status::Corruption(StrCat(path, ": ", size_bytes, " bytes, expected ", kFileSizeBytes));
  }
  std::array<std::byte, kFileSizeBytes> bytes{};
  RETURN_IF_ERROR(file->ReadExact(0, bytes));
  codec::ByteReader reader(bytes);
  uint64_t magic = 0;
  uint64_t generation = 0;
  uint32_t checksum = 0;
  NodeIdentity identity;
  bool const whole = reader.ReadFixed(magic) && reader.ReadFixed(identity.cluster.high) &&
                     reader.ReadFixed(identity.cluster.low) && reader.ReadFixed(identity.id.high) &&
                     reader.ReadFixed(identity.id.low) && reader.ReadFixed(generation) &&
                     reader.ReadFixed(checksum);
  uint32_t const expected = codec::Crc32c(std::span(bytes).first(kFileSizeBytes - 4));
  if (!whole || magic != kMagic || checksum != expected || identity.id == NodeId{} ||
      generation == 0 || generation >= kVersionMax) {
    return Status::Corruption(StrCat(path, ": checksum ", checksum, ", its bytes give ", expected,
                                     "; generation ", generation));
  }
  identity.generation = Generation(generation);
  return identity;
}

}  // namespace

Result<NodeIdentity> OpenNodeIdentity(io::FileSystem& files, const std::string& directory,
                                      ClusterId cluster, Random& random) {
  std::string const path = StrCat(directory, "/node");
  std::string const temporary = StrCat(path, ".new");
  ASSIGN_OR_RETURN(bool const exists, files.Exists(path));
  NodeIdentity identity{.cluster = cluster, .id = {random.Next(), random.Next() | 1}};
  if (exists) {
    ASSIGN_OR_RETURN(identity, Read(files, path));
    if (identity.cluster != cluster) {
      return Status::FailedPrecondition(StrCat(path, ": belongs to cluster ",
                                               ToString(identity.cluster), ", not to ",
                                               ToString(cluster)));
    }
  }
  identity.generation = identity.generation.Next();
  ASSIGN_OR_RETURN(auto const file, files.Create(temporary));
  RETURN_IF_ERROR(file->Append(Encode(identity)));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(files.Rename(temporary, path));
  RETURN_IF_ERROR(files.SyncDirectory(directory));
  return identity;
}

}  // namespace orochi::swim
