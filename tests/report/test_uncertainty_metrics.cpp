#include <doctest/doctest.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/report/uncertainty_table.hpp>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;
using gapkit::test::message_of;

namespace {

/// Errors drawn from N(0, (factor · std)²), stds spread over more than a decade; `per_structure` entries in each structure.
ErrorsWithBars drawn_errors(std::size_t entries, double factor, unsigned seed, int per_structure = 10, double spread = 0.8) {
  std::mt19937_64 random(seed);
  test::Normal normal;
  ErrorsWithBars data;
  for (std::size_t i = 0; i < entries; ++i) {
    const double std = 0.1 * std::exp(spread * normal(random));
    data.add(factor * std * normal(random), std, static_cast<int>(i) / per_structure);
  }
  return data;
}

bool agree(const Estimate& a, const Estimate& b, double tolerance) {
  return test::is_close(a.value, b.value, tolerance, tolerance) && test::is_close(a.low, b.low, tolerance, tolerance) &&
         test::is_close(a.high, b.high, tolerance, tolerance);
}

}  // namespace

TEST_CASE("error bars: a perfect model is found perfect, within the intervals") {
  const ErrorsWithBars data = drawn_errors(20000, 1.0, 3);
  const UncertaintyMetrics m = uncertainty_metrics(data);
  CHECK(m.count == 20000);
  CHECK(m.structures == 2000);
  check_close(m.zms.value, 1.0, 0.03);
  CHECK(m.zms.contains(1.0));
  CHECK(m.zms.high - m.zms.low < 0.08);
  CHECK(m.zms.high - m.zms.low > 0.02);
  check_close(m.coverage68.value, 0.6827, 0.01);
  check_close(m.coverage95.value, 0.95, 0.005);
  CHECK(m.miscalibration_area.value < 0.01);
  CHECK(m.nll_difference.high < 0);
  check_close(m.spearman.value, m.perfect_spearman.value, 0.02);
  CHECK(m.perfect_spearman.value > 0.4);
  REQUIRE(m.bins.size() == 5);
  for (const StdBin& bin : m.bins) {
    CHECK(bin.count == 4000);
    check_close(bin.zms.value, 1.0, 0.1);
    check_close(bin.rmse, bin.std, 0, 0.05);
  }
  for (std::size_t b = 1; b < 5; ++b) CHECK(m.bins[b].std > m.bins[b - 1].std);
}

TEST_CASE("error bars: a wrong scale is found, with its size") {
  for (const double factor : {0.5, 0.9, 1.1, 2.0}) {
    CAPTURE(factor);
    const UncertaintyMetrics m = uncertainty_metrics(drawn_errors(20000, factor, 5));
    check_close(m.zms.value, factor * factor, 0, 0.03);
    CHECK_FALSE(m.zms.contains(1.0));
    check_close(m.coverage68.value, std::erf(1 / factor / std::sqrt(2.0)), 0.01);
    check_close(m.coverage95.value, std::erf(1.959964 / factor / std::sqrt(2.0)), 0.01);
    CHECK_FALSE(m.coverage68.contains(0.6827));
    CHECK(m.miscalibration_area.value > 0.02);
    // NLL against the truth: log of the scale, and ½(factor² − 1)
    const UncertaintyMetrics right = uncertainty_metrics(drawn_errors(20000, 1.0, 5));
    check_close(m.nll.value - right.nll.value, 0.5 * (factor * factor - 1), 0.05);
    check_close(m.spearman.value, right.spearman.value, 1e-12);  // ranks do not know scales
  }
}

TEST_CASE("error bars: stds that have nothing to do with the errors are worse than a constant") {
  ErrorsWithBars data = drawn_errors(5000, 1.0, 8);
  std::mt19937_64 random(4);
  test::shuffle(data.std, random);
  const UncertaintyMetrics m = uncertainty_metrics(data);
  CHECK(m.nll_difference.low > 0);
  CHECK(m.spearman.contains(0.0));
  CHECK(m.perfect_spearman.low > 0.3);
}

TEST_CASE("error bars: numbers by hand") {
  ErrorsWithBars data;
  data.add(1.0, 1.0, 0);
  data.add(-3.0, 1.0, 0);
  data.add(2.0, 2.0, 1);
  data.add(0.0, 0.0, 1);  // no bar
  const UncertaintyMetrics m = uncertainty_metrics(data);
  CHECK(m.count == 3);
  CHECK(m.without_bar == 1);
  CHECK(m.bins.empty());
  check_close(m.zms.value, 11.0 / 3, 1e-14);
  check_close(m.coverage68.value, 2.0 / 3, 1e-14);
  check_close(m.constant_std, std::sqrt(14.0 / 3), 1e-14);
  check_close(m.sharpness.value, std::sqrt(2.0), 1e-14);
  const double log_2_pi = std::log(2 * 3.14159265358979323846);
  check_close(m.nll.value, 0.5 * log_2_pi + std::log(2.0) / 3 + 11.0 / 6, 1e-14);
  check_close(m.constant_nll, 0.5 * log_2_pi + 0.5 * std::log(14.0 / 3) + 0.5, 1e-14);
  check_close(m.spearman.value, 0.0, 1e-14);  // ranks of |error| 1 3 2, of std 1.5 1.5 3
  const auto fractions = observed_fractions(data, {0.0, 0.5, 0.7, 1.0});
  check_close(fractions[1], 0.0, 1e-14);
  check_close(fractions[2], 2.0 / 3, 1e-14);
  check_close(fractions[3], 1.0, 1e-14);
}

