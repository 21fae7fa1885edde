#include "sstable/types/decorated_key.h"

#include <openssl/evp.h>

#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/types/compare.h"

namespace orochi::sstable {

namespace {

constexpr size_t kKeySizeBytesMax = std::numeric_limits<uint16_t>::max();
constexpr std::string_view kPackage = "org.apache.cassandra.dht.";

/// The MD5 as a signed 128-bit number, without its sign. (Of -2^127 too: it is 2^127.)
unsigned __int128 RandomPosition(Bytes key) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size_bytes = 0;
  int const ok = EVP_Digest(key.data(), key.size(), digest, &size_bytes, EVP_md5(), nullptr);
  ASSERT(ok == 1 && size_bytes == 16);
  unsigned __int128 number = 0;
  for (size_t index = 0; index < 16; ++index) {
    number = (number << 8) | digest[index];
  }
  bool const negative = (digest[0] & 0x80) != 0;
  return negative ? ~number + 1 : number;
}

std::string ToDecimal(unsigned __int128 number) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
    number /= 10;
  } while (number != 0);
  return out;
}

}  // namespace

Result<Partitioner> ParsePartitioner(std::string_view class_name) {
  std::string_view name = class_name;
  if (name.starts_with(kPackage)) {
    name.remove_prefix(kPackage.size());
  }
  for (Partitioner const partitioner : {Partitioner::kMurmur3, Partitioner::kRandom,
                                        Partitioner::kByteOrdered, Partitioner::kLocal}) {
    if (PartitionerClass(partitioner).substr(kPackage.size()) == name) {
      return partitioner;
    }
  }
  return Status::Unsupported(
      StrCat("partitioner \"", class_name.substr(0, 200),
             "\", expected Murmur3Partitioner, RandomPartitioner, ByteOrderedPartitioner or "
             "LocalPartitioner"));
}

std::string_view PartitionerClass(Partitioner partitioner) {
  switch (partitioner) {
    case Partitioner::kMurmur3:
      return "org.apache.cassandra.dht.Murmur3Partitioner";
    case Partitioner::kRandom:
      return "org.apache.cassandra.dht.RandomPartitioner";
    case Partitioner::kByteOrdered:
      return "org.apache.cassandra.dht.ByteOrderedPartitioner";
    case Partitioner::kLocal:
      return "org.apache.cassandra.dht.LocalPartitioner";
  }
  return "";
}

Token TokenOf(Partitioner partitioner, Bytes key) {
  return TokenOf(partitioner, key,
                 partitioner == Partitioner::kMurmur3 ? Murmur3(key) : Murmur3Hash());
}

Token TokenOf(Partitioner partitioner, Bytes key, const Murmur3Hash& hash) {
  constexpr int64_t kMinimum = std::numeric_limits<int64_t>::min();
  switch (partitioner) {
    case Partitioner::kMurmur3: {
      if (key.empty()) {
        return Token::OfMurmur3(kMinimum);
      }
      auto const token = static_cast<int64_t>(hash.h1);
      // The minimum stands for "before every key" and so belongs to none.
      return Token::OfMurmur3(token == kMinimum ? std::numeric_limits<int64_t>::max() : token);
    }
    case Partitioner::kRandom:
      // An empty key has the token before all others, -1. No hash is known to be 0.
      return {.position = key.empty() ? 0 : RandomPosition(key)};
    case Partitioner::kByteOrdered:
    case Partitioner::kLocal:
      return {};
  }
  return {};
}

std::string TokenText(Partitioner partitioner, Bytes key) {
  switch (partitioner) {
    case Partitioner::kMurmur3:
      return StrCat(TokenOf(partitioner, key).murmur3());
    case Partitioner::kRandom:
      return key.empty() ? "-1" : ToDecimal(TokenOf(partitioner, key).position);
    case Partitioner::kByteOrdered:
    case Partitioner::kLocal:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::byte const byte : key) {
    out += kDigits[std::to_integer<size_t>(byte) >> 4];
    out += kDigits[std::to_integer<size_t>(byte) & 15];
  }
  return out;
}

int CompareKeys(Partitioner partitioner, const Type& key_type, Token left_token, Bytes left,
                Token right_token, Bytes right) {
  if (partitioner == Partitioner::kLocal) {
    return CompareValues(key_type, left, right);
  }
  if (left_token != right_token) {
    return left_token < right_token ? -1 : 1;
  }
  return CompareUnsigned(left, right);
}

Result<std::string> MakePartitionKey(const std::vector<std::string>& values) {
  auto const too_long = [](size_t size_bytes) {
    return Status::InvalidArgument(StrCat("a partition key of ", size_bytes,
                                          " bytes or more, at most ", kKeySizeBytesMax,
                                          " are possible"));
  };
  std::string key;
  for (const std::string& value : values) {
    if (value.size() > kKeySizeBytesMax) {
      return too_long(value.size());
    }
    if (values.size() == 1) {
      return value;
    }
    AppendBigEndian(key, static_cast<uint16_t>(value.size()));
    key += value;
    key += '\0';
  }
  if (key.size() > kKeySizeBytesMax) {
    return too_long(key.size());
  }
  return key;
}

Result<std::vector<Bytes>> SplitPartitionKey(Bytes key, size_t column_count) {
  std::vector<Bytes> values;
  if (column_count == 1) {
    values.push_back(key);
    return values;
  }
  Bytes rest = key;
  while (values.size() < column_count) {
    size_t const size_bytes = rest.size() < 2 ? 0 : LoadBigEndian<uint16_t>(rest);
    if (rest.size() < size_bytes + 3) {
      return Status::Corruption(StrCat("a partition key of ", key.size(), " bytes ends in column ",
                                       values.size() + 1, " of ", column_count));
    }
    values.push_back(rest.subspan(2, size_bytes));
    rest = rest.subspan(size_bytes + 3);
  }
  if (!rest.empty()) {
    return Status::Corruption(StrCat("a partition key of ", key.size(), " bytes has ", rest.size(),
                                     " more after its ", column_count, " columns"));
  }
  return values;
}

}  // namespace orochi::sstable
