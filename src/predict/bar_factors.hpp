#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// How an error bar is made of variances and noise (methods.md, section 5).
struct BarFactors {
  double a = 1, b = 1;
  EpistemicPart part = EpistemicPart::all;
  double familiar = 0;  ///< novelty over prior that does not count
  Property property = Property::energy;
  CautiousPowers powers = {};

  bool is_cautious() const { return part == EpistemicPart::cautious; }
  bool needs_force_jackknife() const { return is_cautious() && powers.jackknife != 0; }

  /// What a² is multiplied by, apart from the part: 1 unless cautious. Of a structure of `atoms` atoms, and of the force on an atom.
  double scale(const Variance& structure, int atoms) const;
  double scale(std::span<const Variance> components) const;

  /// Square of the epistemic bar that users see: C, or a² scale of a part and unfamiliar novelty.
  double epistemic_square(const Variance& variance, double scale) const { return epistemic_square(variance, scale, unfamiliar(variance)); }
  /// The same with a given unfamiliar novelty.
  double epistemic_square(const Variance& variance, double scale, double unfamiliar) const;
  /// Novelty beyond the familiar one.
  double unfamiliar(const Variance& variance) const;
  /// The bar of a row from its epistemic bar and its noise.
  double bar(double epistemic, double noise) const;
};

/// Without calibration: of C, with a = b = 1. `element`: of the atom of a force, else 0.
BarFactors bar_factors(const Model& model, Property property, const std::string& config_type, int element, bool calibrated);

}  // namespace gapkit
