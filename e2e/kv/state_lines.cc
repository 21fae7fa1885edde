// state_lines DIRECTORY: what a stopped node's engine holds of its groups, one line an entry, so
// that replicas can be compared: the family, the key in hexadecimal, and a hash of the value.
#include <cstdio>
#include <functional>
#include <string>

#include "kv/engine/rocks_engine.h"

namespace {

using orochi::kv::Family;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void PrintHex(std::string_view bytes) {
  for (char const byte : bytes) {
    std::printf("%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  }
}

orochi::Status Print(const orochi::kv::Engine& engine, Family family, const char* name) {
  auto const cursor = engine.NewCursor(family);
  for (cursor->Seek(""); cursor->Valid(); cursor->Next()) {
    std::printf("%s ", name);
    PrintHex(cursor->key());
    std::printf(" %016zx\n", std::hash<std::string_view>()(cursor->value()));
  }
  return cursor->status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: state_lines DIRECTORY\n");
    return kExitUsage;
  }
  auto engine = orochi::kv::OpenRocksEngine({.directory = argv[1], .create_if_missing = false});
  orochi::Status status = engine.ok() ? orochi::Status() : engine.status();
  if (status.ok()) {
    status = Print(**engine, Family::kData, "data");
  }
  if (status.ok()) {
    status = Print(**engine, Family::kIntent, "intent");
  }
  if (!status.ok()) {
    std::fprintf(stderr, "state_lines: %s: %s\n", argv[1], status.message().c_str());
    return kExitFailed;
  }
  return 0;
}
