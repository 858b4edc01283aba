// Makes data of any size for measurements: 64-atom supercells of silicon with energies, forces and virials of the Stillinger-Weber
// potential, as extended XYZ, with the memory of one batch.
//
//     make_silicon FRAMES OUTPUT.xyz [SEED]
//
// First an isolated atom; then, in turn, per hundred frames: 50 of molecular dynamics (config_type md: 50 trajectories at 300 to 3000 K, a
// frame every 10 fs), 25 rattled, 25 strained and rattled. The same arguments give the same file.

#include <charconv>
#include <chrono>
#include <gapkit/active/labeller.hpp>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/active/perturb.hpp>
#include <gapkit/io/extxyz.hpp>
#include <iostream>

namespace gapkit::bench {
namespace {

constexpr int trajectories = 50, rattled = 25, strained = 25, batch = trajectories + rattled + strained;

/// 2 × 2 × 2 cubic cells of the diamond structure.
Structure crystal() {
  constexpr double edge = 5.431;                                                                                            // Å
  constexpr double sites[8][3] = {{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 2, 0}, {1, 1, 1}, {1, 3, 3}, {3, 1, 3}, {3, 3, 1}};  // in quarters
  Structure s;
  s.cell = Matrix3(2 * edge * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.atomic_numbers.assign(64, 14);
  s.positions.resize(64, 3);
  for (int atom = 0; atom < 64; ++atom) {
    const int cell = atom / 8;
    const auto& f = sites[atom % 8];
    s.positions.row(atom) << cell / 4 + f[0] / 4, cell / 2 % 2 + f[1] / 4, cell % 2 + f[2] / 4;
  }
  s.positions *= edge;
  return s;
}

/// Makes the frames batch by batch; the frames of one batch on all threads.
class Frames {
 public:
  explicit Frames(std::uint64_t seed) : seed_(seed), potential_(make_potential("stillinger_weber")), crystal_(crystal()) {
    for (int k = 0; k < trajectories; ++k)
      states_.push_back(initial_state(crystal_, 2 * temperature(k), seed, static_cast<std::uint64_t>(k)));
  }

  std::vector<Structure> next_batch() {
    std::vector<Structure> frames(batch);
    const std::int64_t steps = batches_ == 0 ? 300 : 10;
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < batch; ++k) frames[static_cast<std::size_t>(k)] = k < trajectories ? of_trajectory(k, steps) : perturbation(k);
    ++batches_;
    return frames;
  }

  Structure atom() const {
    Structure s;
    s.cell = Matrix3(20 * Matrix3::Identity());
    s.pbc = {true, true, true};
    s.atomic_numbers = {14};
    s.positions = Positions::Constant(1, 3, 10.0);
    return labelled(s, "isolated_atom");
  }

 private:
  static double temperature(int k) {
    return 300 + 2700.0 * k / (trajectories - 1);
  }

  Structure labelled(Structure s, const std::string& config_type) const {
    const Evaluation e = evaluate(*potential_, s);
    set_targets(s, e.energy, e.forces, e.virial);
    s.config_type = config_type;
    s.set_field("config_type", config_type);
    return s;
  }

  Structure of_trajectory(int k, std::int64_t steps) {
    MdState& state = states_[static_cast<std::size_t>(k)];
    advance(state, {.ensemble = Ensemble::nvt, .temperature = temperature(k), .friction_time = 100}, forces_of(potential_), steps);
    return labelled(state.structure, "md");
  }

  Structure perturbation(int k) const {
    const auto index = static_cast<std::uint64_t>(batches_ * batch + k);
    const double size = 0.04 * (1 + k % 5);  // Å
    if (k < trajectories + rattled)
      return labelled(perturbed(crystal_, {.rattle = size, .smallest_distance = 1.6, .seed = seed_}, index), "rattled");
    return labelled(
        perturbed(crystal_, {.rattle = size / 2, .strain = 0.03, .volume_strain = 0.1, .smallest_distance = 1.6, .seed = seed_}, index),
        "strained");
  }

  std::uint64_t seed_;
  PotentialPointer potential_;
  Structure crystal_;
  std::vector<MdState> states_;
  std::int64_t batches_ = 0;
};

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw InputError("'" + text + "' is not a whole number");
  return value;
}

int run(int argc, char** argv) {
  if (argc < 3 || argc > 4) throw InputError("usage: make_silicon FRAMES OUTPUT.xyz [SEED]");
  const std::uint64_t wanted = number(argv[1]);
  const auto begin = std::chrono::steady_clock::now();
  Frames frames(argc > 3 ? number(argv[3]) : 0);
  ExtxyzWriter writer(argv[2]);
  writer.write(frames.atom());
  for (std::uint64_t written = 0; written < wanted;)
    for (const Structure& frame : frames.next_batch())
      if (written < wanted) {
        writer.write(frame);
        ++written;
      }
  writer.commit();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << wanted << " frames of 64 atoms and an isolated atom in " << seconds << " s\n";
  return 0;
}

}  // namespace
}  // namespace gapkit::bench

int main(int argc, char** argv) {
  try {
    return gapkit::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "make_silicon: " << e.what() << "\n";
    return 2;
  }
}
