#include "pg/injection.h"

#if defined(OROCHI_SLOW_ASSERTS)

#include <csignal>

extern "C" {
#include "access/xlog.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
}

namespace orochi::pg {
namespace {

enum class Action { kNone, kWait, kKill, kCrash, kError };

constexpr int kRulesMax = 16;
constexpr int kNameSizeMax = 64;

struct Rule {
  char point[kNameSizeMax];
  Action action;
  int argument;  // kWait: the advisory lock's key; otherwise at which visit it happens
  int visits;
};

struct Rules {
  int count;
  Rule rules[kRulesMax];
};

Rules active_rules;
char* injection_text = nullptr;

bool ParseAction(const char* text, Rule* rule) {
  char word[16] = {};
  char after = '\0';
  int const fields = sscanf(text, "%15[a-z]:%d%c", word, &rule->argument, &after);
  if (fields == 1) {
    rule->argument = 1;
  } else if (fields != 2 || rule->argument < 1) {
    return false;
  }
  bool const has_argument = fields == 2;
  size_t const word_size = strlen(word);
  if (!has_argument && text[word_size] != '\0') {
    return false;
  }
  if (strcmp(word, "wait") == 0 && has_argument) {
    rule->action = Action::kWait;
  } else if (strcmp(word, "kill") == 0) {
    rule->action = Action::kKill;
  } else if (strcmp(word, "crash") == 0) {
    rule->action = Action::kCrash;
  } else if (strcmp(word, "error") == 0) {
    rule->action = Action::kError;
  } else {
    return false;
  }
  return true;
}

bool ParseRules(const char* text, Rules* out) {
  *out = {};
  char buffer[1024];
  if (strlen(text) >= sizeof(buffer)) {
    return false;
  }
  strcpy(buffer, text);
  char* rest = nullptr;
  for (char* item = strtok_r(buffer, ", ", &rest); item != nullptr;
       item = strtok_r(nullptr, ", ", &rest)) {
    char* const equals = strchr(item, '=');
    if (equals == nullptr || equals == item || equals - item >= kNameSizeMax ||
        out->count == kRulesMax) {
      return false;
    }
    Rule* const rule = &out->rules[out->count++];
    memcpy(rule->point, item, static_cast<size_t>(equals - item));
    if (!ParseAction(equals + 1, rule)) {
      return false;
    }
  }
  return true;
}

bool CheckInjection(char** new_value, void** extra, GucSource) {
  Rules parsed;
  if (!ParseRules(*new_value == nullptr ? "" : *new_value, &parsed)) {
    GUC_check_errdetail(
        "Expected a list of point=wait:KEY, point=kill[:N], point=crash[:N] or point=error[:N].");
    return false;
  }
  auto* const kept = static_cast<Rules*>(malloc(sizeof(Rules)));  // GUC frees it with free()
  if (kept == nullptr) {
    return false;
  }
  *kept = parsed;
  *extra = kept;
  return true;
}

void AssignInjection(const char*, void* extra) {
  active_rules = extra == nullptr ? Rules{} : *static_cast<Rules*>(extra);
  internal::injection_active = active_rules.count > 0;
}

void Act(Rule* rule) {
  switch (rule->action) {
    case Action::kWait: {
      Datum const key = Int64GetDatum(rule->argument);
      DirectFunctionCall1(pg_advisory_lock_shared_int8, key);
      DirectFunctionCall1(pg_advisory_unlock_shared_int8, key);
      return;
    }
    case Action::kKill:
      if (++rule->visits == rule->argument) {
        kill(getpid(), SIGKILL);
      }
      return;
    case Action::kCrash:
      if (++rule->visits == rule->argument) {
        XLogFlush(XactLastRecEnd);
        kill(getpid(), SIGKILL);
      }
      return;
    case Action::kError:
      if (++rule->visits == rule->argument) {
        ereport(ERROR,
                (errcode(ERRCODE_INTERNAL_ERROR), errmsg("injected error at \"%s\"", rule->point)));
      }
      return;
    case Action::kNone:
      return;
  }
}

}  // namespace

namespace internal {

bool injection_active = false;

void ReachInjectionPoint(const char* name) noexcept {
  for (int index = 0; index < active_rules.count; ++index) {
    if (strcmp(active_rules.rules[index].point, name) == 0) {
      Act(&active_rules.rules[index]);
    }
  }
}

}  // namespace internal

void DefineInjectionSetting() {
  DefineCustomStringVariable("orochi.injection",
                             "What happens at named points of the code; for tests.", nullptr,
                             &injection_text, "", PGC_SUSET, GUC_NOT_IN_SAMPLE, &CheckInjection,
                             &AssignInjection, nullptr);
}

}  // namespace orochi::pg

#else

namespace orochi::pg {
void DefineInjectionSetting() {}
}  // namespace orochi::pg

#endif
