#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit::test {

/// 8 n³ atoms of silicon in the diamond structure.
inline Structure diamond_silicon(int n, double a = 5.431) {
  constexpr double sites[8][3] = {{0, 0, 0},       {0, .5, .5},     {.5, 0, .5},     {.5, .5, 0},
                                  {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}};
  Structure s;
  s.cell = Matrix3(a * n * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.positions.resize(8 * n * n * n, 3);
  int atom = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        for (const auto& f : sites) s.positions.row(atom++) << a * (i + f[0]), a * (j + f[1]), a * (k + f[2]);
  s.atomic_numbers.assign(static_cast<std::size_t>(atom), 14);
  return s;
}

/// 4 n³ atoms of argon in the face-centred cubic structure.
inline Structure cubic_argon(int n, double a) {
  constexpr double sites[4][3] = {{0, 0, 0}, {0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}};
  Structure s;
  s.cell = Matrix3(a * n * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.positions.resize(4 * n * n * n, 3);
  int atom = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        for (const auto& f : sites) s.positions.row(atom++) << a * (i + f[0]), a * (j + f[1]), a * (k + f[2]);
  s.atomic_numbers.assign(static_cast<std::size_t>(atom), 18);
  return s;
}

}  // namespace gapkit::test
