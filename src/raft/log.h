#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/result.h"
#include "raft/configuration.h"
#include "raft/types.h"

namespace orochi::raft {

/// The entries after a snapshot point, in memory, and how far they are durable, committed and
/// applied. Knows the configuration at each of its entries.
///
///   base .. applied .. committed .. last       base <= applied <= committed <= last
///                     durable .. last          applied <= durable <= last
///
/// Threads: none.
class Log {
 public:
  /// REQUIRES: `base` has a valid configuration, unless its index is 0.
  explicit Log(SnapshotPoint base);

  LogIndex base_index() const { return base_.index; }
  LogIndex last_index() const { return base_.index + entries_.size(); }
  Term last_term() const { return entries_.empty() ? base_.term : entries_.back().term; }
  LogIndex committed() const { return committed_; }
  LogIndex applied() const { return applied_; }
  LogIndex durable() const { return durable_; }

  /// Nothing before the base and after the last entry.
  std::optional<Term> TermAt(LogIndex index) const;
  bool Matches(LogIndex index, Term term) const { return TermAt(index) == term; }
  /// Whether a log ending in {last_index, last_term} holds at least what this one holds: Raft
  /// paper, 5.4.1.
  bool IsUpToDate(LogIndex last_index, Term last_term) const;
  /// The greatest index up to `from`, within the log, whose term is at most `term`; the base when
  /// there is none. Skips all of a diverged term at once.
  LogIndex LastAtMost(LogIndex from, Term term) const;

  const Entry& At(LogIndex index) const;
  /// Entries from `first` on: at least one if there is one, then while `bytes_max` allows.
  std::vector<Entry> Slice(LogIndex first, LogIndex last, uint64_t bytes_max) const;

  /// REQUIRES: `entry` follows the last one.
  Status Append(Entry entry);
  /// Drops entries from `first` on. REQUIRES: none of them is committed.
  void TruncateFrom(LogIndex first);
  void CommitTo(LogIndex index);
  void AppliedTo(LogIndex index);
  void DurableTo(LogIndex index);

  /// Forgets entries up to `index`. REQUIRES: they are applied.
  void Compact(LogIndex index);
  /// Starts anew after a snapshot of the state machine was installed.
  void Reset(SnapshotPoint base);

  /// In force at the end of the log: a configuration counts from when it is appended (thesis, 4.1).
  const Configuration& configuration() const { return configurations_.back().configuration; }
  /// Where it was appended; the base for that of the snapshot.
  LogIndex configuration_index() const { return configurations_.back().index; }
  const Configuration& ConfigurationAt(LogIndex index) const;

 private:
  struct Dated {
    LogIndex index;
    Configuration configuration;
  };

  SnapshotPoint base_;
  std::deque<Entry> entries_;
  std::vector<Dated> configurations_;  // ascending; the first is that of the base
  LogIndex committed_;
  LogIndex applied_;
  LogIndex durable_;
};

}  // namespace orochi::raft
