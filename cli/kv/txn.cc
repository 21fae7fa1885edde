// `orochi kv txn`: reads and writes from a file, all or nothing.
#include <iostream>
#include <iterator>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/sstable/output.h"
#include "cli/text_file.h"

namespace orochi::cli {

using kv::client::CallReply;
using kv::client::Value;

namespace {

constexpr const char* kFooter =
    R"(The file has one JSON operation a line, or an array of them, or {"reads": [...],
"writes": [...]}; - is standard input. Operations are those of POST /v1/write:

  {"collection": "shop", "schema": "item", "op": "insert", "record": {"shelf": "a", ...}}
  {"collection": "shop", "schema": "item", "op": "update", "key": {...}, "set": {"count": 4}}
  {"collection": "shop", "schema": "item", "op": "delete", "key": {...}}
  {"collection": "shop", "schema": "item", "op": "check", "key": {...}, "if": {"presence": "present"}}

They are one transaction, at most 1,000; the answer is JSON: the commit's timestamp, what
was read, and records of operations with "return": true.

  orochi kv txn order.jsonl
  echo '{"collection": ...}' | orochi kv txn -

Exit code 5: a condition does not hold, and nothing was written. 7: it may or may not
have happened; look what is there before you repeat it.)";

// The body of POST /v1/txn. Operations go through as they are, with all their digits.
Result<std::string> BodyOf(const std::string& text) {
  char const first = FirstOfJson(text);
  if (first == '[') {
    RETURN_IF_ERROR(CheckJson(text, "the operations"));
    return StrCat("{\"writes\":", text, "}");
  }
  if (first != '{') {
    return Status::InvalidArgument("found no operations, expected JSON");
  }
  if (JsonObjectHas(text, "reads") || JsonObjectHas(text, "writes")) {
    return text;
  }
  std::string writes;
  size_t line = 0;
  for (size_t at = 0; at < text.size();) {
    size_t const end = std::min(text.find('\n', at), text.size());
    std::string const one = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (FirstOfJson(one) != '\0') {
      RETURN_IF_ERROR(CheckJson(one, StrCat("operation in line ", line)));
      writes += StrCat(writes.empty() ? "" : ",", one);
    }
  }
  return StrCat("{\"writes\":[", writes, "]}");
}

Status RunTxn(const KvOptions& options, const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  } else {
    ASSIGN_OR_RETURN(text, ReadTextFile(file));
  }
  ASSIGN_OR_RETURN(std::string const body, BodyOf(text));
  ASSIGN_OR_RETURN(auto const client, options.Connect());
  CallReply const reply = client->Call({.method = "POST",
                                        .target = "/v1/txn",
                                        .content_type = "application/json",
                                        .body = body,
                                        .is_whole = true});
  RETURN_IF_ERROR(reply.status);
  if (reply.http.status == 412) {
    return Status::FailedPrecondition(
               StrCat("nothing was written: ", reply.document.TextOf("message")))
        .WithDetail(JsonOf(reply.document));
  }
  return WriteToStdout(JsonOf(reply.document) + "\n");
}

}  // namespace

void AddKvTxn(CLI::App& kv, Invocation& invocation) {
  struct Options {
    KvOptions kv;
    std::string file;
  };
  auto const options = std::make_shared<Options>();
  CLI::App* txn = AddCommand(kv, "txn", "Run operations from a file, all or nothing", kFooter);
  txn->add_option("file", options->file, "The operations; - for standard input")->required();
  options->kv.AddTo(*txn);
  txn->callback(
      [options, &invocation] { FinishKv(invocation, RunTxn(options->kv, options->file)); });
}

}  // namespace orochi::cli
