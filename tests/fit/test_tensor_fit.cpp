// [[tensor]] from configuration and files to a loaded model.

#include <fmt/format.h>

#include <Eigen/LU>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/predict/predictor.hpp>

#include "bent_molecules.hpp"
#include "fit/leave_one_out.hpp"
#include "fit/tensor_fit.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Bent triatomic molecules with dipoles and matrices that point charges and bonds give, and a harmonic energy.
std::string molecules(int count, unsigned seed, const std::string& more = "", double antisymmetric = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::string text;
  for (int f = 0; f < count; ++f) {
    const Structure s = bent_molecule(random, normal, seed + 100 * static_cast<unsigned>(f));
    Vector3 dipole = Vector3::Zero();
    Matrix3 matrix = Matrix3::Zero();
    double energy = -10;
    for (Eigen::Index h = 1; h < 3; ++h) {
      const Vector3 bond = (s.positions.row(h) - s.positions.row(0)).transpose();
      const double stretch = bond.norm() - 0.96;
      energy += 10 * stretch * stretch;
      dipole += (0.3 - 0.2 * stretch) * bond;
      matrix += (1 + stretch) * bond * bond.transpose() + 0.5 * Matrix3::Identity();
    }
    matrix(0, 1) += antisymmetric;
    text +=
        fmt::format("3\nProperties=species:S:1:pos:R:3 energy={} dipole=\"{} {} {}\" alpha=\"", energy, dipole[0], dipole[1], dipole[2]);
    for (Eigen::Index i = 0; i < 9; ++i) text += fmt::format("{}{}", i > 0 ? " " : "", matrix.data()[i]);
    text += fmt::format("\" pbc=\"F F F\" {}\n", more);
    const char* symbols[] = {"O", "H", "H"};
    for (Eigen::Index i = 0; i < 3; ++i)
      text += fmt::format("{} {} {} {}\n", symbols[i], s.positions(i, 0), s.positions(i, 1), s.positions(i, 2));
  }
  return text;
}

std::string configuration(const std::string& tensors) {
  return pair_energies("O = -9.0, H = -0.5") + R"([calibration]
source = "leave_one_out"
)" + tensors;
}

const std::string term = "[[tensor.term]]\ncutoff = 3.0\nn_max = 4\nl_max = 3\nzeta = 2\n";
const std::string dipole = "[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\nunits = \"e*angstrom\"\n";
const std::string alpha = "[[tensor]]\nname = \"alpha\"\nkind = \"symmetric\"\n";

FitConfiguration options_for(const TemporaryFolder& folder, const std::string& tensors) {
  return parse_fit_options(configuration(tensors), "fit.toml", folder.path());
}

double square_error(const TensorPrediction& p, const Structure& s) {
  return (p.values - *read_tensor(s, p.keys)).squaredNorm();
}

}  // namespace

TEST_CASE("A fit of dipoles and matrices predicts new frames, with covariances that hold, and its file gives the same") {
  TemporaryFolder folder;
  folder.write("train.xyz", molecules(80, 1));
  const FitConfiguration options = options_for(folder, dipole + term + alpha + term);
  const FitResult fitted = fit(options);
  REQUIRE(fitted.report.tensors.size() == 3);
  for (const TensorReport& report : fitted.report.tensors) {
    CAPTURE(report.lambda);
    CHECK(report.frames == 80);
    CHECK(report.columns == (2 * report.lambda + 1) * 40);
    CHECK(report.left_out == 80);
    CHECK(report.sigma > 0);
  }
  const auto path = folder.path() / "model.h5";
  save_model(fitted.model, path);
  const auto model = std::make_shared<const Model>(fitted.model), loaded = std::make_shared<const Model>(load_model(path));
  PredictionRequest request;
  request.tensors = request.tensor_covariance = true;
  Predictor predictor(model), of_file(loaded);
  folder.write("test.xyz", molecules(40, 1000));
  double error[2] = {0, 0}, spread[2] = {0, 0}, distance = 0;
  const std::vector<Structure> frames = read_extxyz((folder.path() / "test.xyz").string());
  for (const Structure& s : frames) {
    const Prediction found = predictor.compute(s, request), again = of_file.compute(s, request);
    REQUIRE(found.tensors.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(largest_difference(found.tensors[k].values, again.tensors[k].values) <= 1e-12);
      CHECK(largest_difference(*found.tensors[k].covariance, *again.tensors[k].covariance) <= 1e-12);
      CHECK(found.tensors[k].is_calibrated);
      error[k] += square_error(found.tensors[k], s);
      spread[k] += read_tensor(s, found.tensors[k].keys)->squaredNorm();
    }
    const Vector3 e = (found.tensors[0].values - *read_tensor(s, found.tensors[0].keys)).transpose();
    const Vector c = found.tensors[0].covariance->row(0).transpose();
    distance += e.dot(Eigen::Map<const Matrix3>(c.data()).inverse() * e) / 3 / static_cast<double>(frames.size());
  }
  CHECK(std::sqrt(error[0] / spread[0]) < 0.02);
  CHECK(std::sqrt(error[1] / spread[1]) < 0.02);
  CHECK(distance > 0.4);
  CHECK(distance < 2.5);
}

