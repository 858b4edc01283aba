#include "c/c_support.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace gapkit::test {

Handle handle_of(const Model& model) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "model.h5").string();
  save_model(model, path);
  gapkit_model* loaded = nullptr;
  if (gapkit_load(path.c_str(), GAPKIT_INTERFACE, &loaded) != GAPKIT_OK) throw std::runtime_error(gapkit_error_message());
  return Handle(loaded);
}

const std::vector<ToyModel>& c_models() {
  static const std::vector<ToyModel> models = [] {
    std::vector<ToyModel> result;
    for (const std::vector<int>& elements : {std::vector<int>{14}, std::vector<int>{6, 14}})
      result.push_back({"symmetry functions and ntk", elements, false, false, network_model(elements)});
    for (const ToyModel& toy : toy_models()) {
      if (toy.label.starts_with("soap zeta 1") || toy.label.starts_with("soap zeta 2.0")) continue;
      result.push_back(toy);
      if (!toy.label.starts_with("two_body, compact")) continue;
      Model with_baseline = *toy.model;
      Parameters parameters = make_potential("zbl")->parameters();
      parameters.set("outer", 2.5);  // within the distances of the tests
      with_baseline.baselines = {make_potential("zbl", parameters)};
      result.back().label += " and zbl";
      result.back().model = std::make_shared<const Model>(std::move(with_baseline));
    }
    return result;
  }();
  return models;
}

Results::Results(int atoms)
    : atom_energies(atoms),
      atom_energies_std_epistemic(atoms),
      forces(atoms, 3),
      forces_std(atoms, 3),
      forces_std_epistemic(atoms, 3),
      atom_virials(static_cast<std::size_t>(atoms)) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double* one : {&energy, &energy_std, &energy_std_epistemic, &distance_ratio}) *one = nan;
  for (Vector* some : {&atom_energies, &atom_energies_std_epistemic}) some->setConstant(nan);
  for (Positions* some : {&forces, &forces_std, &forces_std_epistemic}) some->setConstant(nan);
  for (Matrix3* some : {&virial, &virial_std, &virial_std_epistemic}) some->setConstant(nan);
  for (Matrix3& one : atom_virials) one.setConstant(nan);
}

gapkit_results Results::mean() {
  gapkit_results r{};
  r.size = sizeof r;
  r.energy = &energy;
  r.atom_energies = atom_energies.data();
  r.forces = forces.data();
  r.virial = virial.data();
  r.atom_virials = atom_virials.empty() ? nullptr : atom_virials[0].data();
  r.distance_ratio = &distance_ratio;
  return r;
}

gapkit_results Results::all() {
  gapkit_results r = mean();
  r.energy_std = &energy_std;
  r.forces_std = forces_std.data();
  r.virial_std = virial_std.data();
  r.energy_std_epistemic = &energy_std_epistemic;
  r.forces_std_epistemic = forces_std_epistemic.data();
  r.virial_std_epistemic = virial_std_epistemic.data();
  r.atom_energies_std_epistemic = atom_energies_std_epistemic.data();
  return r;
}

gapkit_structure c_structure(const Structure& structure, std::array<int, 3>& pbc) {
  for (std::size_t d = 0; d < 3; ++d) pbc[d] = structure.pbc[d] ? 1 : 0;
  return {sizeof(gapkit_structure),
          structure.size(),
          structure.atomic_numbers.data(),
          structure.positions.data(),
          structure.cell ? structure.cell->data() : nullptr,
          pbc.data()};
}

void evaluate(const Handle& handle, const Structure& structure, const gapkit_results& results) {
  std::array<int, 3> pbc = {};
  const gapkit_structure given = c_structure(structure, pbc);
  if (gapkit_evaluate(handle.get(), &given, &results) != GAPKIT_OK) throw std::runtime_error(gapkit_error_message());
}

Ghosts::Ghosts(const Structure& structure, const std::vector<int>& wanted, double reach, double given_halo, unsigned seed)
    : list_cutoff(reach), halo(given_halo) {
  struct Atom {
    int original;
    bool is_centre;
    Vector3 position;
  };
  std::vector<Atom> atoms;
  for (const int i : wanted) atoms.push_back({i, true, structure.positions.row(i).transpose()});
  const std::size_t count = atoms.size();
  const Matrix3 cell = structure.cell.value_or(Matrix3::Zero());
  std::array<int, 3> images = {0, 0, 0};
  for (int d = 0; d < 3; ++d)
    if (structure.cell && structure.pbc[static_cast<std::size_t>(d)]) {
      const Vector3 a = cell.row((d + 1) % 3), b = cell.row((d + 2) % 3);
      const Vector3 normal(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
      images[static_cast<std::size_t>(d)] = static_cast<int>(std::ceil(halo / (structure.volume() / normal.norm()))) + 1;
    }
  for (int x = -images[0]; x <= images[0]; ++x)
    for (int y = -images[1]; y <= images[1]; ++y)
      for (int z = -images[2]; z <= images[2]; ++z)
        for (int j = 0; j < structure.size(); ++j) {
          const bool is_home = x == 0 && y == 0 && z == 0;
          if (is_home && std::count(wanted.begin(), wanted.end(), j) > 0) continue;
          const Vector3 r = structure.positions.row(j).transpose() + cell.transpose() * Vector3(x, y, z);
          for (std::size_t c = 0; c < count; ++c)
            if ((r - atoms[c].position).norm() < halo) {
              atoms.push_back({j, false, r});
              break;
            }
        }
  if (seed != 0) std::shuffle(atoms.begin(), atoms.end(), std::mt19937(seed));
  positions.resize(static_cast<Eigen::Index>(atoms.size()), 3);
  std::vector<int> centre_of(static_cast<std::size_t>(structure.size()), -1);
  for (std::size_t k = 0; k < atoms.size(); ++k) {
    original.push_back(atoms[k].original);
    atomic_numbers.push_back(structure.atomic_numbers[static_cast<std::size_t>(atoms[k].original)]);
    positions.row(static_cast<Eigen::Index>(k)) = atoms[k].position.transpose();
    if (!atoms[k].is_centre) continue;
    centres.push_back(static_cast<int>(k));
    centre_of[static_cast<std::size_t>(atoms[k].original)] = static_cast<int>(k);
  }
  for (const int i : original) owners.push_back(centre_of[static_cast<std::size_t>(i)]);
  first.push_back(0);
  for (const int c : centres) {
    for (int j = 0; j < this->atoms(); ++j)
      if (j != c && (positions.row(j) - positions.row(c)).norm() < list_cutoff) neighbors.push_back(j);
    first.push_back(neighbors.size());
  }
}

gapkit_environments Ghosts::view() const {
  return {sizeof(gapkit_environments),
          static_cast<int>(centres.size()),
          atoms(),
          centres.data(),
          atomic_numbers.data(),
          positions.data(),
          first.data(),
          neighbors.data(),
          list_cutoff,
          owners.data(),
          halo};
}

Positions folded(const Ghosts& ghosts, const Positions& rows, int n) {
  Positions sum = Positions::Zero(n, 3);
  for (int k = 0; k < ghosts.atoms(); ++k) sum.row(ghosts.original[static_cast<std::size_t>(k)]) += rows.row(k);
  return sum;
}

std::vector<int> all_atoms(int n) {
  std::vector<int> result(static_cast<std::size_t>(n));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

}  // namespace gapkit::test
