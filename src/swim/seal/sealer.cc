#include "swim/seal/sealer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bitset>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"

namespace orochi::swim {
namespace {

constexpr uint8_t kFormat = 0xE1;
constexpr size_t kTagSizeBytes = 16;
constexpr size_t kHeadSizeBytes = 29;  // format, key id, salt, counter: also what the tag covers
static_assert(kHeadSizeBytes + kTagSizeBytes == kSealSizeBytes);

using Salt = std::array<std::byte, 16>;

const unsigned char* Raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* Raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// HMAC-SHA256(key, label, salt): one block of HKDF-Expand (RFC 5869), which is a whole AES key.
ClusterKey Derive(const ClusterKey& key, std::string_view label, std::span<const std::byte> salt) {
  std::vector<std::byte> info;
  codec::AppendSpan(info, std::as_bytes(std::span(label)));
  codec::AppendSpan(info, salt);
  codec::AppendFixed(info, uint8_t{1});
  ClusterKey out{};
  unsigned int size_bytes = 0;
  auto const* const done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                Raw(info.data()), info.size(), Raw(out.data()), &size_bytes);
  ASSERT(done != nullptr && size_bytes == out.size());
  return out;
}

// Names a key without telling anything of it.
uint32_t KeyId(const ClusterKey& key) {
  uint32_t id = 0;
  ClusterKey const derived = Derive(key, "orochi swim key id 1", {});
  std::memcpy(&id, derived.data(), sizeof(id));
  return id;
}

struct CipherDelete {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDelete>;

std::array<unsigned char, 12> Nonce(uint64_t counter) {
  std::array<unsigned char, 12> nonce{};
  std::memcpy(nonce.data() + 4, &counter, sizeof(counter));
  return nonce;
}

// Which counters of one sender were opened.
class ReplayWindow {
 public:
  bool Seen(uint64_t counter) const {
    return counter <= newest_ &&
           (newest_ - counter >= Sealer::kReplayWindow || seen_[counter % Sealer::kReplayWindow]);
  }
  void Note(uint64_t counter) {
    if (counter > newest_) {
      uint64_t const skipped = std::min(counter - newest_, Sealer::kReplayWindow);
      for (uint64_t step = 1; step <= skipped; ++step) {
        seen_.reset((newest_ + step) % Sealer::kReplayWindow);
      }
      newest_ = counter;
    }
    seen_.set(counter % Sealer::kReplayWindow);
  }

 private:
  uint64_t newest_ = 0;  // counters begin at 1
  std::bitset<Sealer::kReplayWindow> seen_;
};

}  // namespace

Result<ClusterKey> ParseClusterKey(std::string_view text) {
  ClusterKey key{};
  bool right = text.size() == 2 * key.size();
  for (size_t index = 0; right && index < text.size(); ++index) {
    char const digit = text[index];
    int const value = digit >= '0' && digit <= '9'   ? digit - '0'
                      : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                      : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                     : -1;
    right = value >= 0;
    key[index / 2] = (key[index / 2] << 4) | static_cast<std::byte>(value & 15);
  }
  if (!right) {
    return Status::InvalidArgument(StrCat("cluster key of ", text.size(), " characters, expected ",
                                          2 * key.size(), " hexadecimal digits"));
  }
  return key;
}

class Sealer::State {
 public:
  State(std::span<const ClusterKey> keys, Random& random)
      : keys_(keys.begin(), keys.end()), cipher_(EVP_CIPHER_CTX_new()) {
    ASSERT(cipher_ != nullptr);
    for (size_t at = 0; at < salt_.size(); at += sizeof(uint64_t)) {
      uint64_t const bits = random.Next();
      std::memcpy(salt_.data() + at, &bits, sizeof(bits));
    }
    for (const ClusterKey& key : keys_) {
      key_ids_.push_back(KeyId(key));
    }
    own_key_ = SenderKey(keys_[0], salt_);
  }
  ~State() {
    for (ClusterKey& key : keys_) {
      OPENSSL_cleanse(key.data(), key.size());
    }
    OPENSSL_cleanse(own_key_.data(), own_key_.size());
    for (auto& [place, sender] : senders_) {
      OPENSSL_cleanse(sender.key.data(), sender.key.size());
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool KeysDiffer() const {
    auto ids = key_ids_;
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) == ids.end();
  }

  std::vector<std::byte> Seal(std::span<const std::byte> plain) {
    std::vector<std::byte> out;
    out.reserve(plain.size() + kSealSizeBytes);
    codec::AppendFixed(out, kFormat);
    codec::AppendFixed(out, key_ids_[0]);
    codec::AppendSpan(out, salt_);
    codec::AppendFixed(out, ++counter_);
    out.resize(kHeadSizeBytes + plain.size() + kTagSizeBytes);
    auto const nonce = Nonce(counter_);
    int size = 0;
    bool const done = EVP_EncryptInit_ex(cipher_.get(), EVP_aes_256_gcm(), nullptr,
                                         Raw(own_key_.data()), nonce.data()) == 1 &&
                      EVP_EncryptUpdate(cipher_.get(), nullptr, &size, Raw(out.data()),
                                        static_cast<int>(kHeadSizeBytes)) == 1 &&
                      EVP_EncryptUpdate(cipher_.get(), Raw(out.data() + kHeadSizeBytes), &size,
                                        Raw(plain.data()), static_cast<int>(plain.size())) == 1 &&
                      EVP_EncryptFinal_ex(cipher_.get(), nullptr, &size) == 1 &&
                      EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_GET_TAG, kTagSizeBytes,
                                          Raw(out.data() + kHeadSizeBytes + plain.size())) == 1;
    ASSERT(done);
    return out;
  }

