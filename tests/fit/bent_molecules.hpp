#pragma once

#include <fmt/format.h>

#include <gapkit/core/structure.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// A bent molecule OH₂ with noise, turned.
inline Structure bent_molecule(std::mt19937& random, std::normal_distribution<double>& normal, unsigned rotation) {
  Structure s;
  s.atomic_numbers = {8, 1, 1};
  s.positions.resize(3, 3);
  s.positions << 0, 0, 0, 0.76, 0.59, 0, -0.76, 0.59, 0;
  for (Eigen::Index i = 0; i < 9; ++i) s.positions.data()[i] += 0.08 * normal(random);
  return rotated(s, rotation);
}

/// A configuration of energies from pairs of train.xyz; `atoms`: their energies in TOML.
inline std::string pair_energies(const std::string& atoms) {
  return fmt::format(R"([data]
train = "train.xyz"
[reference_energies]
mode = "explicit"
explicit = {{ {} }}
[[term]]
descriptor = "two_body"
cutoff = 3.0
kernel = "squared_exponential"
length_scale = 0.5
n_sparse = 5
delta = 1.0
)",
                     atoms);
}

}  // namespace gapkit::test
