// orochi-kvd: one node of the key-value store.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "kv/server/command_line.h"
#include "kv/server/node_server.h"

namespace {

using orochi::Result;
using orochi::Status;
using orochi::kv::CommandLine;
using orochi::kv::NodeServer;
using orochi::kv::NodeServerOptions;
using orochi::kv::ParsedCommandLine;

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int Fail(const Status& status) {
  std::fprintf(stderr, "orochi-kvd: %s\n", status.message().c_str());
  if (!status.hint().empty()) {
    std::fprintf(stderr, "hint: %s\n", status.hint().c_str());
  }
  return orochi::kv::kExitFailed;
}

std::string PlaceOf(const orochi::kv::http::ServerOptions& options, int port) {
  return options.socket_path.empty() ? orochi::StrCat("http://", options.host, ":", port)
                                     : options.socket_path;
}

int Run(const CommandLine& line) {
  Status end;
  NodeServerOptions options = line.node;
  options.on_end = [&end](const Status& why) {
    end = why;  // read when the signal has come
    kill(getpid(), SIGTERM);
  };
  // Blocked in all threads that start from here on.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Result<std::unique_ptr<NodeServer>> server = NodeServer::Start(options);
  if (!server.ok()) {
    return Fail(server.status());
  }
  std::printf("node %u of cluster '%s' serves %s\n", (*server)->number().value(),
              options.cluster.c_str(), PlaceOf(options.http, (*server)->http_port()).c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Stop();
  return end.ok() ? 0 : Fail(end);
}

}  // namespace

int main(int argc, char** argv) {
  ParsedCommandLine const parsed = orochi::kv::ParseCommandLine(
      std::vector<std::string>(argv + 1, argv + argc), FromEnvironment);
  if (!parsed.run) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
    return parsed.exit_code;
  }
  if (parsed.run->checks_only) {
    std::puts("the configuration is right");
    return 0;
  }
  return Run(*parsed.run);
}
