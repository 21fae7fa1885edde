// Collections and schemas.

#include <utility>

#include "base/str_cat.h"
#include "kv/http/places.h"
#include "kv/http/service.h"
#include "kv/http/status_table.h"
#include "kv/wire/schema_document.h"

namespace orochi::kv::http {
namespace {

std::string_view NameOf(Distribution distribution) {
  return distribution == Distribution::kHash ? "hash" : "range";
}

Document CollectionDocument(const CollectionInfo& collection) {
  Document document = Document::Object();
  document.Add("name", Document::String(collection.definition.name));
  document.Add("id", Document::Unsigned(collection.id.value()));
  document.Add("distribution",
               Document::String(std::string(NameOf(collection.definition.distribution))));
  Document schemas = Document::Object();
  for (const auto& [name, history] : collection.schemas) {
    Document versions = Document::Array();
    for (const auto& schema : history.versions()) {
      versions.items.push_back(Document::Unsigned(schema->version().value()));
    }
    schemas.Add(name, std::move(versions));
  }
  document.Add("schemas", std::move(schemas));
  return document;
}

Result<CollectionDefinition> CollectionFrom(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"name", "distribution", "partitions"}));
  CollectionDefinition definition;
  ASSIGN_OR_RETURN(Place const name, place.Member("name"));
  ASSIGN_OR_RETURN(definition.name, name.Text());
  if (place.Has("distribution")) {
    ASSIGN_OR_RETURN(Place const distribution, place.Member("distribution"));
    ASSIGN_OR_RETURN(std::string const text, distribution.Text());
    if (text != "hash" && text != "range") {
      return distribution.Fail(StrCat("found '", text, "', expected hash or range"));
    }
    definition.distribution = text == "hash" ? Distribution::kHash : Distribution::kRange;
  }
  if (place.Has("partitions")) {
    ASSIGN_OR_RETURN(Place const partitions, place.Member("partitions"));
    ASSIGN_OR_RETURN(uint64_t const count, partitions.Unsigned(kPartitionCountMax));
    definition.partition_count = static_cast<uint32_t>(count);
  }
  RETURN_IF_ERROR(CheckCollection(definition));
  return definition;
}

struct NewSchema {
  SchemaDefinition definition;
  SchemaHistory::Change change = {};
};

// A schema, or one with what it continues: {"schema": {...}, "base": 1, "renames": {"old": "new"}}
Result<NewSchema> NewSchemaFrom(const Place& place) {
  RETURN_IF_ERROR(CheckIsObject(place));
  if (!place.Has("schema")) {
    ASSIGN_OR_RETURN(SchemaDefinition definition, SchemaFromDocument(place));
    return NewSchema{.definition = std::move(definition)};
  }
  RETURN_IF_ERROR(place.CheckObject({"schema", "base", "renames"}));
  ASSIGN_OR_RETURN(Place const schema, place.Member("schema"));
  ASSIGN_OR_RETURN(SchemaDefinition definition, SchemaFromDocument(schema));
  NewSchema made{.definition = std::move(definition)};
  if (place.Has("base")) {
    ASSIGN_OR_RETURN(Place const base, place.Member("base"));
    ASSIGN_OR_RETURN(uint64_t const version, base.Unsigned(UINT32_MAX));
    made.change.base = SchemaVersion(static_cast<uint32_t>(version));
  }
  if (place.Has("renames")) {
    ASSIGN_OR_RETURN(Place const renames, place.Member("renames"));
    RETURN_IF_ERROR(CheckIsObject(renames));
    for (size_t index = 0; index < renames.item_count(); ++index) {
      ASSIGN_OR_RETURN(std::string to, renames.Item(index).Text());
      made.change.renames.push_back({.from = renames.document().names[index], .to = std::move(to)});
    }
  }
  return made;
}

}  // namespace

void Service::CreateCollection(const CallPointer& call, Done done) {
  auto definition = CollectionFrom(Place(call->body));
  if (!definition.ok()) {
    done(ErrorReply(definition.status()));
    return;
  }
  gateway_.catalog().CreateCollection(
      *std::move(definition), [done = std::move(done)](const Result<Catalog::Collection>& made) {
        done(made.ok() ? Reply{.status = 201, .document = CollectionDocument(**made)}
                       : ErrorReply(made.status()));
      });
}

void Service::ListCollections(const CallPointer&, Done done) {
  gateway_.catalog().Refresh([this, done = std::move(done)](const Status& refreshed) {
    if (!refreshed.ok()) {
      done(ErrorReply(refreshed));
      return;
    }
    Document all = Document::Array();
    for (const Catalog::Collection& collection : gateway_.catalog().List()) {
      all.items.push_back(CollectionDocument(*collection));
    }
    Document body = Document::Object();
    body.Add("collections", std::move(all));
    done({.document = std::move(body)});
  });
}

void Service::ShowCollection(const CallPointer& call, Done done) {
  gateway_.FindCollection(call->segments[2], [done = std::move(done)](
                                                 const Result<Catalog::Collection>& found) {
    done(found.ok() ? Reply{.document = CollectionDocument(**found)} : ErrorReply(found.status()));
  });
}

void Service::DropCollection(const CallPointer& call, Done done) {
  gateway_.catalog().DropCollection(
      call->segments[2], [done = std::move(done)](const Status& dropped) {
        done(dropped.ok() ? Reply{.document = Document::Object()} : ErrorReply(dropped));
      });
}

void Service::CreateSchema(const CallPointer& call, Done done) {
  auto made = NewSchemaFrom(Place(call->body));
  if (!made.ok()) {
    done(ErrorReply(made.status()));
    return;
  }
  gateway_.catalog().CreateSchema(
      call->segments[2], std::move(made->definition), std::move(made->change),
      [done = std::move(done)](const Result<std::shared_ptr<const Schema>>& schema) {
        done(schema.ok()
                 ? Reply{.status = 201, .document = SchemaToDocument((*schema)->definition())}
                 : ErrorReply(schema.status()));
      });
}

void Service::ListSchemas(const CallPointer& call, Done done) {
  gateway_.FindCollection(call->segments[2],
                          [done = std::move(done)](const Result<Catalog::Collection>& found) {
                            if (!found.ok()) {
                              done(ErrorReply(found.status()));
                              return;
                            }
                            Document all = Document::Array();
                            for (const auto& [name, history] : (*found)->schemas) {
                              if (auto const newest = history.Newest()) {
                                all.items.push_back(SchemaToDocument(newest->definition()));
                              }
                            }
                            Document body = Document::Object();
                            body.Add("schemas", std::move(all));
                            done({.document = std::move(body)});
                          });
}

void Service::ShowSchema(const CallPointer& call, Done done) {
  auto const version = VersionParameter(*call);
  if (!version.ok()) {
    done(ErrorReply(version.status()));
    return;
  }
  gateway_.FindSchema(call->segments[2], call->segments[4], *version,
                      [done = std::move(done)](const Result<SchemaHandle>& found) {
                        done(found.ok()
                                 ? Reply{.document = SchemaToDocument(found->schema->definition())}
                                 : ErrorReply(found.status()));
                      });
}

}  // namespace orochi::kv::http
