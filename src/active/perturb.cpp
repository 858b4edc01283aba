#include <fmt/format.h>

#include <cmath>
#include <gapkit/active/labeller.hpp>
#include <gapkit/active/perturb.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/math/random_stream.hpp>

namespace gapkit {
namespace {

void check_options(const Structure& structure, const PerturbOptions& options) {
  const auto check = [](double value, const char* name, double limit) {
    if (!(value >= 0 && value < limit))
      throw InputError(fmt::format("perturbed structures: {} is {}, expected at least 0 and less than {}", name, value, limit));
  };
  check(options.rattle, "rattle", 10);
  check(options.strain, "strain", 1);
  check(options.volume_strain, "volume_strain", 1);
  check(options.smallest_distance, "smallest_distance", 100);
  if ((options.strain > 0 || options.volume_strain > 0) && !structure.cell)
    throw InputError(structure.place() + "a structure without a cell cannot be strained");
}

/// I + symmetric strain, times the cube root of the factor of the volume.
Matrix3 random_deformation(const PerturbOptions& options, RandomStream& random) {
  Matrix3 deformation = Matrix3::Identity();
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k <= i; ++k) {
      const double strain = options.strain * random.normal();
      deformation(i, k) += strain;
      if (k != i) deformation(k, i) += strain;
    }
  return deformation * std::cbrt(1 + options.volume_strain * (2 * random.uniform() - 1));
}

bool keeps_distance(const Structure& structure, double smallest) {
  return smallest <= 0 || NeighborList(structure, smallest).pair_count() == 0;
}

}  // namespace

Structure perturbed(const Structure& structure, const PerturbOptions& options, std::uint64_t index) {
  check_options(structure, options);
  constexpr int tries = 100;
  Structure result = structure;
  remove_targets(result);
  RandomStream random{options.seed, index, 0};
  for (int k = 0; k < tries; ++k) {
    const Matrix3 deformation = random_deformation(options, random);
    result.positions = (structure.positions * deformation).eval();
    if (structure.cell) result.cell = Matrix3(*structure.cell * deformation);
    for (Eigen::Index i = 0; i < result.positions.size(); ++i) result.positions.data()[i] += options.rattle * random.normal();
    if (!(result.cell && !(result.volume() > 0)) && keeps_distance(result, options.smallest_distance)) return result;
  }
  throw InputError(fmt::format("{}all of {} random perturbations (rattle {} Å, strain {}) have atoms closer than {} Å; use smaller ones",
                               structure.place(), tries, options.rattle, options.strain, options.smallest_distance));
}

}  // namespace gapkit
