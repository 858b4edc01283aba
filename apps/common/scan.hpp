#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::apps {

/// gap-fit --scan: every combination of values of some keys of the configuration. Results are kept in MODEL.scan.jsonl, one line each.
class Scan {
 public:
  /// "term.soap.zeta=2,4,6": a key and its values, separated by commas outside of brackets and quotes.
  explicit Scan(const std::vector<std::string>& texts);

  /// The file of results beside a model.
  static std::string results_path(const std::string& model_path) { return model_path + ".scan.jsonl"; }

  std::size_t size() const { return points_.size(); }
  const std::vector<ConfigurationOverride>& overrides(std::size_t i) const { return points_[i].overrides; }
  std::string name(std::size_t i) const;
  /// After the options are set: if some combinations have a learned metric, folds of all leave out only structures that it does not learn
  /// from.
  void make_comparable();
  void set_options(std::size_t i, FitConfiguration options) { points_[i].options = std::move(options); }
  const FitConfiguration& options(std::size_t i) const { return points_[i].options; }

  /// Calls f; the messages of its errors begin with the name of the combination.
  template <class F>
  auto with_name(std::size_t i, F&& f) const -> decltype(f());

  /// Reads the file of results, if it exists: combinations with results for the same options, data and version are done.
  void read_results();
  bool is_done(std::size_t i) const { return !points_[i].result.is_null(); }
  /// Whether this evidence is larger than that of every result up to now.
  bool is_best(double log_evidence) const;
  /// Keeps a result and writes the file.
  void add_result(std::size_t i, const FitReport& report, const ErrorTable& validation, double seconds);

  /// The ranking, highest evidence first.
  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  struct Point {
    std::vector<ConfigurationOverride> overrides;
    FitConfiguration options;
    std::string key;                // checksum of options, data and version
    nlohmann::ordered_json result;  // null until it is done
  };
  std::string path() const { return results_path(points_.front().options.model_path); }
  std::vector<std::size_t> ranking() const;

  std::vector<Point> points_;
  std::vector<nlohmann::ordered_json> others_;  // lines of the file from other scans
};

[[noreturn]] void rethrow_with_name(const std::string& name);

template <class F>
auto Scan::with_name(std::size_t i, F&& f) const -> decltype(f()) {
  try {
    return f();
  } catch (const std::exception&) {
    rethrow_with_name(name(i));
  }
}

}  // namespace gapkit::apps
