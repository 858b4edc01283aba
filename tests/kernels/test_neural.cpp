// Kernels of infinitely wide networks: reference numbers, the form on unit vectors, relu.

#include <Eigen/Eigenvalues>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <nlohmann/json.hpp>

#include "support/distributions.hpp"
#include "support/neural_kernels.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Matrix row_of(const nlohmann::json& numbers) {
  Matrix result(1, static_cast<Eigen::Index>(numbers.size()));
  for (Eigen::Index i = 0; i < result.cols(); ++i) result(0, i) = numbers[static_cast<std::size_t>(i)].get<double>();
  return result;
}

double number(const nlohmann::json& text) {
  return std::stod(text.get<std::string>());
}

}  // namespace

TEST_CASE("ntk and nngp equal 40-digit reference numbers: values, gradients, mixed second derivatives") {
  const auto data = nlohmann::json::parse(read_text(source_folder() / "tests/data/neural/kernels.json"));
  const InstructionSet before = instruction_set();
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    use_instruction_set(set);
    int checked = 0;
    for (const auto& c : data.at("cases"))
      for (const std::string name : {"nngp", "ntk"}) {
        const std::string activation = c.at("activation");
        CAPTURE(instruction_set_name(set));
        CAPTURE(name);
        CAPTURE(c.dump());
        const auto kernel = neural_kernel({.name = name,
                                           .activation = activation,
                                           .depth = c.at("depth").get<int>(),
                                           .weight_variance = c.at("weight_variance"),
                                           .bias_variance = c.at("bias_variance"),
                                           .input_scale = c.at("input_scale")});
        const Matrix x = row_of(c.at("x")), z = row_of(c.at("z")), u = row_of(c.at("u")), v = row_of(c.at("v"));
        const auto expected = [&](std::size_t i) { return number(c.at(name)[i]); };
        Matrix value(1, 1);
        kernel->compute(x, z, value);
        check_close(value(0, 0), expected(0), 1e-11);
        ++checked;
        if (activation == "relu") continue;
        const OwnParts xz(*kernel, x, z), zx(*kernel, z, x);
        const auto dot = [](const Matrix& a, const Matrix& b) { return a.row(0).dot(b.row(0)); };
        CHECK(std::abs(xz.value(0, 0) - value(0, 0)) <= 1e-14);
        check_close(xz.slope(0, 0) * dot(u, z) + xz.own_slope(0, 0) * dot(u, x), expected(1), 1e-11);
        check_close(mixed_derivative(xz, zx, 0, 0, {dot(u, v), dot(u, z), dot(v, x), dot(u, x), dot(v, z)}), expected(2), 1e-11);
      }
    CHECK(checked == 36);
  }
  use_instruction_set(before);
}

TEST_CASE("ntk and nngp of many points equal those of each pair; the default scale is 1/D") {
  const Matrix x = random_features(5, 7, 1), z = random_features(150, 7, 2);  // more than two blocks of points
  for (const std::string name : {"nngp", "ntk"})
    for (const std::string activation : {"gelu", "erf"}) {
      const auto kernel = neural_kernel({.name = name, .activation = activation, .input_scale = 0});
      const auto scaled = neural_kernel({.name = name, .activation = activation, .input_scale = 1.0 / 7});
      const OwnParts all(*kernel, x, z);
      for (Eigen::Index e = 0; e < 5; ++e)
        for (Eigen::Index m = 0; m < 150; ++m) {
          const OwnParts one(*scaled, x.row(e), z.row(m));
          for (const auto& [whole, part] :
               {std::pair(&all.value, &one.value), std::pair(&all.slope, &one.slope), std::pair(&all.own_slope, &one.own_slope),
                std::pair(&all.curvature, &one.curvature), std::pair(&all.own_curvature, &one.own_curvature),
                std::pair(&all.both_curvature, &one.both_curvature)})
            REQUIRE(std::abs((*whole)(e, m) - (*part)(0, 0)) <= 1e-12);
        }
    }
}

