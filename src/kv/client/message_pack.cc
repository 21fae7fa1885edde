// MessagePack, its specification of 2013-04-21 and later: one byte says type and, of small things,
// the size; sizes and numbers are big-endian.
#include "kv/client/message_pack.h"

#include <bit>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::kv::client {

class MessagePackWriter {
 public:
  void Write(const Value& value) {
    std::visit([this](const auto& it) { WriteOne(it); }, value.it_);
  }
  std::string Take() { return std::move(out_); }

 private:
  template <class Number>
  void Put(uint8_t type, Number number) {
    out_.push_back(static_cast<char>(type));
    for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(static_cast<uint64_t>(number) >> shift));
    }
  }
  // `fixed` with the size in it where that is below `fixed_end`; else the type for 8 bits of size
  // (0: there is none), for 16, for 32.
  void Size(size_t size, uint8_t fixed, size_t fixed_end, uint8_t type8, uint8_t type16) {
    if (size < fixed_end) {
      out_.push_back(static_cast<char>(fixed | size));
    } else if (size <= UINT8_MAX && type8 != 0) {
      Put(type8, static_cast<uint8_t>(size));
    } else if (size <= UINT16_MAX) {
      Put(type16, static_cast<uint16_t>(size));
    } else {
      Put(static_cast<uint8_t>(type16 + 1), static_cast<uint32_t>(size));
    }
  }

  void WriteOne(std::monostate) { out_.push_back('\xc0'); }
  void WriteOne(bool value) { out_.push_back(value ? '\xc3' : '\xc2'); }
  void WriteOne(int64_t value) {
    if (value >= 0) {
      WriteOne(static_cast<uint64_t>(value));
    } else if (value >= -32) {
      out_.push_back(static_cast<char>(value));
    } else if (value >= INT8_MIN) {
      Put(0xd0, static_cast<int8_t>(value));
    } else if (value >= INT16_MIN) {
      Put(0xd1, static_cast<int16_t>(value));
    } else if (value >= INT32_MIN) {
      Put(0xd2, static_cast<int32_t>(value));
    } else {
      Put(0xd3, value);
    }
  }
  void WriteOne(uint64_t value) {
    if (value < 0x80) {
      out_.push_back(static_cast<char>(value));
    } else if (value <= UINT8_MAX) {
      Put(0xcc, static_cast<uint8_t>(value));
    } else if (value <= UINT16_MAX) {
      Put(0xcd, static_cast<uint16_t>(value));
    } else if (value <= UINT32_MAX) {
      Put(0xce, static_cast<uint32_t>(value));
    } else {
      Put(0xcf, value);
    }
  }
  void WriteOne(double value) { Put(0xcb, std::bit_cast<uint64_t>(value)); }
  void WriteOne(const std::string& text) {
    Size(text.size(), 0xa0, 32, 0xd9, 0xda);
    out_ += text;
  }
  void WriteOne(const Bytes& bytes) {
    Size(bytes.bytes.size(), 0, 0, 0xc4, 0xc5);
    out_ += bytes.bytes;
  }
  void WriteOne(const Value::Array& items) {
    Size(items.size(), 0x90, 16, 0, 0xdc);
    for (const Value& item : items) {
      Write(item);
    }
  }
  void WriteOne(const Value::Members& members) {
    Size(members.size(), 0x80, 16, 0, 0xde);
    for (const auto& [name, value] : members) {
      WriteOne(name);
      Write(value);
    }
  }

  std::string out_;
};

namespace {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : all_(bytes), rest_(bytes) {}

  Result<Value> Read(size_t depth) {
    if (depth > kReplyDepthMax || ++value_count_ > kReplyValueCountMax) {
      return Broken("nested too deep, or too many values");
    }
    ASSIGN_OR_RETURN(uint64_t const type, Number(1));
    if (type < 0x80) {
      return Value(type);
    }
    if (type >= 0xe0) {
      return Value(int64_t{static_cast<int8_t>(type)});
    }
    if (type < 0x90) {
      return ReadObject(type & 0x0f, depth);
    }
    if (type < 0xa0) {
      return ReadArray(type & 0x0f, depth);
    }
    if (type < 0xc0) {
      return ReadText(type & 0x1f);
    }
    return ReadTyped(type, depth);
  }
  bool at_end() const { return rest_.empty(); }
  Status Broken(std::string_view what) const {
    return Status::Corruption(
        StrCat("MessagePack: ", what, ", at byte ", all_.size() - rest_.size()));
  }

