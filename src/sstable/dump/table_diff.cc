#include "sstable/dump/table_diff.h"

#include "base/str_cat.h"
#include "sstable/dump/json_dump.h"

namespace orochi::sstable {

namespace {

/// One of the two streams, a step ahead.
class Side {
 public:
  explicit Side(UnfilteredStream& stream)
      : stream_(stream),
        text_(stream.layout(), {.raw_timestamps = true, .positions = false},
              [](std::string_view) { return Status::Ok(); }) {}

  Status NextPartition() {
    ASSIGN_OR_RETURN(has_partition_, stream_.NextPartition());
    return Status::Ok();
  }
  Status NextRow() {
    ASSIGN_OR_RETURN(has_row_, stream_.Next());
    return Status::Ok();
  }
  bool has_partition() const { return has_partition_; }
  bool has_row() const { return has_row_; }
  const PartitionView& partition() const { return stream_.partition(); }
  const Unfiltered& row() const { return stream_.current(); }
  Result<std::string> PartitionText() { return text_.TextOf(stream_.partition()); }
  Result<std::string> RowText() { return text_.TextOf(stream_.current()); }
  Result<std::string> StaticText() {
    if (stream_.static_row().empty_row()) {
      return std::string();
    }
    return text_.TextOf(stream_.static_row());
  }

 private:
  UnfilteredStream& stream_;
  JsonDump text_;
  bool has_partition_ = false;
  bool has_row_ = false;
};

class Differ {
 public:
  Differ(UnfilteredStream& left, UnfilteredStream& right,
         const std::function<Status(std::string_view)>& output)
      : layout_(left.layout()), left_(left), right_(right), output_(output) {}

  Result<DiffReport> Run() {
    RETURN_IF_ERROR(left_.NextPartition());
    RETURN_IF_ERROR(right_.NextPartition());
    while (left_.has_partition() || right_.has_partition()) {
      ++report_.partitions;
      int const order = Order(left_.has_partition(), right_.has_partition(), [&] {
        return layout_.CompareKeys(left_.partition().key, right_.partition().key);
      });
      if (order == 0) {
        RETURN_IF_ERROR(ComparePartitions());
        RETURN_IF_ERROR(left_.NextPartition());
        RETURN_IF_ERROR(right_.NextPartition());
        continue;
      }
      Side& side = order < 0 ? left_ : right_;
      ++(order < 0 ? report_.left_only : report_.right_only);
      ASSIGN_OR_RETURN(std::string const text, side.PartitionText());
      RETURN_IF_ERROR(Line(order < 0 ? "- partition " : "+ partition ", text));
      RETURN_IF_ERROR(side.NextPartition());
    }
    return report_;
  }

 private:
  /// Which side comes first; one that has ended comes last.
  template <class Compare>
  static int Order(bool left, bool right, Compare compare) {
    return left && right ? compare() : left ? -1 : 1;
  }

  Status Line(std::string_view before, std::string_view text) {
    return output_(StrCat(before, text, "\n"));
  }

  /// The heading of a partition that differs, once.
  Status Differs() {
    if (!heading_written_) {
      heading_written_ = true;
      ++report_.changed;
      return Line("@ partition ", heading_);
    }
    return Status::Ok();
  }

  Status Only(bool is_left, std::string_view text) {
    RETURN_IF_ERROR(Differs());
    return Line(is_left ? "-   " : "+   ", text);
  }

  Status CompareTexts(const std::string& left, const std::string& right) {
    if (left == right) {
      return Status::Ok();
    }
    if (!left.empty()) {
      RETURN_IF_ERROR(Only(true, left));
    }
    return right.empty() ? Status::Ok() : Only(false, right);
  }

  Status ComparePartitions() {
    heading_written_ = false;
    ASSIGN_OR_RETURN(heading_, left_.PartitionText());
    ASSIGN_OR_RETURN(std::string const other, right_.PartitionText());
    RETURN_IF_ERROR(CompareTexts(heading_, other));
    ASSIGN_OR_RETURN(std::string const left_static, left_.StaticText());
    ASSIGN_OR_RETURN(std::string const right_static, right_.StaticText());
    RETURN_IF_ERROR(CompareTexts(left_static, right_static));
    RETURN_IF_ERROR(left_.NextRow());
    RETURN_IF_ERROR(right_.NextRow());
    while (left_.has_row() || right_.has_row()) {
      int const order = Order(left_.has_row(), right_.has_row(), [&] {
        return layout_.clustering.Compare(left_.row().clustering, right_.row().clustering);
      });
      std::string left_text;
      std::string right_text;
      if (order <= 0) {
        ASSIGN_OR_RETURN(left_text, left_.RowText());
      }
      if (order >= 0) {
        ASSIGN_OR_RETURN(right_text, right_.RowText());
      }
      RETURN_IF_ERROR(CompareTexts(left_text, right_text));
      if (order <= 0) {
        RETURN_IF_ERROR(left_.NextRow());
      }
      if (order >= 0) {
        RETURN_IF_ERROR(right_.NextRow());
      }
    }
    return Status::Ok();
  }

  const Layout& layout_;
  Side left_;
  Side right_;
  const std::function<Status(std::string_view)>& output_;
  DiffReport report_;
  std::string heading_;
  bool heading_written_ = false;
};

}  // namespace

Result<DiffReport> DiffTables(UnfilteredStream& left, UnfilteredStream& right,
                              const std::function<Status(std::string_view line)>& output) {
  const Layout& a = left.layout();
  const Layout& b = right.layout();
  bool same = a.partitioner == b.partitioner && SameType(*a.key_type, *b.key_type) &&
              a.clustering.column_count() == b.clustering.column_count();
  for (size_t index = 0; same && index < a.clustering.column_count(); ++index) {
    same = SameType(*a.clustering.types()[index], *b.clustering.types()[index]);
  }
  if (!same) {
    return Status::InvalidArgument(
        "the two sides have another partitioner or another primary key: they are not of one table");
  }
  return Differ(left, right, output).Run();
}

}  // namespace orochi::sstable
