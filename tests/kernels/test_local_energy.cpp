// Kernel::compile: every form equals the sum of kernels.

#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <map>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct LocalEnergyCase {
  std::string kind;
  Parameters parameters;
  int size = 1;
  std::string form;
  bool on_sphere = false;
};

/// A case for each form; the first test fails for a registered kernel without a case.
std::vector<LocalEnergyCase> local_energy_cases() {
  std::vector<LocalEnergyCase> result;
  const std::map<double, std::string> forms = {{1.0, "linear"}, {2.0, "quadratic"}, {3.0, "powers"},
                                               {4.0, "powers"}, {10.0, "powers"},   {2.5, "sum"}};
  for (const auto& [zeta, form] : forms)
    for (const int size : {1, 3, 40}) result.push_back({"dot_product", {{"zeta", zeta}}, size, form});
  result.push_back({"dot_product", {{"zeta", 2.0}}, 120, "powers"});  // more features than twice the points
  for (const auto& [zeta, form] : std::map<std::int64_t, std::string>{{1, "linear"}, {2, "quadratic"}, {3, "powers"}, {4, "powers"}})
    for (const int size : {1, 3, 40})
      for (const double constant : {0.0, 16.0}) result.push_back({"polynomial", {{"zeta", zeta}, {"constant", constant}}, size, form});
  for (const int size : {1, 3, 40}) result.push_back({"squared_exponential", {{"length_scale", 0.7}}, size, size == 1 ? "spline" : "sum"});
  for (const int size : {1, 3})
    result.push_back({"piecewise_polynomial", {{"length_scale", 0.9}, {"smoothness", std::int64_t{2}}}, size, "sum"});
  for (const std::string kind : {"ntk", "nngp"})
    for (const std::string activation : {"gelu", "erf"}) {
      for (const int size : {1, 3, 40}) result.push_back({kind, {{"activation", activation}}, size, size == 1 ? "spline" : "sum"});
      for (const int size : {3, 40}) result.push_back({kind, {{"activation", activation}}, size, "powers", true});
    }
  return result;
}

std::shared_ptr<const Kernel> make(const LocalEnergyCase& c) {
  const KernelKind& kind = kernel_kind(c.kind);
  const auto kernel = kind.make(complete_parameters(c.parameters, kind.parameters, "test"));
  return c.on_sphere ? kernel->for_features({c.size, true, true, 1}) : kernel;
}

Matrix random_unit_features(int rows, int size, unsigned seed) {
  std::mt19937_64 generator(seed);
  test::Uniform uniform(0.05, 1.0);
  Matrix x(rows, size);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = uniform(generator);
  if (size > 1) x.rowwise().normalize();
  return x;
}

Matrix interval(int size) {
  if (size != 1) return {};
  Matrix domain(2, 1);
  domain << 0.0, 1.0;
  return domain;
}

struct LocalEnergySetup {
  explicit LocalEnergySetup(const LocalEnergyCase& c)
      : kernel(make(c)), points(random_unit_features(43, c.size, 1)), x(random_unit_features(70, c.size, 2)) {
    std::mt19937_64 generator(3);
    test::Normal normal(0, 2);
    weights.resize(points.rows());
    for (double& w : weights) w = normal(generator);
    compiled = kernel->compile(weights, points, interval(c.size));
  }

  /// The sum by its definition.
  Vector energies(const Matrix& at) const {
    Matrix value(at.rows(), points.rows());
    kernel->compute(at, points, value);
    return value * weights;
  }

  std::shared_ptr<const Kernel> kernel;
  Matrix points, x;
  Vector weights;
  std::unique_ptr<LocalEnergy> compiled;
};

}  // namespace

TEST_CASE("every kernel has a case, and compiles to its fastest form") {
  for (const KernelKind& kind : kernel_kinds()) {
    const auto all = local_energy_cases();
    CHECK_MESSAGE(std::any_of(all.begin(), all.end(), [&](const LocalEnergyCase& c) { return c.kind == kind.name; }), kind.name);
  }
  for (const LocalEnergyCase& c : local_energy_cases()) {
    CAPTURE(c.kind);
    CAPTURE(c.size);
    CAPTURE(parameters_to_json(c.parameters));
    CHECK(LocalEnergySetup(c).compiled->form() == c.form);
    const bool is_neural = c.kind == "ntk" || c.kind == "nngp";
    CHECK(LocalEnergySetup(c).compiled->gives_values() == (c.form == "powers" || (is_neural && c.form == "sum")));
  }
}

