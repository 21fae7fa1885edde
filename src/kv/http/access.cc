#include "kv/http/access.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <utility>

#include "base/str_cat.h"
#include "kv/http/file_content.h"
#include "kv/http/status_table.h"

namespace orochi::kv::http {
namespace {

constexpr size_t kTokenSizeBytesMax = 512;

Reply NobodyReply(std::string message) {
  Reply reply = ErrorReply(401, "unauthenticated", std::move(message),
                           "requests have the header Authorization: Bearer TOKEN");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"orochi-kv\"");
  return reply;
}

}  // namespace

std::string_view RightName(Right right) {
  return right == Right::kRead ? "read" : right == Right::kWrite ? "write" : "admin";
}

Digest DigestOf(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

// Each star takes as little as it can; when the rest does not fit, the last star takes one more.
bool Matches(std::string_view pattern, std::string_view text) {
  size_t in_pattern = 0;
  size_t in_text = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (in_text < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_text = in_text;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[in_text]) {
      ++in_pattern;
      ++in_text;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

bool Token::Has(const Need& need) const {
  for (const Grant& grant : grants) {
    bool const covers = need.collection.empty()
                            ? grant.collections.find_first_not_of('*') == std::string::npos
                            : Matches(grant.collections, need.collection);
    if (covers && grant.right >= need.right) {
      return true;
    }
  }
  return false;
}

Result<std::unique_ptr<Access>> Access::Load(std::string path, int64_t reload_us, Clock& clock,
                                             std::function<void(const Status&)> on_error) {
  std::unique_ptr<Access> access(
      new Access(std::move(path), reload_us, clock, std::move(on_error)));
  std::lock_guard const guard(access->mutex_);
  RETURN_IF_ERROR(access->Look());
  return access;
}

// REQUIRES: mutex_ is held.
Status Access::Look() {
  looked_ns_ = clock_.MonotonicNanos();
  Result<std::string> content = ReadWholeFile(path_);
  std::string const seen = content.ok() ? *content : content.status().message();
  if (table_ != nullptr && seen == content_) {
    return Status();
  }
  content_ = seen;
  RETURN_IF_ERROR(content.status());
  Result<std::vector<Token>> tokens = ParseTokens(*content);
  if (!tokens.ok()) {
    return std::move(tokens).status().WithContext(path_);
  }
  auto table = std::make_shared<Table>();
  for (Token& token : *tokens) {
    table->push_back(std::make_shared<const Token>(std::move(token)));
  }
  table_ = std::move(table);
  return Status();
}

std::shared_ptr<const Access::Table> Access::Current() {
  std::lock_guard const guard(mutex_);
  if (clock_.MonotonicNanos() - looked_ns_ >= reload_us_ * 1000) {
    if (Status looked = Look(); !looked.ok() && on_error_) {
      on_error_(looked);
    }
  }
  return table_;
}

std::shared_ptr<const Token> Access::Identify(std::string_view authorization, Reply& refusal) {
  constexpr std::string_view kScheme = "Bearer ";
  bool const is_bearer =
      authorization.size() > kScheme.size() &&
      authorization.size() <= kScheme.size() + kTokenSizeBytesMax &&
      OPENSSL_strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) == 0;
  if (!is_bearer) {
    refusal = NobodyReply(authorization.empty() ? "the request has no token"
                                                : "the header Authorization has no bearer token");
    return nullptr;
  }
  Digest const digest = DigestOf(authorization.substr(kScheme.size()));
  std::shared_ptr<const Token> found;
  for (const std::shared_ptr<const Token>& token : *Current()) {
    if (CRYPTO_memcmp(digest.data(), token->digest.data(), digest.size()) == 0) {
      found = token;
    }
  }
  if (found == nullptr) {
    refusal = NobodyReply("nobody has this token");
  } else if (found->expires_us <= clock_.NowMicros()) {
    refusal = NobodyReply("the token has expired");
    found = nullptr;
  }
  return found;
}

std::optional<Reply> Access::Refuse(const Token& token, const Call& call) {
  for (const Need& need : NeedsOf(call)) {
    if (!token.Has(need)) {
      return ErrorReply(
          403, "forbidden",
          StrCat("'", token.name, "' may not ", RightName(need.right), " ",
                 need.collection.empty() ? "all collections"
                                         : StrCat("the collection '", need.collection, "'")),
          "");
    }
  }
  return std::nullopt;
}

}  // namespace orochi::kv::http
