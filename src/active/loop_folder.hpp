#pragma once

#include <gapkit/active/loop.hpp>
#include <gapkit/active/threshold.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace gapkit {

/// A finished round, for later rounds.
struct FinishedRound {
  RoundSummary summary;
  Threshold threshold;
  std::vector<CalibrationPoint> points;
  std::map<std::string, std::set<std::int64_t>> used;  ///< frames of each source that were chosen
};

/// The files of a loop. Each step of a round writes a file that appears when it is complete: an existing file marks a finished step.
class LoopFolder {
 public:
  /// Creates the folder or continues the loop in it, which must have the same configuration. Locks the folder until destruction.
  explicit LoopFolder(const LoopOptions& options);
  ~LoopFolder();
  LoopFolder(const LoopFolder&) = delete;
  LoopFolder& operator=(const LoopFolder&) = delete;

  std::filesystem::path round(int number) const;  ///< folder of a round, created if absent
  std::filesystem::path log() const { return folder_ / "log.jsonl"; }
  std::filesystem::path start() const { return folder_ / "start.xyz"; }
  std::filesystem::path labelled() const { return folder_ / "labelled.xyz"; }
  std::filesystem::path model() const { return folder_ / "model.h5"; }
  std::filesystem::path page() const { return folder_ / "loop.html"; }

  bool is_new() const { return is_new_; }
  const std::vector<FinishedRound>& finished() const { return finished_; }
  int labels() const;
  double seconds() const;  ///< of all finished rounds

  /// Marks a round as finished and adds its labels to labelled.xyz.
  void finish(FinishedRound round);

 private:
  void lock();
  void check_configuration(const LoopOptions& options);
  void write_labelled() const;

  std::filesystem::path folder_;
  int lock_ = -1;
  bool is_new_ = true;
  std::vector<FinishedRound> finished_;
};

nlohmann::ordered_json to_json(const FinishedRound& round);
FinishedRound finished_round_from(const nlohmann::ordered_json& json);
/// "energy_rmse", …; null for NaN.
void put_rmse(nlohmann::ordered_json& json, const PerTarget<double>& rmse);
PerTarget<double> rmse_from(const nlohmann::ordered_json& json);

/// Writes frames to a temporary file and renames it.
void write_frames(const std::filesystem::path& path, const std::vector<Structure>& frames);

}  // namespace gapkit
