// Fits without a configuration: choices for kinds of data.

#include <cmath>
#include <gapkit/config/config.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>
#include <random>

#include "config/automatic_networks.hpp"
#include "support/counted_dataset.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Simple cubic crystals of lattice constant `a` with small displacements.
std::vector<Structure> cubic(double a, int count) {
  std::vector<Structure> frames;
  std::mt19937_64 random(3);
  test::Normal normal;
  for (int f = 0; f < count; ++f) {
    Structure s;
    s.cell = Matrix3::Identity() * (2 * a);
    s.pbc = {true, true, true};
    s.atomic_numbers.assign(8, 14);
    s.positions.resize(8, 3);
    for (int i = 0; i < 8; ++i)
      for (int c = 0; c < 3; ++c) s.positions(i, c) = a * ((i >> c) & 1) + 0.05 * normal(random);
    frames.push_back(labelled(s));
  }
  return frames;
}

/// Clusters of carbon and silicon without a cell.
std::vector<Structure> clusters(int count) {
  std::vector<Structure> frames;
  for (int f = 0; f < count; ++f) {
    Structure s = random_triclinic(6, static_cast<unsigned>(f + 1), {6, 14});
    s.cell.reset();
    s.pbc = {false, false, false};
    frames.push_back(labelled(s));
  }
  return frames;
}

struct Setup {
  TemporaryFolder folder;
  AutomaticChoice choose(const std::vector<Structure>& frames, double seconds = 600) const {
    AutomaticRequest request;
    request.train = {write_frames((folder.path() / "train.xyz").string(), frames)};
    request.model_path = (folder.path() / "model.h5").string();
    request.seconds = seconds;
    const FitFiles files(request.train, {}, request.keys);
    return choose_fit_options(files.data(), request);
  }
  DataSummary summary(const std::vector<Structure>& frames) const {
    return summarize_data(FileDataset({write_frames((folder.path() / "train.xyz").string(), frames)}));
  }
};

const TermOptions& term_named(const FitConfiguration& options, const std::string& name) {
  for (const TermOptions& t : options.terms)
    if (t.name == name) return t;
  FAIL("no term ", name);
  return options.terms.front();
}

}  // namespace

TEST_CASE("summary of data: neighbours, nearest distance, isolated atoms, forces") {
  const Setup setup;
  std::vector<Structure> frames = cubic(3.0, 4);
  frames.push_back(lone_atom(14));
  const DataSummary data = setup.summary(frames);
  CHECK(data.frames == 5);
  CHECK(data.atoms == 33);
  CHECK(data.periodic == 4);
  CHECK_FALSE(data.is_molecular());
  check_close(data.neighbors_within(2.5), 0, 1e-12);
  check_close(data.neighbors_within(3.6), 6, 1e-12);
  check_close(data.neighbors_within(4.7), 18, 1e-12);
  check_close(data.neighbors_within(5.6), 26, 1e-12);
  check_close(data.nearest, 2.93, 0.06);
  check_close(data.isolated.at(14), lone_atom_energy(14), 1e-12);
  double square = 0;
  for (int f = 0; f < 4; ++f) square += frames[static_cast<std::size_t>(f)].forces->squaredNorm();
  check_close(data.force_rms, std::sqrt(square / (4 * 24 + 3)), 1e-9);
}

TEST_CASE("the cutoff of one element holds 34 neighbours, of several about 30 between shells, and follows the scale of the crystal") {
  const Setup setup;
  for (const double a : {2.3, 2.6}) {
    CAPTURE(a);
    std::vector<Structure> frames = cubic(a, 4);
    const DataSummary pure = setup.summary(frames);
    const double of_one = choose_cutoff(pure);
    CHECK(pure.neighbors_within(of_one) >= 34);
    CHECK(pure.neighbors_within(of_one - 0.1) < 34);
    for (Structure& s : frames) s.atomic_numbers[0] = 32;
    const DataSummary data = setup.summary(frames);
    const double cutoff = choose_cutoff(data);
    CHECK(cutoff < of_one);
    // shells of the simple cubic lattice: 1, √2, √3, 2, √5 with 6, 18, 26, 32, 56 neighbours
    CHECK(cutoff > 1.8 * a);
    CHECK(cutoff < 2.2 * a);
    CHECK(data.neighbors_within(cutoff) >= 26);
    CHECK(data.neighbors_within(cutoff) <= 40);
  }
  CHECK(choose_cutoff(setup.summary(clusters(3))) == 4.5);
}