TEST_CASE("a compiled sum is the sum of the kernels, and its gradient the derivative") {
  for (const LocalEnergyCase& c : local_energy_cases()) {
    CAPTURE(c.kind);
    CAPTURE(c.size);
    CAPTURE(parameters_to_json(c.parameters));
    LocalEnergySetup setup(c);
    const auto n = setup.x.rows();
    Vector energy(n), again(n);
    Matrix gradient(n, c.size);
    MatrixSlice view = gradient;
    setup.compiled->compute(setup.x, {energy.data(), static_cast<std::size_t>(n)}, &view);
    setup.compiled->compute(setup.x, {again.data(), static_cast<std::size_t>(n)}, nullptr);
    const double scale = setup.weights.cwiseAbs().sum();
    CHECK(largest_difference(energy, setup.energies(setup.x)) <= 1e-11 * scale);
    CHECK(largest_difference(energy, again) <= 1e-13 * scale);
    if (setup.compiled->gives_values()) {
      Matrix values = Matrix::Zero(n, setup.points.rows()), expected(n, setup.points.rows());
      MatrixSlice slice = values;
      setup.compiled->compute(setup.x, {again.data(), static_cast<std::size_t>(n)}, &view, &slice);
      setup.kernel->compute(setup.x, setup.points, expected);
      CHECK(largest_difference(values, expected) <= 1e-13);
      CHECK(largest_difference(energy, again) <= 1e-13 * scale);
    }
    const double h = 1e-4;
    for (int d = 0; d < c.size; ++d) {
      Matrix up = setup.x, down = setup.x, up2 = setup.x, down2 = setup.x;
      up.col(d).array() += h;
      down.col(d).array() -= h;
      up2.col(d).array() += 2 * h;
      down2.col(d).array() -= 2 * h;
      const Vector slope = (8 * (setup.energies(up) - setup.energies(down)) - (setup.energies(up2) - setup.energies(down2))) / (12 * h);
      CHECK(largest_difference(Vector(gradient.col(d)), slope) <= 3e-8 * scale);
    }
  }
}

TEST_CASE("sums of powers: any number of points, features and rows, with every instruction set") {
  const InstructionSet before = instruction_set();
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    use_instruction_set(set);
    for (const std::int64_t zeta : {3, 4})
      for (const int size : {2, 8, 25, 64})
        for (const int count : {1, 23, 24, 96, 97, 250}) {
          const auto kernel = make({"polynomial", {{"zeta", zeta}, {"constant", 16.0}}, size, "powers"});
          const Matrix points = random_unit_features(count, size, 1);
          const Vector weights = Vector::LinSpaced(count, -1.0, 2.0);
          const auto compiled = kernel->compile(weights, points, {});
          for (const int rows : {1, 2, 3, 5, 7, 64, 65, 139}) {
            CAPTURE(instruction_set_name(set));
            CAPTURE(zeta);
            CAPTURE(size);
            CAPTURE(count);
            CAPTURE(rows);
            const Matrix x = random_unit_features(rows, size, 2);
            Matrix value(rows, count), slope(rows, count), gradient = Matrix::Constant(rows + 1, size + 3, 7.0);
            MatrixSlice slope_view = slope, gradient_view = gradient.block(0, 1, rows, size);
            kernel->compute(x, points, {.value = value, .slope = &slope_view});
            Vector energy(rows);
            compiled->compute(x, {energy.data(), static_cast<std::size_t>(rows)}, &gradient_view);
            const double scale = weights.cwiseAbs().sum();
            CHECK(largest_difference(energy, Vector(value * weights)) <= 1e-13 * scale);
            const Matrix expected = slope * weights.asDiagonal() * points;
            CHECK(largest_difference(Matrix(gradient_view), expected) <= 1e-13 * scale);
            gradient_view.setConstant(7.0);
            CHECK((gradient.array() == 7.0).all());
            Matrix values = Matrix::Constant(rows + 1, count + 2, 7.0);
            MatrixSlice values_view = values.block(0, 1, rows, count);
            Vector again(rows);
            compiled->compute(x, {again.data(), static_cast<std::size_t>(rows)}, nullptr, &values_view);
            CHECK(again == energy);
            CHECK(largest_difference(Matrix(values_view), value) <= 1e-13);
            values_view.setConstant(7.0);
            CHECK((values.array() == 7.0).all());
          }
        }
  }
  use_instruction_set(before);
}

TEST_CASE("a spline continues outside of its domain") {
  LocalEnergySetup setup({"squared_exponential", {{"length_scale", 0.7}}, 1, "spline"});
  Matrix x(4, 1);
  x << -0.4, 0.0, 1.0, 1.7;
  Vector energy(4);
  setup.compiled->compute(x, {energy.data(), 4}, nullptr);
  CHECK(largest_difference(energy, setup.energies(x)) <= 1e-11 * setup.weights.cwiseAbs().sum());
}

TEST_CASE("NaN in a feature stays NaN in every form") {
  for (const LocalEnergyCase& c : local_energy_cases()) {
    CAPTURE(c.kind);
    CAPTURE(c.form);
    LocalEnergySetup setup(c);
    setup.x(1, 0) = std::numeric_limits<double>::quiet_NaN();
    Vector energy(setup.x.rows());
    Matrix gradient(setup.x.rows(), c.size);
    MatrixSlice view = gradient;
    setup.compiled->compute(setup.x, {energy.data(), static_cast<std::size_t>(energy.size())}, &view);
    CHECK(std::isnan(energy[1]));
    CHECK(std::isfinite(energy[0]));
    CHECK(std::isfinite(energy[2]));
  }
}
