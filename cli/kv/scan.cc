// `orochi kv scan`: records in the order of their keys, or simple keys.
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
using kv::client::FieldDefinition;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Target;
using kv::client::Value;

namespace {

constexpr const char* kFooter =
    R"(All pages show one state, that of the first. Of records that lie by a hash of their
partition key, the order is that of the hash, then of the key.

  orochi kv scan                                  simple keys, with the sizes of their values
  orochi kv scan user:                            those that begin so
  orochi kv scan --in shop/item                   all records
  orochi kv scan --in shop/item a                 of one shelf
  orochi kv scan --in shop/item --from a --from 5 --limit 10 --reverse -o lines
  orochi kv scan --in shop/item --filter '{"op": "GT", "args": [{"field": "count"}, {"literal": 3}]}'

--from and --to take the values of the first key fields, one by one; both are inside.)";

struct ScanOptions {
  KvOptions kv;
  std::string in;
  std::vector<std::string> prefix;
  std::vector<std::string> from;
  std::vector<std::string> to;
  std::vector<std::string> fields;
  std::string filter;
  uint64_t limit = 0;
  uint64_t page = 1000;
  bool reverse = false;
};

// Shows records as they come: a table page by page.
class RecordPrinter {
 public:
  RecordPrinter(const SchemaDefinition& schema, const ScanOptions& options,
                const Terminal& terminal)
      : schema_(schema), options_(options), terminal_(terminal) {
    for (const FieldDefinition& field : schema.fields) {
      if (Wants(field.name)) {
        columns_.push_back({.title = field.name,
                            .member = field.name,
                            .is_number = field.type.find("int") != std::string::npos});
      }
    }
  }

  Status Begin() { return WriteToStdout(form() == KvForm::kJson ? "[" : ""); }
  Status Page(const Value::Array& records) {
    std::vector<Value> shown;
    for (const Value& record : records) {
      Object kept;
      Value const presentable = Presentable(schema_, record);
      for (const auto& [name, value] : *presentable.AsObject()) {
        if (Wants(name)) {
          kept.emplace_back(name, value);
        }
      }
      shown.emplace_back(std::move(kept));
    }
    if (form() != KvForm::kJson) {
      return shown.empty() ? Status::Ok() : PrintList(shown, columns_, form(), terminal_);
    }
    for (const Value& record : shown) {
      RETURN_IF_ERROR(WriteToStdout(StrCat(count_++ > 0 ? ",\n " : "", JsonOf(record))));
    }
    return Status::Ok();
  }
  Status End() { return WriteToStdout(form() == KvForm::kJson ? "]\n" : ""); }

 private:
  KvForm form() const { return options_.kv.output(); }
  bool Wants(const std::string& name) const {
    return options_.fields.empty() ||
           std::find(options_.fields.begin(), options_.fields.end(), name) != options_.fields.end();
  }

  const SchemaDefinition& schema_;
  const ScanOptions& options_;
  const Terminal& terminal_;
  std::vector<KvColumn> columns_;
  uint64_t count_ = 0;
};

Result<std::string> BoundMember(const SchemaDefinition& schema, const char* name,
                                const std::vector<std::string>& values) {
  if (values.empty()) {
    return std::string();
  }
  ASSIGN_OR_RETURN(std::string const json, KeyValuesJson(schema, values));
  return StrCat(",\"", name, "\":{\"fields\":", json, ",\"inclusive\":true}");
}

Result<std::string> QueryMembers(const SchemaDefinition& schema, const Target& in,
                                 const ScanOptions& options) {
  std::string out = TargetMembers(in);
  if (!options.prefix.empty()) {
    ASSIGN_OR_RETURN(std::string const prefix, KeyValuesJson(schema, options.prefix));
    out += StrCat(",\"prefix\":", prefix);
  }
  ASSIGN_OR_RETURN(std::string const from, BoundMember(schema, "from", options.from));
  ASSIGN_OR_RETURN(std::string const to, BoundMember(schema, "to", options.to));
  out += from + to;
  if (!options.filter.empty()) {
    RETURN_IF_ERROR(CheckJson(options.filter, "--filter"));
    out += StrCat(",\"filter\":", options.filter);
  }
  std::string fields;
  for (const std::string& field : options.fields) {
    if (schema.FindField(field) == nullptr) {
      return Status::InvalidArgument(StrCat("--fields: ", schema.name, " has no field ", field));
    }
    fields += StrCat(fields.empty() ? "" : ",", JsonString(field));
  }
  out += fields.empty() ? "" : StrCat(",\"projection\":[", fields, "]");
  out += options.reverse ? ",\"reverse\":true" : "";
  out += options.limit > 0 ? StrCat(",\"limit\":", options.limit) : "";
  return out + StrCat(",\"page\":{\"records\":", options.page, "}");
}

