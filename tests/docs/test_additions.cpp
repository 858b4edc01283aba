// The kernel and the descriptor that CONTRIBUTING.md shows work: their derivatives equal central differences, and a model made of them
// gives forces that are the gradient of its energy.

#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/predict/predictor.hpp>

#include "additions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Model model_of_examples(const Structure& structure) {
  Term term;
  term.name = term.descriptor_name = "coordination";
  term.kernel_name = "rational_quadratic";
  term.species = {14};
  term.elements = {14};
  const DescriptorKind descriptor = example::coordination_kind();
  const KernelKind kernel = example::rational_quadratic_kind();
  term.descriptor =
      descriptor.make(complete_parameters({{"cutoff", 4.5}, {"cutoff_width", 2.0}}, descriptor.parameters, "test"), {14}, {14});
  term.kernel = kernel.make(complete_parameters({{"length_scale", 2.0}}, kernel.parameters, "test"));
  const StructureEnvironments environments(structure, 4.5);
  Features features;
  term.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::none, features);
  term.sparse.x = features.x.view();
  term.sparse.cutoff = Vector::Ones(term.sparse.x.rows());
  Model model;
  model.reference_energies = {{14, -1.0}};
  model.weights = Vector::LinSpaced(term.sparse.x.rows(), -1.0, 2.0);
  model.terms = {term};
  return model;
}

}  // namespace

TEST_CASE("the example kernel's gradient equals central differences") {
  const KernelKind kind = example::rational_quadratic_kind();
  const auto kernel = kind.make(complete_parameters({{"length_scale", 0.8}, {"alpha", 1.7}}, kind.parameters, "test"));
  Matrix x(1, 2), z(1, 2), value(1, 1), plus(1, 1), minus(1, 1), slope(1, 1);
  x << 0.3, -0.2;
  z << 1.1, 0.4;
  MatrixSlice slope_slice(slope);
  kernel->compute(x, z, value, &slope_slice);
  const Vector metric = kernel->metric(2);
  for (int d = 0; d < 2; ++d) {
    const double h = 1e-5;
    Matrix moved = x;
    moved(0, d) += h;
    kernel->compute(moved, z, plus);
    moved(0, d) -= 2 * h;
    kernel->compute(moved, z, minus);
    check_close(slope(0, 0) * metric[d] * (z(0, d) - x(0, d)), (plus(0, 0) - minus(0, 0)) / (2 * h), 1e-9);
  }
}

TEST_CASE("the example descriptor beside SOAP: predictions and kernel rows agree in both orders of the terms") {
  const Structure structure = random_triclinic(6, 4);
  Model with = model_of_examples(structure);
  const Term coordination = with.terms[0];
  const DescriptorKind& soap = descriptor_kind("soap");
  const KernelKind& dot_product = kernel_kind("dot_product");
  Term other = coordination;
  other.name = other.descriptor_name = "soap";
  other.kernel_name = "dot_product";
  other.descriptor = soap.make(
      complete_parameters({{"cutoff", 4.0}, {"n_max", std::int64_t{3}}, {"l_max", std::int64_t{2}}}, soap.parameters, "test"), {14}, {14});
  other.kernel = dot_product.make(complete_parameters({}, dot_product.parameters, "test"));
  const StructureEnvironments environments(structure, 4.5);
  Features features;
  other.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, features);
  other.sparse.x = features.x.view();
  // The same features that SOAP has filled go to the example, for every kind of derivative.
  for (const Derivatives derivatives : {Derivatives::jacobian, Derivatives::pullback, Derivatives::none}) {
    Features fresh;
    other.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, features);
    coordination.descriptor->compute(environments.view(), 0, structure.size(), derivatives, features);
    coordination.descriptor->compute(environments.view(), 0, structure.size(), derivatives, fresh);
    CHECK(largest_difference(features.x.view(), fresh.x.view()) == 0);
    REQUIRE(features.blocks.size() == fresh.blocks.size());
    for (std::size_t b = 0; b < fresh.blocks.size(); ++b) {
      CHECK(features.blocks[b].has_all_features());
      CHECK(features.blocks[b].pair.empty());
      CHECK(features.blocks[b].radial.cols() == 0);
    }
  }
  double energy = 0;
  for (const bool soap_first : {true, false}) {
    CAPTURE(soap_first);
    Model model = with;
    model.terms = soap_first ? std::vector<Term>{other, coordination} : std::vector<Term>{coordination, other};
    Vector weights(model.terms[0].sparse.size() + model.terms[1].sparse.size());
    const Vector soap_weights = Vector::LinSpaced(other.sparse.size(), 0.4, -0.9);
    weights << (soap_first ? soap_weights : with.weights), (soap_first ? with.weights : soap_weights);
    model.weights = weights;
    Predictor predictor(std::make_shared<const Model>(model));
    const Prediction prediction = predictor.compute(structure);
    REQUIRE(prediction.forces->cwiseAbs().maxCoeff() > 1e-2);
    KernelRows rows(model.terms);
    Matrix k(1 + 3 * structure.size() + 6, rows.columns());
    rows.compute(environments.view(), structure.size(), {}, k);
    const Vector observables = k * model.weights;
    check_close(observables[0] - structure.size(), prediction.energy, 1e-9);
    for (int i = 0; i < 3 * structure.size(); ++i) check_close(observables[1 + i], prediction.forces->data()[i], 1e-9);
    if (!soap_first) check_close(prediction.energy, energy, 1e-9);
    energy = prediction.energy;
  }
}

