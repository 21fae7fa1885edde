#include "kv/client/http_message.h"

#include <algorithm>
#include <charconv>

#include "base/str_cat.h"

namespace orochi::kv::client {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string SmallLetters(std::string_view text) {
  std::string small(text);
  for (char& letter : small) {
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return small;
}

bool ParseWhole(std::string_view text, int base, size_t& number) {
  auto const end = text.data() + text.size();
  auto const parsed = std::from_chars(text.data(), end, number, base);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

std::string FormatRequest(std::string_view method, std::string_view target, std::string_view host,
                          const Headers& headers, std::string_view body) {
  std::string out = StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n");
  for (const auto& [name, value] : headers) {
    out += StrCat(name, ": ", value, "\r\n");
  }
  if (!body.empty() || method == "POST") {
    out += StrCat("Content-Length: ", body.size(), "\r\n");
  }
  out += "\r\n";
  out += body;
  return out;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (char const letter : text) {
    bool const plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
                       letter == '_' || letter == '~';
    if (plain) {
      out.push_back(letter);
    } else {
      auto const byte = static_cast<uint8_t>(letter);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [its_name, value] : headers) {
    if (its_name == name) {
      return value;
    }
  }
  return "";
}

Result<size_t> ResponseReader::Take(std::string_view bytes) {
  size_t used = 0;
  began_ = began_ || !bytes.empty();
  while (used < bytes.size() && state_ != State::kDone) {
    std::string_view const rest = bytes.substr(used);
    if (state_ == State::kBody || state_ == State::kChunk || state_ == State::kToEnd) {
      used += TakeBody(rest);
      if (response_.body.size() > kResponseSizeBytesMax) {
        return Status::Corruption(
            StrCat("a response of more than ", kResponseSizeBytesMax, " bytes"));
      }
      continue;
    }
    bool whole = false;
    ASSIGN_OR_RETURN(size_t const taken, TakeLine(rest, whole));
    used += taken;
    if (!whole) {
      continue;
    }
    if (state_ == State::kHead) {
      RETURN_IF_ERROR(ReadHeadLine());
    } else if (state_ == State::kChunkSize) {
      RETURN_IF_ERROR(ReadChunkSize());
    } else if (state_ == State::kChunkEnd) {
      if (!line_.empty()) {
        return Status::Corruption("a chunk of a response is longer than it says");
      }
      state_ = State::kChunkSize;
    } else if (line_.empty()) {  // kTrailer
      state_ = State::kDone;
    }
    line_.clear();
  }
  return used;
}

Status ResponseReader::End() {
  if (state_ == State::kToEnd) {
    state_ = State::kDone;
  }
  return done() ? Status::Ok() : Status::Unavailable("the connection ended before the response");
}

Result<size_t> ResponseReader::TakeLine(std::string_view bytes, bool& whole) {
  size_t const end = bytes.find('\n');
  size_t const taken = end == std::string_view::npos ? bytes.size() : end + 1;
  head_size_bytes_ += taken;
  if (head_size_bytes_ > kHeadSizeBytesMax) {
    return Status::Corruption(
        StrCat("a response's head of more than ", kHeadSizeBytesMax, " bytes"));
  }
  line_.append(bytes.substr(0, taken));
  whole = end != std::string_view::npos;
  if (whole) {
    line_.pop_back();
    if (!line_.empty() && line_.back() == '\r') {
      line_.pop_back();
    }
  }
  return taken;
}

Status ResponseReader::ReadHeadLine() {
  if (response_.status == 0) {
    return ReadStatusLine();
  }
  if (line_.empty()) {
    return HeadEnded();
  }
  size_t const colon = line_.find(':');
  if (colon == std::string::npos || colon == 0) {
    return Status::Corruption("a header of a response has no name");
  }
  std::string_view const line = line_;
  response_.headers.emplace_back(SmallLetters(line.substr(0, colon)),
                                 std::string(Trim(line.substr(colon + 1))));
  return Status::Ok();
}

Status ResponseReader::ReadStatusLine() {
  constexpr std::string_view kVersion = "HTTP/1.";
  std::string_view const line = line_;
  size_t status = 0;
  bool const right = line.size() >= 12 && line.starts_with(kVersion) && line[8] == ' ' &&
                     ParseWhole(line.substr(9, 3), 10, status) && status >= 100 &&
                     (line.size() == 12 || line[12] == ' ');
  if (!right) {
    return Status::Corruption("the answer is no HTTP/1.1");
  }
  keeps_alive_ = line[7] != '0';
  response_.status = static_cast<int>(status);
  return Status::Ok();
}

Status ResponseReader::HeadEnded() {
  if (response_.status < 200) {  // an interim response: the real one follows
    response_ = {};
    return Status::Ok();
  }
  std::string const connection = SmallLetters(response_.Header("connection"));
  keeps_alive_ = connection == "keep-alive" || (keeps_alive_ && connection != "close");
  std::string const coding = SmallLetters(response_.Header("transfer-encoding"));
  std::string_view const length = response_.Header("content-length");
  if (response_.status == 204 || response_.status == 304) {
    state_ = State::kDone;
  } else if (coding == "chunked") {
    state_ = State::kChunkSize;
  } else if (!coding.empty()) {
    return Status::Corruption(StrCat("a response in the coding '", coding, "'"));
  } else if (length.empty()) {
    keeps_alive_ = false;
    state_ = State::kToEnd;
  } else if (!ParseWhole(length, 10, left_bytes_) || left_bytes_ > kResponseSizeBytesMax) {
    return Status::Corruption(
        StrCat("a response of '", length, "' bytes, at most ", kResponseSizeBytesMax));
  } else {
    state_ = left_bytes_ == 0 ? State::kDone : State::kBody;
  }
  return Status::Ok();
}

Status ResponseReader::ReadChunkSize() {
  std::string_view const line = Trim(std::string_view(line_).substr(0, line_.find(';')));
  if (!ParseWhole(line, 16, left_bytes_) || left_bytes_ > kResponseSizeBytesMax) {
    return Status::Corruption("a chunk of a response has no size");
  }
  state_ = left_bytes_ == 0 ? State::kTrailer : State::kChunk;
  head_size_bytes_ = 0;
  return Status::Ok();
}

size_t ResponseReader::TakeBody(std::string_view bytes) {
  if (state_ == State::kToEnd) {
    response_.body.append(bytes);
    return bytes.size();
  }
  size_t const taken = std::min(left_bytes_, bytes.size());
  response_.body.append(bytes.substr(0, taken));
  left_bytes_ -= taken;
  if (left_bytes_ == 0) {
    state_ = state_ == State::kChunk ? State::kChunkEnd : State::kDone;
  }
  return taken;
}

}  // namespace orochi::kv::client
