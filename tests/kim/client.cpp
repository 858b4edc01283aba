// A simulator on the KIM API in a few lines: images of the atoms of a cell, all neighbours within the cutoff, one evaluation.
//
//   kim_client MODEL metal|atomic < STRUCTURE
//
// STRUCTURE: number of atoms, nine numbers of the cell (Å; zeros: a molecule), then "symbol x y z" per atom. The particles are shuffled:
// images stand between atoms. Output, in eV and Å: energy, virial (6), and per atom its energy, forces (3) and virial (6); "atomic" asks
// the model for Bohr and Hartree and converts.
#include <KIM_ModelHeaders.hpp>
#include <KIM_SimulatorHeaders.hpp>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Three = std::array<double, 3>;

void require(int is_error, const char* what) {
  if (is_error) throw std::runtime_error(what);
}

struct Units {
  KIM::LengthUnit length = KIM::LENGTH_UNIT::A;
  KIM::EnergyUnit energy = KIM::ENERGY_UNIT::eV;
  double bohr = 1, hartree = 1;  // Å, eV
};

struct Cell {
  std::vector<std::string> symbols;
  std::vector<Three> positions;
  std::array<Three, 3> vectors{};
};

Cell read_cell() {
  Cell cell;
  std::size_t n = 0;
  std::cin >> n;
  for (Three& vector : cell.vectors)
    for (double& x : vector) std::cin >> x;
  cell.symbols.resize(n);
  cell.positions.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::cin >> cell.symbols[i];
    for (double& x : cell.positions[i]) std::cin >> x;
  }
  require(!std::cin, "the structure cannot be read");
  return cell;
}

struct Particles {
  std::vector<Three> positions;
  std::vector<int> owners, contributing, codes;
  std::vector<std::vector<int>> neighbors;

  std::size_t size() const { return positions.size(); }
};

double distance(const Three& a, const Three& b) {
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/// Atoms and their images in the neighbouring cells, in an order without a pattern; images far from all atoms are left out.
Particles make_particles(const Cell& cell, double influence) {
  const bool is_periodic = cell.vectors[0][0] != 0;
  const int reach = is_periodic ? 3 : 0;
  Particles all;
  for (int a = -reach; a <= reach; ++a)
    for (int b = -reach; b <= reach; ++b)
      for (int c = -reach; c <= reach; ++c)
        for (std::size_t i = 0; i < cell.positions.size(); ++i) {
          Three x = cell.positions[i];
          for (std::size_t d = 0; d < 3; ++d) x[d] += a * cell.vectors[0][d] + b * cell.vectors[1][d] + c * cell.vectors[2][d];
          bool is_near = false;
          for (const Three& atom : cell.positions) is_near = is_near || distance(atom, x) <= influence;
          if (!is_near) continue;
          all.positions.push_back(x);
          all.owners.push_back(static_cast<int>(i));
          all.contributing.push_back(a == 0 && b == 0 && c == 0);
        }
  std::uint64_t state = 1;
  for (std::size_t i = all.size(); i > 1; --i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::size_t j = (state >> 33) % i;
    std::swap(all.positions[i - 1], all.positions[j]);
    std::swap(all.owners[i - 1], all.owners[j]);
    std::swap(all.contributing[i - 1], all.contributing[j]);
  }
  return all;
}

void find_neighbors(Particles& all, double cutoff) {
  all.neighbors.assign(all.size(), {});
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < all.size(); ++j)
      if (all.contributing[i] && i != j && distance(all.positions[i], all.positions[j]) <= cutoff + 0.3)  // a skin
        all.neighbors[i].push_back(static_cast<int>(j));
}

int get_neighbors(void* data, int lists, const double*, int list, int particle, int* count, const int** neighbors) {
  const auto& all = *static_cast<const Particles*>(data);
  if (lists != 1 || list != 0 || !all.contributing[static_cast<std::size_t>(particle)]) return true;
  const std::vector<int>& found = all.neighbors[static_cast<std::size_t>(particle)];
  *count = static_cast<int>(found.size());
  *neighbors = found.data();
  return false;
}

struct Results {
  double energy = 0;
  std::array<double, 6> virial{};
  std::vector<double> energies, forces, virials;
};

