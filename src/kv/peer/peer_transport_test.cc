// Goal: frames arrive once and in order or not at all, over reconnects and moves; queues are
// bounded; strangers are refused and do not storm; Stop ends everything whatever is under way.
// Method: transports of one process over loopback, each with its loop; a client that speaks the
// protocol wrongly. Every wait is for an event, and bounded.
#include "kv/peer/peer_transport.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

#include "kv/peer/internal/peer_address.h"
#include "kv/peer/testing/test_node.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Impatient;
using testing::TestNode;

uint64_t NumberOf(const std::string& frame) {
  return std::stoull(frame);
}

void ExpectAscending(const std::vector<std::string>& frames) {
  for (size_t index = 1; index < frames.size(); ++index) {
    ASSERT_LT(NumberOf(frames[index - 1]), NumberOf(frames[index])) << "at " << index;
  }
}

std::string Numbered(uint64_t number, size_t size_bytes) {
  std::string frame = std::to_string(number) + " ";
  frame.resize(std::max(size_bytes, frame.size()), 'x');
  return frame;
}

TEST(PeerTransport, CarriesFramesBothWaysOnceAndInOrderOnEachLane) {
  constexpr uint64_t kFrames = 5000;
  TestNode first(1);
  TestNode second(2);
  first.SetPeer(second);
  second.SetPeer(first);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  ASSERT_TRUE(second.AwaitState(NodeNumber(1), LinkState::kConnected));
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected, Lane::kBulk));
  SeededRandom random(7);
  for (uint64_t number = 0; number < kFrames; ++number) {
    std::string frame = Numbered(number, random.Below(1000));
    std::string bulk = Numbered(number, 2000);
    first.loop().Post([&first, frame] {
      ASSERT_EQ(first.transport().Send(NodeNumber(2), Lane::kUrgent, frame), SendResult::kQueued);
    });
    first.loop().Post([&first, bulk] {
      ASSERT_EQ(first.transport().Send(NodeNumber(2), Lane::kBulk, bulk), SendResult::kQueued);
    });
    second.loop().Post([&second, frame] {
      ASSERT_EQ(second.transport().Send(NodeNumber(1), Lane::kUrgent, frame), SendResult::kQueued);
    });
  }
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), kFrames));
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), kFrames, Lane::kBulk));
  ASSERT_TRUE(first.AwaitFrames(NodeNumber(2), kFrames));
  for (const auto& frames : {second.Frames(NodeNumber(1)), first.Frames(NodeNumber(2)),
                             second.Frames(NodeNumber(1), Lane::kBulk)}) {
    ASSERT_EQ(frames.size(), kFrames);
    ExpectAscending(frames);
  }
  LinkStatistics const link = first.Link(NodeNumber(2));
  EXPECT_EQ(link.sent_frame_count, kFrames);
  EXPECT_EQ(link.queue_size_bytes, 0U);
  EXPECT_EQ(link.connected_count, 1U);
  auto const inbound = second.transport().statistics().inbound;
  EXPECT_EQ(inbound.at({NodeNumber(1), Lane::kUrgent}).frame_count, kFrames);
  EXPECT_EQ(inbound.at({NodeNumber(1), Lane::kUrgent}).size_bytes, link.sent_size_bytes);
}

TEST(PeerTransport, SendsWhatABatchOfTheLoopMakesInOneMessage) {
  constexpr int kFrames = 100;
  TestNode first(1);
  TestNode second(2);
  first.SetPeer(second);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  first.OnLoop([&] {
    for (int number = 0; number < kFrames; ++number) {
      first.transport().Send(NodeNumber(2), Lane::kUrgent, Numbered(number, 10));
    }
    return 0;
  });
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), kFrames));
  EXPECT_EQ(first.Link(NodeNumber(2)).sent_message_count, 1U);
}

