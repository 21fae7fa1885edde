#include "kv/peer/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/result.h"
#include "base/str_cat.h"

namespace orochi::kv::peer {
namespace {

struct Freer {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Freer>;
using Certificate = std::unique_ptr<X509, Freer>;
using Key = std::unique_ptr<EVP_PKEY, Freer>;

Result<Bio> OpenPem(const std::string& what, const std::string& path) {
  Bio bio(BIO_new_file(path.c_str(), "r"));
  ERR_clear_error();
  if (bio == nullptr) {
    return Status::InvalidArgument(StrCat(what, " ", path, ": cannot be read"));
  }
  return bio;
}

Result<Certificate> ReadCertificate(const std::string& what, const std::string& path) {
  ASSIGN_OR_RETURN(Bio bio, OpenPem(what, path));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) {
    return Status::InvalidArgument(StrCat(what, " ", path, ": no certificate in PEM"));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return Status::FailedPrecondition(StrCat(what, " ", path, ": has expired"));
  }
  return certificate;
}

// Asks nobody for a pass phrase: a daemon has no terminal.
int RefusePassPhrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

}  // namespace

Status CheckTlsFiles(const TlsFiles& files) {
  ASSIGN_OR_RETURN(Certificate const certificate,
                   ReadCertificate("certificate", files.certificate));
  ASSIGN_OR_RETURN(Certificate const authority,
                   ReadCertificate("certificate authority", files.authority));
  ASSIGN_OR_RETURN(Bio const bio, OpenPem("key", files.key));
  Key const key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassPhrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return Status::InvalidArgument(
        StrCat("key ", files.key, ": no private key in PEM, or one with a pass phrase"));
  }
  bool const matches = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!matches) {
    return Status::InvalidArgument(
        StrCat("key ", files.key, ": is not the key of certificate ", files.certificate));
  }
  if (files.reload_interval_s == 0) {
    return Status::InvalidArgument("TLS files: reload_interval_s is 0, expected 1 or more");
  }
  return Status::Ok();
}

}  // namespace orochi::kv::peer
