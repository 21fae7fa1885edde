// `orochi kv get, put, delete`: simple keys, and records of a schema.
#include <iostream>
#include <iterator>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/record_text.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/sstable/output.h"

namespace orochi::cli {

using kv::client::CallReply;
using kv::client::Client;
using kv::client::SchemaDefinition;
using kv::client::Target;
using kv::client::Value;

namespace {

constexpr const char* kGetFooter =
    R"(A simple key's value is printed as it is, with nothing added. A record is found by the
values of its key's fields, in their order or by name.

  orochi kv get greeting
  orochi kv get --in shop/item a 1
  orochi kv get --in shop/item place=1 shelf=a -o json

Exit code 4: there is none.)";

constexpr const char* kPutFooter =
    R"(A simple key takes any bytes, from standard input when the value is left out. A record
is given by its fields: NAME=TEXT is read by the field's type (base64 for bytes),
NAME:=JSON is JSON; fields not named are null.

  orochi kv put greeting hello
  orochi kv put picture < picture.png
  orochi kv put --in shop/item shelf=a place=1 count=5 note:=null
  orochi kv put --in shop/item --if-absent --json '{"shelf": "a", "place": 2, "count": 1, "note": ""}'
  orochi kv put --in shop/item --update shelf=a place=1 count=4

With --update the key comes first, then the fields that change.
Exit code 5: the condition does not hold, and nothing was written.)";

constexpr const char* kDeleteFooter =
    R"(  orochi kv delete greeting
  orochi kv delete --in shop/item a 1

Exit code 4: there was none.)";

struct RecordOptions {
  KvOptions kv;
  std::string in;
  std::vector<std::string> arguments;
  std::string json;
  bool if_absent = false;
  bool if_present = false;
  bool update = false;
};

Status CheckOneKey(const RecordOptions& options, size_t count_max) {
  if (options.arguments.empty() || options.arguments.size() > count_max) {
    return Status::InvalidArgument(StrCat("found ", options.arguments.size(),
                                          " arguments, expected ",
                                          count_max == 1 ? "a key" : "a key and a value"))
        .WithHint("records of a schema are named by --in COLLECTION/SCHEMA");
  }
  return Status::Ok();
}

std::string InputToEnd() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

CallReply Post(Client& client, const std::string& target, std::string json, bool only_reads) {
  return client.Call({.method = "POST",
                      .target = target,
                      .content_type = "application/json",
                      .body = std::move(json),
                      .only_reads = only_reads,
                      .is_whole = true});
}

Status GetRecord(Client& client, const RecordOptions& options) {
  ASSIGN_OR_RETURN(Target const in, ParseTarget(options.in));
  ASSIGN_OR_RETURN(SchemaDefinition const schema,
                   client.FindSchema(in.collection, in.schema, in.version));
  ASSIGN_OR_RETURN(std::string const key, KeyJson(schema, options.arguments));
  CallReply const reply =
      Post(client, "/v1/read", StrCat("{", TargetMembers(in), ",\"key\":", key, "}"), true);
  RETURN_IF_ERROR(reply.status);
  const Value* const record = reply.document.Find("record");
  if (record == nullptr) {
    return Status::Corruption("the answer has no record");
  }
  return PrintOne(Presentable(schema, *record), options.kv.output());
}

Status Get(const RecordOptions& options) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  if (!options.in.empty()) {
    return GetRecord(*client, options);
  }
  RETURN_IF_ERROR(CheckOneKey(options, 1));
  const std::string& key = options.arguments[0];
  ASSIGN_OR_RETURN(auto const value, client->GetKey(key));
  return value ? WriteToStdout(*value) : Status::NotFound(StrCat("there is no key '", key, "'"));
}

Status Outcome(const CallReply& reply, std::string_view absent) {
  RETURN_IF_ERROR(reply.status);
  if (reply.http.status != 412) {
    return Status::Ok();
  }
  std::string const reason = reply.document.TextOf("reason");
  std::string const message = StrCat("nothing was written: ", reply.document.TextOf("message"));
  return reason == absent ? Status::NotFound(message) : Status::FailedPrecondition(message);
}

