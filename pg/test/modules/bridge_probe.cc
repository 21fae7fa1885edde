// SQL functions that provoke every kind of error through the bridge while C++ objects are alive,
// and count the objects that survive.

#include "pg/bridge.h"

#include "base/str_cat.h"

extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void);
PG_FUNCTION_INFO_V1(bridge_fail);
PG_FUNCTION_INFO_V1(bridge_live_objects);
PG_FUNCTION_INFO_V1(bridge_subtransaction);
PG_FUNCTION_INFO_V1(bridge_context_object);
}

namespace orochi::pg {
namespace {

int live_objects = 0;

// Owns heap memory, so that a skipped destructor is a leak and not only a wrong count.
class Probe {
 public:
  Probe() : text_(100, 'x') { ++live_objects; }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { --live_objects; }

 private:
  std::string text_;
};

void RaisePg() {
  ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("raised by PostgreSQL code"),
                  errdetail("detail of the error"), errhint("hint of the error")));
}

Status Fail(std::string_view kind) {
  Probe const outer;
  std::vector<std::unique_ptr<Probe>> many;
  many.push_back(std::make_unique<Probe>());
  if (kind == "pg") {
    TryPg([]() noexcept { RaisePg(); });
  } else if (kind == "status") {
    return Status::Corruption("stripe 7: crc is 1, expected 2")
        .WithDetail("detail of the status")
        .WithHint("hint of the status");
  } else if (kind == "bad_alloc") {
    throw std::bad_alloc();
  } else if (kind == "exception") {
    throw std::runtime_error("raised by C++ code");
  } else if (kind == "unknown") {
    throw 42;
  } else if (kind == "assert") {
    ASSERT(live_objects < 0);
  } else if (kind == "assert_in_pg") {
    TryPg([]() noexcept { ASSERT(live_objects < 0); });
  } else if (kind == "nested") {
    // PostgreSQL calls us back from inside a TryPg body, and the inner entry point fails.
    TryPg([]() noexcept { Boundary([]() -> Status { return Fail("status"); }); });
  } else if (kind == "nested_pg") {
    TryPg([]() noexcept { Boundary([]() -> Status { return Fail("pg"); }); });
  } else if (kind == "nested_then_assert") {
    TryPg([]() noexcept { Boundary([]() -> Status { return Status::Ok(); }); });
    ASSERT(live_objects < 0);
  } else if (kind == "holdoff") {
    HOLD_INTERRUPTS();
    Status const status = TryPgSubtransaction([]() -> Status {
      TryPg([]() noexcept { RaisePg(); });
      return Status::Ok();
    });
    int const held = static_cast<int>(InterruptHoldoffCount);
    RESUME_INTERRUPTS();
    return Status::NotFound(StrCat("interrupts held while catching: ", held));
  } else if (kind == "cancel") {
    QueryCancelPending = true;
    InterruptPending = true;
    CheckInterrupts();
  } else if (kind == "long_message") {
    return Status::Internal(std::string(1022, 'a') + "\xC3\xBC tail");
  } else if (kind != "none") {
    return Status::InvalidArgument(StrCat("no way to fail is called \"", kind, "\""));
  }
  return Status::Ok();
}

}  // namespace
}  // namespace orochi::pg

using orochi::Result;
using orochi::Status;
namespace pg = orochi::pg;

void _PG_init(void) {
  pg::InstallAssertHandler();
}

Datum bridge_fail(PG_FUNCTION_ARGS) {
  return pg::Boundary([&]() -> Result<Datum> {
    const text* kind = pg::TryPg([&]() noexcept { return PG_GETARG_TEXT_PP(0); });
    RETURN_IF_ERROR(pg::Fail({VARDATA_ANY(kind), static_cast<size_t>(VARSIZE_ANY_EXHDR(kind))}));
    return Datum{0};
  });
}

Datum bridge_live_objects(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int32GetDatum(pg::live_objects);
}

// Fails inside a subtransaction, carries on, and returns what it caught.
Datum bridge_subtransaction(PG_FUNCTION_ARGS) {
  return pg::Boundary([&]() -> Result<Datum> {
    const text* kind = pg::TryPg([&]() noexcept { return PG_GETARG_TEXT_PP(0); });
    std::string_view const name(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
    Status const status = pg::TryPgSubtransaction([&] { return pg::Fail(name); });
    std::string const text =
        orochi::StrCat(status.ToString(), status.detail().empty() ? "" : " / ", status.detail(),
                       status.hint().empty() ? "" : " / ", status.hint());
    const char* const c_text = text.c_str();
    return pg::TryPg([&]() noexcept { return PointerGetDatum(cstring_to_text(c_text)); });
  });
}

// An object tied to the current statement's memory dies with it, whether it succeeds or not.
Datum bridge_context_object(PG_FUNCTION_ARGS) {
  return pg::Boundary([&]() -> Result<Datum> {
    pg::NewIn<pg::Probe>(fcinfo->flinfo->fn_mcxt);
    if (PG_GETARG_BOOL(0)) {
      RETURN_IF_ERROR(pg::Fail("pg"));
    }
    return Int32GetDatum(pg::live_objects);
  });
}
