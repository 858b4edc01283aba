// Sparse Gaussian processes of tensors against reference numbers and dense algebra; behaviour under rotations.

#include <Eigen/Cholesky>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <nlohmann/json.hpp>
#include <numeric>

#include "predict/tensor_predictor.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Json = nlohmann::json;

std::filesystem::path tensor_folder() {
  return source_folder() / "tests" / "data" / "tensor";
}

Json gp_reference() {
  std::ifstream file(tensor_folder() / "tensor_gp.json");
  return Json::parse(file);
}

Matrix numbers_in(const Json& rows) {
  Matrix m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.at(0).size()));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j)
      m(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = rows[i][j].get<double>();
  return m;
}

constexpr std::size_t training_frames = 6;

std::vector<TensorEnvironments> environments_in(const std::vector<TensorTerm>& terms, const Structure& s) {
  const StructureEnvironments environments(s, terms.front().descriptor->cutoff());
  std::vector<TensorEnvironments> result;
  for (const TensorTerm& term : terms) result.push_back(tensor_environments(term, environments.view()));
  return result;
}

/// The points of the reference.
std::vector<TensorTerm> reference_terms(const std::vector<Structure>& frames) {
  const Json reference = gp_reference(), p = reference.at("parameters");
  const DescriptorKind& kind = descriptor_kind("soap");
  const Parameters parameters = complete_parameters({{"cutoff", p.at("cutoff").get<double>()},
                                                     {"n_max", p.at("n_max").get<std::int64_t>()},
                                                     {"l_max", p.at("l_max").get<std::int64_t>()},
                                                     {"atom_sigma", p.at("atom_sigma").get<double>()},
                                                     {"radial_weight", std::int64_t{0}},
                                                     {"cutoff_width", p.at("cutoff_width").get<double>()}},
                                                    kind.parameters, "test");
  std::vector<TensorTerm> terms;
  for (const int z : {8, 1}) {
    TensorTerm& term = terms.emplace_back();
    term.name = "soap";
    term.element = z;
    term.elements = {1, 8};
    term.descriptor = kind.make(parameters, {z}, term.elements);
    term.zeta = p.at("zeta").get<double>();
    for (const Json& point : reference.at("points").at(std::to_string(z))) {
      const std::int64_t frame = point[0].get<std::int64_t>(), atom = point[1].get<std::int64_t>();
      const StructureEnvironments environments(frames[static_cast<std::size_t>(frame)], 3.0);
      const TensorEnvironments found = tensor_environments(term, environments.view());
      term.points.conservativeResize(term.points.rows() + 1, found.coefficients.cols());
      for (std::size_t e = 0; e < found.atom.size(); ++e)
        if (found.atom[e] == atom) term.points.bottomRows(1) = found.coefficients.row(static_cast<Eigen::Index>(e));
      term.origin.push_back({frame, atom, 0});
    }
  }
  return terms;
}

/// A fit at fixed σ and δ to labels [2λ+1] of the training frames.
TensorPart fitted_part(const std::vector<TensorTerm>& terms, const std::vector<Structure>& frames, int lambda,
                       const std::vector<Vector>& labels) {
  TensorPart part;
  part.lambda = lambda;
  part.delta.assign(terms.size(), std::sqrt(0.3));
  const TensorKernel kernel(terms, "sum", lambda, part.delta);
  part.factor = kernel.factor(1e-8);
  SufficientStatistics statistics;
  GroupStatistics& group = statistics.groups.emplace_back();
  group.group.sigma = 0.02;
  group.gram = SymmetricAccumulator(kernel.columns());
  group.moment = Vector::Zero(kernel.columns());
  for (std::size_t f = 0; f < labels.size(); ++f) {
    Matrix rows = kernel.rows(environments_in(terms, frames[f]), frames[f].size());
    part.factor.whiten(rows);
    const double weight = 1.0 / frames[f].size();
    group.gram.add_rows(rows, weight);
    group.moment += weight * rows.transpose() * labels[f];
    group.target_square += weight * labels[f].squaredNorm();
    group.count += labels[f].size();
    group.log_weight += static_cast<double>(labels[f].size()) * std::log(weight);
  }
  part.posterior = solve_posterior(statistics, part.factor, std::vector<double>(terms.size(), 1.0));
  part.weights = kernel_weights(part.factor, part.posterior);
  return part;
}

