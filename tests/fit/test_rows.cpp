// Which rows a fit sees, with which σ, and after which reference energies.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<Structure> some_frames(const std::vector<int>& elements, unsigned count = 4) {
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= count; ++seed) frames.push_back(labelled(random_triclinic(4, seed, elements)));
  return frames;
}

FitConfiguration options_for(const TemporaryFolder& folder, const std::vector<Structure>& frames) {
  return small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 6), small_soap(2, 2, 2, 6)});
}

// "energy default 3", "force default fixed 12": rows of each group that has any, in order.
std::vector<std::string> row_counts(const FitPlan& plan) {
  std::vector<std::string> result;
  for (const FitPlan::GroupPlan& g : plan.groups)
    if (g.rows > 0)
      result.push_back(std::string(property_name(g.group.property)) + " " + g.group.config_class + (g.group.fixed ? " fixed " : " ") +
                       std::to_string(g.rows));
  return result;
}

void set_mask(Structure& s, const std::vector<bool>& mask) {
  s.columns.push_back({"force_mask", 1, mask});
}

// Fits that mean the same give the same weights and evidence.
void check_same_fit(const FitConfiguration& a, const FitConfiguration& b) {
  const FitResult first = fit(a), second = fit(b);
  const Vector &u = first.model.posterior.mean, &v = second.model.posterior.mean;
  REQUIRE(u.size() == v.size());
  CHECK(largest_difference(u, v) <= 1e-9 * u.cwiseAbs().maxCoeff());
  check_close(second.report.log_evidence, first.report.log_evidence, 0, 1e-10);
}

}  // namespace

TEST_CASE("rows go to the group of their property and class, those with a sigma of their own to a fixed one") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = some_frames({14}, 6);  // 4 atoms: 1 + 12 + 6 rows each
  frames[1] = labelled(frames[1], "surface");
  frames[2] = labelled(frames[2], "unknown class");
  frames[3].set_field("energy_sigma", 0.01);
  frames[3].set_field("virial_sigma", 0.1);
  frames[4].set_field("force_sigma", 0.3);
  set_mask(frames[4], {true, false, false, true});
  frames[5].set_column("force_atom_sigma", 1, {0.1, 0.2, 0.3, 0.4});
  set_mask(frames[5], {false, false, true, false});
  FitConfiguration options = options_for(folder, frames);
  options.regularization.config_type["surface"] = {0.1, 0.1, 0.1};
  const std::vector<std::string> expected = {"energy default 4",  "energy surface 1", "energy default fixed 1",
                                             "force default 36",  "force surface 12", "force default fixed 15",
                                             "virial default 24", "virial surface 6", "virial default fixed 6"};
  const FitPlan plan = plan_fit(options);
  CHECK(row_counts(plan) == expected);
  CHECK(plan.rows() == 6 * 19 - 9);

  const Model model = fit(options).model;
  REQUIRE(model.posterior.groups.size() == 9);
  for (const RowGroup& g : model.posterior.groups) {
    const SigmaOptions& s = g.config_class == "surface" ? options.regularization.config_type["surface"] : options.regularization.standard;
    const double sigma = s[g.property];
    CHECK(g.sigma == (g.fixed ? 1.0 : sigma));
  }
}

TEST_CASE("a sigma in the file means the same as that sigma of a class") {
  const TemporaryFolder class_folder, frame_folder, atom_folder;
  const SigmaOptions special{0.003, 0.04, 0.07};
  std::vector<Structure> frames = some_frames({14}), by_frame, by_atom;
  for (std::size_t i = 0; i < 2; ++i) frames[i] = labelled(frames[i], "special");
  by_frame = frames;
  for (std::size_t i = 0; i < 2; ++i) {
    // The file's σ's are not multiplied by √N, those of a class are.
    by_frame[i].set_field("energy_sigma", special[Property::energy] * std::sqrt(4.0));
    by_frame[i].set_field("virial_sigma", special[Property::virial] * std::sqrt(4.0));
    by_frame[i].set_field("force_sigma", special[Property::force]);
  }
  by_atom = by_frame;
  for (std::size_t i = 0; i < 2; ++i) {
    by_atom[i].set_field("force_sigma", 99.0);  // σ's of atoms come first
    by_atom[i].set_column("force_atom_sigma", 1, std::vector<double>(4, special[Property::force]));
  }
  FitConfiguration by_class = options_for(class_folder, frames);
  by_class.regularization.config_type["special"] = special;
  check_same_fit(by_class, options_for(frame_folder, by_frame));
  check_same_fit(by_class, options_for(atom_folder, by_atom));
  std::vector<Structure> by_component = by_atom;
  for (std::size_t i = 0; i < 2; ++i) {
    by_component[i].set_column("force_atom_sigma", 1, std::vector<double>(4, 99.0));  // σ's of components come before them
    by_component[i].set_column("force_component_sigma", 3, std::vector<double>(12, special[Property::force]));
    by_component[i].set_field("virial_sigma", 99.0);
    by_component[i].set_field("virial_component_sigma", std::vector<double>(9, special[Property::virial] * std::sqrt(4.0)));
  }
  const TemporaryFolder component_folder;
  check_same_fit(by_class, options_for(component_folder, by_component));

  FitConfiguration unscaled = by_class;
  unscaled.regularization.scale_with_atoms = false;
  unscaled.regularization.config_type["special"] = {special[Property::energy] * 2, special[Property::force], special[Property::virial] * 2};
  const SigmaOptions s = unscaled.regularization.standard;
  unscaled.regularization.standard = {s[Property::energy] * 2, s[Property::force], s[Property::virial] * 2};
  check_same_fit(by_class, unscaled);
}

