// Checking.
#include "sstable/read/verify.h"

#include "bindings/c/internal/call.h"
#include "bindings/c/internal/handles.h"
#include "sstable/verify/check_values.h"

struct orochi_sst_report {
  size_t sstable_count = 0;
  uint64_t partition_count = 0;
  uint64_t row_count = 0;
  uint64_t cell_count = 0;
  uint64_t finding_count = 0;
  std::vector<std::string> findings;
};

namespace orochi::cabi {

namespace {

Status VerifyOne(io::FileSystem& files, const sstable::SstableInput& input,
                 orochi_sst_report& report) {
  ASSIGN_OR_RETURN(sstable::VerifyReport const found,
                   sstable::Verify(files, input.directory, input.descriptor));
  std::vector<std::string> findings = found.findings;
  uint64_t left_out = found.findings_left_out;
  if (found.good()) {
    // Values can be looked at where everything can be read.
    ASSIGN_OR_RETURN(auto const reader,
                     sstable::SstableReader::Open(files, input.directory, input.descriptor));
    ASSIGN_OR_RETURN(sstable::ValueReport const values, sstable::CheckValues(*reader));
    findings = values.findings;
    left_out = values.findings_left_out;
  }
  report.finding_count += findings.size() + left_out;
  for (const std::string& finding : findings) {
    report.findings.push_back(StrCat(input.Name(), ": ", finding));
  }
  report.partition_count += found.partitions;
  report.row_count += found.rows;
  report.cell_count += found.cells;
  ++report.sstable_count;
  return Status::Ok();
}

}  // namespace

}  // namespace orochi::cabi

using orochi::Result;
using orochi::cabi::GiveText;

int32_t orochi_sst_verify(const orochi_sst_text* paths, size_t path_count,
                          orochi_sst_report** report, orochi_sst_error** error) {
  return orochi::cabi::Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(report);
    *report = nullptr;
    REQUIRE_ARGUMENT(paths);
    std::vector<std::string> names;
    for (size_t index = 0; index < path_count; ++index) {
      ASSIGN_OR_RETURN(std::string_view const path, orochi::cabi::TextOf(paths[index], "paths"));
      names.emplace_back(path);
    }
    orochi::io::PosixFileSystem files;
    ASSIGN_OR_RETURN(auto const inputs, orochi::sstable::FindSstables(files, names));
    auto made = std::make_unique<orochi_sst_report>();
    for (const orochi::sstable::SstableInput& input : inputs) {
      RETURN_IF_ERROR(orochi::cabi::VerifyOne(files, input, *made));
    }
    int32_t const good = made->finding_count == 0 ? 1 : 0;
    *report = made.release();
    return good;
  });
}

void orochi_sst_report_free(orochi_sst_report* report) {
  delete report;
}

size_t orochi_sst_report_sstable_count(const orochi_sst_report* report) {
  return report == nullptr ? 0 : report->sstable_count;
}

uint64_t orochi_sst_report_partition_count(const orochi_sst_report* report) {
  return report == nullptr ? 0 : report->partition_count;
}

uint64_t orochi_sst_report_row_count(const orochi_sst_report* report) {
  return report == nullptr ? 0 : report->row_count;
}

uint64_t orochi_sst_report_cell_count(const orochi_sst_report* report) {
  return report == nullptr ? 0 : report->cell_count;
}

uint64_t orochi_sst_report_finding_count(const orochi_sst_report* report) {
  return report == nullptr ? 0 : report->finding_count;
}

const char* orochi_sst_report_finding(const orochi_sst_report* report, size_t index, size_t* size) {
  bool const has = report != nullptr && index < report->findings.size();
  return GiveText(has ? report->findings[index] : std::string_view(), size);
}
