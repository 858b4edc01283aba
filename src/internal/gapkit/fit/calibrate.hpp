#pragma once

#include <gapkit/core/progress.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/fit/options.hpp>
#include <gapkit/model/statistics.hpp>
#include <gapkit/predict/predictor.hpp>
#include <set>

namespace gapkit {

/// Errors of one property on structures that the model was not fitted to, with the two parts of their variance.
struct HeldOutRows {
  std::vector<double> error;      ///< prediction − reference: eV, eV/Å, eV
  std::vector<double> epistemic;  ///< posterior standard deviation
  std::vector<double> noise;      ///< σ_n, as row_noise() has it
  std::vector<int> structure;     ///< index, from 0
  std::vector<int> config_type;   ///< index, from 0
  std::vector<int> element = {};  ///< of the atom; empty if not told apart

  std::size_t size() const { return error.size(); }
};

/// The a and b that make the errors most likely, N(0, a² epistemic² + b² noise²).
///
/// A prior of one factor of 10 per standard deviation about 1 on both keeps them sensible where there are few rows; it counts as much as
/// one row. The noise stays at least a hundredth of the errors (root mean squares), and at least `least_b` times the smaller one of σ and
/// the errors. b = 1 if no row has noise. Source: methods.md, section 5.
CalibrationFactors likeliest_factors(const HeldOutRows& rows, double least_b = 0);

struct FactorRules {
  std::int64_t fewest_structures = CalibrationOptions().fewest_structures;
  EpistemicPart part = EpistemicPart::all;
  std::int64_t points = 0;  ///< of the error bars, if not all
  double least_b = 0;
  bool has_quality = false;
};

/// Factors of a property: common ones, those of elements if the rows tell them apart, and the same for config types with several
/// structures, multiplied by a number near 1. Rows whose σ is above 100 times the errors (root mean square) do not count. None with rows of
/// too few structures, or if both factors are below 1/1000 or above 1000.
std::vector<CalibrationFactors> factors_of_rows(Property property, const HeldOutRows& rows, const std::map<std::string, int>& config_types,
                                                const FactorRules& rules);

/// Warns of fitted properties that stay uncalibrated.
void report_uncalibrated(const Model& model, const Calibration& calibration, std::int64_t fewest_structures,
                         const ProgressCallback& progress);

/// Collects held-out rows, structure by structure, of one model or of several fits with the same options, and finds the calibration.
class Calibrator {
 public:
  /// Only properties that the rules use get rows.
  explicit Calibrator(const RowRules& rules, std::int64_t fewest_structures = CalibrationOptions().fewest_structures)
      : rules_(rules), fewest_structures_(fewest_structures) {}

  /// The model whose errors are collected from now on. It must have a posterior.
  void use(std::shared_ptr<const Model> model);
  /// Predicts a structure that the model was not fitted to. Isolated atoms and copies of structures are skipped. Cost: one prediction with
  /// error bars. Throws InputError for elements that the model does not know.
  void add(const Structure& frame);
  std::int64_t structures() const { return structures_; }
  const HeldOutRows& rows(Property property) const { return rows_[property]; }

  /// factors_of_rows() for each property. Absent without factors. A warning names fitted properties that stay uncalibrated.
  std::optional<Calibration> calibration(const std::string& source, const ProgressCallback& progress = {}) const;

 private:
  RowRules rules_;
  std::int64_t fewest_structures_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Predictor> predictor_;
  PerTarget<HeldOutRows> rows_;
  std::map<std::string, int> config_types_;
  std::int64_t structures_ = 0;
  std::set<std::uint64_t> seen_;  // checksums of the frames
};

/// A calibration on labelled data that the model was not fitted to. Takes frames with at most about options.most_atoms atoms, drawn at
/// random with the seed.
std::optional<Calibration> calibrate_on(const Dataset& data, const Model& model, const RowRules& rules, const CalibrationOptions& options,
                                        std::uint64_t seed, const ProgressCallback& progress = {});

/// Structures to set aside in each of several rounds, as numbers of the data set, ascending: `fraction` of them, drawn at random within
/// each config type, different ones in every round. Single atoms are never set aside, nor all structures with an element. Frames that
/// cannot be read are skipped.
std::vector<std::vector<std::int64_t>> choose_held_out(const Dataset& data, double fraction, int rounds, std::uint64_t seed);

}  // namespace gapkit
