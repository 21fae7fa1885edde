#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/mvcc/timestamp.h"
#include "kv/query/query.h"

namespace orochi::kv {

/// Where a query's answer goes on. It names a key, not a partition, so it stands when partitions
/// split, merge or move in between; and it is all there is: nobody keeps state for a query.
struct Continuation {
  std::string last_key;                    // read last; empty: nothing yet
  std::optional<uint64_t> remaining = {};  // of the query's limit
  Timestamp read_timestamp{};              // of all pages

  friend bool operator==(const Continuation&, const Continuation&) = default;
};

/// The start of the answer.
Continuation FirstPage(const CompiledQuery& query, Timestamp read_timestamp);

inline constexpr size_t kTokenSizeBytesMax = 20 * 1024;

/// The continuation as opaque bytes for a client (docs/formats/kv-continuation.md), bound to the
/// query. `secret` is the cluster's, for an HMAC that nobody without it can make; empty, a checksum
/// takes its place, which finds damage but not malice: a forged token reads what the query may
/// read.
std::string EncodeContinuation(const CompiledQuery& query, const Continuation& continuation,
                               std::string_view secret);

/// kInvalidArgument says whether the token is damaged or made with another secret, is of another
/// version of the format, or belongs to another query.
Result<Continuation> DecodeContinuation(const CompiledQuery& query, std::string_view token,
                                        std::string_view secret);

}  // namespace orochi::kv
