// Potentials of QUIP in other words: distance_Nb for distance_2b, the covariance pp, old versions, sums with a Glue.

#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

/// A pair term of Si with two sparse points.
std::string pair_xml(const std::string& descriptor, int covariance, const std::string& init_args = "IP GAP label=L",
                     const std::string& core = "F", const std::string& more = "") {
  return fmt::format(
      "<L>\n<Potential label=\"L\" init_args=\"{}\"/>\n<GAP_params label=\"L\" gap_version=\"1686220958\">\n"
      "<GAP_data do_core=\"{}\"><e0 Z=\"14\" value=\"-0.5\"/></GAP_data>\n<gpSparse label=\"L\" n_coordinate=\"1\" fitted=\"T\">\n"
      "<gpCoordinates label=\"L1\" dimensions=\"1\" signal_variance=\"2.0\" signal_mean=\"0.0\" sparsified=\"T\" n_permutations=\"1\" "
      "covariance_type=\"{}\" n_sparseX=\"2\">\n<theta>1.5</theta><descriptor>{}</descriptor><permutation i=\"1\">1</permutation>\n"
      "<sparseX i=\"1\" alpha=\"0.3\" sparseCutoff=\"1.0\"> 2.1 </sparseX><sparseX i=\"2\" alpha=\"-0.2\" sparseCutoff=\"0.9\"> 3.2 "
      "</sparseX>\n</gpCoordinates></gpSparse></GAP_params>\n{}</L>\n",
      init_args, core, covariance, descriptor, more);
}

constexpr const char* pair = "distance_2b cutoff=4.0 cutoff_transition_width=1.0 Z1=14 Z2=14";

Structure silicon() {
  return random_triclinic(6, 4, {14});
}

Prediction predicted(const Model& model) {
  Predictor predictor(std::make_shared<const Model>(model));
  return predictor.compute(silicon());
}

Model read(const std::string& xml) {
  const TemporaryFolder folder;
  return read_gap_xml(folder.write("m.xml", xml)).model;
}

std::string refusal(const std::string& xml) {
  return message_of<InputError>([&] { read(xml); });
}

/// Its energy on top of e0; checks that it is there.
double pair_energy(const Model& model) {
  const double energy = predicted(model).energy + 0.5 * 6;
  REQUIRE(std::abs(energy) > 0.01);
  return energy;
}

/// Pair energies of Si-Si, with an element more that the GAP does not know.
std::string glue_xml(const std::string& y1 = "1e50", const std::string& yn = "0.0", const std::string& density = "0.0") {
  return fmt::format(
      "<Glue_params n_types=\"1\"><per_type_data type=\"1\" atomic_num=\"14\">\n<density num_points=\"2\" density_y1=\"0\" "
      "density_yn=\"0\"><point a=\"1\" rho=\"0.2\"/><point a=\"2\" rho=\"0.2\"/></density>\n<potential_density num_points=\"2\"><point "
      "rho=\"0\" E=\"0.0\"/><point rho=\"1\" E=\"{}\"/></potential_density></per_type_data>\n<per_pair_data type1=\"1\" type2=\"1\">"
      "<potential_pair num_points=\"5\" y1=\"{}\" yn=\"{}\"><point r=\"0.5\" E=\"60\"/><point r=\"1\" E=\"20.5\"/><point r=\"1.7\" "
      "E=\"4\"/><point r=\"2.4\" E=\"0.75\"/><point r=\"3.1\" E=\"0\"/></potential_pair></per_pair_data></Glue_params>\n",
      density, y1, yn);
}

constexpr const char* sum = "Sum init_args_pot1={IP Glue} init_args_pot2={IP GAP label=L}";

}  // namespace

TEST_CASE("distance_Nb of order 2 is distance_2b with compact clusters, and half of it without; the default depends on the version") {
  const double expected = pair_energy(read(pair_xml(pair, 1)));
  const std::string nb = "distance_Nb order=2 cutoff=4.0 cutoff_transition_width=1.0 Z={14 14} compact_clusters=";
  const Model compact = read(pair_xml(nb + "T", 1)), single = read(pair_xml(nb + "F", 1));
  check_close(pair_energy(compact), expected, 0, 1e-13);
  check_close(pair_energy(single), expected / 2, 0, 1e-13);
  CHECK(single.terms[0].delta == 1.0);
  std::string unsaid = pair_xml("distance_Nb order=2 cutoff=4.0 cutoff_transition_width=1.0 Z={14 14}", 1);
  check_close(pair_energy(read(unsaid)), expected, 0, 1e-13);
  for (const auto& [version, factor] : {std::pair{"1596837814", 1.0}, {"1596837813", 0.5}, {"1500000000", 0.5}}) {
    unsaid.replace(unsaid.find("gap_version=\"") + 13, 10, version);
    check_close(pair_energy(read(unsaid)), factor * expected, 0, 1e-13);
  }
  // Of pairs that count once QUIP's variance is another one.
  const auto local = [&](const Model& model) {
    Predictor predictor(std::make_shared<const Model>(model));
    predictor.compute(silicon(), {.local_std = true});
  };
  CHECK(message_of<InputError>([&] { local(single); }).find("counts each pair once") != std::string::npos);
  CHECK(message_of<InputError>([&] { local(compact); }) == "");
}

