#include "kv/node/peer_codec.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

// Each type has its fields named once, in Visit; the writer and the reader take them in that order.
// Numbers are varints, flags 0 or 1, texts and lists begin with their length.

constexpr uint64_t kListLengthMax = 1 << 20;

template <class T>
struct IsTagged : std::false_type {};
template <class Rep, class Tag>
struct IsTagged<Tagged<Rep, Tag>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsPair : std::false_type {};
template <class One, class Other>
struct IsPair<std::pair<One, Other>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

/// The greatest value of an enumeration that may be sent.
constexpr uint64_t LastOf(raft::MessageKind) {
  return static_cast<uint64_t>(raft::MessageKind::kTimeoutNow);
}
constexpr uint64_t LastOf(raft::EntryKind) {
  return static_cast<uint64_t>(raft::EntryKind::kConfiguration);
}
constexpr uint64_t LastOf(PartitionReply::Kind) {
  return static_cast<uint64_t>(PartitionReply::Kind::kLost);
}
constexpr uint64_t LastOf(StatusCode) {
  return static_cast<uint64_t>(StatusCode::kInternal);
}
constexpr uint64_t LastOf(Outcome) {
  return static_cast<uint64_t>(Outcome::kTooOld);
}

template <class Archive>
void Visit(Archive& archive, KeySpan& span) {
  archive(span.begin, span.end);
}
template <class Archive>
void Visit(Archive& archive, TransactionId& id) {
  archive(id.high, id.low, id.start);
}
template <class Archive>
void Visit(Archive& archive, raft::Configuration& configuration) {
  archive(configuration.voters, configuration.outgoing, configuration.learners);
}
template <class Archive>
void Visit(Archive& archive, raft::SnapshotPoint& point) {
  archive(point.index, point.term, point.configuration);
}
template <class Archive>
void Visit(Archive& archive, raft::Entry& entry) {
  archive(entry.index, entry.term, entry.kind, entry.payload);
}
template <class Archive>
void Visit(Archive& archive, raft::Message& message) {
  archive(message.kind, message.from, message.to, message.term, message.index, message.log_term,
          message.commit, message.entries, message.reject, message.hint_index, message.hint_term,
          message.read_round, message.transfer, message.snapshot);
}
template <class Archive>
void Visit(Archive& archive, RaftMessage& message) {
  archive(message.group, message.message);
}
template <class Archive>
void Visit(Archive& archive, CollectRequest& request) {
  archive(request.safepoint);
}
template <class Archive>
void Visit(Archive& archive, ReadRequest& request) {
  archive(request.transaction, request.timestamp, request.span, request.reverse, request.limit);
}
template <class Archive>
void Visit(Archive& archive, WriteRequest& request) {
  archive(request.transaction, request.anchor, request.sequence, request.read_timestamp,
          request.timestamp, request.first_writer_wins, request.key, request.operation);
}
template <class Archive>
void Visit(Archive& archive, OneShotRequest::Operation& operation) {
  archive(operation.key, operation.operation);
}
template <class Archive>
void Visit(Archive& archive, OneShotRequest& request) {
  archive(request.operations);
}
template <class Archive>
void Visit(Archive& archive, RefreshRequest& request) {
  archive(request.transaction, request.spans, request.after, request.until);
}
template <class Archive>
void Visit(Archive& archive, CommitRequest& request) {
  archive(request.transaction, request.anchor, request.timestamp, request.keys);
}
template <class Archive>
void Visit(Archive& archive, AbortRequest& request) {
  archive(request.transaction, request.anchor);
}
template <class Archive>
void Visit(Archive& archive, HeartbeatRequest& request) {
  archive(request.transaction, request.anchor);
}
template <class Archive>
void Visit(Archive& archive, PushRequest& request) {
  archive(request.transaction, request.anchor, request.pusher_start, request.reads,
          request.timestamp);
}
template <class Archive>
void Visit(Archive& archive, ResolveRequest& request) {
  archive(request.transaction, request.committed, request.timestamp, request.keys);
}
template <class Archive>
void Visit(Archive& archive, Answer& answer) {
  archive(answer.outcome, answer.timestamp, answer.rows, answer.resume, answer.results);
}
template <class Archive>
void Visit(Archive& archive, PartitionCall& call) {
  archive(call.call, call.group, call.request);
}
template <class Archive>
void Visit(Archive& archive, PartitionReply& reply) {
  archive(reply.call, reply.kind, reply.answer, reply.code, reply.message, reply.leader);
}
template <class Archive>
void Visit(Archive& archive, StampCall& call) {
  archive(call.call, call.count);
}
template <class Archive>
void Visit(Archive& archive, StampReply& reply) {
  archive(reply.call, reply.first, reply.leader);
}
template <class Archive>
void Visit(Archive& archive, MetaCall& call) {
  archive(call.call, call.command);
}
template <class Archive>
void Visit(Archive& archive, MetaReply& reply) {
  archive(reply.call, reply.kind, reply.answer, reply.code, reply.leader);
}
template <class Archive>
void Visit(Archive& archive, MapCall& call) {
  archive(call.version);
}
template <class Archive>
void Visit(Archive& archive, MapReply& reply) {
  archive(reply.map);
}
template <class Archive>
void Visit(Archive& archive, SnapshotChunk& chunk) {
  archive(chunk.group, chunk.from, chunk.to, chunk.term, chunk.point, chunk.stream, chunk.number,
          chunk.bytes);
}
template <class Archive>
void Visit(Archive& archive, SnapshotReceived& answer) {
  archive(answer.group, answer.to, answer.stream, answer.number, answer.accepted);
}

