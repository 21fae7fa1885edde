#include "kv/query/query.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/filter/filter_codec.h"
#include "kv/filter/key_bounds.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

namespace {

// Fields of a stored record by the index of another version.
class ConvertedRecord final : public FieldSource {
 public:
  ConvertedRecord(EncodedRecord& stored, const std::vector<std::optional<uint32_t>>& stored_field)
      : stored_(stored), stored_field_(stored_field) {}

  Status Read(uint32_t field, Value& value) override {
    if (!stored_field_[field]) {
      value = Null();
      return Status::Ok();
    }
    return stored_.Read(*stored_field_[field], value);
  }

 private:
  EncodedRecord& stored_;
  const std::vector<std::optional<uint32_t>>& stored_field_;
};

Result<std::string> EncodeBound(const Schema& schema, std::string_view what,
                                const std::vector<Value>& values) {
  if (values.size() > schema.key_fields().size()) {
    return Status::InvalidArgument(StrCat(schema.Describe(), ": ", what, " of the query has ",
                                          values.size(), " fields, the key has ",
                                          schema.key_fields().size()));
  }
  std::string bytes;
  for (size_t position = 0; position < values.size(); ++position) {
    const Field& field = schema.field(schema.key_fields()[position]);
    if (Status status = CheckValue(field.type(), values[position]); !status.ok()) {
      return std::move(status).WithContext(
          StrCat(schema.Describe(), ": ", what, " of the query: key field '", field.name, "'"));
    }
    AppendKeyField(bytes, field.order, values[position]);
  }
  if (bytes.size() > kStorageKeySizeBytesMax) {
    return Status::InvalidArgument(StrCat(schema.Describe(), ": ", what, " of the query has ",
                                          bytes.size(), " bytes, at most ",
                                          kStorageKeySizeBytesMax));
  }
  return bytes;
}

void Narrow(std::optional<std::string>& end, std::string bound) {
  end = end ? std::min(*end, bound) : std::move(bound);
}

// Byte strings of any content, so that no two lists are alike.
void AppendPart(std::string& out, std::string_view part) {
  out += StrCat(part.size(), ":");
  out += part;
}

}  // namespace

Status CompiledQuery::CompileBounds(const Schema& schema) {
  ASSIGN_OR_RETURN(std::string const prefix, EncodeBound(schema, "the prefix", query_.prefix));
  if (!prefix.empty()) {
    ByteRange range = PrefixRange(prefix);
    bounds_ = {std::move(range.begin), std::move(range.end)};
  }
  if (query_.from && !query_.from->fields.empty()) {
    ASSIGN_OR_RETURN(std::string const from,
                     EncodeBound(schema, "the lower bound", query_.from->fields));
    bounds_.begin = std::max(bounds_.begin, query_.from->inclusive ? from : PrefixRange(from).end);
  }
  if (query_.to && !query_.to->fields.empty()) {
    ASSIGN_OR_RETURN(std::string const to,
                     EncodeBound(schema, "the upper bound", query_.to->fields));
    Narrow(bounds_.end, query_.to->inclusive ? PrefixRange(to).end : to);
  }
  return Status::Ok();
}

std::optional<std::string> CompiledQuery::FixedPartitionKey(const Schema& schema) const {
  size_t const count = schema.partition_key_count();
  auto const encode = [&](const std::vector<Value>& values) -> std::optional<std::string> {
    if (values.size() < count) {
      return std::nullopt;
    }
    std::string bytes;
    for (size_t position = 0; position < count; ++position) {
      AppendKeyField(bytes, schema.field(schema.key_fields()[position]).order, values[position]);
    }
    return bytes;
  };
  if (auto key = encode(query_.prefix)) {
    return key;
  }
  if (!query_.from || !query_.to) {
    return std::nullopt;
  }
  auto from = encode(query_.from->fields);
  return from && from == encode(query_.to->fields) ? from : std::nullopt;
}

void CompiledQuery::CompileSpans(const Schema& schema) {
  if (bounds_.end && *bounds_.end <= bounds_.begin) {
    return;
  }
  ByteRange span = PrefixRange(CollectionPrefix(query_.space.collection));
  std::string header = span.begin;
  bool const hash = query_.space.distribution == Distribution::kHash;
  auto const partition_key = hash ? FixedPartitionKey(schema) : std::nullopt;
  if (!hash || partition_key) {
    if (hash) {
      uint64_t const token = TokenOf(*partition_key);
      for (int shift = 56; shift >= 0; shift -= 8) {
        header.push_back(static_cast<char>(token >> shift));
      }
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
      header.push_back(static_cast<char>(schema.id().value() >> shift));
    }
    span.begin = header + bounds_.begin;
    span.end = bounds_.end ? header + *bounds_.end : PrefixRange(header).end;
  }
  spans_ = {std::move(span)};
  if (!query_.filter) {
    return;
  }
  if (auto const narrower = KeySpansOf(*query_.filter, query_.space, schema)) {
    ByteRange const whole = spans_.front();
    spans_.clear();
    for (const ByteRange& part : *narrower) {
      if (ByteRange both = Intersect(whole, part); !both.empty()) {
        spans_.push_back(std::move(both));
      }
    }
  }
}

