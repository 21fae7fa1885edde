// kv_peer_bench [SECONDS [ROUNDS]]: echo of 200-byte frames between two processes over loopback,
// each with its loop and transport, so many frames under way. Prints a table of medians: processor
// time of both processes besides rates, since the machine may be busy.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>

#include "io/posix/system_clock.h"
#include "kv/peer/peer_transport.h"

namespace orochi::kv::peer {
namespace {

constexpr size_t kFrameSizeBytes = 200;
constexpr NodeNumber kAsker{1};
constexpr NodeNumber kEcho{2};

struct Round {
  double frames_per_s = 0;
  double p50_us = 0;
  double p99_us = 0;
  double processor_us = 0;  // a frame there and back, both processes
  double frames_per_message = 0;
};

double ProcessorMicros() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void Check(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::_Exit(1);
  }
}

struct Node {
  explicit Node(NodeNumber number) : random(number.value()) {
    auto started = runtime::EventLoop::Start({}, clock, {});
    Check(started.status());
    loop = *std::move(started);
    TransportOptions options;
    options.cluster = "bench";
    options.self = number;
    options.listen = "127.0.0.1:0";
    auto listening = PeerTransport::Start(
        options, *loop, random,
        {.on_frames = [this](NodeNumber from, Lane /*lane*/,
                             std::vector<std::string> frames) { on_frames(from, frames); },
         .on_link =
             [this](NodeNumber /*peer*/, Lane lane, LinkState state, const std::string& why) {
               if (lane == Lane::kUrgent && state == LinkState::kConnected) {
                 connected.set_value();
               } else if (state != LinkState::kConnected) {
                 std::fprintf(stderr, "%s\n", why.c_str());
               }
             }});
    Check(listening.status());
    transport = *std::move(listening);
  }
  void Connect(NodeNumber peer, const std::string& address) {
    loop->Post([this, peer, address] { Check(transport->SetPeer(peer, address)); });
  }

  io::SystemClock clock;
  SeededRandom random;
  std::function<void(NodeNumber, std::vector<std::string>&)> on_frames;
  std::promise<void> connected;
  std::unique_ptr<runtime::EventLoop> loop;
  std::unique_ptr<PeerTransport> transport;
};

// The other process: sends back what comes. Talks to its parent over pipes of text.
void RunEcho(int from_parent, int to_parent) {
  Node node(kEcho);
  node.on_frames = [&](NodeNumber from, std::vector<std::string>& frames) {
    for (std::string& frame : frames) {
      node.transport->Send(from, Lane::kUrgent, std::move(frame));
    }
  };
  char line[128] = {};
  std::snprintf(line, sizeof(line), "%s", node.transport->listen_address().c_str());
  bool talking =
      write(to_parent, line, sizeof(line)) > 0 && read(from_parent, line, sizeof(line)) > 0;
  node.Connect(kAsker, line);
  node.connected.get_future().wait();
  talking = talking && write(to_parent, line, sizeof(line)) > 0;
  while (talking && read(from_parent, line, sizeof(line)) > 0) {  // asks for the time so far
    double const processor_us = ProcessorMicros();
    talking = write(to_parent, &processor_us, sizeof(processor_us)) > 0;
  }
}

class Asker {
 public:
  Asker(int from_child, int to_child) : from_child_(from_child), to_child_(to_child) {
    node_.on_frames = [this](NodeNumber /*from*/, std::vector<std::string>& frames) {
      OnFrames(frames);
    };
    char line[128] = {};
    Talk(line, nullptr);
    node_.Connect(kEcho, line);
    node_.connected.get_future().wait();
    std::snprintf(line, sizeof(line), "%s", node_.transport->listen_address().c_str());
    Talk(line, line);
  }

  Round Run(size_t window, double seconds) {
    std::promise<void> over;
    double const processor_begin_us = ProcessorMicros() + ChildMicros();
    int64_t const begin_ns = node_.clock.MonotonicNanos();
    node_.loop->Post([&] {
      latencies_us_.clear();
      message_count_ = 0;
      over_ = &over;
      under_way_ = 0;
      end_ns_ = begin_ns + static_cast<int64_t>(seconds * 1e9);
      for (size_t frame = 0; frame < window; ++frame) {
        Ask(std::string(kFrameSizeBytes, 'x'));
      }
    });
    over.get_future().wait();
    auto const elapsed_s = static_cast<double>(node_.clock.MonotonicNanos() - begin_ns) / 1e9;
    double const processor_us = ProcessorMicros() + ChildMicros() - processor_begin_us;
    std::sort(latencies_us_.begin(), latencies_us_.end());
    size_t const count = latencies_us_.size();
    return {.frames_per_s = static_cast<double>(count) / elapsed_s,
            .p50_us = latencies_us_[count / 2],
            .p99_us = latencies_us_[count * 99 / 100],
            .processor_us = processor_us / static_cast<double>(count),
            .frames_per_message = static_cast<double>(count) / static_cast<double>(message_count_)};
  }

