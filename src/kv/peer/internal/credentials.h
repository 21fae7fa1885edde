#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>

#include "base/result.h"
#include "kv/peer/tls_files.h"

namespace orochi::kv::peer {

struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> channel;
  std::shared_ptr<grpc::ServerCredentials> server;
};

/// Mutual TLS from `files`, read again when they change; without files, plaintext.
Result<Credentials> MakeCredentials(const std::optional<TlsFiles>& files);

}  // namespace orochi::kv::peer
