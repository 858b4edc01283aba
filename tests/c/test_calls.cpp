// Errors, versions, threads, and reused neighbour lists.

#include <thread>

#include "c/c_support.hpp"
#include "c/evaluator.hpp"
#include "support/spring_potential.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A model of silicon and carbon with all kinds of terms, and a structure of both.
struct Example {
  const ToyModel& toy = c_models().back();
  Structure structure = toy_structures(toy.elements)[2].structure;
  Handle handle = handle_of(*toy.model);
};

/// The call fails with this code and a one-line message that contains this text; it writes no results, and the model still works.
void check_failure(const Example& e, int code, int expected, const std::string& text, const Results& results) {
  CAPTURE(text);
  const std::string message = gapkit_error_message();
  CAPTURE(message);
  CHECK(code == expected);
  CHECK(message.find(text) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(std::isnan(results.energy));
  CHECK(results.forces.array().isNaN().all());
  Results after(e.structure.size());
  test::evaluate(e.handle, e.structure, after.mean());
  CHECK(std::isfinite(after.energy));
}

/// Valid neighbours of the example; calls with changed ones must fail.
struct GhostFailures {
  Example e;
  double cutoff = e.toy.model->cutoff();
  Ghosts good = Ghosts(e.structure, all_atoms(e.structure.size()), cutoff + 0.3, cutoff + 0.3);

  template <class Change>
  void operator()(const Ghosts& ghosts, int expected, const std::string& text, Change&& change, bool with_force_std = false) const {
    gapkit_environments given = ghosts.view();
    change(given);
    Results r(ghosts.atoms());
    const gapkit_results results = with_force_std ? r.all() : r.mean();
    const int code = gapkit_evaluate_environments(e.handle.get(), &given, &results);
    check_failure(e, code, expected, text, r);
  }
};

}  // namespace

TEST_CASE("structures that cannot be evaluated: a code, one sentence, and no result") {
  const Example e;
  std::array<int, 3> pbc = {};
  const auto fails = [&](const Structure& s, int expected, const std::string& text, auto&& change) {
    gapkit_structure given = c_structure(s, pbc);
    change(given);
    Results r(e.structure.size());
    const gapkit_results results = r.all();
    const int code = gapkit_evaluate(e.handle.get(), &given, &results);
    check_failure(e, code, expected, text, r);
  };
  const auto as_it_is = [](gapkit_structure&) {};
  Structure s = e.structure;
  s.positions(3, 1) = not_a_number;
  fails(s, GAPKIT_ERROR_INPUT, "positions[3][1] is nan", as_it_is);
  s.positions(3, 1) = std::numeric_limits<double>::infinity();
  fails(s, GAPKIT_ERROR_INPUT, "positions[3][1] is inf", as_it_is);
  s = e.structure;
  s.atomic_numbers[2] = 79;
  fails(s, GAPKIT_ERROR_ELEMENT, "atomic_numbers[2] is 79 (Au), which the model does not know (it knows C, Si)", as_it_is);
  for (const int z : {0, -1, 119, 1'000'000}) {
    s.atomic_numbers[2] = z;
    fails(s, GAPKIT_ERROR_ELEMENT, "atomic_numbers[2] is " + std::to_string(z) + ", which", as_it_is);
  }
  s = e.structure;
  (*s.cell)(1, 2) = not_a_number;
  fails(s, GAPKIT_ERROR_INPUT, "cell vector 2", as_it_is);
  s.cell = Matrix3::Zero();
  fails(s, GAPKIT_ERROR_INPUT, "cell vector 1", as_it_is);
  s = e.structure;
  s.positions.row(1) = s.positions.row(0);  // at the same place
  s.atomic_numbers[1] = s.atomic_numbers[0];
  s.positions.row(1)[0] += 1e-300;
  {
    const gapkit_structure given = c_structure(s, pbc);
    Results r(s.size());
    const gapkit_results results = r.mean();
    const int code = gapkit_evaluate(e.handle.get(), &given, &results);
    check_failure(e, code, GAPKIT_ERROR_NUMERICAL, "not finite", r);  // the ZBL baseline is infinite there
  }
  s = e.structure;
  fails(s, GAPKIT_ERROR_INPUT, "n_atoms is -1", [](gapkit_structure& g) { g.n_atoms = -1; });
  fails(s, GAPKIT_ERROR_INPUT, "positions is NULL", [](gapkit_structure& g) { g.positions = nullptr; });
  fails(s, GAPKIT_ERROR_INPUT, "atomic_numbers is NULL", [](gapkit_structure& g) { g.atomic_numbers = nullptr; });
  fails(s, GAPKIT_ERROR_INPUT, "cell is NULL", [](gapkit_structure& g) { g.cell = nullptr; });
  fails(s, GAPKIT_ERROR_VERSION, "the size in structure is 0", [](gapkit_structure& g) { g.size = 0; });
  fails(s, GAPKIT_ERROR_VERSION, "the size in structure is", [](gapkit_structure& g) { g.size = static_cast<std::size_t>(-1); });
}