Vector dipole_of(const Structure& s) {
  const auto v = std::get<std::vector<double>>(s.find_field("dipole")->value);
  return vector_map() * Vector3(v[0], v[1], v[2]);
}

/// Made-up symmetric labels that turn with the structure: Σ_ij r_ij ⊗ r_ij / |r_ij|, without its trace.
Vector quadrupole_of(const Structure& s) {
  Matrix3 sum = Matrix3::Zero();
  for (Eigen::Index i = 0; i < s.size(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) {
      const Vector3 r = (s.positions.row(i) - s.positions.row(j)).transpose();
      sum += r * r.transpose() / r.norm();
    }
  return unit_matrices(2) * Eigen::Map<const Vector>(sum.data(), 9);
}

std::vector<Structure> gp_frames() {
  return read_extxyz((tensor_folder() / "tensor_gp.xyz").string());
}

Model model_of(std::vector<TensorTerm> terms, std::vector<TensorPart> parts, const std::string& kind) {
  auto tensor = std::make_shared<FittedTensor>();
  tensor->keys = {.name = "t", .key = "t", .kind = kind, .target = "sum", .units = "", .origin = ""};
  tensor->elements = {1, 8};
  tensor->terms = std::move(terms);
  tensor->parts = std::move(parts);
  Model model;
  model.tensors.push_back(tensor);
  return model;
}

TensorPrediction predicted(const Model& model, const Structure& s, bool calibrated = true) {
  PredictionRequest request;
  request.tensors = request.tensor_covariance = true;
  request.calibrated = calibrated;
  Prediction prediction;
  TensorPredictors(model).add(s, request, prediction);
  return prediction.tensors.at(0);
}

}  // namespace

TEST_CASE("Posterior means, covariances, priors and the evidence of dipoles have the reference values") {
  const Json reference = gp_reference();
  const std::vector<Structure> frames = gp_frames();
  const std::vector<TensorTerm> terms = reference_terms(frames);
  std::vector<Vector> labels;
  for (std::size_t f = 0; f < training_frames; ++f) labels.push_back(dipole_of(frames[f]));
  const TensorPart part = fitted_part(terms, frames, 1, labels);
  check_close(part.posterior.log_evidence, reference.at("log_evidence").get<double>(), 0, 1e-9);
  TensorKernel kernel(terms, "sum", 1, part.delta);
  kernel.set_weights(part.weights);
  const Matrix back = vector_map().transpose(), means = numbers_in(reference.at("mean_xyz"));
  for (std::size_t k = 0; k < 2; ++k) {
    const Structure& s = frames[training_frames + k];
    const auto environments = environments_in(terms, s);
    const Matrix mean = kernel.mean(environments, s.size()) * back.transpose();
    CHECK(largest_difference(mean, Matrix(means.row(static_cast<Eigen::Index>(k)))) <= 1e-9 * largest_entry(means));
    const Matrix prior = numbers_in(reference.at("prior_xyz")[k]), covariance = numbers_in(reference.at("covariance_xyz")[k]);
    CHECK(largest_difference(Matrix(back * kernel.prior(environments, s.size())[0] * back.transpose()), prior) <=
          1e-9 * largest_entry(prior));
    const std::vector<double> traces = kernel.prior_traces(environments, s.size());
    check_close(std::accumulate(traces.begin(), traces.end(), 0.0), prior.trace(), 0, 1e-9);
    const Matrix found = back * tensor_covariances(part, kernel, environments, s.size())[0] * back.transpose();
    // Differences of priors: absolute rounding is that of the prior.
    CHECK(largest_difference(found, covariance) <= 1e-9 * largest_entry(prior));
  }
}

