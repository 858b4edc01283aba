#include "support/toy_data.hpp"

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <map>
#include <stdexcept>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

namespace gapkit::test {
namespace {

constexpr double soap_cutoff = 3.6, soap_width = 0.8, pair_cutoff = 4.2, pair_width = 1.0;

std::vector<Structure> training_frames(const std::vector<int>& elements) {
  std::vector<Structure> frames;
  for (unsigned seed = 0; seed < 9; ++seed)
    frames.push_back(labelled(random_triclinic(seed % 3 == 0 ? 2 : 5, 100 + seed, elements), seed % 2 == 0 ? "default" : "odd"));
  return frames;
}

std::shared_ptr<const Model> fitted(const std::vector<int>& elements, std::vector<TermOptions> terms) {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), toy_training_frames(elements));
  FitConfiguration options = small_options(train, std::move(terms));
  options.regularization.config_type["odd"] = {0.03, 0.1, 0.2};
  options.jitter = 1e-6;  // keeps weights small, so that finite differences of energies are not lost in rounding
  return std::make_shared<const Model>(fit(options).model);
}

TermOptions soap(double zeta) {
  TermOptions t = small_soap(3, 3, zeta, 25, soap_cutoff);
  t.descriptor_parameters.set("cutoff_width", soap_width);
  t.descriptor_parameters.set("radial_weight", std::int64_t{0});  // can be written as XML
  return t;
}

TermOptions two_body() {
  TermOptions t = small_two_body(0.8, 12, pair_cutoff);
  t.descriptor_parameters.set("cutoff_width", pair_width);
  return t;
}

TermOptions three_body() {
  TermOptions t = small_three_body(1.2, 10, soap_cutoff);
  t.descriptor_parameters.set("cutoff_width", soap_width);
  return t;
}

TermOptions network_functions() {
  TermOptions t = small_soap(3, 3, 4, 25, soap_cutoff);
  t.descriptor = "symmetry_functions";
  t.descriptor_parameters = complete_parameters({{"cutoff", soap_cutoff}, {"n_select", std::int64_t{12}}},
                                                descriptor_kind("symmetry_functions").parameters, "symmetry_functions");
  t.kernel = "ntk";
  t.kernel_parameters = complete_parameters({}, kernel_kind("ntk").parameters, "ntk");
  return t;
}

bool is_smooth(const Structure& structure, double margin) {
  const NeighborList list(structure, pair_cutoff + 1);
  for (const double r : list.distance())
    for (const double end : toy_breaks())
      if (std::abs(r - end) < margin) return false;
  return true;
}

}  // namespace

const std::vector<double>& toy_breaks() {
  static const std::vector<double> breaks = {soap_cutoff - soap_width, soap_cutoff, pair_cutoff - pair_width, pair_cutoff};
  return breaks;
}

const std::vector<Structure>& toy_training_frames(const std::vector<int>& elements) {
  static std::map<std::vector<int>, std::vector<Structure>> made;
  auto& frames = made[elements];
  if (frames.empty()) frames = training_frames(elements);
  return frames;
}

std::shared_ptr<const Model> network_model(const std::vector<int>& elements) {
  return fitted(elements, {network_functions()});
}

const std::vector<ToyModel>& toy_models() {
  static const std::vector<ToyModel> models = [] {
    std::vector<ToyModel> result;
    const int threads = thread_count();
    set_thread_count(1);  // the frames are too small for several threads
    for (const std::vector<int>& elements : {std::vector<int>{14}, std::vector<int>{6, 14}}) {
      const std::string suffix = elements.size() == 1 ? ", Si" : ", C Si";
      for (const double zeta : {1.0, 2.0, 2.5, 4.0})
        result.push_back(
            {"soap zeta " + std::to_string(zeta).substr(0, 3) + suffix, elements, true, false, fitted(elements, {soap(zeta)})});
      result.push_back({"two_body" + suffix, elements, false, true, fitted(elements, {two_body()})});
      result.push_back({"two_body and soap" + suffix, elements, true, true, fitted(elements, {two_body(), soap(4)})});
      result.push_back({"three_body" + suffix, elements, false, false, fitted(elements, {three_body()})});
      TermOptions compact = three_body();
      compact.kernel = "piecewise_polynomial";
      compact.kernel_parameters = {{"length_scale", std::vector<double>{3.0, 3.0, 3.0}}, {"smoothness", std::int64_t{2}}};
      result.push_back(
          {"two_body, compact three_body and soap" + suffix, elements, true, true, fitted(elements, {two_body(), compact, soap(2)})});
    }
    set_thread_count(threads);
    return result;
  }();
  return models;
}

std::vector<ToyStructure> toy_structures(const std::vector<int>& elements, double margin) {
  struct Kind {
    const char* label;
    int atoms;
    std::array<bool, 3> pbc;
    bool cell;
  };
  const Kind kinds[] = {{"one atom and its images", 1, {true, true, true}, true},
                        {"two atoms, several images", 2, {true, true, true}, true},
                        {"triclinic", 7, {true, true, true}, true},
                        {"molecule without a cell", 6, {false, false, false}, false},
                        {"cell without periodicity", 4, {false, false, false}, true},
                        {"slab", 5, {true, true, false}, true},
                        {"wire", 3, {false, true, false}, true}};
  std::vector<ToyStructure> result;
  for (const Kind& kind : kinds)
    for (unsigned seed = 500;; ++seed) {
      if (seed == 5000) throw std::runtime_error("no seed gives a structure without distances close to a cutoff");
      Structure structure = random_triclinic(kind.atoms, seed, elements);
      structure.pbc = kind.pbc;
      if (!kind.cell) structure.cell.reset();
      if (!is_smooth(structure, margin)) continue;
      structure.source = std::string(kind.label) + ", seed " + std::to_string(seed);
      result.push_back({structure.source, std::move(structure)});
      break;
    }
  return result;
}

}  // namespace gapkit::test
