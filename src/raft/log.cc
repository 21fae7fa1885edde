#include "raft/log.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::raft {

Log::Log(SnapshotPoint base) {
  Reset(std::move(base));
}

void Log::Reset(SnapshotPoint base) {
  base_ = std::move(base);
  entries_.clear();
  configurations_ = {{base_.index, base_.configuration}};
  committed_ = base_.index;
  applied_ = base_.index;
  durable_ = base_.index;
}

std::optional<Term> Log::TermAt(LogIndex index) const {
  if (index < base_.index || index > last_index()) {
    return std::nullopt;
  }
  return index == base_.index ? base_.term : At(index).term;
}

bool Log::IsUpToDate(LogIndex last_index, Term last_term) const {
  Term const own_term = this->last_term();
  return last_term > own_term || (last_term == own_term && last_index >= this->last_index());
}

LogIndex Log::LastAtMost(LogIndex from, Term term) const {
  LogIndex index = std::min(from, last_index());
  while (index > base_.index && At(index).term > term) {
    index = index - 1;
  }
  return std::max(index, base_.index);
}

const Entry& Log::At(LogIndex index) const {
  ASSERT(index > base_.index);
  ASSERT(index <= last_index());
  return entries_[Distance(base_.index, index) - 1];
}

std::vector<Entry> Log::Slice(LogIndex first, LogIndex last, uint64_t bytes_max) const {
  std::vector<Entry> out;
  uint64_t size_bytes = 0;
  for (LogIndex index = first; index <= std::min(last, last_index()); index = index + 1) {
    const Entry& entry = At(index);
    size_bytes += entry.size_bytes();
    if (!out.empty() && size_bytes > bytes_max) {
      break;
    }
    out.push_back(entry);
  }
  return out;
}

Status Log::Append(Entry entry) {
  ASSERT(entry.index == last_index() + 1);
  ASSERT(entry.term >= last_term());
  if (entry.kind == EntryKind::kConfiguration) {
    std::string_view const bytes = entry.payload ? *entry.payload : std::string_view();
    auto configuration = DecodeConfiguration(bytes);
    if (!configuration.ok()) {
      return Status(configuration.status()).WithContext(StrCat("log entry ", entry.index.value()));
    }
    configurations_.push_back({entry.index, *std::move(configuration)});
  }
  entries_.push_back(std::move(entry));
  return Status::Ok();
}

void Log::TruncateFrom(LogIndex first) {
  ASSERT(first > committed_);
  while (last_index() >= first) {
    entries_.pop_back();
  }
  while (configurations_.back().index >= first) {
    configurations_.pop_back();
  }
  durable_ = std::min(durable_, last_index());
}

void Log::CommitTo(LogIndex index) {
  if (index <= committed_) {
    return;  // old news
  }
  ASSERT(index <= last_index());
  committed_ = index;
}

void Log::AppliedTo(LogIndex index) {
  ASSERT(index >= applied_);
  ASSERT(index <= committed_);
  applied_ = index;
}

void Log::DurableTo(LogIndex index) {
  ASSERT(index <= last_index());
  durable_ = std::max(durable_, index);
}

void Log::Compact(LogIndex index) {
  if (index <= base_.index) {
    return;
  }
  ASSERT(index <= applied_);
  Configuration configuration = ConfigurationAt(index);
  Term const term = At(index).term;
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<ptrdiff_t>(Distance(base_.index, index)));
  std::erase_if(configurations_, [index](const Dated& dated) { return dated.index <= index; });
  configurations_.insert(configurations_.begin(), {index, configuration});
  base_ = {.index = index, .term = term, .configuration = std::move(configuration)};
}

const Configuration& Log::ConfigurationAt(LogIndex index) const {
  ASSERT(index >= base_.index);
  auto const after = std::find_if(configurations_.begin(), configurations_.end(),
                                  [index](const Dated& dated) { return dated.index > index; });
  ASSERT(after != configurations_.begin());
  return std::prev(after)->configuration;
}

}  // namespace orochi::raft
