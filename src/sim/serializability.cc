#include "sim/serializability.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/str_cat.h"

namespace orochi::sim {
namespace {

// Nodes are the transactions, then one for each moment at which one ended.
class Graph {
 public:
  explicit Graph(size_t node_count) : edges_(node_count) {}

  void Add(size_t from, size_t to, const char* why) {
    if (from != to) {
      edges_[from].emplace_back(to, why);
    }
  }

  // A cycle as nodes with why each comes before the next; empty without one.
  std::vector<std::pair<size_t, const char*>> FindCycle() const {
    enum class Mark : uint8_t { kNew, kOnPath, kDone };
    std::vector<Mark> marks(edges_.size(), Mark::kNew);
    std::vector<std::pair<size_t, size_t>> path;  // node, next edge
    for (size_t root = 0; root < edges_.size(); ++root) {
      if (marks[root] != Mark::kNew) {
        continue;
      }
      marks[root] = Mark::kOnPath;
      path.emplace_back(root, 0);
      while (!path.empty()) {
        auto& [node, next] = path.back();
        if (next == edges_[node].size()) {
          marks[node] = Mark::kDone;
          path.pop_back();
          continue;
        }
        size_t const to = edges_[node][next++].first;
        if (marks[to] == Mark::kOnPath) {
          std::vector<std::pair<size_t, const char*>> cycle;
          auto from = path.end();
          do {
            --from;
            cycle.emplace_back(from->first, edges_[from->first][from->second - 1].second);
          } while (from->first != to);
          std::reverse(cycle.begin(), cycle.end());
          return cycle;
        }
        if (marks[to] == Mark::kNew) {
          marks[to] = Mark::kOnPath;
          path.emplace_back(to, 0);
        }
      }
    }
    return {};
  }

 private:
  std::vector<std::vector<std::pair<size_t, const char*>>> edges_;
};

std::string Show(const std::vector<uint64_t>& list) {
  std::string text = "[";
  for (uint64_t const number : list) {
    text += StrCat(text.size() > 1 ? " " : "", number);
  }
  return text + "]";
}

class Search {
 public:
  explicit Search(const std::vector<ListTransaction>& transactions) : transactions_(transactions) {}

  std::string Run() {
    NoteWriters();
    for (size_t index = 0; index < transactions_.size(); ++index) {
      if (transactions_[index].end != ListTransaction::End::kAborted) {
        if (std::string wrong = LookAt(index); !wrong.empty()) {
          return wrong;
        }
      }
    }
    Graph graph(transactions_.size() * 2);
    AddOrders(graph);
    AddReads(graph);
    AddTimes(graph);
    std::string text;
    for (const auto& [node, why] : graph.FindCycle()) {
      if (node < transactions_.size()) {
        text += StrCat(text.empty() ? "a cycle: " : "; ", transactions_[node].name, " ", why);
      }
    }
    return text;
  }

 private:
  struct Writer {
    size_t transaction;
    bool last;  // of the transaction's to this key
  };

  void NoteWriters() {
    for (size_t index = 0; index < transactions_.size(); ++index) {
      std::map<std::string, uint64_t> last;
      for (const auto& step : transactions_[index].steps) {
        if (step.appends) {
          writers_[step.number] = {.transaction = index, .last = true};
          if (auto const [place, is_new] = last.emplace(step.key, step.number); !is_new) {
            writers_[place->second].last = false;
            place->second = step.number;
          }
        }
      }
    }
  }

