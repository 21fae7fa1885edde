#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kv/http/message.h"

namespace orochi::kv::http {

/// Each includes those before it.
enum class Right : uint8_t {
  kRead,
  kWrite,
  kAdmin,  // makes and drops collections and schemas; of all collections: the cluster too
};
std::string_view RightName(Right right);

/// What a request needs: a right to a collection, or to all when `collection` is empty.
struct Need {
  Right right;
  std::string collection{};

  friend bool operator==(const Need&, const Need&) = default;
};
/// Nothing for a request that names no collection: it can do no more than fail, or needs none.
std::vector<Need> NeedsOf(const Call& call);
/// Whether anybody may ask: health, for those who start and stop processes.
bool IsOpenToAll(std::string_view method, std::string_view path);

using Digest = std::array<unsigned char, 32>;  // SHA-256
Digest DigestOf(std::string_view token);

/// Whether `text` is like `pattern`, in which * stands for any bytes.
bool Matches(std::string_view pattern, std::string_view text);

struct Token {
  std::string name;  // of whom it was given to: for logs
  Digest digest{};
  int64_t expires_us = INT64_MAX;  // since 1970
  struct Grant {
    std::string collections;  // a pattern
    Right right;
  };
  std::vector<Grant> grants{};

  bool Has(const Need& need) const;
};

/// {"tokens": [{"name": "app", "sha256": "<64 hexadecimal digits>",
///              "expires": "2027-01-01T00:00:00Z", "rights": {"shop*": "write", "*": "read"}}]}
/// kInvalidArgument with the path of what is wrong.
Result<std::vector<Token>> ParseTokens(std::string_view json);

/// Who may do what, by a file of tokens, which is read again when it changes. While what is there
/// is no good, what was good before holds, and `on_error` is told once for each change.
///
/// Threads: any.    Borrows: clock.
class Access {
 public:
  static Result<std::unique_ptr<Access>> Load(std::string path, int64_t reload_us, Clock& clock,
                                              std::function<void(const Status&)> on_error);

  /// By the value of the header Authorization. Null, with the answer in `refusal`, for who is
  /// nobody: what is presented is compared with all tokens, in the same time wherever it differs.
  std::shared_ptr<const Token> Identify(std::string_view authorization, Reply& refusal);
  /// The answer to one who may not do this.
  static std::optional<Reply> Refuse(const Token& token, const Call& call);

 private:
  using Table = std::vector<std::shared_ptr<const Token>>;
  Access(std::string path, int64_t reload_us, Clock& clock,
         std::function<void(const Status&)> on_error)
      : path_(std::move(path)),
        reload_us_(reload_us),
        clock_(clock),
        on_error_(std::move(on_error)) {}
  Status Look();
  std::shared_ptr<const Table> Current();

  const std::string path_;
  const int64_t reload_us_;
  Clock& clock_;
  const std::function<void(const Status&)> on_error_;
  std::mutex mutex_;
  std::shared_ptr<const Table> table_;  // guarded by mutex_, as the rest; shared with requests
  std::string content_;                 // that was looked at last
  int64_t looked_ns_ = 0;
};

}  // namespace orochi::kv::http
