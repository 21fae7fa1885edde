#pragma once

#include "pg/compat.h"

#include <span>

extern "C" {
#include "utils/relcache.h"
}

/// Which rows an UPDATE or DELETE will probably ask stubs for next. Stubs of neighbouring rows cost
/// far less when they are made together: one look at their chain, one WAL record a page. The scan
/// below the command knows which rows it is about to return; whether they all get to the command,
/// nobody does. So the first row gets a stub alone, and the more often the row after the last one
/// taken is asked for, the more are taken at once. A stub too many is no error: VACUUM removes it.
///
/// Threads: none. What is known belongs to one command of one transaction.
namespace orochi::pg::rows_ahead {

inline constexpr size_t kRowsMax = 256;

/// A scan of a command that changes rows is about to return `rows` of a row group, ascending, each
/// counted from `first_row_number`. May throw std::bad_alloc.
void Announce(Relation relation, uint64_t first_row_number, std::span<const uint32_t> rows);

/// How many rows, `row_number` the first, the command will probably come to one after the other: as
/// many as the next Take would answer, were it all of one segment; 0 for a row that is none of
/// them. Plain.
size_t Expected(Relation relation, uint64_t row_number) noexcept;

/// Puts `row_number`, and those to come after it in its segment, into `taken` (kRowsMax entries).
/// Answers how many. Plain.
size_t Take(Relation relation, uint64_t row_number, uint64_t* taken) noexcept;

}  // namespace orochi::pg::rows_ahead
