#pragma once

#include "pg/compat.h"

#include "base/assert.h"
#include "base/result.h"
#include "base/status.h"

/// The border between PostgreSQL, where errors are longjmp, and C++, where they are Status and
/// exceptions. Neither may cross the other:
///
///   in   PostgreSQL calls us: the entry point is one Boundary. All C++ objects are gone before an
///        error leaves it.
///   out  We call PostgreSQL: whatever may ereport, palloc or check for interrupts runs in TryPg,
///        whose body holds plain data only. An error comes out as the exception CaughtError, which
///        library frames let fly up to Boundary.
///
/// Catching is not recovering: locks, pins and snapshots stay until the (sub)transaction aborts.
/// To carry on after an error use TryPgSubtransaction.
///
/// Threads: none but the backend's own.
namespace orochi::pg {

/// An error of PostgreSQL on its way through C++ frames. `data` lives in the memory context that
/// was current when TryPg was entered. Not derived from std::exception: nobody may swallow it.
struct CaughtError {
  ErrorData* data;
};

/// A broken invariant in a backend: an internal error for the statement.
class BrokenInvariant final : public std::exception {
 public:
  explicit BrokenInvariant(const AssertFailure& failure) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[256];
};

/// What Boundary raises once all C++ objects are gone. Trivially destructible on purpose.
struct Report {
  ErrorData* caught = nullptr;
  int sqlstate = 0;
  char message[1024];  // strings; only their first byte is set until there is an error
  char detail[1024];
  char hint[512];

  Report() noexcept { message[0] = detail[0] = hint[0] = '\0'; }

  void Set(int new_sqlstate, const char* new_message) noexcept;
  void Set(const Status& status) noexcept;
  [[noreturn]] void Raise() const;
};
static_assert(std::is_trivially_destructible_v<Report>);

/// The SQLSTATE a Status reaches the user with.
int SqlStateOf(StatusCode code) noexcept;

/// Makes ASSERT raise an internal error in this process, PANIC inside a critical section.
/// Called once from _PG_init.
void InstallAssertHandler();

namespace internal {

/// How many TryPg bodies are on the stack above the innermost Boundary. An ASSERT in such a body
/// leaves by longjmp, elsewhere by exception.
extern int try_depth;

/// What a longjmp does not restore by itself.
class SavedState {
 public:
  SavedState() noexcept
      : context_(CurrentMemoryContext),
        stack_(PG_exception_stack),
        callbacks_(error_context_stack),
        interrupt_holdoff_(InterruptHoldoffCount),
        cancel_holdoff_(QueryCancelHoldoffCount),
        depth_(try_depth) {}

  void RestoreStacks() const noexcept {
    PG_exception_stack = stack_;
    error_context_stack = callbacks_;
    try_depth = depth_;
  }

  /// After a longjmp: restores everything and takes the error out of PostgreSQL's error stack.
  [[noreturn]] void ThrowCaught() const;

