#include "active/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <utility>

namespace gapkit {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
  return std::generic_category().message(error);
}

class FileDescriptor {
 public:
  FileDescriptor(const fs::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0) throw InputError(fmt::format("{} cannot be opened: {}", path.string(), reason(errno)));
  }
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

struct Start {
  char* const* arguments;
  const char* folder;
  int input, output, errors, report;
  pid_t parent;
};

/// What happens in the new process until the program takes over: only calls that are allowed after fork() in a program with threads.
/// Returns the number of the error.
int become_program(const Start& start) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) return ECHILD;  // it ended before the line above
  if (::dup2(start.input, 0) < 0 || ::dup2(start.output, 1) < 0 || ::dup2(start.errors, 2) < 0) return errno;
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (::chdir(start.folder) != 0) return errno;
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(start.arguments[0], start.arguments);
  return errno;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const fs::path& folder, const fs::path& output, const fs::path& errors)
    : begin_(Clock::now()) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const FileDescriptor nowhere("/dev/null", O_RDONLY);
  const FileDescriptor out(output, O_WRONLY | O_CREAT | O_TRUNC), err(errors, O_WRONLY | O_CREAT | O_TRUNC);
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw InputError("a pipe cannot be opened: " + reason(errno));
  FileDescriptor read_end(ends[0]), write_end(ends[1]);
  const Start start{pointers.data(), folder.c_str(), nowhere.number(), out.number(), err.number(), write_end.number(), ::getpid()};

  const pid_t child = ::fork();
  if (child == 0) {
    const int error = become_program(start);
    if (::write(start.report, &error, sizeof error) < 0) ::_exit(126);
    ::_exit(127);  // of the copy of this process, in which nothing else may run
  }
  if (child < 0) throw InputError("a process cannot be started: " + reason(errno));
  ::setpgid(child, child);  // here and there, whoever comes first
  group_ = child;
  write_end.close();
  // Nothing is written if the program took over: then its copy of the pipe was closed.
  int error = 0;
  ssize_t got = 0;
  do got = ::read(read_end.number(), &error, sizeof error);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof error)) return;
  while (::waitpid(child, &status_, 0) < 0 && errno == EINTR) {
  }
  group_ = 0;
  throw InputError(fmt::format("{} cannot be started in {}: {}", arguments[0], folder.string(), reason(error)));
}

Process::Process(Process&& other) noexcept
    : group_(std::exchange(other.group_, 0)), status_(other.status_), begin_(other.begin_), asked_to_end_(other.asked_to_end_) {}

Process::~Process() {
  if (group_ == 0) return;
  ::kill(-group_, SIGKILL);
  while (::waitpid(group_, &status_, 0) < 0 && errno == EINTR) {
  }
}

bool Process::has_ended() {
  if (group_ == 0) return true;
  siginfo_t info = {};
  // The process stays known to the system until the group is ended, so that no other can have got its number.
  if (::waitid(P_PID, static_cast<id_t>(group_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    if (asked_to_end_ && Clock::now() - *asked_to_end_ > std::chrono::seconds(2)) ::kill(-group_, SIGKILL);
    return false;
  }
  ::kill(-group_, SIGKILL);
  while (::waitpid(group_, &status_, 0) < 0 && errno == EINTR) {
  }
  group_ = 0;
  return true;
}

void Process::request_end() {
  if (group_ == 0 || asked_to_end_) return;
  asked_to_end_ = Clock::now();
  ::kill(-group_, SIGTERM);
}

std::string Process::problem() const {
  if (group_ != 0) return "";
  if (WIFSIGNALED(status_)) return fmt::format("ended by signal {} ({})", WTERMSIG(status_), ::strsignal(WTERMSIG(status_)));
  if (WEXITSTATUS(status_) != 0) return fmt::format("exit code {}", WEXITSTATUS(status_));
  return "";
}

fs::path find_program(const std::string& name, const fs::path& here) {
  const auto runs = [](const fs::path& path) { return fs::is_regular_file(path) && ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) {
    const fs::path path = fs::absolute(here / name).lexically_normal();
    if (runs(path)) return path;
    throw InputError(fmt::format("{} {}", path.string(), fs::exists(path) ? "is not a program that may be run" : "does not exist"));
  }
  const char* variable = std::getenv("PATH");
  const std::string folders = variable ? variable : "/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= folders.size() && !name.empty();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const fs::path path = fs::absolute(fs::path(folders.substr(begin, end - begin)) / name);
    if (runs(path)) return path;
    begin = end + 1;
  }
  throw InputError(fmt::format("there is no program '{}' in PATH", name));
}

fs::path helper_script(const std::string& name) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / "share" / "gapkit" / name;
}

std::string last_line(const fs::path& path) {
  constexpr std::size_t longest = 300;
  std::ifstream in(path, std::ios::binary);
  std::string line, last;
  while (std::getline(in, line))
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line.substr(0, longest);
  return last;
}

}  // namespace gapkit