TEST_CASE("crystals get pairs and SOAP, molecules also triplets; reference energies depend on the data") {
  const Setup setup;
  std::vector<Structure> frames = cubic(2.6, 25);
  const AutomaticChoice crystal = setup.choose(frames);
  CHECK(crystal.options.terms.size() == 2);
  CHECK(term_named(crystal.options, "soap").descriptor_parameters.integer("l_max") == 8);
  CHECK(term_named(crystal.options, "soap").n_sparse == 110);  // 0.55 of 200
  CHECK(crystal.options.reference_energies.mode == ReferenceEnergyOptions::Mode::least_squares);
  CHECK(crystal.options.use[Property::virial]);
  CHECK(crystal.options.calibration.source == CalibrationOptions::Source::leave_one_out);
  CHECK(crystal.reasons.size() >= 6);
  frames.push_back(lone_atom(14));
  CHECK(setup.choose(frames).options.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated);

  const AutomaticChoice molecules = setup.choose(clusters(12));
  CHECK(molecules.options.terms.size() == 3);
  CHECK(term_named(molecules.options, "three_body").n_sparse > 0);
  CHECK_FALSE(molecules.options.use[Property::virial]);
  CHECK(molecules.options.calibration.source == CalibrationOptions::Source::leave_one_out);
}

TEST_CASE("SOAP gets a learned metric, except for few structures, few atoms of an element, or no forces, with the reason") {
  const Setup setup;
  const auto reason_of = [](const AutomaticChoice& choice) {
    for (const std::string& reason : choice.reasons)
      if (reason.starts_with("features of SOAP")) return reason;
    return std::string();
  };
  std::vector<Structure> frames = cubic(2.6, 40);
  const AutomaticChoice many = setup.choose(frames);
  const TermOptions& soap = term_named(many.options, "soap");
  CHECK(soap.compression.kind == "learned");
  CHECK(soap.compression.rank == 64);
  CHECK(soap.compression.floor == 1e-3);
  CHECK(soap.kernel == "polynomial");
  CHECK(soap.kernel_parameters.integer("zeta") == 4);
  CHECK(term_named(many.options, "two_body").compression.kind == "none");
  CHECK(reason_of(many).find("64 for each element") != std::string::npos);

  const auto check_full = [&](const std::vector<Structure>& given, const std::string& why) {
    CAPTURE(why);
    const AutomaticChoice choice = setup.choose(given);
    CHECK(term_named(choice.options, "soap").compression.kind == "none");
    CHECK(term_named(choice.options, "soap").kernel == "dot_product");
    CHECK(reason_of(choice).find(why) != std::string::npos);
  };
  // Single atoms are no structures that a metric is learned from.
  std::vector<Structure> few(frames.begin(), frames.begin() + 39);
  few.push_back(lone_atom(14));
  check_full(few, "needs 40 structures, the data have 39");
  std::vector<Structure> rare = frames;
  for (std::size_t f = 0; f < 39; ++f) rare[f].atomic_numbers[0] = 6;
  check_full(rare, "needs 100 atoms of each element, the data have 39 of C");
  std::vector<Structure> energies = frames;
  for (Structure& s : energies) {
    s.forces.reset();
    std::erase_if(s.columns, [](const Column& c) { return c.name == "forces"; });
  }
  check_full(energies, "which the data lack");

  const AutomaticChoice molecules = setup.choose(clusters(60));
  CHECK(term_named(molecules.options, "soap").compression.kind == "learned");
  CHECK(term_named(molecules.options, "soap").compression.rank == 96);
  CHECK(term_named(molecules.options, "soap").selection == "variance");
  // Few points with all features beside it, and not for solids.
  CHECK(molecules.options.terms.back().name == "soap");
  CHECK(term_named(molecules.options, "soap_full").compression.kind == "none");
  CHECK(term_named(molecules.options, "soap_full").kernel == "dot_product");
  CHECK(term_named(molecules.options, "soap_full").n_sparse == 100);
  CHECK(many.options.terms.size() == 2);
}

TEST_CASE("SOAP of crystals of four elements gets three fifths of its channels") {
  const Setup setup;
  std::vector<Structure> frames = cubic(2.6, 60);
  for (const std::size_t elements : {std::size_t{3}, std::size_t{4}}) {
    CAPTURE(elements);
    const std::vector<int> z = {41, 42, 73, 74};
    for (Structure& s : frames)
      for (std::size_t i = 0; i < s.atomic_numbers.size(); ++i) s.atomic_numbers[i] = z[i % elements];
    const Parameters& soap = term_named(setup.choose(frames).options, "soap").descriptor_parameters;
    CHECK(soap.integer("n_max") == (elements == 4 ? 6 : 8));
    CHECK(soap.integer("channels") == (elements == 4 ? 15 : 0));
  }
}

