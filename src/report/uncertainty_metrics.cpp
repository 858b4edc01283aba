#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <map>
#include <numbers>
#include <numeric>
#include <string>

#include "report/rank_correlation.hpp"

namespace gapkit {
namespace {

constexpr int bin_count = UncertaintyMetrics::bin_count;
constexpr std::size_t levels = 100;           // steps of the calibration curve in the miscalibration area
constexpr std::size_t draws = 8;              // draws of a perfect model's errors
constexpr std::uint64_t stream_of_draws = 1;  // random numbers; the bootstrap has stream 0
constexpr double two_sided_95 = 1.959964;     // P(|z| ≤ this) = 0.95
constexpr long smallest_for_bins = 2L * bin_count;
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Sums over one structure or over a resample of structures.
struct Sums {
  double count = 0, z_square = 0, error_square = 0, std_square = 0, nll = 0, within_68 = 0, within_95 = 0;
  std::array<double, bin_count> bin = {}, bin_z_square = {};
  std::array<double, levels> level = {};  // entries with erf(|z|/√2) in each hundredth

  void add(const Sums& other, double times) {
    count += times * other.count;
    z_square += times * other.z_square;
    error_square += times * other.error_square;
    std_square += times * other.std_square;
    nll += times * other.nll;
    within_68 += times * other.within_68;
    within_95 += times * other.within_95;
    for (std::size_t b = 0; b < bin.size(); ++b) {
      bin[b] += times * other.bin[b];
      bin_z_square[b] += times * other.bin_z_square[b];
    }
    for (std::size_t l = 0; l < levels; ++l) level[l] += times * other.level[l];
  }

  double constant_nll() const { return 0.5 * std::log(2 * std::numbers::pi * error_square / count) + 0.5; }
  double miscalibration_area() const {
    double area = 0, seen = 0, before = 0;
    for (std::size_t l = 0; l < levels; ++l) {
      seen += level[l];
      const double after = std::abs(seen / count - static_cast<double>(l + 1) / levels);
      area += 0.5 * (before + after) / levels;
      before = after;
    }
    return area;
  }
};

void check(bool equal_lengths) {
  if (!equal_lengths) throw InputError("error bars: errors, stds and structure indices have different lengths");
}

void check(double error, double std, int structure, std::size_t i) {
  if (!std::isfinite(error) || !std::isfinite(std) || std < 0 || structure < 0)
    throw NumericalError("error bars: entry " + std::to_string(i + 1) + " has error " + std::to_string(error) + ", std " +
                         std::to_string(std) + " and structure " + std::to_string(structure) +
                         "; expected finite numbers, a std of at least 0 and an index of at least 0");
}

/// Structures renumbered from 0 in the order of their appearance.
std::vector<std::size_t> renumbered(const std::vector<int>& structure, std::size_t& count) {
  std::map<int, std::size_t> known;
  std::vector<std::size_t> result;
  for (const int s : structure) result.push_back(known.try_emplace(s, known.size()).first->second);
  count = known.size();
  return result;
}

/// Percentiles over the resamples.
Estimate estimate(double value, std::vector<double> samples) {
  Estimate e{value, not_a_number, not_a_number};
  std::erase_if(samples, [](double x) { return std::isnan(x); });
  if (samples.empty()) return e;
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double fraction) {
    const double position = fraction * static_cast<double>(samples.size() - 1);
    const auto i = static_cast<std::size_t>(position);
    const double rest = position - static_cast<double>(i);
    return i + 1 < samples.size() ? (1 - rest) * samples[i] + rest * samples[i + 1] : samples[i];
  };
  e.low = at(0.025);
  e.high = at(0.975);
  return e;
}

/// Number of times that each structure occurs in each resample.
class Bootstrap {
 public:
  Bootstrap(std::size_t structures, std::size_t entries, const BootstrapOptions& options)
      : structures_(structures), random_{.seed = options.seed} {
    if (structures < 2) return;  // one structure cannot be resampled
    const double affordable = 1e8 / static_cast<double>(std::max<std::size_t>(entries, 1));
    resamples_ = std::min(options.resamples, std::max(200, static_cast<int>(std::min(affordable, 1e6))));
  }
  int resamples() const { return resamples_; }
  const std::vector<double>& next() {
    times_.assign(structures_, 0.0);
    for (std::size_t i = 0; i < structures_; ++i) times_[random_.below(structures_)] += 1;
    return times_;
  }

