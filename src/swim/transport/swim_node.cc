#include "swim/transport/swim_node.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/str_cat.h"
#include "io/posix/directory_lock.h"
#include "io/posix/posix_file_system.h"
#include "io/posix/sockets.h"
#include "io/posix/system_clock.h"
#include "io/posix/system_random.h"
#include "swim/transport/node_identity.h"
#include "swim/transport/stream_frame.h"

namespace orochi::swim {
namespace {

constexpr int kDatagramsPerTurn = 256;
constexpr int kBindTries = 20;

struct Sockets {
  io::StreamListener listener;
  io::DatagramSocket datagrams;
};

// Both on one port, which for "any" takes a few tries.
Result<Sockets> Bind(const io::SocketAddress& address) {
  for (int tries = 1;; ++tries) {
    ASSIGN_OR_RETURN(auto listener, io::StreamListener::Bind(address));
    auto datagrams = io::DatagramSocket::Bind(listener.address());
    if (datagrams.ok()) {
      return Sockets{std::move(listener), *std::move(datagrams)};
    }
    if (address.port != 0 || tries == kBindTries) {
      return datagrams.status();
    }
  }
}

// One stream, ours (it waits for an answer to `token`) or somebody else's.
struct Connection {
  io::StreamSocket socket;
  std::optional<uint64_t> token;
  int64_t deadline_us;
  StreamFrame in{};
  std::vector<std::byte> out{};
  size_t written = 0;
  bool done = false;
};

}  // namespace

class SwimNode::Loop {
 public:
  Loop(NodeOptions options, io::DirectoryLock lock, Sockets sockets, io::Waker waker)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        sockets_(std::move(sockets)),
        waker_(std::move(waker)) {}
  ~Loop() { Stop(); }

  Status Prepare() {
    io::PosixFileSystem files;
    ASSIGN_OR_RETURN(NodeIdentity const identity,
                     OpenNodeIdentity(files, options_.data_directory, options_.cluster, random_));
    Options swim = options_.swim;
    if (!options_.keys.empty()) {
      ASSIGN_OR_RETURN(sealer_, Sealer::Create(options_.keys, random_));
      swim.packet_size_bytes_max -= std::min(swim.packet_size_bytes_max, kSealSizeBytes);
    }
    ASSIGN_OR_RETURN(core_, SwimCore::Create(swim,
                                             {.cluster = identity.cluster,
                                              .id = identity.id,
                                              .generation = identity.generation,
                                              .address = sockets_.listener.address()},
                                             Now(), random_));
    core_->SetSeeds(options_.seeds);
    self_ = core_->self();
    Publish();
    return Status::Ok();
  }

  void Begin() {
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() {
    {
      std::lock_guard const guard(mutex_);
      stopping_ = true;
    }
    waker_.Wake();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  // Runs in the node's thread before it looks at the clock again.
  void Post(std::function<void(SwimCore&)> command) {
    {
      std::lock_guard const guard(mutex_);
      commands_.push_back(std::move(command));
    }
    waker_.Wake();
  }

  Status AwaitLeft(int64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    bool const left = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] {
      return standing_ == Standing::kLeft || standing_ == Standing::kQuarantined || stopping_;
    });
    return left ? Status::Ok()
                : Status::Timeout(StrCat("SWIM: goodbye was not said within ", timeout_ms, " ms"));
  }

  const Record& self() const { return self_; }
  const io::SocketAddress& address() const { return sockets_.listener.address(); }
  std::vector<Record> members() const {
    std::lock_guard const guard(mutex_);
    return members_;
  }
  Standing standing() const {
    std::lock_guard const guard(mutex_);
    return standing_;
  }
  Counters counters() const {
    std::lock_guard const guard(mutex_);
    return counters_;
  }

 private:
  int64_t Now() { return clock_.MonotonicNanos() / 1000; }

  void Run() {
    while (RunCommands()) {
      Flush();
      Wait();
      // What waited in the sockets comes before the clock: see SwimCore, "Time".
      ReceiveDatagrams();
      AcceptStreams();
      for (Connection& connection : connections_) {
        Serve(connection);
      }
      DropDone();
      core_->Tick(Now());
      Flush();
      Publish();
    }
  }