TEST(PeerTransport, KeepsWhatIsSentWhileItConnects) {
  TestNode first(1);
  TestNode second(2);
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, "0"), SendResult::kUnknownPeer);
  first.OnLoop([&] {
    EXPECT_TRUE(first.transport().SetPeer(NodeNumber(2), second.address()).ok());
    EXPECT_EQ(first.transport().Send(NodeNumber(2), Lane::kUrgent, "1"), SendResult::kQueued);
    return 0;
  });
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), 1));
  EXPECT_THAT(second.Frames(NodeNumber(1)), ElementsAre("1"));
}

TEST(PeerTransport, ReconnectsWhenThePeerComesBackAndDropsMeanwhile) {
  TestNode first(1, Impatient());
  auto second = std::make_unique<TestNode>(2);
  std::string const address = second->address();
  first.SetPeer(*second);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  first.Send(NodeNumber(2), Lane::kUrgent, "1");
  ASSERT_TRUE(second->AwaitFrames(NodeNumber(1), 1));
  second.reset();
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kWaiting));
  ASSERT_TRUE(first.Await([&] { return first.Link(NodeNumber(2)).failed_count >= 3; }))
      << "it goes on trying";
  // Between attempts frames are dropped, during one they wait for its end: counted either way.
  for (int number = 0; number < 50; ++number) {
    first.Send(NodeNumber(2), Lane::kUrgent, "2");
  }
  ASSERT_TRUE(first.Await([&] { return first.Link(NodeNumber(2)).unreachable_drop_count >= 50; }));

  TransportOptions options;
  options.listen = address;
  TestNode again(2, options);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, "3"), SendResult::kQueued);
  ASSERT_TRUE(again.AwaitFrames(NodeNumber(1), 1));
  EXPECT_THAT(again.Frames(NodeNumber(1)), ElementsAre("3"));
  LinkStatistics const link = first.Link(NodeNumber(2));
  EXPECT_EQ(link.connected_count, 2U);
  EXPECT_EQ(link.unreachable_drop_count, 50U);
}

TEST(PeerTransport, FollowsAPeerToAnotherAddress) {
  TransportOptions patient;
  patient.backoff_us_min = patient.backoff_us_max = 3'600'000'000;  // no help from retries
  TestNode first(1, patient);
  auto second = std::make_unique<TestNode>(2);
  first.SetPeer(*second);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  TestNode moved(2);
  second.reset();
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kWaiting));
  first.SetPeer(moved);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  first.Send(NodeNumber(2), Lane::kUrgent, "1");
  ASSERT_TRUE(moved.AwaitFrames(NodeNumber(1), 1));
  first.OnLoop([&] {
    first.transport().RemovePeer(NodeNumber(2));
    return 0;
  });
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, "2"), SendResult::kUnknownPeer);
}

TEST(PeerTransport, IsRefusedByAnotherClusterAndDoesNotInsist) {
  TestNode first(1, Impatient());
  TransportOptions other;
  other.cluster = "other";
  TestNode second(2, other);
  first.SetPeer(second);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kRefused));
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kRefused, Lane::kBulk));
  EXPECT_EQ(first.Why(), "refused: cluster test, this is a node of cluster other");
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, "1"), SendResult::kUnreachable);
  // Many times the backoff of a peer that is merely away.
  std::promise<void> passed;
  first.loop().Post([&] { first.loop().After(1'000'000, [&] { passed.set_value(); }); });
  passed.get_future().wait();
  EXPECT_EQ(first.Link(NodeNumber(2)).refused_count, 1U);
  EXPECT_EQ(first.Link(NodeNumber(2)).failed_count, 0U);
  EXPECT_EQ(second.transport().statistics().refused_inbound_count, 2U) << "one a lane";
  EXPECT_TRUE(second.Frames(NodeNumber(1)).empty());
}

TEST(PeerTransport, IsRefusedByAnotherNodeThatHasTheAddressNow) {
  TestNode first(1, Impatient());
  TestNode third(3);
  first.SetPeer(NodeNumber(2), third.address());
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kRefused));
  EXPECT_EQ(first.Why(), "refused: meant for node 2, this is node 3");
  // Told where node 2 is, it tries at once.
  TestNode second(2);
  first.SetPeer(second);
  EXPECT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
}