 private:
  std::size_t structures_;
  int resamples_ = 0;
  RandomStream random_;
  std::vector<double> times_;
};

/// ρ(|error|, std), and the same for errors drawn from the stds, for any weights.
class SpearmanPair {
 public:
  SpearmanPair(const std::vector<double>& magnitude, const std::vector<double>& std, const std::vector<std::vector<double>>& drawn)
      : magnitude_(magnitude), std_(std) {
    for (const auto& d : drawn) drawn_.emplace_back(d);
  }
  double observed(const std::vector<double>& weight) const { return rank_correlation(magnitude_, std_, weight); }
  double perfect(const std::vector<double>& weight, std::size_t draw) const { return rank_correlation(drawn_[draw % draws], std_, weight); }
  double mean_perfect(const std::vector<double>& weight) const {
    double sum = 0;
    for (std::size_t d = 0; d < draws; ++d) sum += perfect(weight, d);
    return sum / draws;
  }

 private:
  RankOrder magnitude_, std_;
  std::vector<RankOrder> drawn_;
};

ErrorsWithBars checked(const ErrorsWithBars& data, long& without_bar) {
  check(data.std.size() == data.size() && data.structure.size() == data.size());
  ErrorsWithBars result;
  for (std::size_t i = 0; i < data.size(); ++i) {
    check(data.error[i], data.std[i], data.structure[i], i);
    if (data.std[i] > 0)
      result.add(data.error[i], data.std[i], data.structure[i]);
    else
      ++without_bar;
  }
  return result;
}

/// Position by increasing std; equal stds in the order of the data.
std::vector<std::size_t> order_by_std(const std::vector<double>& std) {
  std::vector<std::size_t> order(std.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std[a] < std[b]; });
  return order;
}

std::vector<Sums> sums_of_structures(const ErrorsWithBars& rows, const std::vector<std::size_t>& of, std::size_t structures,
                                     const std::vector<std::size_t>& bin) {
  std::vector<Sums> sums(structures);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Sums& s = sums[of[i]];
    const double std = rows.std[i], error = rows.error[i], z = std::abs(error / std);
    s.count += 1;
    s.z_square += z * z;
    s.error_square += error * error;
    s.std_square += std * std;
    s.nll += 0.5 * std::log(2 * std::numbers::pi * std * std) + 0.5 * z * z;
    s.within_68 += z <= 1 ? 1 : 0;
    s.within_95 += z <= two_sided_95 ? 1 : 0;
    s.bin[bin[i]] += 1;
    s.bin_z_square[bin[i]] += z * z;
    s.level[std::min(levels - 1, static_cast<std::size_t>(std::erf(z / std::numbers::sqrt2) * levels))] += 1;
  }
  return sums;
}

std::vector<double> expanded(const std::vector<double>& times, const std::vector<std::size_t>& structure) {
  std::vector<double> weight(structure.size());
  for (std::size_t i = 0; i < structure.size(); ++i) weight[i] = times[structure[i]];
  return weight;
}

/// Statistics of one resample, or of the data, in the order of `statistic`.
enum Statistic : std::size_t { zms, nll, nll_difference, coverage68, coverage95, area, sharpness, spearman, perfect, first_bin };
constexpr std::size_t statistic_count = first_bin + bin_count;