  // What is wrong with one transaction's reads by themselves; takes the longest list of each key.
  std::string LookAt(size_t index) {
    const ListTransaction& transaction = transactions_[index];
    std::map<std::string, std::vector<uint64_t>> own;  // appended by it so far
    for (const auto& step : transaction.steps) {
      if (step.appends) {
        own[step.key].push_back(step.number);
        continue;
      }
      const std::vector<uint64_t>& mine = own[step.key];
      bool const has_own = step.list.size() >= mine.size() &&
                           std::equal(mine.rbegin(), mine.rend(), step.list.rbegin());
      if (!has_own) {
        return StrCat("transaction ", transaction.name, " does not see what it appended to ",
                      step.key, ": ", Show(step.list));
      }
      std::vector<uint64_t> others(step.list.begin(),
                                   step.list.end() - static_cast<std::ptrdiff_t>(mine.size()));
      for (uint64_t const number : others) {
        auto const writer = writers_.find(number);
        if (writer == writers_.end() ||
            transactions_[writer->second.transaction].end == ListTransaction::End::kAborted) {
          return StrCat("transaction ", transaction.name, " read ", number, " of ", step.key,
                        ", which nobody committed");
        }
      }
      if (!others.empty() && !writers_[others.back()].last) {
        return StrCat("transaction ", transaction.name, " read ", step.key,
                      " in the middle of another: ", Show(step.list));
      }
      std::vector<uint64_t>& longest = orders_[step.key];
      size_t const shared = std::min(longest.size(), others.size());
      if (!std::equal(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shared),
                      longest.begin())) {
        return StrCat("transaction ", transaction.name, " read ", step.key, " as ", Show(others),
                      ", another as ", Show(longest));
      }
      if (others.size() > longest.size()) {
        longest = std::move(others);
      }
    }
    return "";
  }

  void AddOrders(Graph& graph) const {
    for (const auto& [key, order] : orders_) {
      for (size_t index = 1; index < order.size(); ++index) {
        graph.Add(writers_.at(order[index - 1]).transaction, writers_.at(order[index]).transaction,
                  "wrote before");
      }
    }
  }

  // Nothing is known of what was appended to a key and never read.
  void AddReads(Graph& graph) const {
    for (size_t index = 0; index < transactions_.size(); ++index) {
      if (transactions_[index].end == ListTransaction::End::kAborted) {
        continue;
      }
      std::map<std::string, size_t> own;
      for (const auto& step : transactions_[index].steps) {
        if (step.appends) {
          ++own[step.key];
          continue;
        }
        auto const order = orders_.find(step.key);
        size_t const seen = step.list.size() - own[step.key];
        if (seen > 0) {
          graph.Add(writers_.at(step.list[seen - 1]).transaction, index, "was read by");
        }
        if (order != orders_.end() && seen < order->second.size()) {
          graph.Add(index, writers_.at(order->second[seen]).transaction,
                    "read before the write of");
        }
      }
    }
  }

  // One node for each end, in the order of time, so that edges stay few.
  void AddTimes(Graph& graph) const {
    std::vector<size_t> ended;
    for (size_t index = 0; index < transactions_.size(); ++index) {
      if (transactions_[index].end == ListTransaction::End::kCommitted) {
        ended.push_back(index);
      }
    }
    std::sort(ended.begin(), ended.end(), [&](size_t one, size_t other) {
      return transactions_[one].end_us < transactions_[other].end_us;
    });
    size_t const first = transactions_.size();
    for (size_t place = 0; place < ended.size(); ++place) {
      graph.Add(ended[place], first + place, "ended before the beginning of");
      if (place > 0) {
        graph.Add(first + place - 1, first + place, "");
      }
    }
    for (size_t index = 0; index < transactions_.size(); ++index) {
      if (transactions_[index].end == ListTransaction::End::kAborted) {
        continue;
      }
      auto const after = std::partition_point(ended.begin(), ended.end(), [&](size_t other) {
        return transactions_[other].end_us < transactions_[index].begin_us;
      });
      if (after != ended.begin()) {
        graph.Add(first + static_cast<size_t>(after - ended.begin()) - 1, index, "");
      }
    }
  }

  const std::vector<ListTransaction>& transactions_;
  std::map<uint64_t, Writer> writers_;                   // by number
  std::map<std::string, std::vector<uint64_t>> orders_;  // the longest list read of each key
};

}  // namespace

std::string FindAnomaly(const std::vector<ListTransaction>& transactions) {
  return Search(transactions).Run();
}

}  // namespace orochi::sim
