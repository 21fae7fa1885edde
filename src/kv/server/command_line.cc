#include "kv/server/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/str_cat.h"
#include "io/socket_address.h"
#include "kv/http/file_content.h"
#include "swim/seal/sealer.h"

namespace orochi::kv {
namespace {

constexpr const char* kFooter =
    "A cluster of three on this machine, each in a terminal of its own:\n"
    "  orochi-kvd --data /tmp/kv1 --node 1 --http 8001 --peer 1=127.0.0.1:7001 "
    "--peer 2=127.0.0.1:7002 --peer 3=127.0.0.1:7003\n"
    "and the same with --data /tmp/kv2 --node 2 --http 8002, and so on. Then\n"
    "  curl -X POST --data hello http://127.0.0.1:8001/v1/api/keys/greeting\n"
    "  curl http://127.0.0.1:8002/v1/api/keys/greeting\n"
    "Every option may stand in the file of --config, and in the environment: --log-level is "
    "OROCHI_KVD_LOG_LEVEL.\n"
    "Exit codes: 0 stopped by a signal, 1 failed, 2 wrong command line.";

// What is read as text, and given its meaning when all of it is there.
struct Texts {
  uint32_t number = 0;
  std::vector<std::string> peers;
  std::string http = "127.0.0.1:8000";
  bool insecure_listen = false;
  std::string gossip_keys;  // a file
  http::TlsOptions http_tls;
  peer::TlsFiles peer_tls;
  std::string log_format = "json";
  std::string log_level = "info";
  int64_t slow_ms = 1000;
};

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

// "8001", "0.0.0.0:8001", "[::1]:8001", "unix:/run/orochi.sock"
Status ParseHttp(const std::string& text, http::ServerOptions& options) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix) && text.size() > kUnix.size()) {
    options.socket_path = text.substr(kUnix.size());
    return Status();
  }
  size_t const colon = text.rfind(':');
  std::string host = colon == std::string::npos ? options.host : text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  std::string const port = colon == std::string::npos ? text : text.substr(colon + 1);
  bool const digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (host.empty() || !digits || std::stoi(port) > UINT16_MAX) {
    return Status::InvalidArgument(
        StrCat("--http '", text, "': expected PORT, HOST:PORT or unix:PATH"));
  }
  options.host = host;
  options.port = std::stoi(port);
  return Status();
}

void AddNodeOptions(CLI::App& app, NodeServerOptions& options, Texts& texts) {
  app.add_option("--data", options.data_directory, "directory of this node alone")->required();
  app.add_option("--node", texts.number, "this node's number, of one of the first nodes");
  app.add_option("--peer", texts.peers, "NUMBER=HOST:PORT of each first node, this one too");
  app.add_option("--join", options.join, "HOST:PORT of nodes of a cluster to join");
  app.add_option("--listen", options.listen,
                 "HOST:PORT for other nodes; without it what --peer or the cluster says");
  app.add_option("--advertise", options.advertise,
                 "HOST:PORT where others reach it, if not where it listens");
  app.add_option("--advertise-http", options.advertise_http, "the same for clients");
  app.add_option("--gossip", options.gossip,
                 "IP:PORT of gossip, or 'off'; without it any port beside --listen");
  app.add_option("--gossip-keys", texts.gossip_keys,
                 "file of the cluster's keys, 64 hexadecimal digits a line; the first seals");
  app.add_option("--cluster", options.cluster, "name of the cluster")->capture_default_str();
}

void AddLimits(CLI::App& app, http::ServerOptions& http) {
  app.add_option("--http-connections", http.thread_count, "connections that are served at a time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--http-waiting", http.waiting_count_max,
                 "connections that wait for it; more are told 503")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  http.client_request_count_max = 192;
  app.add_option("--http-client-requests", http.client_request_count_max,
                 "requests of one token, or address, under way; more are told 429; 0: any number")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
}

void AddHttpOptions(CLI::App& app, NodeServerOptions& options, Texts& texts) {
  app.add_option("--http", texts.http,
                 "where clients are served: PORT of 127.0.0.1 (0: any), "
                 "HOST:PORT or unix:PATH")
      ->capture_default_str();
  AddLimits(app, options.http);
}