std::array<double, statistic_count> statistics_of(const Sums& s) {
  std::array<double, statistic_count> x{};
  x[zms] = s.z_square / s.count;
  x[nll] = s.nll / s.count;
  x[nll_difference] = s.nll / s.count - s.constant_nll();
  x[coverage68] = s.within_68 / s.count;
  x[coverage95] = s.within_95 / s.count;
  x[area] = s.miscalibration_area();
  x[sharpness] = std::sqrt(s.std_square / s.count);
  for (std::size_t b = 0; b < bin_count; ++b) x[first_bin + b] = s.bin_z_square[b] / s.bin[b];  // 0/0: NaN
  return x;
}

}  // namespace

UncertaintyMetrics uncertainty_metrics(const ErrorsWithBars& data, const BootstrapOptions& options) {
  UncertaintyMetrics m;
  const ErrorsWithBars rows = checked(data, m.without_bar);
  m.count = static_cast<long>(rows.size());
  std::size_t structures = 0;
  const std::vector<std::size_t> of = renumbered(rows.structure, structures);
  m.structures = static_cast<long>(structures);
  std::vector<std::size_t> bin(rows.size(), 0);
  const bool has_bins = m.count >= smallest_for_bins;
  if (has_bins) {
    m.bins.resize(bin_count);
    const std::vector<std::size_t> order = order_by_std(rows.std);
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t i = order[k], b = k * bin_count / order.size();
      bin[i] = b;
      ++m.bins[b].count;
      m.bins[b].std += rows.std[i] * rows.std[i];
      m.bins[b].rmse += rows.error[i] * rows.error[i];
    }
    for (StdBin& b : m.bins) {
      b.std = std::sqrt(b.std / static_cast<double>(b.count));
      b.rmse = std::sqrt(b.rmse / static_cast<double>(b.count));
    }
  }
  const std::vector<Sums> sums = sums_of_structures(rows, of, structures, bin);
  Sums all;
  for (const Sums& s : sums) all.add(s, 1);

  RandomStream random{.seed = options.seed, .stream = stream_of_draws};
  std::vector<double> magnitude(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) magnitude[i] = std::abs(rows.error[i]);
  std::vector<std::vector<double>> drawn(draws, std::vector<double>(rows.size()));
  for (auto& draw : drawn)
    for (std::size_t i = 0; i < rows.size(); ++i) draw[i] = std::abs(random.normal()) * rows.std[i];
  const SpearmanPair ranks(magnitude, rows.std, drawn);
  const std::vector<double> once(rows.size(), 1.0);

  auto value = statistics_of(all);
  value[spearman] = ranks.observed(once);
  value[perfect] = ranks.mean_perfect(once);
  Bootstrap bootstrap(structures, rows.size(), options);
  std::array<std::vector<double>, statistic_count> samples;
  for (int r = 0; r < bootstrap.resamples(); ++r) {
    const std::vector<double>& times = bootstrap.next();
    Sums resample;
    for (std::size_t s = 0; s < structures; ++s)
      if (times[s] > 0) resample.add(sums[s], times[s]);
    auto x = statistics_of(resample);
    const std::vector<double> weight = expanded(times, of);
    x[spearman] = ranks.observed(weight);
    x[perfect] = ranks.perfect(weight, static_cast<std::size_t>(r));
    for (std::size_t k = 0; k < statistic_count; ++k) samples[k].push_back(x[k]);
  }
  const auto of_statistic = [&](std::size_t k) { return estimate(value[k], std::move(samples[k])); };
  m.zms = of_statistic(zms);
  m.nll = of_statistic(nll);
  m.constant_std = std::sqrt(all.error_square / all.count);
  m.constant_nll = all.constant_nll();
  m.nll_difference = of_statistic(nll_difference);
  m.coverage68 = of_statistic(coverage68);
  m.coverage95 = of_statistic(coverage95);
  m.miscalibration_area = of_statistic(area);
  m.sharpness = of_statistic(sharpness);
  m.spearman = of_statistic(spearman);
  m.perfect_spearman = of_statistic(perfect);
  for (std::size_t b = 0; b < m.bins.size(); ++b) m.bins[b].zms = of_statistic(first_bin + b);
  return m;
}

