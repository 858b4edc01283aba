// The input scale of networks on symmetry functions, which training data choose.

#include <fmt/format.h>

#include <cmath>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/sample_errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <random>

#include "fit/input_scale.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<Structure> bulk_frames(unsigned count, const std::vector<int>& elements = {14}) {
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= count; ++seed) frames.push_back(labelled(random_triclinic(4, seed, elements), "bulk"));
  return frames;
}

TermOptions network_term(double input_scale) {
  TermOptions term = small_soap(3, 2, 3, 20);
  term.name = term.descriptor = "symmetry_functions";
  term.descriptor_parameters =
      complete_parameters({{"cutoff", 4.0}, {"n_select", std::int64_t{10}}}, descriptor_kind("symmetry_functions").parameters, "test");
  term.kernel = "ntk";
  term.kernel_parameters = complete_parameters({{"input_scale", input_scale}}, kernel_kind("ntk").parameters, "test");
  return term;
}

struct NetworkFit {
  Model model;
  std::vector<std::string> messages;
  double scale(std::size_t term = 0) const { return model.terms.at(term).kernel->parameters().real("input_scale"); }
  double over_size(std::size_t term = 0) const { return scale(term) * model.terms.at(term).descriptor->usual_square(); }
};

NetworkFit network_fit(const std::vector<Structure>& frames, const FitOptions& options) {
  const MemoryDataset data(frames);
  NetworkFit result;
  const FitRun run{.progress = [&](const ProgressEvent& event) {
    if (event.phase == "input scale" && !event.message.empty()) result.messages.push_back(event.message);
  }};
  result.model = fit(FitData{data}, options, run).model;
  return result;
}

}  // namespace

TEST_CASE("input scale: data choose the scale with the smallest errors of left-out folds, the same again, and the model keeps it") {
  const std::vector<Structure> frames = bulk_frames(24);
  FitConfiguration options = small_options("", {network_term(0)});
  const NetworkFit first = network_fit(frames, options), second = network_fit(frames, options);
  REQUIRE(first.messages.size() == 1);
  CHECK(first.messages == second.messages);
  CHECK(first.scale() == second.scale());
  CHECK(first.messages[0].find(fmt::format("over_size = {:.6g}", first.over_size())) != std::string::npos);
  CHECK(first.messages[0].find("24 structures in 10 folds, at most 500 points") != std::string::npos);
  const MemoryDataset data(frames);
  const auto loss = [&](double over_size) {
    FitConfiguration tried = options;
    tried.terms[0].input_scale_over_size = over_size;
    return fold_errors_of_sample(data, tried, first.model.reference_energies, {}).value().loss();
  };
  // With a quarter of each neighbour's loss (methods.md, section 4)
  const std::vector<double> scales = {0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0};
  std::vector<double> losses;
  for (const double over_size : scales) losses.push_back(loss(over_size));
  std::size_t best = 0;
  const auto smooth = [&](std::size_t k) {
    return 0.5 * losses[k] + 0.25 * (losses[k == 0 ? 0 : k - 1] + losses[std::min(k + 1, scales.size() - 1)]);
  };
  for (std::size_t k = 1; k < scales.size(); ++k)
    if (smooth(k) < smooth(best)) best = k;
  check_close(first.over_size(), scales[best], 1e-12);
  // The chosen number, given, makes the same model, and an old model file, which has a number, predicts the same as before.
  const NetworkFit given = network_fit(frames, small_options("", {network_term(first.scale())}));
  CHECK(given.messages.empty());
  Predictor a(std::make_shared<const Model>(first.model)), b(std::make_shared<const Model>(given.model));
  CHECK(a.compute(frames[0]).energy == b.compute(frames[0]).energy);
}

