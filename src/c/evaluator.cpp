#include "c/evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/potentials/atom_field.hpp>
#include <limits>

namespace gapkit::c {
namespace {

void put(double* target, const std::optional<double>& value) {
  if (target != nullptr) *target = value.value();
}

void put(double* target, const Matrix3& value) {
  if (target != nullptr) Eigen::Map<Matrix3>{target} = value;
}

void put(double* target, const std::optional<Voigt>& value) {
  if (target == nullptr) return;
  const Voigt& v = value.value();
  Matrix3 matrix;
  matrix << v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2];
  put(target, matrix);
}

// Rows of all atoms; `rows` are those of the centres in their order, other atoms get 0.
void put_of_centres(double* target, int atoms, std::span<const int> centres, const Positions& rows) {
  if (target == nullptr) return;
  Eigen::Map<Positions> all(target, atoms, 3);
  all.setZero();
  for (std::size_t c = 0; c < centres.size(); ++c) all.row(centres[c]) = rows.row(static_cast<Eigen::Index>(c));
}

bool wants_force_std(const gapkit_results& results) {
  return results.forces_std != nullptr || results.forces_std_epistemic != nullptr;
}

// All but error bars of forces.
void write(const Prediction& p, int atoms, const gapkit_results& results) {
  put(results.energy, p.energy);
  if (results.atom_energies != nullptr) Eigen::Map<Vector>(results.atom_energies, atoms) = p.local_energy;
  if (results.forces != nullptr) Eigen::Map<Positions>(results.forces, atoms, 3) = p.forces.value();
  if (results.virial != nullptr) put(results.virial, p.virial.value());
  if (results.atom_virials != nullptr)
    for (std::size_t i = 0; i < p.atom_virial.value().size(); ++i) put(results.atom_virials + 9 * i, (*p.atom_virial)[i]);
  put(results.energy_std, p.energy_std);
  put(results.energy_std_epistemic, p.energy_std_epistemic);
  put(results.virial_std, p.virial_std);
  put(results.virial_std_epistemic, p.virial_std_epistemic);
  if (results.atom_energies_std_epistemic != nullptr)
    Eigen::Map<Vector>(results.atom_energies_std_epistemic, atoms) = p.local_energy_std_epistemic.value();
  if (results.extrapolation != nullptr) Eigen::Map<Vector>(results.extrapolation, atoms) = p.extrapolation.value();
  put(results.distance_ratio, p.closeness.ratio.value_or(std::numeric_limits<double>::infinity()));
}

// Result without centres.
void write_zeros(int atoms, const gapkit_results& results) {
  const auto n = static_cast<std::size_t>(atoms);
  const auto zero = [](double* target, std::size_t count) {
    if (target != nullptr) std::fill_n(target, count, 0.0);
  };
  for (double* target : {results.energy, results.energy_std, results.energy_std_epistemic}) zero(target, 1);
  for (double* target : {results.virial, results.virial_std, results.virial_std_epistemic}) zero(target, 9);
  for (double* target : {results.atom_energies, results.atom_energies_std_epistemic, results.extrapolation}) zero(target, n);
  for (double* target : {results.forces, results.forces_std, results.forces_std_epistemic}) zero(target, 3 * n);
  zero(results.atom_virials, 9 * n);
  if (results.distance_ratio != nullptr) *results.distance_ratio = std::numeric_limits<double>::infinity();
}

// A potential that needs the whole structure; null if there is none.
const Potential* structure_level_part(const Model& model) {
  for (const PotentialPointer& p : model.baselines)
    if (p->needs_structure()) return p.get();
  return nullptr;
}

}  // namespace

Evaluator::Evaluator(std::shared_ptr<const Model> model) : model_(std::move(model)), base_(model_->base.text()), elements_(*model_) {
  predictor_ = std::make_unique<Predictor>(model_);
}

Evaluator::Evaluator(const Evaluator& other) : model_(other.model_), base_(other.base_), settings_(other.settings()), elements_(*model_) {
  predictor_ = std::make_unique<Predictor>(model_, settings_.error_bar_points);
}

Evaluator::Settings Evaluator::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Evaluator::set_skin(double skin) {
  constexpr double widest = 10;  // Å; with a wider skin a list costs more than it saves
  if (!(skin >= 0 && skin <= widest)) throw Failure(GAPKIT_ERROR_INPUT, fmt::format("the skin is {} Å, expected 0 … {} Å", skin, widest));
  const std::lock_guard lock(mutex_);
  settings_.skin = skin;
}

void Evaluator::set_error_bar_points(int points) {
  require_count(points, "points");
  const std::lock_guard lock(mutex_);
  predictor_ = std::make_unique<Predictor>(model_, points);
  settings_.error_bar_points = points;
}

void Evaluator::set_calibration(bool is_used) {
  const std::lock_guard lock(mutex_);
  settings_.is_calibrated = is_used;
}

void Evaluator::set_difference(bool is_wanted) {
  const std::lock_guard lock(mutex_);
  settings_.is_difference = is_wanted;
}

void Evaluator::set_precision(int precision) {
  if (precision != GAPKIT_DOUBLE && precision != GAPKIT_SINGLE)
    throw Failure(GAPKIT_ERROR_INPUT, fmt::format("precision is {}, expected GAPKIT_DOUBLE or GAPKIT_SINGLE", precision));
  const std::lock_guard lock(mutex_);
  settings_.is_single = precision == GAPKIT_SINGLE;
}

