#include "model.hpp"

#include <KIM_ComputeArgumentName.hpp>
#include <KIM_ModelComputeArguments.hpp>
#include <algorithm>
#include <cmath>

namespace gapkit_kim {
namespace {

void require(int code) {
  if (code != GAPKIT_OK) throw Failure(gapkit_error_message());
}

template <class T>
T* argument(const KIM::ModelComputeArguments& arguments, KIM::ComputeArgumentName name) {
  T* pointer = nullptr;
  if (arguments.GetArgumentPointer(name, &pointer)) throw Failure("the simulator does not give " + name.ToString());
  return pointer;
}

/// Six components of a symmetric matrix in the order and with the sign of the KIM API, dE/dstrain: xx yy zz yz xz xy.
void put_six(double* target, const double* matrix, double factor) {
  constexpr int order[6] = {0, 4, 8, 5, 2, 1};
  for (int k = 0; k < 6; ++k) target[k] = -factor * matrix[order[k]];
}

void scale(double* values, std::size_t count, double factor) {
  if (values != nullptr && factor != 1) std::for_each(values, values + count, [&](double& value) { value *= factor; });
}

}  // namespace

/// The simulator's arrays; null: not wanted.
struct Model::Wanted {
  double *energy, *atom_energies, *forces, *virial, *atom_virials;
};

Model::Model(const ModelFiles& files, double length_unit, double energy_unit) : length_unit_(length_unit), energy_unit_(energy_unit) {
  const std::string path = path_of_model(files);
  gapkit_model* loaded = nullptr;
  require(gapkit_load(path.c_str(), GAPKIT_INTERFACE, &loaded));
  model_.reset(loaded);
  if (gapkit_has_base(loaded))
    throw Failure("the model gives the difference from another one, " + std::string(gapkit_base(loaded)) +
                  ", which the KIM API cannot add: use it in a program that adds both");
  for (const auto& [symbol, number] : files.elements) {
    symbols_.resize(std::max(symbols_.size(), static_cast<std::size_t>(number) + 1));
    symbols_[static_cast<std::size_t>(number)] = symbol;
  }
  cutoff_ = gapkit_cutoff(loaded) * length_unit_;
  influence_distance_ = cutoff_;
  const SideFileRequest request = side_file_request();
  if (request.prefix.empty()) return;
  if (!gapkit_has_error_bars(loaded))
    throw Failure("GAPKIT_KIM_STD asks for error bars, and the portable model '" + files.name + "' has none");
  if (request.extrapolation && !gapkit_has_extrapolation(loaded))
    throw Failure("GAPKIT_KIM_STD_OF asks for extrapolation grades, and the portable model '" + files.name + "' has no thresholds");
  if (request.forces) influence_distance_ = 2 * cutoff_;  // error bars of forces need all environments that contain an atom
  side_file_.emplace(request, files.name);
}

gapkit_environments Model::environments(const KIM::ModelComputeArguments& arguments) {
  namespace Name = KIM::COMPUTE_ARGUMENT_NAME;
  const int n = *argument<const int>(arguments, Name::numberOfParticles);
  const int* is_contributing = argument<const int>(arguments, Name::particleContributing);
  const double* positions = argument<const double>(arguments, Name::coordinates);
  centres_.clear();
  neighbors_.clear();
  first_.assign(1, 0);
  for (int i = 0; i < n; ++i) {
    if (!is_contributing[i]) continue;
    int count = 0;
    const int* list = nullptr;
    if (arguments.GetNeighborList(0, i, &count, &list))
      throw Failure("the simulator does not give the neighbours of particle " + std::to_string(i));
    centres_.push_back(i);
    neighbors_.insert(neighbors_.end(), list, list + count);
    first_.push_back(neighbors_.size());
  }
  if (length_unit_ != 1) {
    positions_.assign(positions, positions + 3 * static_cast<std::size_t>(n));
    scale(positions_.data(), positions_.size(), 1 / length_unit_);
    positions = positions_.data();
  }
  gapkit_environments given = {};
  given.size = sizeof given;
  given.n_centres = static_cast<int>(centres_.size());
  given.n_atoms = n;
  given.centres = centres_.data();
  given.atomic_numbers = argument<const int>(arguments, Name::particleSpeciesCodes);
  given.positions = positions;
  given.first = first_.data();
  given.neighbors = neighbors_.data();
  given.list_cutoff = gapkit_cutoff(model_.get());
  given.halo = influence_distance_ / length_unit_;
  return given;
}

void Model::compute(const KIM::ModelComputeArguments& arguments) {
  namespace Name = KIM::COMPUTE_ARGUMENT_NAME;
  const std::lock_guard lock(mutex_);
  const gapkit_environments given = environments(arguments);
  const auto n = static_cast<std::size_t>(given.n_atoms);
  const Wanted wanted = {argument<double>(arguments, Name::partialEnergy), argument<double>(arguments, Name::partialParticleEnergy),
                         argument<double>(arguments, Name::partialForces), argument<double>(arguments, Name::partialVirial),
                         argument<double>(arguments, Name::partialParticleVirial)};
  gapkit_results results = {};
  results.size = sizeof results;
  results.energy = wanted.energy;
  results.atom_energies = wanted.atom_energies;
  results.forces = wanted.forces;
  if (wanted.virial != nullptr) {
    virial_.resize(9);
    results.virial = virial_.data();
  }
  if (wanted.atom_virials != nullptr) {
    atom_virials_.resize(std::max<std::size_t>(9 * n, 1));
    results.atom_virials = atom_virials_.data();
  }
  require(gapkit_evaluate_environments(model_.get(), &given, &results));
  convert(wanted, given.n_atoms);
  if (side_file_ && side_file_->is_wanted_now()) write_side_file(given);
}

void Model::convert(const Wanted& wanted, int atoms) const {
  const auto n = static_cast<std::size_t>(atoms);
  scale(wanted.energy, 1, energy_unit_);
  scale(wanted.atom_energies, n, energy_unit_);
  scale(wanted.forces, 3 * n, energy_unit_ / length_unit_);
  if (wanted.virial != nullptr) put_six(wanted.virial, virial_.data(), energy_unit_);
  if (wanted.atom_virials != nullptr)
    for (std::size_t i = 0; i < n; ++i) put_six(wanted.atom_virials + 6 * i, atom_virials_.data() + 9 * i, energy_unit_);
}

void Model::write_side_file(const gapkit_environments& atoms) {
  const auto n = static_cast<std::size_t>(atoms.n_atoms);
  SideResults side;
  side.energies.resize(n);
  side.energies_std.resize(n);
  gapkit_results results = {};
  results.size = sizeof results;
  results.atom_energies = side.energies.data();
  results.atom_energies_std_epistemic = side.energies_std.data();
  results.distance_ratio = &side.distance_ratio;
  if (side_file_->wants_forces()) {
    side.forces_std.resize(3 * n);
    side.forces_std_epistemic.resize(3 * n);
    results.forces_std = side.forces_std.data();
    results.forces_std_epistemic = side.forces_std_epistemic.data();
  }
  if (side_file_->wants_extrapolation()) {
    side.extrapolation.resize(n);
    results.extrapolation = side.extrapolation.data();
  }
  require(gapkit_evaluate_environments(model_.get(), &atoms, &results));
  side_file_->write(atoms, side, symbols_);
}

}  // namespace gapkit_kim