TEST_CASE("less time, less work") {
  const Setup setup;
  const std::vector<Structure> frames = cubic(2.6, 40);
  const AutomaticChoice much = setup.choose(frames, 3600), little = setup.choose(frames, 0.6);
  CHECK(term_named(little.options, "soap").n_sparse < term_named(much.options, "soap").n_sparse);
  CHECK(term_named(little.options, "soap").n_sparse >= 50);
  CHECK(much.seconds < 3600);
}

TEST_CASE("the choice reads back as a configuration and fits") {
  const Setup setup;
  for (const int count : {1, 2, 20, 40}) {  // with all features, and with a learned metric
    CAPTURE(count);
    const AutomaticChoice choice = setup.choose(cubic(2.6, count));
    const FitConfiguration again = parse_fit_options(fit_options_to_toml(choice.options), "chosen.toml", "/");
    CHECK(fit_options_to_toml(again) == fit_options_to_toml(choice.options));
    CHECK((choice.options.optimize.objective == OptimizeOptions::Objective::cross_validation) == (count > 1));
    const FitResult result = fit(choice.options);
    CHECK(result.model.calibration.has_value() == (count >= 20));
    CHECK(result.model.weights.allFinite());
    CHECK((result.model.terms.back().descriptor->feature_map() != nullptr) == (count == 40));
  }
}

TEST_CASE("sigma of energies and virials keep their ratio to that of the forces, unless few structures have forces") {
  const Setup setup;
  std::vector<Structure> frames = cubic(2.6, 20);
  for (Structure& s : frames)
    if (s.forces) *s.forces *= 3;
  const FitConfiguration with = setup.choose(frames).options;
  const SigmaOptions& sigma = with.regularization.standard;
  check_close(sigma[Property::energy] / sigma[Property::force], 0.05, 0, 1e-12);
  check_close(sigma[Property::virial] / sigma[Property::force], 1.4, 0, 1e-12);
  CHECK(with.optimize.weights[Property::energy] == 0);
  CHECK(with.optimize.weights[Property::force] == 1);
  CHECK(!with.optimize.delta);
  for (std::size_t i = 5; i < frames.size(); ++i) {
    frames[i].forces.reset();
    std::erase_if(frames[i].columns, [](const Column& c) { return c.name == "forces"; });
  }
  const FitConfiguration few = setup.choose(frames).options;
  CHECK(few.optimize.weights == PerTarget<double>(1.0));
  CHECK(few.regularization.standard[Property::energy] == 0.002);
  CHECK(setup.choose(clusters(60)).options.optimize.weights == PerTarget<double>(1.0));
}

TEST_CASE("data without energies and forces are refused") {
  const Setup setup;
  Structure bare = cubic(2.6, 1).front();
  bare.energy.reset();
  bare.forces.reset();
  bare.virial.reset();
  bare.fields.clear();
  bare.columns.clear();
  CHECK(message_of<InputError>([&] { setup.choose({bare}); }).find("neither energies nor forces") != std::string::npos);
}

TEST_CASE("a choice visits the data twice, with little time too") {
  const MemoryDataset data(cubic(3.0, 30));
  std::vector<int> points;
  for (const double seconds : {600.0, 1e-3}) {
    CAPTURE(seconds);
    const CountedDataset counted(data);
    AutomaticRequest request;
    request.seconds = seconds;
    points.push_back(term_named(choose_fit_options({counted}, request).options, "soap").n_sparse);
    CHECK(counted.frames() == 60);
  }
  CHECK(points[1] < points[0]);  // after several attempts
}

TEST_CASE("kernels of networks are not tried where that takes too much time or memory") {
  const Setup setup;
  const std::vector<Structure> frames = cubic(2.6, 25);
  AutomaticChoice choice = setup.choose(frames);
  const auto about_networks = [](const std::vector<std::string>& reasons) {
    std::vector<std::string> found;
    for (const std::string& reason : reasons)
      if (reason.find("networks: not tried") != std::string::npos || reason.rfind("ntk on", 0) == 0) found.push_back(reason);
    return found;
  };
  CHECK(!about_networks(choice.reasons).empty());
  FitConfiguration options = choice.options;
  const std::size_t elements = 1;
  const std::vector<NetworkCandidate> candidates = network_candidates(options, elements);
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[0].options.terms.back().descriptor == "soap");
  CHECK(candidates[1].options.terms.back().descriptor == "symmetry_functions");
  for (const NetworkCandidate& candidate : candidates) {
    CHECK(candidate.options.terms.back().kernel == "ntk");
    CHECK(candidate.options.terms.back().n_sparse == options.terms.back().n_sparse);
    CHECK(candidate.options.terms.front().name == options.terms.front().name);
  }
  const MemoryDataset data(frames);
  const DataSummary summary = summarize_data(data);
  std::vector<std::string> reasons;
  choose_network({.train = data}, summary, 0, options, reasons, {});  // no time
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("not tried, as this would take") != std::string::npos);
  FitConfiguration tight = options;
  tight.memory = 1e-6;
  choose_network({.train = data}, summary, 1e6, tight, reasons, {});
  REQUIRE(reasons.size() == 2);
  CHECK(reasons[1].find("not tried, for lack of memory") != std::string::npos);
  CHECK(options.terms.back().kernel == choice.options.terms.back().kernel);
}

