#include "temporary_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <gapkit/core/errors.hpp>

namespace gapkit {

namespace fs = std::filesystem;

TemporaryFile::TemporaryFile(const fs::path& path) : given_path_(path == "-" ? "standard output" : path.string()), target_(path) {
  if (path == "-") {
    descriptor_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (descriptor_ < 0) fail("cannot be written", errno);
    return;
  }
  std::error_code ignored;
  // Through a symbolic link, so that the rename does not replace the link itself.
  if (fs::is_symlink(path, ignored))
    if (const fs::path resolved = fs::canonical(path, ignored); !resolved.empty()) target_ = resolved;
  const fs::file_status status = fs::status(target_, ignored);
  if (fs::is_directory(status) || !target_.has_filename())
    throw InputError(fmt::format("{}: cannot write the file: it is a directory", given_path_));
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    static std::atomic<unsigned> count{0};  // two writers of one process to one path
    temporary_ = target_;
    temporary_ += fmt::format(".tmp{}_{}", ::getpid(), count++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  }
  if (descriptor_ < 0) {
    const int error = errno;
    const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    throw InputError(fmt::format("{}: cannot write into the folder '{}': {}", given_path_, folder.string(), std::strerror(error)));
  }
}

TemporaryFile::~TemporaryFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void TemporaryFile::fail(const char* what, int error) const {
  throw InputError(fmt::format("{}: {}: {}", given_path_, what, std::strerror(error)));
}

void TemporaryFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write the file", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void TemporaryFile::commit() {
  // Pipes and terminals cannot be flushed to a disk.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail("cannot flush the file to disk", errno);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  int error = ::close(descriptor) != 0 ? errno : 0;
  if (!error && !temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  if (error) {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    fail("cannot put the finished file in place", error);
  }
}

}  // namespace gapkit
