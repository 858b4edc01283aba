// Derivatives of tensors by the positions: reference numbers, differences, sum rules, rotations.

#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <gapkit/model/tensor_kernel.hpp>
#include <nlohmann/json.hpp>

#include "predict/tensor_predictor.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Slopes = nlohmann::json;

Slopes slopes_reference(const std::string& name) {
  std::ifstream file(source_folder() / "tests" / "data" / "tensor" / name);
  return Slopes::parse(file);
}

Matrix matrix_of_slopes(const Slopes& rows) {
  Matrix m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.at(0).size()));
  for (Eigen::Index i = 0; i < m.rows(); ++i)
    for (Eigen::Index j = 0; j < m.cols(); ++j) m(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)].get<double>();
  return m;
}

Structure cluster_of_slopes() {
  return read_extxyz((source_folder() / "tests" / "data" / "tensor" / "cluster9.xyz").string()).at(0);
}

struct SlopesSetting {
  double zeta = 2;
  std::vector<std::int64_t> points = {0, 4, 7};
  bool is_mixed = false;
};

/// Terms around H, C and O that have all points, as the reference does.
std::vector<TensorTerm> terms_of_slopes(const Structure& s, const SlopesSetting& setting) {
  const Slopes p = slopes_reference("tensor_derivatives.json").at("parameters");
  const DescriptorKind& kind = descriptor_kind("soap");
  Parameters given = {{"cutoff", p.at("cutoff").get<double>()},
                      {"n_max", p.at("n_max").get<std::int64_t>()},
                      {"l_max", p.at("l_max").get<std::int64_t>()},
                      {"atom_sigma", p.at("atom_sigma").get<double>()},
                      {"cutoff_width", p.at("cutoff_width").get<double>()},
                      {"radial_weight", std::int64_t{0}}};
  if (setting.is_mixed) given.set("mixed_channels", std::int64_t{5});
  const Parameters parameters = complete_parameters(given, kind.parameters, "test");
  const std::vector<int> elements = {1, 6, 8};
  std::vector<TensorTerm> terms;
  for (const int z : elements) {
    TensorTerm& term = terms.emplace_back();
    term.name = "soap";
    term.element = z;
    term.elements = elements;
    term.descriptor = kind.make(parameters, {z}, elements);
    term.zeta = setting.zeta;
  }
  const StructureEnvironments environments(s, terms[0].descriptor->cutoff());
  for (TensorTerm& term : terms)
    for (const std::int64_t atom : setting.points)
      for (const TensorTerm& own : terms) {
        const TensorEnvironments found = tensor_environments(own, environments.view());
        for (std::size_t e = 0; e < found.atom.size(); ++e) {
          if (found.atom[e] != atom) continue;
          term.points.conservativeResize(term.points.rows() + 1, found.coefficients.cols());
          term.points.bottomRows(1) = found.coefficients.row(static_cast<Eigen::Index>(e));
          term.origin.push_back({0, atom, 0});
        }
      }
  return terms;
}

Vector weights_of_slopes(Eigen::Index size) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  Vector w(size);
  for (Eigen::Index i = 0; i < size; ++i) w[i] = normal(random);
  return w;
}

/// Values [2λ+1] with derivatives by the positions, [3 atoms, 2λ+1], and the same by rows of derivatives.
struct FoundSlopes {
  Vector values;
  Matrix derivatives, by_rows;
};

FoundSlopes slopes_of(TensorKernel& kernel, const std::vector<TensorTerm>& terms, const Structure& s, const Vector& weights) {
  kernel.set_weights(weights);
  kernel.prepare_derivative_rows(terms);
  const StructureEnvironments neighbors(s, terms[0].descriptor->cutoff());
  std::vector<TensorEnvironments> environments;
  for (const TensorTerm& term : terms) environments.push_back(tensor_environments(term, neighbors.view()));
  FoundSlopes found;
  found.values = kernel.mean(environments, s.size()).row(0).transpose();
  found.derivatives = kernel.derivatives(neighbors.view(), environments, s.size());
  const Vector rows = kernel.derivative_rows(neighbors.view(), environments, s.size()) * weights;
  found.by_rows = Eigen::Map<const Matrix>(rows.data(), found.derivatives.rows(), found.derivatives.cols());
  return found;
}

/// A model of these weights without a fit: error bars are not wanted.
Model model_of_slopes(const std::vector<TensorTerm>& terms, const std::string& kind, const std::string& target) {
  auto tensor = std::make_shared<FittedTensor>();
  tensor->keys = {.name = "t", .key = "t", .kind = kind, .target = target, .units = "", .origin = ""};
  tensor->elements = {1, 6, 8};
  tensor->terms = terms;
  for (const int lambda : tensor->keys.ranks()) {
    TensorPart& part = tensor->parts.emplace_back();
    part.lambda = lambda;
    part.delta.assign(terms.size(), 1.0);
    part.means = {{1, 0.2}, {6, -1.0}, {8, 0.7}};
    part.weights = weights_of_slopes(TensorKernel(terms, target, lambda, part.delta).columns());
  }
  Model model;
  model.tensors.push_back(tensor);
  return model;
}