TEST(PeerTransport, TakesFramesUpToTheLargestAndRefusesLarger) {
  constexpr size_t kLargest = 3 << 20;
  TransportOptions options;
  options.frame_size_bytes_max = kLargest;
  TestNode first(1, options);
  TestNode second(2, options);
  first.SetPeer(second);
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, std::string(kLargest + 1, 'x')),
            SendResult::kTooLarge);
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, std::string(kLargest, 'x')),
            SendResult::kQueued);
  EXPECT_EQ(first.Send(NodeNumber(2), Lane::kUrgent, ""), SendResult::kQueued);
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), 2));
  EXPECT_EQ(second.Frames(NodeNumber(1))[0].size(), kLargest);
  EXPECT_EQ(second.Frames(NodeNumber(1))[1], "");
  EXPECT_EQ(first.Link(NodeNumber(2)).connected_count, 1U);
}

TEST(PeerTransport, DropsWhenItsQueueIsFullAndTheReceiverDoesNotKeepUp) {
  constexpr size_t kFrameSizeBytes = 8 << 10;
  constexpr uint64_t kFramesMax = 100'000;  // far more than sockets and windows take
  TransportOptions options;
  options.frame_size_bytes_max = kFrameSizeBytes;
  options.message_size_bytes_max = 64 << 10;
  options.queue_size_bytes_max = 1 << 20;
  options.unhandled_size_bytes_max = 256 << 10;
  TestNode first(1, options);
  TestNode second(2, options);
  first.SetPeer(second);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected));
  std::promise<void> go_on;
  second.loop().Post([&] { go_on.get_future().wait(); });
  uint64_t sent_count = 0;
  SendResult result = SendResult::kQueued;
  for (; result == SendResult::kQueued && sent_count < kFramesMax; ++sent_count) {
    result = first.Send(NodeNumber(2), Lane::kUrgent, Numbered(sent_count, kFrameSizeBytes));
  }
  EXPECT_EQ(result, SendResult::kQueueFull);
  LinkStatistics link = first.Link(NodeNumber(2));
  EXPECT_EQ(link.full_drop_count, 1U);
  EXPECT_LE(link.queue_size_bytes, options.queue_size_bytes_max);
  go_on.set_value();
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), sent_count - 1)) << "and what was queued arrives";
  ExpectAscending(second.Frames(NodeNumber(1)));
  EXPECT_EQ(first.Link(NodeNumber(2)).connected_count, 1U);
}

