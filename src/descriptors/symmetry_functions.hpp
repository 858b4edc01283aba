#pragma once

#include <gapkit/descriptors/symmetry_functions.hpp>

#include "descriptors/symmetry_cutoff.hpp"
#include "descriptors/symmetry_plan.hpp"

namespace gapkit {

/// Line of the table.
DescriptorKind symmetry_functions_kind();

/// Symmetry functions of Behler and Parrinello with their scaling (methods.md, section 2); one environment per centre of one element.
///
/// x = (G − offset) factor, or with `sphere` w > 0: (x, w √D)/√(|x|² + w² D) with D + 1 numbers.
/// Cost: O(P²) per centre with P neighbours inside the cutoff.
class SymmetryFunctions final : public Descriptor, public ChosenFunctions {
 public:
  /// `elements` (ascending) of the neighbours. Throws InputError if the list or a parameter is wrong.
  SymmetryFunctions(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements);

  int size() const override;
  double cutoff() const override { return cutoff_; }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  EnvironmentCount count(const Environments& environments, int c) const override;
  bool has_nonnegative_products() const override { return scaling_ == Scaling::none; }
  bool has_unit_length() const override { return sphere_ > 0; }
  /// The mean of |x|² over the training environments.
  double usual_square() const override;
  const ChosenFunctions* chosen_functions() const override { return this; }
  std::string without_derivatives() const override;
  void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override;

  const FunctionSet* chosen() const override { return set_.get(); }
  std::vector<SymmetryFunction> candidates(double shortest_distance) const override;
  std::vector<int> named_elements() const override;
  FunctionScaling scaling(const Matrix& statistics) const override;
  std::shared_ptr<const Descriptor> unscaled(std::vector<SymmetryFunction> functions) const override;
  std::shared_ptr<const Descriptor> with_functions(FunctionSet set) const override;

 private:
  enum class Scaling { none, centre, range, range_centred, sigma };
  struct Scratch;
  struct Offsets;

  bool is_automatic() const;
  void set_functions(FunctionSet set);
  std::vector<int> centres(const Environments& environments, int begin, int end) const;
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override;
  Offsets make_blocks(const Environments& environments, const std::vector<int>& centre, Features& out) const;
  int element_at(const Environments& environments, std::size_t pair) const;  // −1: ignored
  void gather(const Environments& environments, int centre, Scratch& scratch) const;
  void fill_factors(bool with_slopes, Scratch& scratch) const;
  void fill_sides(bool with_slopes, Scratch& scratch) const;
  void evaluate(bool with_derivatives, Scratch& scratch, double* derivatives) const;
  double put_features(const Scratch& scratch, double* x) const;  // returns the factor of the sphere
  void put_rows(const Environments& environments, const Scratch& scratch, std::size_t e, double on_sphere, const Offsets& offsets,
                Features& out) const;

  Parameters parameters_;
  std::vector<int> species_, elements_;
  double cutoff_;
  SymmetryCutoff cutoff_function_;
  Scaling scaling_;
  double sphere_;
  std::vector<ListedFunction> listed_;
  std::shared_ptr<const FunctionSet> set_;  // null: not made yet
  SymmetryPlan plan_;
  FunctionScaling scale_;
};

}  // namespace gapkit
