// Columns of charges and volumes in the data: dispersion that a fit without a configuration tries, and totals that contradict the charges.

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/potentials/potential.hpp>

#include "cases/cases.hpp"
#include "support/charged_clusters.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Volumes over those of free atoms, smaller where neighbours are close.
std::vector<double> volumes_of(const Structure& s) {
  constexpr double reach = 3.2;
  const NeighborList list(s, reach);
  std::vector<double> v(static_cast<std::size_t>(s.size()), 0.95);
  for (std::size_t i = 0; i < v.size(); ++i)
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) v[i] -= 0.5 * std::pow(1 - list.distance()[p] / reach, 2);
  return v;
}

double dispersion_of(Structure s) {
  s.set_column("hirshfeld_rel_volume", 1, volumes_of(s));
  return evaluate(*make_potential("dispersion", {{"volumes", std::string("given")}}), s).energy;
}

/// Two triangles of silicon at growing distances, with a pair potential and, if asked for, the dispersion energy of their volumes.
std::vector<Structure> triangles(const std::string& column, double unit, bool has_dispersion) {
  std::vector<Structure> frames;
  for (unsigned k = 0; k < 40; ++k) {
    Structure bare = bare_clusters(k, 6 + 0.2 * k, 14), s = labelled(bare);
    std::vector<double> volumes = volumes_of(s);
    for (double& v : volumes) v *= unit;
    s.set_column(column, 1, volumes);
    if (has_dispersion) add_energy(s, dispersion_of);
    frames.push_back(s);
  }
  return frames;
}

ProgramResult automatic_fit(const TemporaryFolder& folder, const std::vector<Structure>& frames) {
  ExtxyzWriter writer(folder.path() / "train.xyz");
  for (const Structure& s : frames) writer.write(s);
  writer.commit();
  return run_program("gap-fit", {"train.xyz", "-o", "m.h5", "--time", "60s", "--dry-run"}, folder.path());
}

/// A fit to train.xyz with learned charges; `property`: further lines of its [[property]].
std::string learned_configuration(const std::string& property) {
  return "[data]\ntrain = 'train.xyz'\n[reference_energies]\nmode = 'least_squares'\n[[long_range]]\nkind = 'coulomb'\ncharges = "
         "'learned'\n"
         "[[property]]\nname = 'charge'\nunit = 'e'\n" +
         property +
         "[[property.term]]\ndescriptor = 'soap'\ncutoff = 3.6\nn_max = 3\nl_max = 2\nkernel = 'dot_product'\nzeta = 2\ndelta = 0.2\n"
         "n_sparse = 10\n[[term]]\ndescriptor = 'two_body'\ncutoff = 4\nkernel = 'squared_exponential'\nlength_scale = 0.8\ndelta = 2\n"
         "n_sparse = 10\nselection = 'uniform'\n";
}

}  // namespace

TEST_CASE(
    "long range: without a configuration a column of volumes lets dispersion with learned volumes be tried, and it is kept if it helps") {
  const TemporaryFolder folder;
  const ProgramResult helps = automatic_fit(folder, triangles("hirshfeld_rel_volume", 1, true));
  REQUIRE_MESSAGE(helps.exit_code == 0, helps.err);
  CHECK_MESSAGE(
      helps.err.find("long range: dispersion with volumes learned from the column 'hirshfeld_rel_volume': errors of ") != std::string::npos,
      helps.err);
  CHECK_MESSAGE(helps.err.find("; it helps") != std::string::npos, helps.err);

  const ProgramResult none = automatic_fit(folder, triangles("hirshfeld_v", 1, false));
  REQUIRE_MESSAGE(none.exit_code == 0, none.err);
  CHECK_MESSAGE(none.err.find("volumes learned from the column 'hirshfeld_v': errors of ") != std::string::npos, none.err);
  CHECK(none.err.find("; it does not help and is left out") != std::string::npos);
}

TEST_CASE("long range: volumes that are not relative to free atoms are not tried, and the reason is said") {
  const TemporaryFolder folder;
  const ProgramResult run = automatic_fit(folder, triangles("hirshfeld_volume", 20, true));
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  CHECK_MESSAGE(run.err.find("the column 'hirshfeld_volume' (mean 1") != std::string::npos, run.err);
  CHECK(run.err.find("does not hold volumes over those of the free atoms: no dispersion is tried") != std::string::npos);
}

TEST_CASE("long range: learned charges that contradict the frame's total charge are named with the frame, by --check and by a fit") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = clusters(0, 12);
  frames[3].set_field("total_charge", 1.0);
  for (Structure* s : {&frames[5], &frames[6]}) std::erase_if(s->fields, [](const Field& f) { return f.key == "total_charge"; });
  std::vector<double> shifted = cluster_charges(frames[6]);
  for (double& q : shifted) q += 0.1;
  frames[6].set_column("charge", 1, shifted);
  frames[8].set_field("total_charge", 0.4);
  std::erase_if(frames[8].columns, [](const Column& c) { return c.name == "charge"; });
  ExtxyzWriter writer(folder.path() / "train.xyz");
  for (const Structure& s : frames) writer.write(s);
  writer.commit();
  folder.write("fit.toml", learned_configuration(""));
  const ProgramResult check = run_program("gap-fit", {"fit.toml", "--check"}, folder.path());
  INFO(check.out);
  CHECK(check.out.find("(frame 4): the charges of the column 'charge' sum to 0 e, but the key total_charge is 1; correct one of them") !=
        std::string::npos);
  CHECK(check.out.find(
            "(frame 7): the charges of the column 'charge' sum to 0.6 e, but without the key total_charge the Coulomb energy takes 0 "
            "e") != std::string::npos);
  CHECK(check.out.find("(frame 9): the key total_charge is 0.4 e, expected a whole number") != std::string::npos);
  CHECK(check.out.find("(frame 6): the ch") == std::string::npos);
  const ProgramResult run = run_program("gap-fit", {"fit.toml", "-o", "m.h5"}, folder.path());
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  for (const char* part :
       {"(frame 4): the charges of the column 'charge' sum to 0 e", "(frame 7): the charges of the column 'charge' sum to 0.6 e",
        "(frame 9): the key total_charge is 0.4 e, expected a whole number"})
    CHECK_MESSAGE(run.err.find(part) != std::string::npos, run.err);
  // The property compares them itself where it names the total.
  folder.write("named.toml", learned_configuration("total = 'total_charge'\n"));
  const ProgramResult named = run_program("gap-fit", {"named.toml", "--check"}, folder.path());
  for (const char* part : {"(frame 4): the values of 'charge' add up to ", "(frame 7): the values of 'charge' add up to 0.6"})
    CHECK_MESSAGE(named.out.find(part) != std::string::npos, named.out);
}