 private:
  void Ask(std::string frame) {
    int64_t const now_ns = node_.clock.MonotonicNanos();
    std::memcpy(frame.data(), &now_ns, sizeof(now_ns));
    if (node_.transport->Send(kEcho, Lane::kUrgent, std::move(frame)) == SendResult::kQueued) {
      ++under_way_;
    }
  }
  void OnFrames(std::vector<std::string>& frames) {
    int64_t const now_ns = node_.clock.MonotonicNanos();
    ++message_count_;
    for (std::string& frame : frames) {
      int64_t asked_ns = 0;
      std::memcpy(&asked_ns, frame.data(), sizeof(asked_ns));
      latencies_us_.push_back(static_cast<double>(now_ns - asked_ns) / 1e3);
      --under_way_;
      if (now_ns < end_ns_) {
        Ask(std::move(frame));
      }
    }
    if (under_way_ == 0 && over_ != nullptr) {
      std::exchange(over_, nullptr)->set_value();
    }
  }
  void Talk(char (&answer)[128], const char* question) {
    if ((question != nullptr && write(to_child_, question, sizeof(answer)) <= 0) ||
        read(from_child_, answer, sizeof(answer)) <= 0) {
      Check(Status::Unavailable("the other process has ended"));
    }
  }
  double ChildMicros() {
    char const question = '?';
    double answer = 0;
    if (write(to_child_, &question, 1) <= 0 ||
        read(from_child_, &answer, sizeof(answer)) != sizeof(answer)) {
      Check(Status::Unavailable("the other process has ended"));
    }
    return answer;
  }

  Node node_{kAsker};
  const int from_child_;
  const int to_child_;
  // Only the loop's thread, while a round runs.
  std::vector<double> latencies_us_;
  size_t message_count_ = 0;
  size_t under_way_ = 0;
  int64_t end_ns_ = 0;
  std::promise<void>* over_ = nullptr;
};

double Median(std::vector<Round> rounds, double Round::*figure) {
  std::sort(rounds.begin(), rounds.end(),
            [&](const Round& a, const Round& b) { return a.*figure < b.*figure; });
  return rounds[rounds.size() / 2].*figure;
}

void RunAsker(int from_child, int to_child, double seconds, int round_count) {
  Asker asker(from_child, to_child);
  constexpr size_t kWindows[] = {1, 16, 64, 256, 1024};
  std::vector<std::vector<Round>> rounds(std::size(kWindows));
  for (int round = 0; round < round_count; ++round) {
    for (size_t window = 0; window < std::size(kWindows); ++window) {
      rounds[window].push_back(asker.Run(kWindows[window], seconds));
    }
  }
  for (size_t window = 0; window < std::size(kWindows); ++window) {
    std::printf("| %zu | %.0f | %.0f | %.0f | %.2f | %.0f |\n", kWindows[window],
                Median(rounds[window], &Round::frames_per_s),
                Median(rounds[window], &Round::p50_us), Median(rounds[window], &Round::p99_us),
                Median(rounds[window], &Round::processor_us),
                Median(rounds[window], &Round::frames_per_message));
  }
}

}  // namespace
}  // namespace orochi::kv::peer

int main(int argc, char** argv) {
  double const seconds = argc > 1 ? std::atof(argv[1]) : 1;
  int const round_count = argc > 2 ? std::atoi(argv[2]) : 5;
  int to_child[2] = {};
  int to_parent[2] = {};
  if (seconds <= 0 || round_count <= 0 || pipe(to_child) != 0 || pipe(to_parent) != 0) {
    std::fprintf(stderr, "usage: kv_peer_bench [SECONDS [ROUNDS]]\n");
    return 1;
  }
  // Before gRPC starts threads.
  pid_t const child = fork();
  if (child == 0) {
    close(to_child[1]);
    close(to_parent[0]);
    orochi::kv::peer::RunEcho(to_child[0], to_parent[1]);
    std::_Exit(0);
  }
  close(to_child[0]);
  close(to_parent[1]);
  orochi::kv::peer::RunAsker(to_parent[0], to_child[1], seconds, round_count);
  std::fflush(stdout);
  close(to_child[1]);  // which ends the other
  waitpid(child, nullptr, 0);
  return 0;
}