TEST_CASE("Covariances of symmetric matrices are those of dense algebra") {
  const std::vector<Structure> frames = gp_frames();
  const std::vector<TensorTerm> terms = reference_terms(frames);
  std::vector<Vector> labels;
  for (std::size_t f = 0; f < training_frames; ++f) labels.push_back(quadrupole_of(frames[f]));
  const TensorPart part = fitted_part(terms, frames, 2, labels);
  // Dense: C = k** − k K⁻¹ kᵀ + k Σ kᵀ with Σ⁻¹ = K + Rᵀ N⁻¹ R, mean = k Σ Rᵀ N⁻¹ y.
  const TensorKernel kernel(terms, "sum", 2, part.delta);
  const Eigen::Index m = kernel.columns(), n = 5;
  Eigen::MatrixXd k_mm = Eigen::MatrixXd::Zero(m, m);
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const Matrix& l = part.factor.blocks()[t];
    k_mm.block(kernel.offsets()[t], kernel.offsets()[t], l.rows(), l.rows()) = l * l.transpose();
  }
  Eigen::MatrixXd precision = k_mm;
  Vector moment = Vector::Zero(m);
  for (std::size_t f = 0; f < training_frames; ++f) {
    const Matrix rows = kernel.rows(environments_in(terms, frames[f]), frames[f].size());
    const double noise = 0.02 * 0.02 * frames[f].size();
    precision += rows.transpose() * rows / noise;
    moment += rows.transpose() * labels[f] / noise;
  }
  const Structure& s = frames[7];
  const auto environments = environments_in(terms, s);
  const Eigen::MatrixXd row = kernel.rows(environments, s.size());
  const Matrix prior = kernel.prior(environments, s.size())[0];
  const Matrix dense = prior - row * k_mm.llt().solve(row.transpose()) + row * precision.llt().solve(row.transpose());
  const Model model = model_of(terms, {part}, "symmetric");
  const TensorPrediction found = predicted(model, s, false);
  const Matrix e = unit_matrices(2);
  Matrix map(6, n);
  for (std::size_t v = 0; v < 6; ++v) map.row(static_cast<Eigen::Index>(v)) = e.col(3 * voigt_index[v][0] + voigt_index[v][1]).transpose();
  const double noise = 0.02 * 0.02 * s.size();
  const Matrix expected = map * (dense + noise * Matrix::Identity(n, n)) * map.transpose();
  const Vector six = found.covariance->row(0).transpose();
  CHECK(largest_difference(Matrix(Eigen::Map<const Matrix>(six.data(), 6, 6)), expected) <= 1e-9 * largest_entry(prior));
  const Matrix mean = (row * precision.llt().solve(moment)).transpose() * e;
  CHECK(largest_difference(found.values, mean) <= 1e-8 * largest_entry(mean));
}

