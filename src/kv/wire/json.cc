#include "kv/wire/json.h"

#include <openssl/evp.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

namespace {

using Kind = Document::Kind;

class JsonEvents final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonEvents(const DocumentBounds& bounds) : builder(bounds) {}

  bool null() override { return builder.Scalar({}); }
  bool boolean(bool value) override { return builder.Scalar(Document::Bool(value)); }
  bool number_integer(number_integer_t value) override {
    return builder.Scalar(Document::Signed(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return builder.Scalar(Document::Unsigned(value));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    Document number = Document::Double(value);
    number.text = text;
    return builder.Scalar(std::move(number));
  }
  bool string(string_t& value) override {
    return builder.Scalar(Document::String(std::move(value)));
  }
  bool binary(binary_t&) override { return builder.Fail("JSON has no bytes"); }
  bool start_object(size_t) override { return builder.Open(Kind::kObject); }
  bool key(string_t& name) override { return builder.Name(std::move(name)); }
  bool end_object() override { return builder.Close(); }
  bool start_array(size_t) override { return builder.Open(Kind::kArray); }
  bool end_array() override { return builder.Close(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    return builder.Fail(StrCat("no JSON, at byte ", position));
  }

  DocumentBuilder builder;
};

void AppendJsonString(std::string& out, const std::string& text) {
  using Handler = nlohmann::json::error_handler_t;
  out += nlohmann::json(text).dump(-1, ' ', false, Handler::replace);
}

void AppendJson(std::string& out, const Document& document) {
  switch (document.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBool:
      out += document.boolean ? "true" : "false";
      return;
    case Kind::kSigned:
      out += StrCat(document.signed_number);
      return;
    case Kind::kUnsigned:
      out += StrCat(document.unsigned_number);
      return;
    case Kind::kFloat:
    case Kind::kDouble:
      ASSERT(std::isfinite(document.number));
      if (document.number == 0 && std::signbit(document.number)) {
        out += "-0.0";  // "-0" would read as an integer, which has no sign
        return;
      }
      out += document.kind == Kind::kFloat ? StrCat(static_cast<float>(document.number))
                                           : StrCat(document.number);
      return;
    case Kind::kString:
      AppendJsonString(out, document.text);
      return;
    case Kind::kBytes:
      ASSERT(false);
      return;
    case Kind::kArray:
    case Kind::kObject:
      break;
  }
  bool const object = document.kind == Kind::kObject;
  out += object ? '{' : '[';
  for (size_t index = 0; index < document.items.size(); ++index) {
    out += index > 0 ? "," : "";
    if (object) {
      AppendJsonString(out, document.names[index]);
      out += ':';
    }
    AppendJson(out, document.items[index]);
  }
  out += object ? '}' : ']';
}

}  // namespace

Result<Document> ParseJson(std::string_view text, const DocumentBounds& bounds) {
  if (text.size() > bounds.size_bytes_max) {
    return Status::InvalidArgument(
        StrCat("JSON has ", text.size(), " bytes, at most ", bounds.size_bytes_max));
  }
  JsonEvents events(bounds);
  bool const parsed = nlohmann::json::sax_parse(text, &events);
  if (!parsed || !events.builder.status().ok()) {
    return events.builder.status().ok() ? Status::InvalidArgument("$: no JSON")
                                        : events.builder.status();
  }
  return events.builder.Take();
}

std::string WriteJson(const Document& document) {
  std::string text;
  AppendJson(text, document);
  return text;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL adds a zero byte
  int const size_bytes = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                         reinterpret_cast<const unsigned char*>(bytes.data()),
                                         static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size_bytes));
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  auto const refuse = [] { return Status::InvalidArgument("found no base64 with padding"); };
  if (text.size() % 4 != 0 || text.size() > INT32_MAX) {
    return refuse();
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  int const size_bytes = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()));
  size_t const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (size_bytes < 0 || static_cast<size_t>(size_bytes) < padding) {
    return refuse();
  }
  bytes.resize(static_cast<size_t>(size_bytes) - padding);
  // OpenSSL forgives spaces and set bits behind the padding.
  if (EncodeBase64(bytes) != text) {
    return refuse();
  }
  return bytes;
}

}  // namespace orochi::kv
