#include "kv/wire/place.h"

#include <algorithm>

#include "base/str_cat.h"

namespace orochi::kv {

using Kind = Document::Kind;

std::string Place::Path() const {
  if (parent_ == nullptr) {
    return "$";
  }
  const Document& parent = *parent_->document_;
  return parent_->Path() +
         (parent.kind == Kind::kObject ? "." + parent.names[index_] : StrCat("[", index_, "]"));
}

Status Place::Fail(std::string_view what) const {
  return Status::InvalidArgument(StrCat(Path(), ": ", what));
}

Status Place::FailKind(std::string_view expected) const {
  return Fail(StrCat("found ", DescribeKind(kind()), ", expected ", expected));
}

Result<bool> Place::Bool() const {
  if (kind() != Kind::kBool) {
    return FailKind("a bool");
  }
  return document_->boolean;
}

Result<uint64_t> Place::Unsigned(uint64_t max) const {
  if (kind() != Kind::kSigned && kind() != Kind::kUnsigned) {
    return FailKind("an integer");
  }
  bool const negative = kind() == Kind::kSigned && document_->signed_number < 0;
  uint64_t const value = kind() == Kind::kUnsigned
                             ? document_->unsigned_number
                             : static_cast<uint64_t>(document_->signed_number);
  if (negative) {
    return Fail(StrCat("found ", document_->signed_number, ", expected 0 to ", max));
  }
  if (value > max) {
    return Fail(StrCat("found ", value, ", expected 0 to ", max));
  }
  return value;
}

Result<int64_t> Place::Signed(int64_t min, int64_t max) const {
  if (kind() != Kind::kSigned && kind() != Kind::kUnsigned) {
    return FailKind("an integer");
  }
  if (kind() == Kind::kUnsigned || document_->signed_number < min ||
      document_->signed_number > max) {
    return Fail(StrCat("found ",
                       kind() == Kind::kUnsigned ? StrCat(document_->unsigned_number)
                                                 : StrCat(document_->signed_number),
                       ", expected ", min, " to ", max));
  }
  return document_->signed_number;
}

Result<std::string> Place::Text() const {
  if (kind() != Kind::kString && kind() != Kind::kBytes) {
    return FailKind("a string");
  }
  return document_->text;
}

Status Place::CheckArray() const {
  return kind() == Kind::kArray ? Status::Ok() : FailKind("an array");
}

Status Place::CheckArray(size_t count) const {
  RETURN_IF_ERROR(CheckArray());
  return item_count() == count ? Status::Ok()
                               : Fail(StrCat("has ", item_count(), " items, expected ", count));
}

Status Place::CheckObject(std::initializer_list<std::string_view> names) const {
  if (kind() != Kind::kObject) {
    return FailKind("an object");
  }
  for (const std::string& name : document_->names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Fail(StrCat("has a member '", name, "', which is none of its"));
    }
  }
  return Status::Ok();
}

Result<Place> Place::Member(std::string_view name) const {
  const auto& names = document_->names;
  auto const found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return Fail(StrCat("has no member '", name, "'"));
  }
  return Item(static_cast<size_t>(found - names.begin()));
}

}  // namespace orochi::kv
