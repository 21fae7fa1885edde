#include "pg/bridge.h"

#include "base/str_cat.h"

namespace orochi::pg {
namespace {

void CopyText(char* out, size_t out_size_bytes, std::string_view text) noexcept {
  size_t size = std::min(text.size(), out_size_bytes - 1);
  // Never cut a UTF-8 sequence in half: step back over continuation bytes.
  while (size < text.size() && size > 0 &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

void OnBrokenInvariant(const AssertFailure& failure) {
  if (CritSectionCount > 0) {
    ereport(PANIC, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("broken invariant \"%s\" at %s:%d", failure.condition, failure.file,
                           failure.line)));
  }
  if (internal::try_depth > 0) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("broken invariant \"%s\" at %s:%d", failure.condition, failure.file,
                           failure.line)));
  }
  throw BrokenInvariant(failure);
}

StatusCode CodeOf(int sqlstate) noexcept {
  switch (sqlstate) {
    case ERRCODE_QUERY_CANCELED:
      return StatusCode::kCancelled;
    case ERRCODE_LOCK_NOT_AVAILABLE:
      return StatusCode::kTimeout;
    case ERRCODE_INSUFFICIENT_PRIVILEGE:
      return StatusCode::kPermissionDenied;
    case ERRCODE_DATA_CORRUPTED:
      return StatusCode::kCorruption;
    case ERRCODE_FEATURE_NOT_SUPPORTED:
      return StatusCode::kUnsupported;
    case ERRCODE_UNDEFINED_OBJECT:
    case ERRCODE_UNDEFINED_TABLE:
    case ERRCODE_UNDEFINED_COLUMN:
      return StatusCode::kNotFound;
    case ERRCODE_DUPLICATE_OBJECT:
    case ERRCODE_DUPLICATE_TABLE:
      return StatusCode::kAlreadyExists;
    default:
      break;
  }
  switch (ERRCODE_TO_CATEGORY(sqlstate)) {
    case MAKE_SQLSTATE('4', '0', '0', '0', '0'):
      return StatusCode::kAborted;
    case MAKE_SQLSTATE('2', '2', '0', '0', '0'):
      return StatusCode::kInvalidArgument;
    case MAKE_SQLSTATE('5', '3', '0', '0', '0'):
      return StatusCode::kResourceExhausted;
    case MAKE_SQLSTATE('5', '5', '0', '0', '0'):
      return StatusCode::kFailedPrecondition;
    case MAKE_SQLSTATE('5', '8', '0', '0', '0'):
      return StatusCode::kIoError;
    default:
      return StatusCode::kInternal;
  }
}

}  // namespace

namespace internal {

int try_depth = 0;

void SavedState::ThrowCaught() const {
  RestoreStacks();
  InterruptHoldoffCount = interrupt_holdoff_;
  QueryCancelHoldoffCount = cancel_holdoff_;
  MemoryContextSwitchTo(context_);  // FlushErrorState empties ErrorContext: copy elsewhere first
  ErrorData* volatile copy = nullptr;  // volatile: read after a longjmp
  sigjmp_buf here;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    copy = CopyErrorData();
  }
  RestoreStacks();
  MemoryContextSwitchTo(context_);
  FlushErrorState();
  if (copy == nullptr) {
    throw std::bad_alloc();  // Copying the error failed, and only memory can be why.
  }
  throw CaughtError{copy};
}

}  // namespace internal

BrokenInvariant::BrokenInvariant(const AssertFailure& failure) noexcept {
  snprintf(text_, sizeof(text_), "broken invariant \"%s\" at %s:%d", failure.condition,
           failure.file, failure.line);
}

void Report::Set(int new_sqlstate, const char* new_message) noexcept {
  sqlstate = new_sqlstate;
  CopyText(message, sizeof(message), new_message);
}

void Report::Set(const Status& status) noexcept {
  sqlstate = SqlStateOf(status.code());
  CopyText(message, sizeof(message), status.message());
  CopyText(detail, sizeof(detail), status.detail());
  CopyText(hint, sizeof(hint), status.hint());
}

void Report::Raise() const {
  if (caught != nullptr) {
    ReThrowError(caught);  // keeps SQLSTATE, detail, hint, context and location
  }
  ereport(ERROR, (errcode(sqlstate), errmsg("%s", message),
                  detail[0] == '\0' ? 0 : errdetail("%s", detail),
                  hint[0] == '\0' ? 0 : errhint("%s", hint)));
  pg_unreachable();
}

int SqlStateOf(StatusCode code) noexcept {
  switch (code) {
    case StatusCode::kOk:
      return ERRCODE_SUCCESSFUL_COMPLETION;
    case StatusCode::kInvalidArgument:
      return ERRCODE_INVALID_PARAMETER_VALUE;
    case StatusCode::kNotFound:
      return ERRCODE_UNDEFINED_OBJECT;
    case StatusCode::kAlreadyExists:
      return ERRCODE_DUPLICATE_OBJECT;
    case StatusCode::kFailedPrecondition:
      return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    case StatusCode::kOutOfRange:
      return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
    case StatusCode::kResourceExhausted:
      return ERRCODE_INSUFFICIENT_RESOURCES;
    case StatusCode::kCorruption:
      return ERRCODE_DATA_CORRUPTED;
    case StatusCode::kIoError:
      return ERRCODE_IO_ERROR;
    case StatusCode::kUnsupported:
      return ERRCODE_FEATURE_NOT_SUPPORTED;
    case StatusCode::kUnavailable:
      return ERRCODE_CONNECTION_FAILURE;
    case StatusCode::kAborted:
      return ERRCODE_T_R_SERIALIZATION_FAILURE;
    case StatusCode::kCancelled:
      return ERRCODE_QUERY_CANCELED;
    case StatusCode::kTimeout:
      return ERRCODE_LOCK_NOT_AVAILABLE;
    case StatusCode::kPermissionDenied:
      return ERRCODE_INSUFFICIENT_PRIVILEGE;
    case StatusCode::kOutcomeUnknown:
      return ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
    case StatusCode::kInternal:
      return ERRCODE_INTERNAL_ERROR;
  }
  return ERRCODE_INTERNAL_ERROR;
}

void InstallAssertHandler() {
  SetAssertHandler(&OnBrokenInvariant);
}

Status StatusFromError(const CaughtError& error) {
  const ErrorData& data = *error.data;
  Status status(CodeOf(data.sqlerrcode), data.message == nullptr ? "" : data.message);
  if (data.detail != nullptr) {
    status = std::move(status).WithDetail(data.detail);
  }
  if (data.hint != nullptr) {
    status = std::move(status).WithHint(data.hint);
  }
  return status;
}

Status TryPgSubtransaction(const std::function<Status()>& fn) {
  MemoryContext const context = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  TryPg([&]() noexcept {
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
  });
  Status status;
  try {
    status = fn();
    if (status.ok()) {
      TryPg([&]() noexcept { ReleaseCurrentSubTransaction(); });
    }
  } catch (const CaughtError& error) {
    status = StatusFromError(error);
  }
  if (!status.ok()) {
    TryPg([&]() noexcept { RollbackAndReleaseCurrentSubTransaction(); });
  }
  MemoryContextSwitchTo(context);
  CurrentResourceOwner = owner;
  return status;
}

}  // namespace orochi::pg