TEST_CASE("on unit vectors ntk and nngp are functions of x·z with the same values and derivatives along the sphere") {
  Matrix x = random_features(30, 6, 3), z = random_features(40, 6, 4);
  x.row(7) = z.row(3);
  x.row(8) = -z.row(5);
  x.rowwise().normalize();
  z.rowwise().normalize();
  Matrix dx = random_features(30, 6, 5), dz = random_features(40, 6, 6);
  for (Eigen::Index e = 0; e < 30; ++e) dx.row(e) -= dx.row(e).dot(x.row(e)) * x.row(e);
  for (Eigen::Index m = 0; m < 40; ++m) dz.row(m) -= dz.row(m).dot(z.row(m)) * z.row(m);
  for (const std::string name : {"nngp", "ntk"})
    for (const std::string activation : {"gelu", "erf"})
      for (const int depth : {1, 2, 3}) {
        const auto general = neural_kernel({.name = name, .activation = activation, .depth = depth, .input_scale = 1});
        const auto sphere = general->for_features({6, false, true, 1});
        REQUIRE(sphere);
        CHECK(!sphere->has_own_slope());
        CHECK(sphere->parameters().values() == general->parameters().values());
        const OwnParts parts(*general, x, z);
        Matrix value(30, 40), slope(30, 40), curvature(30, 40);
        MatrixSlice s = slope, c = curvature;
        sphere->compute(x, z, value, &s, nullptr, &c);
        CHECK(largest_difference(value, parts.value) <= 1e-12);
        CHECK(largest_difference(slope, parts.slope) <= 1e-11);  // that along x and z drops out
        Matrix mixed(30, 40), expected(30, 40);
        for (Eigen::Index e = 0; e < 30; ++e)
          for (Eigen::Index m = 0; m < 40; ++m) {
            const double x_z = dx.row(e).dot(z.row(m)), z_x = dz.row(m).dot(x.row(e));
            mixed(e, m) = slope(e, m) * dx.row(e).dot(dz.row(m)) + curvature(e, m) * x_z * z_x;
            expected(e, m) = parts.slope(e, m) * dx.row(e).dot(dz.row(m)) + parts.curvature(e, m) * x_z * z_x;
          }
        CHECK(largest_difference(mixed, expected) <= 1e-10);
      }
  const auto kernel = neural_kernel({.input_scale = 0})->for_features({6, false, true, 1});
  CHECK(kernel->parameters().real("input_scale") == 1);  // stays with the model
  // Below 0: minus a number over the usual |x|².
  check_close(neural_kernel({.input_scale = 0})->for_features({6, false, false, 12})->parameters().real("input_scale"), 1.0 / 12, 1e-15);
  Matrix unused(30, 40);
  CHECK_THROWS_AS(kernel->compute(x, Matrix(1.1 * z), unused), InputError);
  // No polynomial of moderate degree is accurate: the general form
  CHECK(neural_kernel({.input_scale = 1e6})->for_features({6, false, true, 1})->has_own_slope());
}

TEST_CASE("on unit vectors the kernels are mixtures of dot products with positive shares") {
  struct Shares {
    NeuralSetup setup;
    std::vector<double> percent;  // of ζ = 0, 1, …; from a program of its own
  };
  const std::vector<Shares> expected = {
      {{.activation = "erf", .depth = 1, .weight_variance = 2, .bias_variance = 0}, {0, 70.8, 0, 15.1, 0, 6.5, 0, 3.3}},
      {{.activation = "erf", .depth = 3, .weight_variance = 2, .bias_variance = 0}, {0, 47.4, 0, 18.7, 0, 11.1, 0, 7.2}},
      {{.activation = "gelu", .depth = 1, .weight_variance = 2}, {16.0, 51.3, 26.3, 0.7, 3.4, 0.3, 1.1, 0.2}},
      {{.activation = "gelu", .depth = 2, .weight_variance = 2}, {21.2, 34.2, 24.3, 8.5, 4.8, 2.2, 1.7, 0.9}}};
  for (const Shares& c : expected) {
    CAPTURE(c.setup.activation);
    CAPTURE(c.setup.depth);
    const std::vector<double> shares = zeta_shares(*neural_kernel(c.setup), 8);
    REQUIRE(shares.size() == c.percent.size());
    for (std::size_t zeta = 0; zeta < shares.size(); ++zeta) {
      check_close(100 * shares[zeta], c.percent[zeta], 0.051);
      CHECK(shares[zeta] >= -1e-8);
    }
  }
}

