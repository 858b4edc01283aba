// Dipoles of learned charges and local vectors together.

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/predict/predictor.hpp>

#include "bent_molecules.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// LiH⁺ and F⁻ up to 9 Å apart, with charges that follow the bond, and a local dipole along it.
std::string ion_pairs(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::string text;
  for (int f = 0; f < count; ++f) {
    const double stretch = 0.2 * uniform(random);
    Structure s;
    s.atomic_numbers = {3, 1, 9};
    s.positions.resize(3, 3);
    s.positions << 0, 0, 0, 1.6 + stretch, 0, 0, -6 + 3 * uniform(random), uniform(random), uniform(random);
    s = rotated(s, seed + 100 * static_cast<unsigned>(f));
    const double of_hydrogen = 0.3 + 0.2 * stretch;
    const Vector3 charges(0.9 - of_hydrogen, of_hydrogen, -0.9), bond = (s.positions.row(1) - s.positions.row(0)).transpose();
    const Vector3 dipole = s.positions.transpose() * charges + 0.1 * bond;
    text += fmt::format("3\nProperties=species:S:1:pos:R:3:charge:R:1 energy={} dipole=\"{} {} {}\" pbc=\"F F F\"\n",
                        -10 + stretch * stretch, dipole[0], dipole[1], dipole[2]);
    const char* symbols[] = {"Li", "H", "F"};
    for (Eigen::Index i = 0; i < 3; ++i)
      text += fmt::format("{} {} {} {} {}\n", symbols[i], s.positions(i, 0), s.positions(i, 1), s.positions(i, 2), charges[i]);
  }
  return text;
}

const std::string energies_of_pairs = pair_energies("Li = -5.0, H = -0.5, F = -4.0") + R"([[property]]
name = "charge"
unit = "e"
[[property.term]]
descriptor = "soap"
cutoff = 3.0
n_max = 3
l_max = 2
atom_sigma = 0.5
kernel = "dot_product"
zeta = 2
delta = 0.3
n_sparse = 10
)";
const std::string vectors_of_pairs =
    "[[tensor]]\nname = \"dipole\"\nkind = \"vector\"\nunits = \"e*angstrom\"\nCHARGES[[tensor.term]]\ncutoff = 3.0\nn_max = 3\nl_max = "
    "2\nzeta = 2\nn_sparse = 10\n";

std::string with_charges(const std::string& line) {
  std::string text = vectors_of_pairs;
  return text.replace(text.find("CHARGES"), 7, line);
}

TensorPrediction dipole_of_pair(Predictor& predictor, const Structure& s) {
  PredictionRequest request;
  request.tensors = request.tensor_derivatives = true;
  return predictor.compute(s, request).tensors.at(0);
}

double relative_error_of_pairs(const Model& model, const std::vector<Structure>& frames) {
  Predictor predictor(std::make_shared<const Model>(model));
  double error = 0, spread = 0;
  for (const Structure& s : frames) {
    const TensorPrediction p = dipole_of_pair(predictor, s);
    error += (p.values - *read_tensor(s, p.keys)).squaredNorm();
    spread += read_tensor(s, p.keys)->squaredNorm();
  }
  return std::sqrt(error / spread);
}

}  // namespace

