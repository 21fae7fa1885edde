#include "cli/input_files.h"

#include <algorithm>
#include <cctype>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

bool HasCsvExtension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".csv";
}

InputFile MakeInputFile(const fs::path& path, const fs::path& relative) {
  fs::path const series =
      HasCsvExtension(relative) ? relative.parent_path() / relative.stem() : relative;
  std::error_code error;
  uintmax_t const size_bytes = fs::file_size(path, error);
  return {.path = path,
          .name = path.string(),
          .series = series.generic_string(),
          .size_bytes = error ? 0 : size_bytes};
}

Status AddDirectory(const fs::path& directory, std::vector<InputFile>& files) {
  size_t const count_before = files.size();
  std::error_code error;
  fs::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries->is_regular_file() && HasCsvExtension(entries->path())) {
      files.push_back(
          MakeInputFile(entries->path(), entries->path().lexically_relative(directory)));
    }
  }
  if (error) {
    return Status::IoError(StrCat("cannot list ", directory.string(), ": ", error.message()));
  }
  if (files.size() == count_before) {
    return Status::NotFound(StrCat("there is no .csv file in ", directory.string(), " or below"))
        .WithHint("name the files themselves when they end otherwise");
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<InputFile>> FindInputFiles(const std::vector<std::string>& arguments,
                                              bool needs_distinct_series) {
  std::vector<InputFile> files;
  for (const std::string& argument : arguments) {
    fs::path const path = fs::path(argument).lexically_normal();
    std::error_code error;
    fs::file_status const status = fs::status(path, error);
    if (!fs::exists(status)) {
      return Status::NotFound(StrCat("there is no file or directory ", argument));
    }
    if (fs::is_directory(status)) {
      RETURN_IF_ERROR(AddDirectory(path, files));
    } else {
      files.push_back(MakeInputFile(path, path.filename()));
    }
  }
  std::sort(files.begin(), files.end(), [](const InputFile& a, const InputFile& b) {
    return std::tie(a.series, a.path) < std::tie(b.series, b.path);
  });
  for (size_t index = 1; needs_distinct_series && index < files.size(); ++index) {
    if (files[index].series == files[index - 1].series) {
      return Status::InvalidArgument(StrCat("the files ", files[index - 1].name, " and ",
                                            files[index].name, " would both be series \"",
                                            files[index].series, "\""))
          .WithHint("name a directory above both, so that their relative paths differ");
    }
  }
  return files;
}

}  // namespace orochi::cli
