// `orochi kv inspect`: what is in the key space, and where it could be split.
#include <algorithm>
#include <cmath>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/number_format.h"
#include "cli/sstable/output.h"
#include "kv/client/message_pack.h"

namespace orochi::cli {

using kv::client::Client;
using kv::client::CollectionInfo;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Value;

namespace {

constexpr const char* kFooter =
    R"(Reads every record (all pages of a schema show one state) and counts. Sizes are those of
records as MessagePack, not those on disks, which `orochi kv partitions` has.
For collections in the order of keys it shows which keys part the records into equal
shares; then it proposes splits of partitions that are larger than --split-size.

  orochi kv inspect
  orochi kv inspect shop events --shares 4
  orochi kv inspect -o json --split-size 64

It costs as much as reading everything; --limit ends each schema early, and says so.)";

struct InspectOptions {
  KvOptions kv;
  std::vector<std::string> collections;
  uint64_t shares = 2;
  uint64_t limit = 0;
  double split_size_mb = 256;
};

// The keys of at most kKept records at equal distances, however many there are.
class EvenSample {
 public:
  void Add(const Value& key) {
    if (count_++ % step_ != 0) {
      return;
    }
    keys_.push_back(key);
    if (keys_.size() == kKept) {
      for (size_t index = 0; index < kKept / 2; ++index) {
        keys_[index] = std::move(keys_[2 * index]);
      }
      keys_.resize(kKept / 2);
      step_ *= 2;
    }
  }
  // The keys that begin the second to the last of `shares` equal shares.
  Value::Array Borders(uint64_t shares) const {
    Value::Array borders;
    for (uint64_t share = 1; share < shares; ++share) {
      size_t const index = static_cast<size_t>(share * count_ / shares / step_);
      if (index > 0 && index < keys_.size()) {
        borders.push_back(keys_[index]);
      }
    }
    return borders;
  }

