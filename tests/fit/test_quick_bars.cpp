// Error bars of forces from a quarter of the points, and a new calibration; on data/silicon.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/diamond.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

FitConfiguration silicon_options() {
  FitConfiguration options;
  options.train = {(source_folder() / "data" / "silicon" / "train.xyz").string()};
  options.terms = {small_two_body(0.8, 12, 4.5), small_soap(6, 5, 4, 180, 4.5)};
  options.regularization.standard = {0.002, 0.1, 0.1};
  options.use = {true, true, false};
  options.keep_statistics = true;
  return options;
}

const FitResult& silicon_fit() {
  static const FitResult result = [] {
    const FitConfiguration options = silicon_options();
    const FileDataset data(options.train);
    return fit({data}, options);
  }();
  return result;
}

std::vector<Structure> quick_bar_frames() {
  std::vector<Structure> frames;
  for (const char* name : {"test.xyz", "ood.xyz"}) {
    const std::vector<Structure> all = read_targets((source_folder() / "data" / "silicon" / name).string());
    for (std::size_t i = 0; i < all.size(); i += 6) frames.push_back(all[i]);
  }
  frames.push_back(diamond(5.46));  // forces vanish by symmetry
  return frames;
}

}  // namespace

TEST_CASE("a quarter of the points: calibrated, nearly the bars of all; other numbers are uncalibrated, more than all an error") {
  const auto model = std::make_shared<const Model>(silicon_fit().model);
  const int all = static_cast<int>(model->factor.size()), quick = quick_points(*model);
  CHECK(quick == all / 4);
  REQUIRE(model->calibration->familiar_of_fewer.has_value());
  CHECK(*model->calibration->familiar_of_fewer > model->calibration->familiar[Property::force]);
  CHECK(calibration_of_points(*model, quick)->covers(Property::force));
  CHECK_FALSE(calibration_of_points(*model, quick + 1)->covers(Property::force));
  CHECK(calibration_of_points(*model, quick + 1)->covers(Property::energy));  // keeps all points
  CHECK(calibration_of_points(*model, all)->covers(Property::force));
  CHECK(message_of<InputError>([&] { Predictor(model, all + 1); }).find("at most that many") != std::string::npos);
  CHECK_NOTHROW(Predictor(model, all));

  const PredictionRequest request{.energy_std = true, .force_std = true};
  Predictor of_all(model), of_quick(model, quick), of_other(model, quick + 1);
  double sum = 0, count = 0, ratio = 0;
  for (const Structure& s : quick_bar_frames()) {
    if (!s.forces) continue;
    const Prediction p = of_quick.compute(s, request), q = of_all.compute(s, request);
    check_close(*p.energy_std, *q.energy_std, 0, 1e-12);
    for (Eigen::Index i = 0; i < p.forces->size(); ++i) {
      const double error = p.forces->data()[i] - s.forces->data()[i];
      if (std::abs(error) < 1e-5) continue;
      sum += std::pow(error / p.forces_std->data()[i], 2);
      ++count;
    }
    ratio = worse(ratio, p.forces_std->norm() / q.forces_std->norm());
  }
  MESSAGE("mean z² of a quarter of the points: ", sum / count);
  CHECK((sum / count > 0.5 && sum / count < 2.5));  // with frames out of distribution
  CHECK(ratio < 2);
  // Without a calibration: C and the noise of the data.
  const Structure s = quick_bar_frames().front();
  const Prediction other = of_other.compute(s, {.force_std = true});
  const Prediction raw = of_other.compute(s, {.force_std = true, .calibrated = false});
  CHECK(largest_difference(*other.forces_std, *raw.forces_std) == 0);
}

