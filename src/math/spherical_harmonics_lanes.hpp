#pragma once

// Real spherical harmonics of `lanes` unit vectors at a time. Plain loops without library calls: files that are compiled for several
// instruction sets include this, so everything has internal linkage.

namespace gapkit::harmonics {

inline constexpr int lanes = 8;
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
static inline void evaluate(int l_max, const double* __restrict prefactor, const double* __restrict x, const double* __restrict y,
                            const double* __restrict z, double* __restrict value, double* __restrict gradient) {
  constexpr int W = lanes;
  double q[(largest_l + 1) * (largest_l + 2) / 2 * W];
  double c[(largest_l + 1) * W], s[(largest_l + 1) * W];
  for (int k = 0; k < W; ++k) {
    c[k] = 1;
    s[k] = 0;
    q[k] = 1;
  }
  for (int m = 1; m <= l_max; ++m)
    for (int k = 0; k < W; ++k) {
      c[m * W + k] = x[k] * c[(m - 1) * W + k] - y[k] * s[(m - 1) * W + k];
      s[m * W + k] = x[k] * s[(m - 1) * W + k] + y[k] * c[(m - 1) * W + k];
    }
  for (int l = 1; l <= l_max; ++l) {
    double* ql = q + l * (l + 1) / 2 * W;
    const double* q1 = q + (l - 1) * l / 2 * W;
    const double* q2 = q + (l - 2) * (l - 1) / 2 * W;
    for (int m = 0; m <= l - 2; ++m) {
      const double a = static_cast<double>(2 * l - 1) / (l - m), b = static_cast<double>(l + m - 1) / (l - m);
      for (int k = 0; k < W; ++k) ql[m * W + k] = a * z[k] * q1[m * W + k] - b * q2[m * W + k];
    }
    const double top = 2 * l - 1;
    for (int k = 0; k < W; ++k) {
      ql[(l - 1) * W + k] = top * z[k] * q1[(l - 1) * W + k];
      ql[l * W + k] = -top * q1[(l - 1) * W + k];
    }
  }
  const int count = (l_max + 1) * (l_max + 1);
  for (int l = 0; l <= l_max; ++l) {
    const double* ql = q + l * (l + 1) / 2 * W;
    const double* f = prefactor + l * (l + 1) / 2;
    double* v = value + (l * l + l) * W;
    for (int k = 0; k < W; ++k) v[k] = f[0] * ql[k];
    for (int m = 1; m <= l; ++m)
      for (int k = 0; k < W; ++k) {
        const double fq = f[m] * ql[m * W + k];
        v[m * W + k] = fq * c[m * W + k];
        v[-m * W + k] = fq * s[m * W + k];
      }
    if (!gradient) continue;
    const double* qd = q + (l - 1) * l / 2 * W;  // Q_{l−1}
    double* gx = gradient + (l * l + l) * W;
    double* gy = gx + count * W;
    double* gz = gy + count * W;
    for (int m = 0; m <= l; ++m) {
      const double fm = f[m], dm = m, dz = l + m, dl = l;
      for (int k = 0; k < W; ++k) {
        const double qm = ql[m * W + k];
        const double q_up = m + 1 <= l - 1 ? qd[(m + 1) * W + k] : 0.0;
        const double q_down = m <= l - 1 ? qd[m * W + k] : 0.0;
        const double cm = c[m * W + k], sm = s[m * W + k];
        const double cl = m > 0 ? c[(m - 1) * W + k] : 0.0, sl = m > 0 ? s[(m - 1) * W + k] : 0.0;
        const double radial_c = dl * qm * cm, radial_s = dl * qm * sm;
        gx[m * W + k] = fm * (x[k] * q_up * cm + dm * qm * cl - radial_c * x[k]);
        gy[m * W + k] = fm * (y[k] * q_up * cm - dm * qm * sl - radial_c * y[k]);
        gz[m * W + k] = fm * (dz * q_down * cm - radial_c * z[k]);
        if (m > 0) {
          gx[-m * W + k] = fm * (x[k] * q_up * sm + dm * qm * sl - radial_s * x[k]);
          gy[-m * W + k] = fm * (y[k] * q_up * sm + dm * qm * cl - radial_s * y[k]);
          gz[-m * W + k] = fm * (dz * q_down * sm - radial_s * z[k]);
        }
      }
    }
  }
}

}  // namespace gapkit::harmonics