namespace {

/// Crystals of many lattice constants with the energies Σ F(ρ) and their forces, ρ = Σ_neighbours (1−x)³(1+3x) with x = r/4 Å. F is a
/// rounded |ρ − 1|, a sum of two functions of neurons; or −√ρ with errors of 0.1 eV and 0.1 eV/Å, which no kernel can predict.
std::vector<Structure> embedded(int count, bool has_bend) {
  constexpr double cutoff = 4.0, middle = 1.0, width = 0.15;
  std::vector<Structure> frames = cubic(2.6, count);
  std::mt19937_64 random(7);
  test::Normal normal;
  for (Structure& s : frames) {
    const double a = test::Uniform(2.4, 3.2)(random);
    s.cell = Matrix3::Identity() * (2 * a);
    for (int i = 0; i < 8; ++i)
      for (int c = 0; c < 3; ++c) s.positions(i, c) = a * ((i >> c) & 1) + 0.1 * normal(random);
    const NeighborList near(s, cutoff);
    s.energy = 0;
    s.virial.reset();
    s.forces = decltype(s.positions)::Zero(8, 3);
    for (std::size_t i = 0; i < 8; ++i) {
      double density = 0;
      for (std::size_t p = near.begin()[i]; p < near.begin()[i + 1]; ++p) {
        const double x = near.distance()[p] / cutoff;
        density += std::pow(1 - x, 3) * (1 + 3 * x);
      }
      const double z = (density - middle) / width, root = std::sqrt(density + 0.05);
      *s.energy += has_bend ? width * std::log(2 * std::cosh(z)) : -root;
      const double slope = has_bend ? std::tanh(z) : -0.5 / root;
      for (std::size_t p = near.begin()[i]; p < near.begin()[i + 1]; ++p) {
        const double r = near.distance()[p], x = r / cutoff;
        const Vector3 push = slope * -12 * x * std::pow(1 - x, 2) / (cutoff * r) * near.vector()[p];
        s.forces->row(static_cast<Eigen::Index>(i)) += push.transpose();
        s.forces->row(near.index()[p]) -= push.transpose();
      }
    }
    if (has_bend) continue;
    *s.energy += 0.1 * normal(random);
    for (double& component : s.forces->reshaped()) component += 0.1 * normal(random);
  }
  return frames;
}

}  // namespace

TEST_CASE("kernels of networks are kept if they lower the errors of left-out folds clearly, and not otherwise") {
  for (const bool has_bend : {true, false}) {
    CAPTURE(has_bend);
    const std::vector<Structure> all = embedded(80, has_bend), frames(all.begin(), all.begin() + 60);
    const Setup setup;
    FitConfiguration options = setup.choose(frames).options;
    const std::vector<TermOptions> before = options.terms;
    const MemoryDataset data(frames);
    std::vector<std::string> reasons;
    choose_network({.train = data}, summarize_data(data), 1e6, options, reasons, {});
    REQUIRE(reasons.size() == 2);
    for (const std::string& reason : reasons) CHECK(reason.find("60 structures in 10 folds") != std::string::npos);
    CAPTURE(reasons[0]);
    CAPTURE(reasons[1]);
    REQUIRE(options.terms.size() == before.size());
    CHECK(options.terms.front().name == before.front().name);
    const TermOptions& last = options.terms.back();
    CHECK((reasons[1].find("it helps") != std::string::npos) == has_bend);
    CHECK(last.descriptor == (has_bend ? "symmetry_functions" : "soap"));
    CHECK(last.kernel == (has_bend ? "ntk" : before.back().kernel));
    if (!has_bend) continue;
    // It helps structures that no fit has seen.
    options.calibration.source = CalibrationOptions::Source::none;
    FitConfiguration without = options;
    without.terms = before;
    const auto error = [&](const FitConfiguration& chosen) {
      Predictor predictor(std::make_shared<const Model>(fit(FitData{data}, chosen).model));
      double square = 0;
      for (std::size_t f = frames.size(); f < all.size(); ++f)
        square += (predictor.compute(all[f]).forces.value() - *all[f].forces).squaredNorm();
      return std::sqrt(square);
    };
    CHECK(error(options) < 0.5 * error(without));
  }
}
