// orochi-kvd: one node of the key-value store.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "kv/server/command_line.h"
#include "kv/server/library_logs.h"
#include "kv/server/node_server.h"

namespace {

using orochi::Result;
using orochi::Status;
using orochi::kv::CommandLine;
using orochi::kv::LibraryLogs;
using orochi::kv::NodeServer;
using orochi::kv::NodeServerOptions;
using orochi::kv::ParsedCommandLine;
using orochi::kv::logs::Log;
using orochi::kv::logs::LogOptions;

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string PlaceOf(const orochi::kv::http::ServerOptions& options, int port) {
  return options.socket_path.empty()
             ? orochi::StrCat(options.tls ? "https://" : "http://", options.host, ":", port)
             : options.socket_path;
}

// What the files that are named have to say. The data directory is not looked at.
Status CheckFiles(const NodeServerOptions& options) {
  orochi::io::SystemClock clock;
  if (options.tls) {
    RETURN_IF_ERROR(orochi::kv::peer::CheckTlsFiles(*options.tls));
  }
  return orochi::kv::http::CheckServerFiles(options.http, clock);
}

LogOptions LogOptionsOf(const NodeServerOptions& options, uint32_t number) {
  LogOptions log = options.log;
  log.cluster = options.cluster;
  log.node = number;
  return log;
}

void SayHello(Log& log, const NodeServerOptions& options, int http_port) {
  log.Info("the node serves", {{"http", PlaceOf(options.http, http_port)},
                               {"version", OROCHI_VERSION},
                               {"data", options.data_directory},
                               {"tls", options.http.tls.has_value()},
                               {"tokens", !options.http.tokens_path.empty()},
                               {"peer_tls", options.tls.has_value()}});
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
  Log starting(LogOptionsOf(options, options.number.value()));
  LibraryLogs const library_logs(starting);
  Result<std::unique_ptr<NodeServer>> server = NodeServer::Start(options);
  if (!server.ok()) {
    starting.Error("the node did not start", server.status());
    return orochi::kv::kExitFailed;
  }
  std::printf("node %u of cluster '%s' serves %s\n", (*server)->number().value(),
              options.cluster.c_str(), PlaceOf(options.http, (*server)->http_port()).c_str());
  std::fflush(stdout);
  Log log(LogOptionsOf(options, (*server)->number().value()));
  SayHello(log, options, (*server)->http_port());
  int signal = 0;
  sigwait(&signals, &signal);
  if (end.ok()) {
    log.Info("the node stops", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  } else {
    log.Error("the node cannot go on", end);
  }
  (*server)->Stop();
  log.Info("the node has stopped");
  return end.ok() ? 0 : orochi::kv::kExitFailed;
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
    if (Status const checked = CheckFiles(parsed.run->node); !checked.ok()) {
      std::fprintf(stderr, "orochi-kvd: %s\n", checked.message().c_str());
      return orochi::kv::kExitUsage;
    }
    std::puts("the configuration is right");
    return 0;
  }
  return Run(*parsed.run);
}