  Result<std::vector<std::byte>> Open(std::span<const std::byte> sealed) {
    codec::ByteReader reader(sealed);
    uint8_t format = 0;
    uint32_t key_id = 0;
    std::span<const std::byte> salt;
    uint64_t counter = 0;
    if (!reader.ReadFixed(format) || format != kFormat || !reader.ReadFixed(key_id) ||
        !reader.ReadSpan(16, salt) || !reader.ReadFixed(counter) ||
        reader.remaining_bytes() < kTagSizeBytes || counter == 0) {
      ++counters_.unsealed;
      return Status::PermissionDenied(
          StrCat("packet of ", sealed.size(), " bytes is not sealed, and this cluster has a key"));
    }
    auto const known = std::find(key_ids_.begin(), key_ids_.end(), key_id);
    if (known == key_ids_.end()) {
      ++counters_.unknown_key;
      return Status::PermissionDenied(
          StrCat("packet sealed with key ", key_id, ", which is not accepted here"));
    }
    Place place{};
    std::memcpy(place.data(), sealed.data() + 1, place.size());
    auto sender = senders_.find(place);
    bool const fresh = sender == senders_.end();
    ClusterKey const key =
        fresh ? SenderKey(keys_[static_cast<size_t>(known - key_ids_.begin())], salt)
              : sender->second.key;
    auto plain = Decrypt(key, counter, sealed, reader.rest());
    if (!plain.has_value()) {
      ++counters_.forged;
      return Status::PermissionDenied(
          StrCat("packet under key ", key_id, " was not made by a holder of it, or is damaged"));
    }
    if (fresh) {  // only now: strangers cannot push senders out
      MakeRoom();
      sender = senders_.emplace(place, Sender{key, {}, 0}).first;
    }
    if (sender->second.window.Seen(counter)) {
      ++counters_.replayed;
      return Status::PermissionDenied(StrCat("packet ", counter, " was opened before"));
    }
    sender->second.window.Note(counter);
    sender->second.used = ++uses_;
    return *std::move(plain);
  }

  const SealCounters& counters() const { return counters_; }

 private:
  using Place = std::array<std::byte, 20>;  // key id and salt, as they stand in the packet
  struct Sender {
    ClusterKey key;
    ReplayWindow window;
    uint64_t used;
  };

  static ClusterKey SenderKey(const ClusterKey& key, std::span<const std::byte> salt) {
    return Derive(key, "orochi swim packet 1", salt);
  }

  std::optional<std::vector<std::byte>> Decrypt(const ClusterKey& key, uint64_t counter,
                                                std::span<const std::byte> sealed,
                                                std::span<const std::byte> rest) {
    auto const cipher_text = rest.first(rest.size() - kTagSizeBytes);
    std::array<unsigned char, kTagSizeBytes> tag{};
    std::memcpy(tag.data(), rest.data() + cipher_text.size(), tag.size());
    std::vector<std::byte> plain(cipher_text.size());
    auto const nonce = Nonce(counter);
    int size = 0;
    bool const done =
        EVP_DecryptInit_ex(cipher_.get(), EVP_aes_256_gcm(), nullptr, Raw(key.data()),
                           nonce.data()) == 1 &&
        EVP_DecryptUpdate(cipher_.get(), nullptr, &size, Raw(sealed.data()),
                          static_cast<int>(kHeadSizeBytes)) == 1 &&
        EVP_DecryptUpdate(cipher_.get(), Raw(plain.data()), &size, Raw(cipher_text.data()),
                          static_cast<int>(cipher_text.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_SET_TAG, kTagSizeBytes, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher_.get(), nullptr, &size) == 1;
    return done ? std::optional(std::move(plain)) : std::nullopt;
  }

  // Forgets the sender that was heard longest ago.
  void MakeRoom() {
    if (senders_.size() >= kSendersMax) {
      senders_.erase(std::min_element(
          senders_.begin(), senders_.end(),
          [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
  }

  std::vector<ClusterKey> keys_;
  std::vector<uint32_t> key_ids_;
  Cipher cipher_;
  Salt salt_{};
  ClusterKey own_key_{};
  uint64_t counter_ = 0;
  std::map<Place, Sender> senders_;
  uint64_t uses_ = 0;
  SealCounters counters_;
};

Result<Sealer> Sealer::Create(std::span<const ClusterKey> keys, Random& random) {
  if (keys.empty() || keys.size() > kKeysMax) {
    return Status::InvalidArgument(StrCat(keys.size(), " cluster keys, expected 1 to ", kKeysMax));
  }
  auto state = std::make_unique<State>(keys, random);
  if (!state->KeysDiffer()) {
    return Status::InvalidArgument("a cluster key is given twice");
  }
  return Sealer(std::move(state));
}

Sealer::Sealer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sealer::Sealer(Sealer&& other) noexcept = default;
Sealer& Sealer::operator=(Sealer&& other) noexcept = default;
Sealer::~Sealer() = default;

std::vector<std::byte> Sealer::Seal(std::span<const std::byte> plain) {
  return state_->Seal(plain);
}

Result<std::vector<std::byte>> Sealer::Open(std::span<const std::byte> sealed) {
  return state_->Open(sealed);
}

const SealCounters& Sealer::counters() const {
  return state_->counters();
}

}  // namespace orochi::swim