TEST_CASE("forces under the mask are as good as not there") {
  const TemporaryFolder masked_folder, absurd_folder, sigma_folder;
  std::vector<Structure> masked = some_frames({14}, 3);
  set_mask(masked[0], {false, true, false, false});
  std::vector<Structure> absurd = masked, ignored = some_frames({14}, 3);
  auto& forces = std::get<std::vector<double>>(absurd[0].columns.front().values);
  REQUIRE(absurd[0].columns.front().name == "forces");
  for (std::size_t k = 3; k < 6; ++k) forces[k] = 1e6;
  const FitResult a = fit(options_for(masked_folder, masked)), b = fit(options_for(absurd_folder, absurd));
  CHECK(a.model.weights == b.model.weights);
  CHECK(a.report.log_evidence == b.report.log_evidence);
  // Without the mask, a huge σ comes to the same.
  ignored[0].set_column("force_atom_sigma", 1, {0.1, 1e7, 0.1, 0.1});
  const Model c = fit(options_for(sigma_folder, ignored)).model;
  CHECK(largest_difference(a.model.posterior.mean, c.posterior.mean) <= 1e-8 * c.posterior.mean.cwiseAbs().maxCoeff());
}

TEST_CASE("a sigma that is not above zero is refused with the structure's name") {
  const TemporaryFolder folder;
  for (const double bad : {0.0, -0.1})
    for (const char* key : {"energy_sigma", "force_sigma", "virial_sigma", "force_atom_sigma"}) {
      std::vector<Structure> frames = some_frames({14}, 3);
      if (std::string(key) == "force_atom_sigma")
        frames[2].set_column(key, 1, {0.1, 0.1, bad, 0.1});
      else
        frames[2].set_field(key, bad);
      const FitConfiguration options = options_for(folder, frames);
      const std::string message = message_of<InputError>([&] { fit(options); });
      CAPTURE(message);
      CHECK(message.find("train.xyz") != std::string::npos);
      CHECK(message.find("frame 3") != std::string::npos);
      CHECK(message.find(key) != std::string::npos);
    }
}

TEST_CASE("a class's sigma that is not above zero is refused") {
  const TemporaryFolder folder;
  for (const double bad : {0.0, -0.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const TargetInfo& target : targets()) {
      FitConfiguration options = options_for(folder, some_frames({14}, 2));
      options.regularization.standard[target.property] = bad;
      CHECK(message_of<InputError>([&] { plan_fit(options); }) != "");
      options = options_for(folder, some_frames({14}, 2));
      options.regularization.config_type["special"][target.property] = bad;
      CHECK(message_of<InputError>([&] { plan_fit(options); }).find("special") != std::string::npos);
    }
}

TEST_CASE("properties that are not used, or not there, create no rows") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = some_frames({14}, 3);
  frames[1].cell.reset();
  frames[1].pbc = {false, false, false};
  std::erase_if(frames[1].fields, [](const Field& f) { return f.key == "virial"; });
  frames[1] = labelled(frames[1]);
  std::erase_if(frames[2].columns, [](const Column& c) { return c.name == "forces"; });
  FitConfiguration options = options_for(folder, frames);
  CHECK(row_counts(plan_fit(options)) == std::vector<std::string>{"energy default 3", "force default 24", "virial default 12"});
  options.use[Property::force] = false;
  CHECK(row_counts(plan_fit(options)) == std::vector<std::string>{"energy default 3", "virial default 12"});
  for (const RowGroup& g : fit(options).model.posterior.groups) CHECK(g.property != Property::force);
  options.use[Property::virial] = false;
  CHECK(row_counts(plan_fit(options)) == std::vector<std::string>{"energy default 3"});
  CHECK(fit(options).model.posterior.groups.size() == 1);
  options.use[Property::energy] = false;
  CHECK(message_of<InputError>([&] { fit(options); }) != "");
  options.use[Property::force] = true;
  CHECK(row_counts(plan_fit(options)) == std::vector<std::string>{"force default 24"});
  const FitResult forces_only = fit(options);
  CHECK(forces_only.model.posterior.groups.size() == 1);
  CHECK(forces_only.model.weights.allFinite());
}

