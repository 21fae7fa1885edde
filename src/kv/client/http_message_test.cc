// Goal: requests are what HTTP/1.1 says; responses are read in all their forms, from bytes in any
// portions, and what is none is refused.
// Method: whole responses, cut at every place; damaged ones.
#include "kv/client/http_message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"

namespace orochi::kv::client {
namespace {

TEST(HttpMessageTest, ARequestHasItsHeadersAndBody) {
  EXPECT_EQ(
      FormatRequest("POST", "/v1/write", "kv:8001", {{"Accept", "x"}}, "abc"),
      "POST /v1/write HTTP/1.1\r\nHost: kv:8001\r\nAccept: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(FormatRequest("POST", "/v1/txn/begin", "kv", {}, ""),
            "POST /v1/txn/begin HTTP/1.1\r\nHost: kv\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(FormatRequest("GET", "/", "kv", {}, ""), "GET / HTTP/1.1\r\nHost: kv\r\n\r\n");
}

TEST(HttpMessageTest, WhatIsNoLetterIsEncoded) {
  EXPECT_EQ(PercentEncode("a-Z.9_~"), "a-Z.9_~");
  EXPECT_EQ(PercentEncode("a/b c%\xc3\xa4+="), "a%2Fb%20c%25%C3%A4%2B%3D");
}

struct Case {
  std::string bytes;
  int status;
  std::string body;
  bool keeps_alive;
};

TEST(HttpMessageTest, ResponsesAreReadInPortionsOfAnySize) {
  const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello", 200, "hello", true},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, "", false},
      {"HTTP/1.0 404 No\nConnection: Keep-Alive\nContent-Length: 1\n\nx", 404, "x", true},
      {"HTTP/1.0 404 No\r\nContent-Length: 1\r\n\r\nx", 404, "x", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
      {"HTTP/1.1 200\r\nTransfer-Encoding: "
       "chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\n"
       "Trailer: x\r\n\r\n",
       200, "hello0123456789", true},
      {"HTTP/1.1 200 OK\r\n\r\nuntil it ends", 200, "until it ends", false},
  };
  for (const Case& one : cases) {
    for (size_t cut = 0; cut <= one.bytes.size(); ++cut) {
      SCOPED_TRACE(StrCat(one.bytes, " cut at ", cut));
      ResponseReader reader;
      auto const first = reader.Take(std::string_view(one.bytes).substr(0, cut));
      ASSERT_TRUE(first.ok()) << first.status().ToString();
      ASSERT_EQ(*first, cut);
      auto const second = reader.Take(std::string_view(one.bytes).substr(cut));
      ASSERT_TRUE(second.ok()) << second.status().ToString();
      ASSERT_TRUE(reader.End().ok());
      EXPECT_EQ(reader.keeps_alive(), one.keeps_alive);
      HttpResponse const response = reader.TakeResponse();
      EXPECT_EQ(response.status, one.status);
      EXPECT_EQ(response.body, one.body);
    }
  }
}

TEST(HttpMessageTest, WhatComesAfterAResponseIsLeft) {
  ResponseReader reader;
  std::string const bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP";
  auto const used = reader.Take(bytes);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(*used, bytes.size() - 4);
}

TEST(HttpMessageTest, AnEndBeforeTheEndIsNoResponse) {
  for (const char* bytes :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    ResponseReader reader;
    ASSERT_TRUE(reader.Take(bytes).ok());
    EXPECT_EQ(reader.End().code(), StatusCode::kUnavailable) << bytes;
  }
}

TEST(HttpMessageTest, DamageIsRefused) {
  const std::vector<std::string> cases = {
      "SSH-2.0-OpenSSH\r\n",
      "HTTP/1.1 2OO OK\r\n",
      "HTTP/1.1 099 OK\r\n",
      "HTTP/2.0 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n",
      "HTTP/1.1 200 OK\r\n: v\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5 \r\nContent-Length: x\r\nTransfer-Encoding: "
      "gzip\r\n\r\n",
      StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kResponseSizeBytesMax + 1, "\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
      StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(kHeadSizeBytesMax, 'a')),
  };
  for (const std::string& bytes : cases) {
    ResponseReader reader;
    auto const used = reader.Take(bytes);
    EXPECT_EQ(used.status().code(), StatusCode::kCorruption) << bytes.substr(0, 80);
  }
}

}  // namespace
}  // namespace orochi::kv::client
