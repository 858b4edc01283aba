#pragma once

// Real spherical harmonics of `lanes` unit vectors at a time. Plain loops without library calls: files that are compiled for several
// instruction sets include this, so everything has internal linkage.

#include <gapkit/math/lanes.hpp>

namespace gapkit::harmonics {

inline constexpr int lanes = gapkit::lanes::width;
inline constexpr int largest_l = 24;

// Prefactors √((2l+1)/4π · (l−m)!/(l+m)!), times √2 for m > 0, with the sign (−1)^m taken out again that Q_m^m carries.
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
// without its factor (1−z²)^{m/2}: a polynomial, so nothing is singular at the poles. Seen as functions of (x, y, z, r²) the
// products are solid harmonics, whose gradient has the closed form
//     ∂_x Q_l^m = x Q_{l−1}^{m+1},  ∂_y Q_l^m = y Q_{l−1}^{m+1},  ∂_z Q_l^m = (l+m) Q_{l−1}^m;
// subtracting its radial part l Y r̂ leaves the gradient along the sphere.
//
// value[(l²+l+m)·lanes + k]; gradient[(α·(l_max+1)² + l²+l+m)·lanes + k] or null.
static inline void evaluate(int l_max, const double* __restrict prefactor, const double* __restrict x_, const double* __restrict y_,
                            const double* __restrict z_, double* __restrict value, double* __restrict gradient) {
  using gapkit::lanes::Pack;
  using gapkit::lanes::store;
  constexpr int W = lanes;
  Pack q[(largest_l + 1) * (largest_l + 2) / 2];
  Pack c[largest_l + 1], s[largest_l + 1];
  const Pack x = GAPKIT_LOAD(x_), y = GAPKIT_LOAD(y_), z = GAPKIT_LOAD(z_), zero = {};
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

}  // namespace gapkit::harmonics
