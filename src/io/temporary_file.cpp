#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/temporary_file.hpp>

namespace gapkit {

namespace fs = std::filesystem;

namespace {

/// The process that a temporary file belongs to, from what its name has behind the target's: ".tmp<process>_<count>" here,
/// ".<process>.<attempt>.tmp" of archives. 0 if it is neither.
pid_t process_of(std::string_view ending) {
  const auto number = [&] {
    pid_t value = 0;
    const auto [end, error] = std::from_chars(ending.data(), ending.data() + ending.size(), value);
    if (error != std::errc() || value <= 0) value = -1;
    ending.remove_prefix(static_cast<std::size_t>(end - ending.data()));
    return value;
  };
  const auto skip = [&](std::string_view text) {
    if (!ending.starts_with(text)) return false;
    ending.remove_prefix(text.size());
    return true;
  };
  const bool is_text = skip(".tmp");
  if (!is_text && !skip(".")) return 0;
  const pid_t process = number();
  if (process <= 0 || !skip(is_text ? "_" : ".")) return 0;
  const auto digits = std::min(ending.find_first_not_of("0123456789"), ending.size());
  if (digits == 0) return 0;
  ending.remove_prefix(digits);
  return ending == (is_text ? "" : ".tmp") ? process : 0;
}

}  // namespace

void remove_stale_temporaries(const fs::path& target) {
  std::error_code error;
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const std::string name = target.filename().string();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    if (!file.starts_with(name)) continue;
    const pid_t process = process_of(std::string_view(file).substr(name.size()));
    if (process == 0 || ::kill(process, 0) == 0 || errno != ESRCH) continue;
    // In a shared folder the process may run on another machine.
    const int descriptor = ::open(entry->path().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

void lock_temporary(int descriptor) {
  ::flock(descriptor, LOCK_EX | LOCK_NB);  // some file systems have no locks; then only the process counts
}

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
    remove_stale_temporaries(target_);
    temporary_ = target_;
    temporary_ += fmt::format(".tmp{}_{}", ::getpid(), count++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) lock_temporary(descriptor_);
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