TEST_CASE("neighbours that do not reach far enough, and wrong owners: a code, one sentence, and no result") {
  const GhostFailures fails;
  const double cutoff = fails.cutoff;
  const Ghosts& good = fails.good;
  const auto as_it_is = [](gapkit_environments&) {};
  fails(good, GAPKIT_ERROR_NEIGHBORS, "the neighbour list reaches 4.19 Å (list_cutoff), expected at least the model's cutoff of 4.2 Å",
        [](gapkit_environments& g) { g.list_cutoff = 4.19; });
  fails(good, GAPKIT_ERROR_NEIGHBORS, "the neighbour list reaches nan Å", [](gapkit_environments& g) { g.list_cutoff = not_a_number; });

  // Error bars of forces: no owners and a halo of one cutoff, of almost two, of none
  for (const double halo : {cutoff, 1.999 * cutoff, 0.0, not_a_number})
    fails(
        good, GAPKIT_ERROR_NEIGHBORS, "a halo of 8.4 Å, found",
        [halo](gapkit_environments& g) {
          g.owners = nullptr;
          g.halo = halo;
        },
        true);
  Ghosts bad = good;
  bad.owners.back() = -1;
  fails(bad, GAPKIT_ERROR_NEIGHBORS, "a halo of 8.4 Å, found", as_it_is, true);
  bad.owners.back() = bad.atoms();
  fails(bad, GAPKIT_ERROR_INPUT, "expected −1 …", as_it_is, true);
  bad.owners.back() = bad.atoms() - 1;
  fails(bad, GAPKIT_ERROR_INPUT, "which is not a centre", as_it_is, true);
  bad.owners = good.owners;
  bad.owners[0] = 1;
  fails(bad, GAPKIT_ERROR_INPUT, "atom 0 is a centre and owns itself", as_it_is, true);
  bad.owners = good.owners;
  for (const int i : good.centres)
    if (good.atomic_numbers[static_cast<std::size_t>(i)] != good.atomic_numbers.back()) bad.owners.back() = i;
  fails(bad, GAPKIT_ERROR_INPUT, "their atomic numbers are", as_it_is, true);
}

TEST_CASE("neighbour lists and indices that are wrong: a code, one sentence, and no result") {
  const GhostFailures fails;
  const Ghosts& good = fails.good;
  const auto as_it_is = [](gapkit_environments&) {};
  // Half of the pairs of centres, as molecular-dynamics programs often have them
  Ghosts half = good;
  half.neighbors.clear();
  half.first = {0};
  for (std::size_t c = 0; c < half.centres.size(); ++c) {
    for (std::size_t p = good.first[c]; p < good.first[c + 1]; ++p)
      if (good.neighbors[p] > good.centres[c]) half.neighbors.push_back(good.neighbors[p]);
    half.first.push_back(half.neighbors.size());
  }
  fails(half, GAPKIT_ERROR_NEIGHBORS, "the neighbour list is not full", as_it_is);
  Ghosts bad = good;
  bad.neighbors[5] = bad.atoms();
  fails(bad, GAPKIT_ERROR_INPUT, "neighbors[5] (of centre 0) is", as_it_is);
  bad.neighbors[5] = -7;
  fails(bad, GAPKIT_ERROR_INPUT, "neighbors[5] (of centre 0) is -7", as_it_is);
  bad.neighbors[5] = 0;
  fails(bad, GAPKIT_ERROR_NEIGHBORS, "neighbors[5] is 0, the centre itself", as_it_is);
  bad = good;
  bad.first[2] = bad.first[1] - 1;
  fails(bad, GAPKIT_ERROR_INPUT, "smaller than first[1]", as_it_is);
  bad = good;
  bad.centres[1] = bad.centres[0];
  fails(bad, GAPKIT_ERROR_INPUT, "centres[0] and centres[1] are both atom 0", as_it_is);
  bad.centres[1] = bad.atoms();
  fails(bad, GAPKIT_ERROR_INPUT, "centres[1] is", as_it_is);
  bad = good;
  bad.positions(bad.atoms() - 1, 2) = not_a_number;  // a ghost
  fails(bad, GAPKIT_ERROR_INPUT, "][2] is nan", as_it_is);
  bad = good;
  bad.atomic_numbers.back() = 1;
  fails(bad, GAPKIT_ERROR_ELEMENT, "is 1 (H), which the model does not know", as_it_is);
  fails(good, GAPKIT_ERROR_INPUT, "more than n_atoms", [](gapkit_environments& g) { g.n_centres = g.n_atoms + 1; });
  fails(good, GAPKIT_ERROR_INPUT, "first is NULL", [](gapkit_environments& g) { g.first = nullptr; });
  fails(good, GAPKIT_ERROR_INPUT, "neighbors is NULL", [](gapkit_environments& g) { g.neighbors = nullptr; });
  fails(good, GAPKIT_ERROR_INPUT, "n_centres is -2", [](gapkit_environments& g) { g.n_centres = -2; });
  fails(good, GAPKIT_ERROR_VERSION, "the size in environments is 8", [](gapkit_environments& g) { g.size = 8; });
}

