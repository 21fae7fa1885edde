#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kv/client/client.h"

namespace orochi::cli {

/// Which records a command means: "shop/item", or "shop/item@2" for a version of the schema.
Result<kv::client::Target> ParseTarget(const std::string& text);

/// A value of a field from the text of an argument, as JSON that nodes take for its type.
/// kInvalidArgument for text that cannot be of the type.
Result<std::string> FieldJson(const kv::client::FieldDefinition& field, const std::string& text);

/// "shelf=a" or "shelf:=JSON"; without either, what is meant by its place.
struct Assignment {
  std::string name = {};  // empty: none was given
  std::string text = {};
  bool is_json = false;
};
/// `names`: what may stand before the sign; else the sign belongs to the value.
Assignment ParseAssignment(const std::string& argument, const kv::client::SchemaDefinition& schema);

/// The JSON object of a whole key, from values in the key's order or with names.
Result<std::string> KeyJson(const kv::client::SchemaDefinition& schema,
                            const std::vector<std::string>& arguments);

/// The JSON array of the values of the first key fields, in the key's order.
Result<std::string> KeyValuesJson(const kv::client::SchemaDefinition& schema,
                                  const std::vector<std::string>& arguments);

/// The JSON object of a record, or with `only_given` of some of its fields; fields that are not
/// named are null otherwise.
Result<std::string> RecordJson(const kv::client::SchemaDefinition& schema,
                               const std::vector<std::string>& arguments, bool only_given);

/// "collection": ..., "schema": ..., as members of an object without its braces.
std::string TargetMembers(const kv::client::Target& target);

}  // namespace orochi::cli
