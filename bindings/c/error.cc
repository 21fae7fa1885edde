// Errors and the version.
#include <array>
#include <charconv>

#include "bindings/c/internal/call.h"
#include "sstable/format/descriptor.h"

struct orochi_sst_error {
  int32_t code = OROCHI_SST_INTERNAL;
  std::string text;
  std::string hint;
  std::string file;
  int64_t offset = -1;
  int32_t line = 0;
  int32_t column = -1;
};

namespace orochi::cabi {

namespace {

struct CodeName {
  int32_t code;
  const char* name;
};

constexpr CodeName kCodeNames[] = {{OROCHI_SST_OK, "ok"},
                                   {OROCHI_SST_INVALID_ARGUMENT, "invalid argument"},
                                   {OROCHI_SST_NOT_FOUND, "not found"},
                                   {OROCHI_SST_ALREADY_EXISTS, "already exists"},
                                   {OROCHI_SST_FAILED_PRECONDITION, "failed precondition"},
                                   {OROCHI_SST_OUT_OF_RANGE, "out of range"},
                                   {OROCHI_SST_RESOURCE_EXHAUSTED, "resource exhausted"},
                                   {OROCHI_SST_CORRUPTION, "corruption"},
                                   {OROCHI_SST_IO_ERROR, "io error"},
                                   {OROCHI_SST_UNSUPPORTED, "unsupported"},
                                   {OROCHI_SST_PERMISSION_DENIED, "permission denied"},
                                   {OROCHI_SST_INTERNAL, "internal error"},
                                   {OROCHI_SST_OUT_OF_MEMORY, "out of memory"}};

int32_t CodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return OROCHI_SST_OK;
    case StatusCode::kInvalidArgument:
      return OROCHI_SST_INVALID_ARGUMENT;
    case StatusCode::kNotFound:
      return OROCHI_SST_NOT_FOUND;
    case StatusCode::kAlreadyExists:
      return OROCHI_SST_ALREADY_EXISTS;
    case StatusCode::kFailedPrecondition:
      return OROCHI_SST_FAILED_PRECONDITION;
    case StatusCode::kOutOfRange:
      return OROCHI_SST_OUT_OF_RANGE;
    case StatusCode::kResourceExhausted:
      return OROCHI_SST_RESOURCE_EXHAUSTED;
    case StatusCode::kCorruption:
      return OROCHI_SST_CORRUPTION;
    case StatusCode::kIoError:
      return OROCHI_SST_IO_ERROR;
    case StatusCode::kUnsupported:
      return OROCHI_SST_UNSUPPORTED;
    case StatusCode::kPermissionDenied:
      return OROCHI_SST_PERMISSION_DENIED;
    default:  // those of servers and transactions, which files do not have
      return OROCHI_SST_INTERNAL;
  }
}

