// Distances of a structure compared with those of the training data.

#include <gapkit/predict/closeness.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Atoms in vacuum on a line, one after the other at the given distances (Å).
Structure chain(const std::vector<int>& elements, const std::vector<double>& steps) {
  Structure s;
  s.atomic_numbers = elements;
  s.positions = Positions::Zero(s.size(), 3);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto to = static_cast<Eigen::Index>(i) + 1;
    s.positions(to, 0) = s.positions(to - 1, 0) + steps[i];
  }
  return s;
}

Structure cube(int element, double edge) {
  Structure s = chain({element}, {});
  s.cell = Matrix3::Identity() * edge;
  s.pbc = {true, true, true};
  return s;
}

/// A model of Si and C that knows these distances, or none.
std::shared_ptr<const Model> model_with(const std::optional<ShortestDistances>& distances) {
  for (const ToyModel& toy : toy_models()) {
    if (!toy.has_soap || toy.elements.size() < 2) continue;
    Model model = *toy.model;
    model.shortest_distances = distances;
    return std::make_shared<const Model>(std::move(model));
  }
  FAIL("there is no toy model of two elements");
  return nullptr;
}

}  // namespace

TEST_CASE("closeness: the ratio is the smallest over the pairs, each against its own shortest distance in training") {
  const auto model = model_with(ShortestDistances{{{14, 14}, 2.2}, {{6, 14}, 1.8}, {{6, 6}, 1.4}});
  // Si-Si 2.3 of 2.2; Si-C 1.7 of 1.8; C-C 1.6 of 1.4.
  const Closeness found = closeness(*model, chain({14, 14, 6, 6}, {2.3, 1.7, 1.6}));
  check_close(found.ratio.value(), 1.7 / 1.8, 1e-12);
  CHECK(!found.too_close);  // 1.7 Å are no less than half the sum of radii
  check_close(closeness(*model, chain({14, 14}, {3.3})).ratio.value(), 1.5, 1e-12);
}

TEST_CASE("closeness: pairs that training never had count with the cutoff; lone atoms and models without distances have no ratio") {
  const auto model = model_with(ShortestDistances{{{14, 14}, 2.2}});
  check_close(closeness(*model, chain({14, 6}, {2.0})).ratio.value(), 2.0 / largest_cutoff(model->terms), 1e-12);
  CHECK(!closeness(*model, chain({14}, {})).ratio);
  CHECK(!closeness(*model, chain({14, 14}, {9.0})).ratio);
  const Closeness unknown = closeness(*model_with(std::nullopt), chain({14, 14}, {0.3}));
  CHECK(!unknown.ratio);
  REQUIRE(unknown.too_close);  // by the covalent radii alone
  CHECK(!unknown.too_close->trained);
}

TEST_CASE("closeness: too close is closer than half the sum of covalent radii and than any in training") {
  const double half = 1.11;  // Å, of two silicon atoms
  const auto model = model_with(ShortestDistances{{{14, 14}, 2.2}, {{6, 6}, 0.5}});
  CHECK(!closeness(*model, chain({14, 14}, {half + 0.01})).too_close);
  const Closeness found = closeness(*model, chain({6, 14, 14}, {2.5, half - 0.01}));
  REQUIRE(found.too_close);
  CHECK(std::minmax({found.too_close->first, found.too_close->second}) == std::pair(1, 2));
  check_close(found.too_close->distance, half - 0.01, 1e-12);
  check_close(found.too_close->trained.value(), 2.2, 0);
  const std::string text = found.too_close->text();
  CAPTURE(text);
  for (const char* part : {"(Si)", "1.1 Å", "50 %", "2.2 Å"}) CHECK(text.find(part) != std::string::npos);
  // Training had shorter ones.
  CHECK(!closeness(*model, chain({6, 6}, {0.51})).too_close);
  CHECK(closeness(*model, chain({6, 6}, {0.49})).too_close);
  // On top of each other.
  const Closeness same = closeness(*model, chain({14, 14}, {0.0}));
  CHECK(same.ratio.value() == 0);
  CHECK(same.too_close.has_value());
  // Of several the worst.
  const Closeness worst = closeness(*model, chain({14, 14, 14}, {0.9, 0.4}));
  check_close(worst.too_close.value().distance, 0.4, 1e-12);
}

TEST_CASE("closeness: an atom that meets thousands of its images is reported, however small its radius") {
  const auto model = model_with(ShortestDistances{{{6, 6}, 1.4}});
  const Structure tiny = cube(6, 0.25), ordinary = cube(6, 3.0);  // the tiny one is dense enough for any toy cutoff
  CHECK(!closeness(*model, ordinary).too_close);
  const Closeness found = closeness(*model, tiny);
  REQUIRE(found.too_close);
  CHECK(found.too_close->first == found.too_close->second);
  CHECK(found.too_close->images > 1000);
  CHECK(found.too_close->text().find("its own image") != std::string::npos);
  CHECK(found.too_close->text().find("images of itself") != std::string::npos);
  // Beyond half the sum of radii the images alone are the reason; half of carbon's is 0.76 Å.
  const double edge = std::cbrt(4.0 / 3 * 3.14159 * std::pow(model->cutoff(), 3) / 1400);
  if (edge > 0.76) CHECK(closeness(*model, cube(6, edge)).too_close);
  // Images as far apart as in training are right.
  CHECK(!closeness(*model_with(ShortestDistances{{{6, 6}, 0.2}}), tiny).too_close);
}

TEST_CASE("closeness: predictions carry it, alone, together and of environments, and a difference for both structures") {
  const auto model = model_with(ShortestDistances{{{14, 14}, 2.2}, {{6, 14}, 1.8}, {{6, 6}, 1.4}});
  Predictor predictor(model);
  const std::vector<Structure> frames = {chain({14, 14}, {2.42}), chain({14}, {}), chain({6, 14, 14}, {1.9, 0.8})};
  const std::vector<Prediction> together = predictor.compute(frames);
  REQUIRE(together.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) {
    CAPTURE(k);
    const StructureEnvironments environments(frames[k], model->cutoff());
    const Closeness expected = closeness(*model, frames[k]);
    for (const Closeness& found : {together[k].closeness, predictor.compute(frames[k]).closeness,
                                   predictor.compute(environments.view(), frames[k].size()).closeness}) {
      CHECK(found.ratio == expected.ratio);
      CHECK(found.too_close.has_value() == expected.too_close.has_value());
    }
  }
  check_close(together[0].closeness.ratio.value(), 1.1, 1e-12);
  CHECK(!together[1].closeness.ratio);
  REQUIRE(together[2].closeness.too_close);
  // Atoms count within their own structure.
  CHECK(std::minmax({together[2].closeness.too_close->first, together[2].closeness.too_close->second}) == std::pair(1, 2));
  const EnergyDifference difference = predictor.difference(frames[0], frames[2]);
  CHECK(!difference.closeness_a.too_close);
  CHECK(difference.closeness_b.too_close.has_value());
}
