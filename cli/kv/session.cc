#include "cli/kv/session.h"

#include <cstdlib>

#include "base/str_cat.h"
#include "cli/sstable/output.h"
#include "cli/text_file.h"

namespace orochi::cli {

using kv::client::CallReply;
using kv::client::Client;
using kv::client::ClientOptions;
using kv::client::Value;

namespace {

constexpr const char* kNodeHere = "127.0.0.1:8000";

std::string Trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  return text;
}

}  // namespace

void KvOptions::AddTo(CLI::App& command) {
  command
      .add_option("-n,--nodes", nodes,
                  "Where nodes are: HOST:PORT or unix:PATH, separated by\n"
                  "commas. Default: $OROCHI_KV, else 127.0.0.1:8000")
      ->delimiter(',')
      ->type_name("NODES");
  command
      .add_option("--token-file", token_file,
                  "File with the token to show. Default:\n$OROCHI_KV_TOKEN_FILE, else none")
      ->type_name("FILE");
  command
      .add_option("-o,--output", form,
                  "table for people, json (one document) or lines (one\nJSON object a line)")
      ->check(CLI::IsMember({"table", "json", "lines"}))
      ->capture_default_str()
      ->type_name("FORM");
  command.add_option("--timeout", timeout_s, "Seconds for each request with all its attempts")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str()
      ->type_name("SECONDS");
}

KvForm KvOptions::output() const {
  return form == "json" ? KvForm::kJson : form == "lines" ? KvForm::kLines : KvForm::kTable;
}

std::vector<std::string> KvOptions::Addresses() const {
  if (!nodes.empty()) {
    return nodes;
  }
  const char* const from_environment = getenv("OROCHI_KV");
  std::string const text =
      from_environment != nullptr && *from_environment != '\0' ? from_environment : kNodeHere;
  std::vector<std::string> addresses;
  for (size_t at = 0; at <= text.size();) {
    size_t const end = std::min(text.find(',', at), text.size());
    addresses.push_back(Trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return addresses;
}

Result<ClientOptions> KvOptions::ForClient() const {
  ClientOptions options{.nodes = Addresses(), .deadline_us = static_cast<int64_t>(timeout_s * 1e6)};
  std::string path = token_file;
  if (path.empty() && getenv("OROCHI_KV_TOKEN_FILE") != nullptr) {
    path = getenv("OROCHI_KV_TOKEN_FILE");
  }
  if (!path.empty()) {
    ASSIGN_OR_RETURN(std::string token, ReadTextFile(path));
    options.token = Trimmed(std::move(token));
  }
  return options;
}

Result<std::unique_ptr<Client>> KvOptions::Connect() const {
  ASSIGN_OR_RETURN(ClientOptions options, ForClient());
  return Client::Create(std::move(options));
}

Result<Value> AskRoute(Client& client, const std::string& method, const std::string& target,
                       const std::string& json_body, const std::string& purpose) {
  CallReply reply = client.Call({.method = method,
                                 .target = target,
                                 .content_type = "application/json",
                                 .body = json_body,
                                 .only_reads = method == "GET"});
  if (reply.status.code() == StatusCode::kUnsupported) {
    return Status::Unsupported(StrCat("the node is of a version that cannot do this: ", purpose))
        .WithDetail(StrCat(method, " ", target, ": ", reply.status.message()))
        .WithHint("update the nodes, then ask again");
  }
  RETURN_IF_ERROR(reply.status);
  return std::move(reply.document);
}

void FinishKv(Invocation& invocation, const Status& status) {
  Status const flushed = FlushStdout();
  if (IsBrokenPipe(status) || (status.ok() && IsBrokenPipe(flushed))) {
    invocation.exit_code = static_cast<int>(ExitCode::kSuccess);
    return;
  }
  invocation.Finish(status.ok() ? flushed : status);
}

}  // namespace orochi::cli
