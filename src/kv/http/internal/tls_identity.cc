#include "kv/http/internal/tls_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "kv/http/file_content.h"

namespace orochi::kv::http {
namespace {

struct Deleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

// What OpenSSL has said last; nothing of it is left for the next.
std::string LastError() {
  unsigned long const code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

Status Wrong(const std::string& path, std::string_view what) {
  return Status::InvalidArgument(StrCat(path, ": ", what, ": ", LastError()));
}

Owned<BIO> Reading(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// A key with a passphrase is refused rather than asked for.
int NoPassphrase(char*, int, int, void*) {
  return -1;
}

Result<std::vector<Owned<X509>>> Certificates(const std::string& path, const std::string& pem) {
  std::vector<Owned<X509>> found;
  Owned<BIO> const in = Reading(pem);
  while (true) {
    Owned<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, NoPassphrase, nullptr));
    if (certificate == nullptr) {
      break;
    }
    found.push_back(std::move(certificate));
  }
  bool const ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (found.empty() || !ended) {
    return Wrong(path, "expected certificates in PEM");
  }
  ERR_clear_error();
  return found;
}

struct Files {
  std::string certificate;
  std::string key;
  std::string client_authority;
  std::string All() const { return StrCat(certificate, key, client_authority); }
};

Result<Files> ReadFiles(const TlsOptions& options) {
  Files files;
  ASSIGN_OR_RETURN(files.certificate, ReadWholeFile(options.certificate));
  ASSIGN_OR_RETURN(files.key, ReadWholeFile(options.key));
  if (!options.client_authority.empty()) {
    ASSIGN_OR_RETURN(files.client_authority, ReadWholeFile(options.client_authority));
  }
  return files;
}

Result<TlsContext> ContextOf(const TlsOptions& options, const Files& files) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ASSIGN_OR_RETURN(auto const chain, Certificates(options.certificate, files.certificate));
  if (SSL_CTX_use_certificate(context.get(), chain.front().get()) != 1) {
    return Wrong(options.certificate, "the certificate cannot be used");
  }
  for (size_t index = 1; index < chain.size(); ++index) {
    SSL_CTX_add1_chain_cert(context.get(), chain[index].get());
  }
  Owned<BIO> const in = Reading(files.key);
  Owned<EVP_PKEY> const key(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return Wrong(options.key, "expected a private key in PEM, without passphrase");
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Wrong(options.key, StrCat("the key is not that of ", options.certificate));
  }
  if (!options.client_authority.empty()) {
    ASSIGN_OR_RETURN(auto const authorities,
                     Certificates(options.client_authority, files.client_authority));
    for (const Owned<X509>& authority : authorities) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
      SSL_CTX_add_client_CA(context.get(), authority.get());
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Sessions of clients with certificates are resumed only where they were made.
    constexpr std::string_view kSession = "orochi-kv";
    SSL_CTX_set_session_id_context(context.get(),
                                   reinterpret_cast<const unsigned char*>(kSession.data()),
                                   static_cast<unsigned>(kSession.size()));
  }
  return context;
}

}  // namespace

Status CheckTls(const TlsOptions& options) {
  ASSIGN_OR_RETURN(Files const files, ReadFiles(options));
  return ContextOf(options, files).status();
}

Result<std::unique_ptr<TlsIdentity>> TlsIdentity::Load(
    TlsOptions options, Clock& clock, std::function<void(const Status&)> on_error) {
  std::unique_ptr<TlsIdentity> identity(
      new TlsIdentity(std::move(options), clock, std::move(on_error)));
  ASSIGN_OR_RETURN(Files const files, ReadFiles(identity->options_));
  ASSIGN_OR_RETURN(identity->current_, ContextOf(identity->options_, files));
  identity->content_ = files.All();
  identity->looked_ns_ = clock.MonotonicNanos();
  return identity;
}

TlsContext TlsIdentity::Current() {
  int64_t const now_ns = clock_.MonotonicNanos();
  std::lock_guard const guard(mutex_);
  if (now_ns - looked_ns_ >= options_.reload_us * 1000) {
    Reload(now_ns);
  }
  return current_;
}

void TlsIdentity::Reload(int64_t now_ns) {
  looked_ns_ = now_ns;
  Result<Files> const files = ReadFiles(options_);
  std::string content = files.ok() ? files->All() : files.status().message();
  if (content == content_) {
    return;
  }
  content_ = std::move(content);
  Result<TlsContext> made = files.ok() ? ContextOf(options_, *files) : files.status();
  if (made.ok()) {
    current_ = *std::move(made);
  } else if (on_error_) {
    on_error_(made.status());
  }
}

}  // namespace orochi::kv::http