class Writer {
 public:
  template <class... Fields>
  void operator()(Fields&... fields) {
    (Write(fields), ...);
  }
  std::string Finish() && { return std::move(out_); }

 private:
  void Write(std::string& text) { AppendText(out_, text); }
  void Write(raft::Payload& payload) {
    AppendText(out_, payload == nullptr ? std::string_view() : std::string_view(*payload));
  }
  template <class T>
  void Write(T& value) {
    if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
      AppendVarint(out_, static_cast<uint64_t>(value));
    } else if constexpr (IsTagged<T>::value) {
      AppendVarint(out_, value.value());
    } else if constexpr (IsVector<T>::value) {
      AppendVarint(out_, value.size());
      for (auto& item : value) {
        Write(item);
      }
    } else if constexpr (IsOptional<T>::value) {
      AppendVarint(out_, value ? 1 : 0);
      if (value) {
        Write(*value);
      }
    } else if constexpr (IsPair<T>::value) {
      Write(value.first);
      Write(value.second);
    } else if constexpr (IsVariant<T>::value) {
      AppendVarint(out_, value.index());
      std::visit([this](auto& one) { Write(one); }, value);
    } else {
      Visit(*this, value);
    }
  }

  std::string out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : reader_(std::as_bytes(std::span(bytes))) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (Read(fields), ...);
  }
  bool ok() const { return ok_; }
  bool at_end() const { return reader_.remaining_bytes() == 0; }
  size_t remaining_bytes() const { return reader_.remaining_bytes(); }

 private:
  uint64_t Number(uint64_t max) {
    uint64_t number = 0;
    ok_ = ok_ && reader_.ReadVarintUpTo(max, number);
    return ok_ ? number : 0;
  }
  void Read(std::string& text) { ok_ = ok_ && ReadText(reader_, text); }
  void Read(raft::Payload& payload) {
    std::string bytes;
    Read(bytes);
    if (!bytes.empty()) {
      payload = std::make_shared<const std::string>(std::move(bytes));
    }
  }
  template <class T>
  void Read(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = Number(1) == 1;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(Number(LastOf(T())));
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(Number(std::numeric_limits<T>::max()));
    } else if constexpr (IsTagged<T>::value) {
      using Rep = decltype(value.value());
      value = T(static_cast<Rep>(Number(std::numeric_limits<Rep>::max())));
    } else if constexpr (IsVector<T>::value) {
      // Each item takes a byte at least: a length past the end is not worth memory.
      uint64_t const length = Number(std::min<uint64_t>(kListLengthMax, remaining_bytes()));
      for (uint64_t index = 0; ok_ && index < length; ++index) {
        Read(value.emplace_back());
      }
    } else if constexpr (IsOptional<T>::value) {
      if (Number(1) == 1) {
        Read(value.emplace());
      }
    } else if constexpr (IsPair<T>::value) {
      Read(value.first);
      Read(value.second);
    } else if constexpr (IsVariant<T>::value) {
      ReadOneOf(value, Number(std::variant_size_v<T> - 1));
    } else {
      Visit(*this, value);
    }
  }
  template <size_t kIndex = 0, class... T>
  void ReadOneOf(std::variant<T...>& value, uint64_t index) {
    if constexpr (kIndex < sizeof...(T)) {
      if (index == kIndex) {
        Read(value.template emplace<kIndex>());
      } else {
        ReadOneOf<kIndex + 1>(value, index);
      }
    }
  }

  codec::ByteReader reader_;
  bool ok_ = true;
};

}  // namespace

std::string EncodePeerMessages(const std::vector<PeerMessage>& messages) {
  Writer writer;
  // The writer changes nothing; one list of fields serves it and the reader.
  writer(const_cast<std::vector<PeerMessage>&>(messages));
  return std::move(writer).Finish();
}

Result<std::vector<PeerMessage>> DecodePeerMessages(std::string_view bytes) {
  std::vector<PeerMessage> messages;
  FieldReader reader(bytes);
  reader(messages);
  if (!reader.ok() || !reader.at_end()) {
    return Status::Corruption(StrCat("messages from a node of ", bytes.size(),
                                     " bytes cannot be read, message ", messages.size(), ", ",
                                     reader.remaining_bytes(), " bytes from the end"));
  }
  return messages;
}

}  // namespace orochi::kv
