#include "kv/peer/internal/admission_service.h"

#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/peer/internal/outbound_stream.h"

namespace orochi::kv::peer {
namespace {

constexpr size_t kAddressSizeBytesMax = 300;

grpc::StatusCode CodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kFailedPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case StatusCode::kInvalidArgument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    default:
      return grpc::StatusCode::UNAVAILABLE;
  }
}

// gRPC waits for the answer of everyone who has asked: it comes in any case.
class Answering {
 public:
  Answering(grpc::ServerUnaryReactor& reactor, v1::AdmitReply& reply)
      : reactor_(&reactor), reply_(reply) {}
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() {
    if (reactor_ != nullptr) {
      Answer(Status::Unavailable("the node is stopping"));
    }
  }

  void Answer(const Result<Admission>& admission) {
    grpc::ServerUnaryReactor* const reactor = std::exchange(reactor_, nullptr);
    ASSERT(reactor != nullptr);  // answered once
    if (!admission.ok()) {
      reactor->Finish(grpc::Status(CodeOf(admission.status()), admission.status().message()));
      return;
    }
    reply_.set_number(admission->number);
    reply_.set_map(admission->map);
    reactor->Finish(grpc::Status::OK);
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
  v1::AdmitReply& reply_;
};

}  // namespace

grpc::ServerUnaryReactor* AdmissionService::Admit(grpc::CallbackServerContext* context,
                                                  const v1::AdmitRequest* request,
                                                  v1::AdmitReply* reply) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto const answering = std::make_shared<Answering>(*reactor, *reply);
  if (request->protocol_version() != kProtocolVersion) {
    answering->Answer(Status::FailedPrecondition(
        StrCat("protocol version ", request->protocol_version(), ", expected ", kProtocolVersion)));
  } else if (request->cluster() != cluster_) {
    answering->Answer(Status::FailedPrecondition(
        StrCat("this is a node of cluster '", cluster_, "', not of '",
               request->cluster().substr(0, kAddressSizeBytesMax), "'")));
  } else if (request->address().size() > kAddressSizeBytesMax ||
             request->gossip_address().size() > kAddressSizeBytesMax ||
             request->http_address().size() > kAddressSizeBytesMax) {
    answering->Answer(Status::InvalidArgument(
        StrCat("an address of more than ", kAddressSizeBytesMax, " bytes")));
  } else {
    handler_({.identity = request->identity(),
              .address = request->address(),
              .gossip_address = request->gossip_address(),
              .http_address = request->http_address()},
             [answering](const Result<Admission>& admission) { answering->Answer(admission); });
  }
  return reactor;
}

}  // namespace orochi::kv::peer