TEST_CASE("The factors of error bars of tensors come from the left-out frames, and the file keeps them") {
  TemporaryFolder folder;
  folder.write("train.xyz", molecules(120, 1));
  const FitResult fitted = fit(options_for(folder, dipole + term + "n_sparse = 20\n"));
  const TensorPart part = fitted.model.tensors.at(0)->parts.at(0);
  CHECK(part.left_out == 120);
  CHECK(part.scale > 0);
  CHECK(part.noise_scale > 0);
  CHECK(part.noise_scale != part.scale);
  const auto path = folder.path() / "model.h5";
  save_model(fitted.model, path);
  const Model loaded = load_model(path);
  const TensorPart& again = loaded.tensors.at(0)->parts.at(0);
  CHECK(again.scale == part.scale);
  CHECK(again.noise_scale == part.noise_scale);
}

TEST_CASE("Tensors that are means are fitted like sums of them") {
  TemporaryFolder folder;
  folder.write("train.xyz", molecules(20, 3));
  const FitResult sum = fit(options_for(folder, dipole + "optimize = false\nsigma = 0.003\n" + term));
  std::string text = molecules(20, 3);
  const FitResult mean = [&] {
    std::string scaled;  // a mean of three atoms is a third of the sum
    for (Structure s : read_extxyz((folder.path() / "train.xyz").string())) {
      const auto v = std::get<std::vector<double>>(s.find_field("dipole")->value);
      s.set_field("dipole", std::vector<double>{v[0] / 3, v[1] / 3, v[2] / 3});
      const auto file = folder.path() / "one.xyz";
      {
        ExtxyzWriter writer(file.string());
        writer.write(s);
        writer.commit();
      }
      scaled += read_text(file);
    }
    folder.write("train.xyz", scaled);
    return fit(options_for(folder, dipole + "target = \"mean\"\noptimize = false\nsigma = 0.003\n" + term));
  }();
  const TensorPart &a = sum.model.tensors[0]->parts[0], &b = mean.model.tensors[0]->parts[0];
  CHECK(largest_difference(a.weights, b.weights) <= 1e-6 * largest_entry(a.weights));
  check_close(a.scale, b.scale, 0, 1e-6);
}

TEST_CASE("Configurations and labels of tensors that cannot be fitted are refused with a reason") {
  TemporaryFolder folder;
  folder.write("train.xyz", molecules(10, 5));
  const auto complaint = [&](const std::string& tensors) { return message_of<InputError>([&] { fit(options_for(folder, tensors)); }); };
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(has(complaint("[[tensor]]\nname = \"x\"\n" + term), "'kind' is missing"));
  CHECK(has(complaint("[[tensor]]\nname = \"forces_x\"\nkind = \"vector\"\n" + term), "expected another name"));
  CHECK(has(complaint(dipole), "no [[tensor.term]] follows"));
  CHECK(has(complaint(dipole + term + dipole + term), "a name of its own"));
  CHECK(has(complaint(dipole + term + "compression = \"pca\"\nrank = 10\n"), "'compression' or 'channels'"));
  CHECK(has(complaint(dipole + "key = \"mu\"\n" + term), "none of the 10 training frames has the key 'mu'"));
  CHECK(has(complaint("[[tensor]]\nname = \"dipole\"\nkind = \"symmetric\"\n" + term), "3 numbers, expected 9 numbers"));
  CHECK(has(complaint(dipole + "[[tensor.term]]\ncutoff = 3.0\nn_max = 4\nl_max = 0\nzeta = 2\n"), "raise l_max"));
  folder.write("train.xyz", molecules(10, 5, "charge=1"));
  CHECK(has(complaint(dipole + term), "origin = \"mass\""));
  CHECK(complaint(dipole + "origin = \"mass\"\n" + term).empty());
  folder.write("train.xyz", molecules(10, 5, "", 0.1));
  CHECK(has(complaint(alpha + term), "antisymmetric part"));
  folder.write(
      "train.xyz",
      molecules(10, 5) + "3\nProperties=species:S:1:pos:R:3 energy=-10 dipole=\"nan 0 0\" pbc=\"F F F\"\nO 0 0 0\nH 1 0 0\nH 0 1 0\n");
  CHECK(has(complaint(dipole + term), "not finite"));
}

