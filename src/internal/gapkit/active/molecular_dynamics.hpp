#pragma once

#include <filesystem>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

class Predictor;

/// A function that gives energy, forces and virial of a structure.
using ForceProvider = std::function<Evaluation(const Structure&)>;

enum class Ensemble {
  nve,  ///< velocity Verlet
  nvt,  ///< Langevin, splitting BAOAB
  npt   ///< the same with isotropic stochastic cell rescaling
};

struct MdOptions {
  Ensemble ensemble = Ensemble::nve;
  double time_step = 1.0;         ///< fs
  double temperature = 300;       ///< K; nvt, npt
  double friction_time = 200;     ///< fs; decay time of velocities (1/γ); nvt, npt
  double pressure = 0;            ///< GPa; npt
  double pressure_time = 1000;    ///< fs; relaxation time of the volume (τ_p); npt
  double compressibility = 0.01;  ///< 1/GPa, approximate: it only scales pressure_time; npt
};

/// State of a trajectory, a plain value. A copy continues with the same bits as the original.
struct MdState {
  Structure structure;   ///< positions are not wrapped into the cell; no targets
  Positions velocities;  ///< Å/fs
  std::int64_t step = 0;
  double time = 0;                       ///< fs
  RandomStream random;                   ///< of the thermostat and barostat
  std::optional<Evaluation> evaluation;  ///< of `structure`; clear it when the potential has changed
};

/// Velocities of a Maxwell-Boltzmann distribution without total momentum; `replica` distinguishes trajectories of one seed.
MdState initial_state(const Structure& structure, double temperature, std::uint64_t seed, std::uint64_t replica = 0);

/// Advances by `steps` time steps. If `forces` throws or gives a number that is not finite (NumericalError), the state is the last complete
/// step. Throws InputError for invalid options, and for npt without a cell that is periodic in three directions.
///
/// One evaluation of forces per step. Sources: BAOAB, Leimkuhler & Matthews, J. Chem. Phys. 138, 174102 (2013); cell rescaling, Bernetti &
/// Bussi, J. Chem. Phys. 153, 114107 (2020), the equation of √V, whose noise is additive, one Euler step per time step.
void advance(MdState& state, const MdOptions& options, const ForceProvider& forces, std::int64_t steps);

/// eV
double kinetic_energy(const MdState& state);
/// K, of the motion relative to the centre of mass (3n − 3 degrees of freedom; 3 for one atom).
double temperature(const MdState& state);
/// GPa, kinetic part and virial; the state must have an evaluation and a cell.
double pressure(const MdState& state);

/// Several trajectories in one file (docs/file-formats.md), bit for bit; written to a temporary file and renamed.
void save_states(const std::vector<MdState>& states, const std::filesystem::path& path);
/// Throws InputError if the file is damaged or of another kind. Structures have cell, pbc, elements, positions, config_type and numbers of
/// their frames (total charge) only.
std::vector<MdState> load_states(const std::filesystem::path& path);

/// Forces of a fitted model. The predictor must outlive the result; one thread at a time may use it.
ForceProvider forces_of(Predictor& predictor, bool single_precision = false);
/// Forces of a potential, by evaluate().
ForceProvider forces_of(PotentialPointer potential);

}  // namespace gapkit
