#include <algorithm>
#include <cmath>
#include <gapkit/model/cautious_form.hpp>

namespace gapkit {
namespace {

constexpr double least_variance = 1e-24;  // eV², (eV/Å)²: zero by symmetry

double bounded_log(double x) {
  return std::log(std::max(x, least_variance));
}

}  // namespace

LogMeans log_means(std::span<const Variance> components) {
  double data = 0, jackknife = 0, total = 0;
  for (const Variance& v : components) {
    data += v.data;
    jackknife += v.jackknife;
    total += v.total();
  }
  const auto n = static_cast<double>(components.size());
  return {bounded_log(data / n), bounded_log(jackknife / n), bounded_log(total / n)};
}

double log_per_atom(double jackknife, int atoms) {
  return bounded_log(jackknife / (static_cast<double>(atoms) * atoms));
}

double cautious_scale(const CautiousPowers& powers, double jackknife, int atoms) {
  return std::exp((powers.jackknife - 1) * log_per_atom(jackknife, atoms));
}

double cautious_scale(const CautiousPowers& powers, std::span<const Variance> components) {
  const LogMeans logs = log_means(components);
  return std::exp(powers.data * logs.data + powers.jackknife * logs.jackknife + powers.total * logs.total);
}

}  // namespace gapkit
