#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/wire/document.h"

namespace orochi::kv {

/// A value within a document that knows its path, for readers whose errors name the field. All
/// errors are kInvalidArgument: "$.fields[2].type: found an integer, expected a string".
/// Borrows: the document, and the place it was reached from.
class Place {
 public:
  explicit Place(const Document& root) : document_(&root) {}

  const Document& document() const { return *document_; }
  Document::Kind kind() const { return document_->kind; }
  bool is_null() const { return kind() == Document::Kind::kNull; }
  std::string Path() const;
  Status Fail(std::string_view what) const;
  Status FailKind(std::string_view expected) const;

  Result<bool> Bool() const;
  /// An integer of 0 to max.
  Result<uint64_t> Unsigned(uint64_t max) const;
  Result<int64_t> Signed(int64_t min, int64_t max) const;
  /// A string, or bytes, as the chogori dialect sends strings.
  Result<std::string> Text() const;

  /// An array, of exactly `count` items where that is given.
  Status CheckArray() const;
  Status CheckArray(size_t count) const;
  size_t item_count() const { return document_->items.size(); }
  /// REQUIRES: an array or object; index < item_count().
  Place Item(size_t index) const { return Place(document_->items[index], this, index); }

  /// An object with no other members than these.
  Status CheckObject(std::initializer_list<std::string_view> names) const;
  /// REQUIRES: an object.
  bool Has(std::string_view name) const { return document_->Find(name) != nullptr; }
  Result<Place> Member(std::string_view name) const;

 private:
  Place(const Document& document, const Place* parent, size_t index)
      : document_(&document), parent_(parent), index_(index) {}

  const Document* document_;
  const Place* parent_ = nullptr;
  size_t index_ = 0;
};

}  // namespace orochi::kv
