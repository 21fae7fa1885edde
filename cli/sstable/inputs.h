#pragma once

#include "sstable/table/open_table.h"

namespace orochi::cli {

// What subcommands are asked to read.
using sstable::FindSstables;
using sstable::OpenTable;
using sstable::OpenTableOf;
using sstable::SstableInput;
using sstable::TableDirectory;
using sstable::TableOfDirectory;
using sstable::TableRequest;

}  // namespace orochi::cli
