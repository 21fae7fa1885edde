#include "kv/logs/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/str_cat.h"

namespace orochi::kv::logs {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels = {
    {{"debug", Level::kDebug},
     {"info", Level::kInfo},
     {"warning", Level::kWarning},
     {"error", Level::kError}}};
constexpr std::array<std::pair<std::string_view, Format>, 2> kFormats = {
    {{"json", Format::kJson}, {"text", Format::kText}}};

template <class T, size_t kCount>
Result<T> Parse(const std::array<std::pair<std::string_view, T>, kCount>& known,
                std::string_view name) {
  std::string names;
  for (const auto& [text, value] : known) {
    if (text == name) {
      return value;
    }
    names += StrCat(names.empty() ? "" : ", ", text);
  }
  return Status::InvalidArgument(StrCat("found '", name, "', expected one of ", names));
}

// ASCII, so that no reader has to guess; what is no UTF-8 becomes the replacement character.
std::string Quoted(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string ValueOf(const Field& field) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
          return Quoted(value);
        } else {
          return Json(value).dump();
        }
      },
      field.value);
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

std::string WhoOf(const LogOptions& options) {
  if (options.format == Format::kText) {
    return options.node == 0 ? "" : StrCat("node ", options.node, ": ");
  }
  return StrCat(options.cluster.empty() ? "" : StrCat(",\"cluster\":", Quoted(options.cluster)),
                options.node == 0 ? "" : StrCat(",\"node\":", options.node));
}

}  // namespace

struct Log::Sink {
  explicit Sink(std::ostream* out)
      : logger("orochi-kvd",
               out == nullptr ? spdlog::sink_ptr(std::make_shared<spdlog::sinks::stderr_sink_mt>())
                              : std::make_shared<spdlog::sinks::ostream_sink_mt>(*out, true)) {}
  spdlog::logger logger;
};

Result<Level> ParseLevel(std::string_view name) {
  return Parse(kLevels, name);
}

Result<Format> ParseFormat(std::string_view name) {
  return Parse(kFormats, name);
}

Log::Log(const LogOptions& options, std::ostream* out)
    : format_(options.format),
      level_(options.level),
      who_(WhoOf(options)),
      sink_(std::make_unique<Sink>(out)) {
  sink_->logger.set_level(spdlog::level::trace);
  sink_->logger.flush_on(spdlog::level::trace);
  // The library writes time and level, and this file the rest.
  sink_->logger.set_pattern(format_ == Format::kJson
                                ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v",
                            spdlog::pattern_time_type::utc);
}

Log::~Log() = default;

void Log::Write(Level level, std::string_view message, Fields fields) {
  if (!Has(level)) {
    return;
  }
  std::string line = format_ == Format::kJson ? StrCat("\"message\":", Quoted(message), who_)
                                              : StrCat(who_, message);
  for (const Field& field : fields) {
    line += format_ == Format::kJson ? StrCat(",", Quoted(field.name), ":", ValueOf(field))
                                     : StrCat(" ", field.name, "=", ValueOf(field));
  }
  if (format_ == Format::kText) {  // what is said in a message keeps to its line
    std::replace(line.begin(), line.end(), '\n', ' ');
  }
  sink_->logger.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log::Error(std::string_view message, const Status& status) {
  if (status.hint().empty()) {
    Error(StrCat(message, ": ", status.message()), {{"code", StatusCodeName(status.code())}});
  } else {
    Error(StrCat(message, ": ", status.message()),
          {{"code", StatusCodeName(status.code())}, {"hint", status.hint()}});
  }
}

}  // namespace orochi::kv::logs
