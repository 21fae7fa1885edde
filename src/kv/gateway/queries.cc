// Queries, page by page, from as many partitions as a page needs.

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/open_transaction.h"

namespace orochi::kv {
namespace {

constexpr uint32_t kRowsFirst = 32;
constexpr uint32_t kRowsMax = 4'096;

}  // namespace

struct Gateway::Page {
  OpenPointer open;
  QueryOne asked;
  Done<QueryResult> done;
  std::optional<CompiledQuery> query{};
  Continuation position{};
  std::vector<KeySpan> spans{};  // not yet read, in the order of reading
  size_t next_span = 0;
  QueryResult result{};
  size_t returned_size_bytes = 0;
  size_t read_size_bytes = 0;
  bool refreshed = false;
  CompiledQuery::RecordReader reader{};

  bool reverse() const { return query->query().reverse; }
  bool Full() const {
    const PageBounds& bounds = asked.bounds;
    return result.records.size() >= bounds.record_count_max ||
           result.scanned_count >= bounds.scanned_count_max ||
           returned_size_bytes >= bounds.size_bytes_max;
  }

  /// How many rows to ask a leader for: what the page has room for by the size of rows so far.
  uint32_t RowsWanted() const {
    size_t wanted = kRowsFirst;
    if (result.scanned_count > 0) {
      size_t const row_size_bytes = 1 + read_size_bytes / result.scanned_count;
      wanted = std::clamp<size_t>(asked.bounds.size_bytes_max / row_size_bytes, 1, kRowsMax);
    }
    wanted = std::min(wanted, asked.bounds.scanned_count_max - result.scanned_count);
    if (!query->query().filter) {
      wanted = std::min(wanted, asked.bounds.record_count_max - result.records.size());
      wanted = std::min<size_t>(wanted, position.remaining.value_or(wanted));
    }
    return static_cast<uint32_t>(std::max<size_t>(wanted, 1));
  }

