#include <gapkit/core/structure.hpp>
#include <gapkit/core/units.hpp>
#include <limits>
#include <set>

#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;

namespace {

/// Two atoms in 8 Å³ with every target; its rows are 1, 2, 3, ...
Structure labelled() {
  Structure s;
  s.cell = Matrix3::Identity() * 2.0;
  s.atomic_numbers = {14, 6};
  s.positions = Positions::Zero(2, 3);
  double value = 0;
  for (const TargetInfo& target : targets()) {
    std::vector<double> rows(static_cast<std::size_t>(target.row_count(2)));
    for (double& row : rows) row = ++value;
    target.set(s, rows);
  }
  return s;
}

}  // namespace

TEST_CASE("Voigt: xx yy zz yz xz xy, of the symmetric part") {
  const Matrix3 tensor{{1, 6, 5}, {6, 2, 4}, {5, 4, 3}};
  CHECK(voigt_of(tensor) == Voigt{{1, 2, 3, 4, 5, 6}});
  CHECK(tensor_of(Voigt{{1, 2, 3, 4, 5, 6}}) == tensor);
  CHECK(voigt_of(Matrix3{{0, 2, 0}, {4, 0, 0}, {0, 0, 0}}) == Voigt{{0, 0, 0, 0, 0, 3}});
  std::set<std::array<int, 2>> places(voigt_index.begin(), voigt_index.end());
  CHECK(places.size() == 6);
}

TEST_CASE("targets: every line is complete, and its names are its own") {
  REQUIRE(all_targets().size() == target_count);
  std::set<std::string> names, shown, std_names, sources;
  for (const TargetInfo& target : targets()) {
    CAPTURE(target.name);
    CHECK(property_name(target.property) == std::string(target.name));
    CHECK(names.insert(target.name).second);
    CHECK(shown.insert(target.shown.name).second);
    REQUIRE(!target.std_names.empty());
    for (const char* name : target.std_names) CHECK(std_names.insert(name).second);
    REQUIRE(!target.sources.empty());
    for (const TargetSource& source : target.sources) {
      CHECK(sources.insert(source.name).second);
      CHECK(!source.endings.empty());
      CHECK(source.is_column == target.is_per_atom);
    }
    CHECK(target.components > 0);
    CHECK(target.sigma > 0);
    CHECK(target.shown.error_factor > 0);
  }
  CHECK(sources.size() == target_sources().size());
}

TEST_CASE("targets: names of energy, forces and virial in files and messages") {
  std::vector<std::string> sources;
  for (const TargetSource& source : target_sources()) sources.emplace_back(source.name);
  CHECK(sources == std::vector<std::string>{"energy", "forces", "virial", "stress"});
  CHECK(default_sigmas()[Property::energy] == 0.001);
  CHECK(default_sigmas()[Property::force] == 0.05);
  CHECK(default_sigmas()[Property::virial] == 0.05);
  CHECK(target_info(Property::energy).row_count(7) == 1);
  CHECK(target_info(Property::force).row_count(7) == 21);
  CHECK(target_info(Property::virial).row_count(7) == 6);
  for (const TargetInfo& target : targets()) CHECK(target.field == AtomicField::energy);
  CHECK(target_info(Property::energy).functional == Functional::sum);
  CHECK(target_info(Property::force).functional == Functional::minus_gradient);
  CHECK(target_info(Property::virial).functional == Functional::minus_strain_derivative);
}

TEST_CASE("targets: those of a local property follow the targets of the energy") {
  REQUIRE(targets().size() == 3);
  for (const TargetInfo& target : all_targets()) {
    CAPTURE(target.name);
    CHECK(&target_info(target.property) == &target);
    CHECK((target.field == AtomicField::energy) == (target.property <= Property::virial));
    CHECK(target.sigma > 0);
  }
  CHECK(target_info(Property::value).functional == Functional::value);
  CHECK(target_info(Property::value).row_count(7) == 7);
  CHECK(target_info(Property::total).functional == Functional::sum);
  CHECK(target_info(Property::total).row_count(7) == 1);
  CHECK(target_info(Property::dipole).functional == Functional::first_moment);
  CHECK(target_info(Property::dipole).row_count(7) == 3);
  Structure s = labelled();
  CHECK(target_info(Property::dipole).can_be_fitted(s));
  s.pbc = {true, false, false};
  CHECK(!target_info(Property::dipole).can_be_fitted(s));
}

