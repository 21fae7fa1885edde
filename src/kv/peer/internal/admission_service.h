#pragma once

#include <functional>

#include "kv/peer/admission.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {

/// Membership as gRPC calls it, on its own threads.
class AdmissionService final : public v1::Membership::CallbackService {
 public:
  using Handler = std::function<void(AdmissionRequest, AnswerAdmission)>;

  /// `handler` may be called by any thread, until the server has stopped.
  AdmissionService(std::string cluster, Handler handler)
      : cluster_(std::move(cluster)), handler_(std::move(handler)) {}

  grpc::ServerUnaryReactor* Admit(grpc::CallbackServerContext* context,
                                  const v1::AdmitRequest* request, v1::AdmitReply* reply) override;

 private:
  const std::string cluster_;
  const Handler handler_;
};

}  // namespace orochi::kv::peer