namespace {

// Largest relative change of a bar, of a novelty beyond 10⁻⁵ of the prior, and of a data part (absolute) by single precision.
struct SinglePrecisionErrors {
  double bar = 0, novelty = 0, data = 0;
};

SinglePrecisionErrors errors_of_single_precision(const Model& used, const CalibrationFactors& factors, double familiar) {
  constexpr Observables forces{.energy = false, .forces = true, .virial = false};
  Covariance single(used), exact(used);
  single.use_single_precision(true);
  SinglePrecisionErrors worst;
  for (const Structure& s : quick_bar_frames()) {
    const StructureEnvironments environments(s, used.cutoff());
    const std::vector<Variance> a = single.observables(environments.view(), s.size(), forces);
    const std::vector<Variance> b = exact.observables(environments.view(), s.size(), forces);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto bar = [&](const Variance& v) {
        return std::sqrt(factors.a * factors.a * v.data + std::max(0.0, v.novelty - familiar * v.prior));
      };
      const double noise = factors.b * 0.1;  // σ of the fit
      worst.bar = worse(worst.bar, std::abs(std::hypot(bar(a[i]), noise) / std::hypot(bar(b[i]), noise) - 1));
      worst.novelty = worse(worst.novelty, std::abs(a[i].novelty - b[i].novelty) - 1e-5 * b[i].prior);
      worst.data = std::max(worst.data, std::abs(a[i].data - b[i].data));
      if (bar(b[i]) < 1e-6) CHECK(bar(a[i]) < 1e-5);  // zero by symmetry
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("force bars in single precision, of all points and of a quarter: within 10⁻³ of double precision; zero by symmetry stays zero") {
  const auto model = std::make_shared<const Model>(silicon_fit().model);
  const int quick = quick_points(*model);
  const Model reduced = with_fewer_points(*model, quick);
  const Calibration calibration = *calibration_of_points(*model, quick);
  const double familiar = *model->calibration->familiar_of_fewer;
  for (const bool is_quick : {false, true}) {
    CAPTURE(is_quick);
    const SinglePrecisionErrors worst = is_quick
                                            ? errors_of_single_precision(reduced, *calibration.find(Property::force, "default"), familiar)
                                            : errors_of_single_precision(*model, *model->calibration->find(Property::force, "default"),
                                                                         model->calibration->familiar[Property::force]);
    CHECK(worst.bar <= 1e-3);
    CHECK(worst.novelty <= 1e-9);
    CHECK(worst.data > 0);  // it is in single precision
  }
  // The predictor takes it for these bars.
  const Structure s = quick_bar_frames().front();
  const StructureEnvironments environments(s, reduced.cutoff());
  for (const bool is_quick : {false, true}) {
    CAPTURE(is_quick);
    Covariance single(is_quick ? reduced : *model);
    single.use_single_precision(true);
    const std::vector<Variance> a = single.observables(environments.view(), s.size(), {.energy = false, .forces = true, .virial = false});
    Predictor predictor(model, is_quick ? quick : 0);
    const Prediction p = predictor.compute(s, {.force_std = true});
    const Calibration& used = is_quick ? calibration : *model->calibration;
    const double most = is_quick ? familiar : model->calibration->familiar[Property::force];
    double gap = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const CalibrationFactors& f = *used.find(Property::force, s.config_type, s.atomic_numbers[i / 3]);
      const double expected = std::sqrt(f.a * f.a * a[i].data + std::max(0.0, a[i].novelty - most * a[i].prior));
      gap = worse(gap, std::abs(p.forces_std_epistemic->data()[i] - expected) - 1e-9 * expected);
    }
    CHECK(gap <= 1e-12);
  }
}

TEST_CASE("a new calibration from the named data is that of the fit; other data are refused") {
  const FitConfiguration options = silicon_options();
  const FileDataset data(options.train);
  FittedModel fitted{silicon_fit().model, *silicon_fit().statistics};
  const Calibration before = *fitted.model.calibration;
  fitted.model.calibration.reset();
  recalibrate(fitted, data);
  REQUIRE(fitted.model.calibration.has_value());
  REQUIRE(fitted.model.calibration->factors.size() == before.factors.size());
  for (std::size_t i = 0; i < before.factors.size(); ++i) {
    check_close(fitted.model.calibration->factors[i].a, before.factors[i].a, 0, 1e-4);
    check_close(fitted.model.calibration->factors[i].b, before.factors[i].b, 0, 1e-4);
  }
  std::string said;
  recalibrate(fitted, data, {.memory = 1e-6}, [&](const ProgressEvent& e) { said += e.message; });
  CHECK(said.find("exceed --memory") != std::string::npos);
  for (std::size_t i = 0; i < before.factors.size(); ++i) check_close(fitted.model.calibration->factors[i].a, before.factors[i].a, 0, 1e-4);
  recalibrate(fitted, data, {.cautious = true});
  CHECK(is_cautious(fitted.model));
  std::vector<Structure> frames = read_targets(options.train.front());
  std::swap(frames[2], frames[3]);
  CHECK(message_of<InputError>([&] { recalibrate(fitted, MemoryDataset(frames)); }).find("another order") != std::string::npos);
  const DatasetView part = DatasetView::without(data, {3});
  CHECK(message_of<InputError>([&] { recalibrate(fitted, part); }).find("name all of its data") != std::string::npos);
}