TEST(PeerTransport, StopsWithFramesUnderWay) {
  for (int round = 0; round < 20; ++round) {
    TestNode first(1, Impatient());
    TestNode second(2, Impatient());
    first.SetPeer(second);
    second.SetPeer(first);
    std::atomic<bool> flooding = true;
    std::thread flood([&] {
      while (flooding) {
        for (TestNode* node : {&first, &second}) {
          NodeNumber const to(3 - node->number().value());
          node->loop().Post([node, to] {
            node->transport().Send(to, Lane::kUrgent, std::string(500, 'x'));
            node->transport().Send(to, Lane::kBulk, std::string(50'000, 'x'));
          });
        }
        std::this_thread::yield();
      }
    });
    if (round > 0) {  // else while it connects
      EXPECT_TRUE(second.AwaitFrames(NodeNumber(1), static_cast<size_t>(round)));
    }
    if (round % 2 == 0) {
      first.loop().Stop();  // the loop first: allowed too
    }
    first.Stop();
    flooding = false;
    flood.join();
  }
}

TEST(PeerTransport, ListensInPlaintextOnLoopbackOnly) {
  io::SystemClock clock;
  SeededRandom random(1);
  auto loop = runtime::EventLoop::Start({}, clock, {});
  ASSERT_TRUE(loop.ok());
  TransportOptions options;
  options.cluster = "test";
  options.self = NodeNumber(1);
  options.listen = "0.0.0.0:0";
  auto const refused = PeerTransport::Start(options, **loop, random, {});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.status().message(), "peers: listening on 0.0.0.0:0 without TLS is refused");
  EXPECT_THAT(refused.status().hint(), HasSubstr("Configure certificate, key and authority"));

  TestNode node(1);
  node.OnLoop([&] {
    for (const char* address : {"10.0.0.1:7000", "node-2.example:7000", "[2001:db8::1]:7000"}) {
      Status const status = node.transport().SetPeer(NodeNumber(2), address);
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << address;
      EXPECT_FALSE(status.hint().empty());
    }
    EXPECT_EQ(node.transport().SetPeer(NodeNumber(1), "127.0.0.1:1").code(),
              StatusCode::kInvalidArgument)
        << "itself";
    return 0;
  });
  // One address, one node.
  options.listen = node.address();
  EXPECT_EQ(PeerTransport::Start(options, **loop, random, {}).status().code(),
            StatusCode::kUnavailable);
}

TEST(PeerAddress, IsHostAndPort) {
  struct Case {
    const char* text;
    const char* target;
    bool is_loopback;
  };
  for (const Case& good :
       {Case{"127.0.0.1:7000", "ipv4:127.0.0.1:7000", true},
        Case{"127.3.2.1:1", "ipv4:127.3.2.1:1", true}, Case{"[::1]:7000", "ipv6:[::1]:7000", true},
        Case{"localhost:7000", "dns:///localhost:7000", true},
        Case{"0.0.0.0:7000", "ipv4:0.0.0.0:7000", false},
        Case{"[::]:7000", "ipv6:[::]:7000", false},
        Case{"10.1.2.3:65535", "ipv4:10.1.2.3:65535", false},
        Case{"kv-0.kv.svc:7000", "dns:///kv-0.kv.svc:7000", false}}) {
    auto const address = ParsePeerAddress(good.text);
    ASSERT_TRUE(address.ok()) << address.status().ToString();
    EXPECT_EQ(address->target, good.target);
    EXPECT_EQ(address->is_loopback, good.is_loopback) << good.text;
  }
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "host:70000", "host:-1", ":7000",
                          "unix:/tmp/x", "xds:///a:1", "a/b:1", "::1:7000", "host:7000x"}) {
    EXPECT_EQ(ParsePeerAddress(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

// One who dials and does not keep to the protocol.
class Stranger {
 public:
  explicit Stranger(const std::string& address)
      : stub_(v1::Peer::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
        stream_(stub_->Stream(&context_)) {}

  static v1::PeerMessage Hello() {
    v1::PeerMessage message;
    message.mutable_hello()->set_protocol_version(1);
    message.mutable_hello()->set_cluster("test");
    message.mutable_hello()->set_from(9);
    message.mutable_hello()->set_to(1);
    return message;
  }
  void Write(const v1::PeerMessage& message) { stream_->Write(message); }
  bool ReadWelcome() {
    v1::PeerReply reply;
    return stream_->Read(&reply) && reply.has_welcome();
  }
  grpc::Status End() {
    v1::PeerReply reply;
    while (stream_->Read(&reply)) {
    }
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::Peer::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PeerMessage, v1::PeerReply>> stream_;
};

TEST(PeerTransport, RefusesWhoeverDoesNotKeepToTheProtocol) {
  TestNode node(1);
  auto const refusal = [&](const v1::PeerMessage& message) {
    Stranger stranger(node.address());
    stranger.Write(message);
    grpc::Status const status = stranger.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    return status.error_message();
  };
  v1::PeerMessage frames;
  frames.mutable_frames()->add_frames("x");
  EXPECT_EQ(refusal(frames), "the first message is no Hello");
  EXPECT_EQ(refusal(v1::PeerMessage()), "the first message is no Hello");
  v1::PeerMessage hello = Stranger::Hello();
  hello.mutable_hello()->set_protocol_version(2);
  EXPECT_EQ(refusal(hello), "refused: protocol version 2, expected 1");
  hello = Stranger::Hello();
  hello.mutable_hello()->set_lane(2);
  EXPECT_EQ(refusal(hello), "refused: lane 2, expected less than 2");
  hello = Stranger::Hello();
  hello.mutable_hello()->set_from(1);
  EXPECT_EQ(refusal(hello), "refused: from node 1, which is no peer of node 1");

  Stranger twice(node.address());
  twice.Write(Stranger::Hello());
  EXPECT_TRUE(twice.ReadWelcome());
  twice.Write(Stranger::Hello());
  EXPECT_EQ(twice.End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(PeerTransport, EndsTheOldStreamOfANodeThatDialsAgain) {
  TestNode node(1);
  Stranger before(node.address());
  before.Write(Stranger::Hello());
  ASSERT_TRUE(before.ReadWelcome());
  v1::PeerMessage frames;
  frames.mutable_frames()->add_frames("1");
  before.Write(frames);
  ASSERT_TRUE(node.AwaitFrames(NodeNumber(9), 1));
  Stranger after(node.address());
  after.Write(Stranger::Hello());
  ASSERT_TRUE(after.ReadWelcome());
  EXPECT_EQ(before.End().error_code(), grpc::StatusCode::ABORTED);
  frames.mutable_frames()->set_frames(0, "2");
  after.Write(frames);
  ASSERT_TRUE(node.AwaitFrames(NodeNumber(9), 2));
  EXPECT_THAT(node.Frames(NodeNumber(9)), ElementsAre("1", "2"));
}

TEST(PeerTransport, BoundsTheStreamsOfOthersAndHowLongTheyAreSilent) {
  TransportOptions options;
  options.inbound_stream_count_max = 1;
  options.connect_timeout_us = 300'000;
  TestNode node(1, options);
  Stranger silent(node.address());
  // Nothing is written, so gRPC opens the stream with the first read.
  EXPECT_EQ(silent.End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Stranger greeted(node.address());
  greeted.Write(Stranger::Hello());
  ASSERT_TRUE(greeted.ReadWelcome());
  Stranger one_too_many(node.address());
  one_too_many.Write(Stranger::Hello());
  EXPECT_EQ(one_too_many.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
TEST(Admission, IsAskedOfOneNodeAfterTheOtherAndAnsweredOnce) {
  TransportOptions options;
  AdmissionRequest asked;
  TestNode deaf(1);  // lets nobody in
  TestNode host(2, options, [&asked](AdmissionRequest request, const AnswerAdmission& answer) {
    asked = std::move(request);
    if (asked.identity == "unwanted") {
      answer(Status::FailedPrecondition("it was sent away"));
    } else {
      answer(Admission{.number = 7, .map = "a map"});
    }
  });
  AdmissionOptions const ask{.cluster = "test", .addresses = {deaf.address(), host.address()}};
  Result<Admission> const admitted = AskForAdmission(ask, {.identity = "i", .address = "here"});
  ASSERT_TRUE(admitted.ok()) << admitted.status().ToString();
  EXPECT_EQ(admitted->number, 7U);
  EXPECT_EQ(admitted->map, "a map");
  EXPECT_EQ(asked.address, "here");

  Result<Admission> const unwanted = AskForAdmission(ask, {.identity = "unwanted"});
  EXPECT_EQ(unwanted.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(unwanted.status().message().find("sent away"), std::string::npos);

  Result<Admission> const stranger =
      AskForAdmission({.cluster = "another", .addresses = {host.address()}}, {.identity = "i"});
  EXPECT_EQ(stranger.status().code(), StatusCode::kFailedPrecondition);
  Result<Admission> const nobody = AskForAdmission(
      {.cluster = "test", .addresses = {deaf.address()}, .within_us = 300'000}, {.identity = "i"});
  EXPECT_EQ(nobody.status().code(), StatusCode::kUnavailable);
}

}  // namespace orochi::kv::peer
