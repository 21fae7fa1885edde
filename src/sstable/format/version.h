#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orochi::sstable {

/// How partitions are found: by Index.db and Summary.db, or by the tries of Partitions.db and
/// Rows.db.
enum class IndexFormat : uint8_t { kBig, kBti };

/// "big" or "bti", as in file names.
std::string_view IndexFormatName(IndexFormat format);

/// The version of an SSTable, two letters in its file names, and what follows from it. Letters are
/// compared as text: a later version has what an earlier one of the same format has, unless a gate
/// below says otherwise.
class Version {
 public:
  /// Reads ma to me, na to nc and oa with `big`, da with `bti`. Anything else is kUnsupported and
  /// named.
  static Result<Version> Parse(std::string_view letters, IndexFormat format);

  static Version Nb() { return Version("nb", IndexFormat::kBig); }
  static Version Oa() { return Version("oa", IndexFormat::kBig); }
  static Version Da() { return Version("da", IndexFormat::kBti); }

  std::string_view letters() const { return {letters_, 2}; }
  IndexFormat format() const { return format_; }
  bool is_bti() const { return format_ == IndexFormat::kBti; }

  // Statistics.db
  bool has_commit_log_lower_bound() const { return is_bti() || letters() >= "mb"; }
  bool has_commit_log_intervals() const { return is_bti() || letters() >= "mc"; }
  /// me and nb on, but not na.
  bool has_originating_host_id() const {
    return is_bti() || letters() == "me" || letters() >= "nb";
  }
  bool has_pending_repair() const { return is_bti() || letters() >= "na"; }
  bool has_metadata_checksums() const { return is_bti() || letters() >= "na"; }
  bool has_legacy_min_max_clustering() const { return !has_covered_slice(); }
  /// Covered slice, key range, partition deletions and token space coverage.
  bool has_covered_slice() const { return is_bti() || letters() >= "oa"; }

  // CompressionInfo.db
  bool has_max_compressed_length() const { return is_bti() || letters() >= "na"; }
  // Filter.db
  bool has_big_endian_bloom_words() const { return !is_bti() && letters() < "na"; }
  // Data.db: deletion times are unsigned, and absolute ones have the short form for "live".
  bool has_unsigned_deletion_times() const { return is_bti() || letters() >= "oa"; }

  friend bool operator==(const Version& a, const Version& b) {
    return a.letters() == b.letters() && a.format_ == b.format_;
  }

 private:
  Version(std::string_view letters, IndexFormat format)
      : letters_{letters[0], letters[1]}, format_(format) {}

  char letters_[2];
  IndexFormat format_;
};

}  // namespace orochi::sstable
