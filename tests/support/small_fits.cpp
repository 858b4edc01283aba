#include "support/small_fits.hpp"

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/term_kernel.hpp>

#include "support/pair_potential.hpp"

namespace gapkit::test {

TermOptions small_soap(int n_max, int l_max, double zeta, int n_sparse, double cutoff) {
  TermOptions t;
  t.name = t.descriptor = "soap";
  t.descriptor_parameters = complete_parameters(
      {{"n_max", std::int64_t{n_max}}, {"l_max", std::int64_t{l_max}}, {"cutoff", cutoff}, {"cutoff_width", 0.8}, {"atom_sigma", 0.6}},
      descriptor_kind("soap").parameters, "soap");
  t.kernel = "dot_product";
  t.kernel_parameters = {{"zeta", zeta}};
  t.n_sparse = n_sparse;
  t.selection = "variance";
  return t;
}

TermOptions small_two_body(double length_scale, int n_sparse, double cutoff) {
  TermOptions t;
  t.name = t.descriptor = "two_body";
  t.descriptor_parameters = {{"cutoff", cutoff}, {"cutoff_width", 1.0}};
  t.kernel = "squared_exponential";
  t.kernel_parameters = {{"length_scale", length_scale}};
  t.n_sparse = n_sparse;
  t.selection = "uniform";
  return t;
}

TermOptions small_three_body(double length_scale, int n_sparse, double cutoff) {
  TermOptions t;
  t.name = t.descriptor = "three_body";
  t.descriptor_parameters = {{"cutoff", cutoff}, {"cutoff_width", 0.9}};
  t.kernel = "squared_exponential";
  t.kernel_parameters = {{"length_scale", std::vector<double>{length_scale, length_scale * length_scale, length_scale}}};
  t.delta = 0.3;
  t.n_sparse = n_sparse;
  t.selection = "uniform";
  return t;
}

FitConfiguration small_options(const std::string& train, std::vector<TermOptions> terms) {
  FitConfiguration o;
  o.train = {train};
  o.terms = std::move(terms);
  o.reference_energies.mode = ReferenceEnergyOptions::Mode::explicit_values;
  for (const int z : {6, 14}) o.reference_energies.values[element_symbol(z)] = lone_atom_energy(z);
  o.regularization.standard = {0.01, 0.1, 0.2};
  o.calibration.source = CalibrationOptions::Source::none;  // error bars are those of the posterior
  return o;
}

Term make_term(const TermOptions& options, const std::vector<int>& species, const std::vector<int>& elements, const Matrix& points) {
  Term term;
  term.name = options.name;
  term.descriptor_name = options.descriptor;
  term.kernel_name = options.kernel;
  term.species = species;
  term.elements = elements;
  term.descriptor = descriptor_kind(options.descriptor).make(options.descriptor_parameters, species, elements);
  term.kernel = kernel_for(*term.descriptor, options.kernel,
                           complete_parameters(options.kernel_parameters, kernel_kind(options.kernel).parameters, options.name));
  term.delta = options.delta;
  term.sparse.x = points;
  term.sparse.covariance_cutoff.resize(points.rows());
  for (Eigen::Index m = 0; m < points.rows(); ++m)
    term.sparse.covariance_cutoff[m] = term.descriptor->covariance_cutoff({&points(m, 0), static_cast<std::size_t>(points.cols())});
  return term;
}

Observations observations_of(const FitConfiguration& options, std::span<const Term> terms, const std::map<int, double>& reference_energies,
                             const std::vector<Structure>& frames) {
  Observations all;
  for (const Structure& s : frames) {
    const Observables wanted{.energy = options.use[Property::energy] && s.energy,
                             .forces = options.use[Property::force] && s.forces,
                             .virial = options.use[Property::virial] && s.virial};
    const std::vector<DenseFunctional> rows = observables_of(terms, s, wanted);
    const auto own = options.regularization.config_type.find(s.config_type);
    const SigmaOptions& sigma = own == options.regularization.config_type.end() ? options.regularization.standard : own->second;
    const double root = options.regularization.scale_with_atoms ? std::sqrt(s.size()) : 1;
    std::size_t row = 0;
    const auto add = [&](double target, double noise) {
      all.rows.push_back(rows.at(row++));
      all.target.push_back(target);
      all.sigma.push_back(noise);
    };
    if (wanted.energy) {
      double energy = *s.energy;
      for (const int z : s.atomic_numbers) energy -= reference_energies.at(z);
      add(energy, s.sigma[Property::energy].frame.value_or(sigma[Property::energy] * root));
    }
    if (wanted.forces)
      for (int i = 0; i < s.size(); ++i)
        for (int a = 0; a < 3; ++a) {
          const auto atom = static_cast<std::size_t>(i);
          if (!s.force_mask.empty() && s.force_mask[atom]) {
            ++row;
            continue;
          }
          add((*s.forces)(i, a), !s.sigma[Property::force].atom.empty() ? s.sigma[Property::force].atom[atom]
                                                                        : s.sigma[Property::force].frame.value_or(sigma[Property::force]));
        }
    if (wanted.virial) {
      const Matrix3& w = *s.virial;
      for (const double target : {w(0, 0), w(1, 1), w(2, 2), w(1, 2), w(0, 2), w(0, 1)})
        add(target, s.sigma[Property::virial].frame.value_or(sigma[Property::virial] * root));
    }
  }
  return all;
}

std::vector<Structure> read_targets(const std::string& path) {
  std::vector<Structure> frames = read_extxyz(path);
  for (Structure& frame : frames) assign_targets(frame, {});
  return frames;
}

}  // namespace gapkit::test
