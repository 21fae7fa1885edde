// orochi-kvd: one node of the key-value store.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/str_cat.h"
#include "kv/server/node_server.h"

namespace {

using orochi::Result;
using orochi::Status;
using orochi::StrCat;
using orochi::kv::NodeNumber;
using orochi::kv::NodeServer;
using orochi::kv::NodeServerOptions;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// "2=127.0.0.1:7002"
Result<NodeServerOptions::Peer> ParsePeer(const std::string& text) {
  size_t const equals = text.find('=');
  char* end = nullptr;
  unsigned long const number = std::strtoul(text.c_str(), &end, 10);
  bool const right = equals != std::string::npos && end == text.c_str() + equals && number > 0 &&
                     number <= UINT32_MAX && equals + 1 < text.size();
  if (!right) {
    return Status::InvalidArgument(
        StrCat("--peer '", text, "': expected NUMBER=HOST:PORT, as in 2=127.0.0.1:7002"));
  }
  return NodeServerOptions::Peer{.number = NodeNumber(static_cast<uint32_t>(number)),
                                 .address = text.substr(equals + 1)};
}

int Complain(const Status& status, int code) {
  std::fprintf(stderr, "orochi-kvd: %s\n", status.message().c_str());
  if (!status.hint().empty()) {
    std::fprintf(stderr, "hint: %s\n", status.hint().c_str());
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One node of Orochi's replicated, transactional key-value store.", "orochi-kvd");
  app.footer(
      "A cluster of three on this machine, each in a terminal of its own:\n"
      "  orochi-kvd --data /tmp/kv1 --node 1 --http 8001 --peer 1=127.0.0.1:7001 "
      "--peer 2=127.0.0.1:7002 --peer 3=127.0.0.1:7003\n"
      "and the same with --data /tmp/kv2 --node 2 --http 8002, and so on. Then\n"
      "  curl -X POST --data hello http://127.0.0.1:8001/v1/api/keys/greeting\n"
      "  curl http://127.0.0.1:8002/v1/api/keys/greeting\n"
      "Exit codes: 0 stopped by a signal, 1 failed, 2 wrong command line.");
  NodeServerOptions options;
  options.cluster = "orochi";
  uint32_t number = 0;
  std::vector<std::string> peers;
  options.http.port = 8000;
  app.add_option("--data", options.data_directory, "directory of this node alone")->required();
  app.add_option("--node", number, "this node's number")->required();
  app.add_option("--peer", peers, "NUMBER=HOST:PORT of each first node, this one too")->required();
  app.add_option("--cluster", options.cluster, "name of the cluster")->capture_default_str();
  app.add_option("--http", options.http.port, "port for clients on 127.0.0.1; 0: any")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  options.number = NodeNumber(number);
  bool is_among = false;
  for (const std::string& text : peers) {
    Result<NodeServerOptions::Peer> peer = ParsePeer(text);
    if (!peer.ok()) {
      return Complain(peer.status(), kExitUsage);
    }
    is_among = is_among || peer->number == options.number;
    options.peers.push_back(*std::move(peer));
  }
  if (!is_among) {
    return Complain(Status::InvalidArgument(
                        StrCat("no --peer says where node ", number, " itself is to be heard")),
                    kExitUsage);
  }

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Result<std::unique_ptr<NodeServer>> server = NodeServer::Start(options);
  if (!server.ok()) {
    return Complain(server.status(), kExitFailed);
  }
  std::printf("node %u of cluster '%s' serves http://127.0.0.1:%d\n", number,
              options.cluster.c_str(), (*server)->http_port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Stop();
  return 0;
}
