#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// Removes the temporary files of `target` that processes left which were killed. A file that anybody writes is kept: its process runs, or
/// holds a lock on it, as every writer does. Failures are ignored.
void remove_stale_temporaries(const std::filesystem::path& target);

/// For the writer of a temporary file, right after it was made; released when the descriptor is closed.
void lock_temporary(int descriptor);

/// Text written to a temporary file beside `path`, which commit() flushes to disk and renames; removed if there is no commit.
///
/// Devices and pipes (/dev/null) are written directly, as is the standard output, for which "-" stands. Throws InputError with path and the
/// system's reason for whatever fails.
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