Result<CompiledQuery::VersionPlan> CompiledQuery::PlanVersion(
    std::shared_ptr<const Schema> stored, std::shared_ptr<const Schema> asked) const {
  VersionPlan plan;
  plan.skip = query_.version_rule == VersionRule::kOnly && stored != asked;
  plan.result = query_.version_rule == VersionRule::kConvert ? asked : stored;
  plan.stored = std::move(stored);
  const Schema& result = *plan.result;
  for (uint32_t index = 0; index < result.field_count(); ++index) {
    plan.stored_field.push_back(result.IsKeyField(index)
                                    ? std::optional(index)
                                    : plan.stored->FindField(result.field(index).id));
    auto const& names = query_.projection;
    plan.projected.push_back(names.empty() || std::find(names.begin(), names.end(),
                                                        result.field(index).name) != names.end());
  }
  if (query_.filter) {
    auto bound = BoundFilter::Bind(*query_.filter, result);
    if (bound.ok()) {
      plan.filter = *std::move(bound);
    } else if (bound.status().code() == StatusCode::kFailedPrecondition &&
               query_.version_rule != VersionRule::kConvert) {
      plan.skip = true;
    } else {
      return std::move(bound).status();
    }
  }
  return plan;
}

Status CompiledQuery::CompileVersions(const SchemaHistory& history) {
  std::shared_ptr<const Schema> const asked = history.Find(query_.version);
  for (const auto& stored : history.versions()) {
    ASSIGN_OR_RETURN(VersionPlan plan, PlanVersion(stored, asked));
    versions_.push_back(std::move(plan));
  }
  return Status::Ok();
}

Status CompiledQuery::ComputeDigest() {
  std::string parts =
      StrCat(query_.space.collection.value(), ",", query_.space.distribution, ",",
             schema_id_.value(), ",", query_.version.value(), ",", query_.version_rule, ",",
             query_.reverse, ",", query_.limit.has_value(), ",", query_.limit.value_or(0), ";");
  AppendPart(parts, bounds_.begin);
  AppendPart(parts, bounds_.end ? *bounds_.end : std::string());
  for (const std::string& name : query_.projection) {
    AppendPart(parts, name);
  }
  parts += ";";
  if (query_.filter) {
    ASSIGN_OR_RETURN(std::string const filter, EncodeFilter(*query_.filter));
    AppendPart(parts, filter);
  }
  digest_ = TokenOf(parts);
  return Status::Ok();
}

Result<CompiledQuery> CompiledQuery::Make(Query query, const SchemaHistory& history) {
  CompiledQuery compiled;
  compiled.query_ = std::move(query);
  compiled.schema_id_ = history.id();
  std::shared_ptr<const Schema> const asked = history.Find(compiled.query_.version);
  if (asked == nullptr) {
    return Status::NotFound(
        StrCat("schema version ", compiled.query_.version.value(), " does not exist"));
  }
  for (const std::string& name : compiled.query_.projection) {
    if (!asked->FindField(name)) {
      return Status::InvalidArgument(
          StrCat(asked->Describe(), ": projection of '", name, "', which is no field"));
    }
  }
  RETURN_IF_ERROR(compiled.CompileBounds(*asked));
  RETURN_IF_ERROR(compiled.CompileVersions(history));
  RETURN_IF_ERROR(compiled.ComputeDigest());
  compiled.CompileSpans(*asked);
  return compiled;
}

std::vector<ByteRange> CompiledQuery::SpansAfter(std::string_view last_key) const {
  if (last_key.empty()) {
    return spans_;
  }
  std::vector<ByteRange> rest;
  for (ByteRange span : spans_) {
    if (query_.reverse) {
      span.end = std::min(span.end, std::string(last_key));
    } else {
      span.begin = std::max(span.begin, std::string(last_key) + '\0');
    }
    if (!span.empty()) {
      rest.push_back(std::move(span));
    }
  }
  return rest;
}

Result<std::optional<QueryRecord>> CompiledQuery::Evaluate(std::string_view key,
                                                           std::string_view row,
                                                           RecordReader& reader) const {
  using Answer = std::optional<QueryRecord>;
  ASSIGN_OR_RETURN(StorageKeyHeader const header,
                   ReadStorageKeyHeader(query_.space.distribution, key));
  if (header.schema != schema_id_ || header.fields < bounds_.begin ||
      (bounds_.end && header.fields >= *bounds_.end)) {
    return Answer();  // where spans cover the whole collection
  }
  ASSIGN_OR_RETURN(SchemaVersion const version, ReadRowVersion(row));
  auto const plan = std::lower_bound(
      versions_.begin(), versions_.end(), version,
      [](const VersionPlan& one, SchemaVersion wanted) { return one.stored->version() < wanted; });
  if (plan == versions_.end() || plan->stored->version() != version) {
    return Status::FailedPrecondition(
        StrCat("a record is of schema version ", version.value(), ", which is not known here yet"));
  }
  if (plan->skip) {
    return Answer();
  }
  RETURN_IF_ERROR(reader.encoded.Open(query_.space, *plan->stored, key, row));
  ConvertedRecord record(reader.encoded, plan->stored_field);
  if (plan->filter) {
    ASSIGN_OR_RETURN(bool const passes, plan->filter->Evaluate(record));
    if (!passes) {
      return Answer();
    }
  }
  QueryRecord found{plan->result, std::vector<Value>(plan->result->field_count())};
  for (uint32_t index = 0; index < found.values.size(); ++index) {
    if (plan->projected[index]) {
      RETURN_IF_ERROR(record.Read(index, found.values[index]));
    }
  }
  return Answer(std::move(found));
}

}  // namespace orochi::kv
