#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/peer/tls_files.h"

namespace orochi::kv::peer {

/// What a node says of itself that asks to be let in.
struct AdmissionRequest {
  std::string identity{};  // 16 bytes that only this node has
  std::string address{};   // where other nodes reach it
  std::string gossip_address{};
  std::string http_address{};
};

struct Admission {
  uint64_t number = 0;  // the node's from now on
  std::string map{};    // the cluster's, as bytes that nodes understand
};

/// What a node knows of its cluster's beginning.
struct Introduction {
  struct Known {
    uint64_t number = 0;
    std::string identity{};
  };
  Known self{};
  std::vector<Known> nodes{};  // empty: the cluster has not begun, as far as it knows
};

/// Given once. Let go of without an answer, the asker is told to ask again.
using AnswerAdmission = std::function<void(Result<Admission>)>;
using AnswerIntroduction = std::function<void(Result<Introduction>)>;

struct AdmissionOptions {
  std::string cluster;
  std::vector<std::string> addresses{};  // of nodes, asked one after the other, round and round
  std::optional<TlsFiles> tls{};
  int64_t within_us = 30'000'000;
};

/// Asks until a node answers. Asking again with the same identity does no harm.
/// kFailedPrecondition: the cluster is another one, or does not want this node (the message says
/// which); kInvalidArgument: an address that is none; kUnavailable: nobody answered in time.
/// Threads: any that may wait.
Result<Admission> AskForAdmission(const AdmissionOptions& options, const AdmissionRequest& request);

/// Asks the first of the addresses, once. Errors as AskForAdmission's.
Result<Introduction> AskWhoYouAre(const AdmissionOptions& options);

}  // namespace orochi::kv::peer
