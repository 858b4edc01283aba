#include "side_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "model_files.hpp"

namespace gapkit_kim {
namespace {

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// Number of this process among those of an MPI program, from the environment that launchers set; "0" without a launcher.
std::string rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"})
    if (const char* value = variable(name)) return value;
  return "0";
}

/// True at the first call with this path in this process.
bool is_first(const std::string& path) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(path).second;
}

void append(std::string& text, double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, " %.17g", value);
  text += digits;
}

void append_three(std::string& text, const double* values) {
  for (int d = 0; d < 3; ++d) append(text, values[d]);
}

/// "local", with ",force" and ",extrapolation" behind it.
void read_kinds(const std::string& kinds, SideFileRequest& request) {
  std::size_t begin = 0;
  for (bool is_first_kind = true; begin <= kinds.size(); is_first_kind = false) {
    const std::size_t end = std::min(kinds.find(',', begin), kinds.size());
    const std::string kind = kinds.substr(begin, end - begin);
    begin = end + 1;
    if (!is_first_kind && kind == "force")
      request.forces = true;
    else if (!is_first_kind && kind == "extrapolation")
      request.extrapolation = true;
    else if (!is_first_kind || kind != "local")
      throw Failure("GAPKIT_KIM_STD_OF is '" + kinds + "', expected 'local', 'local,force', 'local,extrapolation' or all three");
  }
}

}  // namespace

SideFileRequest side_file_request() {
  SideFileRequest request;
  const char* prefix = variable("GAPKIT_KIM_STD");
  const char* every = variable("GAPKIT_KIM_STD_EVERY");
  const char* kinds = variable("GAPKIT_KIM_STD_OF");
  if (prefix == nullptr) {
    if (every != nullptr || kinds != nullptr)
      throw Failure("GAPKIT_KIM_STD_EVERY and GAPKIT_KIM_STD_OF need GAPKIT_KIM_STD, the beginning of the names of the files");
    return request;
  }
  request.prefix = prefix;
  if (every != nullptr) {
    char* end = nullptr;
    errno = 0;
    request.every = std::strtol(every, &end, 10);
    if (errno != 0 || *end != '\0' || request.every < 1)
      throw Failure(std::string("GAPKIT_KIM_STD_EVERY is '") + every + "', expected a number of evaluations, 1 or more");
  }
  if (kinds != nullptr) read_kinds(kinds, request);
  return request;
}

SideFile::SideFile(SideFileRequest request, std::string model) : request_(std::move(request)), model_(std::move(model)) {
  path_ = request_.prefix + "." + rank() + ".xyz";
}

bool SideFile::is_wanted_now() {
  ++call_;
  return call_ % request_.every == 0;
}

void SideFile::open() {
  const auto fail = [&](const std::string& reason) { throw Failure(path_ + " (GAPKIT_KIM_STD): cannot write the file: " + reason); };
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(std::strerror(errno));
  // Launchers that set no rank in the environment would make all processes write to one file.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor);
    fail("another process or model writes to it; give each of them another GAPKIT_KIM_STD");
  }
  if (is_first(path_) && ::ftruncate(descriptor, 0) != 0 && errno != EINVAL) {
    const int reason = errno;
    ::close(descriptor);
    fail(std::strerror(reason));
  }
  file_.reset(::fdopen(descriptor, "a"));
  if (!file_) fail(std::strerror(errno));
}

void SideFile::write(const gapkit_environments& atoms, const SideResults& results, const std::vector<std::string>& symbols) {
  if (!file_) open();
  if (atoms.n_centres == 0) return;  // not all programs read frames without atoms
  std::string text =
      std::to_string(atoms.n_centres) + "\nProperties=species:S:1:pos:R:3:gap_local_energy:R:1:gap_local_energy_std_epistemic:R:1";
  if (!results.extrapolation.empty()) text += ":gap_extrapolation:R:1";
  if (request_.forces) text += ":gap_forces_std:R:3:gap_forces_std_epistemic:R:3";
  text += " model=" + model_ + " rank=" + rank() + " evaluation=" + std::to_string(call_);
  if (std::isfinite(results.distance_ratio)) {
    text += " gap_shortest_distance_ratio=";
    append(text, results.distance_ratio);
    text.erase(text.rfind(' '), 1);
  }
  text += " pbc=\"F F F\"\n";
  for (int c = 0; c < atoms.n_centres; ++c) {
    const auto i = static_cast<std::size_t>(atoms.centres[c]);
    text += symbols[static_cast<std::size_t>(atoms.atomic_numbers[i])];
    append_three(text, atoms.positions + 3 * i);
    append(text, results.energies[i]);
    append(text, results.energies_std[i]);
    if (!results.extrapolation.empty()) append(text, results.extrapolation[i]);
    if (request_.forces) {
      append_three(text, &results.forces_std[3 * i]);
      append_three(text, &results.forces_std_epistemic[3 * i]);
    }
    text += "\n";
  }
  // Whole frames only, so that the file can be read while the program runs.
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
    throw Failure(path_ + " (GAPKIT_KIM_STD): cannot write the file: " + std::strerror(errno));
}

}  // namespace gapkit_kim
