#include "kv/server/data_directory.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>
#include <vector>

#include "base/str_cat.h"

namespace orochi::kv {
namespace {

constexpr uint64_t kFileSizeBytesMax = 4096;
constexpr size_t kIdentitySizeBytes = 16;
constexpr std::string_view kDigits = "0123456789abcdef";

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (char const byte : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return hex;
}

std::optional<std::string> IdentityOf(std::string_view hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    size_t const high = kDigits.find(hex[at]);
    size_t const low = kDigits.find(hex[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return hex.size() == 2 * kIdentitySizeBytes ? std::optional(bytes) : std::nullopt;
}

Result<std::string> ReadText(io::FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(auto const file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(uint64_t const size_bytes, file->SizeBytes());
  std::string text(std::min(size_bytes, kFileSizeBytesMax), '\0');
  RETURN_IF_ERROR(file->ReadExact(0, std::as_writable_bytes(std::span(text))));
  return text;
}

// All of it, or the file is not there.
Status WriteText(io::FileSystem& files, const std::string& directory, const std::string& name,
                 const std::string& text) {
  std::string const path = directory + "/" + name;
  ASSIGN_OR_RETURN(auto const file, files.Create(path + ".new"));
  RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(text))));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(files.Rename(path + ".new", path));
  return files.SyncDirectory(directory);
}

// Whether the directory is there and has files, once those are removed that may go.
Result<bool> HasFiles(io::FileSystem& files, const std::string& directory, bool remove) {
  ASSIGN_OR_RETURN(bool const exists, files.Exists(directory));
  if (!exists) {
    return false;
  }
  ASSIGN_OR_RETURN(std::vector<std::string> const names, files.List(directory));
  for (const std::string& name : names) {
    if (!remove) {
      return true;
    }
    RETURN_IF_ERROR(files.Remove(directory + "/" + name));
  }
  return false;
}

std::string TextOf(const DirectoryClaim& claim) {
  return StrCat("orochi-kvd 1\ncluster ", claim.cluster, "\nnode ", claim.number.value(),
                "\nidentity ", HexOf(claim.identity), "\n");
}

// The rest of the line that begins with `name`, which is the next one.
std::optional<std::string_view> TakeLine(std::string_view& text, std::string_view name) {
  size_t const end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name)) {
    return std::nullopt;
  }
  std::string_view const line = text.substr(name.size(), end - name.size());
  text.remove_prefix(end + 1);
  return line;
}

std::optional<DirectoryClaim> ClaimOf(std::string_view text) {
  auto const head = TakeLine(text, "orochi-kvd 1");
  auto const cluster = TakeLine(text, "cluster ");
  auto const node = TakeLine(text, "node ");
  auto const identity = TakeLine(text, "identity ");
  if (!head || !cluster || !node || !identity) {
    return std::nullopt;
  }
  uint32_t number = 0;
  auto const [end, error] = std::from_chars(node->data(), node->data() + node->size(), number);
  auto bytes = IdentityOf(*identity);
  if (error != std::errc() || end != node->data() + node->size() || number == 0 || !bytes) {
    return std::nullopt;
  }
  return DirectoryClaim{
      .cluster = std::string(*cluster), .number = NodeNumber(number), .identity = *bytes};
}

}  // namespace

Result<std::optional<DirectoryClaim>> EnterDataDirectory(io::FileSystem& files,
                                                         const std::string& directory) {
  RETURN_IF_ERROR(files.CreateDirectories(directory));
  std::string const path = directory + "/node";
  ASSIGN_OR_RETURN(bool const claimed, files.Exists(path));
  if (!claimed) {
    // Who has an identity and no claim has not spoken to anybody yet.
    ASSIGN_OR_RETURN(bool const is_first_start, files.Exists(directory + "/joining"));
    ASSIGN_OR_RETURN(bool const has_log, HasFiles(files, directory + "/log", is_first_start));
    ASSIGN_OR_RETURN(bool const has_state, HasFiles(files, directory + "/state", is_first_start));
    if (has_log || has_state) {
      return Status::FailedPrecondition(
                 StrCat(directory, " has a log or a state, and no file 'node' that says whose"))
          .WithHint(
              "What this node has promised may be lost: let it join as another one with an empty "
              "directory.");
    }
    return std::optional<DirectoryClaim>();
  }
  ASSIGN_OR_RETURN(std::string const text, ReadText(files, path));
  auto claim = ClaimOf(text);
  if (!claim) {
    return Status::Corruption(StrCat(path, " is no claim of a node: it begins with '",
                                     std::string_view(text).substr(0, 100), "'"))
        .WithHint("This node cannot be trusted: let it join as another with an empty directory.");
  }
  return claim;
}

Status ClaimDataDirectory(io::FileSystem& files, const std::string& directory,
                          const DirectoryClaim& claim) {
  RETURN_IF_ERROR(WriteText(files, directory, "node", TextOf(claim)));
  ASSIGN_OR_RETURN(bool const was_joining, files.Exists(directory + "/joining"));
  if (was_joining) {
    RETURN_IF_ERROR(files.Remove(directory + "/joining"));
  }
  return files.SyncDirectory(directory);
}

Result<std::string> JoiningIdentity(io::FileSystem& files, const std::string& directory,
                                    Random& random) {
  std::string const path = directory + "/joining";
  ASSIGN_OR_RETURN(bool const drawn, files.Exists(path));
  if (drawn) {
    ASSIGN_OR_RETURN(std::string const text, ReadText(files, path));
    std::string_view rest = text;
    auto const hex = TakeLine(rest, "");
    auto identity = hex ? IdentityOf(*hex) : std::nullopt;
    if (!identity) {
      return Status::Corruption(StrCat(path, ": expected 32 hexadecimal digits"))
          .WithHint("Remove the file if this node has never been let in.");
    }
    return *identity;
  }
  std::string identity;
  while (identity.size() < kIdentitySizeBytes) {
    identity.push_back(static_cast<char>(random.Below(256)));
  }
  RETURN_IF_ERROR(WriteText(files, directory, "joining", HexOf(identity) + "\n"));
  return identity;
}

}  // namespace orochi::kv