TEST_CASE("input scale: numbers of the configuration stay, few structures get the usual scale, and every element its own size") {
  CHECK(network_fit(bulk_frames(24), small_options("", {network_term(0.02)})).scale() == 0.02);
  TermOptions over_size = network_term(0);
  over_size.input_scale_over_size = 0.3;
  const NetworkFit over = network_fit(bulk_frames(24), small_options("", {over_size}));
  CHECK(over.messages.empty());
  check_close(over.over_size(), 0.3, 1e-12);
  const NetworkFit few = network_fit(bulk_frames(8), small_options("", {network_term(0)}));
  REQUIRE(few.messages.size() == 1);
  CHECK(few.messages[0].find("the usual one") != std::string::npos);
  check_close(few.over_size(), usual_input_scale, 1e-12);
  const NetworkFit two = network_fit(bulk_frames(20, {6, 14}), small_options("", {network_term(0)}));
  REQUIRE(two.model.terms.size() == 2);
  check_close(two.over_size(0), two.over_size(1), 1e-12);
  CHECK(!has_free_input_scale(small_soap(3, 2, 3, 20)));
}

TEST_CASE("input scale: without memory for the trial it is the usual one") {
  const MemoryDataset data(bulk_frames(24));
  FitConfiguration options = small_options("", {network_term(0)});
  options.memory = 1e-6;
  std::string message;
  choose_input_scales(data, {{14, lone_atom_energy(14)}}, options, [&](const ProgressEvent& event) { message += event.message; });
  CHECK(options.terms[0].input_scale_over_size == usual_input_scale);
  CHECK(message.find("the usual one") != std::string::npos);
}

namespace {

/// Energies that are a function of one G2, x with mean 0 and standard deviation 1 over all atoms: Σ sin(4x), or Σ x²/10 and errors of
/// 0.1 eV √N, which a kernel of a large scale follows.
std::vector<Structure> functions_of_density(bool oscillates) {
  const double eta = 0.1, cutoff = 4.0;
  std::vector<Structure> frames = bulk_frames(80);
  std::vector<double> density;
  for (const Structure& s : frames) {
    const NeighborList near(s, cutoff);
    for (std::size_t i = 0; i < static_cast<std::size_t>(s.size()); ++i) {
      double& g = density.emplace_back(0);
      for (std::size_t p = near.begin()[i]; p < near.begin()[i + 1]; ++p) {
        const double r = near.distance()[p], x = r / cutoff;
        g += std::exp(-eta * r * r) * (1 - 3 * x * x + 2 * x * x * x);
      }
    }
  }
  const Eigen::Map<const Eigen::ArrayXd> g(density.data(), static_cast<Eigen::Index>(density.size()));
  const Eigen::ArrayXd x = (g - g.mean()) / std::sqrt((g - g.mean()).square().mean());
  std::mt19937_64 random(5);
  test::Normal normal;
  Eigen::Index first = 0;
  for (Structure& s : frames) {
    const auto own = x.segment(first, s.size());
    first += s.size();
    const double error = 0.1 * std::sqrt(s.size()) * normal(random);
    s.energy = s.size() * lone_atom_energy(14) + (oscillates ? (4 * own).sin().sum() : 0.1 * own.square().sum() + error);
  }
  return frames;
}

}  // namespace

TEST_CASE("input scale: labels that oscillate with the features get a larger scale than smooth ones with errors") {
  double found[2] = {0, 0};
  for (const bool oscillates : {false, true}) {
    CAPTURE(oscillates);
    TermOptions term = network_term(0);
    term.descriptor_parameters =
        complete_parameters({{"cutoff", 4.0}, {"functions", std::string("G2 eta=0.1")}, {"cutoff_function", std::string("poly1")}},
                            descriptor_kind("symmetry_functions").parameters, "test");
    FitConfiguration options = small_options("", {term});
    options.use[Property::force] = options.use[Property::virial] = false;
    const std::vector<Structure> frames = functions_of_density(oscillates);
    const NetworkFit fitted = network_fit(frames, options);
    found[oscillates] = fitted.over_size();
    REQUIRE(fitted.messages.size() == 1);
    CAPTURE(fitted.messages[0]);
    // The labels tell the ends of the list apart, so that the choice does not hang on rounding.
    const MemoryDataset data(frames);
    const auto error = [&](double over_size) {
      options.terms[0].input_scale_over_size = over_size;
      return fold_errors_of_sample(data, options, fitted.model.reference_energies, {}).value().error[Property::energy];
    };
    const double right = oscillates ? 3 : 0.003, wrong = oscillates ? 0.003 : 3;
    CHECK(error(wrong) > (oscillates ? 3 : 1.1) * error(right));
  }
  CAPTURE(found[0]);
  CHECK(found[1] > 5 * found[0]);
}
