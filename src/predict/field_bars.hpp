#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// The part of the error bars of energies that comes from local properties on which potentials depend (learned charges), to first order:
/// λᵀ C λ with λ = dE/dv and the covariance C of the property's values (methods.md, section 9).
class FieldBars {
 public:
  /// Properties without calibrated error bars add nothing.
  explicit FieldBars(const Model& model);
  ~FieldBars();

  /// Adds the part to the error bars of the energy, if the prediction has them.
  void add(const Structure& structure, const PredictionRequest& request, Prediction& prediction);
  /// Adds it to the error bars of the energy of b minus that of a; what is common to both cancels.
  void add(const Structure& a, const Structure& b, bool calibrated, EnergyDifference& difference);

 private:
  struct Entry;
  std::vector<Entry> entries_;
};

}  // namespace gapkit
