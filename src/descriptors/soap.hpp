#pragma once

#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/expanded_density.hpp>
#include <gapkit/math/radial_basis.hpp>
#include <mutex>

#include "descriptors/soap_loops.hpp"
#include "descriptors/soap_tables.hpp"

namespace gapkit {

/// Smooth overlap of atomic positions: the power spectrum of the neighbour density around one kind of centre atom.
///
/// Conventions, order of features and normalisation: methods.md, section 2 (QUIP's `soap` with equispaced Gaussians), without the constant
/// component that QUIP appends. Source: Bartók, Kondor & Csányi, Phys. Rev. B 87, 184115 (2013), eqs. 24-36.
///
/// With `mixed_channels` = Q > 0 the species · n_max channels (s, n) are replaced by Q mixtures c_qlm = Σ W_q,(s,n) c_(s,n)lm with random
/// orthonormal rows W, so that the length is (l_max+1) Q(Q+1)/2 for any number of elements. Source: Darby et al., Phys. Rev. Lett.
/// 131, 028001 (2023), tensor-reduced densities, here with all products of two mixtures kept.
///
/// With `channels` = q > 0 they are contracted in the same way, with matrices W_l [q, species · n_max] that are made from data
/// (ContractedChannels).
///
/// The short form omits features that are zero: with turned radial functions (RadialBasis), the last channel of each element has l = 0
/// only. There the features of l = 0 come first.
class Soap final : public Descriptor, public ContractedChannels, public ExpandedDensity {
 public:
  Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements);

  int size() const override { return features_; }
  double cutoff() const override { return basis_.cutoff(); }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  EnvironmentCount count(const Environments& environments, int c) const override;
  bool has_nonnegative_products() const override { return true; }  // Σ_l |C_l C'_lᵀ|² ≥ 0
  bool has_unit_length() const override { return true; }
  ShortForm short_form() const override;  // computed in the first call, then kept
  void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override;

  const RadialBasis& radial_basis() const { return basis_; }

  int largest_l() const override { return basis_.l_max(); }
  int channel_count() const override { return channels_; }
  std::span<const double> coefficients(const Features& features, int e) const override;
  double inverse_norm(const Features& features, int e) const override;
  double features_of(std::span<const double> coefficients, double* x) const override;
  void pull_coefficients(const Environments& environments, int begin, int end, const MatrixView& dE_dc,
                         std::span<Vector3> dE_dr) const override;
  void pull_spectrum(std::span<const double> coefficients, double factor, const double* slope, std::span<double> dE_dc) const override;
  Jacobian coefficient_jacobian(const Environments& environments, int centre) const override;

  const ContractedChannels* contracted_channels() const override { return asked_channels_ > 0 ? this : nullptr; }
  int channels() const override { return asked_channels_; }
  int all_channels() const override { return static_cast<int>(elements_.size()) * basis_.n_max(); }
  const ChannelBasis* basis() const override { return channel_basis_.get(); }
  std::vector<Matrix> no_moments() const override;
  std::int64_t add_moments(const Environments& environments, int begin, int end, std::vector<Matrix>& moments) const override;
  std::shared_ptr<const Descriptor> with_basis(ChannelBasis basis) const override;

 private:
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override;

  enum class Form { plain, shortened };
  using BasisPointer = std::shared_ptr<const ChannelBasis>;
  Soap(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements, RadialBasis basis, Form form,
       BasisPointer channel_basis = {});