TEST_CASE("Charges carry the dipole of ions apart, which local vectors cannot, and the file keeps both") {
  TemporaryFolder folder;
  folder.write("train.xyz", ion_pairs(40, 1));
  folder.write("test.xyz", ion_pairs(20, 5000));
  const std::vector<Structure> test = read_extxyz((folder.path() / "test.xyz").string());
  const auto fitted = [&](const std::string& line) {
    return fit(parse_fit_options(energies_of_pairs + with_charges(line), "fit.toml", folder.path())).model;
  };
  const Model both = fitted("charges = \"charge\"\n");
  CHECK(relative_error_of_pairs(both, test) < 0.02);
  CHECK(relative_error_of_pairs(fitted(""), test) > 0.2);
  const auto path = folder.path() / "model.h5";
  save_model(both, path);
  CHECK(ArchiveReader(path, "gapkit-model", model_format_version).format_version() == 15);
  const Model loaded = load_model(path);
  CHECK(loaded.tensors.at(0)->keys.charges == "charge");
  Predictor predictor(std::make_shared<const Model>(both)), of_file(std::make_shared<const Model>(loaded));
  Structure s = test[0];
  const TensorPrediction found = dipole_of_pair(predictor, s);
  CHECK(largest_difference(found.values, dipole_of_pair(of_file, s).values) <= 1e-12);
  for (Eigen::Index k = 0; k < 3; ++k)
    for (Eigen::Index a = 0; a < 3; ++a) {
      const double before = s.positions(k, a), step = 1e-4;
      s.positions(k, a) = before + step;
      const Matrix above = dipole_of_pair(predictor, s).values;
      s.positions(k, a) = before - step;
      const Matrix slope = (above - dipole_of_pair(predictor, s).values) / (2 * step);
      s.positions(k, a) = before;
      CHECK(largest_difference(slope, Matrix(found.derivatives->row(k).segment(3 * a, 3))) <= 2e-5);
    }
  Structure moved = s;
  moved.positions.rowwise() += Eigen::RowVector3d(3, -2, 7);
  CHECK(largest_difference(dipole_of_pair(predictor, moved).values, found.values) <= 1e-8);
  s.cell = Matrix3(20 * Matrix3::Identity());
  s.pbc = {true, true, true};
  CHECK(contains(message_of<InputError>([&] { dipole_of_pair(predictor, s); }), "in a cell is not defined"));
}

TEST_CASE("Covariances of charges and vectors together turn with the structure and are those of unseen frames") {
  TemporaryFolder folder;
  folder.write("train.xyz", ion_pairs(40, 1));
  folder.write("test.xyz", ion_pairs(30, 5000));
  const Model both = fit(parse_fit_options(energies_of_pairs + with_charges("charges = \"charge\"\n"), "fit.toml", folder.path())).model;
  Predictor predictor(std::make_shared<const Model>(both));
  PredictionRequest request;
  request.tensors = request.tensor_covariance = true;
  const auto covariance = [&](const Structure& s, bool calibrated) {
    request.calibrated = calibrated;
    const Vector c = predictor.compute(s, request).tensors.at(0).covariance->row(0).transpose();
    return Matrix3(Eigen::Map<const Matrix3>(c.data()));
  };
  const std::vector<Structure> test = read_extxyz((folder.path() / "test.xyz").string());
  Matrix3 turn;
  turn << 0.36, 0.48, -0.8, -0.8, 0.6, 0, 0.48, 0.64, 0.6;
  Structure turned = test[0];
  turned.positions = (test[0].positions * turn.transpose()).eval();
  for (const bool calibrated : {false, true}) {
    const Matrix3 plain = covariance(test[0], calibrated);
    CHECK(largest_difference(covariance(turned, calibrated), Matrix3(turn * plain * turn.transpose())) <= 1e-6 * largest_entry(plain));
    CHECK(Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(plain).eigenvalues().minCoeff() > 0);
  }
  // Without the uncertainty of the charges the covariance is smaller.
  Model vectors_alone = both;
  auto copy = std::make_shared<FittedTensor>(*both.tensors.at(0));
  copy->keys.charges = "";
  vectors_alone.tensors = {copy};
  Predictor of_vectors(std::make_shared<const Model>(vectors_alone));
  const Matrix alone = *of_vectors.compute(test[0], request).tensors.at(0).covariance;
  CHECK(covariance(test[0], true).trace() > alone(0, 0) + alone(0, 4) + alone(0, 8));
}

TEST_CASE("Charges of tensors that do not exist or have another unit are refused") {
  TemporaryFolder folder;
  folder.write("train.xyz", ion_pairs(8, 1));
  const auto complaint = [&](const std::string& text) {
    return message_of<InputError>([&] { fit(parse_fit_options(energies_of_pairs + text, "fit.toml", folder.path())); });
  };
  CHECK(contains(complaint(with_charges("charges = \"charges\"\n")), "expected the name of a [[property]]: charge"));
  CHECK(contains(complaint(with_charges("charges = \"charge\"\ntarget = \"mean\"\n")), "'charges' goes with"));
  std::string debye = with_charges("charges = \"charge\"\n");
  debye.replace(debye.find("e*angstrom"), 10, "debye");
  CHECK(contains(complaint(debye), "do not have the unit 'debye'"));
}
