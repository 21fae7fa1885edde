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

Status CannotLook(std::string_view verb, const fs::path& path, const std::error_code& error) {
  std::string const message = StrCat("cannot ", verb, " ", path.string(), ": ", error.message());
  return error == std::errc::permission_denied ? Status::PermissionDenied(message).WithHint(
                                                     "let this user read it and enter the "
                                                     "directories above it (chmod, chown), or run "
                                                     "orochi as one who may")
                                               : Status::IoError(message);
}

Status NoCsvFile(const fs::path& directory, const fs::path& compressed) {
  return Status::NotFound(StrCat("there is no .csv file in ", directory.string(), " or below"))
      .WithHint(compressed.empty()
                    ? std::string("name the files themselves when they end otherwise")
                    : StrCat("unpack those that are compressed first, as ", compressed.string()));
}

Status AddDirectory(const fs::path& directory, std::vector<InputFile>& files) {
  size_t const count_before = files.size();
  std::error_code error;
  fs::path compressed;
  fs::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries->is_regular_file() && HasCsvExtension(entries->path())) {
      files.push_back(
          MakeInputFile(entries->path(), entries->path().lexically_relative(directory)));
    } else if (HasCsvExtension(entries->path().stem())) {
      compressed = entries->path();  // as a.csv.gz
    }
  }
  if (error) {
    return CannotLook("list all of", directory, error);
  }
  return files.size() == count_before ? NoCsvFile(directory, compressed) : Status::Ok();
}

Status AddArgument(const std::string& argument, std::vector<InputFile>& files) {
  fs::path const path = fs::path(argument).lexically_normal();
  std::error_code error;
  fs::file_status const status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return Status::NotFound(StrCat("there is no file or directory ", argument))
        .WithHint(path.is_relative() ? StrCat("check the name; it is looked for in ",
                                              fs::current_path(error).string())
                                     : std::string("check the name"));
  }
  if (error) {
    return CannotLook("look at", path, error);
  }
  if (fs::is_directory(status)) {
    return AddDirectory(path, files);
  }
  if (!fs::is_regular_file(status)) {
    return Status::InvalidArgument(StrCat(argument, " is neither a file nor a directory"))
        .WithHint("files are read twice, so write what a pipe gives into a file first");
  }
  files.push_back(MakeInputFile(path, path.filename()));
  return Status::Ok();
}

}  // namespace

Result<std::vector<InputFile>> FindInputFiles(const std::vector<std::string>& arguments,
                                              bool needs_distinct_series) {
  std::vector<InputFile> files;
  for (const std::string& argument : arguments) {
    RETURN_IF_ERROR(AddArgument(argument, files));
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
