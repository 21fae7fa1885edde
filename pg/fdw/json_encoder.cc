#include "pg/fdw/json_encoder.h"

#include "base/str_cat.h"
#include "sstable/types/value_build.h"

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace orochi::pg {
namespace {

using sstable::Type;
using sstable::TypeKind;
using sstable::TypeRef;
using Value = std::optional<std::string>;

// One step of a walk through a jsonb, plain.
struct JsonStep {
  JsonbIteratorToken token;
  enum jbvType type;
  const char* text;  // of strings, keys and numbers
  int text_size;
  bool boolean;
};

struct JsonSteps {
  JsonStep* steps;
  int count;
};

// Plain. All of a jsonb as steps.
JsonSteps Walk(Jsonb* jsonb) noexcept {
  int capacity = 16;
  JsonSteps out = {static_cast<JsonStep*>(palloc(sizeof(JsonStep) * 16)), 0};
  JsonbIterator* iterator = JsonbIteratorInit(&jsonb->root);
  JsonbValue value;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE) {
    if (out.count == capacity) {
      capacity *= 2;
      out.steps = static_cast<JsonStep*>(
          repalloc_huge(out.steps, sizeof(JsonStep) * static_cast<size_t>(capacity)));
    }
    JsonStep step = {token, jbvNull, "", 0, false};
    if (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM) {
      step.type = value.type;
      if (value.type == jbvString) {
        step.text = value.val.string.val;
        step.text_size = value.val.string.len;
      } else if (value.type == jbvNumeric) {
        step.text =
            DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
        step.text_size = static_cast<int>(strlen(step.text));
      } else if (value.type == jbvBool) {
        step.boolean = value.val.boolean;
      }
    }
    out.steps[out.count++] = step;
  }
  return out;
}

// Reads values of a CQL type from the steps.
class JsonReader {
 public:
  explicit JsonReader(JsonSteps steps) : steps_(steps) {}

  // A jsonb that is a scalar is stored as an array of one.
  Result<Value> ReadWhole(const Type& type, bool is_scalar) {
    if (is_scalar) {
      ++at_;
    }
    return Read(type);
  }

 private:
  const JsonStep& Take() { return steps_.steps[at_++]; }
  const JsonStep& Peek() const { return steps_.steps[at_]; }

  Result<Value> Read(const Type& type) {
    const JsonStep& step = Take();
    switch (step.token) {
      case WJB_BEGIN_ARRAY:
        return ReadArray(type);
      case WJB_BEGIN_OBJECT:
        return ReadObject(type);
      default:
        return ReadScalar(type, step);
    }
  }

  static Status Mismatch(const Type& type, std::string_view found) {
    return Status::InvalidArgument(
        StrCat("expected JSON of a value of type ", CqlName(type), ", found ", found));
  }

  static Result<Value> ReadScalar(const Type& type, const JsonStep& step) {
    if (step.type == jbvNull) {
      return Value();
    }
    std::string_view text(step.text, static_cast<size_t>(step.text_size));
    if (step.type == jbvBool) {
      text = step.boolean ? "true" : "false";
    }
    bool const has_parts = !type.parameters.empty();
    bool const takes_text = type.kind == TypeKind::kText || type.kind == TypeKind::kAscii;
    if (has_parts || (takes_text && step.type != jbvString)) {
      return Mismatch(type, step.type == jbvString ? "a string" : StrCat("'", text, "'"));
    }
    ASSIGN_OR_RETURN(std::string bytes, sstable::ParseScalar(type, text));
    return Value(std::move(bytes));
  }

  Result<Value> ReadArray(const Type& type) {
    std::vector<Value> parts;
    bool const is_tuple = type.kind == TypeKind::kTuple;
    bool const is_list = type.kind == TypeKind::kList || type.kind == TypeKind::kSet ||
                         type.kind == TypeKind::kVector;
    if (!is_tuple && !is_list) {
      return Mismatch(type, "an array");
    }
    while (Peek().token != WJB_END_ARRAY) {
      if (is_tuple && parts.size() >= type.parameters.size()) {
        return Mismatch(type, "more elements");
      }
      ASSIGN_OR_RETURN(Value part, Read(*type.parameters[is_tuple ? parts.size() : 0]));
      if (is_list && !part.has_value()) {
        return Mismatch(type, "null as an element");
      }
      parts.push_back(std::move(part));
    }
    Take();
    if (is_tuple) {
      return Value(sstable::BuildTuple(parts));
    }
    std::vector<std::string> elements;
    for (Value& part : parts) {
      elements.push_back(*std::move(part));
    }
    if (type.kind == TypeKind::kVector) {
      ASSIGN_OR_RETURN(std::string bytes, sstable::BuildVector(type, elements));
      return Value(std::move(bytes));
    }
    return Value(type.kind == TypeKind::kSet ? sstable::BuildSet(type, std::move(elements))
                                             : sstable::BuildList(elements));
  }

  Result<Value> ReadObject(const Type& type) {
    if (type.kind != TypeKind::kMap && type.kind != TypeKind::kUdt) {
      return Mismatch(type, "an object");
    }
    std::vector<std::pair<std::string, std::string>> entries;
    std::vector<Value> fields(type.kind == TypeKind::kUdt ? type.parameters.size() : 0);
    while (Peek().token != WJB_END_OBJECT) {
      const JsonStep& key_step = Take();
      std::string_view key(key_step.text, static_cast<size_t>(key_step.text_size));
      if (type.kind == TypeKind::kMap) {
        ASSIGN_OR_RETURN(Value key_bytes, ReadKey(type.element(), key));
        ASSIGN_OR_RETURN(Value value, Read(type.map_value()));
        if (!key_bytes.has_value() || !value.has_value()) {
          return Mismatch(type, "null in a map");
        }
        entries.emplace_back(*std::move(key_bytes), *std::move(value));
        continue;
      }
      if (key.size() > 2 && key.front() == '"' && key.back() == '"') {
        key = key.substr(1, key.size() - 2);  // a name that is not lower case
      }
      auto const found = std::find(type.field_names.begin(), type.field_names.end(), key);
      if (found == type.field_names.end()) {
        return Mismatch(type, StrCat("the field ", key));
      }
      auto const index = static_cast<size_t>(found - type.field_names.begin());
      ASSIGN_OR_RETURN(fields[index], Read(*type.parameters[index]));
    }
    Take();
    return type.kind == TypeKind::kMap ? Value(sstable::BuildMap(type, std::move(entries)))
                                       : Value(sstable::BuildTuple(fields));
  }

  // A key is a string: text as it is, other types as their text or JSON.
  static Result<Value> ReadKey(const Type& type, std::string_view key) {
    if (type.parameters.empty()) {
      ASSIGN_OR_RETURN(std::string bytes, sstable::ParseScalar(type, key));
      return Value(std::move(bytes));
    }
    std::string const text(key);
    Jsonb* jsonb = nullptr;
    JsonSteps const steps = TryPg([&]() noexcept {
      jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.c_str())));
      return Walk(jsonb);
    });
    return JsonReader(steps).ReadWhole(type, JB_ROOT_IS_SCALAR(jsonb));
  }

  JsonSteps steps_;
  int at_ = 0;
};

class JsonEncoder final : public ValueEncoder {
 public:
  explicit JsonEncoder(TypeRef type) : type_(std::move(type)) {}
  Result<std::string> Encode(Datum value) const override {
    Jsonb* jsonb = nullptr;
    JsonSteps const steps = TryPg([&]() noexcept {
      jsonb = DatumGetJsonbP(value);
      return Walk(jsonb);
    });
    ASSIGN_OR_RETURN(Value bytes, JsonReader(steps).ReadWhole(*type_, JB_ROOT_IS_SCALAR(jsonb)));
    if (!bytes.has_value()) {
      return Status::InvalidArgument(
          StrCat("JSON null is no value of type ", CqlName(*type_), ": use SQL's null"));
    }
    return *std::move(bytes);
  }

 private:
  TypeRef type_;
};

}  // namespace

std::unique_ptr<ValueEncoder> MakeJsonEncoder(const TypeRef& type) {
  return std::make_unique<JsonEncoder>(type);
}

}  // namespace orochi::pg
