#pragma once

#include <string_view>
#include <vector>

#include "kv/http/message.h"

namespace orochi::kv::http {

/// What a request is for, as one of a few names that metrics and logs have: "/v1/txn/{}/read",
/// "/v1/api/keys/{}", "/api/Read", and kNoRoute for what there is not. They live for ever.
std::string_view RouteOf(std::string_view method, std::string_view path);
std::vector<std::string_view> RouteNames();

inline constexpr std::string_view kNoRoute = "none";

/// Status, code and message of a reply; of the dialect's those within the answer.
void TakeOutcome(const Reply& reply, Served& served);

}  // namespace orochi::kv::http
