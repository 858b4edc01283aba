#pragma once

#include <gapkit/fit/dataset.hpp>
#include <gapkit/fit/options.hpp>
#include <unordered_map>

#include "fit/findings.hpp"
#include "fit/label_slopes.hpp"

namespace gapkit {

/// Finds wrong units and wrong signs of energies, forces and virials by comparing them with each other.
///
/// dE = −F·dr for frames that follow each other with small displacements; dE = −W:ε (W: the virial) for frames that are strained copies of
/// each other. Energies per atom of one composition are compared between files and config types.
/// Memory: a few numbers for each group of frames, one frame, and a bounded number of cells and virials.
class LabelChecks {
 public:
  explicit LabelChecks(std::vector<std::string> files);

  void add(const Structure& s, const FramePlace& place);
  /// `reference_energies` is empty if there are none, or if they were fitted to these energies.
  void finish(Findings& findings, const TargetReport& targets, const std::map<int, double>& reference_energies) const;

 private:
  using Composition = std::map<int, int>;

  /// Frames of one file, config type and composition.
  struct Group {
    std::int64_t frames = 0;
    double sum = 0, lowest = 0, highest = 0;  // eV per atom
    double mean() const { return sum / static_cast<double>(frames); }
    bool is_narrow() const;
  };
  struct GroupKey {
    Composition composition;  // reduced
    std::string config_type;
    int file = 0;
    auto operator<=>(const GroupKey&) const = default;
  };
  struct Sums {
    Slopes displaced, strained;
    std::vector<float> virial_per_atom;  // eV
    std::int64_t frames_with_forces = 0, frames_with_zero_forces = 0;
  };
  struct StrainedCopy {
    std::uint64_t origin;  // file and config type
    Matrix3 cell, virial;
    double energy;
  };

  void compare_with_previous(const Structure& s, int file, Sums& all, Sums& of_type);
  void compare_strained_copies(const Structure& s, int file, Sums& all, Sums& of_type);
  void report_slopes(Findings& findings, const TargetReport& targets) const;
  void report_virial_size(Findings& findings, const TargetReport& targets) const;
  void report_energies_between_groups(Findings& findings) const;
  void report_energies_against_atoms(Findings& findings, const std::map<int, double>& reference_energies) const;
  std::string name_of(const GroupKey& key) const;

  std::vector<std::string> files_;
  std::vector<Sums> sums_;                                     // by file
  std::map<std::pair<int, std::string>, Sums> sums_of_types_;  // by file and config type: slopes only
  std::map<GroupKey, Group> groups_;
  std::optional<Structure> previous_;
  int previous_file_ = -1;
  std::unordered_map<std::uint64_t, std::vector<StrainedCopy>> copies_;
  std::size_t copy_count_ = 0;
};

}  // namespace gapkit
