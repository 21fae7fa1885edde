// Goal: what is counted is exposed once, under its name, in the text format with labels escaped;
// loop and transport show what they did. Method: goldens of the text; a loop and two transports on
// loopback.
#include "kv/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

#include "kv/metrics/node_metrics.h"
#include "kv/peer/testing/test_node.h"

namespace orochi::kv::metrics {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, ExposesCountersGaugesAndHistogramsWithLabelsEscaped) {
  Metrics metrics;
  metrics.AddCounter("orochi_kv_test_total", "Counted.", {{"path", "a\"b\\c\nd"}}).Increment(3);
  metrics.AddGauge("orochi_kv_test_bytes", "Held.").Set(2.5);
  Histogram& histogram = metrics.AddHistogram("orochi_kv_test_seconds", "Took.", {0.001, 0.1});
  histogram.Observe(0.0005);
  histogram.Observe(0.05);
  histogram.Observe(7);
  metrics.AddSource([](Samples& samples) {
    samples.Counter("orochi_kv_sampled_total", "Counted elsewhere.", 1, {{"lane", "a"}});
    samples.Counter("orochi_kv_sampled_total", "Counted elsewhere.", 2, {{"lane", "b"}});
    samples.Gauge("orochi_kv_sampled_bytes", "Held elsewhere.", 4);
  });
  std::string const text = metrics.Expose();
  EXPECT_THAT(text, HasSubstr("# HELP orochi_kv_test_total Counted.\n"
                              "# TYPE orochi_kv_test_total counter\n"
                              "orochi_kv_test_total{path=\"a\\\"b\\\\c\\nd\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE orochi_kv_test_bytes gauge\norochi_kv_test_bytes 2.5\n"));
  EXPECT_THAT(text, HasSubstr("orochi_kv_test_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("orochi_kv_test_seconds_bucket{le=\"0.001\"} 1\n"
                              "orochi_kv_test_seconds_bucket{le=\"0.1\"} 2\n"
                              "orochi_kv_test_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# HELP orochi_kv_sampled_total Counted elsewhere.\n"
                              "# TYPE orochi_kv_sampled_total counter\n"
                              "orochi_kv_sampled_total{lane=\"a\"} 1\n"
                              "orochi_kv_sampled_total{lane=\"b\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("orochi_kv_sampled_bytes 4\n"));
}

TEST(Metrics, CountsWhatManyThreadsCount) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20'000;
  Metrics metrics;
  Counter& counter = metrics.AddCounter("orochi_kv_test_total", "Counted.");
  Histogram& histogram = metrics.AddHistogram("orochi_kv_test_seconds", "Took.", LatencyBuckets());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int time = 0; time < kTimes; ++time) {
        counter.Increment();
        histogram.Observe(0.5);
      }
    });
  }
  EXPECT_THAT(metrics.Expose(), HasSubstr("orochi_kv_test_total"));  // meanwhile
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(metrics.Expose(), HasSubstr("orochi_kv_test_total 80000\n"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("orochi_kv_test_seconds_count 80000\n"));
}

TEST(Metrics, RefusesNamesAndHelpThatAreNotInTheHousesForm) {
  Metrics metrics;
  EXPECT_DEATH(metrics.AddCounter("orochi_kv_test", "No _total."), "_total");
  EXPECT_DEATH(metrics.AddGauge("orochi_kv_test_total", "A counter's name."), "_total");
  EXPECT_DEATH(metrics.AddGauge("test_bytes", "Whose?"), "orochi_kv_");
  EXPECT_DEATH(metrics.AddGauge("orochi_kv_test_bytes", "Two\nlines."), "help");
}

TEST(NodeMetrics, ShowWhatLoopAndTransportDid) {
  peer::testing::TestNode first(1);
  peer::testing::TestNode second(2);
  first.SetPeer(second);
  ASSERT_TRUE(first.AwaitState(second.number(), peer::LinkState::kConnected));
  first.Send(second.number(), peer::Lane::kUrgent, "12345");
  first.Send(second.number(), peer::Lane::kUrgent, "678");
  ASSERT_TRUE(second.AwaitFrames(first.number(), 2));

  Metrics metrics;
  LoopMetrics loop(metrics);
  loop.Note({.lag_ns = 2'000, .run_ns = 20'000, .task_count = 1});
  loop.Note({.run_ns = 2'000'000'000});  // a tick alone has no lag
  AddLoop(metrics, first.loop());
  AddTransport(metrics, first.transport());
  std::string const text = metrics.Expose();
  for (const char* line :
       {"orochi_kv_peer_sent_frames_total{lane=\"urgent\",peer=\"2\"} 2",
        "orochi_kv_peer_sent_bytes_total{lane=\"urgent\",peer=\"2\"} 8",
        "orochi_kv_peer_up{lane=\"urgent\",peer=\"2\"} 1",
        "orochi_kv_peer_dropped_frames_total{lane=\"bulk\",peer=\"2\",reason=\"full\"} 0",
        "orochi_kv_peer_refused_inbound_total 0", "orochi_kv_loop_lag_seconds_count 1",
        "orochi_kv_loop_batch_seconds_count 2", "orochi_kv_loop_batch_seconds_bucket{le=\"1\"} 1",
        "orochi_kv_loop_batch_seconds_bucket{le=\"3\"} 2"}) {
    EXPECT_THAT(text, HasSubstr(std::string(line) + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("orochi_kv_loop_queue_length "));
  EXPECT_THAT(text, HasSubstr("orochi_kv_loop_tasks_total "));
  Metrics of_second;
  AddTransport(of_second, second.transport());
  EXPECT_THAT(of_second.Expose(),
              HasSubstr("orochi_kv_peer_received_bytes_total{lane=\"urgent\",peer=\"1\"} 8\n"));

  std::set<std::string> types;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(types.insert(line).second) << "each family once: " << line;
    }
  }
}

}  // namespace
}  // namespace orochi::kv::metrics
