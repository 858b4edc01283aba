#include "support/support.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/distributions.hpp"

namespace gapkit::test {
namespace {

namespace fs = std::filesystem;

/// `name` in the folder of shared data; empty if it does not exist.
fs::path shared_folder(const fs::path& name) {
  const char* named = std::getenv("GAPKIT_SHARED");
  const fs::path folder = (named && *named ? fs::path(named) : source_folder().parent_path() / "shared") / name;
  std::error_code ignored;
  return fs::is_directory(folder, ignored) ? folder : fs::path();
}

/// Right-handed, its angles between about 60° and 120°.
Matrix3 random_cell(double volume, std::mt19937& random) {
  Uniform uniform(-0.25, 0.25);
  for (;;) {
    Matrix3 cell = Matrix3::Identity();
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) cell(row, column) += uniform(random);
    const double determinant = cell.determinant();
    if (determinant > 0.5) return cell * std::cbrt(volume / determinant);
  }
}

/// Shortest distance between a and the images of b within `range` cells; of b = a, between two images of a.
double image_distance(const Vector3& a, const Vector3& b, const Matrix3& cell, bool same, int range = 2) {
  double shortest = std::numeric_limits<double>::infinity();
  for (int x = -range; x <= range; ++x)
    for (int y = -range; y <= range; ++y)
      for (int z = -range; z <= range; ++z)
        if (!same || x != 0 || y != 0 || z != 0) shortest = std::min(shortest, (b - a + cell.transpose() * Vector3(x, y, z)).norm());
  return shortest;
}

/// Removes energies, forces and virials, which are wrong for other positions.
void remove_targets(Structure& structure) {
  structure.energy.reset();
  structure.forces.reset();
  structure.virial.reset();
}

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TemporaryFolder::TemporaryFolder() {
  static std::atomic<unsigned> counter = 0;
  std::random_device random;
  do {
    path_ = fs::temp_directory_path() / ("gapkit_test_" + std::to_string(random()) + "_" + std::to_string(counter++));
  } while (!fs::create_directory(path_));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryFolder::write(const std::string& name, const std::string& text) const {
  const fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
  return file;
}

Structure random_triclinic(int atoms, unsigned seed, const std::vector<int>& elements) {
  if (atoms < 1 || elements.empty()) throw std::invalid_argument("random_triclinic: expected at least one atom and one element");
  constexpr double volume_per_atom = 15.0, smallest_distance = 1.6;
  std::mt19937 random(seed);
  Uniform uniform(0, 1);

  Structure structure;
  structure.pbc = {true, true, true};
  structure.positions.resize(atoms, 3);
  Matrix3 cell;
  do {
    cell = random_cell(volume_per_atom * atoms, random);
  } while (image_distance(Vector3::Zero(), Vector3::Zero(), cell, true) < smallest_distance);
  structure.cell = cell;
  const Matrix3 inverse = cell.inverse();
  // In a cell thicker than twice the distance only the image nearest in fractional coordinates can be too close.
  const bool thick = inverse.colwise().norm().maxCoeff() < 1 / (2.1 * smallest_distance);
  for (int i = 0; i < atoms;) {
    Vector3 fractional;
    for (double& f : fractional) f = uniform(random);
    const Vector3 trial = cell.transpose() * fractional;
    bool free = true;
    for (int j = 0; j < i && free; ++j) {
      const Vector3 other = structure.positions.row(j).transpose();
      const Vector3 turns = (inverse.transpose() * (trial - other)).array().round();
      free = image_distance(other, trial - cell.transpose() * turns, cell, false, thick ? 0 : 2) >= smallest_distance;
    }
    if (free) structure.positions.row(i++) = trial.transpose();
  }

  for (int i = 0; i < atoms; ++i) {
    const std::size_t at_random = random() % elements.size(), in_turn = static_cast<std::size_t>(i);
    structure.atomic_numbers.push_back(in_turn < elements.size() ? elements[in_turn] : elements[at_random]);
  }
  shuffle(structure.atomic_numbers, random);
  return structure;
}

Structure deformed(const Structure& structure, const Matrix3& deformation) {
  Structure result = structure;
  result.positions = (structure.positions * deformation).eval();
  if (structure.cell) result.cell = Matrix3(*structure.cell * deformation);
  remove_targets(result);
  return result;
}

Structure rotated(const Structure& structure, unsigned seed) {
  std::mt19937 random(seed);
  Normal normal;
  const double w = normal(random), x = normal(random), y = normal(random), z = normal(random);
  const Matrix3 rotation = Eigen::Quaterniond(w, x, y, z).normalized().toRotationMatrix();
  Structure result = deformed(structure, rotation);
  result.energy = structure.energy;
  if (structure.forces) result.forces = Positions(*structure.forces * rotation);
  if (structure.virial) result.virial = Matrix3(rotation.transpose() * *structure.virial * rotation);
  return result;
}

Structure supercell(const Structure& structure, int n1, int n2, int n3) {
  if (!structure.cell || n1 < 1 || n2 < 1 || n3 < 1) throw std::invalid_argument("supercell: expected a cell and at least one copy");
  const int n = structure.size(), copies = n1 * n2 * n3;
  Structure result;
  result.pbc = structure.pbc;
  result.cell = Matrix3(Vector3(n1, n2, n3).asDiagonal() * *structure.cell);
  result.config_type = structure.config_type;
  result.positions.resize(n * copies, 3);
  if (structure.energy) result.energy = copies * *structure.energy;
  if (structure.virial) result.virial = Matrix3(copies * *structure.virial);
  if (structure.forces) result.forces = Positions(structure.forces->replicate(copies, 1));
  int copy = 0;
  for (int i = 0; i < n1; ++i)
    for (int j = 0; j < n2; ++j)
      for (int k = 0; k < n3; ++k, ++copy) {
        const Eigen::RowVector3d origin = Eigen::RowVector3d(i, j, k) * *structure.cell;
        result.positions.middleRows(copy * n, n) = structure.positions.rowwise() + origin;
        result.atomic_numbers.insert(result.atomic_numbers.end(), structure.atomic_numbers.begin(), structure.atomic_numbers.end());
      }
  return result;
}

namespace {

// Filled before main, by the test cases of the program.
std::vector<std::string>& list_of_missing_data() {
  static std::vector<std::string> list;
  return list;
}

}  // namespace

bool is_missing(const fs::path& folder, const std::string& what) {
  if (!folder.empty()) return false;
  std::vector<std::string>& list = list_of_missing_data();
  if (std::find(list.begin(), list.end(), what) == list.end()) list.push_back(what);
  return true;
}

const std::vector<std::string>& missing_data() {
  return list_of_missing_data();
}

fs::path source_folder() {
  return fs::path(GAPKIT_SOURCE_DIR).lexically_normal();
}
fs::path reference_folder() {
  return shared_folder("reference");
}
fs::path public_data_folder() {
  return shared_folder(fs::path("data") / "public");
}

}  // namespace gapkit::test
