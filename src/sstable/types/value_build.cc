#include "sstable/types/value_build.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/types/bytes.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/compare.h"

namespace orochi::sstable {

namespace {

void AppendSized(std::string& out, std::string_view bytes) {
  AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
  out += bytes;
}

}  // namespace

std::string BuildList(const std::vector<std::string>& elements) {
  std::string out;
  AppendBigEndian(out, static_cast<int32_t>(elements.size()));
  for (const std::string& element : elements) {
    AppendSized(out, element);
  }
  return out;
}

std::string BuildSet(const Type& set, std::vector<std::string> elements) {
  auto const compare = [&](const std::string& a, const std::string& b) {
    return CompareValues(set.element(), AsBytes(a), AsBytes(b));
  };
  std::stable_sort(elements.begin(), elements.end(),
                   [&](const auto& a, const auto& b) { return compare(a, b) < 0; });
  elements.erase(std::unique(elements.begin(), elements.end(),
                             [&](const auto& a, const auto& b) { return compare(a, b) == 0; }),
                 elements.end());
  return BuildList(elements);
}

std::string BuildMap(const Type& map, std::vector<std::pair<std::string, std::string>> entries) {
  auto const compare = [&](const auto& a, const auto& b) {
    return CompareValues(map.element(), AsBytes(a.first), AsBytes(b.first));
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& a, const auto& b) { return compare(a, b) < 0; });
  std::string out;
  int32_t count = 0;
  for (size_t index = 0; index < entries.size(); ++index) {
    if (index + 1 < entries.size() && compare(entries[index], entries[index + 1]) == 0) {
      continue;  // a later one of the same key follows
    }
    AppendSized(out, entries[index].first);
    AppendSized(out, entries[index].second);
    ++count;
  }
  std::string header;
  AppendBigEndian(header, count);
  return header + out;
}

std::string BuildTuple(const std::vector<std::optional<std::string>>& fields) {
  std::string out;
  for (const std::optional<std::string>& field : fields) {
    if (field.has_value()) {
      AppendSized(out, *field);
    } else {
      AppendBigEndian(out, int32_t{-1});
    }
  }
  return out;
}

Result<std::string> BuildVector(const Type& vector, const std::vector<std::string>& elements) {
  if (elements.size() != vector.dimension) {
    return Status::InvalidArgument(StrCat("a value of type ", CqlName(vector), " with ",
                                          elements.size(), " elements, expected ",
                                          vector.dimension));
  }
  std::optional<uint32_t> const fixed = FixedLengthBytes(vector.element());
  std::string out;
  for (const std::string& element : elements) {
    if (fixed.has_value() && element.size() != *fixed) {
      return Status::InvalidArgument(StrCat("an element of ", element.size(), " bytes in a ",
                                            CqlName(vector), ", expected ", *fixed));
    }
    if (!fixed.has_value()) {
      std::vector<std::byte> size;
      AppendVint(size, element.size());
      AppendBytes(out, size);
    }
    out += element;
  }
  return out;
}

}  // namespace orochi::sstable