 private:
  MemoryContext context_;
  sigjmp_buf* stack_;
  ErrorContextCallback* callbacks_;
  uint32 interrupt_holdoff_;
  uint32 cancel_holdoff_;
  int depth_;
};

template <class T>
struct ValueOf;
template <class T>
struct ValueOf<Result<T>> {
  using Type = T;
};
template <>
struct ValueOf<Status> {
  using Type = void;
};

/// Runs the body and turns every way it can fail into `report`. No longjmp may leave this frame.
template <class Fn>
auto RunInside(Fn& body, Report& report) noexcept {
  using Outcome = std::invoke_result_t<Fn&>;
  using Value = typename ValueOf<Outcome>::Type;
  int const depth = std::exchange(try_depth, 0);
  struct Restore {
    int depth;
    ~Restore() { try_depth = depth; }
  } const restore{depth};
  auto const run = [&] {
    if constexpr (std::is_void_v<Value>) {
      if (Status status = body(); !status.ok()) {
        report.Set(status);
      }
    } else {
      static_assert(std::is_trivially_copyable_v<Value>, "entry points return plain values");
      Result<Value> result = body();
      if (result.ok()) {
        return *result;
      }
      report.Set(result.status());
      return Value{};
    }
  };
  try {
    return run();
  } catch (const CaughtError& error) {
    report.caught = error.data;
  } catch (const BrokenInvariant& broken) {
    report.Set(ERRCODE_INTERNAL_ERROR, broken.what());
  } catch (const std::bad_alloc&) {
    report.Set(ERRCODE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    report.Set(ERRCODE_INTERNAL_ERROR, error.what());
  } catch (...) {
    report.Set(ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
  }
  return Value();
}

}  // namespace internal

/// Every C entry point (function, hook, callback, worker main) is one call of this:
///
///   Datum show_chunks(PG_FUNCTION_ARGS) {
///     return Boundary([&]() -> Result<Datum> { ... });
///   }
///
/// `body` returns Result<T> with a plain T, or Status for a void entry point. Its captures must be
/// plain data or references: they live in a frame that the error jumps over.
template <class Fn>
auto Boundary(Fn body) {
  static_assert(std::is_trivially_destructible_v<Fn>, "capture plain data or references");
  Report report;
  using Value = typename internal::ValueOf<std::invoke_result_t<Fn&>>::Type;
  if constexpr (std::is_void_v<Value>) {
    internal::RunInside(body, report);
    if (report.caught != nullptr || report.sqlstate != 0) {
      report.Raise();
    }
  } else {
    Value const value = internal::RunInside(body, report);
    if (report.caught != nullptr || report.sqlstate != 0) {
      report.Raise();
    }
    return value;
  }
}

/// Calls PostgreSQL. The body, and all it calls, holds no object with a destructor and does not
/// throw; it returns a plain value or nothing. Wrap a batch, not a tuple.
template <class Fn>
auto TryPg(Fn fn) {
  using Value = std::invoke_result_t<Fn>;
  static_assert(std::is_nothrow_invocable_v<Fn>, "mark the lambda noexcept");
  static_assert(std::is_void_v<Value> || std::is_trivially_copyable_v<Value>);
  internal::SavedState const saved;
  sigjmp_buf here;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    ++internal::try_depth;
    if constexpr (std::is_void_v<Value>) {
      fn();
      saved.RestoreStacks();
      return;
    } else {
      Value value = fn();
      saved.RestoreStacks();
      return value;
    }
  }
  saved.ThrowCaught();
}

/// Runs `fn` (C++ code; it may use TryPg and return a Status) in a subtransaction. When it fails in
/// any way the subtransaction is rolled back and the error comes back as a Status; the caller may
/// carry on. Memory context and resource owner are as before in both cases.
/// kCancelled and kInternal come from PostgreSQL's errors as from any other.
Status TryPgSubtransaction(const std::function<Status()>& fn);

/// The Status that carries an error of PostgreSQL: code by SQLSTATE class, message, detail, hint.
Status StatusFromError(const CaughtError& error);

/// Cancels the statement when the user asked for it. Cheap; call it in every long loop.
inline void CheckInterrupts() {
  if (INTERRUPTS_PENDING_CONDITION()) [[unlikely]] {
    TryPg([]() noexcept { ProcessInterrupts(); });
  }
}

/// Makes a memory context current for a C++ scope.
class ContextScope {
 public:
  explicit ContextScope(MemoryContext context) noexcept
      : previous_(MemoryContextSwitchTo(context)) {}
  ~ContextScope() { MemoryContextSwitchTo(previous_); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  MemoryContext previous_;
};

/// Constructs a C++ object that lives exactly as long as `context`: the context's reset or
/// deletion, an abort included, destroys it. The destructor must not call PostgreSQL functions
/// that can fail. Throws what the constructor throws; then nothing is left behind.
template <class T, class... Args>
T* NewIn(MemoryContext context, Args&&... args) {
  struct Holder {
    MemoryContextCallback callback;
    T* object;
  };
  auto* holder = TryPg([&]() noexcept {
    return static_cast<Holder*>(MemoryContextAllocZero(context, sizeof(Holder)));
  });
  holder->object = new T(std::forward<Args>(args)...);
  holder->callback.func = [](void* arg) { delete static_cast<Holder*>(arg)->object; };
  holder->callback.arg = holder;
  MemoryContextRegisterResetCallback(context, &holder->callback);  // cannot fail
  return holder->object;
}

}  // namespace orochi::pg