 private:
  static constexpr size_t kKept = 4096;
  std::vector<Value> keys_;
  uint64_t count_ = 0;
  uint64_t step_ = 1;
};

Value KeyOf(const SchemaDefinition& schema, const Value& record) {
  Value::Array key;
  Value const presentable = Presentable(schema, record);
  for (const std::string& name : schema.KeyFields()) {
    const Value* const field = presentable.Find(name);
    key.push_back(field != nullptr ? *field : Value());
  }
  return key;
}

Result<Value> InspectSchema(Client& client, const CollectionInfo& collection,
                            const SchemaDefinition& schema, const InspectOptions& options) {
  uint64_t count = 0;
  uint64_t size_bytes = 0;
  uint64_t largest_bytes = 0;
  EvenSample sample;
  bool whole = true;
  RETURN_IF_ERROR(
      client.Scan({.in = {.collection = collection.definition.name, .schema = schema.name},
                   .page_records = 1000},
                  [&](const Value& record) {
                    if (options.limit > 0 && count == options.limit) {
                      whole = false;
                      return false;
                    }
                    uint64_t const record_bytes = kv::client::WriteMessagePack(record).size();
                    ++count;
                    size_bytes += record_bytes;
                    largest_bytes = std::max(largest_bytes, record_bytes);
                    if (collection.definition.by_range) {
                      sample.Add(KeyOf(schema, record));
                    }
                    return true;
                  }));
  Object found{{"collection", collection.definition.name},
               {"schema", schema.name},
               {"records", count},
               {"size_bytes", size_bytes},
               {"mean_bytes", count > 0 ? size_bytes / count : 0},
               {"largest_bytes", largest_bytes},
               {"whole", whole}};
  if (collection.definition.by_range) {
    found.emplace_back("borders", sample.Borders(options.shares));
  }
  return Value(std::move(found));
}

// Groups whose size is known and more than wanted, with the command that makes two of them.
Value::Array ProposeSplits(const Value& document, const InspectOptions& options) {
  Value::Array proposals;
  const Value* const partitions = document.Find("partitions");
  if (partitions == nullptr || partitions->AsArray() == nullptr) {
    return proposals;
  }
  for (const Value& partition : *partitions->AsArray()) {
    const Value* const group = partition.Find("group");
    const Value* const size = partition.Find("size_bytes");
    const Value* const collection = partition.Find("collection");
    bool const is_known = group != nullptr && size != nullptr && size->AsUint64() &&
                          collection != nullptr && !collection->is_null();
    if (is_known && *size->AsDouble() > options.split_size_mb * 1e6) {
      proposals.emplace_back(
          Object{{"group", *group},
                 {"collection", *collection},
                 {"size_bytes", *size},
                 {"command", StrCat("orochi kv split ", group->AsUint64().value_or(0))}});
    }
  }
  return proposals;
}

Status PrintForPeople(const Value::Array& schemas, const Value::Array& proposals,
                      const std::string& missing, const Terminal& terminal) {
  std::vector<Value> rows;
  for (const Value& one : schemas) {
    auto const bytes = [&](const char* name) {
      return FormatBytes(one.Find(name)->AsUint64().value_or(0));
    };
    bool const whole = *one.Find("whole")->AsBool();
    auto const count = static_cast<int64_t>(one.Find("records")->AsUint64().value_or(0));
    rows.emplace_back(Object{{"collection", one.TextOf("collection")},
                             {"schema", one.TextOf("schema")},
                             {"records", StrCat(whole ? "" : "> ", FormatCount(count))},
                             {"size", bytes("size_bytes")},
                             {"mean", bytes("mean_bytes")},
                             {"largest", bytes("largest_bytes")}});
  }
  RETURN_IF_ERROR(PrintList(rows,
                            {{"collection", "collection"},
                             {"schema", "schema"},
                             {"records", "records", true},
                             {"size", "size", true},
                             {"mean", "mean", true},
                             {"largest", "largest", true}},
                            KvForm::kTable, terminal));
  for (const Value& one : schemas) {
    const Value* const borders = one.Find("borders");
    if (borders != nullptr && !borders->AsArray()->empty()) {
      RETURN_IF_ERROR(WriteToStdout(StrCat("\n", one.TextOf("collection"), "/",
                                           one.TextOf("schema"), " in equal shares, from:\n")));
      for (const Value& border : *borders->AsArray()) {
        RETURN_IF_ERROR(WriteToStdout(StrCat("  ", JsonOf(border), "\n")));
      }
    }
  }
  if (!missing.empty()) {
    return WriteToStdout(StrCat("\nsplits: ", missing, "\n"));
  }
  RETURN_IF_ERROR(WriteToStdout(proposals.empty() ? "\nno partition needs a split\n"
                                                  : "\npartitions to split:\n"));
  for (const Value& one : proposals) {
    RETURN_IF_ERROR(
        WriteToStdout(StrCat("  ", one.TextOf("command"), "    # ", one.TextOf("collection"), ", ",
                             FormatBytes(one.Find("size_bytes")->AsUint64().value_or(0)), "\n")));
  }
  return Status::Ok();
}

Status Inspect(const InspectOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(auto const collections, client->ListCollections());
  for (const std::string& name : options.collections) {
    if (std::none_of(collections.begin(), collections.end(),
                     [&](const CollectionInfo& one) { return one.definition.name == name; })) {
      return Status::NotFound(StrCat("there is no collection ", name));
    }
  }
  Value::Array found;
  for (const CollectionInfo& collection : collections) {
    const auto& wanted = options.collections;
    if (!wanted.empty() &&
        std::find(wanted.begin(), wanted.end(), collection.definition.name) == wanted.end()) {
      continue;
    }
    ASSIGN_OR_RETURN(auto const schemas, client->ListSchemas(collection.definition.name));
    for (const SchemaDefinition& schema : schemas) {
      ASSIGN_OR_RETURN(Value one, InspectSchema(*client, collection, schema, options));
      found.push_back(std::move(one));
    }
  }
  auto const partitions =
      AskRoute(*client, "GET", "/v1/cluster/partitions", "", "tell the sizes of partitions");
  std::string const missing = partitions.ok() ? "" : partitions.status().message();
  Value::Array const proposals =
      partitions.ok() ? ProposeSplits(*partitions, options) : Value::Array();
  if (options.kv.output() == KvForm::kTable) {
    return PrintForPeople(found, proposals, missing, terminal);
  }
  Object document{{"schemas", std::move(found)}, {"splits", proposals}};
  if (!missing.empty()) {
    document.emplace_back("missing", missing);
  }
  return PrintOne(document, options.kv.output());
}

}  // namespace

void AddKvInspect(CLI::App& kv, Invocation& invocation) {
  auto const options = std::make_shared<InspectOptions>();
  CLI::App* inspect = AddCommand(kv, "inspect", "Count what is there, and propose splits", kFooter);
  inspect->add_option("collections", options->collections, "Only these");
  inspect->add_option("--shares", options->shares, "Equal shares to look for")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  inspect->add_option("--limit", options->limit, "At most so many records of a schema");
  inspect
      ->add_option("--split-size", options->split_size_mb,
                   "Partitions above this many MB are to be split")
      ->capture_default_str()
      ->type_name("MB");
  options->kv.AddTo(*inspect);
  inspect->callback(
      [options, &invocation] { FinishKv(invocation, Inspect(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
