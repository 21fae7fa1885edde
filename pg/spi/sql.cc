#include "pg/spi/sql.h"

#include "base/str_cat.h"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/guc.h"
}

namespace orochi::pg {
namespace {

// The cells of a result, row by row, allocated in the caller's context; null cells are null.
struct Cells {
  uint64 row_count;
  int column_count;
  char** cells;
};

void RaiseUnless(int code, int expected, const char* command) {
  if (code != expected) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg("cannot run \"%s\": %s", command, SPI_result_code_string(code))));
  }
}

}  // namespace

uint64_t RunSql(const std::string& command) {
  const char* const text = command.c_str();
  return TryPg([&]() noexcept {
    RaiseUnless(SPI_connect(), SPI_OK_CONNECT, text);
    int const code = SPI_execute(text, false, 0);
    if (code < 0) {
      RaiseUnless(code, SPI_OK_UTILITY, text);
    }
    uint64 const processed = SPI_processed;
    SPI_finish();
    return processed;
  });
}

std::vector<SqlRow> QuerySql(const std::string& query, Oid first, Oid second) {
  const char* const text = query.c_str();
  Cells const result = TryPg([&]() noexcept {
    RaiseUnless(SPI_connect(), SPI_OK_CONNECT, text);
    Oid types[2] = {OIDOID, OIDOID};
    Datum values[2] = {ObjectIdGetDatum(first), ObjectIdGetDatum(second)};
    // Not read-only: the query must see what earlier commands of the same call have done.
    RaiseUnless(SPI_execute_with_args(text, 2, types, values, nullptr, false, 0), SPI_OK_SELECT,
                text);
    TupleDesc const description = SPI_tuptable->tupdesc;
    Cells out = {.row_count = SPI_processed, .column_count = description->natts, .cells = nullptr};
    size_t const cell_count = out.row_count * static_cast<size_t>(out.column_count);
    out.cells = static_cast<char**>(SPI_palloc(sizeof(char*) * (cell_count + 1)));
    for (uint64 row = 0; row < out.row_count; ++row) {
      for (int column = 0; column < out.column_count; ++column) {
        const char* const value = SPI_getvalue(SPI_tuptable->vals[row], description, column + 1);
        char* copy = nullptr;
        if (value != nullptr) {
          size_t const size_bytes = strlen(value) + 1;
          copy = static_cast<char*>(SPI_palloc(size_bytes));
          memcpy(copy, value, size_bytes);
        }
        out.cells[row * static_cast<size_t>(out.column_count) + static_cast<size_t>(column)] = copy;
      }
    }
    SPI_finish();
    return out;
  });
  std::vector<SqlRow> rows(result.row_count);
  const char* const* cell = result.cells;
  for (SqlRow& row : rows) {
    for (int column = 0; column < result.column_count; ++column, ++cell) {
      row.push_back(*cell == nullptr ? std::nullopt : std::optional<std::string>(*cell));
    }
  }
  return rows;
}

SettingsScope::SettingsScope() noexcept : nest_level_(NewGUCNestLevel()) {}

void SettingsScope::Set(const char* name, const std::string& value) {
  const char* const text = value.c_str();
  TryPg([&]() noexcept {
    set_config_option(name, text, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  });
}

void SettingsScope::Restore() {
  TryPg([this]() noexcept { AtEOXact_GUC(true, nest_level_); });
}

ActAs::ActAs(Oid user) noexcept {
  GetUserIdAndSecContext(&saved_user_, &saved_context_);
  SetUserIdAndSecContext(
      user, saved_context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

ActAs::~ActAs() {
  SetUserIdAndSecContext(saved_user_, saved_context_);
}

}  // namespace orochi::pg
