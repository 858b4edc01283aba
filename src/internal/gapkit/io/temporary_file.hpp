#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// Removes temporary files of `target` left by killed processes. Files that are being written are kept: their process runs or holds a
/// lock. Failures are ignored.
void remove_stale_temporaries(const std::filesystem::path& target);

/// Locks a temporary file for its writer, right after it was made; closing the descriptor releases the lock.
void lock_temporary(int descriptor);

/// Text written to a temporary file beside `path`, which commit() flushes to disk and renames; removed if there is no commit.
///
/// Devices, pipes (/dev/null) and the standard output ("-") are written directly. Throws InputError with path and the system's reason if
/// something fails.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void append(std::string_view text);
  void commit();
  const std::string& path() const { return given_path_; }
  bool is_committed() const { return descriptor_ < 0; }

 private:
  [[noreturn]] void fail(const char* what, int error) const;

  std::string given_path_;
  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty: the target itself is written
  int descriptor_ = -1;
};

}  // namespace gapkit
