// Runs a libFuzzer target without libFuzzer: every corpus file once, then `--runs` seeded random
// mutations of them. Prints its seed; `--seed` replays it. Coverage-guided runs use the `fuzz`
// preset.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace {

using Input = std::vector<uint8_t>;

std::vector<Input> ReadCorpus(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(directory)) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

Input Mutate(const std::vector<Input>& corpus, orochi::Random& random) {
  constexpr size_t kSizeBytesMax = 4096;
  Input input;
  if (!corpus.empty() && !random.OneIn(10)) {
    input = corpus[random.Below(corpus.size())];
  } else {
    input.resize(random.Below(64));
    std::generate(input.begin(), input.end(), [&] { return static_cast<uint8_t>(random.Next()); });
  }
  uint64_t const edits = random.Below(8);
  for (uint64_t edit = 0; edit < edits; ++edit) {
    size_t const at = input.empty() ? 0 : random.Below(input.size());
    switch (random.Below(5)) {
      case 0:  // flip a bit
        if (!input.empty()) input[at] ^= static_cast<uint8_t>(1u << random.Below(8));
        break;
      case 1:  // overwrite a byte with an interesting value
        if (!input.empty()) {
          constexpr uint8_t kEdges[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
          input[at] = kEdges[random.Below(std::size(kEdges))];
        }
        break;
      case 2:  // insert a byte
        if (input.size() < kSizeBytesMax) {
          input.insert(input.begin() + static_cast<ptrdiff_t>(at),
                       static_cast<uint8_t>(random.Next()));
        }
        break;
      case 3:  // cut the tail
        input.resize(at);
        break;
      case 4:  // copy a run elsewhere
        if (!input.empty()) {
          size_t const from = random.Below(input.size());
          size_t const count =
              std::min(input.size() - std::max(from, at), static_cast<size_t>(random.Below(16)));
          std::copy_n(Input(input.begin() + static_cast<ptrdiff_t>(from),
                            input.begin() + static_cast<ptrdiff_t>(from + count))
                          .begin(),
                      count, input.begin() + static_cast<ptrdiff_t>(at));
        }
        break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 20000;
  uint64_t seed = 1;
  std::string corpus_directory;
  for (int i = 1; i < argc; ++i) {
    std::string_view const arg = argv[i];
    if (arg.starts_with("--runs=")) runs = std::strtoull(argv[i] + 7, nullptr, 10);
    if (arg.starts_with("--seed=")) seed = std::strtoull(argv[i] + 7, nullptr, 10);
    if (arg.starts_with("--corpus=")) corpus_directory = arg.substr(9);
  }
  std::vector<Input> const corpus = ReadCorpus(corpus_directory);
  std::printf("seed %llu, %zu corpus files, %llu runs\n", static_cast<unsigned long long>(seed),
              corpus.size(), static_cast<unsigned long long>(runs));
  std::fflush(stdout);
  for (const Input& input : corpus) {
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  orochi::SeededRandom random(seed);
  for (uint64_t run = 0; run < runs; ++run) {
    Input const input = Mutate(corpus, random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
