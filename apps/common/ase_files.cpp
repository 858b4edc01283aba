#include "ase_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <gapkit/active/process.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/file_converter.hpp>
#include <thread>
#include <utility>

#include "interruption.hpp"

namespace gapkit::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* script_name = "gapkit_ase_read.py";

/// A file that has no name and goes when its descriptor is closed.
class NamelessFile {
 public:
  NamelessFile() {
    std::string name = (fs::temp_directory_path() / "gapkit-XXXXXX").string();
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw InputError(fmt::format("needs a temporary file, but {} cannot be made: {}", name, std::strerror(errno)));
    ::unlink(name.c_str());
  }
  ~NamelessFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  fs::path path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

fs::path python() {
  const char* given = std::getenv("GAPKIT_PYTHON");
  try {
    return find_program(given && *given ? given : "/usr/bin/python3", fs::current_path());
  } catch (const InputError& e) {
    throw InputError(fmt::format("needs Python: {}{}", given && *given ? "GAPKIT_PYTHON: " : "", e.what()));
  }
}

}  // namespace

AseFiles::AseFiles(ProgressDisplay& display) : display_(display) {
  set_file_converter([this](const fs::path& file, const std::string& format) { return converted(file, format); });
}

AseFiles::~AseFiles() {
  set_file_converter({});
  for (const auto& [key, descriptor] : descriptors_) ::close(descriptor);
}

fs::path AseFiles::converted(const fs::path& file, const std::string& format) {
  const std::string key =
      fmt::format("{} {} {}", fs::absolute(file).string(), fs::file_size(file), fs::last_write_time(file).time_since_epoch().count());
  if (const auto failure = failures_.find(key); failure != failures_.end()) throw InputError(failure->second);
  try {
    if (descriptors_.count(key) == 0) descriptors_.emplace(key, convert(file, format));
  } catch (const InputError& e) {
    failures_.emplace(key, e.what());
    throw;
  }
  return fmt::format("/proc/self/fd/{}", descriptors_.at(key));
}

int AseFiles::convert(const fs::path& file, const std::string& format) {
  const fs::path program = python(), script = helper_script(script_name);
  if (!fs::is_regular_file(script)) throw InputError(fmt::format("needs {}, which does not exist", script.string()));
  NamelessFile frames, errors;
  Process process({program.string(), script.string(), fs::absolute(file).string(), format}, fs::current_path(), frames.path(),
                  errors.path());
  const ProgressCallback stop_if_asked = interruptible({});
  while (!process.has_ended()) {
    stop_if_asked({});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (const std::string problem = process.problem(); !problem.empty()) {
    const std::string said = last_line(errors.path());
    if (said == "no ASE")
      throw InputError(
          fmt::format("needs ASE, which {} does not have: install python3-ase, or name a Python that has it in the environment "
                      "variable GAPKIT_PYTHON",
                      program.string()));
    throw InputError(fmt::format("failed: {}", said.empty() ? problem : said));
  }
  // A mistake in the input is one line: nothing is said of a file that cannot be read.
  display_.message(fmt::format("{}: was read through ASE ({})", file.string(), program.string()));
  return frames.release();
}

}  // namespace gapkit::apps
