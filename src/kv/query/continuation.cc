#include "kv/query/continuation.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

namespace orochi::kv {

namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kMacSizeBytes = 16;
constexpr size_t kChecksumSizeBytes = 4;

std::string Seal(std::span<const std::byte> bytes, std::string_view secret) {
  if (secret.empty()) {
    std::vector<std::byte> checksum;
    codec::AppendFixed(checksum, codec::Crc32c(bytes));
    return std::string(reinterpret_cast<const char*>(checksum.data()), checksum.size());
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size_bytes = 0;
  const unsigned char* const made = HMAC(
      EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), mac.data(), &size_bytes);
  ASSERT(made != nullptr && size_bytes >= kMacSizeBytes);
  return std::string(reinterpret_cast<const char*>(mac.data()), kMacSizeBytes);
}

Status Refuse(std::string_view what) {
  return Status::InvalidArgument(StrCat("continuation token ", what));
}

}  // namespace

Continuation FirstPage(const CompiledQuery& query, Timestamp read_timestamp) {
  return {.last_key = "", .remaining = query.query().limit, .read_timestamp = read_timestamp};
}

std::string EncodeContinuation(const CompiledQuery& query, const Continuation& continuation,
                               std::string_view secret) {
  std::vector<std::byte> bytes;
  codec::AppendFixed(bytes, kFormat);
  codec::AppendFixed(bytes, query.digest());
  codec::AppendFixed(bytes, continuation.read_timestamp.value());
  codec::AppendFixed(bytes, static_cast<uint8_t>(continuation.remaining ? 1 : 0));
  codec::AppendVarint(bytes, continuation.remaining.value_or(0));
  codec::AppendSpan(bytes, std::as_bytes(std::span(continuation.last_key)));
  std::string const seal = Seal(bytes, secret);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) + seal;
}

Result<Continuation> DecodeContinuation(const CompiledQuery& query, std::string_view token,
                                        std::string_view secret) {
  if (token.size() > kTokenSizeBytesMax) {
    return Refuse(StrCat("has ", token.size(), " bytes, at most ", kTokenSizeBytesMax));
  }
  size_t const seal_size_bytes = secret.empty() ? kChecksumSizeBytes : kMacSizeBytes;
  if (token.empty() || token.size() <= seal_size_bytes) {
    return Refuse(StrCat("has ", token.size(), " bytes, that is too few"));
  }
  if (static_cast<uint8_t>(token[0]) != kFormat) {
    return Refuse(
        StrCat("has format ", int{static_cast<uint8_t>(token[0])}, ", expected ", int{kFormat}));
  }
  std::string_view const body = token.substr(0, token.size() - seal_size_bytes);
  std::string const seal = Seal(std::as_bytes(std::span(body)), secret);
  if (CRYPTO_memcmp(seal.data(), token.data() + body.size(), seal_size_bytes) != 0) {
    return Refuse("is damaged or was made by another cluster");
  }
  codec::ByteReader reader(std::as_bytes(std::span(body.substr(1))));
  uint64_t digest = 0;
  uint64_t timestamp = 0;
  uint8_t limited = 0;
  uint64_t remaining = 0;
  if (!reader.ReadFixed(digest) || !reader.ReadFixed(timestamp) || !reader.ReadFixed(limited) ||
      limited > 1 || !reader.ReadVarint(remaining)) {
    return Refuse("is damaged");
  }
  if (digest != query.digest()) {
    return Refuse("belongs to another query");
  }
  Continuation continuation;
  continuation.read_timestamp = Timestamp(timestamp);
  if (limited == 1) {
    continuation.remaining = remaining;
  }
  continuation.last_key.assign(reinterpret_cast<const char*>(reader.rest().data()),
                               reader.remaining_bytes());
  const std::string& key = continuation.last_key;
  const auto& spans = query.spans();
  bool const inside = key.empty() || std::any_of(spans.begin(), spans.end(), [&](const auto& span) {
                        return span.Contains(key);
                      });
  if (!inside || limited != (query.query().limit ? 1 : 0) ||
      remaining > query.query().limit.value_or(0)) {
    return Refuse("is damaged");  // or forged, where there is no secret
  }
  return continuation;
}

}  // namespace orochi::kv