  // Neighbours of one centre within the cutoff, in blocks of up to soap_lanes pairs of one species.
  struct Neighborhood {
    struct Block {
      int species = 0;
      int first = 0, count = 0;  // in `pair`
    };
    std::vector<Block> blocks;
    std::vector<std::size_t> pair;   // of the first species, then of the next
    std::vector<std::size_t> begin;  // of each species in `pair`, and the end
  };
  struct Scratch;
  struct Spectrum;
  using BlockOffsets = std::vector<std::vector<int>>;                                    // first row of each environment in each block
  std::vector<int> centres(const Environments& environments, int begin, int end) const;  // positions in the list
  void gather(const Environments& environments, int centre, int block_size, Neighborhood& out) const;
  template <class Real>
  const SoapTables<Real>& tables() const;
  template <class Real>
  SoapTables<Real> make_tables() const;
  template <class Real>
  struct PackScratch;
  template <class Real>
  SoapNeighbors<Real> find_neighbors(const Environments& environments, int centre, PackScratch<Real>& scratch) const;
  template <class Real>
  void expand(const Environments& environments, int centre, PackScratch<Real>& scratch, double* coefficients) const;
  template <class Real>
  void fill_with(const Environments& environments, const std::vector<int>& centre, Derivatives derivatives, Features& out) const;
  template <class Real>
  void pull_with(const Environments& environments, const std::vector<int>& centre, const Features& features,
                 const FeatureGradient& gradient, std::span<Vector3> dE_dr) const;
  template <class Real>
  void pull_centre(const Environments& environments, int centre, const double* dE_dc, PackScratch<Real>& scratch,
                   std::span<Vector3> dE_dr) const;
  SoapSpectrum spectrum() const;
  void fill_block(const Environments& environments, const Neighborhood& neighborhood, int block, Scratch& scratch) const;
  SoapPairs loop_pairs(const Neighborhood::Block& block, const Scratch& scratch) const;  // of the last fill_block()
  int species_index(int z) const;                                                        // −1: not an element of the descriptor
  int species_at(const Environments& environments, std::size_t pair) const {
    const auto z = static_cast<std::size_t>(environments.atomic_number[static_cast<std::size_t>(environments.neighbor[pair])]);
    return z < species_of_.size() ? species_of_[z] : -1;
  }
  std::vector<double> table_without_division() const;
  void check_basis() const;
  void contract_channels();
  std::vector<double> centre_coefficients() const;
  void order_features(bool shortened);
  Matrix turned_points(const MatrixView& points, const std::vector<int>& plain_zero, const std::vector<int>& plain_higher) const;
  BlockOffsets make_blocks(const Environments& environments, const std::vector<int>& centre, Features& out) const;
  void fill_jacobian(const Environments& environments, const Neighborhood& neighborhood, const Spectrum& spectrum,
                     const BlockOffsets& offset, Features& out, Scratch& scratch) const;
  void fill_pair(const Neighborhood::Block& pairs, int k, std::size_t row, const Spectrum& spectrum, JacobianBlock& block,
                 Scratch& scratch) const;
  void fill_directions(int species, const Spectrum& spectrum, JacobianBlock& block, Scratch& scratch) const;
  const double* table_of(int species) const;

  Parameters parameters_;
  std::vector<int> species_;     // the centre
  std::vector<int> elements_;    // neighbour species, ascending
  std::vector<int> species_of_;  // species_index() by atomic number
  RadialBasis basis_;
  double width_;
  double central_weight_;
  bool central_in_all_;
  int asked_channels_;          // `channels`
  BasisPointer channel_basis_;  // null: none is wanted, or it is not made yet
  int radial_;                  // radial functions per element: n_max, or the number of mixed or contracted channels
  int blocks_;                  // groups of neighbours with separate channels: elements, or 1 if channels are mixed or contracted
  int count_, channels_, features_, coefficients_;
  // Features of each pair of channels a, b ≤ a, by a(a+1)/2 + b: of l = 0, of l = 1 (the others follow), and the largest l, l_max or 0.
  std::vector<int> zero_, higher_, last_;
  struct PairRuns {  // see SpectrumGroup
    int pairs = 0;
    std::vector<int> from, to, length;
    void add(int a, int b, int channels);  // pairs in ascending order
  };
  PairRuns zero_pairs_, higher_pairs_;       // zero: only where l = 0 stands apart
  std::vector<double> feature_weight_;       // √2 for two different channels, else 1
  std::vector<Matrix> contraction_;          // [Q, species · n_max] for each l, or empty
  std::vector<std::vector<double>> tables_;  // replace RadialBasis::table(): by element, or one for all
  std::vector<double> centre_;               // contribution of the centre atom to each channel
  std::vector<double> prefactor_;
  // By neighbour species: pairs of channels that contain it, and their features of l = 0 and of l ≥ 1.
  struct BlockFeatures {
    std::vector<std::pair<int, int>> channels;
    std::vector<int> zero, higher;
  };
  std::vector<BlockFeatures> block_features_;
  mutable std::once_flag short_made_, full_made_, single_made_, all_made_;
  mutable ShortForm short_;
  mutable std::unique_ptr<const Soap> all_channels_;  // without the contraction
  mutable std::unique_ptr<const SoapTables<double>> full_tables_;
  mutable std::unique_ptr<const SoapTables<float>> single_tables_;
};

}  // namespace gapkit