void AddSecurityOptions(CLI::App& app, NodeServerOptions& options, Texts& texts) {
  app.add_option("--http-certificate", texts.http_tls.certificate,
                 "PEM file: clients are served over TLS");
  app.add_option("--http-key", texts.http_tls.key, "PEM file: the key of it");
  app.add_option("--http-client-authority", texts.http_tls.client_authority,
                 "PEM file: clients must show a certificate of it");
  app.add_option("--tokens", options.http.tokens_path,
                 "file of tokens: clients must have one of them");
  app.add_flag("--insecure-listen", texts.insecure_listen,
               "serve clients on other addresses than this machine's own without TLS or tokens");
  app.add_option("--peer-certificate", texts.peer_tls.certificate,
                 "PEM file: this node's, for other nodes");
  app.add_option("--peer-key", texts.peer_tls.key, "PEM file: the key of it");
  app.add_option("--peer-authority", texts.peer_tls.authority,
                 "PEM file: certificates of nodes are of it");
  app.add_option("--peer-name", texts.peer_tls.peer_name,
                 "name in certificates of nodes; else the host of their address");
}

void AddLogOptions(CLI::App& app, Texts& texts) {
  app.add_option("--log-format", texts.log_format, "json or text, on standard error")
      ->capture_default_str();
  app.add_option("--log-level", texts.log_level, "debug, info, warning or error")
      ->capture_default_str();
  app.add_option("--log-slow-ms", texts.slow_ms, "requests that take longer are logged")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
}

bool IsLoopback(const io::SocketAddress& address) {
  constexpr size_t kFirstOctetOfV4 = 12;
  io::SocketAddress v6;
  v6.ip.back() = 1;
  return address.IsV4() ? address.ip[kFirstOctetOfV4] == 127 : address.ip == v6.ip;
}

bool IsLoopback(const http::ServerOptions& http) {
  if (!http.socket_path.empty() || http.host == "localhost") {
    return true;
  }
  bool const has_colon = http.host.find(':') != std::string::npos;
  auto const address =
      io::ParseSocketAddress(has_colon ? StrCat("[", http.host, "]:0") : StrCat(http.host, ":0"));
  return address.ok() && IsLoopback(*address);
}

// Gossip believes what it hears.
Status CompleteGossip(const Texts& texts, NodeServerOptions& options) {
  if (!texts.gossip_keys.empty()) {
    ASSIGN_OR_RETURN(std::string const content, http::ReadWholeFile(texts.gossip_keys));
    for (size_t begin = 0; begin < content.size();) {
      size_t const end = std::min(content.find('\n', begin), content.size());
      Result<swim::ClusterKey> key =
          swim::ParseClusterKey(std::string_view(content).substr(begin, end - begin));
      if (!key.ok()) {
        return std::move(key).status().WithContext(texts.gossip_keys);
      }
      options.gossip_keys.push_back(*key);
      begin = end + 1;
    }
  }
  if (options.gossip == "off" || !options.gossip_keys.empty()) {
    return Status();
  }
  std::string where = options.gossip.empty() ? options.listen : options.gossip;
  for (const NodeServerOptions::Peer& peer : options.peers) {
    if (where.empty() && peer.number == options.number) {
      where = peer.address;
    }
  }
  auto const address = io::ParseSocketAddress(where);
  if (address.ok() && !IsLoopback(*address)) {  // at a name there is none
    return Status::InvalidArgument(StrCat("gossip at ", where, " needs keys"))
        .WithHint("--gossip-keys FILE, or --gossip off");
  }
  return Status();
}

// All of `files` or none.
Result<bool> AllOrNone(std::initializer_list<std::pair<std::string_view, std::string>> files) {
  std::string_view missing;
  bool any = false;
  for (const auto& [option, path] : files) {
    any = any || !path.empty();
    if (path.empty()) {
      missing = option;
    }
  }
  if (any && !missing.empty()) {
    return Status::InvalidArgument(StrCat(missing, " is missing, and the others of TLS are there"));
  }
  return any;
}