Status ScanPages(Client& client, const std::string& members,
                 const std::function<Status(const Value::Array&)>& each) {
  std::string token;
  do {
    CallReply const reply = client.Call(
        {.method = "POST",
         .target = "/v1/query",
         .content_type = "application/json",
         .body = StrCat("{", members,
                        token.empty() ? "" : StrCat(",\"token\":\"", Base64Of(token), "\""), "}"),
         .only_reads = true});
    ASSIGN_OR_RETURN(kv::client::QueryPage page, QueryPageFrom(reply));
    RETURN_IF_ERROR(each(page.records));
    token = std::move(page.token);
  } while (!token.empty());
  return Status::Ok();
}

// The names are bytes to the store; they are shown as they are where they are text.
Status ScanKeys(Client& client, const ScanOptions& options, const Terminal& terminal) {
  if (options.prefix.size() > 1 || !options.from.empty() || !options.to.empty() ||
      !options.filter.empty() || !options.fields.empty()) {
    return Status::InvalidArgument("of simple keys only a prefix can be asked for");
  }
  std::string members = StrCat("\"collection\":\"keys\",\"schema\":\"key\"",
                               options.limit > 0 ? StrCat(",\"limit\":", options.limit) : "",
                               options.reverse ? ",\"reverse\":true" : "");
  if (!options.prefix.empty()) {
    members += StrCat(",\"filter\":{\"op\":\"STARTS_WITH\",\"args\":[{\"field\":\"key\"},",
                      "{\"literal\":\"", Base64Of(options.prefix[0]), "\",\"type\":\"bytes\"}]}");
  }
  std::vector<Value> keys;
  Status const scanned = ScanPages(client, members, [&](const Value::Array& records) {
    for (const Value& record : records) {
      const Value* const key = record.Find("key");
      const Value* const value = record.Find("value");
      if (key == nullptr || key->AsBytes() == nullptr) {
        return Status::Corruption("found a record that is no simple key");
      }
      const std::string* const bytes = value != nullptr ? value->AsBytes() : nullptr;
      keys.emplace_back(Object{{"key", *key->AsBytes()},
                               {"size_bytes", uint64_t{bytes != nullptr ? bytes->size() : 0}}});
    }
    return Status::Ok();
  });
  if (scanned.code() != StatusCode::kNotFound) {  // without the collection there is no key yet
    RETURN_IF_ERROR(scanned);
  }
  return PrintList(keys, {{"key", "key"}, {"bytes", "size_bytes", true}}, options.kv.output(),
                   terminal);
}

Status Scan(const ScanOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  if (options.in.empty()) {
    return ScanKeys(*client, options, terminal);
  }
  ASSIGN_OR_RETURN(Target const in, ParseTarget(options.in));
  ASSIGN_OR_RETURN(SchemaDefinition const schema,
                   client->FindSchema(in.collection, in.schema, in.version));
  ASSIGN_OR_RETURN(std::string const members, QueryMembers(schema, in, options));
  RecordPrinter printer(schema, options, terminal);
  RETURN_IF_ERROR(printer.Begin());
  RETURN_IF_ERROR(ScanPages(*client, members,
                            [&](const Value::Array& records) { return printer.Page(records); }));
  return printer.End();
}

}  // namespace

void AddKvScan(CLI::App& kv, Invocation& invocation) {
  auto const options = std::make_shared<ScanOptions>();
  CLI::App* scan = AddCommand(kv, "scan", "List records or keys", kFooter);
  scan->add_option("prefix", options->prefix,
                   "Values of the first key fields; of a simple key,\n"
                   "how it begins");
  scan->add_option("--in", options->in, "COLLECTION/SCHEMA of the records")->type_name("SCHEMA");
  scan->add_option("--from", options->from, "Where to begin")->allow_extra_args(false);
  scan->add_option("--to", options->to, "Where to end")->allow_extra_args(false);
  scan->add_option("--filter", options->filter, "A condition, as JSON")->type_name("JSON");
  scan->add_option("--fields", options->fields, "Only these fields")->delimiter(',');
  scan->add_option("--limit", options->limit, "At most so many records");
  scan->add_option("--page", options->page, "Records in one request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  scan->add_flag("--reverse", options->reverse, "Last first");
  options->kv.AddTo(*scan);
  scan->callback(
      [options, &invocation] { FinishKv(invocation, Scan(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
