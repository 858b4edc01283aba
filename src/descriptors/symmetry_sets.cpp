// Automatic sets of symmetry functions: radial ones of Gastegger et al., J. Chem. Phys. 148, 241709 (2018), and of Imbalzano et al.,
// J. Chem. Phys. 148, 241730 (2018), each with the same angular functions.

#include "descriptors/symmetry_sets.hpp"

#include <algorithm>
#include <cmath>

namespace gapkit {
namespace {

using FunctionKind = SymmetryFunction::Kind;

constexpr int angular_widths = 4;
constexpr double angular_zetas[] = {1, 4, 16};

struct RadialFunction {
  double eta, shift;
};

// The mth of n equidistant radii from `first` to `last`, m from 0.
double equidistant(double first, double last, int m, int n) {
  return first + (last - first) * m / (n - 1);
}

std::vector<RadialFunction> gastegger_centred(double first, double cutoff, int n) {
  std::vector<RadialFunction> result;
  for (int m = 0; m < n; ++m) {
    const double radius = equidistant(first, cutoff, m, n);
    result.push_back({1 / (2 * radius * radius), 0});
  }
  return result;
}

std::vector<RadialFunction> gastegger_shifted(double first, double cutoff, int n) {
  const double step = (cutoff - first) / (n - 1);
  std::vector<RadialFunction> result;
  for (int m = 0; m < n; ++m) result.push_back({1 / (2 * step * step), equidistant(first, cutoff, m, n)});
  return result;
}

std::vector<RadialFunction> imbalzano_centred(double cutoff, int n) {
  std::vector<RadialFunction> result;
  const double k = n - 1;
  for (int m = 0; m < n; ++m) {
    const double root = std::pow(k, m / k) / cutoff;
    result.push_back({root * root, 0});
  }
  return result;
}

std::vector<RadialFunction> imbalzano_shifted(double cutoff, int n) {
  const auto radius = [&](int m) { return cutoff / std::pow(n, static_cast<double>(m) / n); };
  std::vector<RadialFunction> result;
  for (int m = 1; m <= n; ++m) {
    const double step = radius(m - 1) - radius(m);
    result.push_back({1 / (step * step), radius(m)});
  }
  return result;
}

}  // namespace

const std::vector<std::string>& SymmetrySets::names() {
  static const std::vector<std::string> all = {"auto", "gastegger_centred", "gastegger_shifted", "imbalzano_centred", "imbalzano_shifted"};
  return all;
}

std::vector<SymmetryFunction> SymmetrySets::functions(const std::vector<int>& elements) const {
  std::vector<RadialFunction> radials;
  const auto add = [&](const std::vector<RadialFunction>& more) { radials.insert(radials.end(), more.begin(), more.end()); };
  if (name == "gastegger_centred") add(gastegger_centred(first, cutoff, radial));
  if (name == "gastegger_shifted") add(gastegger_shifted(first, cutoff, radial));
  if (name == "imbalzano_centred" || name == "auto") add(imbalzano_centred(cutoff, radial));
  if (name == "imbalzano_shifted" || name == "auto") add(imbalzano_shifted(cutoff, radial));

  std::vector<SymmetryFunction> result;
  const std::vector<int> any = {0};
  const std::vector<int>& neighbours = weighted ? any : elements;
  for (const int z : neighbours)
    for (const auto& [eta, shift] : radials)
      result.push_back({.kind = weighted ? FunctionKind::wG2 : FunctionKind::G2, .first = z, .eta = eta, .shift = shift, .cutoff = cutoff});
  for (std::size_t a = 0; a < neighbours.size(); ++a)
    for (std::size_t b = a; b < neighbours.size(); ++b)
      for (const int lambda : {1, -1})
        for (const double zeta : angular_zetas)
          for (const auto& [eta, shift] : gastegger_centred(first, cutoff, angular_widths))
            result.push_back({.kind = weighted ? FunctionKind::wG4 : FunctionKind::G5,
                              .first = neighbours[a],
                              .second = neighbours[b],
                              .eta = eta,
                              .cutoff = cutoff,
                              .lambda = lambda,
                              .zeta = zeta});
  return result;
}

}  // namespace gapkit
