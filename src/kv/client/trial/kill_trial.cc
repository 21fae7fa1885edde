// kv_client_trial NODE,NODE,... SECONDS: the client beside nodes that are killed. Some threads
// write keys, each once; others move money between accounts. After that every key that was
// acknowledged is read, and the accounts' sum: prints what it counted, and ends with 1 when
// something is not as told.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "io/posix/system_clock.h"
#include "kv/client/client.h"

namespace {

using namespace orochi;
using namespace orochi::kv::client;

constexpr int kWriters = 3;
constexpr int kMovers = 3;
constexpr int kAccounts = 8;
constexpr int64_t kMoney = 100;
const Target kAccount{.collection = "bank", .schema = "account"};

struct Trial {
  std::unique_ptr<Client> client;
  std::atomic<bool> ends{false};
  std::mutex mutex;
  std::map<std::string, std::string> acknowledged;  // guarded by mutex
  std::atomic<int> unknown_writes{0};
  std::atomic<int> moved{0};
  std::atomic<int> unknown_moves{0};
  std::atomic<int> failed{0};
};

void Explain(const char* what, const Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
}

Status MakeBank(Client& client) {
  auto made = client.CreateCollection({.name = "bank", .partition_count = 4});
  if (!made.ok()) {
    return std::move(made).status();
  }
  ASSIGN_OR_RETURN(SchemaDefinition const schema,
                   client.CreateSchema("bank", {.name = "account",
                                                .version = 1,
                                                .fields = {{.name = "id", .type = "int64"},
                                                           {.name = "money", .type = "int64"}},
                                                .partition_key = {"id"}}));
  for (int id = 0; id < kAccounts; ++id) {
    ASSIGN_OR_RETURN(
        Written const written,
        client.WriteOne(Write::Put({"bank", schema.name}, {{"id", id}, {"money", kMoney}})));
    static_cast<void>(written);
  }
  return Status::Ok();
}

void WriteKeys(Trial& trial, int writer) {
  for (int number = 0; !trial.ends; ++number) {
    std::string const key = StrCat("writer", writer, "-", number);
    std::string const value = StrCat("value ", number);
    Status const put = trial.client->PutKey(key, value);
    if (put.ok()) {
      std::lock_guard const lock(trial.mutex);
      trial.acknowledged[key] = value;
    } else if (put.code() == StatusCode::kOutcomeUnknown) {
      ++trial.unknown_writes;
    } else {
      ++trial.failed;
      Explain("write", put);
    }
  }
}

Result<int64_t> MoneyOf(Transaction& transaction, int id) {
  ASSIGN_OR_RETURN(ReadAnswer const read, transaction.Read(kAccount, {{"id", id}}));
  const Value* const money = read.record.Find("money");
  return money != nullptr ? money->AsInt64().value_or(0) : 0;
}

Status Move(Transaction& transaction, int from, int to, int64_t amount) {
  ASSIGN_OR_RETURN(int64_t const before, MoneyOf(transaction, from));
  ASSIGN_OR_RETURN(int64_t const there, MoneyOf(transaction, to));
  ASSIGN_OR_RETURN(
      Written const written,
      transaction.WriteAll({Write::Update(kAccount, {{"id", from}}, {{"money", before - amount}}),
                            Write::Update(kAccount, {{"id", to}}, {{"money", there + amount}})}));
  return written.done ? Status::Ok() : Status::Internal(written.reason);
}

void MoveMoney(Trial& trial, uint64_t seed) {
  SeededRandom random(seed);
  while (!trial.ends) {
    int const from = static_cast<int>(random.Below(kAccounts));
    int const to = static_cast<int>((from + 1 + random.Below(kAccounts - 1)) % kAccounts);
    auto const amount = static_cast<int64_t>(random.Below(10));
    Status const ran = trial.client->RunTransaction(
        [&](Transaction& transaction) { return Move(transaction, from, to, amount); });
    if (ran.ok()) {
      ++trial.moved;
    } else if (ran.code() == StatusCode::kOutcomeUnknown) {
      ++trial.unknown_moves;
    } else {
      ++trial.failed;  // conflicts, and nodes that are gone before the commit: certain
    }
  }
}

Status Check(Trial& trial) {
  for (const auto& [key, value] : trial.acknowledged) {
    ASSIGN_OR_RETURN(auto const found, trial.client->GetKey(key));
    if (found != value) {
      return Status::Internal(
          StrCat("key ", key, " was acknowledged and has '", found.value_or("nothing"), "'"));
    }
  }
  int64_t sum = 0;
  RETURN_IF_ERROR(trial.client->Scan({.in = kAccount}, [&](const Value& record) {
    sum += record.Find("money")->AsInt64().value_or(0);
    return true;
  }));
  return sum == kMoney * kAccounts ? Status::Ok()
                                   : Status::Internal(StrCat("the accounts have ", sum,
                                                             ", expected ", kMoney * kAccounts));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: kv_client_trial NODE,NODE,... SECONDS\n");
    return 2;
  }
  ClientOptions options{.deadline_us = 20'000'000};
  std::string const nodes = argv[1];
  for (size_t at = 0; at <= nodes.size();) {
    size_t const end = std::min(nodes.find(',', at), nodes.size());
    options.nodes.push_back(nodes.substr(at, end - at));
    at = end + 1;
  }
  Trial trial;
  auto client = Client::Create(options);
  if (!client.ok()) {
    Explain("addresses", client.status());
    return 2;
  }
  trial.client = *std::move(client);
  if (Status const made = MakeBank(*trial.client); !made.ok()) {
    Explain("bank", made);
    return 1;
  }
  std::vector<std::thread> threads;
  for (int index = 0; index < kWriters; ++index) {
    threads.emplace_back([&trial, index] { WriteKeys(trial, index); });
  }
  for (int index = 0; index < kMovers; ++index) {
    threads.emplace_back([&trial, index] { MoveMoney(trial, static_cast<uint64_t>(index)); });
  }
  io::SystemClock clock;
  int64_t const until_ns = clock.MonotonicNanos() + std::atoll(argv[2]) * 1'000'000'000;
  while (clock.MonotonicNanos() < until_ns) {
    io::Poll({}, 50);
  }
  trial.ends = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  Status const checked = Check(trial);
  std::printf("%zu keys acknowledged, %d unknown; %d moves, %d unknown; %d failed\n",
              trial.acknowledged.size(), trial.unknown_writes.load(), trial.moved.load(),
              trial.unknown_moves.load(), trial.failed.load());
  if (!checked.ok()) {
    Explain("check", checked);
    return 1;
  }
  return trial.acknowledged.empty() || trial.moved == 0 ? 1 : 0;
}
