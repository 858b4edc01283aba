#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/radial_basis.hpp>

namespace gapkit {

/// Smooth overlap of atomic positions: the power spectrum of the neighbour density around one kind of centre atom.
///
/// Conventions, order of features and normalisation are those of METHODS 7 (QUIP's `soap` with equispaced Gaussians), without the
/// constant component that QUIP appends. Sources: Bartók, Kondor & Csányi, Phys. Rev. B 87, 184115 (2013), eqs. 24-36; METHODS 7.
class Soap final : public Descriptor {
 public:
  Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements);

  int size() const override { return features_; }
  double cutoff() const override { return basis_.cutoff(); }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  bool has_nonnegative_products() const override { return true; }  // Σ_l |C_l C'_lᵀ|² ≥ 0
  void compute(const Environments& source, int begin, int end, Derivatives derivatives, Features& out) const override;
  void pullback(const Environments& source, int begin, int end, const Features& features, const MatrixView& dE_dx,
                std::span<const double> dE_df, std::span<Vector3> dE_dr) const override;

  const RadialBasis& radial_basis() const { return basis_; }

 private:
  struct Scratch;
  struct Neighborhood;
  void gather(const Environments& source, int centre, Neighborhood& out) const;
  void expand(const Environments& source, int centre, Scratch& scratch, double* coefficients) const;
  void fill_block(const Environments& source, const Neighborhood& neighborhood, int block, Derivatives derivatives, Scratch& scratch) const;
  int species_index(int z) const;

  Parameters parameters_;
  std::vector<int> species_;   // the centre
  std::vector<int> elements_;  // neighbour species, ascending
  RadialBasis basis_;
  double width_;
  double central_weight_;
  bool central_in_all_;
  int channels_, features_, coefficients_;
  std::vector<double> prefactor_;
  std::vector<std::vector<int>> block_features_;  // by neighbour species: the features that contain it
};

}  // namespace gapkit
