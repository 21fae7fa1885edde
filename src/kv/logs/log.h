#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/status.h"

namespace orochi::kv::logs {

enum class Level : uint8_t { kDebug, kInfo, kWarning, kError };
enum class Format : uint8_t {
  kJson,  // an object a line, as Loki and others read it
  kText,  // for people
};
/// kInvalidArgument names what there is.
Result<Level> ParseLevel(std::string_view name);
Result<Format> ParseFormat(std::string_view name);

struct Field {
  std::string_view name;
  std::variant<std::string_view, int64_t, double, bool> value;

  Field(std::string_view its_name, std::string_view text) : name(its_name), value(text) {}
  Field(std::string_view its_name, const std::string& text)
      : name(its_name), value(std::string_view(text)) {}
  Field(std::string_view its_name, const char* text)
      : name(its_name), value(std::string_view(text)) {}
  Field(std::string_view its_name, int64_t number) : name(its_name), value(number) {}
  Field(std::string_view its_name, int number) : name(its_name), value(int64_t{number}) {}
  Field(std::string_view its_name, uint32_t number) : name(its_name), value(int64_t{number}) {}
  Field(std::string_view its_name, double number) : name(its_name), value(number) {}
  Field(std::string_view its_name, bool truth) : name(its_name), value(truth) {}
};
using Fields = std::initializer_list<Field>;

struct LogOptions {
  Format format = Format::kJson;
  Level level = Level::kInfo;  // and above
  std::string cluster{};       // in each line, when not empty
  uint32_t node = 0;           // likewise, when not 0
};

/// Lines of what happens in a process, each with time (UTC, RFC 3339), level, message, node,
/// cluster and fields. In JSON every line is one object of ASCII; text that is no UTF-8 is
/// repaired. Names of fields: time, level, message, cluster and node are taken.
///
/// Threads: any. Each line is written at once, whole.    Borrows: out.
class Log {
 public:
  /// Standard error, when `out` is null.
  explicit Log(const LogOptions& options, std::ostream* out = nullptr);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Has(Level level) const { return level >= level_; }
  void Write(Level level, std::string_view message, Fields fields = {});
  void Debug(std::string_view message, Fields fields = {}) {
    Write(Level::kDebug, message, fields);
  }
  void Info(std::string_view message, Fields fields = {}) { Write(Level::kInfo, message, fields); }
  void Warning(std::string_view message, Fields fields = {}) {
    Write(Level::kWarning, message, fields);
  }
  void Error(std::string_view message, Fields fields = {}) {
    Write(Level::kError, message, fields);
  }
  /// With the status' code, and its hint if it has one.
  void Error(std::string_view message, const Status& status);

 private:
  struct Sink;
  const Format format_;
  const Level level_;
  const std::string who_;  // members of each line
  const std::unique_ptr<Sink> sink_;
};

}  // namespace orochi::kv::logs
