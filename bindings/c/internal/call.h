#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/str_cat.h"
#include "bindings/c/include/orochi_sstable.h"
#include "sstable/types/bytes.h"

namespace orochi::cabi {

/// Puts an error made of `status` into `*error`, unless that is NULL. Answers its code.
int32_t Fail(const Status& status, orochi_sst_error** error) noexcept;
int32_t FailForMemory(orochi_sst_error** error) noexcept;

/// The body of a function that can fail: `body` answers Status, or Result<int32_t> with what is
/// returned on success. Nothing is thrown past it.
template <class Body>
int32_t Call(orochi_sst_error** error, Body body) noexcept {
  if (error != nullptr) {
    *error = nullptr;
  }
  try {
    auto result = body();
    if constexpr (std::is_same_v<decltype(result), Status>) {
      return result.ok() ? OROCHI_SST_OK : Fail(result, error);
    } else {
      return result.ok() ? *result : Fail(result.status(), error);
    }
  } catch (const std::bad_alloc&) {
    return FailForMemory(error);
  } catch (const std::length_error&) {
    return FailForMemory(error);
  } catch (const std::exception& exception) {
    return Fail(Status::Internal(exception.what()), error);
  } catch (...) {
    return Fail(Status::Internal("unknown exception"), error);
  }
}

inline Status NullArgument(std::string_view name) {
  return Status::InvalidArgument(StrCat(name, " is NULL"));
}

/// Fails where one of the arguments is NULL: REQUIRE_ARGUMENT(cursor).
#define REQUIRE_ARGUMENT(argument)                    \
  do {                                                \
    if ((argument) == nullptr) {                      \
      return ::orochi::cabi::NullArgument(#argument); \
    }                                                 \
  } while (false)

/// The text passed in as pointer and size.
inline Result<std::string_view> TextOf(const char* data, size_t size, std::string_view name) {
  if (data == nullptr && size != 0) {
    return NullArgument(name);
  }
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}
inline Result<std::string_view> TextOf(const orochi_sst_text& text, std::string_view name) {
  return TextOf(text.data, text.size, name);
}
inline Result<sstable::Bytes> BytesOf(const void* data, size_t size, std::string_view name) {
  ASSIGN_OR_RETURN(std::string_view const text, TextOf(static_cast<const char*>(data), size, name));
  return sstable::AsBytes(text);
}

/// What is handed out as pointer and size: never a NULL pointer, `size` may be NULL.
inline const char* GiveText(std::string_view text, size_t* size) {
  if (size != nullptr) {
    *size = text.size();
  }
  return text.data() == nullptr ? "" : text.data();
}

inline orochi_sst_value GiveValue(const std::optional<sstable::Bytes>& value) {
  if (!value.has_value()) {
    return {nullptr, 0, 0, 0};
  }
  return {value->data() == nullptr ? static_cast<const void*>("") : value->data(), value->size(), 1,
          0};
}

/// The size of a struct's first version. What is shorter is no such struct.
template <class Struct>
constexpr uint32_t kFirstSize = sizeof(Struct);
template <>
inline constexpr uint32_t kFirstSize<orochi_sst_writer_options> =
    offsetof(orochi_sst_writer_options, partitioner);

/// Options as this library knows them from those that a caller compiled with another version of the
/// header passed: what they lack is 0, what they have more must be 0.
template <class Struct>
Result<Struct> ReadOptions(const Struct* given, std::string_view name) {
  Struct options = {};
  options.struct_size = sizeof(Struct);
  if (given == nullptr) {
    return options;
  }
  uint32_t const size_bytes = given->struct_size;
  if (size_bytes < kFirstSize<Struct>) {
    return Status::InvalidArgument(
        StrCat(name, ".struct_size is ", size_bytes, ", expected at least ", kFirstSize<Struct>));
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  for (uint32_t at = sizeof(Struct); at < size_bytes; ++at) {
    if (bytes[at] != 0) {
      return Status::Unsupported(
          StrCat(name, " sets byte ", at, ", which this version of the library does not know"));
    }
  }
  std::memcpy(&options, given, std::min<size_t>(sizeof(Struct), size_bytes));
  return options;
}

/// Fills a struct that the caller made, as far as it goes.
template <class Struct>
Status WriteStruct(const Struct& value, Struct* out, std::string_view name) {
  uint32_t const size_bytes = out->struct_size;
  if (size_bytes < kFirstSize<Struct>) {
    return Status::InvalidArgument(
        StrCat(name, ".struct_size is ", size_bytes, ", expected at least ", kFirstSize<Struct>));
  }
  std::memcpy(out, &value, std::min<size_t>(sizeof(Struct), size_bytes));
  out->struct_size = size_bytes;
  return Status::Ok();
}

inline Status UnknownFlags(uint32_t flags, uint32_t known, std::string_view name) {
  return (flags & ~known) == 0
             ? Status::Ok()
             : Status::Unsupported(StrCat(name, ".flags has unknown bits: ", flags & ~known));
}

}  // namespace orochi::cabi