TEST_CASE("a descriptor that leaves parts of its features out is found at once") {
  class Forgetful final : public Descriptor {
   public:
    int size() const override { return 1; }
    double cutoff() const override { return 4; }
    const Parameters& parameters() const override { return parameters_; }
    const std::vector<int>& species() const override { return species_; }
    EnvironmentCount count(const Environments&, int) const override { return {1, 0}; }
    bool has_nonnegative_products() const override { return true; }
    void pullback(const Environments&, int, int, const Features&, const MatrixView&, std::span<const double>,
                  std::span<Vector3>) const override {}

   private:
    void fill(const Environments& source, int begin, int end, Derivatives, Features& out) const override {
      for (int c = begin; c < end; ++c) out.centre.push_back(source.centre[static_cast<std::size_t>(c)]);
      out.x.resize(end - begin, 1);
      for (int c = begin; c < end; ++c) out.x(c - begin, 0) = 1;
      out.cutoff.assign(out.centre.size(), 1.0);  // and no partner
    }
    Parameters parameters_;
    std::vector<int> species_ = {14};
  };
  const Structure structure = random_triclinic(3, 4);
  const StructureEnvironments environments(structure, 4.5);
  Features features;
  CHECK_THROWS_AS(Forgetful().compute(environments.view(), 0, 3, Derivatives::none, features), Error);
}

TEST_CASE("forces of a model with the example descriptor and kernel are minus the gradient of its energy") {
  const Structure structure = random_triclinic(5, 3);
  const Model model = model_of_examples(structure);
  Predictor predictor(std::make_shared<const Model>(model));
  const Prediction prediction = predictor.compute(structure);
  REQUIRE(prediction.forces->cwiseAbs().maxCoeff() > 1e-2);
  for (int atom = 0; atom < structure.size(); ++atom)
    for (int k = 0; k < 3; ++k) {
      const double h = 1e-4;
      Structure moved = structure;
      moved.positions(atom, k) += h;
      const double plus = predictor.compute(moved, {.forces = false}).energy;
      moved.positions(atom, k) -= 2 * h;
      const double minus = predictor.compute(moved, {.forces = false}).energy;
      check_close((*prediction.forces)(atom, k), (minus - plus) / (2 * h), 1e-6);
    }
  // Kernel rows go through the Jacobian, predictions through the pullback: they must agree.
  KernelRows rows(model.terms);
  const StructureEnvironments environments(structure, model.cutoff());
  Matrix k(1 + 3 * structure.size() + 6, rows.columns());
  rows.compute(environments.view(), structure.size(), {}, k);
  const Vector observables = k * model.weights;
  check_close(observables[0] - structure.size(), prediction.energy, 1e-9);
  for (int i = 0; i < 3 * structure.size(); ++i) check_close(observables[1 + i], prediction.forces->data()[i], 1e-9);
}
