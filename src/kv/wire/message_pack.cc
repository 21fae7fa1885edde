#include "kv/wire/message_pack.h"

#include <bit>
#include <msgpack.hpp>

#include "base/str_cat.h"

namespace orochi::kv {

namespace {

using Kind = Document::Kind;

class MessagePackEvents final : public msgpack::null_visitor {
 public:
  explicit MessagePackEvents(const DocumentBounds& bounds) : builder(bounds) {}

  bool visit_nil() { return Scalar({}); }
  bool visit_boolean(bool value) { return Scalar(Document::Bool(value)); }
  bool visit_positive_integer(uint64_t value) { return Scalar(Document::Unsigned(value)); }
  bool visit_negative_integer(int64_t value) { return Scalar(Document::Signed(value)); }
  bool visit_float32(float value) { return Scalar(Document::Float(value)); }
  bool visit_float64(double value) { return Scalar(Document::Double(value)); }
  bool visit_str(const char* text, uint32_t size_bytes) {
    return Text(Document::String(std::string(text, size_bytes)));
  }
  bool visit_bin(const char* bytes, uint32_t size_bytes) {
    return Text(Document::Bytes(std::string(bytes, size_bytes)));
  }
  bool visit_ext(const char*, uint32_t) { return builder.Fail("is of an extension type"); }
  bool start_array(uint32_t) { return !Naming() && builder.Open(Kind::kArray); }
  bool end_array() { return builder.Close(); }
  bool start_map(uint32_t) { return !Naming() && builder.Open(Kind::kObject); }
  bool start_map_key() {
    naming_ = true;
    return true;
  }
  bool end_map_key() {
    naming_ = false;
    return true;
  }
  bool end_map() { return builder.Close(); }
  void parse_error(size_t, size_t offset_bytes) {
    builder.Fail(StrCat("no MessagePack, at byte ", offset_bytes));
  }
  void insufficient_bytes(size_t, size_t offset_bytes) {
    builder.Fail(StrCat("ends early, at byte ", offset_bytes));
  }

  DocumentBuilder builder;

 private:
  bool Naming() {
    if (naming_) {
      builder.Fail("a name in a map is neither string nor bytes");
    }
    return naming_;
  }
  bool Scalar(Document value) { return !Naming() && builder.Scalar(std::move(value)); }
  bool Text(Document value) {
    return naming_ ? builder.Name(std::move(value.text)) : builder.Scalar(std::move(value));
  }

  bool naming_ = false;
};

// msgpack::packer writes to anything with this.
struct StringBuffer {
  std::string bytes;
  void write(const char* from, size_t size_bytes) { bytes.append(from, size_bytes); }
};

// msgpack::packer makes whole floating-point numbers integers, and -0 loses its sign by that.
template <class Unsigned>
void PackBigEndian(StringBuffer& buffer, uint8_t tag, Unsigned value) {
  buffer.bytes.push_back(static_cast<char>(tag));
  for (int shift = static_cast<int>(sizeof(value)) * 8 - 8; shift >= 0; shift -= 8) {
    buffer.bytes.push_back(static_cast<char>(value >> shift));
  }
}

void Pack(StringBuffer& buffer, const Document& document) {
  msgpack::packer<StringBuffer> packer(buffer);
  auto const size = static_cast<uint32_t>(document.items.size());
  auto const text_size_bytes = static_cast<uint32_t>(document.text.size());
  switch (document.kind) {
    case Kind::kNull:
      packer.pack_nil();
      return;
    case Kind::kBool:
      packer.pack(document.boolean);
      return;
    case Kind::kSigned:
      packer.pack_int64(document.signed_number);
      return;
    case Kind::kUnsigned:
      packer.pack_uint64(document.unsigned_number);
      return;
    case Kind::kFloat:
      PackBigEndian(buffer, 0xCA, std::bit_cast<uint32_t>(static_cast<float>(document.number)));
      return;
    case Kind::kDouble:
      PackBigEndian(buffer, 0xCB, std::bit_cast<uint64_t>(document.number));
      return;
    case Kind::kString:
      packer.pack_str(text_size_bytes).pack_str_body(document.text.data(), text_size_bytes);
      return;
    case Kind::kBytes:
      packer.pack_bin(text_size_bytes).pack_bin_body(document.text.data(), text_size_bytes);
      return;
    case Kind::kArray:
      packer.pack_array(size);
      break;
    case Kind::kObject:
      packer.pack_map(size);
      break;
  }
  for (size_t index = 0; index < document.items.size(); ++index) {
    if (document.kind == Kind::kObject) {
      const std::string& name = document.names[index];
      auto const name_size_bytes = static_cast<uint32_t>(name.size());
      packer.pack_str(name_size_bytes).pack_str_body(name.data(), name_size_bytes);
    }
    Pack(buffer, document.items[index]);
  }
}

}  // namespace

Result<Document> TakeMessagePack(std::string_view& rest, const DocumentBounds& bounds) {
  if (rest.size() > bounds.size_bytes_max) {
    return Status::InvalidArgument(
        StrCat("MessagePack has ", rest.size(), " bytes, at most ", bounds.size_bytes_max));
  }
  MessagePackEvents events(bounds);
  size_t size_bytes = 0;
  bool parsed = false;
  try {
    parsed = msgpack::parse(rest.data(), rest.size(), size_bytes, events);
  } catch (const std::exception&) {  // of an extension type's size, the only one it throws
    events.builder.Fail("is of an extension type");
  }
  if (!events.builder.status().ok()) {
    return events.builder.status();
  }
  if (!parsed) {
    return Status::InvalidArgument("$: no MessagePack");
  }
  rest.remove_prefix(size_bytes);
  return events.builder.Take();
}

Result<Document> ParseMessagePack(std::string_view bytes, const DocumentBounds& bounds) {
  std::string_view rest = bytes;
  ASSIGN_OR_RETURN(Document document, TakeMessagePack(rest, bounds));
  if (!rest.empty()) {
    return Status::InvalidArgument(
        StrCat("$: MessagePack has ", rest.size(), " bytes after its value"));
  }
  return document;
}

std::string WriteMessagePack(const Document& document) {
  StringBuffer buffer;
  Pack(buffer, document);
  return std::move(buffer.bytes);
}

}  // namespace orochi::kv