TensorPrediction predicted_slopes(const Model& model, const Structure& s) {
  PredictionRequest request;
  request.tensors = request.tensor_derivatives = true;
  Prediction prediction;
  TensorPredictors(model).add(s, request, prediction);
  return prediction.tensors.at(0);
}

/// Row k of the derivatives as [3, components].
Matrix slopes_of_atom(const TensorPrediction& p, Eigen::Index k) {
  return Eigen::Map<const Matrix>(p.derivatives->row(k).data(), 3, p.derivatives->cols() / 3);
}

Structure in_small_cell() {
  Structure s = cluster_of_slopes();
  Matrix3 cell;
  cell << 5.1, 0.3, 0, -0.4, 4.8, 0.2, 0.1, 0.5, 5.4;
  s.cell = cell;
  s.pbc = {true, true, true};
  return s;
}

}  // namespace

TEST_CASE("Tensors and their derivatives have the reference values, by pullbacks and by rows") {
  const Structure s = cluster_of_slopes();
  for (const Slopes& given : slopes_reference("tensor_derivatives.json").at("cases")) {
    const int lambda = given.at("lam").get<int>();
    CAPTURE(lambda);
    const auto terms = terms_of_slopes(s, {given.at("zeta").get<double>(), given.at("points").get<std::vector<std::int64_t>>(), false});
    TensorKernel kernel(terms, "sum", lambda, {1.0, 1.0, 1.0});
    const Matrix of_points = matrix_of_slopes(given.at("weights"));
    Vector weights(3 * of_points.size());
    for (Eigen::Index t = 0; t < 3; ++t)
      weights.segment(t * of_points.size(), of_points.size()) = Eigen::Map<const Vector>(of_points.data(), of_points.size());
    const FoundSlopes found = slopes_of(kernel, terms, s, weights);
    const Vector expected = matrix_of_slopes(Slopes::array({given.at("T")})).row(0).transpose();
    CHECK(largest_difference(found.values, expected) <= 1e-9 * largest_entry(expected));
    Matrix slopes(found.derivatives.rows(), found.derivatives.cols());
    for (std::size_t k = 0; k < given.at("dT_dr").size(); ++k)
      slopes.middleRows(3 * static_cast<Eigen::Index>(k), 3) = matrix_of_slopes(given.at("dT_dr")[k]);
    CHECK(largest_difference(found.derivatives, slopes) <= 1e-9 * largest_entry(slopes));
    CHECK(largest_difference(found.by_rows, slopes) <= 1e-9 * largest_entry(slopes));
  }
}

TEST_CASE("Derivatives of tensors agree with differences, in cells and for every power and mixture of channels") {
  for (const double zeta : {1.0, 2.0, 3.5})
    for (const bool is_mixed : {false, true}) {
      CAPTURE(zeta);
      CAPTURE(is_mixed);
      Structure s = in_small_cell();
      const auto terms = terms_of_slopes(s, {zeta, {0, 4, 7}, is_mixed});
      for (const int lambda : {0, 1, 2}) {
        CAPTURE(lambda);
        TensorKernel kernel(terms, lambda == 1 ? "mean" : "sum", lambda, {1.0, 0.7, 1.3});
        const Vector weights = weights_of_slopes(kernel.columns());
        const FoundSlopes found = slopes_of(kernel, terms, s, weights);
        CHECK(largest_difference(found.by_rows, found.derivatives) <= 1e-10 * largest_entry(found.derivatives));
        for (const Eigen::Index at : {0, 4, 8})
          for (Eigen::Index a = 0; a < 3; ++a) {
            const double before = s.positions(at, a), step = 1e-4;
            s.positions(at, a) = before + step;
            const Vector above = slopes_of(kernel, terms, s, weights).values;
            s.positions(at, a) = before - step;
            const Vector below = slopes_of(kernel, terms, s, weights).values;
            s.positions(at, a) = before;
            const Vector slope = (above - below) / (2 * step);
            CHECK(largest_difference(slope, Vector(found.derivatives.row(3 * at + a).transpose())) <=
                  2e-6 * largest_entry(found.derivatives));
          }
      }
    }
}