TEST_CASE("Means and covariances turn with the structure, and moving it changes nothing") {
  const std::vector<Structure> frames = gp_frames();
  const std::vector<TensorTerm> terms = reference_terms(frames);
  std::vector<Vector> dipoles, quadrupoles;
  for (std::size_t f = 0; f < training_frames; ++f) {
    dipoles.push_back(dipole_of(frames[f]));
    quadrupoles.push_back(quadrupole_of(frames[f]));
  }
  std::ifstream file(tensor_folder() / "cartesian.json");
  const Matrix rotation = numbers_in(Json::parse(file).at("rotation"));
  Structure turned = frames[6];
  turned.positions = (turned.positions * rotation.transpose()).eval();
  turned.positions.rowwise() += Eigen::RowVector3d(0.3, -1.2, 5.0);
  const Model vector = model_of(terms, {fitted_part(terms, frames, 1, dipoles)}, "vector");
  const TensorPrediction plain = predicted(vector, frames[6]), of_turned = predicted(vector, turned);
  CHECK(largest_difference(of_turned.values, Matrix(plain.values * rotation.transpose())) <= 1e-10);
  const auto three = [](const TensorPrediction& p) {
    const Vector v = p.covariance->row(0).transpose();
    return Matrix(Eigen::Map<const Matrix>(v.data(), 3, 3));
  };
  CHECK(largest_difference(three(of_turned), Matrix(rotation * three(plain) * rotation.transpose())) <= 1e-10);
  CHECK(largest_entry(three(plain)) > 1e-5);
  const Model matrix = model_of(terms, {fitted_part(terms, frames, 2, quadrupoles)}, "symmetric");
  const TensorPrediction a = predicted(matrix, frames[6]), b = predicted(matrix, turned);
  const auto square = [](const TensorPrediction& p) { return Matrix(Eigen::Map<const Matrix3>(p.values.data())); };
  CHECK(largest_difference(square(b), Matrix(rotation * square(a) * rotation.transpose())) <= 1e-10);
  // vᵀTv for a direction that turns too has the same variance: J C Jᵀ with J of the six components.
  const auto variance_along = [](const TensorPrediction& p, const Vector3& v) {
    Vector j(6);
    for (std::size_t k = 0; k < 6; ++k) j[static_cast<Eigen::Index>(k)] = (k < 3 ? 1 : 2) * v[voigt_index[k][0]] * v[voigt_index[k][1]];
    const Vector c = p.covariance->row(0).transpose();
    return j.dot(Eigen::Map<const Matrix>(c.data(), 6, 6) * j);
  };
  for (const Vector3& v : {Vector3(1, 0, 0), Vector3(0.3, -0.5, 0.7)})
    check_close(variance_along(b, rotation * v), variance_along(a, v), 1e-10);
}

TEST_CASE("Error bars have a factor of the covariance and one of the noise") {
  const std::vector<Structure> frames = gp_frames();
  const std::vector<TensorTerm> terms = reference_terms(frames);
  std::vector<Vector> dipoles;
  for (std::size_t f = 0; f < training_frames; ++f) dipoles.push_back(dipole_of(frames[f]));
  TensorPart part = fitted_part(terms, frames, 1, dipoles);
  part.scale = 0.5;
  part.noise_scale = 2;
  part.left_out = 200;
  const Structure& s = frames[7];
  const auto environments = environments_in(terms, s);
  const TensorKernel kernel(terms, "sum", 1, part.delta);
  const Matrix c = tensor_covariances(part, kernel, environments, s.size())[0];
  const Matrix back = vector_map().transpose();
  const double noise = 0.02 * 0.02 * s.size();
  const auto expected = [&](double factor, double of_noise) {
    return Matrix(back * (factor * c + of_noise * noise * Matrix::Identity(3, 3)) * back.transpose());
  };
  const Model model = model_of(terms, {part}, "vector");
  const auto found = [&](bool calibrated) {
    const Vector v = predicted(model, s, calibrated).covariance->row(0).transpose();
    return Matrix(Eigen::Map<const Matrix>(v.data(), 3, 3));
  };
  CHECK(largest_difference(found(true), expected(0.25, 4)) <= 1e-12);
  CHECK(largest_difference(found(false), expected(1, 1)) <= 1e-12);
}

TEST_CASE("An element without data, and a charged structure without origin, are refused") {
  const std::vector<Structure> frames = gp_frames();
  const std::vector<TensorTerm> terms = reference_terms(frames);
  std::vector<Vector> dipoles;
  for (std::size_t f = 0; f < training_frames; ++f) dipoles.push_back(dipole_of(frames[f]));
  const Model model = model_of(terms, {fitted_part(terms, frames, 1, dipoles)}, "vector");
  Structure other = frames[6];
  other.atomic_numbers[1] = 9;
  CHECK(message_of<InputError>([&] { predicted(model, other); }).find("atom 2 is F") != std::string::npos);
  Structure charged = frames[6];
  charged.set_field("charge", 1.0);
  CHECK(message_of<InputError>([&] { predicted(model, charged); }).find("origin") != std::string::npos);
}