 private:
  Result<Value> ReadTyped(uint64_t type, size_t depth) {
    switch (type) {
      case 0xc0:
        return Value();
      case 0xc2:
      case 0xc3:
        return Value(type == 0xc3);
      case 0xca: {
        ASSIGN_OR_RETURN(uint64_t const bits, Number(4));
        return Value(double{std::bit_cast<float>(static_cast<uint32_t>(bits))});
      }
      case 0xcb: {
        ASSIGN_OR_RETURN(uint64_t const bits, Number(8));
        return Value(std::bit_cast<double>(bits));
      }
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf: {
        ASSIGN_OR_RETURN(uint64_t const number, Number(size_t{1} << (type - 0xcc)));
        return Value(number);
      }
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return ReadSigned(size_t{1} << (type - 0xd0));
      default:
        return ReadSized(type, depth);
    }
  }

  Result<Value> ReadSigned(size_t size_bytes) {
    ASSIGN_OR_RETURN(uint64_t const bits, Number(size_bytes));
    int const unused = 64 - 8 * static_cast<int>(size_bytes);
    return Value(static_cast<int64_t>(bits << unused) >> unused);
  }

  // What has its size behind its type.
  Result<Value> ReadSized(uint64_t type, size_t depth) {
    bool const is_bytes = type >= 0xc4 && type <= 0xc6;
    bool const is_text = type >= 0xd9 && type <= 0xdb;
    bool const is_array = type == 0xdc || type == 0xdd;
    if (!is_bytes && !is_text && !is_array && type != 0xde && type != 0xdf) {
      return Broken(StrCat("found the type ", type));
    }
    size_t const width = is_bytes   ? size_t{1} << (type - 0xc4)
                         : is_text  ? size_t{1} << (type - 0xd9)
                         : is_array ? size_t{2} << (type - 0xdc)
                                    : size_t{2} << (type - 0xde);
    ASSIGN_OR_RETURN(uint64_t const size, Number(width));
    if (is_bytes) {
      ASSIGN_OR_RETURN(std::string_view const bytes, Take(size));
      return Value(Bytes{std::string(bytes)});
    }
    return is_text ? ReadText(size) : is_array ? ReadArray(size, depth) : ReadObject(size, depth);
  }

  Result<Value> ReadText(uint64_t size_bytes) {
    ASSIGN_OR_RETURN(std::string_view const text, Take(size_bytes));
    return Value(text);
  }

  // Sizes are believed only as far as there are bytes: each item has one at least.
  Result<Value> ReadArray(uint64_t count, size_t depth) {
    if (count > rest_.size()) {
      return Broken(StrCat("an array of ", count, " items in ", rest_.size(), " bytes"));
    }
    Value::Array items;
    for (uint64_t index = 0; index < count; ++index) {
      ASSIGN_OR_RETURN(Value item, Read(depth + 1));
      items.push_back(std::move(item));
    }
    return Value(std::move(items));
  }

  Result<Value> ReadObject(uint64_t count, size_t depth) {
    if (count > rest_.size() / 2) {
      return Broken(StrCat("a map of ", count, " members in ", rest_.size(), " bytes"));
    }
    Value::Members members;
    for (uint64_t index = 0; index < count; ++index) {
      ASSIGN_OR_RETURN(Value name, Read(depth + 1));
      if (name.AsBytes() == nullptr) {
        return Broken("the name of a member is no text");
      }
      ASSIGN_OR_RETURN(Value value, Read(depth + 1));
      members.emplace_back(*name.AsBytes(), std::move(value));
    }
    return Value(std::move(members));
  }

  Result<uint64_t> Number(size_t size_bytes) {
    ASSIGN_OR_RETURN(std::string_view const bytes, Take(size_bytes));
    uint64_t number = 0;
    for (char const byte : bytes) {
      number = number << 8 | static_cast<uint8_t>(byte);
    }
    return number;
  }

  Result<std::string_view> Take(uint64_t size_bytes) {
    if (size_bytes > rest_.size()) {
      return Broken(StrCat("expected ", size_bytes, " bytes, found ", rest_.size()));
    }
    std::string_view const bytes = rest_.substr(0, size_bytes);
    rest_.remove_prefix(size_bytes);
    return bytes;
  }

  std::string_view all_;
  std::string_view rest_;
  size_t value_count_ = 0;
};

}  // namespace

std::string WriteMessagePack(const Value& value) {
  MessagePackWriter writer;
  writer.Write(value);
  return writer.Take();
}

Result<Value> ReadMessagePack(std::string_view bytes) {
  Reader reader(bytes);
  ASSIGN_OR_RETURN(Value value, reader.Read(0));
  if (!reader.at_end()) {
    return reader.Broken("more after the value");
  }
  return value;
}

}  // namespace orochi::kv::client
