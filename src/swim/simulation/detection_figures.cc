#include "swim/simulation/detection_figures.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "swim/simulation/cluster.h"

namespace orochi::swim::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int kCrashes = 100;
constexpr int64_t kQuietUs = 1'800 * kSecondUs;

struct Figures {
  std::vector<double> first_s;  // the first node calls it dead
  std::vector<double> all_s;    // the last one does
  uint64_t false_count = 0;
  double datagrams_per_node_s = 0;
};

class Measurement {
 public:
  Measurement(const Options& options, uint64_t node_count, uint32_t loss_permille)
      : options_(options), node_count_(node_count), cluster_(random_, ledger_, trace_, {}) {
    for (uint64_t place = 1; place <= node_count; ++place) {
      cluster_.Start(options_, {.cluster = {1, 1}, .id = {1, place}, .generation = 1}, place, 0,
                     {1});
    }
    cluster_.RunUntil(30 * kSecondUs);
    cluster_.faults().drop_permille = loss_permille;
  }

  Figures Run() {
    uint64_t const datagrams = cluster_.datagram_count();
    uint64_t const dead = ledger_.dead_event_count();
    cluster_.RunUntil(cluster_.now_us() + kQuietUs);
    figures_.false_count = ledger_.dead_event_count() - dead;
    figures_.datagrams_per_node_s = static_cast<double>(cluster_.datagram_count() - datagrams) /
                                    static_cast<double>(node_count_) /
                                    (static_cast<double>(kQuietUs) / kSecondUs);
    for (int crash = 0; crash < kCrashes; ++crash) {
      MeasureCrash(1 + static_cast<uint64_t>(crash) % node_count_);
    }
    std::sort(figures_.first_s.begin(), figures_.first_s.end());
    std::sort(figures_.all_s.begin(), figures_.all_s.end());
    return figures_;
  }

 private:
  void MeasureCrash(uint64_t place) {
    Process& crashed = *cluster_.Find(place);
    Identity identity = crashed.identity;
    cluster_.Stop(crashed);
    int64_t const begun_us = cluster_.now_us();
    bool first = true;
    while (true) {
      cluster_.RunUntil(cluster_.now_us() + 20'000);
      auto const know = static_cast<uint64_t>(std::count_if(
          cluster_.processes().begin(), cluster_.processes().end(), [&](const auto& entry) {
            auto const known = entry.second->core->members().find(identity.id);
            return known != entry.second->core->members().end() &&
                   known->second.record.health == Health::kDead;
          }));
      double const elapsed_s = static_cast<double>(cluster_.now_us() - begun_us) / kSecondUs;
      if (know > 0 && first) {
        first = false;
        figures_.first_s.push_back(elapsed_s);
      }
      if (know == node_count_ - 1) {
        figures_.all_s.push_back(elapsed_s);
        break;
      }
    }
    ++identity.generation;
    cluster_.Start(options_, identity, place, 0, {place == 1 ? uint64_t{2} : uint64_t{1}});
    cluster_.RunUntil(cluster_.now_us() + 10 * kSecondUs +
                      static_cast<int64_t>(random_.Below(kSecondUs)));
  }

  const Options options_;
  const uint64_t node_count_;
  const Cluster::TraceFunction trace_{};
  SeededRandom random_{1};
  Ledger ledger_;
  Cluster cluster_;
  Figures figures_;
};

}  // namespace

void PrintDetectionFigures() {
  std::printf(
      "| profile | nodes | loss | first knows, median | all know, median | all know, 99 %% | "
      "called dead wrongly, per node and day | datagrams received, per node and second |\n"
      "|---|---|---|---|---|---|---|---|\n");
  struct Profile {
    const char* name;
    Options options;
  };
  for (const Profile& profile : {Profile{"local", LocalProfile()}, Profile{"LAN", LanProfile()}}) {
    for (uint64_t const node_count : {3U, 5U, 16U, 64U}) {
      for (uint32_t const loss_permille : {0U, 50U, 200U}) {
        Figures const figures = Measurement(profile.options, node_count, loss_permille).Run();
        double const node_days =
            static_cast<double>(node_count) * static_cast<double>(kQuietUs) / kSecondUs / 86'400;
        // Every other node says so once.
        double const wrong = static_cast<double>(figures.false_count) /
                             static_cast<double>(node_count - 1) / node_days;
        std::printf("| %s | %llu | %u %% | %.1f s | %.1f s | %.1f s | %.1f | %.1f |\n",
                    profile.name, static_cast<unsigned long long>(node_count), loss_permille / 10,
                    figures.first_s[kCrashes / 2], figures.all_s[kCrashes / 2],
                    figures.all_s[kCrashes * 99 / 100], wrong, figures.datagrams_per_node_s);
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace orochi::swim::simulation
