#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/client/client.h"

namespace orochi::cli {

/// A value as JSON on one line. Bytes become base64, numbers that are not finite "NaN", "Infinity"
/// and "-Infinity", as docs/formats/kv-wire.md has them.
std::string JsonOf(const kv::client::Value& value);

/// A text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

std::string Base64Of(std::string_view bytes);

/// kInvalidArgument with line and place where `text` is no JSON value.
Status CheckJson(std::string_view text, std::string_view name);

/// Which kind of JSON value `text` begins with, after blanks: '{', '[', or another first byte; '\0'
/// when there is none.
char FirstOfJson(std::string_view text);

/// True when `text` is one JSON object with a member of this name.
bool JsonObjectHas(std::string_view text, std::string_view name);

/// A record as people and programs see it: what MessagePack has as bytes becomes the text of its
/// field's type.
kv::client::Value Presentable(const kv::client::SchemaDefinition& schema,
                              const kv::client::Value& record);

/// One line for a cell of a table.
std::string CellOf(const kv::client::Value& value);

}  // namespace orochi::cli
