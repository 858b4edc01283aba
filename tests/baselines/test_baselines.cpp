// Baselines: derivatives, additivity, known values, files with mistakes.

#include <cmath>
#include <gapkit/baselines/baseline.hpp>
#include <gapkit/core/errors.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string tables = R"(# distance (Å), energy (eV)
pair Si Si
0.8 30
1.2 11
1.7 3.2   # a comment
2.3 0.4
3.0 0
pair C Si
0.7 22
1.1 6
1.6 1.5
2.4 0
)";

std::vector<NamedBaseline> all_baselines() {
  std::vector<NamedBaseline> result;
  for (const BaselineKind& kind : baseline_kinds()) {
    Parameters given;
    if (kind.name == "pair_spline") given.set("table", tables);
    if (kind.name == "zbl") {
      given.set("inner", 1.2);
      given.set("outer", 2.6);
    }
    result.push_back({kind.name, kind.make(complete_parameters(given, kind.parameters, kind.name))});
  }
  return result;
}

struct Evaluation {
  double energy = 0;
  Positions forces;
  Matrix3 virial = Matrix3::Zero();
};

// By subtraction from targets that are zero.
Evaluation evaluate(const NamedBaseline& baseline, Structure s) {
  s.energy = 0.0;
  s.forces = Positions::Zero(s.size(), 3);
  s.virial = Matrix3::Zero();
  subtract_baselines(std::vector{baseline}, s);
  return {-*s.energy, -*s.forces, -*s.virial};
}

Structure dimer(int z1, int z2, double distance) {
  Structure s;
  s.atomic_numbers = {z1, z2};
  s.positions = Positions::Zero(2, 3);
  s.positions(1, 0) = distance;
  return s;
}

NamedBaseline named(const std::string& kind) {
  for (const NamedBaseline& b : all_baselines())
    if (b.kind == kind) return b;
  throw std::invalid_argument(kind);
}

}  // namespace

TEST_CASE("every baseline: forces and virial equal central differences") {
  for (const NamedBaseline& b : all_baselines())
    for (const unsigned seed : {1u, 2u, 3u}) {
      CAPTURE(b.kind);
      const Structure s = random_triclinic(6, seed, {6, 14});
      const Evaluation e = evaluate(b, s);
      const double step = 1e-5;
      double largest = 0;
      for (int i = 0; i < s.size(); ++i)
        for (int a = 0; a < 3; ++a) {
          Structure up = s, down = s;
          up.positions(i, a) += step;
          down.positions(i, a) -= step;
          const double numerical = -(evaluate(b, up).energy - evaluate(b, down).energy) / (2 * step);
          check_close(e.forces(i, a), numerical, 1e-6, 1e-6);
          largest = std::max(largest, std::abs(numerical));
        }
      REQUIRE(largest > 1e-2);
      for (int a = 0; a < 3; ++a)
        for (int c = 0; c < 3; ++c) {
          Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
          up(a, c) += step;
          down(a, c) -= step;
          check_close(e.virial(a, c), -(evaluate(b, deformed(s, up)).energy - evaluate(b, deformed(s, down)).energy) / (2 * step), 1e-5,
                      1e-6);
        }
    }
}

TEST_CASE("every baseline: a supercell is so many cells, and nothing acts beyond the cutoff") {
  for (const NamedBaseline& b : all_baselines()) {
    CAPTURE(b.kind);
    const Structure s = random_triclinic(5, 8, {6, 14});
    check_close(evaluate(b, supercell(s, 2, 1, 3)).energy, 6 * evaluate(b, s).energy, 0, 1e-12);
    CHECK(evaluate(b, dimer(14, 14, b.baseline->cutoff() + 1e-9)).energy == 0);
    CHECK(std::abs(evaluate(b, dimer(14, 14, b.baseline->cutoff() - 1e-4)).energy) < 1e-5);
    CHECK(evaluate(b, dimer(14, 14, 0.5)).energy > 10);
  }
}

TEST_CASE("zbl: the screened repulsion of two silicon nuclei") {
  // 14² · 14.39964548 eV Å / 1 Å · φ(1/a), a = 0.88534 · 0.529177 / (2 · 14^0.23) Å
  const double a = 0.88534 * 0.529177210903 / (2 * std::pow(14.0, 0.23)), x = 1 / a;
  const double phi = 0.18175 * std::exp(-3.1998 * x) + 0.50986 * std::exp(-0.94229 * x) + 0.28022 * std::exp(-0.4029 * x) +
                     0.02817 * std::exp(-0.20162 * x);
  check_close(evaluate(named("zbl"), dimer(14, 14, 1.0)).energy, 196 * 14.3996454784 * phi, 0, 1e-10);
}

TEST_CASE("pair_spline goes through its points, and has an energy for listed pairs only") {
  const NamedBaseline spline = named("pair_spline");
  for (const auto& [r, v] : {std::pair{0.8, 30.0}, {1.2, 11.0}, {1.7, 3.2}, {2.3, 0.4}, {3.0, 0.0}})
    check_close(evaluate(spline, dimer(14, 14, r)).energy, v, 1e-12);
  check_close(evaluate(spline, dimer(14, 6, 1.1)).energy, 6, 1e-12);
  CHECK(evaluate(spline, dimer(6, 6, 1.1)).energy == 0);
  // A straight line before the first point
  const double slope = evaluate(spline, dimer(14, 14, 0.6)).energy - evaluate(spline, dimer(14, 14, 0.5)).energy;
  check_close(evaluate(spline, dimer(14, 14, 0.4)).energy - evaluate(spline, dimer(14, 14, 0.3)).energy, slope, 1e-9);
  CHECK(slope < 0);
}

TEST_CASE("pair tables with mistakes are refused with file and line") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    const std::string path = folder.write("pairs.txt", text).string();
    return message_of<InputError>([&] { read_pair_tables(path); });
  };
  CHECK(message(tables).empty());
  for (const auto& [content, part] : {std::pair<std::string, std::string>{"", "no line 'pair X Y'"},
                                      {"1 2\n", ":1: found '1' before"},
                                      {"pair Si Xx\n", ":1: expected 'pair' and two elements"},
                                      {"pair Si Si\n1 2\n2 1\n3 0\n", "3 points, expected at least 4"},
                                      {"pair Si Si\n1 2\n2 1\n2 1\n3 0\n", ":4: distances must ascend"},
                                      {"pair Si Si\n1 2\n2 1\n3 0.5\n4 0.1\n", "expected 0: it would jump"},
                                      {"pair Si Si\n1 2\n2 nan\n3 0.5\n4 0\n", ":3: expected a distance"},
                                      {"pair Si C\n1 2\n2 1\n3 0.5\n4 0\npair C Si\n", "a second table"}}) {
    const std::string text = content;
    CAPTURE(text);
    CHECK(message(text).find(part) != std::string::npos);
  }
  CHECK(message_of<InputError>([&] { read_pair_tables((folder.path() / "missing").string()); }).find("cannot be read") !=
        std::string::npos);
}
