// Fits of tensors to their derivatives by the positions, with and without labels of the tensor itself.

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <gapkit/model/tensor_kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <numbers>

#include "bent_molecules.hpp"
#include "fit/tensor_fit.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// What the frames of bent molecules hold beside energies.
struct SlopeLabels {
  bool dipole = true, derivatives = true, cell = false;
  double charge = 0;  // of which the derivatives of the first atom have the whole
};

/// Σ over the bonds of (0.3 − 0.2 (|b| − 0.96)) b, with its derivatives.
std::string bent_molecules(int count, unsigned seed, const SlopeLabels& labels) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::string text;
  for (int f = 0; f < count; ++f) {
    const Structure s = bent_molecule(random, normal, seed + 100 * static_cast<unsigned>(f));
    Vector3 dipole = Vector3::Zero();
    Matrix3 z[3] = {labels.charge * Matrix3::Identity(), Matrix3::Zero(), Matrix3::Zero()};
    double energy = -10;
    for (Eigen::Index h = 1; h < 3; ++h) {
      const Vector3 bond = (s.positions.row(h) - s.positions.row(0)).transpose();
      const double stretch = bond.norm() - 0.96;
      energy += 10 * stretch * stretch;
      dipole += (0.3 - 0.2 * stretch) * bond;
      const Matrix3 slope = (0.3 - 0.2 * stretch) * Matrix3::Identity() - 0.2 / bond.norm() * bond * bond.transpose();
      z[h] += slope;
      z[0] -= slope;
    }
    text += fmt::format("3\nProperties=species:S:1:pos:R:3{} energy={}", labels.derivatives ? ":born:R:9" : "", energy);
    if (labels.dipole) text += fmt::format(" dipole=\"{} {} {}\"", dipole[0], dipole[1], dipole[2]);
    text += labels.cell ? " Lattice=\"9 0 0 0 9 0 0 0 9\" pbc=\"T T T\"\n" : " pbc=\"F F F\"\n";
    const char* symbols[] = {"O", "H", "H"};
    for (Eigen::Index i = 0; i < 3; ++i) {
      text += fmt::format("{} {} {} {}", symbols[i], s.positions(i, 0), s.positions(i, 1), s.positions(i, 2));
      for (Eigen::Index k = 0; k < 9 && labels.derivatives; ++k) text += fmt::format(" {}", z[i].data()[k]);
      text += "\n";
    }
  }
  return text;
}

const std::string energies_of_bent_molecules = pair_energies("O = -9.0, H = -0.5");
const std::string slope_tensor = R"([[tensor]]
name = "dipole"
kind = "vector"
derivatives = "born"
)";
const std::string slope_term = "[[tensor.term]]\ncutoff = 3.0\nn_max = 4\nl_max = 3\nzeta = 2\nn_sparse = 15\n";

struct SlopeErrors {
  double values = 0, slopes = 0, spread = 0, spread_of_slopes = 0;
};

SlopeErrors slope_errors(const Model& model, const std::vector<Structure>& frames) {
  PredictionRequest request;
  request.tensors = request.tensor_derivatives = request.tensor_covariance = true;
  Predictor predictor(std::make_shared<const Model>(model));
  SlopeErrors sums;
  for (const Structure& s : frames) {
    const TensorPrediction p = predictor.compute(s, request).tensors.at(0);
    const Matrix label = *read_tensor(s, p.keys), slopes = *read_tensor_derivatives(s, p.keys);
    sums.values += (p.values - label).squaredNorm();
    sums.spread += label.squaredNorm();
    sums.slopes += (Eigen::Map<const Matrix>(p.derivatives->data(), slopes.rows(), slopes.cols()) - slopes).squaredNorm();
    sums.spread_of_slopes += slopes.squaredNorm();
  }
  sums.values = std::sqrt(sums.values / sums.spread);
  sums.slopes = std::sqrt(sums.slopes / sums.spread_of_slopes);
  return sums;
}

FitConfiguration slope_options(const TemporaryFolder& folder, const std::string& tensors) {
  return parse_fit_options(energies_of_bent_molecules + tensors, "fit.toml", folder.path());
}

