#include "config/automatic_terms.hpp"

#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t fewest_structures = 40, fewest_environments = 100;  // of data that a metric is learned from
constexpr int rank_of_one_element = 64, rank_of_several = 96;
constexpr std::size_t fewest_elements_contracted = 4;  // three fifths of the channels lose nothing there (docs/accuracy.md)
constexpr std::int64_t functions_of_one_element = 30, functions_of_several = 60;
constexpr int full_points = 100;  // of a term with all features beside a learned metric, per element

TermOptions make_term(const std::string& descriptor, const Parameters& parameters, const std::string& kernel,
                      const Parameters& kernel_parameters) {
  TermOptions term;
  term.name = term.descriptor = descriptor;
  term.descriptor_parameters = complete_parameters(parameters, descriptor_kind(descriptor).parameters, descriptor);
  term.kernel = kernel;
  term.kernel_parameters = complete_parameters(kernel_parameters, kernel_kind(kernel).parameters, kernel);
  return term;
}

}  // namespace

TermOptions pair_term(bool molecular, double cutoff) {
  TermOptions term = make_term("two_body", {{"cutoff", molecular ? 6.0 : cutoff}, {"cutoff_width", molecular ? 1.0 : 0.5}},
                               "squared_exponential", {{"length_scale", molecular ? 0.6 : 1.0}});
  term.delta = molecular ? 3.0 : 2.0;
  term.n_sparse = molecular ? 25 : 20;
  term.selection = "uniform";
  return term;
}

TermOptions triplet_term() {
  TermOptions term = make_term("three_body", {{"cutoff", 3.0}, {"cutoff_width", 0.8}}, "squared_exponential",
                               {{"length_scale", std::vector<double>{1.0, 1.0, 1.0}}});
  term.delta = 0.5;
  term.n_sparse = 80;
  term.selection = "variance";
  return term;
}

TermOptions soap_term(bool molecular, double cutoff, std::size_t elements) {
  const std::int64_t n_max = elements <= 3 ? 8 : 6, l_max = elements == 1 ? 8 : elements <= 3 ? 6 : 4;
  const std::int64_t all_channels = n_max * static_cast<std::int64_t>(elements);
  const std::int64_t channels = !molecular && elements >= fewest_elements_contracted ? (3 * all_channels + 4) / 5 : 0;
  TermOptions term = make_term("soap",
                               {{"cutoff", cutoff},
                                {"channels", channels},
                                {"cutoff_width", molecular ? 0.8 : 0.5},
                                {"n_max", n_max},
                                {"l_max", l_max},
                                {"atom_sigma", molecular ? 0.4 : 0.5}},
                               "dot_product", {{"zeta", 4.0}});
  term.delta = molecular ? 0.2 : 0.5;
  term.selection = molecular ? "cur" : "variance";
  term.max_candidates = 20000;
  return term;
}

TermOptions functions_term(const TermOptions& soap, std::size_t elements) {
  const std::int64_t functions = elements == 1 ? functions_of_one_element : functions_of_several;
  TermOptions term = make_term("symmetry_functions",
                               {{"cutoff", soap.descriptor_parameters.real("cutoff")},
                                {"n_select", functions},
                                {"weighted", elements >= fewest_elements_contracted}},
                               "ntk", {});
  term.delta = 1;
  term.n_sparse = soap.n_sparse;
  term.species_n_sparse = soap.species_n_sparse;
  term.max_candidates = soap.max_candidates;
  term.selection = "fps";
  return term;
}

std::string reason_against_metric(const DataSummary& data) {
  if (data.forces == 0) return "a metric is learned from forces, which the data lack";
  const auto structures = data.frames - data.single_atoms;
  if (structures < fewest_structures)
    return fmt::format("a learned metric needs {} structures, the data have {}", fewest_structures, structures);
  for (const auto& [z, atoms] : data.atoms_of)
    if (atoms < fewest_environments)
      return fmt::format("a learned metric needs {} atoms of each element, the data have {} of {}", fewest_environments, atoms,
                         element_symbol(z));
  return "";
}

TermOptions full_term(const TermOptions& soap) {
  TermOptions term = soap;
  term.name += "_full";
  term.n_sparse = full_points;
  return term;
}

void learn_metric(TermOptions& soap, std::size_t elements) {
  soap.kernel = "polynomial";
  soap.kernel_parameters = complete_parameters({{"zeta", std::int64_t{4}}}, kernel_kind(soap.kernel).parameters, soap.kernel);
  soap.compression.kind = "learned";
  soap.compression.rank = elements == 1 ? rank_of_one_element : rank_of_several;
  soap.selection = "variance";  // better than cur in these features (docs/accuracy.md)
}

}  // namespace gapkit
