#include "kv/filter/filter_codec.h"

#include "base/str_cat.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

namespace {

constexpr char kFormat = 1;
constexpr char kFieldTag = 0;
constexpr char kLiteralTag = 1;

void AppendCount(std::string& out, size_t value) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>(value | 0x80));
  }
  out.push_back(static_cast<char>(value));
}

void AppendNode(std::string& out, const Expression& node) {
  out.push_back(static_cast<char>(node.operation));
  AppendCount(out, node.operands.size());
  for (const Operand& operand : node.operands) {
    if (const auto* field = std::get_if<FieldReference>(&operand)) {
      out.push_back(kFieldTag);
      AppendCount(out, field->name.size());
      out += field->name;
    } else {
      const auto& literal = std::get<Literal>(operand);
      out.push_back(kLiteralTag);
      out.push_back(static_cast<char>(literal.type));
      AppendKeyField(out, {.type = literal.type}, literal.value);
    }
  }
  AppendCount(out, node.children.size());
  for (const Expression& child : node.children) {
    AppendNode(out, child);
  }
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  bool Take(uint8_t& byte) {
    if (rest_.empty()) {
      return false;
    }
    byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }

  // What is counted takes at least a byte each, so a count past the bytes left is damage.
  bool TakeCount(size_t& count) {
    count = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      uint8_t byte = 0;
      if (!Take(byte)) {
        return false;
      }
      count |= size_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) {
        return count <= rest_.size() && (byte != 0 || shift == 0);
      }
    }
    return false;
  }

  Status TakeNode(size_t depth, size_t& node_count, Expression& node) {
    if (depth > kFilterDepthMax) {
      return Damaged(StrCat("is nested deeper than ", kFilterDepthMax));
    }
    uint8_t operation = 0;
    size_t count = 0;
    if (!Take(operation) || !TakeCount(count)) {
      return Damaged("ends within a node");
    }
    if (operation > kOperationMax) {
      return Damaged(StrCat("has operation ", int{operation}, ", at most ", int{kOperationMax}));
    }
    node.operation = static_cast<Operation>(operation);
    node_count += 1 + count;
    if (node_count > kFilterNodeCountMax) {
      return Damaged(StrCat("has more than ", kFilterNodeCountMax, " nodes"));
    }
    node.operands.resize(count);
    for (Operand& operand : node.operands) {
      RETURN_IF_ERROR(TakeOperand(operand));
    }
    if (!TakeCount(count)) {
      return Damaged("ends within a node");
    }
    if (node_count + count > kFilterNodeCountMax) {
      return Damaged(StrCat("has more than ", kFilterNodeCountMax, " nodes"));
    }
    node.children.resize(count);
    for (Expression& child : node.children) {
      RETURN_IF_ERROR(TakeNode(depth + 1, node_count, child));
    }
    return Status::Ok();
  }

 private:
  static Status Damaged(std::string_view what) {
    return Status::Corruption(StrCat("filter ", what));
  }

  Status TakeOperand(Operand& operand) {
    uint8_t tag = 0;
    if (!Take(tag)) {
      return Damaged("ends within an operand");
    }
    if (tag == static_cast<uint8_t>(kFieldTag)) {
      size_t size_bytes = 0;
      if (!TakeCount(size_bytes)) {
        return Damaged("ends within a field's name");
      }
      operand = FieldReference{std::string(rest_.substr(0, size_bytes))};
      rest_.remove_prefix(size_bytes);
      return Status::Ok();
    }
    uint8_t type_number = 0;
    if (tag != static_cast<uint8_t>(kLiteralTag) || !Take(type_number)) {
      return Damaged(StrCat("has an operand with tag ", int{tag}, ", expected 0 or 1"));
    }
    auto const type = FieldTypeFromNumber(type_number);
    if (!type) {
      return Damaged(StrCat("has a literal of type ", int{type_number}));
    }
    Literal literal{.type = *type, .value = Null()};
    RETURN_IF_ERROR(ReadKeyField(rest_, {.type = *type}, literal.value));
    operand = std::move(literal);
    return Status::Ok();
  }

  std::string_view rest_;
};

}  // namespace

Result<std::string> EncodeFilter(const Expression& filter) {
  RETURN_IF_ERROR(CheckShape(filter));
  std::string bytes(1, kFormat);
  AppendNode(bytes, filter);
  if (bytes.size() > kFilterSizeBytesMax) {
    return Status::OutOfRange(
        StrCat("filter has ", bytes.size(), " bytes, at most ", kFilterSizeBytesMax));
  }
  return bytes;
}

Result<Expression> DecodeFilter(std::string_view bytes) {
  if (bytes.size() > kFilterSizeBytesMax) {
    return Status::Corruption(
        StrCat("filter has ", bytes.size(), " bytes, at most ", kFilterSizeBytesMax));
  }
  if (!bytes.starts_with(kFormat)) {
    return Status::Corruption("filter does not begin with format 1");
  }
  Reader reader(bytes.substr(1));
  Expression filter;
  size_t node_count = 0;
  RETURN_IF_ERROR(reader.TakeNode(1, node_count, filter));
  if (!reader.done()) {
    return Status::Corruption("filter has bytes after its end");
  }
  if (Status status = CheckShape(filter); !status.ok()) {
    return Status::Corruption(status.message());
  }
  return filter;
}

}  // namespace orochi::kv
