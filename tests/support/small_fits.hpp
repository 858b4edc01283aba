#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/model/model.hpp>

#include "support/dense_reference.hpp"

namespace gapkit::test {

/// A SOAP term small enough for dense references: D = (l_max+1) K(K+1)/2 with K = n_max · elements.
TermOptions small_soap(int n_max, int l_max, double zeta, int n_sparse, double cutoff = 3.6);
TermOptions small_two_body(double length_scale, int n_sparse, double cutoff = 4.2);
/// One length for r_ij + r_ik and r_jk (Å), its square for (r_ij − r_ik)².
TermOptions small_three_body(double length_scale, int n_sparse, double cutoff = 3.6);
/// Terms and training file, reference energies of the isolated atoms (support/pair_potential.hpp) given explicitly.
FitConfiguration small_options(const std::string& train, std::vector<TermOptions> terms);

/// A term as a fit would make it, with the given sparse points.
Term make_term(const TermOptions& options, const std::vector<int>& species, const std::vector<int>& elements, const Matrix& points);

/// Every row that a fit with these options sees in these frames, with target and σ; written anew from methods.md, section 4, apart from the
/// library.
Observations observations_of(const FitConfiguration& options, std::span<const Term> terms, const std::map<int, double>& reference_energies,
                             const std::vector<Structure>& frames);

/// Frames of a file with their targets.
std::vector<Structure> read_targets(const std::string& path);

}  // namespace gapkit::test
