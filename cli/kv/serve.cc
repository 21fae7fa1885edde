// `orochi kv serve, join`: a node, by the program orochi-kvd.
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/run_process.h"

namespace orochi::cli {

namespace {

constexpr const char* kServeFooter =
    R"(Becomes orochi-kvd with the arguments that follow; `orochi kv serve --help` shows its
options. It is looked for in $OROCHI_KVD, beside orochi, and on the PATH.

  orochi kv serve --data /tmp/kv1 --node 1 --http 8001 --peer 1=127.0.0.1:7001)";
constexpr const char* kJoinFooter =
    R"(Becomes orochi-kvd as a further node of a cluster that runs: FROM is where one of its
nodes listens for others. The cluster gives it a number.

  orochi kv join 127.0.0.1:7001 --data /tmp/kv4 --listen 127.0.0.1:7004 --http 8004)";

bool CanRun(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

std::string DirectoryOfThisProgram() {
  char path[PATH_MAX];
  ssize_t const size = readlink("/proc/self/exe", path, sizeof(path));
  std::string const text(path, size > 0 ? static_cast<size_t>(size) : 0);
  return text.substr(0, text.rfind('/'));
}

// In the tree of a build it is not beside us.
Result<std::string> FindDaemon() {
  if (const char* const given = getenv("OROCHI_KVD"); given != nullptr && *given != '\0') {
    return CanRun(given)
               ? Result<std::string>(given)
               : Status::NotFound(StrCat("$OROCHI_KVD: cannot run ", std::string_view(given)));
  }
  std::string const here = DirectoryOfThisProgram();
  std::vector<std::string> places = {here + "/orochi-kvd", here + "/../src/kv/server/orochi-kvd"};
  const char* const path = getenv("PATH");
  std::string const directories = path != nullptr ? path : "";
  for (size_t at = 0; at < directories.size();) {
    size_t const end = std::min(directories.find(':', at), directories.size());
    places.push_back(directories.substr(at, end - at) + "/orochi-kvd");
    at = end + 1;
  }
  for (const std::string& place : places) {
    if (CanRun(place)) {
      return place;
    }
  }
  return Status::NotFound("orochi-kvd is not there")
      .WithHint("build it: make release TARGETS=orochi-kvd; or say where it is by $OROCHI_KVD");
}

Status BecomeDaemon(std::vector<std::string> arguments) {
  ASSIGN_OR_RETURN(std::string const program, FindDaemon());
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) == nullptr) {
    return Status::IoError("the working directory is gone");
  }
  return ReplaceProcess(
      {.program = program, .arguments = std::move(arguments), .working_directory = directory});
}

}  // namespace

void AddKvServe(CLI::App& kv, Invocation& invocation) {
  CLI::App* serve = AddCommand(kv, "serve", "Run a node (orochi-kvd)", kServeFooter);
  serve->set_help_flag();  // its own: it is the daemon that explains its options
  serve->prefix_command();
  serve->callback([serve, &invocation] {
    std::vector<std::string> arguments = serve->remaining();
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
      printf("%s\n\n", kServeFooter);
      fflush(stdout);
      arguments = {"--help"};
    }
    invocation.Finish(BecomeDaemon(std::move(arguments)));
  });
  CLI::App* join = AddCommand(kv, "join", "Run a further node of a cluster", kJoinFooter);
  auto const from = std::make_shared<std::string>();
  join->add_option("from", *from, "HOST:PORT where a node listens for others")->required();
  join->prefix_command();
  join->callback([join, from, &invocation] {
    std::vector<std::string> arguments = {"--join", *from};
    for (std::string& argument : join->remaining()) {
      arguments.push_back(std::move(argument));
    }
    invocation.Finish(BecomeDaemon(std::move(arguments)));
  });
}

}  // namespace orochi::cli