TEST_CASE("Derivatives of tensors obey the sum rules of moves and turns, and turn with the structure") {
  const Structure s = cluster_of_slopes();
  const Matrix turn = matrix_of_slopes(slopes_reference("cartesian.json").at("rotation"));
  Structure turned = s;
  turned.positions = (s.positions * turn.transpose()).eval();
  const auto terms = terms_of_slopes(s, {});
  for (const std::string kind : {"vector", "symmetric"}) {
    CAPTURE(kind);
    const Model model = model_of_slopes(terms, kind, "sum");
    const TensorPrediction found = predicted_slopes(model, s), of_turned = predicted_slopes(model, turned);
    const double size = largest_entry(*found.derivatives);
    const Eigen::Index components = found.keys.components();
    Matrix moved = Matrix::Zero(3, components);
    for (Eigen::Index k = 0; k < s.size(); ++k) moved += slopes_of_atom(found, k);
    CHECK(largest_entry(moved) <= 1e-12 * size);
    // The components turn as T(R·) = M T.
    Matrix map(components, components);
    for (Eigen::Index a = 0; a < components; ++a)
      for (Eigen::Index b = 0; b < components; ++b) map(a, b) = kind == "vector" ? turn(a, b) : turn(a / 3, b / 3) * turn(a % 3, b % 3);
    double worst = 0;
    for (Eigen::Index k = 0; k < s.size(); ++k)
      worst = worse(worst, largest_difference(slopes_of_atom(of_turned, k), Matrix(turn * slopes_of_atom(found, k) * map.transpose())));
    CHECK(worst <= 1e-10 * size);
    if (kind != "vector") continue;
    // An infinitesimal turn about α: Σ_k ε_αγδ r_kγ Z_k,δβ = −ε_αβγ μ_γ
    for (Eigen::Index alpha = 0; alpha < 3; ++alpha) {
      const Eigen::Index next = (alpha + 1) % 3, last = (alpha + 2) % 3;
      Vector3 sum = Vector3::Zero(), expected = Vector3::Zero();
      for (Eigen::Index k = 0; k < s.size(); ++k) {
        const Matrix z = slopes_of_atom(found, k);
        sum += (s.positions(k, next) * z.row(last) - s.positions(k, last) * z.row(next)).transpose();
      }
      expected[next] = -found.values(0, last);
      expected[last] = found.values(0, next);
      CHECK(largest_difference(sum, expected) <= 1e-11 * size);
    }
  }
}

TEST_CASE("Values of atoms have no derivatives, and means have those of the sum over the number of atoms") {
  const Structure s = in_small_cell();
  const auto terms = terms_of_slopes(s, {});
  CHECK_FALSE(predicted_slopes(model_of_slopes(terms, "vector", "atom"), s).derivatives);
  const Matrix sum = *predicted_slopes(model_of_slopes(terms, "vector", "sum"), s).derivatives,
               mean = *predicted_slopes(model_of_slopes(terms, "vector", "mean"), s).derivatives;
  CHECK(largest_difference(Matrix(sum / s.size()), mean) <= 1e-13 * largest_entry(sum));
}

TEST_CASE("Standard deviations of lengths, isotropic and anisotropic parts follow from the covariance, and never vanish at zero length") {
  TensorPrediction p;
  p.keys = {.name = "t", .key = "t", .kind = "vector", .target = "sum", .units = "", .origin = ""};
  p.values.resize(1, 3);
  p.values << 3, 0, 4;
  p.covariance = Matrix(1, 9);
  *p.covariance << 0.04, 0, 0.01, 0, 0.09, 0, 0.01, 0, 0.16;
  check_close(p.invariants()(0, 0), 5, 1e-14);
  check_close(p.invariants_std()(0, 0), std::sqrt(0.36 * 0.04 + 0.64 * 0.16 + 2 * 0.48 * 0.01), 1e-14);
  check_close(p.std()(0, 1), 0.3, 1e-14);
  p.values.setZero();
  check_close(p.invariants_std()(0, 0), std::sqrt(0.29), 1e-14);
  p.keys.kind = "symmetric";
  p.values.resize(1, 9);
  p.values << 4, 0, 1, 0, 1, 0, 1, 0, 1;
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  Matrix root(6, 6);
  for (Eigen::Index i = 0; i < 36; ++i) root.data()[i] = 0.05 * normal(random);
  const Matrix six = root * root.transpose();
  p.covariance = Matrix(1, 36);
  std::copy(six.data(), six.data() + 36, p.covariance->data());
  check_close(p.invariants()(0, 0), 2, 1e-14);
  check_close(p.invariants()(0, 1), std::sqrt(4 + 1 + 1 + 2), 1e-14);
  const auto along = [&](std::size_t invariant) {  // by differences
    Vector g(6);
    for (std::size_t k = 0; k < 6; ++k) {
      TensorPrediction moved = p;
      const auto [a, b] = voigt_index[k];
      const double step = 1e-6;
      for (const int at : {3 * a + b, 3 * b + a}) moved.values(0, at) = p.values(0, at) + step;
      g[static_cast<Eigen::Index>(k)] =
          (moved.invariants()(0, static_cast<Eigen::Index>(invariant)) - p.invariants()(0, static_cast<Eigen::Index>(invariant))) / step;
    }
    return std::sqrt(g.dot(six * g));
  };
  check_close(p.invariants_std()(0, 0), along(0), 0, 1e-4);
  check_close(p.invariants_std()(0, 1), along(1), 0, 1e-4);
}