PredictionRequest Evaluator::request_for(const gapkit_results& r) const {
  PredictionRequest request;
  request.forces = r.forces != nullptr || r.virial != nullptr || r.atom_virials != nullptr;
  request.atom_virial = r.atom_virials != nullptr;
  request.energy_std = r.energy_std != nullptr || r.energy_std_epistemic != nullptr;
  request.stress_std = r.virial_std != nullptr || r.virial_std_epistemic != nullptr;
  request.force_std = wants_force_std(r);
  request.local_std = r.atom_energies_std_epistemic != nullptr;
  request.extrapolation = r.extrapolation != nullptr;
  request.calibrated = settings_.is_calibrated;
  request.difference = settings_.is_difference;
  request.single_precision = settings_.is_single;
  if (model_->base.is_used() && !request.difference)
    throw Failure(GAPKIT_ERROR_BASE,
                  fmt::format("the model gives the difference from another one, {}: a program that adds its values says so with "
                              "gapkit_set_difference()",
                              base_));
  if (request.error_bars() && !model_->has_posterior())
    throw Failure(GAPKIT_ERROR_ERROR_BARS, "the model has no posterior, so it has no error bars; a fit with gap-fit gives them");
  if (request.extrapolation && !model_->has_extrapolation())
    throw Failure(
        GAPKIT_ERROR_ERROR_BARS,
        "the model has no extrapolation thresholds: it is of an early version, or it was not calibrated by leaving structures out; "
        "a fit with gap-fit gives them");
  return request;
}

void Evaluator::take_structure(const gapkit_structure& given) {
  structure_.atomic_numbers.assign(given.atomic_numbers, given.atomic_numbers + given.n_atoms);
  structure_.positions = Eigen::Map<const Positions>(given.positions, given.n_atoms, 3);
  structure_.cell.reset();
  if (given.cell != nullptr) structure_.cell = Eigen::Map<const Matrix3>(given.cell);
  for (std::size_t d = 0; d < 3; ++d) structure_.pbc[d] = given.pbc != nullptr ? given.pbc[d] != 0 : given.cell != nullptr;
  if (given.cell == nullptr && (structure_.pbc[0] || structure_.pbc[1] || structure_.pbc[2]))
    throw Failure(GAPKIT_ERROR_INPUT, "pbc names a periodic direction, but cell is NULL");
}

void Evaluator::evaluate(const gapkit_structure& given, const gapkit_results& results) {
  require_count(given.n_atoms, "n_atoms");
  if (given.n_atoms > 0) {
    require_pointer(given.atomic_numbers, "atomic_numbers");
    require_pointer(given.positions, "positions");
  }
  const std::lock_guard lock(mutex_);
  const PredictionRequest request = request_for(results);
  if (request.atom_virial && structure_level_part(*model_) != nullptr)
    throw Failure(GAPKIT_ERROR_UNSUPPORTED,
                  fmt::format("the model's part '{}' has no virials of atoms: leave them out", structure_level_part(*model_)->name()));
  elements_.require(given.atomic_numbers, given.n_atoms);
  require_finite(given.positions, given.n_atoms);
  if (given.n_atoms == 0) return write_zeros(0, results);
  take_structure(given);
  const Environments& environments = neighbors_.update(structure_, model_->cutoff(), settings_.skin);
  const Prediction p = predictor_->compute(structure_, environments, request);
  write(p, given.n_atoms, results);
  put_of_centres(results.forces_std, given.n_atoms, environments.centre, p.forces_std.value_or(Positions()));
  put_of_centres(results.forces_std_epistemic, given.n_atoms, environments.centre, p.forces_std_epistemic.value_or(Positions()));
}

void Evaluator::evaluate(const gapkit_environments& given, const gapkit_results& results) {
  require_count(given.n_atoms, "n_atoms");
  require_count(given.n_centres, "n_centres");
  if (given.n_atoms > 0) {
    require_pointer(given.atomic_numbers, "atomic_numbers");
    require_pointer(given.positions, "positions");
  }
  if (given.n_centres > 0) {
    require_pointer(given.first, "first");
    if (given.first[given.n_centres] > given.first[0]) require_pointer(given.neighbors, "neighbors");
  }
  const std::lock_guard lock(mutex_);
  PredictionRequest request = request_for(results);
  if (const Potential* part = structure_level_part(*model_))
    throw Failure(GAPKIT_ERROR_UNSUPPORTED,
                  fmt::format("the model's part '{}' needs the whole cell: environments alone do not give its energy{}", part->name(),
                              field_dependence(*part) != nullptr
                                  ? ", nor can another program add it, as it depends on a property that the model has learned"
                                  : "; gap-convert --short-range writes the model without it, for a program that adds it itself"));
  elements_.require(given.atomic_numbers, given.n_atoms);
  require_finite(given.positions, given.n_atoms);
  ghosts_.read(given, model_->cutoff());
  if (given.n_centres == 0) return write_zeros(given.n_atoms, results);

  // Forces act on ghosts, but their error bars need the owners of the ghosts, or the environments of the ghosts.
  Prediction of_forces;
  if (request.force_std)
    of_forces = predictor_->error_bars(ghosts_.around_centres(given, model_->cutoff()), given.n_centres,
                                       {.forces = false, .force_std = true, .calibrated = request.calibrated});
  request.force_std = false;
  const Prediction p = predictor_->compute(ghosts_.view(), given.n_atoms, request);
  write(p, given.n_atoms, results);
  put_of_centres(results.forces_std, given.n_atoms, ghosts_.centres(), of_forces.forces_std.value_or(Positions()));
  put_of_centres(results.forces_std_epistemic, given.n_atoms, ghosts_.centres(), of_forces.forces_std_epistemic.value_or(Positions()));
}

}  // namespace gapkit::c
