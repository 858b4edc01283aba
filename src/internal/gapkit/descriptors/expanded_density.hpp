#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// The side of a descriptor whose features are products of the coefficients c[lm][K] of a neighbour density (methods.md, section 2), for
/// features that keep a direction (TensorSpectrum).
class ExpandedDensity {
 public:
  /// dc/dr_ij of the neighbours of one centre within the cutoff.
  struct Jacobian {
    std::vector<std::size_t> pair;  ///< in the list of neighbours
    Matrix rows;                    ///< [3 · pairs, coefficient_count()]
  };

  virtual ~ExpandedDensity() = default;

  virtual int largest_l() const = 0;
  virtual int channel_count() const = 0;  ///< K
  int coefficient_count() const { return (largest_l() + 1) * (largest_l() + 1) * channel_count(); }
  /// c[lm][K] of environment e of features that compute() made with Derivatives::pullback.
  virtual std::span<const double> coefficients(const Features& features, int e) const = 0;
  /// 1/|p| of the same.
  virtual double inverse_norm(const Features& features, int e) const = 0;
  /// The features x of coefficients; returns 1/|p|, 0 without neighbours and centre.
  virtual double features_of(std::span<const double> coefficients, double* x) const = 0;
  /// Adds Σ_e dE/dc_e · dc_e/dr_ij to dE_dr[pair]. dE_dc [E, coefficient_count()] for the environments of compute() of the same range.
  virtual void pull_coefficients(const Environments& environments, int begin, int end, const MatrixView& dE_dc,
                                 std::span<Vector3> dE_dr) const = 0;
  /// Adds factor · Σ_f slope_f dp_f/dc to dE_dc for the features p before they are divided by |p|.
  virtual void pull_spectrum(std::span<const double> coefficients, double factor, const double* slope, std::span<double> dE_dc) const = 0;
  /// `centre`: its place in the list.
  virtual Jacobian coefficient_jacobian(const Environments& environments, int centre) const = 0;
};

/// Null for descriptors without a density, and for features behind a map or contraction from training data.
const ExpandedDensity* expanded_density(const Descriptor& descriptor);

}  // namespace gapkit
