#pragma once

#include "pg/compat.h"

extern "C" {
#include "commands/copyfrom_internal.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "utils/rel.h"
}

namespace orochi::pg {

/// The rows of one COPY FROM, in the form of the table named in the statement: PostgreSQL's own
/// reader, plus the WHERE clause.
///
/// Owns no relation: between two rows the caller may close `state->rel` and put a newly opened one
/// in its place (AttachRelation), as creating a chunk in this session needs.
///
/// Life:    OpenCopySource -> ReadRow* (ReleaseRows between) -> CloseCopySource. An error leaves
///          the rest to the end of the transaction, as in PostgreSQL's COPY.
/// Memory:  a row's by-reference values live until ReleaseRows, so that many rows can wait in
///          buffers without being copied. CopySourceIsFull says when it is time.
/// All functions call PostgreSQL: run them inside TryPg.
struct CopySource {
  CopyFromState state;
  TupleTableSlot* row;       // virtual; the last row read
  ExprContext* expressions;  // for defaults and WHERE; its per-tuple memory holds the rows
  ExprState* filter;         // WHERE, or null
  uint64 excluded_count;     // rows WHERE refused
  int held_row_count;        // rows read since ReleaseRows
  // Reading ahead would change what a volatile default or WHERE clause sees in the table.
  bool must_not_read_ahead;
};

/// Opens the input. `where` is transformed and in implicit-AND form, or null. Sends the client
/// the request for data when the input is STDIN.
CopySource* OpenCopySource(ParseState* parse_state, Relation relation, List* where,
                           const CopyStmt* statement) noexcept;

/// Reads the next row that WHERE accepts into source->row; false at the end of the input.
bool ReadRow(CopySource* source) noexcept;

/// Frees the values of all rows read so far.
void ReleaseRows(CopySource* source) noexcept;

/// True when as many rows, or as many bytes, are held as may be.
bool CopySourceIsFull(const CopySource* source) noexcept;

/// Puts a relation opened again in the place of the one that was closed.
void AttachRelation(CopySource* source, Relation relation) noexcept;

void CloseCopySource(CopySource* source) noexcept;

}  // namespace orochi::pg