Results evaluate(KIM::Model& model, Particles& all, std::vector<double>& coordinates) {
  namespace Name = KIM::COMPUTE_ARGUMENT_NAME;
  KIM::ComputeArguments* arguments = nullptr;
  require(model.ComputeArgumentsCreate(&arguments), "ComputeArgumentsCreate");
  const int n = static_cast<int>(all.size());
  Results r;
  r.energies.resize(all.size());
  r.forces.assign(3 * all.size(), 1e30);  // the model overwrites them
  r.virials.resize(6 * all.size());
  require(arguments->SetArgumentPointer(Name::numberOfParticles, &n) ||
              arguments->SetArgumentPointer(Name::particleSpeciesCodes, all.codes.data()) ||
              arguments->SetArgumentPointer(Name::particleContributing, all.contributing.data()) ||
              arguments->SetArgumentPointer(Name::coordinates, coordinates.data()) ||
              arguments->SetArgumentPointer(Name::partialEnergy, &r.energy) ||
              arguments->SetArgumentPointer(Name::partialParticleEnergy, r.energies.data()) ||
              arguments->SetArgumentPointer(Name::partialForces, r.forces.data()) ||
              arguments->SetArgumentPointer(Name::partialVirial, r.virial.data()) ||
              arguments->SetArgumentPointer(Name::partialParticleVirial, r.virials.data()) ||
              arguments->SetCallbackPointer(KIM::COMPUTE_CALLBACK_NAME::GetNeighborList, KIM::LANGUAGE_NAME::cpp,
                                            reinterpret_cast<KIM::Function*>(&get_neighbors), &all),
          "arguments");
  const int failed = model.Compute(arguments);
  model.ComputeArgumentsDestroy(&arguments);
  require(failed, "Compute");
  return r;
}

void print(const Cell& cell, const Particles& all, const Results& r, const Units& units) {
  const std::size_t n = cell.symbols.size();
  std::vector<double> energies(n), forces(3 * n), virials(6 * n);
  for (std::size_t p = 0; p < all.size(); ++p) {
    const auto i = static_cast<std::size_t>(all.owners[p]);
    energies[i] += r.energies[p];
    for (std::size_t d = 0; d < 3; ++d) forces[3 * i + d] += r.forces[3 * p + d];
    for (std::size_t k = 0; k < 6; ++k) virials[6 * i + k] += r.virials[6 * p + k];
  }
  const auto line = [](const double* values, std::size_t count, double unit) {
    for (std::size_t k = 0; k < count; ++k) std::printf("%.17g ", values[k] * unit);
  };
  line(&r.energy, 1, units.hartree);
  line(r.virial.data(), 6, units.hartree);
  for (std::size_t i = 0; i < n; ++i) {
    std::printf("\n");
    line(&energies[i], 1, units.hartree);
    line(&forces[3 * i], 3, units.hartree / units.bohr);
    line(&virials[6 * i], 6, units.hartree);
  }
  std::printf("\n");
}

void run(const std::string& name, Units units) {
  KIM::Model* model = nullptr;
  int is_accepted = 0;
  require(KIM::Model::Create(KIM::NUMBERING::zeroBased, units.length, units.energy, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K,
                             KIM::TIME_UNIT::ps, name, &is_accepted, &model) ||
              !is_accepted,
          "the model cannot be loaded with these units");
  double influence = 0;
  int lists = 0;
  const double* cutoffs = nullptr;
  const int* needs_no_more = nullptr;
  model->GetInfluenceDistance(&influence);
  model->GetNeighborListPointers(&lists, &cutoffs, &needs_no_more);
  require(lists != 1 || !needs_no_more[0], "neighbour lists");

  const Cell cell = read_cell();
  Particles all = make_particles(cell, influence * units.bohr);
  find_neighbors(all, cutoffs[0] * units.bohr);
  for (std::size_t p = 0; p < all.size(); ++p) {
    int is_known = 0, code = 0;
    require(model->GetSpeciesSupportAndCode(KIM::SpeciesName(cell.symbols[static_cast<std::size_t>(all.owners[p])]), &is_known, &code) ||
                !is_known,
            "the model does not know an element");
    all.codes.push_back(code);
  }
  std::vector<double> coordinates;
  for (const Three& x : all.positions)
    for (const double value : x) coordinates.push_back(value / units.bohr);
  Results r;
  for (int time = 0; time < 2; ++time) r = evaluate(*model, all, coordinates);
  print(cell, all, r, units);
  KIM::Model::Destroy(&model);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc != 3, "usage: kim_client MODEL metal|atomic < STRUCTURE");
    Units units;
    if (std::string(argv[2]) == "atomic") {
      units = {KIM::LENGTH_UNIT::Bohr, KIM::ENERGY_UNIT::Hartree, 0, 0};
      const auto in_gapkit = [&](double length_power, double energy_power) {
        double factor = 0;
        require(KIM::ModelCreate::ConvertUnit(units.length, units.energy, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K, KIM::TIME_UNIT::ps,
                                              KIM::LENGTH_UNIT::A, KIM::ENERGY_UNIT::eV, KIM::CHARGE_UNIT::e, KIM::TEMPERATURE_UNIT::K,
                                              KIM::TIME_UNIT::ps, length_power, energy_power, 0, 0, 0, &factor),
                "ConvertUnit");
        return factor;
      };
      units.bohr = in_gapkit(1, 0);
      units.hartree = in_gapkit(0, 1);
    }
    run(argv[1], units);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "kim_client: error: %s\n", e.what());
    return 1;
  }
}