Status CompleteSecurity(const Texts& texts, NodeServerOptions& options) {
  ASSIGN_OR_RETURN(bool const peers_tls,
                   AllOrNone({{"--peer-certificate", texts.peer_tls.certificate},
                              {"--peer-key", texts.peer_tls.key},
                              {"--peer-authority", texts.peer_tls.authority}}));
  if (peers_tls) {
    options.tls = texts.peer_tls;
  }
  ASSIGN_OR_RETURN(bool const http_tls,
                   AllOrNone({{"--http-certificate", texts.http_tls.certificate},
                              {"--http-key", texts.http_tls.key}}));
  if (http_tls) {
    options.http.tls = texts.http_tls;
  } else if (!texts.http_tls.client_authority.empty()) {
    return Status::InvalidArgument(
        "--http-client-authority needs --http-certificate and --http-key");
  }
  bool const is_secure = http_tls && !options.http.tokens_path.empty();
  if (!is_secure && !texts.insecure_listen && !IsLoopback(options.http)) {
    return Status::InvalidArgument(
               StrCat("--http ", texts.http, ": clients on other machines need TLS and tokens"))
        .WithHint(
            "--http-certificate, --http-key and --tokens, or --insecure-listen where something in "
            "front of it does that");
  }
  return Status();
}

std::string EnvironmentName(const CLI::Option& option) {
  std::string name = StrCat("OROCHI_KVD_", option.get_lnames().front());
  for (char& c : name) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

bool IsGiven(const std::vector<std::string>& arguments, const std::string& name) {
  std::string const option = StrCat("--", name);
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return argument == option || argument.starts_with(StrCat(option, "="));
  });
}

// CLI11 would let the file win over the environment. Whoever starts a container expects the other
// way round.
std::vector<std::string> WithEnvironment(const CLI::App& app, std::vector<std::string> arguments,
                                         const Environment& environment) {
  std::vector<std::string> added;
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_lnames().empty() || option == app.get_help_ptr()) {
      continue;
    }
    const std::string& name = option->get_lnames().front();
    auto const value = environment(EnvironmentName(*option));
    if (value && !value->empty() && !IsGiven(arguments, name)) {
      added.push_back(StrCat("--", name, "=", *value));
    }
  }
  arguments.insert(arguments.begin(), added.begin(), added.end());
  return arguments;
}

Status Complete(const Texts& texts, NodeServerOptions& options) {
  RETURN_IF_ERROR(ParseHttp(texts.http, options.http));
  RETURN_IF_ERROR(CompleteSecurity(texts, options));
  ASSIGN_OR_RETURN(options.log.format, logs::ParseFormat(texts.log_format));
  ASSIGN_OR_RETURN(options.log.level, logs::ParseLevel(texts.log_level));
  options.requests.slow_us = texts.slow_ms * 1000;
  options.number = NodeNumber(texts.number);
  bool is_among = texts.peers.empty();
  for (const std::string& text : texts.peers) {
    ASSIGN_OR_RETURN(NodeServerOptions::Peer peer, ParsePeer(text));
    is_among = is_among || peer.number == options.number;
    options.peers.push_back(std::move(peer));
  }
  if (!is_among) {
    return Status::InvalidArgument(
        StrCat("no --peer says where node ", texts.number, " itself is to be heard"));
  }
  return CompleteGossip(texts, options);
}

ParsedCommandLine Complain(const std::string& message, const std::string& hint) {
  return {.exit_code = kExitUsage,
          .text = StrCat("orochi-kvd: ", message, "\n",
                         hint.empty() ? "" : StrCat("hint: ", hint, "\n"))};
}

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                                   const Environment& environment) {
  CLI::App app("One node of Orochi's replicated, transactional key-value store.", "orochi-kvd");
  app.footer(kFooter);
  app.option_defaults()->delimiter(',');
  CommandLine line;
  line.node.cluster = "orochi";
  Texts texts;
  AddNodeOptions(app, line.node, texts);
  AddHttpOptions(app, line.node, texts);
  AddSecurityOptions(app, line.node, texts);
  AddLogOptions(app, texts);
  app.add_flag("--check-config", line.checks_only, "say whether all of this is right, and end");
  app.set_config("--config", "", "file of options, in TOML");
  app.allow_config_extras(CLI::config_extras_mode::error);
  std::vector<std::string> reversed = WithEnvironment(app, arguments, environment);
  std::reverse(reversed.begin(), reversed.end());  // as CLI11 takes them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::Success& asked) {  // --help
    return {.text = app.help()};
  } catch (const CLI::ParseError& error) {
    return Complain(error.what(), "orochi-kvd --help says what there is");
  }
  if (Status status = Complete(texts, line.node); !status.ok()) {
    return Complain(status.message(), status.hint());
  }
  return {.run = std::move(line)};
}

}  // namespace orochi::kv