TEST_CASE("models: wrong files, versions, null pointers") {
  const Example e;
  const TemporaryFolder folder;
  gapkit_model* model = e.handle.get();
  CHECK(gapkit_load((folder.path() / "none.h5").c_str(), GAPKIT_INTERFACE, &model) == GAPKIT_ERROR_FILE);
  CHECK(model == nullptr);
  CHECK(std::string(gapkit_error_message()).find("none.h5") != std::string::npos);
  CHECK(gapkit_load(folder.write("text.h5", "not a model").c_str(), GAPKIT_INTERFACE, &model) == GAPKIT_ERROR_FILE);
  CHECK(gapkit_load(folder.write("text.xml", "<GAP_params").c_str(), GAPKIT_INTERFACE, &model) == GAPKIT_ERROR_FILE);
  save_model(*e.toy.model, folder.path() / "good.h5");
  CHECK(gapkit_load((folder.path() / "good.h5").c_str(), GAPKIT_INTERFACE + 1, &model) == GAPKIT_ERROR_VERSION);
  CHECK(std::string(gapkit_error_message()).find("compiled for version " + std::to_string(GAPKIT_INTERFACE + 1)) != std::string::npos);
  CHECK(model == nullptr);
  CHECK(gapkit_interface() == GAPKIT_INTERFACE);
  CHECK(gapkit_load(nullptr, GAPKIT_INTERFACE, &model) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_load("x", GAPKIT_INTERFACE, nullptr) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_share(nullptr, &model) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_evaluate(nullptr, nullptr, nullptr) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_evaluate(e.handle.get(), nullptr, nullptr) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_evaluate_environments(e.handle.get(), nullptr, nullptr) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_skin(e.handle.get(), not_a_number) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_skin(e.handle.get(), -1) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_skin(e.handle.get(), 1e3) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_error_bar_points(e.handle.get(), -1) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_threads(0) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_precision(e.handle.get(), 2) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_set_precision(nullptr, GAPKIT_SINGLE) == GAPKIT_ERROR_INPUT);
  CHECK(gapkit_cutoff(nullptr) == 0);
  CHECK(gapkit_elements(nullptr, nullptr, 0) == 0);
  gapkit_free(nullptr);
  std::array<int, 3> elements = {0, 0, 0};
  CHECK(gapkit_elements(e.handle.get(), elements.data(), 1) == 2);
  CHECK(elements == std::array<int, 3>{6, 0, 0});
  CHECK(gapkit_elements(e.handle.get(), elements.data(), 3) == 2);
  CHECK(elements == std::array<int, 3>{6, 14, 0});
}

