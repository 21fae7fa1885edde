#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/kv/session.h"
#include "cli/terminal.h"
#include "kv/client/value.h"

namespace orochi::cli {

/// A column of a table: its title, and the member of each object that it shows.
struct KvColumn {
  std::string title;
  std::string member;
  bool is_number = false;
};

/// Prints objects in the form that was asked for: a table of some of their members, an array, or
/// one a line, each with all members.
Status PrintList(const std::vector<kv::client::Value>& objects,
                 const std::vector<KvColumn>& columns, KvForm form, const Terminal& terminal);

/// One object: a line for each member, or JSON.
Status PrintOne(const kv::client::Value& object, KvForm form);

}  // namespace orochi::cli
