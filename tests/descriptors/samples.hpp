#pragma once

#include <cmath>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>

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
    for (const Parameters& p : variants)
      for (const auto& species : kind.combinations(elements)) {
        const std::string label = kind.name + " " + parameters_to_json(p);
        const auto descriptor = with_some_channels(kind.make(complete_parameters(p, kind.parameters, kind.name), species, elements));
        result.push_back({label, descriptor});
        if (kind.name == "soap") result.push_back({"map of " + label, some_map_of(descriptor, 7)});
        if (const auto shortened = descriptor->short_form().descriptor) result.push_back({"short form of " + label, shortened});
      }
  }
  return result;
}

}  // namespace gapkit::test
