// Goal: what a node does about what it hears, case by case. Chance and faults: simulation/.
// Method: a few nodes whose packets are carried by hand, at once, unless a link is cut.
#include "swim/swim_core.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace orochi::swim {
namespace {

constexpr ClusterId kCluster{11, 12};

io::SocketAddress At(uint16_t port) {
  return io::SocketAddress::V4(127, 0, 0, 1, port);
}
NodeId Node(uint64_t number) {
  return {9, number};
}

class SwimCoreTest : public testing::Test {
 protected:
  struct Place {
    std::unique_ptr<SwimCore> core;
    std::vector<Event> events;
    bool up = true;
  };

  // Node `number` on port `port`, which finds the others through node 1's usual port.
  SwimCore& Start(uint64_t number, uint16_t port, uint64_t generation = 1,
                  ClusterId cluster = kCluster) {
    auto core = SwimCore::Create(options_,
                                 {.cluster = cluster,
                                  .id = Node(number),
                                  .generation = Generation(generation),
                                  .address = At(port)},
                                 now_us_, random_);
    EXPECT_TRUE(core.ok());
    places_[port] = {*std::move(core), {}, true};
    places_[port].core->SetSeeds({At(1)});
    return *places_[port].core;
  }

  // Everything there is to carry, until there is nothing.
  void Carry() {
    for (bool again = true; again;) {
      again = false;
      for (auto& [port, place] : places_) {
        if (!place.up || !place.core->HasOutput()) {
          continue;
        }
        again = true;
        Output output = place.core->TakeOutput();
        place.events.insert(place.events.end(), output.events.begin(), output.events.end());
        for (const Datagram& datagram : output.datagrams) {
          ++datagram_count_;
          if (Place* const to = Reach(port, datagram.to.port); to != nullptr) {
            to->core->OnDatagram(datagram.bytes).IgnoreError("counted by the core");
          }
        }
        for (const StreamRequest& request : output.streams) {
          Place* const to = Reach(port, request.to.port);
          auto reply = to == nullptr ? Result<std::vector<std::byte>>(Status::Unavailable("cut"))
                                     : to->core->OnStreamRequest(request.bytes);
          if (reply.ok()) {
            place.core->OnStreamReply(request.token, *reply).IgnoreError("counted by the core");
          } else {
            place.core->OnStreamFailed(request.token);
          }
        }
      }
    }
  }

  Place* Reach(uint16_t from, uint16_t to) {
    auto const place = places_.find(to);
    bool const cut = cut_.contains({from, to}) || place == places_.end() || !place->second.up;
    return cut ? nullptr : &place->second;
  }

  void Run(int64_t duration_us) {
    int64_t const end_us = now_us_ + duration_us;
    Carry();
    while (now_us_ < end_us) {
      now_us_ += 50'000;
      for (auto& [port, place] : places_) {
        if (place.up) {
          place.core->Tick(now_us_);
        }
      }
      Carry();
    }
  }

  // What the node on `port` believes of `number`; kLeft of somebody unknown would be a lie, so
  // nothing.
  std::optional<Health> View(uint16_t port, uint64_t number) {
    const auto& members = places_.at(port).core->members();
    auto const known = members.find(Node(number));
    return known == members.end() ? std::nullopt : std::optional(known->second.record.health);
  }
  size_t CountEvents(uint16_t port, EventKind kind, uint64_t number) {
    const auto& events = places_.at(port).events;
    return static_cast<size_t>(std::count_if(events.begin(), events.end(), [&](const Event& e) {
      return e.kind == kind && e.record.id == Node(number);
    }));
  }