VectorUncertaintyMetrics uncertainty_metrics(const VectorErrorsWithBars& data, const BootstrapOptions& options) {
  check(data.std.size() == data.size() && data.structure.size() == data.size());
  VectorUncertaintyMetrics m;
  std::vector<double> magnitude, bar;
  std::vector<Vector3> std;
  std::vector<int> structure;
  for (std::size_t i = 0; i < data.size(); ++i) {
    for (int c = 0; c < 3; ++c) check(data.error[i][c], data.std[i][c], data.structure[i], i);
    if (!(data.std[i].norm() > 0)) {
      ++m.without_bar;
      continue;
    }
    magnitude.push_back(data.error[i].norm());
    bar.push_back(data.std[i].norm());
    std.push_back(data.std[i]);
    structure.push_back(data.structure[i]);
  }
  m.count = static_cast<long>(bar.size());
  std::size_t structures = 0;
  const std::vector<std::size_t> of = renumbered(structure, structures);
  m.structures = static_cast<long>(structures);

  RandomStream random{.seed = options.seed, .stream = stream_of_draws};
  std::vector<std::vector<double>> drawn(draws, std::vector<double>(bar.size()));
  for (auto& draw : drawn)
    for (std::size_t i = 0; i < bar.size(); ++i) {
      const double x = random.normal(), y = random.normal(), z = random.normal();
      draw[i] = Vector3(x, y, z).cwiseProduct(std[i]).norm();
    }
  const SpearmanPair ranks(magnitude, bar, drawn);
  const auto with = [&](const std::vector<double>& weight, double& zms_value, double& sharpness_value) {
    double count = 0, z_square = 0, std_square = 0;
    for (std::size_t i = 0; i < bar.size(); ++i) {
      count += weight[i];
      z_square += weight[i] * magnitude[i] * magnitude[i] / (bar[i] * bar[i]);
      std_square += weight[i] * bar[i] * bar[i];
    }
    zms_value = z_square / count;
    sharpness_value = std::sqrt(std_square / count);
  };
  const std::vector<double> once(bar.size(), 1.0);
  double zms_value = 0, sharpness_value = 0;
  with(once, zms_value, sharpness_value);
  Bootstrap bootstrap(structures, bar.size(), options);
  std::array<std::vector<double>, 4> samples;
  for (int r = 0; r < bootstrap.resamples(); ++r) {
    const std::vector<double> weight = expanded(bootstrap.next(), of);
    double z = 0, s = 0;
    with(weight, z, s);
    samples[0].push_back(z);
    samples[1].push_back(s);
    samples[2].push_back(ranks.observed(weight));
    samples[3].push_back(ranks.perfect(weight, static_cast<std::size_t>(r)));
  }
  m.zms = estimate(zms_value, std::move(samples[0]));
  m.sharpness = estimate(sharpness_value, std::move(samples[1]));
  m.spearman = estimate(ranks.observed(once), std::move(samples[2]));
  m.perfect_spearman = estimate(ranks.mean_perfect(once), std::move(samples[3]));
  return m;
}

std::vector<double> observed_fractions(const ErrorsWithBars& data, const std::vector<double>& probabilities) {
  long without_bar = 0;
  const ErrorsWithBars rows = checked(data, without_bar);
  std::vector<double> within(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) within[i] = std::erf(std::abs(rows.error[i]) / rows.std[i] / std::numbers::sqrt2);
  std::sort(within.begin(), within.end());
  std::vector<double> result;
  for (const double p : probabilities) {
    if (!(p >= 0 && p <= 1)) throw InputError("calibration curve: level " + std::to_string(p) + ", expected a number from 0 to 1");
    result.push_back(static_cast<double>(std::upper_bound(within.begin(), within.end(), p) - within.begin()) /
                     static_cast<double>(within.size()));
  }
  return result;
}

}  // namespace gapkit