TEST_CASE("A tensor configuration that is written out reads back to the same tensors") {
  TemporaryFolder folder;
  folder.write("train.xyz", molecules(4, 5));
  const FitConfiguration options =
      options_for(folder, dipole + "origin = \"mass\"\n" + term + alpha + "sigma = 0.5\n" + term + "n_sparse = 7\n");
  const std::string text = fit_options_to_toml(options);
  const FitConfiguration again = parse_fit_options(text, "again.toml", folder.path());
  CHECK(fit_options_to_toml(again) == text);
  REQUIRE(again.tensors.size() == 2);
  CHECK(again.tensors[0].keys.origin == "mass");
  CHECK(again.tensors[0].terms[0].n_sparse == 0);
  CHECK(again.tensors[1].terms[0].n_sparse == 7);
  CHECK(again.tensors[1].sigma == 0.5);
}

TEST_CASE("Periodic dipoles that jump by a quantum, and more columns than rows, are warned of") {
  TemporaryFolder folder;
  std::string text = molecules(10, 5);
  std::vector<Structure> frames;
  folder.write("train.xyz", text);
  std::string warnings;
  const auto collect = [&](const ProgressEvent& event) {
    if (event.is_warning) warnings += event.message + "\n";
  };
  fit(options_for(folder, dipole + term + "n_sparse = 12\n"), collect);
  CHECK(warnings.find("more columns") != std::string::npos);
  CHECK(warnings.find("branches") == std::string::npos);
  std::string periodic;
  int number = 0;
  for (Structure s : read_extxyz((folder.path() / "train.xyz").string())) {
    s.cell = Matrix3(10 * Matrix3::Identity());
    s.pbc = {true, true, true};
    auto v = std::get<std::vector<double>>(s.find_field("dipole")->value);
    if (number++ == 4) v[1] += 10;
    s.set_field("dipole", v);
    const auto file = folder.path() / "one.xyz";
    ExtxyzWriter writer(file.string());
    writer.write(s);
    writer.commit();
    periodic += read_text(file);
  }
  folder.write("train.xyz", periodic);
  fit(options_for(folder, dipole + term), collect);
  CHECK(warnings.find("branches") != std::string::npos);
}

TEST_CASE("Left-out covariances have the left-out variances on their diagonals") {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  const auto fill = [&](Eigen::Index rows, Eigen::Index cols) {
    Matrix m(rows, cols);
    for (Eigen::Index i = 0; i < m.size(); ++i) m.data()[i] = normal(random);
    return m;
  };
  const Matrix of_points = fill(6, 9), rows = fill(20, 6);
  Matrix k = of_points * of_points.transpose(), a = Matrix::Identity(6, 6) + rows.transpose() * rows;
  REQUIRE(cholesky(k));
  REQUIRE(cholesky(a));
  const SparseFactor factor({k}, {0.0});
  Posterior posterior;
  posterior.factor = a;
  posterior.mean = fill(6, 1);
  WeightedRows left_out;
  left_out.rows = rows.topRows(3);
  left_out.target = fill(3, 1);
  left_out.own_points = {1, 4};
  left_out.wants_covariances = true;
  const auto found = LeaveOneOut(factor, posterior).without(left_out, 1e-12);
  REQUIRE(found);
  CHECK(largest_difference(Vector(found->data_covariance.diagonal()), found->data) <= 1e-10);
  CHECK(largest_difference(Vector(found->own_covariance.diagonal()), found->own) <= 1e-10);
  CHECK(largest_difference(found->data_covariance, Matrix(found->data_covariance.transpose())) <= 1e-10);
}

TEST_CASE("Evidence and VFE find the noise of the labels of tensors") {
  TemporaryFolder folder;
  folder.write("clean.xyz", molecules(12, 9));
  std::mt19937 random(2);
  std::normal_distribution<double> normal;
  ExtxyzWriter writer((folder.path() / "train.xyz").string());
  for (Structure s : read_extxyz((folder.path() / "clean.xyz").string())) {
    auto v = std::get<std::vector<double>>(s.find_field("dipole")->value);
    for (double& x : v) x += 0.05 * normal(random);
    s.set_field("dipole", v);
    writer.write(s);
  }
  writer.commit();
  const auto sigma = [&](const std::string& more) {
    return fit(options_for(folder, dipole + term + "n_sparse = 2\n" + more)).report.tensors.at(0).sigma * std::sqrt(3.0);
  };
  const double by_evidence = sigma(""), by_bound = sigma("[optimize]\nobjective = \"vfe\"\n");
  // The noise of the labels, for each by another way.
  for (const double found : {by_evidence, by_bound}) {
    CHECK(found > 0.025);
    CHECK(found < 0.15);
  }
  CHECK(std::abs(by_bound - by_evidence) > 1e-3 * by_evidence);
}
