#include "kv/wire/document.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

Document Document::Bool(bool value) {
  Document document{.kind = Kind::kBool};
  document.boolean = value;
  return document;
}

Document Document::Signed(int64_t value) {
  Document document{.kind = Kind::kSigned};
  document.signed_number = value;
  return document;
}

Document Document::Unsigned(uint64_t value) {
  if (value <= INT64_MAX) {
    return Signed(static_cast<int64_t>(value));
  }
  Document document{.kind = Kind::kUnsigned};
  document.unsigned_number = value;
  return document;
}

Document Document::Float(float value) {
  Document document{.kind = Kind::kFloat};
  document.number = value;
  return document;
}

Document Document::Double(double value) {
  Document document{.kind = Kind::kDouble};
  document.number = value;
  return document;
}

Document Document::String(std::string value) {
  Document document{.kind = Kind::kString};
  document.text = std::move(value);
  return document;
}

Document Document::Bytes(std::string value) {
  Document document{.kind = Kind::kBytes};
  document.text = std::move(value);
  return document;
}

Document Document::Array(std::vector<Document> items) {
  Document document{.kind = Kind::kArray};
  document.items = std::move(items);
  return document;
}

Document Document::Object() {
  return {.kind = Kind::kObject};
}

void Document::Add(std::string name, Document value) {
  ASSERT(kind == Kind::kObject);
  names.push_back(std::move(name));
  items.push_back(std::move(value));
}

const Document* Document::Find(std::string_view name) const {
  auto const found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<size_t>(found - names.begin())];
}

std::string_view DescribeKind(Document::Kind kind) {
  switch (kind) {
    case Document::Kind::kNull:
      return "null";
    case Document::Kind::kBool:
      return "a bool";
    case Document::Kind::kSigned:
    case Document::Kind::kUnsigned:
      return "an integer";
    case Document::Kind::kFloat:
    case Document::Kind::kDouble:
      return "a number";
    case Document::Kind::kString:
      return "a string";
    case Document::Kind::kBytes:
      return "bytes";
    case Document::Kind::kArray:
      return "an array";
    case Document::Kind::kObject:
      return "an object";
  }
  ASSERT(false);
  return "";
}

std::string DocumentBuilder::Path() const {
  std::string path = "$";
  for (const Document* const document : open_) {
    if (document->kind == Document::Kind::kArray) {
      path += StrCat("[", document->items.empty() ? 0 : document->items.size() - 1, "]");
    } else if (!document->names.empty()) {
      path += "." + document->names.back();
    }
  }
  return path;
}

bool DocumentBuilder::Fail(std::string_view what) {
  if (status_.ok()) {
    status_ = Status::InvalidArgument(StrCat(Path(), ": ", what));
  }
  return false;
}

Document* DocumentBuilder::Place() {
  if (++node_count_ > bounds_.node_count_max) {
    Fail(StrCat("has more than ", bounds_.node_count_max, " values"));
    return nullptr;
  }
  if (open_.empty()) {
    ASSERT(!has_root_);
    has_root_ = true;
    return &root_;
  }
  open_.back()->items.emplace_back();
  return &open_.back()->items.back();
}

bool DocumentBuilder::Scalar(Document value) {
  Document* const place = Place();
  if (place == nullptr) {
    return false;
  }
  *place = std::move(value);
  return true;
}

bool DocumentBuilder::Open(Document::Kind kind) {
  Document* const place = Place();
  if (place == nullptr) {
    return false;
  }
  place->kind = kind;
  open_.push_back(place);
  if (open_.size() > bounds_.depth_max) {
    return Fail(StrCat("is nested deeper than ", bounds_.depth_max));
  }
  return true;
}

bool DocumentBuilder::Name(std::string name) {
  ASSERT(!open_.empty() && open_.back()->kind == Document::Kind::kObject);
  Document& object = *open_.back();
  if (object.names.size() >= bounds_.member_count_max) {
    return Fail(StrCat("has more than ", bounds_.member_count_max, " members"));
  }
  bool const twice = object.Find(name) != nullptr;
  object.names.push_back(std::move(name));
  return twice ? Fail("this name is there twice") : true;
}

bool DocumentBuilder::Close() {
  ASSERT(!open_.empty());
  open_.pop_back();
  return true;
}

Document DocumentBuilder::Take() {
  ASSERT(status_.ok() && has_root_ && open_.empty());
  return std::move(root_);
}

}  // namespace orochi::kv