TEST_CASE("single precision: close to double precision, kept by gapkit_share(), and taken back") {
  const Example e;
  const int n = e.structure.size();
  Results full(n), single(n), shared(n), again(n), bars(n), bars_of_single(n);
  test::evaluate(e.handle, e.structure, full.mean());
  test::evaluate(e.handle, e.structure, bars.all());
  REQUIRE(gapkit_set_precision(e.handle.get(), GAPKIT_SINGLE) == GAPKIT_OK);
  test::evaluate(e.handle, e.structure, single.mean());
  test::evaluate(e.handle, e.structure, bars_of_single.all());
  gapkit_model* another = nullptr;
  REQUIRE(gapkit_share(e.handle.get(), &another) == GAPKIT_OK);
  const Handle owner(another);
  test::evaluate(owner, e.structure, shared.mean());
  REQUIRE(gapkit_set_precision(e.handle.get(), GAPKIT_DOUBLE) == GAPKIT_OK);
  test::evaluate(e.handle, e.structure, again.mean());
  CHECK(single.forces != full.forces);
  CHECK(largest_difference(single.forces, full.forces) <= 1e-5 * (1 + largest_entry(full.forces)));
  CHECK(shared.forces == single.forces);
  CHECK(again.forces == full.forces);
  CHECK(bars_of_single.forces == bars.forces);  // a call with error bars is in double precision
}

TEST_CASE("structures of a later version are accepted if this version knows all their requests") {
  const Example e;
  std::array<int, 3> pbc = {};
  const gapkit_structure given = c_structure(e.structure, pbc);
  struct Later {
    gapkit_results known;
    double* more;
  };
  Results r(e.structure.size());
  Later later{r.mean(), nullptr};
  later.known.size = sizeof later;
  CHECK(gapkit_evaluate(e.handle.get(), &given, &later.known) == GAPKIT_OK);
  CHECK(std::isfinite(r.energy));
  Results none(e.structure.size());
  later = {none.mean(), &none.energy};
  later.known.size = sizeof later;
  const int code = gapkit_evaluate(e.handle.get(), &given, &later.known);
  check_failure(e, code, GAPKIT_ERROR_VERSION, "the size in results is", none);
}

TEST_CASE("a potential of QUIP has no error bars, a structure-level baseline no environments: errors, and the rest works") {
  const std::string path = (source_folder() / "tests/data/gap_models/D_sic_2bsoap.xml").string();
  gapkit_model* loaded = nullptr;
  REQUIRE(gapkit_load(path.c_str(), GAPKIT_INTERFACE, &loaded) == GAPKIT_OK);
  const Handle xml(loaded);
  CHECK(gapkit_has_error_bars(xml.get()) == 0);
  const Structure s = random_triclinic(6, 74, {6, 14});
  std::array<int, 3> pbc = {};
  const gapkit_structure given = c_structure(s, pbc);
  Results r(s.size());
  gapkit_results results = r.all();
  CHECK(gapkit_evaluate(xml.get(), &given, &results) == GAPKIT_ERROR_ERROR_BARS);
  CHECK(std::isnan(r.energy));
  test::evaluate(xml, s, r.mean());
  CHECK(std::isfinite(r.energy));

  const Example e;
  CHECK(gapkit_has_error_bars(e.handle.get()) == 1);
  Model with_springs = *e.toy.model;
  with_springs.baselines.push_back(std::make_shared<SpringPotential>(0.01));
  auto model = std::make_shared<const Model>(with_springs);
  c::Evaluator evaluator(model);
  const Ghosts ghosts(s, all_atoms(s.size()), model->cutoff(), model->cutoff());
  Results of_ghosts(ghosts.atoms());
  const auto code_of = [](auto&& call) {
    try {
      call();
    } catch (const c::Failure& failure) {
      return failure.code();
    }
    return 0;
  };
  CHECK(code_of([&] { evaluator.evaluate(ghosts.view(), of_ghosts.mean()); }) == GAPKIT_ERROR_UNSUPPORTED);
  Results of_structure(s.size());
  results = of_structure.mean();
  CHECK(code_of([&] { evaluator.evaluate(given, results); }) == GAPKIT_ERROR_UNSUPPORTED);
  results.atom_virials = nullptr;
  evaluator.evaluate(given, results);
  check_close(of_structure.energy, Predictor(model).compute(s).energy, 1e-12, 1e-12);
}

TEST_CASE("settings: fewer points for error bars, no calibration; a shared model has a copy of them") {
  Model model = *c_models()[0].model;
  model.calibration.emplace();
  model.calibration->factors.push_back({.property = Property::energy, .a = 2, .b = 3});
  const Handle handle = handle_of(model);
  const Structure s = toy_structures({14})[2].structure;
  Results calibrated(s.size()), raw(s.size()), fewer(s.size()), shared(s.size());
  test::evaluate(handle, s, calibrated.all());
  REQUIRE(gapkit_set_calibration(handle.get(), 0) == GAPKIT_OK);
  test::evaluate(handle, s, raw.all());
  CHECK(calibrated.energy_std > 1.9 * raw.energy_std);
  REQUIRE(gapkit_set_error_bar_points(handle.get(), 5) == GAPKIT_OK);
  test::evaluate(handle, s, fewer.all());
  CHECK(fewer.energy_std_epistemic > raw.energy_std_epistemic);
  check_close(fewer.energy, raw.energy, 1e-12, 1e-12);
  gapkit_model* another = nullptr;
  REQUIRE(gapkit_share(handle.get(), &another) == GAPKIT_OK);
  const Handle second(another);
  test::evaluate(second, s, shared.all());
  check_close(shared.energy_std, fewer.energy_std, 0, 1e-7);
}

