#pragma once

#include <gapkit/active/loop.hpp>
#include <gapkit/active/threshold.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace gapkit {

/// A round that is over, as later rounds need it.
struct FinishedRound {
  RoundSummary summary;
  Threshold threshold;
  std::vector<CalibrationPoint> points;
  std::map<std::string, std::set<std::int64_t>> used;  ///< frames of each source that were chosen
};

/// The files of a loop. Every step of a round leaves a file that appears when it is complete, so that what exists is done.
class LoopFolder {
 public:
  /// Makes the folder, or takes up the loop in it, which must be of the same configuration. Keeps others out as long as it lives.
  explicit LoopFolder(const LoopOptions& options);
  ~LoopFolder();
  LoopFolder(const LoopFolder&) = delete;
  LoopFolder& operator=(const LoopFolder&) = delete;

  std::filesystem::path round(int number) const;  ///< its folder, made if absent
  std::filesystem::path log() const { return folder_ / "log.jsonl"; }
  std::filesystem::path start() const { return folder_ / "start.xyz"; }
  std::filesystem::path labelled() const { return folder_ / "labelled.xyz"; }
  std::filesystem::path model() const { return folder_ / "model.h5"; }
  std::filesystem::path page() const { return folder_ / "loop.html"; }

  bool is_new() const { return is_new_; }
  const std::vector<FinishedRound>& finished() const { return finished_; }
  int labels() const;
  double seconds() const;  ///< of all finished rounds

  /// Marks a round as over: its labels go to labelled.xyz.
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

/// Frames written to a temporary file that is renamed.
void write_frames(const std::filesystem::path& path, const std::vector<Structure>& frames);

}  // namespace gapkit
