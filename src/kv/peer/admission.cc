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

// Whether another node, or the same later, may say something else.
bool IsFinal(grpc::StatusCode code) {
  return code == grpc::StatusCode::FAILED_PRECONDITION ||
         code == grpc::StatusCode::INVALID_ARGUMENT;
}

}  // namespace

Result<Admission> AskForAdmission(const AdmissionOptions& options,
                                  const AdmissionRequest& request) {
  if (options.addresses.empty()) {
    return Status::InvalidArgument("no address of a node that could let this one in");
  }
  ASSIGN_OR_RETURN(Credentials const credentials, MakeCredentials(options.tls));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.tls.has_value() && !options.tls->peer_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->peer_name);
  }
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
    ASSIGN_OR_RETURN(PeerAddress const address, ParsePeerAddress(at));
    if (!options.tls.has_value() && !address.is_loopback) {
      return Status::InvalidArgument(StrCat("asking ", at, " without TLS is refused"))
          .WithHint("Configure certificate, key and authority for peers.");
    }
    auto const stub = v1::Membership::NewStub(
        grpc::CreateCustomChannel(address.target, credentials.channel, arguments));
    grpc::ClientContext context;
    context.set_deadline(gpr_time_from_micros(std::min(kAttemptUs, left_us), GPR_TIMESPAN));
    v1::AdmitReply reply;
    grpc::Status const status = stub->Admit(&context, message, &reply);
    if (status.ok()) {
      return Admission{.number = reply.number(), .map = reply.map()};
    }
    why = StrCat(at, ": ", status.error_message());
    if (IsFinal(status.error_code())) {
      return Status::FailedPrecondition(why);
    }
    if ((attempt + 1) % options.addresses.size() == 0) {
      io::SleepMicros(kPauseUs);
    }
  }
}

}  // namespace orochi::kv::peer
