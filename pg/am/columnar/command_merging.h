#pragma once

namespace orochi::pg {

/// Lets rows of several INSERT commands share a stripe where nobody can tell: a transaction of many
/// single-row INSERTs, or a loop in PL/pgSQL, makes one stripe instead of one each.
///
/// A stripe is seen under the command that began it. Rows of a later command b may join the stripe
/// of command a when no snapshot taken between a and b, b's own included, will ever read the table.
/// So: b must be a plain INSERT of values, without anything that runs other statements; and any
/// statement that is not such closes all stripes begun before it, since it may read them later
/// (a cursor) and must find a's rows and not b's. Called once from RegisterColumnar.
void RegisterCommandMerging();

}  // namespace orochi::pg
