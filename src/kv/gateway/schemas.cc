// Collections and schemas by name, with a second look where this node may not know the newest.

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"
#include "kv/gateway/gateway.h"
#include "kv/record/utf8.h"

namespace orochi::kv {
namespace {

Result<SchemaHandle> FindIn(const Catalog& catalog, const std::string& collection,
                            const std::string& schema, std::optional<SchemaVersion> version) {
  SchemaHandle handle{.collection = catalog.Find(collection), .schema = {}};
  if (handle.collection == nullptr) {
    return Status::NotFound(StrCat("collection '", collection, "' does not exist"));
  }
  const SchemaHistory* const history = handle.collection->FindSchema(schema);
  if (history == nullptr) {
    return Status::NotFound(StrCat("collection '", collection, "' has no schema '", schema, "'"));
  }
  handle.schema = version ? history->Find(*version) : history->Newest();
  if (handle.schema == nullptr) {
    return Status::NotFound(StrCat("schema '", schema, "' of collection '", collection,
                                   "' has no version ",
                                   version.value_or(SchemaVersion(0)).value()));
  }
  return handle;
}

}  // namespace

Status CheckCollection(const CollectionDefinition& definition) {
  const std::string& name = definition.name;
  if (name.empty() || name.size() > kNameSizeBytesMax || !IsUtf8(name)) {
    return Status::InvalidArgument(StrCat("a collection's name has ", name.size(),
                                          " bytes, expected 1 to ", kNameSizeBytesMax,
                                          " of UTF-8"));
  }
  if (definition.partition_count > kPartitionCountMax) {
    return Status::InvalidArgument(StrCat("collection '", name, "' has ",
                                          definition.partition_count, " partitions, at most ",
                                          kPartitionCountMax));
  }
  return Status::Ok();
}

Gateway::Gateway(CoordinatorHost& host, Catalog& catalog, Random& random, GatewayOptions options)
    : host_(host), catalog_(catalog), random_(random), options_(std::move(options)) {
  // A token that anybody could make would have the store read as of times that never were.
  while (options_.continuation_secret.size() < 32) {
    AppendBigEndian(options_.continuation_secret, random_.Next());
  }
}

void Gateway::FindCollection(std::string name, Done<Catalog::Collection> done) {
  if (Catalog::Collection found = catalog_.Find(name)) {
    done(std::move(found));
    return;
  }
  catalog_.Refresh(WhileHere(std::function<void(Status)>(
      [this, name = std::move(name), done = std::move(done)](Status refreshed) {
        if (!refreshed.ok()) {
          done(std::move(refreshed));
        } else if (Catalog::Collection found = catalog_.Find(name)) {
          done(std::move(found));
        } else {
          done(Status::NotFound(StrCat("collection '", name, "' does not exist")));
        }
      })));
}

void Gateway::FindSchema(std::string collection, std::string schema,
                         std::optional<SchemaVersion> version, Done<SchemaHandle> done) {
  auto found = FindIn(catalog_, collection, schema, version);
  if (found.ok()) {
    done(std::move(found));
    return;
  }
  catalog_.Refresh(WhileHere(std::function<void(Status)>(
      [this, collection = std::move(collection), schema = std::move(schema), version,
       done = std::move(done)](Status refreshed) {
        if (!refreshed.ok()) {
          done(std::move(refreshed));
        } else {
          done(FindIn(catalog_, collection, schema, version));
        }
      })));
}

void Gateway::FindVersion(const SchemaHandle& in, SchemaVersion version,
                          Done<std::shared_ptr<const Schema>> done) {
  if (auto schema = in.history().Find(version)) {
    done(std::move(schema));
    return;
  }
  FindSchema(
      in.collection->definition.name, in.schema->name(), version,
      [in, version, done = std::move(done)](Result<SchemaHandle> found) {
        if (found.ok() && found->schema->id() == in.schema->id() &&
            found->collection->id == in.collection->id) {
          done(found->schema);
        } else if (!found.ok() && found.status().code() == StatusCode::kUnavailable) {
          done(std::move(found).status());
        } else {
          done(Status::Corruption(StrCat(in.schema->Describe(), ": found a record of version ",
                                         version.value(), ", which there is not")));
        }
      });
}

}  // namespace orochi::kv