int format_of(const std::filesystem::path& path) {
  const ArchiveReader archive(path, "gapkit-model", model_format_version);
  return archive.format_version();
}

}  // namespace

TEST_CASE("Derivatives as labels beside dipoles make both better, and the file gives the same predictions") {
  TemporaryFolder folder;
  folder.write("test.xyz", bent_molecules(20, 1000, {}));
  const std::vector<Structure> test = read_extxyz((folder.path() / "test.xyz").string());
  folder.write("train.xyz", bent_molecules(12, 1, {}));
  const FitResult with = fit(slope_options(folder, slope_tensor + slope_term));
  const FitResult without = fit(slope_options(folder, "[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\n" + slope_term));
  const TensorReport& report = with.report.tensors.at(0);
  CHECK(report.frames == 12);
  CHECK(report.derivative_frames == 12);
  CHECK(report.derivative_rows == 12 * 27);
  CHECK(report.derivatives_sigma > 0);
  CHECK(report.left_out == 12);
  CHECK(report.derivative_error > 0);
  CHECK(report.derivative_error < report.derivative_spread);
  Model plain = without.model;  // that finds the labels of the test
  auto keys = std::make_shared<FittedTensor>(*plain.tensors.at(0));
  keys->keys.derivatives = "born";
  plain.tensors = {keys};
  const SlopeErrors better = slope_errors(with.model, test), worse = slope_errors(plain, test);
  CHECK(better.values < 0.5 * worse.values);
  CHECK(better.slopes < 0.5 * worse.slopes);
  CHECK(better.slopes < 0.1);
  const auto path = folder.path() / "model.h5";
  save_model(with.model, path);
  CHECK(format_of(path) >= 14);
  const Model loaded = load_model(path);
  CHECK(loaded.tensors.at(0)->keys.derivatives == "born");
  CHECK(loaded.tensors.at(0)->parts.at(0).derivatives_sigma() == with.model.tensors.at(0)->parts.at(0).derivatives_sigma());
  check_close(slope_errors(loaded, test).slopes, better.slopes, 1e-12);
}

TEST_CASE("Derivatives alone are labels enough, of molecules and of cells, and only such files have the newer format") {
  TemporaryFolder folder;
  folder.write("test.xyz", bent_molecules(20, 1000, {}));
  const std::vector<Structure> test = read_extxyz((folder.path() / "test.xyz").string());
  for (const bool cell : {false, true}) {
    CAPTURE(cell);
    folder.write("train.xyz", bent_molecules(15, 1, {false, true, cell, 0}));
    const FitResult fitted = fit(slope_options(folder, slope_tensor + slope_term));
    CHECK(fitted.report.tensors.at(0).rows == 0);
    CHECK(fitted.report.tensors.at(0).left_out == 0);
    CHECK(fitted.model.tensors.at(0)->parts.at(0).sigma() == 0);
    const SlopeErrors errors = slope_errors(fitted.model, test);
    CHECK(errors.slopes < 0.1);
    CHECK(errors.values < 0.1);
    const auto path = folder.path() / "model.h5";
    save_model(fitted.model, path);
    CHECK(format_of(path) == 15);
    check_close(slope_errors(load_model(path), test).slopes, errors.slopes, 1e-12);
  }
}

TEST_CASE("Derivatives of symmetric matrices have 18 or 27 numbers for each atom") {
  Structure s;
  s.atomic_numbers = {1};
  s.positions = Positions::Zero(1, 3);
  const TensorKeys keys = {.name = "a", .key = "a", .kind = "symmetric", .target = "sum", .units = "", .origin = "", .derivatives = "d"};
  std::vector<double> six, nine;
  for (int direction = 0; direction < 3; ++direction) {
    for (int k = 1; k <= 6; ++k) six.push_back(k + 10 * direction);
    for (const int k : {1, 6, 5, 6, 2, 4, 5, 4, 3}) nine.push_back(k + 10 * direction);
  }
  s.set_column("d", 18, six);
  const Matrix found = *read_tensor_derivatives(s, keys);
  s.set_column("d", 27, nine);
  CHECK(largest_difference(found, *read_tensor_derivatives(s, keys)) == 0);
  CHECK(found(2, 1) == 26);
  s.set_column("d", 3, std::vector<double>{1, 2, 3});
  CHECK(contains(message_of<InputError>([&] { read_tensor_derivatives(s, keys); }), "expected 9 numbers"));
  s.set_column("d", 4, std::vector<double>{1, 2, 3, 4});
  CHECK(contains(message_of<InputError>([&] { read_tensor_derivatives(s, keys); }), "3 times"));
}

