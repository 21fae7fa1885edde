#include "kv/log/file_device.h"

#include <utility>

namespace orochi::kv::log {

Result<std::unique_ptr<FileDevice>> FileDevice::Open(const std::string& directory, Mode mode) {
  ASSIGN_OR_RETURN(io::DirectoryLock lock, io::DirectoryLock::Acquire(directory));
  return std::unique_ptr<FileDevice>(new FileDevice(directory, mode, std::move(lock)));
}

Result<std::shared_ptr<io::DurableFile>> FileDevice::Find(const std::string& name) {
  std::lock_guard const guard(mutex_);
  auto const known = open_.find(name);
  if (known != open_.end()) {
    return known->second;
  }
  ASSIGN_OR_RETURN(io::DurableFile file, io::DurableFile::Open(PathOf(name), mode_));
  auto shared = std::make_shared<io::DurableFile>(std::move(file));
  open_.emplace(name, shared);
  return shared;
}

Result<std::vector<std::string>> FileDevice::List() {
  return files_.List(directory_);
}

Status FileDevice::Create(const std::string& name, uint64_t size_bytes) {
  {
    std::lock_guard const guard(mutex_);
    open_.erase(name);
  }
  return io::DurableFile::CreateZeroed(PathOf(name), size_bytes);
}

Result<uint64_t> FileDevice::SizeBytes(const std::string& name) {
  ASSIGN_OR_RETURN(auto const file, Find(name));
  return file->SizeBytes();
}

Status FileDevice::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(files_.Rename(PathOf(from), PathOf(to)));
  std::lock_guard const guard(mutex_);
  open_.erase(to);
  if (auto node = open_.extract(from)) {
    node.key() = to;
    open_.insert(std::move(node));
  }
  return Status::Ok();
}

Status FileDevice::Remove(const std::string& name) {
  RETURN_IF_ERROR(files_.Remove(PathOf(name)));
  std::lock_guard const guard(mutex_);
  open_.erase(name);
  return Status::Ok();
}

Status FileDevice::SyncDirectory() {
  return files_.SyncDirectory(directory_);
}

Status FileDevice::Write(const std::string& name, uint64_t offset_bytes,
                         std::span<const std::byte> bytes) {
  ASSIGN_OR_RETURN(auto const file, Find(name));
  return file->Write(offset_bytes, bytes);
}

Status FileDevice::Read(const std::string& name, uint64_t offset_bytes,
                        std::span<std::byte> bytes) {
  ASSIGN_OR_RETURN(auto const file, Find(name));
  return file->Read(offset_bytes, bytes);
}

Status FileDevice::Sync(const std::string& name) {
  ASSIGN_OR_RETURN(auto const file, Find(name));
  return file->Sync();
}

}  // namespace orochi::kv::log