TEST_CASE("explicit reference energies are taken, and a missing one is named") {
  const TemporaryFolder folder;
  FitConfiguration options = options_for(folder, some_frames({6, 14}));
  options.reference_energies.values = {{"Si", -3.5}, {"C", -7.25}, {"O", -1.0}};
  CHECK(plan_fit(options).reference_energies == std::map<int, double>{{6, -7.25}, {14, -3.5}});
  CHECK(fit(options).model.reference_energies == std::map<int, double>{{6, -7.25}, {14, -3.5}});
  options.reference_energies.values.erase("C");
  const std::string message = message_of<InputError>([&] { plan_fit(options); });
  CAPTURE(message);
  CHECK(message.find(" C,") != std::string::npos);
  CHECK(message.find("Si") == std::string::npos);
}

TEST_CASE("isolated atoms are found whatever their config type, cell or place") {
  const TemporaryFolder folder;
  using Mode = ReferenceEnergyOptions::Mode;
  const std::map<int, double> expected = {{6, lone_atom_energy(6)}, {14, lone_atom_energy(14)}};
  std::vector<Structure> frames = some_frames({6, 14});
  Structure boxed = lone_atom(6, "bulk");
  boxed.cell = Matrix3(20 * Matrix3::Identity());
  boxed.pbc = {true, true, true};
  frames.insert(frames.begin() + 1, lone_atom(14, "surprise"));
  frames.push_back(labelled(boxed, "whatever"));
  FitConfiguration options = options_for(folder, frames);
  options.reference_energies.mode = Mode::isolated;
  CHECK(plan_fit(options).reference_energies == expected);

  SUBCASE("the same atom twice") {
    frames.push_back(lone_atom(14, "again"));
    options = options_for(folder, frames);
    options.reference_energies.mode = Mode::isolated;
    CHECK(plan_fit(options).reference_energies == expected);
  }
  SUBCASE("two atoms that disagree") {
    Structure other = lone_atom(14);
    other.set_field("energy", lone_atom_energy(14) + 0.01);
    frames.push_back(other);
    options = options_for(folder, frames);
    options.reference_energies.mode = Mode::isolated;
    const std::string message = message_of<InputError>([&] { plan_fit(options); });
    CAPTURE(message);
    CHECK(message.find("frame 7") != std::string::npos);
    CHECK(message.find("frame 2") != std::string::npos);
    CHECK(message.find("Si") != std::string::npos);
  }
  SUBCASE("an element without one") {
    frames.pop_back();
    options = options_for(folder, frames);
    options.reference_energies.mode = Mode::isolated;
    const std::string message = message_of<InputError>([&] { plan_fit(options); });
    CAPTURE(message);
    CHECK(message.find("isolated C ") != std::string::npos);
  }
  SUBCASE("one atom in a small periodic cell is a crystal") {
    Structure crystal = lone_atom(6);
    crystal.cell = Matrix3(2.5 * Matrix3::Identity());
    crystal.pbc = {true, true, true};
    frames.back() = labelled(crystal, "isolated_atom");
    options = options_for(folder, frames);
    options.reference_energies.mode = Mode::isolated;
    CHECK(message_of<InputError>([&] { plan_fit(options); }).find("isolated C ") != std::string::npos);
  }
}

TEST_CASE("least squares finds the reference energies that explain the compositions") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    Structure s = random_triclinic(2 + static_cast<int>(seed), seed, {6, 14});
    double energy = 0;
    for (const int z : s.atomic_numbers) energy += z == 6 ? -8.5 : -5.25;
    s.set_field("energy", energy);
    frames.push_back(s);
  }
  FitConfiguration options = options_for(folder, frames);
  options.reference_energies.mode = ReferenceEnergyOptions::Mode::least_squares;
  const std::map<int, double> found = plan_fit(options).reference_energies;
  REQUIRE(found.size() == 2);
  check_close(found.at(6), -8.5, 1e-9);
  check_close(found.at(14), -5.25, 1e-9);
  for (Structure& s : frames) s.fields.clear();
  options = options_for(folder, frames);
  options.reference_energies.mode = ReferenceEnergyOptions::Mode::least_squares;
  CHECK(message_of<InputError>([&] { plan_fit(options); }) != "");
}
