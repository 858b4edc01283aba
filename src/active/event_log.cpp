#include "active/event_log.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <sstream>

namespace gapkit {
namespace {

[[noreturn]] void fail(const std::string& path, const char* problem) {
  throw InputError(fmt::format("{}: {}: {}", path, problem, std::strerror(errno)));
}

/// Removes the text after the last newline.
void remove_cut_line(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return;
  std::ostringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::size_t end = all.rfind('\n');
  const std::size_t keep = end == std::string::npos ? 0 : end + 1;
  if (keep < all.size()) std::filesystem::resize_file(path, keep);
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& path) : path_(path.string()) {
  remove_cut_line(path);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, "the log cannot be opened");
}

EventLog::~EventLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventLog::add(const std::string& event, nlohmann::ordered_json facts) {
  nlohmann::ordered_json line;
  line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  line["event"] = event;
  line.update(facts);
  const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "the log cannot be written");
    written += static_cast<std::size_t>(count);
  }
}

double rounded(double value, int digits) {
  if (!std::isfinite(value) || value == 0) return value;
  const double unit = std::pow(10.0, digits - 1 - std::floor(std::log10(std::abs(value))));
  return std::round(value * unit) / unit;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

nlohmann::ordered_json read_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path.string(), "cannot be read");
  try {
    return nlohmann::ordered_json::parse(file);
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("{}: is damaged: {}", path.string(), e.what()));
  }
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json) {
  TemporaryFile file(path);
  file.append(json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  file.commit();
}

}  // namespace gapkit
