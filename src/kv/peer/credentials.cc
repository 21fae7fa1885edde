#include "kv/peer/internal/credentials.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace orochi::kv::peer {

Result<Credentials> MakeCredentials(const std::optional<TlsFiles>& files) {
  if (!files.has_value()) {
    return Credentials{.channel = grpc::InsecureChannelCredentials(),
                       .server = grpc::InsecureServerCredentials()};
  }
  RETURN_IF_ERROR(CheckTlsFiles(*files));
  namespace tls = grpc::experimental;
  auto const provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      files->key, files->certificate, files->authority, files->reload_interval_s);

  tls::TlsChannelCredentialsOptions channel;
  channel.set_certificate_provider(provider);
  channel.watch_root_certs();
  channel.watch_identity_key_cert_pairs();

  tls::TlsServerCredentialsOptions server(provider);
  server.watch_root_certs();
  server.watch_identity_key_cert_pairs();
  server.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);

  return Credentials{.channel = tls::TlsCredentials(channel),
                     .server = tls::TlsServerCredentials(server)};
}

}  // namespace orochi::kv::peer