  // False when this is the end.
  bool RunCommands() {
    std::vector<std::function<void(SwimCore&)>> commands;
    {
      std::lock_guard const guard(mutex_);
      if (stopping_) {
        return false;
      }
      commands.swap(commands_);
    }
    for (const auto& command : commands) {
      command(*core_);
    }
    return true;
  }

  void Wait() {
    entries_.clear();
    entries_.push_back({.descriptor = waker_.descriptor()});
    entries_.push_back({.descriptor = sockets_.datagrams.descriptor()});
    entries_.push_back({.descriptor = sockets_.listener.descriptor()});
    int64_t due_us = core_->next_tick_us();
    for (const Connection& connection : connections_) {
      entries_.push_back({.descriptor = connection.socket.descriptor(),
                          .wants_write = connection.written < connection.out.size()});
      due_us = std::min(due_us, connection.deadline_us);
    }
    int64_t const wait_ms = std::clamp<int64_t>((due_us - Now() + 999) / 1000, 0, 1'000);
    io::Poll(entries_, static_cast<int>(wait_ms));
    if (entries_[0].readable) {
      waker_.Clear();
    }
  }

  void ReceiveDatagrams() {
    for (int count = 0; count < kDatagramsPerTurn; ++count) {
      auto const size_bytes = sockets_.datagrams.Receive(buffer_);
      if (!size_bytes.has_value()) {
        return;
      }
      std::span<const std::byte> const bytes = std::span(buffer_).first(*size_bytes);
      if (!sealer_.has_value()) {
        core_->OnDatagram(bytes).IgnoreError("the core counts what it refuses");
      } else if (auto plain = sealer_->Open(bytes); plain.ok()) {
        core_->OnDatagram(*plain).IgnoreError("the core counts what it refuses");
      }
    }
  }

  void AcceptStreams() {
    while (connections_.size() < kConnectionsMax) {
      auto accepted = sockets_.listener.Accept();
      if (!accepted.has_value()) {
        return;
      }
      connections_.push_back({.socket = *std::move(accepted),
                              .token = std::nullopt,
                              .deadline_us = Now() + kStreamPatienceMs * 1000});
    }
  }

  std::vector<std::byte> Sealed(std::vector<std::byte> bytes) {
    return sealer_.has_value() ? sealer_->Seal(bytes) : std::move(bytes);
  }

  void OpenStream(StreamRequest request) {
    auto socket = connections_.size() < kConnectionsMax
                      ? io::StreamSocket::Connect(request.to)
                      : Result<io::StreamSocket>(Status::ResourceExhausted("too many streams"));
    if (!socket.ok()) {
      core_->OnStreamFailed(request.token);
      return;
    }
    connections_.push_back({.socket = *std::move(socket),
                            .token = request.token,
                            .deadline_us = Now() + kStreamPatienceMs * 1000,
                            .out = StreamFrame::Encode(Sealed(std::move(request.bytes)))});
  }

  // Both ways as far as it goes. A stream is done when its answer was read, or written.
  void Serve(Connection& connection) {
    while (!connection.done && connection.written < connection.out.size()) {
      auto const written =
          connection.socket.Write(std::span(connection.out).subspan(connection.written));
      if (!written.ok()) {
        Fail(connection);
      } else if (*written == 0) {
        break;
      } else {
        connection.written += *written;
        connection.done =
            !connection.token.has_value() && connection.written == connection.out.size();
      }
    }
    while (!connection.done && !connection.in.IsWhole()) {
      auto const size_bytes = connection.socket.Read(buffer_);
      if (!size_bytes.ok() || !connection.in.Add(std::span(buffer_).first(*size_bytes))) {
        Fail(connection);
      } else if (*size_bytes == 0) {
        break;
      } else if (connection.in.IsWhole()) {
        Answer(connection);
      }
    }
    if (!connection.done && Now() >= connection.deadline_us) {
      Fail(connection);
    }
  }

  void Answer(Connection& connection) {
    auto plain = sealer_.has_value()
                     ? sealer_->Open(connection.in.bytes())
                     : Result<std::vector<std::byte>>(std::vector<std::byte>(
                           connection.in.bytes().begin(), connection.in.bytes().end()));
    if (!plain.ok()) {
      Fail(connection);
      return;
    }
    if (connection.token.has_value()) {
      connection.done = true;
      core_->OnStreamReply(*connection.token, *plain).IgnoreError("the core counts it");
      return;
    }
    auto reply = core_->OnStreamRequest(*plain);
    if (!reply.ok()) {
      Fail(connection);
      return;
    }
    connection.out = StreamFrame::Encode(Sealed(*std::move(reply)));
    Serve(connection);
  }

  void Fail(Connection& connection) {
    connection.done = true;
    if (connection.token.has_value()) {
      core_->OnStreamFailed(*connection.token);
    }
  }

  void DropDone() {
    std::erase_if(connections_, [](const Connection& connection) { return connection.done; });
  }

  void Flush() {
    while (core_->HasOutput()) {
      Output output = core_->TakeOutput();
      for (Datagram& datagram : output.datagrams) {
        sockets_.datagrams.Send(datagram.to, Sealed(std::move(datagram.bytes)));
      }
      for (StreamRequest& request : output.streams) {
        OpenStream(std::move(request));
      }
      if (!output.events.empty()) {
        Publish();
      }
      for (const Event& event : output.events) {
        if (options_.on_event) {
          options_.on_event(event);
        }
      }
    }
  }

  void Publish() {
    std::vector<Record> members{core_->self()};
    for (const auto& [id, member] : core_->members()) {
      members.push_back(member.record);
    }
    std::lock_guard const guard(mutex_);
    members_ = std::move(members);
    counters_ = core_->counters();
    if (standing_ != core_->standing()) {
      standing_ = core_->standing();
      changed_.notify_all();
    }
  }

  // The node's thread alone, once it runs.
  NodeOptions options_;
  io::DirectoryLock lock_;
  Sockets sockets_;
  io::Waker waker_;
  io::SystemClock clock_;
  io::SystemRandom random_;
  std::optional<Sealer> sealer_;
  std::unique_ptr<SwimCore> core_;
  std::vector<Connection> connections_;
  std::vector<io::PollEntry> entries_;
  std::array<std::byte, 65'536> buffer_{};
  Record self_;  // as it started; not changed afterwards
  std::thread thread_;

  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::vector<std::function<void(SwimCore&)>> commands_;
  std::vector<Record> members_;
  Standing standing_ = Standing::kMember;
  Counters counters_;
  bool stopping_ = false;
};

Result<std::unique_ptr<SwimNode>> SwimNode::Start(NodeOptions options) {
  ASSIGN_OR_RETURN(auto lock, io::DirectoryLock::Acquire(options.data_directory));
  ASSIGN_OR_RETURN(auto sockets, Bind(options.listen));
  ASSIGN_OR_RETURN(auto waker, io::Waker::Create());
  auto loop = std::make_unique<Loop>(std::move(options), std::move(lock), std::move(sockets),
                                     std::move(waker));
  RETURN_IF_ERROR(loop->Prepare());
  loop->Begin();
  return std::unique_ptr<SwimNode>(new SwimNode(std::move(loop)));
}

SwimNode::SwimNode(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
SwimNode::~SwimNode() = default;

const io::SocketAddress& SwimNode::address() const {
  return loop_->address();
}
NodeId SwimNode::id() const {
  return loop_->self().id;
}
Generation SwimNode::generation() const {
  return loop_->self().generation;
}
std::vector<Record> SwimNode::Members() const {
  return loop_->members();
}
Standing SwimNode::standing() const {
  return loop_->standing();
}
Counters SwimNode::counters() const {
  return loop_->counters();
}

void SwimNode::SetSeeds(std::vector<io::SocketAddress> seeds) {
  loop_->Post([seeds = std::move(seeds)](SwimCore& core) { core.SetSeeds(seeds); });
}

Status SwimNode::SetHints(uint64_t meta_version, uint64_t load, std::string payload) {
  if (payload.size() > kHintPayloadSizeBytesMax || meta_version > kVersionMax) {
    return Status::InvalidArgument(StrCat("SWIM: hints of ", payload.size(),
                                          " bytes, expected at most ", kHintPayloadSizeBytesMax));
  }
  loop_->Post([meta_version, load, payload = std::move(payload)](SwimCore& core) {
    core.SetHints(meta_version, load, payload).IgnoreError("checked above");
  });
  return Status::Ok();
}

Status SwimNode::Leave(int64_t timeout_ms) {
  loop_->Post([](SwimCore& core) { core.Leave(); });
  return loop_->AwaitLeft(timeout_ms);
}

void SwimNode::Stop() {
  loop_->Stop();
}

}  // namespace orochi::swim