TEST_CASE("relu gives energies only, and says why; close points keep their Gram matrix positive") {
  for (const std::string name : {"nngp", "ntk"})
    for (const int depth : {1, 3}) {
      const auto kernel = neural_kernel({.name = name, .activation = "relu", .depth = depth});
      CHECK(!kernel->is_smooth());
      Matrix x = random_features(12, 4, 7);
      for (int i = 0; i < 6; ++i) x.row(i + 6) = x.row(i) + 1e-7 * x.row((i + 1) % 6);
      x.row(11) = x.row(4);
      Matrix gram(12, 12);
      kernel->compute(x, x, gram);
      CHECK(largest_difference(gram, gram.transpose()) <= 1e-13);
      const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram);
      CHECK(solver.eigenvalues().minCoeff() >= -1e-13 * solver.eigenvalues().maxCoeff());
      // ⟨(f(x) − f(z))²⟩ of the tangent kernel grows as the distance, of the other one as its square
      const double spread = gram(0, 0) + gram(6, 6) - 2 * gram(0, 6);
      CHECK(spread > (name == "ntk" ? 1e-9 : 0));
      CHECK(spread < (name == "ntk" ? 1e-5 : 1e-12));
      Matrix slope(12, 12);
      MatrixSlice slice = slope;
      const std::string message = message_of<InputError>([&] { kernel->compute(x, x, gram, &slice); });
      CHECK(message.find("energies only") != std::string::npos);
      CHECK(message == kernel->without_derivatives());
    }
  CHECK(neural_kernel({})->without_derivatives().empty());
}

TEST_CASE("ntk and nngp refuse impossible parameters") {
  const auto refused = [](const Parameters& parameters, const std::string& part) {
    CAPTURE(part);
    for (const char* name : {"ntk", "nngp"}) {
      const KernelKind& kind = kernel_kind(name);
      const std::string message = message_of<InputError>([&] { kind.make(complete_parameters(parameters, kind.parameters, "test")); });
      CHECK(message.find(part) != std::string::npos);
    }
  };
  refused({{"activation", "tanh"}}, "tanh");
  refused({{"activation", "gelo"}}, "did you mean 'gelu'");
  for (const std::int64_t depth : {0, -1, 17}) refused({{"depth", depth}}, "depth");
  for (const double w : {0.0, -1.0, 1e300, std::nan(""), std::numeric_limits<double>::infinity()})
    refused({{"weight_variance", w}}, "weight_variance");
  for (const double b : {-0.1, 1e200, std::nan("")}) refused({{"bias_variance", b}}, "bias_variance");
  for (const double s : {-0.1, std::nan(""), std::numeric_limits<double>::infinity()}) refused({{"input_scale", s}}, "input_scale");
}

TEST_CASE("ntk and nngp: values and derivatives are finite with the largest variances, also of a point with itself") {
  const Matrix x = random_features(3, 6, 1), z = random_features(4, 6, 2);
  for (const std::string activation : {"gelu", "erf"}) {
    CAPTURE(activation);
    const auto kernel =
        neural_kernel({.activation = activation, .depth = 4, .weight_variance = 1e3, .bias_variance = 1e3, .input_scale = 1});
    const OwnParts others(*kernel, x, z), parts(*kernel, x, x);
    CHECK(others.value.allFinite());
    CHECK(others.both_curvature.allFinite());
    for (const Matrix* part : {&parts.value, &parts.slope, &parts.curvature, &parts.own_slope, &parts.own_curvature, &parts.both_curvature})
      CHECK(part->allFinite());
  }
}
