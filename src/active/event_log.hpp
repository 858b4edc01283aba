#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace gapkit {

/// A file of JSON lines, {"time": …, "event": …, …}. The constructor removes a last line that a crash has cut off.
class EventLog {
 public:
  explicit EventLog(const std::filesystem::path& path);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void add(const std::string& event, nlohmann::ordered_json facts);

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// A number rounded to `digits` significant digits, for logs and summaries.
double rounded(double value, int digits = 6);

/// The bytes of a file; empty if it cannot be read.
std::string text_of(const std::filesystem::path& path);
/// Reads a JSON file. Throws InputError if it cannot be read or is damaged.
nlohmann::ordered_json read_json(const std::filesystem::path& path);
/// Writes a temporary file and renames it.
void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json);

}  // namespace gapkit
