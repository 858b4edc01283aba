#pragma once

// Real spherical harmonics of `lanes` unit vectors at a time. Plain loops without library calls and with internal linkage, because files
// that are compiled for several instruction sets include this.

#include <gapkit/math/lanes.hpp>

namespace gapkit::harmonics {

inline constexpr int lanes = 8;
static_assert(lanes % gapkit::lanes::width == 0);
inline constexpr int largest_l = 24;

/// Components of unit vectors, `lanes` numbers each.
struct Directions {
  const double *x, *y, *z;
};

// Prefactors √((2l+1)/4π · (l−m)!/(l+m)!), times √2 for m > 0, without the sign (−1)^m of Q_m^m.
// prefactor[l(l+1)/2 + m]
static inline void fill_prefactors(int l_max, double* prefactor, double (*square_root)(double)) {
  constexpr double four_pi = 12.566370614359172953850573533118;
  for (int l = 0; l <= l_max; ++l) {
    double ratio = 1;  // (l−m)! / (l+m)!
    for (int m = 0; m <= l; ++m) {
      if (m > 0) ratio /= static_cast<double>(l - m + 1) * static_cast<double>(l + m);
      const double sign = m % 2 == 0 ? 1.0 : -1.0;
      prefactor[l * (l + 1) / 2 + m] = sign * square_root((2 * l + 1) / four_pi * ratio * (m > 0 ? 2.0 : 1.0));
    }
  }
}

// On the unit sphere Y_lm = F_lm Q_l^m(z) · {c_m, s_m} with c_m + i s_m = (x + iy)^m, where Q_l^m is the associated Legendre function
// without its factor (1−z²)^{m/2}: a polynomial, so nothing is singular at the poles. As functions of (x, y, z, r²) the
// products are solid harmonics, whose gradient has the closed form
//     ∂_x Q_l^m = x Q_{l−1}^{m+1},  ∂_y Q_l^m = y Q_{l−1}^{m+1},  ∂_z Q_l^m = (l+m) Q_{l−1}^m;
// without its radial part l Y r̂ it is the gradient along the sphere.
//
// One pack of the directions.
static inline void evaluate_pack(int l_max, const double* __restrict prefactor, const Directions& directions, double* __restrict value,
                                 double* __restrict gradient) {
  using gapkit::lanes::Pack;
  using gapkit::lanes::store;
  constexpr int W = lanes;  // distance between the packs of two functions
  Pack q[(largest_l + 1) * (largest_l + 2) / 2];
  Pack c[largest_l + 1], s[largest_l + 1];
  const Pack x = GAPKIT_LOAD(directions.x), y = GAPKIT_LOAD(directions.y), z = GAPKIT_LOAD(directions.z), zero = {};
  c[0] = zero + 1.0;
  s[0] = zero;
  q[0] = c[0];
  for (int m = 1; m <= l_max; ++m) {
    c[m] = x * c[m - 1] - y * s[m - 1];
    s[m] = x * s[m - 1] + y * c[m - 1];
  }
  for (int l = 1; l <= l_max; ++l) {
    Pack* ql = q + l * (l + 1) / 2;
    const Pack* q1 = q + (l - 1) * l / 2;
    for (int m = 0; m <= l - 2; ++m) {
      const double inverse = 1.0 / (l - m), a = (2 * l - 1) * inverse, b = (l + m - 1) * inverse;
      ql[m] = a * z * q1[m] - b * q[(l - 2) * (l - 1) / 2 + m];
    }
    const double top = 2 * l - 1;
    ql[l - 1] = top * z * q1[l - 1];
    ql[l] = -top * q1[l - 1];
  }
  const int count = (l_max + 1) * (l_max + 1);
  for (int l = 0; l <= l_max; ++l) {
    const Pack* ql = q + l * (l + 1) / 2;
    const double* f = prefactor + l * (l + 1) / 2;
    double* v = value + (l * l + l) * W;
    store(v, f[0] * ql[0]);
    for (int m = 1; m <= l; ++m) {
      const Pack fq = f[m] * ql[m];
      store(v + m * W, fq * c[m]);
      store(v - m * W, fq * s[m]);
    }
    if (!gradient) continue;
    const Pack* qd = l > 0 ? q + (l - 1) * l / 2 : q;  // Q_{l−1}
    double* gx = gradient + (l * l + l) * W;
    double* gy = gx + count * W;
    double* gz = gy + count * W;
    for (int m = 0; m <= l; ++m) {
      const double dm = f[m] * m, dz = f[m] * (l + m), dl = f[m] * l;
      const Pack up = m + 1 <= l - 1 ? f[m] * qd[m + 1] : zero, down = m <= l - 1 ? dz * qd[m] : zero;
      const Pack radial = up - dl * ql[m];
      const Pack x_up = x * radial, y_up = y * radial, z_up = down - dl * ql[m] * z, around = dm * ql[m];
      const Pack cl = m > 0 ? c[m - 1] : zero, sl = m > 0 ? s[m - 1] : zero;
      store(gx + m * W, x_up * c[m] + around * cl);
      store(gy + m * W, y_up * c[m] - around * sl);
      store(gz + m * W, z_up * c[m]);
      if (m > 0) {
        store(gx - m * W, x_up * s[m] + around * sl);
        store(gy - m * W, y_up * s[m] + around * cl);
        store(gz - m * W, z_up * s[m]);
      }
    }
  }
}

// Orthonormal; m < 0: sine, m > 0: cosine. value[(l²+l+m)·lanes + k]; gradient[(α·(l_max+1)² + l²+l+m)·lanes + k] or null: r ∇Y_lm.
// Recurrences for polynomials in x, y, z: e.g. Bigi et al., J. Chem. Phys. 159, 064802 (2023).
static inline void evaluate(int l_max, const double* prefactor, const Directions& directions, double* value, double* gradient) {
  for (int k = 0; k < lanes; k += gapkit::lanes::width)
    evaluate_pack(l_max, prefactor, {directions.x + k, directions.y + k, directions.z + k}, value + k, gradient ? gradient + k : nullptr);
}

}  // namespace gapkit::harmonics
