#pragma once

#include <functional>

#include "kv/peer/admission.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {

/// Membership as gRPC calls it, on its own threads.
class AdmissionService final : public v1::Membership::CallbackService {
 public:
  using Handler = std::function<void(AdmissionRequest, AnswerAdmission)>;
  using Introducer = std::function<void(AnswerIntroduction)>;

  /// Both may be called by any thread, until the server has stopped.
  AdmissionService(std::string cluster, Handler handler, Introducer introducer)
      : cluster_(std::move(cluster)),
        handler_(std::move(handler)),
        introducer_(std::move(introducer)) {}

  grpc::ServerUnaryReactor* Admit(grpc::CallbackServerContext* context,
                                  const v1::AdmitRequest* request, v1::AdmitReply* reply) override;
  grpc::ServerUnaryReactor* Introduce(grpc::CallbackServerContext* context,
                                      const v1::IntroduceRequest* request,
                                      v1::IntroduceReply* reply) override;

 private:
  const std::string cluster_;
  const Handler handler_;
  const Introducer introducer_;
};

}  // namespace orochi::kv::peer
