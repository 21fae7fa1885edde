#include "pg/fdw/value_decoder.h"

#include "base/str_cat.h"
#include "pg/fdw/scalar_decoder.h"
#include "sstable/types/elements.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "funcapi.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace orochi::pg {
namespace {

using sstable::Bytes;
using sstable::ElementReader;
using sstable::Type;
using sstable::TypeKind;
using sstable::TypeRef;

Status Malformed(const Type& type, Bytes bytes) {
  return Status::Corruption(StrCat("a value of type ", CqlName(type), " of ", bytes.size(),
                                   " bytes does not hold the elements it announces"));
}

bool IsText(Oid pg_type) {
  return pg_type == TEXTOID || pg_type == VARCHAROID;
}

// Anything as cqlsh shows it.
class TextDecoder final : public ValueDecoder {
 public:
  explicit TextDecoder(TypeRef type) : type_(std::move(type)) {}
  Result<DecodedValue> Decode(Bytes bytes) const override {
    std::string text;
    RETURN_IF_ERROR(sstable::AppendCqlshText(*type_, bytes, text));
    ASSIGN_OR_RETURN(Datum const value, MakeText(text));
    return DecodedValue{.value = value};
  }

 private:
  TypeRef type_;
};

// Anything as SELECT JSON shows it.
class JsonDecoder final : public ValueDecoder {
 public:
  JsonDecoder(TypeRef type, bool binary) : type_(std::move(type)), binary_(binary) {}
  Result<DecodedValue> Decode(Bytes bytes) const override {
    std::string json;
    RETURN_IF_ERROR(sstable::AppendJson(*type_, bytes, json));
    Datum const value = TryPg([&]() noexcept {
      return DirectFunctionCall1(binary_ ? jsonb_in : json_in, CStringGetDatum(json.c_str()));
    });
    return DecodedValue{.value = value};
  }

 private:
  TypeRef type_;
  bool binary_;
};

// A vector as the text that a type of this name reads.
class VectorTypeDecoder final : public ValueDecoder {
 public:
  VectorTypeDecoder(TypeRef type, Oid pg_type) : type_(std::move(type)) {
    TryPg([&]() noexcept { getTypeInputInfo(pg_type, &input_, &io_parameter_); });
  }
  Result<DecodedValue> Decode(Bytes bytes) const override {
    std::string json;
    RETURN_IF_ERROR(sstable::AppendJson(*type_, bytes, json));
    return DecodedValue{.value = TryPg([&]() noexcept {
                          return OidInputFunctionCall(input_, const_cast<char*>(json.c_str()),
                                                      io_parameter_, -1);
                        })};
  }

 private:
  TypeRef type_;
  Oid input_ = InvalidOid;
  Oid io_parameter_ = InvalidOid;
};

// A list, set or vector as an array of one dimension.
class ArrayDecoder final : public ValueDecoder {
 public:
  ArrayDecoder(TypeRef type, Oid element_type, std::unique_ptr<ValueDecoder> element)
      : type_(std::move(type)), element_type_(element_type), element_(std::move(element)) {
    TryPg([&]() noexcept { get_typlenbyvalalign(element_type_, &length_, &by_value_, &align_); });
  }

  Result<DecodedValue> Decode(Bytes bytes) const override {
    std::vector<Datum> values;
    std::vector<char> nulls;
    ElementReader reader(*type_, bytes);
    while (auto const element = reader.Next()) {
      DecodedValue decoded{.is_null = true};
      if (!element->is_null) {
        ASSIGN_OR_RETURN(decoded, element_->Decode(element->bytes));
      }
      values.push_back(decoded.value);
      nulls.push_back(decoded.is_null ? 1 : 0);
    }
    if (reader.malformed()) {
      return Malformed(*type_, bytes);
    }
    int count = static_cast<int>(values.size());
    Datum* const data = values.data();
    static_assert(sizeof(bool) == sizeof(char));
    auto* const null_flags = reinterpret_cast<bool*>(nulls.data());
    return DecodedValue{.value = TryPg([&]() noexcept {
                          if (count == 0) {
                            return PointerGetDatum(construct_empty_array(element_type_));
                          }
                          int lower_bound = 1;
                          return PointerGetDatum(construct_md_array(data, null_flags, 1, &count,
                                                                    &lower_bound, element_type_,
                                                                    length_, by_value_, align_));
                        })};
  }

 private:
  TypeRef type_;
  Oid element_type_;
  std::unique_ptr<ValueDecoder> element_;
  int16 length_ = 0;
  bool by_value_ = false;
  char align_ = 0;
};

// A user type as a composite type with fields of the same names.
class CompositeDecoder final : public ValueDecoder {
 public:
  // `descriptor` is a copy that lives as long as the decoder's memory context.
  CompositeDecoder(TypeRef type, TupleDesc descriptor, std::vector<int> fields,
                   std::vector<std::unique_ptr<ValueDecoder>> decoders)
      : type_(std::move(type)),
        descriptor_(descriptor),
        fields_(std::move(fields)),
        decoders_(std::move(decoders)) {}

