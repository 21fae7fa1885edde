#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace orochi::kv::client {

inline constexpr size_t kHeadSizeBytesMax = 64 * 1024;
inline constexpr size_t kResponseSizeBytesMax = 64 * 1024 * 1024;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request of HTTP/1.1 as bytes. `target` is a path with parameters, encoded.
std::string FormatRequest(std::string_view method, std::string_view target, std::string_view host,
                          const Headers& headers, std::string_view body);

/// All bytes but letters, digits and -._~ as %XX: for a segment of a path, or a parameter's value.
std::string PercentEncode(std::string_view text);

struct HttpResponse {
  int status = 0;
  Headers headers = {};  // names in small letters
  std::string body = {};

  /// "" when there is none.
  std::string_view Header(std::string_view name) const;
};

/// Reads one response from bytes as they come: with a length, in chunks, or until the end of the
/// connection.
///
/// Life: Take* until done(); End() when the connection has ended.    Bounds: those above.
class ResponseReader {
 public:
  /// How many bytes were used; fewer than given only when it is done. kCorruption: this is no
  /// HTTP/1.1.
  Result<size_t> Take(std::string_view bytes);
  /// kUnavailable: the response was not all there.
  Status End();

  bool done() const { return state_ == State::kDone; }
  bool began() const { return began_; }
  /// The connection can be used again. REQUIRES: done().
  bool keeps_alive() const { return keeps_alive_; }
  HttpResponse TakeResponse() { return std::move(response_); }

 private:
  enum class State { kHead, kBody, kChunkSize, kChunk, kChunkEnd, kTrailer, kToEnd, kDone };

  Result<size_t> TakeLine(std::string_view bytes, bool& whole);
  Status ReadHeadLine();
  Status ReadStatusLine();
  Status HeadEnded();
  Status ReadChunkSize();
  size_t TakeBody(std::string_view bytes);

  State state_ = State::kHead;
  bool began_ = false;
  bool keeps_alive_ = true;
  std::string line_;
  size_t head_size_bytes_ = 0;
  size_t left_bytes_ = 0;  // of the body, or of a chunk
  HttpResponse response_;
};

}  // namespace orochi::kv::client
