#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace gapkit {

/// A file to which lines of JSON are appended: {"time": …, "event": …, …}. A line that was cut off by a crash is removed when it is opened.
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

/// One line of text with at most 6 significant digits per number: logs and summaries need no more.
double rounded(double value, int digits = 6);

/// Reads a JSON file. Throws InputError if it cannot be read or is damaged.
nlohmann::ordered_json read_json(const std::filesystem::path& path);
/// Written to a temporary file and renamed.
void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json);

}  // namespace gapkit