TEST_CASE("Derivatives that cannot be fitted are refused or warned of") {
  TemporaryFolder folder;
  folder.write("train.xyz", bent_molecules(6, 5, {}));
  const auto complaint = [&](const std::string& tensors) { return message_of<InputError>([&] { fit(slope_options(folder, tensors)); }); };
  CHECK(contains(complaint("[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\nderivatives = \"other\"\n" + slope_term),
                 "none of the 6 training frames has the column 'other'"));
  CHECK(contains(complaint("[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\ntarget = \"atom\"\nderivatives = \"born\"\n" + slope_term),
                 "'derivatives' goes with"));
  CHECK(contains(complaint("[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\nderivatives_sigma = 0.1\n" + slope_term),
                 "'derivatives_sigma' goes with"));
  CHECK(contains(complaint("[[tensor]]\nname = \"dipole\"\nkind = \"scalar\"\nkey = \"energy\"\nderivatives = \"born\"\n" + slope_term),
                 "one number"));
  CHECK(contains(complaint(slope_tensor + slope_term + "[optimize]\nobjective = \"vfe\"\n"), "does not go with 'derivatives'"));
  folder.write("train.xyz", bent_molecules(6, 5, {true, true, false, 0.5}));
  std::string warnings;
  fit(slope_options(folder, slope_tensor + slope_term), [&](const ProgressEvent& event) {
    if (event.is_warning) warnings += event.message;
  });
  CHECK(contains(warnings, "the derivatives of all atoms sum to"));
}

TEST_CASE("A configuration with derivatives that is written out reads back") {
  TemporaryFolder folder;
  folder.write("train.xyz", bent_molecules(4, 5, {}));
  const FitConfiguration options = slope_options(folder, slope_tensor + "derivatives_sigma = 0.02\n" + slope_term);
  const FitConfiguration again = parse_fit_options(fit_options_to_toml(options), "again.toml", folder.path());
  CHECK(again.tensors.at(0).keys.derivatives == "born");
  CHECK(again.tensors.at(0).derivatives_sigma == 0.02);
}

TEST_CASE("Appended frames give tensors the dense solution for all frames, with their derivatives") {
  TemporaryFolder folder;
  const std::string first = bent_molecules(8, 1, {}), more = bent_molecules(7, 700, {});
  folder.write("train.xyz", first);
  folder.write("more.xyz", more);
  folder.write("all.xyz", first + more);
  FitConfiguration options = slope_options(
      folder, slope_tensor + "optimize = false\nsigma = 0.02\nderivatives_sigma = 0.05\n" + slope_term + "[output]\nstatistics = true\n");
  FitResult part = fit(options);
  REQUIRE(part.statistics);
  const double scale = part.model.tensors.at(0)->parts.at(0).scale;
  FittedModel fitted{std::move(part.model), std::move(*part.statistics)};
  append(fitted, FileDataset({(folder.path() / "more.xyz").string()}, {}));
  const FittedTensor& tensor = *fitted.model.tensors.at(0);
  const TensorPart& found = tensor.parts.at(0);
  CHECK(found.scale == scale);
  TensorKernel kernel(tensor.terms, "sum", 1, found.delta);
  kernel.prepare_derivative_rows(tensor.terms);
  const Eigen::Index m = kernel.columns();
  Eigen::MatrixXd precision = Eigen::MatrixXd::Zero(m, m);
  for (std::size_t t = 0; t < tensor.terms.size(); ++t) {
    const Matrix& l = found.factor.blocks()[t];
    precision.block(kernel.offsets()[t], kernel.offsets()[t], l.rows(), l.rows()) = l * l.transpose();
  }
  Eigen::VectorXd moment = Eigen::VectorXd::Zero(m);
  const auto add = [&](const Matrix& rows, const Matrix& label, double noise) {
    const Matrix t = label * vector_map().transpose();
    precision += rows.transpose() * rows / (noise * noise);
    moment += rows.transpose() * Eigen::Map<const Vector>(t.data(), t.size()) / (noise * noise);
  };
  for (const Structure& s : read_extxyz((folder.path() / "all.xyz").string())) {
    const StructureEnvironments neighbors(s, tensor.cutoff());
    std::vector<TensorEnvironments> environments;
    for (const TensorTerm& term : tensor.terms) environments.push_back(tensor_environments(term, neighbors.view()));
    add(kernel.rows(environments, 3), *read_tensor(s, tensor.keys), 0.02 * std::sqrt(3.0));
    add(kernel.derivative_rows(neighbors.view(), environments, 3), *read_tensor_derivatives(s, tensor.keys), 0.05);
  }
  const Vector weights = precision.llt().solve(moment);
  const Structure s = read_extxyz((folder.path() / "all.xyz").string()).at(3);
  const StructureEnvironments neighbors(s, tensor.cutoff());
  std::vector<TensorEnvironments> environments;
  for (const TensorTerm& term : tensor.terms) environments.push_back(tensor_environments(term, neighbors.view()));
  const Matrix rows = kernel.rows(environments, 3);
  CHECK(largest_difference(Vector(rows * found.weights), Vector(rows * weights)) <= 1e-6 * largest_entry(rows * weights));
}

