// Time that the C interface adds to an evaluation, in molecular dynamics of 64 silicon atoms: neighbour list, checks, copies.
//
//     c_overhead MODEL.h5 [STEPS]
//
// Each step moves the atoms a little and times three evaluations of energy, energies of atoms, forces and virial: by Predictor with
// neighbours that are given, by gapkit_evaluate() and by gapkit_evaluate_environments(). Prints medians in µs.

#include <gapkit.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <gapkit/predict/predictor.hpp>
#include <random>
#include <string>

namespace {

using namespace gapkit;

Structure crystal() {
  constexpr double lattice = 5.43;
  constexpr int quarters[8][3] = {{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 2, 0}, {1, 1, 1}, {1, 3, 3}, {3, 1, 3}, {3, 3, 1}};
  Structure s;
  s.cell = Matrix3::Identity() * 2 * lattice;
  s.pbc = {true, true, true};
  s.positions.resize(64, 3);
  s.atomic_numbers.assign(64, 14);
  for (int i = 0; i < 64; ++i)
    for (int a = 0; a < 3; ++a) s.positions(i, a) = lattice * ((i / 8 >> a) % 2 + quarters[i % 8][a] / 4.0);
  return s;
}

// The structure with its images as ghosts, as a molecular-dynamics program would hold it.
struct Ghosts {
  std::vector<int> numbers, neighbors;
  std::vector<std::size_t> first;
  std::vector<double> positions;
  double reach;

  Ghosts(const Structure& s, double list_reach) : reach(list_reach) {
    const NeighborList list(s, reach);
    std::vector<std::array<int, 4>> images;
    first = list.begin();
    numbers = s.atomic_numbers;
    positions.assign(s.positions.data(), s.positions.data() + s.positions.size());
    for (std::size_t p = 0; p < list.pair_count(); ++p) {
      const auto [x, y, z] = list.shift()[p];
      const int j = list.index()[p];
      if (x == 0 && y == 0 && z == 0) {
        neighbors.push_back(j);
        continue;
      }
      const std::array<int, 4> image = {j, x, y, z};
      const auto found = std::find(images.begin(), images.end(), image);
      neighbors.push_back(s.size() + static_cast<int>(found - images.begin()));
      if (found != images.end()) continue;
      images.push_back(image);
      numbers.push_back(s.atomic_numbers[static_cast<std::size_t>(j)]);
      const Vector3 r = s.positions.row(j).transpose() + s.cell->transpose() * Vector3(x, y, z);
      positions.insert(positions.end(), r.data(), r.data() + 3);
    }
  }
};

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

template <class Action>
double microseconds(Action&& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  gapkit_model* model = nullptr;
  if (argc < 2 || gapkit_load(argv[1], GAPKIT_INTERFACE, &model) != GAPKIT_OK) {
    std::fprintf(stderr, "%s\n", argc < 2 ? "usage: c_overhead MODEL.h5 [STEPS]" : gapkit_error_message());
    return 2;
  }
  const int steps = argc > 2 ? std::atoi(argv[2]) : 300;
  Predictor predictor(std::make_shared<const Model>(load_model(argv[1])));
  Structure s = crystal();
  std::mt19937 random(1);
  std::normal_distribution<double> displacement(0, 0.01);
  double energy = 0;
  std::vector<double> energies(64), forces(3 * 64), virial(9), all_energies, all_forces, predict, evaluate, environments;
  gapkit_results results{};
  results.size = sizeof results;
  results.energy = &energy;
  results.virial = virial.data();
  for (int step = 0; step < steps; ++step) {
    for (Eigen::Index i = 0; i < s.positions.size(); ++i) s.positions.data()[i] += displacement(random) * (step % 2 == 0 ? 1 : -1);
    const StructureEnvironments given(s, predictor.model().cutoff());
    predict.push_back(microseconds([&] { predictor.compute(given.view(), 64); }));
    results.atom_energies = energies.data();
    results.forces = forces.data();
    const gapkit_structure structure{sizeof(gapkit_structure), 64, s.atomic_numbers.data(), s.positions.data(), s.cell->data(), nullptr};
    int code = GAPKIT_OK;
    evaluate.push_back(microseconds([&] { code = gapkit_evaluate(model, &structure, &results); }));
    const Ghosts g(s, predictor.model().cutoff() + 0.5);
    const int atoms = static_cast<int>(g.numbers.size());
    all_energies.resize(g.numbers.size());
    all_forces.resize(3 * g.numbers.size());
    results.atom_energies = all_energies.data();
    results.forces = all_forces.data();
    const gapkit_environments with_ghosts{
        sizeof(gapkit_environments), 64,      atoms,   nullptr, g.numbers.data(), g.positions.data(), g.first.data(),
        g.neighbors.data(),          g.reach, nullptr, 0};
    environments.push_back(microseconds([&] { code += gapkit_evaluate_environments(model, &with_ghosts, &results); }));
    if (code != GAPKIT_OK) {
      std::fprintf(stderr, "%s\n", gapkit_error_message());
      return 2;
    }
  }
  std::printf("Predictor %.0f µs, gapkit_evaluate %.0f µs (%+.0f), gapkit_evaluate_environments %.0f µs (%+.0f)\n", median(predict),
              median(evaluate), median(evaluate) - median(predict), median(environments), median(environments) - median(predict));
  gapkit_free(model);
}
