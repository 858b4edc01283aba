#pragma once

#include <cmath>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>

#include "descriptors/soap_mixing.hpp"

namespace gapkit::test {

struct Sample {
  std::string label;
  std::shared_ptr<const Descriptor> descriptor;
};

/// A map to at most `rank` features with arbitrary directions and mean.
inline std::shared_ptr<const Descriptor> some_map_of(const std::shared_ptr<const Descriptor>& descriptor, int rank) {
  const int size = descriptor->size();
  FeatureMap map{"pca", Matrix(size, std::min(rank, size)), Vector(size)};
  for (Eigen::Index i = 0; i < map.directions.size(); ++i) map.directions.data()[i] = std::sin(1 + 2.7 * static_cast<double>(i * i % 1009));
  for (int i = 0; i < size; ++i) map.mean[i] = 0.3 * std::cos(1.3 * i);
  return mapped_descriptor(descriptor, std::move(map));
}

/// The descriptor with channels contracted by random orthonormal matrices, another one for each l.
inline std::shared_ptr<const Descriptor> with_some_channels(const std::shared_ptr<const Descriptor>& descriptor, std::uint64_t seed = 10) {
  const ContractedChannels* channels = descriptor->contracted_channels();
  if (!channels) return descriptor;
  ChannelBasis basis;
  for (std::size_t l = 0; l < channels->no_moments().size(); ++l) {
    basis.contraction.push_back(random_mixing(channels->channels(), channels->all_channels(), seed + l));
    basis.kept.push_back(1);
  }
  return channels->with_basis(std::move(basis));
}

/// The descriptor with all of its functions, scaled by arbitrary statistics.
inline std::shared_ptr<const Descriptor> with_some_functions(const std::shared_ptr<const Descriptor>& descriptor) {
  const ChosenFunctions* functions = descriptor->chosen_functions();
  if (!functions) return descriptor;
  FunctionSet set{functions->candidates(1.6), {}};
  set.statistics.resize(static_cast<Eigen::Index>(set.functions.size()), 4);
  for (Eigen::Index i = 0; i < set.statistics.rows(); ++i)
    set.statistics.row(i) << 0.1, 1.5 + 0.1 * static_cast<double>(i % 7), 0.4, 0.5 + 0.05 * static_cast<double>(i % 5);
  return functions->with_functions(std::move(set));
}

/// Parameter sets of symmetry functions with every kind of function, cutoff function and scaling.
inline std::vector<Parameters> symmetry_variants() {
  const auto list = [](const char* functions, const char* cutoff_function, const char* scaling) {
    return Parameters{{"cutoff", 4.0},
                      {"functions", std::string(functions)},
                      {"cutoff_function", std::string(cutoff_function)},
                      {"scaling", std::string(scaling)}};
  };
  std::vector<Parameters> all = {
      list("G2 eta=0.1\nG2 C eta=1.5 r_s=2\nG2 Si eta=0.4 cutoff=3.7", "poly2", "none"),
      // seven functions of one power: blocks of four, two and one
      list("G5 eta=0.01 lambda=1 zeta=1\nG5 eta=0.02 lambda=1 zeta=1\nG5 eta=0.04 lambda=1 zeta=1\nG5 eta=0.08 lambda=1 zeta=1\n"
           "G5 eta=0.16 lambda=1 zeta=1\nG5 eta=0.32 lambda=1 zeta=1\nG5 eta=0.64 r_s=1 lambda=1 zeta=1\nG5 eta=0.1 lambda=-1 zeta=16",
           "tanh", "sigma"),
      list("G4 eta=0.01 lambda=1 zeta=1\nG4 C Si eta=0.3 r_s=0.5 lambda=-1 zeta=4\nG5 C C eta=0.05 lambda=-1 zeta=2.5\n"
           "Si: G4 Si Si eta=0.1 lambda=1 zeta=3 cutoff=3.6\nG2 eta=0",
           "cos", "range"),
      list("wG2 eta=0.1\nwG2 eta=2 r_s=2\nwG4 eta=0.02 lambda=1 zeta=1\nwG4 eta=0.1 r_s=1 lambda=-1 zeta=3\nG2 Si eta=0.1", "poly4",
           "range_centred"),
      list("auto", "exp", "sigma"), list("gastegger_shifted", "poly1", "centre"),
      list("G2 Si eta=0.3\nG5 Si Si eta=0.1 lambda=1 zeta=2", "tanhu", "sigma")};
  all[1].set("sphere", 2.0);
  all[3].set("sphere", 0.7);
  all[2].set("cutoff_alpha", 0.2);
  for (const std::size_t automatic : {4, 5}) all[automatic].set("n_radial", std::int64_t{3});
  all[5].set("weighted", true);
  return all;
}

/// Small instances of every kind, for each combination of two elements, some with several parameter sets.
inline std::vector<Sample> samples(const std::vector<int>& elements) {
  std::vector<Sample> result;
  for (const DescriptorKind& kind : descriptor_kinds()) {
    std::vector<Parameters> variants = {{{"cutoff", 4.0}, {"cutoff_width", 1.1}}};
    if (kind.name == "soap") {
      variants = {{{"cutoff", 3.7}, {"cutoff_width", 0.8}, {"n_max", std::int64_t{3}}, {"l_max", std::int64_t{2}}},
                  {{"cutoff", 4.1}, {"cutoff_width", 4.0}, {"n_max", std::int64_t{1}}, {"l_max", std::int64_t{0}}},
                  {{"cutoff", 3.5},
                   {"n_max", std::int64_t{5}},
                   {"l_max", std::int64_t{6}},
                   {"central_weight", 0.0},
                   {"radial_weight", std::int64_t{0}}},
                  {{"cutoff", 3.5},
                   {"n_max", std::int64_t{2}},
                   {"l_max", std::int64_t{3}},
                   {"central_weight", 0.6},
                   {"central_reference_all_species", true}},
                  {{"cutoff", 3.6}, {"n_max", std::int64_t{2}}, {"l_max", std::int64_t{2}}, {"radial_weight", std::int64_t{3}}},
                  {{"cutoff", 3.5}, {"n_max", std::int64_t{5}}, {"l_max", std::int64_t{9}}},  // more than the widest registers hold
                  {{"cutoff", 3.8}, {"n_max", std::int64_t{4}}, {"l_max", std::int64_t{3}}, {"mixed_channels", std::int64_t{3}}},
                  {{"cutoff", 3.8}, {"n_max", std::int64_t{4}}, {"l_max", std::int64_t{3}}, {"channels", std::int64_t{3}}},
                  {{"cutoff", 3.6},
                   {"n_max", std::int64_t{3}},
                   {"l_max", std::int64_t{4}},
                   {"channels", std::int64_t{6}},
                   {"central_weight", 0.7},
                   {"central_reference_all_species", true},
                   {"radial_weight", std::int64_t{0}}},
                  {{"cutoff", 3.5}, {"n_max", std::int64_t{3}}, {"l_max", std::int64_t{3}}, {"undivided_spectrum", true}},
                  {{"cutoff", 3.5},
                   {"n_max", std::int64_t{3}},
                   {"l_max", std::int64_t{2}},
                   {"undivided_spectrum", true},
                   {"mixed_channels", std::int64_t{4}}}};
    }
    if (kind.name == "symmetry_functions") variants = symmetry_variants();
    for (const Parameters& p : variants)
      for (const auto& species : kind.combinations(elements)) {
        const std::string label = kind.name + " " + parameters_to_json(p);
        const auto descriptor =
            with_some_functions(with_some_channels(kind.make(complete_parameters(p, kind.parameters, kind.name), species, elements)));
        result.push_back({label, descriptor});
        if (kind.name == "soap") result.push_back({"map of " + label, some_map_of(descriptor, 7)});
        if (const auto shortened = descriptor->short_form().descriptor) result.push_back({"short form of " + label, shortened});
      }
  }
  return result;
}

}  // namespace gapkit::test
