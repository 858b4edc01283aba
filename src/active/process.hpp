#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gapkit {

/// A program that runs in a process group of its own, without a shell, with standard input from nowhere. When the object goes, or the
/// thread that made it ends in whatever way, the program is ended.
class Process {
 public:
  using Clock = std::chrono::steady_clock;

  /// `arguments[0]` is the path of the program. Throws InputError with the system's reason if it cannot be started.
  Process(const std::vector<std::string>& arguments, const std::filesystem::path& folder, const std::filesystem::path& output,
          const std::filesystem::path& errors);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  /// Whether it has ended; what else it had started is ended then. Does not wait.
  bool has_ended();
  /// Asks the whole group to end (SIGTERM); two seconds later has_ended() insists (SIGKILL).
  void request_end();

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  /// "exit code 1", "ended by signal 11 (Segmentation fault)"; empty for exit code 0 and while it runs.
  std::string problem() const;

 private:
  pid_t group_ = 0;  ///< 0 after the end
  int status_ = 0;
  Clock::time_point begin_;
  std::optional<Clock::time_point> asked_to_end_;
};

/// Path of a program: a name is looked for in PATH, a relative path starts at `here`. Throws InputError if there is none that can be run.
std::filesystem::path find_program(const std::string& name, const std::filesystem::path& here);

/// A program's script in share/gapkit beside the folder of the running program: so it is installed, and so it lies in a build. It may not
/// exist.
std::filesystem::path helper_script(const std::string& name);

/// The last line of a file that is not empty, shortened; what programs say last is mostly why they failed.
std::string last_line(const std::filesystem::path& path);

}  // namespace gapkit
