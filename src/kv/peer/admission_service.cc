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

void Fill(const Admission& admission, v1::AdmitReply& reply) {
  reply.set_number(admission.number);
  reply.set_map(admission.map);
}

void Fill(const Introduction& introduction, v1::IntroduceReply& reply) {
  reply.mutable_self()->set_number(introduction.self.number);
  reply.mutable_self()->set_identity(introduction.self.identity);
  for (const Introduction::Known& known : introduction.nodes) {
    v1::IntroduceReply::Node* const node = reply.add_nodes();
    node->set_number(known.number);
    node->set_identity(known.identity);
  }
}

// gRPC waits for the answer of everyone who has asked: it comes in any case.
template <class Value, class Reply>
class Answering {
 public:
  Answering(grpc::ServerUnaryReactor& reactor, Reply& reply) : reactor_(&reactor), reply_(reply) {}
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() {
    if (reactor_ != nullptr) {
      Answer(Status::Unavailable("the node is stopping"));
    }
  }

  void Answer(const Result<Value>& value) {
    grpc::ServerUnaryReactor* const reactor = std::exchange(reactor_, nullptr);
    ASSERT(reactor != nullptr);  // answered once
    if (!value.ok()) {
      reactor->Finish(grpc::Status(CodeOf(value.status()), value.status().message()));
      return;
    }
    Fill(*value, reply_);
    reactor->Finish(grpc::Status::OK);
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
  Reply& reply_;
};

template <class Request>
Status CheckHead(const Request& request, const std::string& cluster) {
  if (request.protocol_version() != kProtocolVersion) {
    return Status::FailedPrecondition(
        StrCat("protocol version ", request.protocol_version(), ", expected ", kProtocolVersion));
  }
  if (request.cluster() != cluster) {
    return Status::FailedPrecondition(StrCat("this is a node of cluster '", cluster, "', not of '",
                                             request.cluster().substr(0, kAddressSizeBytesMax),
                                             "'"));
  }
  return Status();
}

}  // namespace

grpc::ServerUnaryReactor* AdmissionService::Admit(grpc::CallbackServerContext* context,
                                                  const v1::AdmitRequest* request,
                                                  v1::AdmitReply* reply) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto const answering = std::make_shared<Answering<Admission, v1::AdmitReply>>(*reactor, *reply);
  if (Status status = CheckHead(*request, cluster_); !status.ok()) {
    answering->Answer(std::move(status));
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

grpc::ServerUnaryReactor* AdmissionService::Introduce(grpc::CallbackServerContext* context,
                                                      const v1::IntroduceRequest* request,
                                                      v1::IntroduceReply* reply) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto const answering =
      std::make_shared<Answering<Introduction, v1::IntroduceReply>>(*reactor, *reply);
  if (Status status = CheckHead(*request, cluster_); !status.ok()) {
    answering->Answer(std::move(status));
  } else {
    introducer_([answering](const Result<Introduction>& own) { answering->Answer(own); });
  }
  return reactor;
}

}  // namespace orochi::kv::peer