// The JSON of one write, without its braces: what the options say.
Result<std::string> PutMembers(const SchemaDefinition& schema, const RecordOptions& options) {
  std::string out = StrCat("\"op\":\"",
                           options.update      ? "update"
                           : options.if_absent ? "insert"
                                               : "put",
                           "\"");
  if (options.update) {
    size_t const key_count = schema.KeyFields().size();
    if (options.arguments.size() <= key_count) {
      return Status::InvalidArgument(StrCat("found ", options.arguments.size(),
                                            " values, expected ", key_count,
                                            " of the key, then what changes"));
    }
    auto const border = options.arguments.begin() + static_cast<ptrdiff_t>(key_count);
    ASSIGN_OR_RETURN(std::string const key, KeyJson(schema, {options.arguments.begin(), border}));
    ASSIGN_OR_RETURN(std::string const set,
                     RecordJson(schema, {border, options.arguments.end()}, true));
    out += StrCat(",\"key\":", key, ",\"set\":", set);
  } else if (!options.json.empty()) {
    std::string const json = options.json == "-" ? InputToEnd() : options.json;
    RETURN_IF_ERROR(CheckJson(json, "--json"));
    out += StrCat(",\"record\":", json);
  } else {
    ASSIGN_OR_RETURN(std::string const record, RecordJson(schema, options.arguments, false));
    out += StrCat(",\"record\":", record);
  }
  return out + (options.if_present ? ",\"if\":{\"presence\":\"present\"}" : "");
}

Status Put(const RecordOptions& options) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  if (options.in.empty()) {
    RETURN_IF_ERROR(CheckOneKey(options, 2));
    if (options.if_absent || options.if_present || options.update || !options.json.empty()) {
      return Status::InvalidArgument("conditions and fields are of records: --in is missing");
    }
    return client->PutKey(options.arguments[0],
                          options.arguments.size() > 1 ? options.arguments[1] : InputToEnd());
  }
  ASSIGN_OR_RETURN(Target const in, ParseTarget(options.in));
  ASSIGN_OR_RETURN(SchemaDefinition const schema,
                   client->FindSchema(in.collection, in.schema, in.version));
  ASSIGN_OR_RETURN(std::string const members, PutMembers(schema, options));
  return Outcome(
      Post(*client, "/v1/write", StrCat("{", TargetMembers(in), ",", members, "}"), false),
      "absent");
}

Status Delete(const RecordOptions& options) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  if (options.in.empty()) {
    RETURN_IF_ERROR(CheckOneKey(options, 1));
    const std::string& key = options.arguments[0];
    ASSIGN_OR_RETURN(bool const was_there, client->DeleteKey(key));
    return was_there ? Status::Ok() : Status::NotFound(StrCat("there is no key '", key, "'"));
  }
  ASSIGN_OR_RETURN(Target const in, ParseTarget(options.in));
  ASSIGN_OR_RETURN(SchemaDefinition const schema,
                   client->FindSchema(in.collection, in.schema, in.version));
  ASSIGN_OR_RETURN(std::string const key, KeyJson(schema, options.arguments));
  return Outcome(Post(*client, "/v1/write",
                      StrCat("{", TargetMembers(in), ",\"op\":\"delete\",\"key\":", key,
                             ",\"if\":{\"presence\":\"present\"}}"),
                      false),
                 "absent");
}

void AddIn(CLI::App& command, RecordOptions& options) {
  command
      .add_option("--in", options.in,
                  "COLLECTION/SCHEMA of the record, or\nCOLLECTION/SCHEMA@VERSION")
      ->type_name("SCHEMA");
  options.kv.AddTo(command);
}

}  // namespace

void AddKvRecords(CLI::App& kv, Invocation& invocation) {
  auto const get_options = std::make_shared<RecordOptions>();
  CLI::App* get = AddCommand(kv, "get", "Print a value or a record", kGetFooter);
  get->add_option("key", get_options->arguments, "The key, or values of the key's fields")
      ->required();
  AddIn(*get, *get_options);
  get->callback([get_options, &invocation] { FinishKv(invocation, Get(*get_options)); });

  auto const put_options = std::make_shared<RecordOptions>();
  CLI::App* put = AddCommand(kv, "put", "Write a value or a record", kPutFooter);
  put->add_option("arguments", put_options->arguments, "KEY [VALUE], or NAME=VALUE of each field");
  AddIn(*put, *put_options);
  put->add_option("--json", put_options->json, "The record as JSON; - for standard input");
  put->add_flag("--if-absent", put_options->if_absent, "Only if there is no such record");
  put->add_flag("--if-present", put_options->if_present, "Only if there is one");
  put->add_flag("--update", put_options->update, "Change some fields of a record that is there");
  put->callback([put_options, &invocation] { FinishKv(invocation, Put(*put_options)); });

  auto const delete_options = std::make_shared<RecordOptions>();
  CLI::App* remove = AddCommand(kv, "delete", "Remove a value or a record", kDeleteFooter);
  remove->add_option("key", delete_options->arguments, "The key, or values of the key's fields")
      ->required();
  AddIn(*remove, *delete_options);
  remove->callback(
      [delete_options, &invocation] { FinishKv(invocation, Delete(*delete_options)); });
}

}  // namespace orochi::cli
