// The input scale of networks on symmetry functions, which training data choose.

#include <fmt/format.h>

#include <cmath>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/sample_errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>

#include "fit/input_scale.hpp"
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
  CHECK(first.messages[0].find("24 structures in five folds") != std::string::npos);
  const MemoryDataset data(frames);
  const auto loss = [&](double over_size) {
    FitConfiguration tried = options;
    set_input_scale(tried.terms[0], over_size);
    return fold_errors_of_sample(data, tried, first.model.reference_energies, {}).value().loss();
  };
  const double best = loss(first.over_size());
  CHECK(std::isfinite(best));
  for (const double neighbour : {0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0})
    if (const double ratio = neighbour / first.over_size(); (ratio > 1.5 && ratio < 5) || (ratio < 1 / 1.5 && ratio > 1.0 / 5))
      CHECK(loss(neighbour) >= best);
  // The chosen number, given, makes the same model, and an old model file, which has a number, predicts the same as before.
  const NetworkFit given = network_fit(frames, small_options("", {network_term(first.scale())}));
  CHECK(given.messages.empty());
  Predictor a(std::make_shared<const Model>(first.model)), b(std::make_shared<const Model>(given.model));
  CHECK(a.compute(frames[0]).energy == b.compute(frames[0]).energy);
}

TEST_CASE("input scale: numbers of the configuration stay, few structures get the usual scale, and every element its own size") {
  CHECK(network_fit(bulk_frames(24), small_options("", {network_term(0.02)})).scale() == 0.02);
  TermOptions over_size = network_term(0);
  set_input_scale(over_size, 0.3);
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

TEST_CASE("input scale: labels that oscillate with the features get a larger scale than smooth ones") {
  const double eta = 0.1, cutoff = 4.0;
  double found[2] = {0, 0};
  for (const bool oscillates : {false, true}) {
    std::vector<Structure> frames = bulk_frames(80);
    TermOptions term = network_term(0);
    term.descriptor_parameters =
        complete_parameters({{"cutoff", cutoff}, {"functions", std::string("G2 eta=0.1")}, {"cutoff_function", std::string("poly1")}},
                            descriptor_kind("symmetry_functions").parameters, "test");
    FitConfiguration options = small_options("", {term});
    options.use[Property::force] = options.use[Property::virial] = false;
    for (Structure& s : frames) {
      const NeighborList near(s, cutoff);
      s.energy = s.size() * lone_atom_energy(14);
      for (std::size_t i = 0; i < static_cast<std::size_t>(s.size()); ++i) {
        double g = 0;
        for (std::size_t p = near.begin()[i]; p < near.begin()[i + 1]; ++p) {
          const double r = near.distance()[p], x = r / cutoff;
          g += std::exp(-eta * r * r) * (1 - 3 * x * x + 2 * x * x * x);
        }
        *s.energy += oscillates ? 0.3 * std::sin(3 * g) : 0.02 * g * g;
      }
    }
    found[oscillates] = network_fit(frames, options).over_size();
  }
  CAPTURE(found[0]);
  CHECK(found[1] > 2 * found[0]);
}