TEST_CASE("targets: a frame returns the rows that were set, or none") {
  Structure s = labelled();
  CHECK(s.energy == 1.0);
  CHECK((*s.forces)(1, 2) == 7.0);
  CHECK((*s.virial)(0, 1) == 13.0);
  CHECK((*s.virial)(1, 0) == 13.0);
  for (const TargetInfo& target : targets()) {
    CAPTURE(target.name);
    const std::vector<double> rows = target.rows(s);
    CHECK(rows.size() == static_cast<std::size_t>(target.row_count(s.size())));
    CHECK(target.can_be_fitted(s));
    Structure other = s;
    target.set(other, {});
    CHECK(target.rows(other).empty());
    for (const TargetInfo& another : targets())
      if (another.property != target.property) CHECK(another.rows(other) == another.rows(s));
    target.set(other, rows);
    CHECK(target.rows(other) == rows);
  }
  s.cell.reset();
  CHECK(!target_info(Property::virial).can_be_fitted(s));
}

TEST_CASE("targets: the σ of a row is its component's, its atom's, the frame's, or none") {
  GivenSigmas sigma;
  CHECK(!sigma.of_row(0, 3));
  sigma.frame = 0.5;
  CHECK(sigma.of_row(5, 3) == 0.5);
  sigma.atom = {1, 2};
  CHECK(sigma.of_row(2, 3) == 1.0);
  CHECK(sigma.of_row(3, 3) == 2.0);
  sigma.component = {1, 2, 3, 4, 5, 6};
  CHECK(sigma.of_row(5, 3) == 6.0);
  CHECK(target_info(Property::energy).noise_scale(4, true) == 2.0);
  CHECK(target_info(Property::energy).noise_scale(4, false) == 1.0);
  CHECK(target_info(Property::force).noise_scale(4, true) == 1.0);
  CHECK(target_info(Property::virial).noise_scale(4, true) == 2.0);
  CHECK(target_info(Property::virial).sigma_unit(true) == "eV times √atoms");
  CHECK(target_info(Property::force).sigma_unit(true) == "eV/Å");
}

TEST_CASE("targets: masked atoms, and components that symmetry makes zero") {
  Structure s = labelled();
  const TargetInfo &energy = target_info(Property::energy), &force = target_info(Property::force), &virial = target_info(Property::virial);
  CHECK(!force.is_masked(s, 4));
  s.force_mask = {false, true};
  CHECK(!force.is_masked(s, 2));
  CHECK(force.is_masked(s, 3));
  CHECK(!virial.is_masked(s, 3));
  CHECK(!energy.vanishes(0, 0, 0));
  CHECK(force.vanishes(9e-6, -9e-6, 0));
  CHECK(!force.vanishes(0, 1.1e-5, 0));
  CHECK(!force.vanishes(0, 0, 1.1e-5));
  CHECK(!force.vanishes(test::not_a_number, 0, 0));
  CHECK(virial.vanishes(9e-5, 0, 0));
}

TEST_CASE("targets: values are shown per atom, unchanged, and as stress") {
  Structure s = labelled();
  check_close((*target_info(Property::energy).shown_scale(s))(-3.0), -1.5, 1e-15);
  CHECK((*target_info(Property::force).shown_scale(s))(0.25) == 0.25);
  check_close((*target_info(Property::virial).shown_scale(s))(8.0), -gpa_per_ev_per_cubic_angstrom, 1e-12);
  s.cell.reset();
  CHECK(!target_info(Property::virial).shown_scale(s));
  CHECK(!target_info(Property::energy).shown_scale(Structure()));
}