  Options options_ = LocalProfile();
  SeededRandom random_{3};
  int64_t now_us_ = 1'000'000;
  std::map<uint16_t, Place> places_;
  std::set<std::pair<uint16_t, uint16_t>> cut_;
  uint64_t datagram_count_ = 0;
};

TEST_F(SwimCoreTest, NodesJoinThroughOneSeed) {
  for (uint16_t number = 1; number <= 5; ++number) {
    Start(number, number);
  }
  Run(1'000'000);
  for (uint16_t port = 1; port <= 5; ++port) {
    EXPECT_EQ(places_[port].core->present_count(), 5U);
    for (uint64_t number = 1; number <= 5; ++number) {
      EXPECT_EQ(CountEvents(port, EventKind::kJoined, number), number == port ? 0U : 1U);
    }
  }
}

TEST_F(SwimCoreTest, ASeedThatComesLateIsFound) {
  Start(2, 2);
  Run(10'000'000);
  EXPECT_EQ(places_[2].core->present_count(), 1U);
  Start(1, 1);
  Run(4'000'000);
  EXPECT_EQ(places_[2].core->present_count(), 2U);
  EXPECT_EQ(places_[1].core->present_count(), 2U);
}

TEST_F(SwimCoreTest, ACrashIsNoticedByAll) {
  for (uint16_t number = 1; number <= 4; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  places_[4].up = false;
  Run(10'000'000);
  for (uint16_t port = 1; port <= 3; ++port) {
    EXPECT_EQ(View(port, 4), Health::kDead);
    EXPECT_EQ(CountEvents(port, EventKind::kDead, 4), 1U);
  }
}

TEST_F(SwimCoreTest, ARestartAtAnotherAddressBeatsEveryRumour) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  places_[3].up = false;
  Run(10'000'000);
  ASSERT_EQ(View(1, 3), Health::kDead);
  Start(3, 30, 2);
  Run(500'000);
  for (uint16_t port = 1; port <= 2; ++port) {
    EXPECT_EQ(View(port, 3), Health::kAlive);
    EXPECT_EQ(places_[port].core->members().at(Node(3)).record.address, At(30));
  }
}

TEST_F(SwimCoreTest, OneCutLinkKillsNobody) {
  for (uint16_t number = 1; number <= 4; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  cut_.insert({1, 2});
  cut_.insert({2, 1});
  Run(60'000'000);
  for (uint16_t port = 1; port <= 4; ++port) {
    for (uint64_t number = 1; number <= 4; ++number) {
      EXPECT_EQ(CountEvents(port, EventKind::kDead, number), 0U);
    }
  }
}

TEST_F(SwimCoreTest, ASuspectRefutes) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  places_[3].up = false;
  while (View(1, 3) == Health::kAlive) {
    Run(100'000);
  }
  EXPECT_EQ(View(1, 3), Health::kSuspect);
  places_[3].up = true;  // it was not gone, only slow
  Run(2'000'000);
  EXPECT_EQ(View(1, 3), Health::kAlive);
  EXPECT_EQ(View(2, 3), Health::kAlive);
  EXPECT_EQ(CountEvents(1, EventKind::kRefuted, 3), 1U);
  EXPECT_GT(places_[3].core->self().incarnation.value(), 0U);
}

TEST_F(SwimCoreTest, WhoLeavesIsNotCalledDead) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  places_[3].core->Leave();
  Run(3'000'000);
  EXPECT_EQ(places_[3].core->standing(), Standing::kLeft);
  Run(20'000'000);
  for (uint16_t port = 1; port <= 2; ++port) {
    EXPECT_EQ(View(port, 3), Health::kLeft);
    EXPECT_EQ(CountEvents(port, EventKind::kLeft, 3), 1U);
    EXPECT_EQ(CountEvents(port, EventKind::kDead, 3), 0U);
  }
}

TEST_F(SwimCoreTest, WhoIsAloneLeavesAtOnce) {
  Start(1, 1);
  Run(500'000);
  places_[1].core->Leave();
  Run(200'000);
  EXPECT_EQ(places_[1].core->standing(), Standing::kLeft);
}

TEST_F(SwimCoreTest, TwoOfOneIdentityAreBothOut) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  Start(3, 30);  // the same id and generation from a copied directory
  Run(2'000'000);
  EXPECT_EQ(View(1, 3), Health::kConflict);
  EXPECT_EQ(View(2, 3), Health::kConflict);
  EXPECT_EQ(places_[3].core->standing(), Standing::kQuarantined);
  EXPECT_EQ(places_[30].core->standing(), Standing::kQuarantined);
  EXPECT_EQ(CountEvents(1, EventKind::kConflict, 3), 1U);
  EXPECT_EQ(CountEvents(30, EventKind::kConflict, 3), 1U);
  // One of them starts anew: it is trusted again.
  places_[30].up = false;
  Start(3, 3, 2);
  Run(2'000'000);
  EXPECT_EQ(View(1, 3), Health::kAlive);
}

TEST_F(SwimCoreTest, AnEarlierLifeThatGoesOnIsSuperseded) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  Start(3, 30, 2);
  Run(3'000'000);
  EXPECT_EQ(places_[3].core->standing(), Standing::kQuarantined);
  EXPECT_EQ(CountEvents(3, EventKind::kSuperseded, 3), 1U);
  EXPECT_EQ(places_[30].core->standing(), Standing::kMember);
  EXPECT_EQ(View(1, 3), Health::kAlive);
}

TEST_F(SwimCoreTest, AnAddressThatChangedHandsIsNoSignOfLife) {
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  Start(7, 3);  // node 3's machine was wiped and is node 7 now
  Run(20'000'000);
  EXPECT_EQ(View(1, 3), Health::kDead);
  EXPECT_EQ(View(1, 7), Health::kAlive);
  EXPECT_EQ(View(2, 3), Health::kDead);
}

TEST_F(SwimCoreTest, HalvesThatGaveEachOtherUpMeetAgain) {
  for (uint16_t number = 1; number <= 4; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  for (uint16_t const a : {1, 2}) {
    for (uint16_t const b : {3, 4}) {
      cut_.insert({a, b});
      cut_.insert({b, a});
    }
  }
  Run(120'000'000);
  EXPECT_EQ(View(1, 3), Health::kDead);
  EXPECT_EQ(View(3, 1), Health::kDead);
  cut_.clear();
  Run(90'000'000);
  for (uint16_t port = 1; port <= 4; ++port) {
    EXPECT_EQ(places_[port].core->present_count(), 4U) << port;
  }
}

TEST_F(SwimCoreTest, AnotherClusterIsRefused) {
  Start(1, 1);
  Start(2, 2, 1, ClusterId{66, 66});
  Run(5'000'000);
  EXPECT_FALSE(View(1, 2).has_value());
  EXPECT_FALSE(View(2, 1).has_value());
  EXPECT_GT(places_[1].core->counters().other_cluster, 0U);
}

TEST_F(SwimCoreTest, HintsReachAll) {
  for (uint16_t number = 1; number <= 4; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  ASSERT_TRUE(places_[2].core->SetHints(7, 40, "grpc=127.0.0.1:7000").ok());
  Run(1'000'000);
  for (uint16_t const port : {1, 3, 4}) {
    auto const& hints = places_[port].core->members().at(Node(2)).record.hints;
    ASSERT_TRUE(hints.has_value());
    EXPECT_EQ(hints->meta_version, 7U);
    EXPECT_EQ(hints->load, 40U);
    EXPECT_EQ(hints->payload, "grpc=127.0.0.1:7000");
    EXPECT_GE(CountEvents(port, EventKind::kUpdated, 2), 1U);
  }
  EXPECT_FALSE(places_[2].core->SetHints(7, 40, std::string(193, 'x')).ok());
}

TEST_F(SwimCoreTest, TheDeadAreForgotten) {
  options_.dead_keep_us = 30'000'000;
  for (uint16_t number = 1; number <= 3; ++number) {
    Start(number, number);
  }
  Run(2'000'000);
  places_[3].up = false;
  Run(60'000'000);
  EXPECT_FALSE(View(1, 3).has_value());
  EXPECT_FALSE(View(2, 3).has_value());
}

TEST_F(SwimCoreTest, AProcessThatWasStoppedBlamesNobody) {
  for (uint16_t number = 1; number <= 4; ++number) {
    Start(number, number);
  }
  Run(2'100'000);
  Place stopped = std::move(places_[4]);
  places_.erase(4);
  Run(5'000'000);
  now_us_ += 60'000'000;  // all the others stop, too, in the middle of what they do
  for (auto& [port, place] : places_) {
    place.core->Tick(now_us_);
    EXPECT_GT(place.core->counters().pauses, 0U);
    for (uint16_t other = 1; other <= 3; ++other) {
      EXPECT_EQ(CountEvents(port, EventKind::kDead, other), 0U);
    }
  }
  Run(5'000'000);
  for (uint16_t port = 1; port <= 3; ++port) {
    for (uint16_t other = 1; other <= 3; ++other) {
      EXPECT_EQ(CountEvents(port, EventKind::kSuspected, other), 0U);
    }
  }
}

TEST_F(SwimCoreTest, SilenceCostsLittleWhenNothingHappens) {
  for (uint16_t number = 1; number <= 8; ++number) {
    Start(number, number);
  }
  Run(20'000'000);
  datagram_count_ = 0;
  Run(60'000'000);
  // One ping and one answer for each probe, two probes a second, and nothing else.
  EXPECT_LE(datagram_count_, 8U * 60U * 4U + 100U);
  EXPECT_GE(datagram_count_, 8U * 60U * 4U / 2U);
}

TEST_F(SwimCoreTest, StrangeIdentitiesAndOptionsAreRefused) {
  Self self{.cluster = kCluster, .id = Node(1), .generation = Generation(1), .address = At(1)};
  auto const code = [&](const Options& options, const Self& who) {
    return SwimCore::Create(options, who, 0, random_).status().code();
  };
  EXPECT_EQ(code(options_, self), StatusCode::kOk);
  Self nobody = self;
  nobody.id = {};
  EXPECT_EQ(code(options_, nobody), StatusCode::kInvalidArgument);
  Self never = self;
  never.generation = Generation(0);
  EXPECT_EQ(code(options_, never), StatusCode::kInvalidArgument);
  Self nowhere = self;
  nowhere.address.port = 0;
  EXPECT_EQ(code(options_, nowhere), StatusCode::kInvalidArgument);
  Options slow = options_;
  slow.probe_timeout_us = slow.probe_interval_us;
  EXPECT_EQ(code(slow, self), StatusCode::kInvalidArgument);
  Options small = options_;
  small.packet_size_bytes_max = 100;
  EXPECT_EQ(code(small, self), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::swim