TEST_CASE("atoms that move step by step: equal to new neighbour lists") {
  const Example e;
  const Handle fresh = handle_of(*e.toy.model);
  REQUIRE(gapkit_set_skin(fresh.get(), 0) == GAPKIT_OK);
  std::mt19937 random(75);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (const ToyStructure& sample : toy_structures(e.toy.elements)) {
    CAPTURE(sample.label);
    Structure s = sample.structure;
    for (int step = 0; step < 40; ++step) {
      CAPTURE(step);
      for (double& x : s.positions.reshaped()) x += 0.02 * uniform(random);
      if (s.cell && step % 4 == 3) {  // a barostat
        Matrix3 strain = Matrix3::Identity();
        for (double& x : strain.reshaped()) x += 0.004 * uniform(random);
        s = deformed(s, strain);
      }
      if (s.cell && s.pbc[1] && step % 10 == 9) s.positions.row(0) += s.cell->row(1);  // wrapped differently
      if (step == 20) std::swap(s.atomic_numbers.front(), s.atomic_numbers.back());
      Results kept(s.size()), made(s.size());
      test::evaluate(e.handle, s, kept.mean());
      test::evaluate(fresh, s, made.mean());
      check_close(kept.energy, made.energy, 1e-12, 1e-12);
      CHECK(largest_difference(kept.forces, made.forces) <= 1e-12 * (1 + largest_entry(made.forces)));
      CHECK(largest_difference(kept.virial, made.virial) <= 1e-12 * (1 + largest_entry(made.virial)));
    }
  }
}

TEST_CASE("two threads with one model, and with a model each, get the results of one thread") {
  const Example e;
  gapkit_model* another = nullptr;
  REQUIRE(gapkit_share(e.handle.get(), &another) == GAPKIT_OK);
  const Handle second(another);
  const std::vector<ToyStructure> samples = toy_structures(e.toy.elements);
  std::vector<Results> expected;
  for (const ToyStructure& sample : samples) {
    expected.emplace_back(sample.structure.size());
    test::evaluate(e.handle, sample.structure, expected.back().all());
  }
  for (gapkit_model* of_second : {e.handle.get(), second.get()}) {
    std::array<double, 2> worst = {0, 0};
    std::array<int, 2> failures = {0, 0};
    const auto work = [&](gapkit_model* model, std::size_t thread) {
      gapkit_set_threads(1);
      for (int round = 0; round < 6; ++round)
        for (std::size_t k = 0; k < samples.size(); ++k) {
          const std::size_t i = thread == 0 ? k : samples.size() - 1 - k;
          std::array<int, 3> pbc = {};
          const gapkit_structure given = c_structure(samples[i].structure, pbc);
          Results r(given.n_atoms);
          const gapkit_results results = r.all();
          failures[thread] += gapkit_evaluate(model, &given, &results) != GAPKIT_OK;
          worst[thread] = worse(worst[thread], std::abs(r.energy - expected[i].energy) / (1 + std::abs(expected[i].energy)));
          worst[thread] = worse(worst[thread], largest_difference(r.forces, expected[i].forces) / (1 + largest_entry(expected[i].forces)));
          worst[thread] = worse(worst[thread], 1e-5 * largest_difference(r.forces_std, expected[i].forces_std));
          // Each thread has a message of its own.
          failures[thread] += gapkit_set_skin(model, thread == 0 ? -1.0 : -2.0) == GAPKIT_OK;
          failures[thread] += std::string(gapkit_error_message()).find(thread == 0 ? "is -1 " : "is -2 ") == std::string::npos;
        }
    };
    std::thread first(work, e.handle.get(), std::size_t{0}), other(work, of_second, std::size_t{1});
    first.join();
    other.join();
    CHECK(failures == std::array<int, 2>{0, 0});
    for (const double w : worst) CHECK(w <= 1e-12);
  }
}