  /// Takes rows until the page is full. True: it is, or the limit is reached.
  Result<bool> Take(const std::vector<std::pair<std::string, std::string>>& rows) {
    for (const auto& [key, row] : rows) {
      ASSIGN_OR_RETURN(auto record, query->Evaluate(key, row, reader));
      position.last_key = key;
      ++result.scanned_count;
      read_size_bytes += key.size() + row.size();
      if (record) {
        result.records.push_back(*std::move(record));
        returned_size_bytes += key.size() + row.size();
        if (position.remaining && --*position.remaining == 0) {
          return true;
        }
      }
      if (Full()) {
        return true;
      }
    }
    return false;
  }
};

void Gateway::RunQuery(const InTransaction& transaction, QueryOne request, Done<QueryResult> done) {
  const PageBounds& most = options_.page_bounds_max;
  PageBounds& bounds = request.bounds;
  bounds.record_count_max = std::clamp<size_t>(bounds.record_count_max, 1, most.record_count_max);
  bounds.scanned_count_max =
      std::clamp<size_t>(bounds.scanned_count_max, 1, most.scanned_count_max);
  bounds.size_bytes_max = std::clamp<size_t>(bounds.size_bytes_max, 1, most.size_bytes_max);
  if (transaction) {
    Run(
        *transaction,
        [this, request = std::move(request), done](const OpenPointer& open,
                                                   std::function<void()> next) {
          if (Status failed = open->CountOperation(options_); !failed.ok()) {
            next();
            done(std::move(failed));
            return;
          }
          StartPage(std::make_shared<Page>(Page{
              .open = open, .asked = request, .done = [next, done](Result<QueryResult> result) {
                next();
                done(std::move(result));
              }}));
        },
        done);
    return;
  }
  auto const page = std::make_shared<Page>(
      Page{.open = NewOpen(), .asked = std::move(request), .done = std::move(done)});
  if (!page->asked.token.empty()) {  // which knows the timestamp
    StartPage(page);
    return;
  }
  BeginStamped(page->open, [this, page](Status begun) {
    if (begun.ok()) {
      StartPage(page);
    } else {
      page->done(std::move(begun));
    }
  });
}

void Gateway::StartPage(const std::shared_ptr<Page>& page) {
  const QueryOne& asked = page->asked;
  auto query = CompiledQuery::Make(asked.query, asked.in.history());
  if (!query.ok()) {
    page->done(query.status().code() == StatusCode::kNotFound
                   ? query.status()
                   : Status::InvalidArgument(query.status().message()));
    return;
  }
  page->query = *std::move(query);
  page->result = {};
  page->spans.clear();
  page->next_span = page->returned_size_bytes = page->read_size_bytes = 0;
  Transaction& transaction = page->open->transaction;
  page->position = FirstPage(*page->query, transaction.id().start);
  if (!asked.token.empty()) {
    auto from = DecodeContinuation(*page->query, asked.token, options_.continuation_secret);
    if (!from.ok()) {
      page->done(std::move(from).status());
      return;
    }
    page->position = *std::move(from);
    if (transaction.id().start == kNever) {
      transaction.BeginAt(page->position.read_timestamp);
    } else if (page->position.read_timestamp != transaction.id().start) {
      page->done(Status::InvalidArgument("the continuation token belongs to another transaction"));
      return;
    }
  }
  if (page->position.remaining == uint64_t{0}) {
    page->done(std::move(page->result));
    return;
  }
  for (const ByteRange& span : page->query->SpansAfter(page->position.last_key)) {
    page->spans.push_back({.begin = span.begin, .end = span.end});
  }
  if (page->reverse()) {
    std::reverse(page->spans.begin(), page->spans.end());
  }
  ContinuePage(page);
}

void Gateway::ContinuePage(const std::shared_ptr<Page>& page) {
  if (page->next_span == page->spans.size()) {
    page->done(std::move(page->result));
    return;
  }
  uint32_t const wanted = page->RowsWanted();
  page->open->transaction.Read(
      page->spans[page->next_span], page->reverse(), wanted,
      WhileHere(std::function<void(Transaction::ReadResult)>(
          [this, page, wanted](Transaction::ReadResult read) {
            if (read.outcome != Outcome::kOk) {
              page->done(page->open->Fail(FailureOf(read.outcome, read.error)));
              return;
            }
            auto const full = page->Take(read.rows);
            if (!full.ok()) {
              PageFailed(page, full.status());
              return;
            }
            if (page->position.remaining == uint64_t{0}) {
              page->done(std::move(page->result));
              return;
            }
            if (*full) {
              page->result.token =
                  EncodeContinuation(*page->query, page->position, options_.continuation_secret);
              page->done(std::move(page->result));
              return;
            }
            if (read.rows.size() < wanted) {
              ++page->next_span;
            } else if (page->reverse()) {
              page->spans[page->next_span].end = page->position.last_key;
            } else {
              page->spans[page->next_span].begin = page->position.last_key + '\0';
            }
            ContinuePage(page);
          })));
}

// By a record of a version that came after the query was made, it fails once: the page is read
// again with the versions that there are by then.
void Gateway::PageFailed(const std::shared_ptr<Page>& page, Status error) {
  if (error.code() != StatusCode::kFailedPrecondition || std::exchange(page->refreshed, true)) {
    page->done(error.code() == StatusCode::kFailedPrecondition ? Status::Corruption(error.message())
                                                               : std::move(error));
    return;
  }
  catalog_.Refresh(WhileHere(std::function<void(Status)>([this, page](Status refreshed) {
    if (!refreshed.ok()) {
      page->done(std::move(refreshed));
      return;
    }
    SchemaHandle& in = page->asked.in;
    FindSchema(in.collection->definition.name, in.schema->name(), in.schema->version(),
               [this, page](Result<SchemaHandle> found) {
                 if (!found.ok()) {
                   page->done(std::move(found).status());
                   return;
                 }
                 page->asked.in = *std::move(found);
                 StartPage(page);
               });
  })));
}

}  // namespace orochi::kv
