// λ-SOAP features against reference values, and their behaviour under rotations and inversion.

#include <Eigen/Geometry>
#include <fstream>
#include <gapkit/descriptors/expanded_density.hpp>
#include <gapkit/descriptors/tensor_spectrum.hpp>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Json = nlohmann::json;

Json tensor_reference(const std::string& name) {
  std::ifstream file(source_folder() / "tests" / "data" / "tensor" / name);
  return Json::parse(file);
}

Matrix matrix_in(const Json& rows) {
  Matrix m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.at(0).size()));
  for (Eigen::Index i = 0; i < m.rows(); ++i)
    for (Eigen::Index j = 0; j < m.cols(); ++j) m(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)].get<double>();
  return m;
}

/// P^λ of the first atoms of the cluster, and 1/|p|.
struct ClusterFeatures {
  std::vector<Matrix> tensors;
  std::vector<double> inverse_norm;
};

Structure cluster() {
  return read_extxyz((source_folder() / "tests" / "data" / "tensor" / "cluster9.xyz").string()).at(0);
}

ClusterFeatures features_of_cluster(const Structure& s, int lambda, int atoms) {
  const Json p = tensor_reference("lambda_soap.json").at("parameters");
  const DescriptorKind& kind = descriptor_kind("soap");
  const Parameters given = {{"cutoff", p.at("cutoff").get<double>()},
                            {"n_max", p.at("n_max").get<std::int64_t>()},
                            {"l_max", p.at("l_max").get<std::int64_t>()},
                            {"atom_sigma", p.at("atom_sigma").get<double>()},
                            {"cutoff_width", p.at("cutoff_width").get<double>()},
                            {"radial_weight", std::int64_t{0}},
                            {"central_weight", p.at("central_weight").get<double>()}};
  const Parameters parameters = complete_parameters(given, kind.parameters, "test");
  const StructureEnvironments environments(s, p.at("cutoff").get<double>());
  ClusterFeatures result;
  for (int i = 0; i < atoms; ++i) {
    const auto descriptor =
        kind.make(parameters, {s.atomic_numbers[static_cast<std::size_t>(i)]}, p.at("elements").get<std::vector<int>>());
    const ExpandedDensity* density = expanded_density(*descriptor);
    REQUIRE(density != nullptr);
    const TensorSpectrum spectrum(lambda, density->largest_l(), density->channel_count());
    Features features;
    descriptor->compute(environments.view(), i, i + 1, Derivatives::pullback, features);
    const auto c = density->coefficients(features, 0);
    Vector x(descriptor->size());
    result.inverse_norm.push_back(density->features_of(c, x.data()));
    CHECK(largest_difference(x.transpose(), features.x.view()) <= 1e-14);
    Matrix out(spectrum.components(), spectrum.size());
    spectrum.compute(c, result.inverse_norm.back(), out);
    result.tensors.push_back(out);
  }
  return result;
}

}  // namespace

TEST_CASE("lambda-SOAP features, norms and products have the reference values") {
  const Json reference = tensor_reference("lambda_soap.json");
  for (const int lambda : {1, 2, 3}) {
    CAPTURE(lambda);
    const std::string name = "P" + std::to_string(lambda);
    const ClusterFeatures found = features_of_cluster(cluster(), lambda, 4);
    for (std::size_t i = 0; i < 4; ++i) check_close(1 / found.inverse_norm[i], reference.at("scalar_norm")[i].get<double>(), 0, 1e-9);
    const Matrix expected = matrix_in(reference.at(name + "_atom0"));
    CHECK(largest_difference(Matrix(found.tensors[0].leftCols(expected.cols())), expected) <= 1e-9 * largest_entry(expected));
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        CHECK(largest_difference(Matrix(found.tensors[i] * found.tensors[j].transpose()), matrix_in(reference.at(name + "_gram")[i][j])) <=
              1e-9);
  }
}

TEST_CASE("lambda-SOAP of lambda 0 is the power spectrum") {
  const ClusterFeatures found = features_of_cluster(cluster(), 0, 1);
  check_close(found.tensors[0].squaredNorm(), 1, 1e-12);
}

TEST_CASE("lambda-SOAP features turn with the structure, and change sign under inversion for odd lambda") {
  const Matrix reference_rotation = matrix_in(tensor_reference("cartesian.json").at("rotation"));
  Structure turned = cluster(), inverted = cluster();
  turned.positions = turned.positions * reference_rotation.transpose();
  inverted.positions = -inverted.positions;
  for (const int lambda : {1, 2}) {
    CAPTURE(lambda);
    const Matrix d = matrix_in(tensor_reference("cartesian.json").at("D" + std::to_string(lambda)));
    const auto plain = features_of_cluster(cluster(), lambda, 3), of_turned = features_of_cluster(turned, lambda, 3),
               of_inverted = features_of_cluster(inverted, lambda, 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(largest_difference(of_turned.tensors[i], Matrix(d * plain.tensors[i])) <= 1e-10);
      CHECK(largest_difference(of_inverted.tensors[i], Matrix((lambda % 2 == 0 ? 1 : -1) * plain.tensors[i])) <= 1e-12);
    }
  }
}

TEST_CASE("The pullback of lambda-SOAP features and their change along a direction are their derivative") {
  for (const int lambda : {0, 1, 2, 3}) {
    CAPTURE(lambda);
    const TensorSpectrum spectrum(lambda, 3, 4);
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    std::vector<double> c(64), g(static_cast<std::size_t>(spectrum.size()));
    for (double& v : c) v = normal(random);
    for (double& v : g) v = normal(random);
    Matrix out(spectrum.components(), spectrum.size()), change = out, slope = Matrix::Zero(spectrum.components(), 64);
    spectrum.pull_back(c, 0.7, g, slope);
    const Eigen::Map<const Vector> direction(g.data(), spectrum.size());
    for (std::size_t i = 0; i < c.size(); i += 5) {
      const double step = 1e-3, before = c[i];  // P is quadratic: central differences are exact
      c[i] = before + step;
      spectrum.compute(c, 0.7, out);
      const Matrix above = out;
      c[i] = before - step;
      spectrum.compute(c, 0.7, out);
      c[i] = before;
      const Matrix expected = (above - out) / (2 * step);
      std::vector<double> unit(64, 0.0);
      unit[i] = 1;
      spectrum.differentiate(c, unit, 0.7, change);
      CHECK(largest_difference(change, expected) <= 1e-9);
      CHECK(largest_difference(Vector(slope.col(static_cast<Eigen::Index>(i))), Vector(expected * direction)) <= 1e-9);
    }
  }
}

TEST_CASE("Only descriptors with a density give one") {
  const DescriptorKind& kind = descriptor_kind("two_body");
  const auto pairs = kind.make(complete_parameters({{"cutoff", 3.0}}, kind.parameters, "test"), {1, 1}, {1});
  CHECK(expanded_density(*pairs) == nullptr);
}
