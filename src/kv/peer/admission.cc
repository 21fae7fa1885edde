#include "kv/peer/admission.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "base/str_cat.h"
#include "io/posix/system_clock.h"
#include "kv/peer/internal/credentials.h"
#include "kv/peer/internal/outbound_stream.h"
#include "kv/peer/internal/peer_address.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {
namespace {

constexpr int64_t kAttemptUs = 5'000'000;
constexpr int64_t kPauseUs = 200'000;

// A way to one node at a time.
class Asking {
 public:
  static Result<Asking> Create(const std::optional<TlsFiles>& tls) {
    ASSIGN_OR_RETURN(Credentials credentials, MakeCredentials(tls));
    return Asking(std::move(credentials), tls);
  }

  Result<std::unique_ptr<v1::Membership::Stub>> StubOf(const std::string& at) const {
    ASSIGN_OR_RETURN(PeerAddress const address, ParsePeerAddress(at));
    if (!is_secure_ && !address.is_loopback) {
      return Status::InvalidArgument(StrCat("asking ", at, " without TLS is refused"))
          .WithHint("Configure certificate, key and authority for peers.");
    }
    return v1::Membership::NewStub(
        grpc::CreateCustomChannel(address.target, credentials_.channel, arguments_));
  }

 private:
  Asking(Credentials credentials, const std::optional<TlsFiles>& tls)
      : credentials_(std::move(credentials)), is_secure_(tls.has_value()) {
    arguments_.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (tls.has_value() && !tls->peer_name.empty()) {
      arguments_.SetSslTargetNameOverride(tls->peer_name);
    }
  }

  Credentials credentials_;
  grpc::ChannelArguments arguments_;
  bool is_secure_;
};

void SetTimeout(grpc::ClientContext& context, int64_t within_us) {
  context.set_deadline(gpr_time_from_micros(within_us, GPR_TIMESPAN));
}

// Whether another node, or the same later, may say something else.
bool IsFinal(grpc::StatusCode code) {
  return code == grpc::StatusCode::FAILED_PRECONDITION ||
         code == grpc::StatusCode::INVALID_ARGUMENT;
}

Status StatusOf(const grpc::Status& status, const std::string& at) {
  std::string const why = StrCat(at, ": ", status.error_message());
  return IsFinal(status.error_code()) ? Status::FailedPrecondition(why) : Status::Unavailable(why);
}

}  // namespace

Result<Admission> AskForAdmission(const AdmissionOptions& options,
                                  const AdmissionRequest& request) {
  if (options.addresses.empty()) {
    return Status::InvalidArgument("no address of a node that could let this one in");
  }
  ASSIGN_OR_RETURN(Asking const asking, Asking::Create(options.tls));
  v1::AdmitRequest message;
  message.set_protocol_version(kProtocolVersion);
  message.set_cluster(options.cluster);
  message.set_identity(request.identity);
  message.set_address(request.address);
  message.set_gossip_address(request.gossip_address);
  message.set_http_address(request.http_address);

  io::SystemClock clock;
  int64_t const until_us = clock.MonotonicNanos() / 1000 + options.within_us;
  std::string why = "nobody was asked";
  for (size_t attempt = 0;; ++attempt) {
    int64_t const left_us = until_us - clock.MonotonicNanos() / 1000;
    if (left_us <= 0) {
      return Status::Unavailable(StrCat("no node has let this one in, last of all ", why));
    }
    const std::string& at = options.addresses[attempt % options.addresses.size()];
    ASSIGN_OR_RETURN(auto const stub, asking.StubOf(at));
    grpc::ClientContext context;
    SetTimeout(context, std::min(kAttemptUs, left_us));
    v1::AdmitReply reply;
    grpc::Status const status = stub->Admit(&context, message, &reply);
    if (status.ok()) {
      return Admission{.number = reply.number(), .map = reply.map()};
    }
    Status failed = StatusOf(status, at);
    if (IsFinal(status.error_code())) {
      return failed;
    }
    why = failed.message();
    if ((attempt + 1) % options.addresses.size() == 0) {
      io::SleepMicros(kPauseUs);
    }
  }
}

Result<Introduction> AskWhoYouAre(const AdmissionOptions& options) {
  if (options.addresses.empty()) {
    return Status::InvalidArgument("no address of a node to ask");
  }
  const std::string& at = options.addresses.front();
  ASSIGN_OR_RETURN(Asking const asking, Asking::Create(options.tls));
  ASSIGN_OR_RETURN(auto const stub, asking.StubOf(at));
  v1::IntroduceRequest message;
  message.set_protocol_version(kProtocolVersion);
  message.set_cluster(options.cluster);
  grpc::ClientContext context;
  SetTimeout(context, options.within_us);
  v1::IntroduceReply reply;
  grpc::Status const status = stub->Introduce(&context, message, &reply);
  if (!status.ok()) {
    return StatusOf(status, at);
  }
  Introduction introduction{
      .self = {.number = reply.self().number(), .identity = reply.self().identity()}};
  for (const v1::IntroduceReply::Node& node : reply.nodes()) {
    introduction.nodes.push_back({.number = node.number(), .identity = node.identity()});
  }
  return introduction;
}

}  // namespace orochi::kv::peer
