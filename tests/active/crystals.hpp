#pragma once

#include <array>
#include <gapkit/core/structure.hpp>
#include <span>

namespace gapkit::test {

/// n³ cubic cells of side a with the same sites, in fractions of a.
inline Structure cubic_crystal(int atomic_number, int n, double a, std::span<const std::array<double, 3>> sites) {
  Structure s;
  s.cell = Matrix3(a * n * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.positions.resize(static_cast<Eigen::Index>(sites.size()) * n * n * n, 3);
  int atom = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        for (const auto& f : sites) s.positions.row(atom++) << a * (i + f[0]), a * (j + f[1]), a * (k + f[2]);
  s.atomic_numbers.assign(static_cast<std::size_t>(atom), atomic_number);
  return s;
}

/// 8 n³ atoms of silicon in the diamond structure.
inline Structure diamond_silicon(int n, double a = 5.431) {
  constexpr std::array<double, 3> sites[] = {{0, 0, 0},       {0, .5, .5},     {.5, 0, .5},     {.5, .5, 0},
                                             {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}};
  return cubic_crystal(14, n, a, sites);
}

/// 4 n³ atoms of argon in the face-centred cubic structure.
inline Structure cubic_argon(int n, double a) {
  constexpr std::array<double, 3> sites[] = {{0, 0, 0}, {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}};
  return cubic_crystal(18, n, a, sites);
}

}  // namespace gapkit::test