  Result<DecodedValue> Decode(Bytes bytes) const override {
    std::vector<ElementReader::Element> elements;
    ElementReader reader(*type_, bytes);
    while (auto const element = reader.Next()) {
      elements.push_back(*element);
    }
    if (reader.malformed()) {
      return Malformed(*type_, bytes);
    }
    std::vector<Datum> values(fields_.size());
    std::vector<char> nulls(fields_.size(), 1);
    for (size_t column = 0; column < fields_.size(); ++column) {
      auto const field = static_cast<size_t>(fields_[column]);
      if (fields_[column] < 0 || field >= elements.size() || elements[field].is_null) {
        continue;
      }
      ASSIGN_OR_RETURN(DecodedValue const decoded,
                       decoders_[column]->Decode(elements[field].bytes));
      values[column] = decoded.value;
      nulls[column] = decoded.is_null ? 1 : 0;
    }
    Datum* const data = values.data();
    auto* const null_flags = reinterpret_cast<bool*>(nulls.data());
    return DecodedValue{.value = TryPg([&]() noexcept {
                          return HeapTupleGetDatum(heap_form_tuple(descriptor_, data, null_flags));
                        })};
  }

 private:
  TypeRef type_;
  TupleDesc descriptor_;
  std::vector<int> fields_;
  std::vector<std::unique_ptr<ValueDecoder>> decoders_;
};

// What the catalog says of a type, plainly.
struct CatalogType {
  Oid element;  // of a true array
  bool composite;
  bool named_vector;
  const char* name;
};

CatalogType Describe(Oid pg_type) {
  return TryPg([&]() noexcept -> CatalogType {
    HeapTuple const tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(pg_type));
    if (!HeapTupleIsValid(tuple)) {
      elog(ERROR, "cache lookup failed for type %u", pg_type);
    }
    auto* const form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    CatalogType const type = {.element = get_element_type(pg_type),
                              .composite = form->typtype == TYPTYPE_COMPOSITE,
                              .named_vector = form->typtype == TYPTYPE_BASE &&
                                              strcmp(NameStr(form->typname), "vector") == 0,
                              .name = format_type_be(pg_type)};
    ReleaseSysCache(tuple);
    return type;
  });
}

Result<std::unique_ptr<ValueDecoder>> MakeCompositeDecoder(const TypeRef& type, Oid pg_type,
                                                           const ValueRules& rules) {
  TupleDesc const descriptor =
      TryPg([&]() noexcept { return lookup_rowtype_tupdesc_copy(pg_type, -1); });
  ASSIGN_OR_RETURN(std::vector<int> fields, MatchFields(*type, descriptor));
  std::vector<std::unique_ptr<ValueDecoder>> decoders;
  for (size_t column = 0; column < fields.size(); ++column) {
    decoders.push_back(nullptr);
    if (fields[column] < 0) {
      continue;
    }
    Form_pg_attribute const attribute = TupleDescAttr(descriptor, static_cast<int>(column));
    auto decoder = MakeValueDecoder(type->parameters[static_cast<size_t>(fields[column])],
                                    attribute->atttypid, attribute->atttypmod, rules);
    if (!decoder.ok()) {
      return Status(decoder.status()).WithContext(StrCat("field ", NameStr(attribute->attname)));
    }
    decoders.back() = *std::move(decoder);
  }
  return std::make_unique<CompositeDecoder>(type, descriptor, std::move(fields),
                                            std::move(decoders));
}

}  // namespace

Result<std::vector<int>> MatchFields(const Type& user_type, TupleDesc descriptor) {
  std::vector<int> fields;
  for (int index = 0; index < descriptor->natts; ++index) {
    Form_pg_attribute const attribute = TupleDescAttr(descriptor, index);
    if (attribute->attisdropped) {
      fields.push_back(-1);
      continue;
    }
    auto const& names = user_type.field_names;
    auto const found = std::find(names.begin(), names.end(), NameStr(attribute->attname));
    if (found == names.end()) {
      return Status::Unsupported(
          StrCat("user type ", user_type.name, " has no field ", NameStr(attribute->attname)));
    }
    fields.push_back(static_cast<int>(found - names.begin()));
  }
  return fields;
}

Result<std::unique_ptr<ValueDecoder>> MakeValueDecoder(const TypeRef& type, Oid pg_type,
                                                       int32_t type_modifier,
                                                       const ValueRules& rules) {
  CatalogType const target = Describe(pg_type);
  if (type_modifier != -1) {
    return Status::Unsupported(
        StrCat("columns of a foreign table have no length or precision: "
               "declare ",
               target.name, " without"));
  }
  if (auto scalar = MakeScalarDecoder(type, pg_type, rules); scalar != nullptr) {
    return scalar;
  }
  bool const has_elements = type->kind == TypeKind::kList || type->kind == TypeKind::kSet ||
                            type->kind == TypeKind::kVector;
  if (IsText(pg_type)) {
    return std::make_unique<TextDecoder>(type);
  }
  if (pg_type == JSONBOID || pg_type == JSONOID) {
    return std::make_unique<JsonDecoder>(type, pg_type == JSONBOID);
  }
  if (OidIsValid(target.element) && has_elements) {
    auto element = MakeValueDecoder(type->parameters[0], target.element, -1, rules);
    if (!element.ok()) {
      return Status(element.status()).WithContext("elements");
    }
    return std::make_unique<ArrayDecoder>(type, target.element, *std::move(element));
  }
  if (target.composite && type->kind == TypeKind::kUdt) {
    return MakeCompositeDecoder(type, pg_type, rules);
  }
  if (target.named_vector && type->kind == TypeKind::kVector) {
    return std::make_unique<VectorTypeDecoder>(type, pg_type);
  }
  return Status::Unsupported(
             StrCat("CQL type ", CqlName(*type), " cannot be read as ", target.name))
      .WithHint("Any type can be read as text, jsonb or bytea.");
}

}  // namespace orochi::pg
