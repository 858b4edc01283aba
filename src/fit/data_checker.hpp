#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/io/look_alikes.hpp>
#include <set>

#include "fit/base_checks.hpp"
#include "fit/label_checks.hpp"

namespace gapkit {

/// Examines frames one after the other (docs/checks.md) and adds to `findings`.
class DataChecker {
 public:
  /// `parts`: of the training data.
  DataChecker(const FitOptions& options, std::vector<std::string> parts, CheckReport& report, Findings& findings);

  /// Neighbours within the cutoff; absent, with an error among the findings, if the cell is impossible.
  std::optional<NeighborList> neighbors(const Structure& s, double cutoff);
  /// A frame of the training data.
  void examine(const Structure& s, const NeighborList& list, const FramePlace& place);
  /// A frame of the validation data, after all training frames. Cheap: no neighbours beyond overlaps.
  void examine_validation(const Structure& s);
  /// After the last frame. `complete`: the whole plan was made.
  void finish(const FitPlan& plan, bool complete);
  /// After the last frame of the validation data.
  void finish_validation();
  /// True if fitted targets were not found because of their names, an error that causes others.
  bool has_lost_targets() const { return has_lost_targets_; }

 private:
  /// Facts on a frame, to find copies of it.
  struct Known {
    double energy;         // NaN: none
    float forces, virial;  // norms; negative: none
    int file, frame;
  };

  void check_cell(const Structure& s);
  void check_distances(const Structure& s, const NeighborList& list);
  void check_targets(const Structure& s);
  void check_other_values(const Structure& s);
  void check_duplicate(const Structure& s, const FramePlace& place);
  void remember_names(const Structure& s);
  void report_keys();
  void report_named_keys();
  void report_base_keys();
  void report_look_alikes(const LookAlikes& look_alikes, const std::string& beginning);
  void report_no_energy();
  void report_config_types();
  void report_terms(const FitPlan& plan);

  const FitOptions& options_;
  std::vector<std::string> parts_;
  CheckReport& report_;
  Findings& findings_;
  LabelChecks labels_;
  BaseChecks base_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::set<std::string> field_names_, column_names_;
  std::set<int> elements_;
  std::int64_t lonely_atoms_ = 0, frames_with_neighbors_ = 0, frames_of_several_ = 0;
  std::string first_lonely_;
  LookAlikes look_alikes_, validation_look_alikes_;
  bool has_mask_ = false, has_lost_targets_ = false;
};

}  // namespace gapkit
