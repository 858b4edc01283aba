#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/spherical_harmonics.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>

namespace gapkit {

void real_spherical_harmonics(int l_max, const Vector3& unit, double* value, double* gradient) {
  using harmonics::lanes;
  if (l_max < 0 || l_max > harmonics::largest_l)
    throw InputError("l_max is " + std::to_string(l_max) + ", expected 0 to " + std::to_string(harmonics::largest_l));
  const int count = (l_max + 1) * (l_max + 1);
  std::vector<double> prefactor(static_cast<std::size_t>((l_max + 1) * (l_max + 2) / 2));
  harmonics::fill_prefactors(l_max, prefactor.data(), [](double v) { return std::sqrt(v); });
  std::vector<double> values(static_cast<std::size_t>(count * lanes)),
      gradients(static_cast<std::size_t>(gradient ? 3 * count * lanes : 0));
  double x[lanes], y[lanes], z[lanes];
  for (int k = 0; k < lanes; ++k) {
    x[k] = unit.x();
    y[k] = unit.y();
    z[k] = unit.z();
  }
  harmonics::evaluate(l_max, prefactor.data(), x, y, z, values.data(), gradient ? gradients.data() : nullptr);
  for (int i = 0; i < count; ++i) value[i] = values[static_cast<std::size_t>(i * lanes)];
  if (gradient)
    for (int i = 0; i < 3 * count; ++i) gradient[i] = gradients[static_cast<std::size_t>(i * lanes)];
}

}  // namespace gapkit