TEST_CASE("Evidence of a continued tensor fit is that of the whole fit") {
  TemporaryFolder folder;
  const std::string first = bent_molecules(8, 1, {});
  folder.write("train.xyz", first);
  const FitResult fitted =
      fit(slope_options(folder, slope_tensor + "optimize = false\nsigma = 0.02\nderivatives_sigma = 0.05\n" + slope_term));
  Model model = fitted.model;
  folder.write("more.xyz", bent_molecules(1, 5, {}));
  append_tensors(model, FileDataset({(folder.path() / "more.xyz").string()}, {}), {});
  TensorPart more = model.tensors.at(0)->parts.at(0);
  // log p(all) = log p(first) + log p(frame | first).
  const TensorPart& before = fitted.model.tensors.at(0)->parts.at(0);
  const FittedTensor& tensor = *fitted.model.tensors.at(0);
  TensorKernel kernel(tensor.terms, "sum", 1, before.delta);
  kernel.prepare_derivative_rows(tensor.terms);
  const Structure s = read_extxyz((folder.path() / "more.xyz").string()).at(0);
  const StructureEnvironments neighbors(s, tensor.cutoff());
  std::vector<TensorEnvironments> environments;
  for (const TensorTerm& term : tensor.terms) environments.push_back(tensor_environments(term, neighbors.view()));
  Matrix rows(30, kernel.columns());
  rows << kernel.rows(environments, 3), kernel.derivative_rows(neighbors.view(), environments, 3);
  const Matrix label = *read_tensor(s, tensor.keys) * vector_map().transpose(),
               slopes = *read_tensor_derivatives(s, tensor.keys) * vector_map().transpose();
  Vector y(30), noise(30);
  y << Eigen::Map<const Vector>(label.data(), 3), Eigen::Map<const Vector>(slopes.data(), 27);
  noise << Vector::Constant(3, 0.02 * 0.02 * 3), Vector::Constant(27, 0.05 * 0.05);
  before.factor.whiten(rows);
  Matrix solved = rows;
  solve_lower_rows(before.posterior.factor, solved);
  Eigen::MatrixXd covariance = solved * solved.transpose();
  covariance.diagonal() += noise;
  const Vector e = y - rows * before.posterior.mean;
  const Eigen::LLT<Eigen::MatrixXd> inverse(covariance);
  const double log_p =
      -0.5 * e.dot(inverse.solve(e)) - inverse.matrixLLT().diagonal().array().log().sum() - 15 * std::log(2 * std::numbers::pi);
  check_close(more.posterior.log_evidence - before.posterior.log_evidence, log_p, 1e-6 * std::abs(before.posterior.log_evidence));
}