TEST_CASE("the covariance pp is the polynomial of smoothness 1, read and written") {
  const Model model = read(pair_xml(pair, 4));
  CHECK(model.terms[0].kernel_name == "piecewise_polynomial");
  // κ = (1−r)³ (3 r + 1) with r = |x − x'|/θ, cut off at both ends; each bond counts twice.
  const auto kernel = [](double x, double z) {
    const double r = std::abs(x - z) / 1.5;
    return r < 1 ? std::pow(1 - r, 3) * (3 * r + 1) : 0.0;
  };
  Structure dimer;
  dimer.atomic_numbers = {14, 14};
  dimer.positions = Positions{{0, 0, 0}, {0, 0, 2.6}};
  Predictor predictor(std::make_shared<const Model>(model));
  const double expected = -1.0 + 2 * 4.0 * (0.3 * kernel(2.6, 2.1) * 1.0 - 0.2 * kernel(2.6, 3.2) * 0.9);
  check_close(predictor.compute(dimer).energy, expected, 1e-11);

  const TemporaryFolder folder;
  write_gap_xml(model, folder.path() / "again.xml");
  CHECK(read_text(folder.path() / "again.xml").find("covariance_type=\"4\"") != std::string::npos);
  check_close(pair_energy(read_gap_xml(folder.path() / "again.xml").model), pair_energy(model), 0, 1e-14);
}

TEST_CASE("a sum of a Glue of pairs and a GAP is read as a GAP on a pair_spline, and written again") {
  const Model alone = read(pair_xml(pair, 1));
  for (const std::string& where : {glue_xml(), "<pairs><Potential label=\"p\" init_args=\"IP Glue\"/>" + glue_xml() + "</pairs>"}) {
    const Model model = read(pair_xml(pair, 1, sum, "T", where));
    REQUIRE(model.baselines.size() == 1);
    CHECK(model.baselines[0]->name() == "pair_spline");
    // The same tables as a configuration would give them.
    const std::string table = "pair Si Si\n0.5 60\n1 20.5\n1.7 4\n2.4 0.75\n3.1 0\n";
    Model expected = alone;
    expected.baselines.push_back(make_potential("pair_spline", {{"table", table}}));
    const Prediction a = predicted(model), b = predicted(expected);
    check_close(a.energy, b.energy, 1e-12);
    CHECK(largest_difference(*a.forces, *b.forces) <= 1e-12);
    CHECK(std::abs(a.energy - predicted(alone).energy) > 0.1);

    const TemporaryFolder folder;
    write_gap_xml(model, folder.path() / "sum.xml");
    const std::string text = read_text(folder.path() / "sum.xml");
    CHECK(text.find("init_args=\"Sum init_args_pot1={IP Glue} init_args_pot2={IP GAP label=GAP_sum_}\"") != std::string::npos);
    CHECK(text.find("do_core=\"T\"") != std::string::npos);
    check_close(predicted(read_gap_xml(folder.path() / "sum.xml").model).energy, a.energy, 1e-12);
  }
}

TEST_CASE("a Glue that is no pair_spline is refused with tag and line") {
  const auto refused = [](const std::string& glue, const std::vector<std::string>& parts, const std::string& init_args = sum,
                          const std::string& core = "T") {
    const std::string message = refusal(pair_xml(pair, 1, init_args, core, glue));
    CAPTURE(message);
    for (const std::string& part : parts) CHECK(message.find(part) != std::string::npos);
  };
  refused(glue_xml("1e50", "0.0", "0.3"), {"<potential_density>", "pair energies"});
  refused(glue_xml("-3.0"), {"<potential_pair>", "y1=-3"});
  refused(glue_xml("1e50", "0.1"), {"<potential_pair>", "yn=0.1"});
  refused("", {"<Glue_params>"});
  refused(glue_xml(), {"<Glue_params>", "init_args"}, "IP GAP label=L", "F");
  refused("", {"do_core='T'"}, "IP GAP label=L", "T");
  refused(glue_xml(), {"E_scale=2"}, "Sum init_args_pot1={IP Glue E_scale=2} init_args_pot2={IP GAP label=L}");
}

TEST_CASE("E_scale scales energies, also of isolated atoms, and forces") {
  const Prediction plain = predicted(read(pair_xml(pair, 1)));
  const Model model = read(pair_xml(pair, 1, "IP GAP label=L E_scale=1.25"));
  const Prediction scaled = predicted(model);
  check_close(scaled.energy, 1.25 * plain.energy, 1e-12);
  CHECK(largest_difference(*scaled.forces, Positions(1.25 * *plain.forces)) <= 1e-12);
  Predictor predictor(std::make_shared<const Model>(model));
  CHECK(message_of<InputError>([&] { predictor.compute(silicon(), {.local_std = true}); }).find("E_scale") != std::string::npos);
}

TEST_CASE("a GAP for QUIP is not written under a name that is not ASCII, nor without any sparse points") {
  Model model = read(pair_xml(pair, 1));
  const TemporaryFolder folder;
  CHECK(message_of<InputError>([&] { write_gap_xml(model, folder.path() / "größe.xml"); }).find("ASCII") != std::string::npos);
  Term& term = model.terms[0];
  term.sparse.x.resize(0, 1);
  term.sparse.covariance_cutoff.resize(0);
  model.weights.resize(0);
  CHECK(message_of<InputError>([&] { write_gap_xml(model, folder.path() / "m.xml"); }).find("no term has sparse points") !=
        std::string::npos);
  CHECK(fs::is_empty(folder.path()));
}