template <class Integer>
bool TakeNumber(std::string_view& text, Integer& number) {
  auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc()) {
    return false;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

// Every message about an SSTable's file has its path, then ": ", and before what is wrong with its
// bytes "at offset N" (see Status of sstable/read and sstable/format).
void FindPlace(orochi_sst_error& error) {
  std::string_view const text = error.text;
  for (size_t begin = 0; begin < text.size();) {
    size_t const colon = text.find(": ", begin);
    std::string_view const piece = text.substr(begin, colon - begin);
    size_t const slash = piece.rfind('/');
    Result<sstable::Descriptor> const found = sstable::Descriptor::Parse(
        slash == std::string_view::npos ? piece : piece.substr(slash + 1));
    if (found.ok() || found.status().code() == StatusCode::kUnsupported) {
      error.file = piece;
      break;
    }
    if (colon == std::string_view::npos) {
      break;
    }
    begin = colon + 2;
  }
  constexpr std::string_view kOffset = "at offset ";
  size_t const at = text.find(kOffset);
  if (!error.file.empty() && at != std::string_view::npos) {
    std::string_view rest = text.substr(at + kOffset.size());
    if (!TakeNumber(rest, error.offset)) {
      error.offset = -1;
    }
  }
}

// Messages about CQL begin with "line L:C", after the name of a file or what was read.
void FindPosition(orochi_sst_error& error) {
  constexpr std::string_view kLine = "line ";
  std::string_view rest = error.text;
  if (!rest.starts_with(kLine)) {
    size_t const at = rest.find(": line ");
    if (at == std::string_view::npos) {
      return;
    }
    rest.remove_prefix(at + 2);
  }
  rest.remove_prefix(kLine.size());
  int32_t line = 0;
  int32_t column = 0;
  if (!TakeNumber(rest, line) || !rest.starts_with(':')) {
    return;
  }
  rest.remove_prefix(1);
  if (TakeNumber(rest, column)) {
    error.line = line;
    error.column = column;
  }
}

/// Given out where there is no memory for another; never freed, never changed.
orochi_sst_error& OutOfMemory() {
  static orochi_sst_error error = {.code = OROCHI_SST_OUT_OF_MEMORY,
                                   .text = "out of memory",
                                   .hint = {},
                                   .file = {},
                                   .offset = -1,
                                   .line = 0,
                                   .column = -1};
  return error;
}

// Made while the library is loaded, when there is memory.
[[maybe_unused]] const orochi_sst_error& made_early = OutOfMemory();

}  // namespace

int32_t FailForMemory(orochi_sst_error** error) noexcept {
  if (error != nullptr) {
    *error = &OutOfMemory();
  }
  return OROCHI_SST_OUT_OF_MEMORY;
}

int32_t Fail(const Status& status, orochi_sst_error** error) noexcept {
  int32_t const code = CodeOf(status.code());
  if (error == nullptr) {
    return code;
  }
  try {
    auto made = std::make_unique<orochi_sst_error>();
    made->code = code;
    made->text = status.message();
    if (!status.detail().empty()) {
      made->text += StrCat(" (", status.detail(), ")");
    }
    made->hint = status.hint();
    FindPlace(*made);
    FindPosition(*made);
    *error = made.release();
    return code;
  } catch (...) {
    return FailForMemory(error);
  }
}

}  // namespace orochi::cabi

using orochi::cabi::GiveText;

uint32_t orochi_sst_abi_version(void) {
  return OROCHI_SST_ABI_VERSION;
}

const char* orochi_sst_version(void) {
  return OROCHI_VERSION;
}

const char* orochi_sst_code_name(int32_t code) {
  for (const auto& known : orochi::cabi::kCodeNames) {
    if (known.code == code) {
      return known.name;
    }
  }
  return "unknown code";
}

int32_t orochi_sst_error_code(const orochi_sst_error* error) {
  return error == nullptr ? OROCHI_SST_OK : error->code;
}

const char* orochi_sst_error_text(const orochi_sst_error* error, size_t* size) {
  return GiveText(error == nullptr ? std::string_view() : error->text, size);
}

const char* orochi_sst_error_hint(const orochi_sst_error* error, size_t* size) {
  return GiveText(error == nullptr ? std::string_view() : error->hint, size);
}

const char* orochi_sst_error_file(const orochi_sst_error* error, size_t* size) {
  return GiveText(error == nullptr ? std::string_view() : error->file, size);
}

int64_t orochi_sst_error_offset(const orochi_sst_error* error) {
  return error == nullptr ? -1 : error->offset;
}

int32_t orochi_sst_error_line(const orochi_sst_error* error) {
  return error == nullptr ? 0 : error->line;
}

int32_t orochi_sst_error_column(const orochi_sst_error* error) {
  return error == nullptr ? -1 : error->column;
}

void orochi_sst_error_free(orochi_sst_error* error) {
  if (error != &orochi::cabi::OutOfMemory()) {
    delete error;
  }
}