TEST_CASE("error bars: units, signs, order and names of the structures do not matter") {
  const ErrorsWithBars data = drawn_errors(600, 1.3, 11);
  const UncertaintyMetrics m = uncertainty_metrics(data);
  ErrorsWithBars other;
  for (std::size_t i = 0; i < data.size(); ++i) other.add(-1000 * data.error[i], 1000 * data.std[i], 7 + 3 * data.structure[i]);
  const UncertaintyMetrics n = uncertainty_metrics(other);
  CHECK(agree(m.zms, n.zms, 1e-12));
  CHECK(agree(m.coverage68, n.coverage68, 1e-12));
  CHECK(agree(m.nll_difference, n.nll_difference, 1e-11));
  CHECK(agree(m.spearman, n.spearman, 1e-12));
  CHECK(agree(m.perfect_spearman, n.perfect_spearman, 1e-12));
  check_close(n.nll.value - m.nll.value, std::log(1000.0), 1e-11);
  check_close(n.sharpness.value, 1000 * m.sharpness.value, 0, 1e-12);
  ErrorsWithBars backwards;
  for (std::size_t i = data.size(); i-- > 0;) backwards.add(data.error[i], data.std[i], data.structure[i]);
  const UncertaintyMetrics b = uncertainty_metrics(backwards);
  check_close(b.zms.value, m.zms.value, 1e-12);
  check_close(b.spearman.value, m.spearman.value, 1e-12);
  check_close(b.miscalibration_area.value, m.miscalibration_area.value, 1e-12);
}

TEST_CASE("error bars: entries of one structure do not count as independent") {
  ErrorsWithBars apart, together;
  std::mt19937_64 random(2);
  test::Normal normal;
  for (int s = 0; s < 100; ++s) {
    const double error = normal(random);
    for (int copy = 0; copy < 10; ++copy) {
      together.add(error, 1.0, s);
      apart.add(error, 1.0, 10 * s + copy);
    }
  }
  const UncertaintyMetrics wide = uncertainty_metrics(together), narrow = uncertainty_metrics(apart);
  check_close(wide.zms.value, narrow.zms.value, 1e-12);
  CHECK(wide.zms.high - wide.zms.low > 2.5 * (narrow.zms.high - narrow.zms.low));
}

TEST_CASE("error bars: a constant bar has no rank correlation and no gain over the constant") {
  ErrorsWithBars data = drawn_errors(500, 1.0, 6);
  double square = 0;
  for (const double e : data.error) square += e * e / 500;
  data.std.assign(500, std::sqrt(square));
  const UncertaintyMetrics m = uncertainty_metrics(data);
  CHECK(std::isnan(m.spearman.value));
  CHECK(std::isnan(m.perfect_spearman.value));
  check_close(m.nll_difference.value, 0.0, 1e-12);
}

TEST_CASE("error bars: one structure has no interval, none has no numbers") {
  ErrorsWithBars one = drawn_errors(50, 1.0, 1, 50);
  const UncertaintyMetrics m = uncertainty_metrics(one);
  CHECK(m.structures == 1);
  CHECK(std::isfinite(m.zms.value));
  CHECK(std::isnan(m.zms.low));
  const UncertaintyMetrics empty = uncertainty_metrics(ErrorsWithBars{});
  CHECK(empty.count == 0);
  CHECK(std::isnan(empty.zms.value));
  CHECK(std::isnan(empty.coverage95.value));
}

TEST_CASE("error bars: NaN, negative stds and unequal lengths are refused") {
  ErrorsWithBars data;
  data.add(std::nan(""), 1.0, 0);
  CHECK(message_of<NumericalError>([&] { uncertainty_metrics(data); }).find("entry 1") != std::string::npos);
  data.error[0] = 1;
  data.std[0] = -1;
  CHECK_FALSE(message_of<NumericalError>([&] { uncertainty_metrics(data); }).empty());
  data.std.clear();
  CHECK_FALSE(message_of<InputError>([&] { uncertainty_metrics(data); }).empty());
}

TEST_CASE("error bars of vectors: as for numbers, with the norm; perfect and wrong scales") {
  std::mt19937_64 random(9);
  test::Normal normal;
  for (const double factor : {1.0, 1.5}) {
    CAPTURE(factor);
    VectorErrorsWithBars data;
    for (int i = 0; i < 9000; ++i) {
      const double size = 0.1 * std::exp(0.7 * normal(random));
      const Vector3 std(size, 1.2 * size, 0.7 * size);
      data.add(factor * Vector3(normal(random), normal(random), normal(random)).cwiseProduct(std), std, i / 10);
    }
    const VectorUncertaintyMetrics m = uncertainty_metrics(data);
    CHECK(m.count == 9000);
    check_close(m.zms.value, factor * factor, 0, 0.04);
    CHECK(m.zms.contains(1.0) == (factor == 1.0));
    check_close(m.spearman.value, m.perfect_spearman.value, 0.03);
    CHECK(m.perfect_spearman.value > 0.7);  // norms scatter less than components
  }
}
