#include "sstable/types/elements.h"

#include "sstable/types/cassandra_vint.h"

namespace orochi::sstable {

ElementReader::ElementReader(const Type& type, Bytes value) : type_(&type), rest_(value) {
  switch (type.kind) {
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap: {
      if (rest_.size() < sizeof(int32_t)) {
        malformed_ = true;
        return;
      }
      auto const count = LoadBigEndian<int32_t>(rest_);
      rest_ = rest_.subspan(sizeof(int32_t));
      malformed_ = count < 0;
      count_ = malformed_ ? 0 : static_cast<uint32_t>(count);
      parts_left_ = uint64_t{count_} * (type.kind == TypeKind::kMap ? 2 : 1);
      return;
    }
    case TypeKind::kVector:
      count_ = type.dimension;
      parts_left_ = count_;
      return;
    default:
      count_ = static_cast<uint32_t>(type.parameters.size());
      parts_left_ = count_;
  }
}

std::optional<ElementReader::Element> ElementReader::Malformed() {
  malformed_ = true;
  parts_left_ = 0;
  return std::nullopt;
}

std::optional<ElementReader::Element> ElementReader::TakeSized(const Type& type,
                                                               int32_t size_bytes) {
  if (size_bytes < 0) {
    return Element{.type = &type, .bytes = {}, .is_null = true};
  }
  if (rest_.size() < static_cast<size_t>(size_bytes)) {
    return Malformed();
  }
  Bytes const bytes = rest_.first(static_cast<size_t>(size_bytes));
  rest_ = rest_.subspan(bytes.size());
  return Element{.type = &type, .bytes = bytes};
}

std::optional<ElementReader::Element> ElementReader::Next() {
  if (parts_left_ == 0) {
    malformed_ = malformed_ || !rest_.empty();
    return std::nullopt;
  }
  --parts_left_;
  size_t const index = index_++;
  if (type_->kind == TypeKind::kVector) {
    return NextOfVector();
  }
  bool const fields = type_->kind == TypeKind::kTuple || type_->kind == TypeKind::kUdt;
  if ((fields || type_->kind == TypeKind::kComposite) && rest_.empty()) {
    parts_left_ = 0;
    return std::nullopt;
  }
  if (type_->kind == TypeKind::kComposite) {
    return NextOfComposite();
  }
  if (rest_.size() < sizeof(int32_t)) {
    return Malformed();
  }
  auto const size_bytes = LoadBigEndian<int32_t>(rest_);
  rest_ = rest_.subspan(sizeof(int32_t));
  size_t const parameter = fields ? index : type_->kind == TypeKind::kMap ? index % 2 : 0;
  return TakeSized(*type_->parameters[parameter], size_bytes);
}

std::optional<ElementReader::Element> ElementReader::NextOfVector() {
  const Type& element = type_->element();
  if (std::optional<uint32_t> const fixed = FixedLengthBytes(element); fixed.has_value()) {
    return TakeSized(element, static_cast<int32_t>(*fixed));
  }
  uint64_t size_bytes = 0;
  const std::byte* const begin = rest_.data();
  const std::byte* const end = ReadVint(begin, begin + rest_.size(), size_bytes);
  if (end == nullptr || size_bytes > INT32_MAX) {
    return Malformed();
  }
  rest_ = rest_.subspan(static_cast<size_t>(end - begin));
  return TakeSized(element, static_cast<int32_t>(size_bytes));
}

std::optional<ElementReader::Element> ElementReader::NextOfComposite() {
  const Type& part = *type_->parameters[index_ - 1];
  if (rest_.size() < sizeof(uint16_t)) {
    return Malformed();
  }
  auto const size_bytes = LoadBigEndian<uint16_t>(rest_);
  rest_ = rest_.subspan(sizeof(uint16_t));
  std::optional<Element> const element = TakeSized(part, size_bytes);
  if (!element.has_value() || rest_.empty()) {
    return Malformed();
  }
  rest_ = rest_.subspan(1);
  return element;
}

}  // namespace orochi::sstable
