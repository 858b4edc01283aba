// Labels with wrong units or conventions: found after the fit, named rightly, and none suspected in the project's own data.

#include <fmt/format.h>

#include <gapkit/core/units.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/extxyz.hpp>
#include <set>

#include "fit/frame_sample.hpp"
#include "fit/label_comparison.hpp"
#include "fit/unexplained_labels.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Labels {
  double energy;
  Matrix3 virial;
  double force_factor = 1;
  bool is_rotated = false;            // forces are written as z, x, y
  std::string virial_key = "virial";  // "stress": `virial` holds a stress; empty: not written
  std::vector<double> six = {};       // instead of nine numbers
};

using Mistake = std::function<void(const Structure&, Labels&)>;

Structure with_mistake(const Structure& s, const Mistake& mistake) {
  Labels labels{*s.energy, *s.virial};
  mistake(s, labels);
  Structure result;
  result.cell = s.cell;
  result.pbc = s.pbc;
  result.atomic_numbers = s.atomic_numbers;
  result.positions = s.positions;
  result.set_field("energy", labels.energy);
  result.set_field("config_type", s.config_type);
  if (!labels.six.empty())
    result.set_field(labels.virial_key, labels.six);
  else if (!labels.virial_key.empty())
    result.set_field(labels.virial_key, std::vector<double>(labels.virial.data(), labels.virial.data() + 9));
  std::vector<double> forces(s.forces->data(), s.forces->data() + s.forces->size());
  for (double& f : forces) f *= labels.force_factor;
  for (std::size_t i = 0; labels.is_rotated && i < forces.size(); i += 3)
    std::rotate(forces.begin() + static_cast<std::ptrdiff_t>(i), forces.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                forces.begin() + static_cast<std::ptrdiff_t>(i) + 3);
  result.set_column("forces", 3, forces);
  return result;
}

// Frames of some config types of a file of data/, in turns: frames that follow each other are no small displacements.
std::vector<Structure> frames_of_types(const std::string& file, const std::vector<std::string>& types) {
  std::map<std::string, std::vector<Structure>> of_type;
  for (Structure& s : read_targets((source_folder() / "data" / file).string())) of_type[s.config_type].push_back(std::move(s));
  std::vector<Structure> result;
  for (std::size_t i = 0; i < 25; ++i)
    for (const std::string& type : types)
      if (i < of_type[type].size()) result.push_back(of_type[type][i]);
  return result;
}

FitConfiguration options_for(const std::vector<Structure>& frames, const TemporaryFolder& folder) {
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames),
                                           {small_two_body(1.0, 10, 4.5), small_soap(4, 3, 2, 30, 4.5)});
  options.reference_energies = {ReferenceEnergyOptions::Mode::least_squares, {}};
  options.regularization.standard = {0.002, 0.1, 0.1};
  options.terms[0].delta = 2;
  options.terms[1].delta = 0.5;
  options.terms[1].descriptor_parameters.set("radial_weight", std::int64_t{0});  // so few points describe the data better without
  return options;
}

// All findings of a fit, one per line.
std::string findings_of(const FitConfiguration& options) {
  std::string text;
  for (const CheckFinding& finding : fit(options).report.findings) text += finding.message + "\n";
  return text;
}

struct DataSet {
  const char* file;
  std::vector<std::string> types;
};

const std::vector<DataSet> data_sets = {{"silicon/train.xyz", {"diamond_rattle8", "diamond_rattle16", "vacancy", "liquid"}},
                                        {"mgo/train.xyz", {"rocksalt_rattle8", "rocksalt_rattle16", "vacancy_pair"}}};

std::vector<double> six_of(const Matrix3& m, const std::array<std::array<int, 2>, 3>& shear) {
  std::vector<double> six = {m(0, 0), m(1, 1), m(2, 2)};
  for (const auto& [i, j] : shear) six.push_back(m(i, j));
  return six;
}

struct ConventionCase {
  const char* name;
  Mistake mistake;
  std::string expected;
};

const double gpa = gpa_per_ev_per_cubic_angstrom;

const std::vector<ConventionCase> convention_cases = {
    {"energies per atom", [](const Structure& s, Labels& l) { l.energy /= s.size(); }, "energies seem to be energies per atom"},
    {"energies in Ry", [](const Structure&, Labels& l) { l.energy /= 0.5 * ev_per_hartree; }, "energies seem to be in Rydberg"},
    {"energies in Hartree", [](const Structure&, Labels& l) { l.energy /= ev_per_hartree; }, "energies seem to be in Hartree"},
    {"energies in kcal/mol", [](const Structure&, Labels& l) { l.energy *= 23.0605; }, "energies seem to be in kcal/mol"},
    {"reversed forces", [](const Structure&, Labels& l) { l.force_factor = -1; }, "the sign of the forces is reversed"},
    {"Hartree/Bohr", [](const Structure&, Labels& l) { l.force_factor = angstrom_per_bohr / ev_per_hartree; },
     "the forces seem to be in Hartree/Bohr"},
    {"Rydberg/Bohr", [](const Structure&, Labels& l) { l.force_factor = 2 * angstrom_per_bohr / ev_per_hartree; },
     "the forces seem to be in Rydberg/Bohr"},
    {"kcal/mol/Å", [](const Structure&, Labels& l) { l.force_factor = 23.0605; }, "the forces seem to be in kcal/mol/Å"},
    {"reversed forces without virials",
     [](const Structure&, Labels& l) {
       l.force_factor = -1;
       l.virial_key.clear();
     },
     "the sign of the forces is reversed"},
    {"reversed virial", [](const Structure&, Labels& l) { l.virial = -l.virial; }, "the sign of the virial is reversed"},
    {"stress named virial", [](const Structure& s, Labels& l) { l.virial /= -s.volume(); },
     "the virials look like stresses in eV/Å³, positive under tension: the factor −volume explains them"},
    {"stress positive under compression named virial", [](const Structure& s, Labels& l) { l.virial /= s.volume(); },
     "the virials look like stresses in eV/Å³, positive under compression"},
    {"stress in GPa named virial", [](const Structure& s, Labels& l) { l.virial *= -gpa / s.volume(); },
     "the virials look like stresses in GPa, positive under tension"},
    {"virial in Hartree", [](const Structure&, Labels& l) { l.virial /= ev_per_hartree; }, "the virial seems to be in Hartree"},
    {"reversed stress",
     [](const Structure& s, Labels& l) {
       l.virial /= s.volume();
       l.virial_key = "stress";
     },
     "the sign of the stress is reversed"},
    {"virial named stress", [](const Structure&, Labels& l) { l.virial_key = "stress"; },
     "the stresses look like virials in eV: the factor −1/volume explains them"},
    {"stress in GPa",
     [](const Structure& s, Labels& l) {
       l.virial *= -gpa / s.volume();
       l.virial_key = "stress";
     },
     "the stress seems to be in GPa"},
    {"stress in kBar, positive under compression",
     [](const Structure& s, Labels& l) {
       l.virial *= 10 * gpa / s.volume();
       l.virial_key = "stress";
     },
     "the stress seems to be in kBar, expected eV/Å³; moreover, the sign of the stress is reversed"},
    {"VASP's order",
     [](const Structure& s, Labels& l) {
       l.six = six_of(-l.virial / s.volume(), {{{0, 1}, {1, 2}, {0, 2}}});
       l.virial_key = "stress";
     },
     "the components seem to be in the order xx yy zz xy yz zx (VASP's)"},
    {"VASP's order in nine numbers",
     [](const Structure&, Labels& l) {
       Matrix3 w = l.virial;
       w(1, 2) = w(2, 1) = l.virial(0, 1);
       w(0, 2) = w(2, 0) = l.virial(1, 2);
       w(0, 1) = w(1, 0) = l.virial(0, 2);
       l.virial = w;
     },
     "the components seem to be in the order xx yy zz xy yz zx (VASP's)"},
    {"LAMMPS's order",
     [](const Structure& s, Labels& l) {
       l.six = six_of(-l.virial / s.volume(), {{{0, 1}, {0, 2}, {1, 2}}});
       l.virial_key = "stress";
     },
     "the components seem to be in the order xx yy zz xy xz yz (LAMMPS's)"},
};

}  // namespace

TEST_CASE("convention checks: each mistake in the labels is found and named, and it alone") {
  for (const DataSet& data : data_sets) {
    const std::vector<Structure> frames = frames_of_types(data.file, data.types);
    for (const ConventionCase& c : convention_cases) {
      CAPTURE(data.file);
      CAPTURE(c.name);
      const TemporaryFolder folder;
      std::vector<Structure> wrong;
      for (const Structure& s : frames) wrong.push_back(with_mistake(s, c.mistake));
      const std::string found = findings_of(options_for(wrong, folder));
      INFO(found);
      CHECK(found.find(c.expected) != std::string::npos);
      CHECK(std::count(found.begin(), found.end(), '\n') == 1);
    }
  }
}

TEST_CASE("convention checks: optimised noise and held-out structures hide nothing") {
  const TemporaryFolder folder;
  std::vector<Structure> wrong;
  for (const Structure& s : frames_of_types(data_sets[0].file, data_sets[0].types))
    wrong.push_back(with_mistake(s, [](const Structure& t, Labels& l) { l.virial /= -t.volume(); }));
  FitConfiguration options = options_for(wrong, folder);
  options.optimize.objective = OptimizeOptions::Objective::evidence;
  options.optimize.folds = 2;
  options.calibration.source = CalibrationOptions::Source::holdout;
  options.calibration.rounds = 2;
  const std::string found = findings_of(options);
  INFO(found);
  CHECK(found.find("the virials look like stresses in eV/Å³") != std::string::npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 1);
}

TEST_CASE("convention checks: a mistake in one config type is named with it") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (const Structure& s : frames_of_types(data_sets[1].file, data_sets[1].types))
    frames.push_back(with_mistake(s, [](const Structure& t, Labels& l) {
      if (t.config_type == "rocksalt_rattle16") l.virial = -l.virial;
    }));
  const std::string found = findings_of(options_for(frames, folder));
  INFO(found);
  CHECK(found.find("virials of config type 'rocksalt_rattle16': the sign of the virial is reversed") != std::string::npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 1);
}

TEST_CASE("convention checks: labels of one config type that no usual mistake explains are named") {
  const DataSet data = {"silicon/train.xyz", {"diamond_rattle8", "diamond_rattle16", "vacancy", "slab100", "liquid"}};
  const std::vector<ConventionCase> unexplained = {
      {"reversed forces", [](const Structure& s, Labels& l) { l.force_factor = s.config_type == "diamond_rattle8" ? -1 : 1; },
       "the model does not explain the forces of config type 'diamond_rattle8'"},
      {"forces of 0", [](const Structure& s, Labels& l) { l.force_factor = s.config_type == "liquid" ? 0 : 1; },
       "the model does not explain the forces of config type 'liquid'"},
      {"rotated forces", [](const Structure&, Labels& l) { l.is_rotated = true; }, "the model does not explain the forces of config types"},
      {"another zero of energy", [](const Structure& s, Labels& l) { l.energy += s.config_type == "liquid" ? 100 * s.size() : 0; },
       "the model does not explain the energies of config type"},
  };
  const std::vector<Structure> frames = frames_of_types(data.file, data.types);
  for (const ConventionCase& c : unexplained) {
    CAPTURE(c.name);
    const TemporaryFolder folder;
    std::vector<Structure> wrong;
    for (const Structure& s : frames) wrong.push_back(with_mistake(s, c.mistake));
    const std::string found = findings_of(options_for(wrong, folder));
    INFO(found);
    CHECK(found.find(c.expected) != std::string::npos);
    CHECK(std::count(found.begin(), found.end(), '\n') == 1);
  }
}

TEST_CASE("convention checks: errors are compared with other config types, and NaN counts as an error") {
  const auto judged = [](double explained, double correlation, double error) {
    std::vector<LabelAgreement> agreement;
    for (const char* type : {"a", "b", "c", "d"}) agreement.push_back({Property::force, type, 100, 1, 0.9, 0.8, 3});
    agreement.push_back({Property::force, "wrong", 100, -1, correlation, explained, error});
    return unexplained_labels(agreement, {});
  };
  CHECK(!judged(0.5, 0.8, 10));   // explained
  CHECK(!judged(-1, -0.8, 4));    // small
  CHECK(!judged(-1, -0.8, 5.5));  // not much larger than the others
  REQUIRE(judged(-1, -0.8, 10));
  CHECK(judged(-1, -0.8, 10)->find("'wrong': slope -1.00, correlation -0.80, errors 10 σ; the sign seems to be reversed") !=
        std::string::npos);
  CHECK(judged(NAN, NAN, 10));
  std::vector<LabelAgreement> energies;
  for (const char* type : {"a", "b", "c", "d"}) energies.push_back({Property::energy, type, 20, 1, 0.99, 0.99, 5});
  CHECK(!unexplained_labels(energies, {}));
  energies[0].error = 60;
  CHECK(unexplained_labels(energies, {{"a", 0.2}}));
  CHECK(!unexplained_labels(energies, {{"a", 0.05}}));  // 50 meV/atom are a poor model
}

TEST_CASE("convention checks: no findings in the project's data, and the agreement is reported") {
  for (const char* file : {"silicon/train.xyz", "mgo/train.xyz", "ethanol/water_train.xyz", "ethanol/train_300K.xyz"})
    for (const int points : {8, 30}) {
      CAPTURE(file);
      CAPTURE(points);
      const TemporaryFolder folder;
      std::vector<Structure> frames = read_extxyz(source_folder() / "data" / file);
      if (frames.size() > 230) frames.resize(60);
      FitConfiguration options = options_for(frames, folder);
      options.terms[1].n_sparse = points;
      const FitResult result = fit(options);
      for (const CheckFinding& finding : result.report.findings) FAIL_CHECK(finding.message);
      std::set<Property> properties;
      for (const LabelAgreement& a : result.report.agreement) {
        properties.insert(a.property);
        CHECK(a.rows > 0);
        CHECK(a.error >= 0);
      }
      CHECK(properties.size() == (std::string(file).starts_with("ethanol") ? 2 : 3));
    }
}

TEST_CASE("convention checks: the sample is bounded, takes from every config type, and depends on the seed alone") {
  std::map<std::string, std::int64_t> counts = {{"many", 1000}, {"few", 7}, {"large", 50}};
  const auto sizes_of = [&](std::uint64_t seed) {
    std::vector<Structure> frames;
    for (const auto& [type, count] : counts)
      for (int i = 0; i < count; ++i) {
        Structure s;
        s.config_type = type;
        const int atoms = type == "large" ? 3000 : 2 + i % 7;
        s.atomic_numbers.assign(static_cast<std::size_t>(atoms), 14);
        s.positions = Positions::Constant(atoms, 3, i);
        frames.push_back(s);
      }
    std::vector<std::pair<std::string, double>> chosen;
    const MemoryDataset data(std::move(frames));
    FrameSample sample(choose_sample(data.summary(), seed));
    data.visit([&](const Structure& s, const FramePlace& place) { sample.add(s, place.number); });
    for (const Structure& s : sample.frames()) chosen.emplace_back(s.config_type, s.positions(0, 0));
    return chosen;
  };
  const auto chosen = sizes_of(1);
  std::map<std::string, std::int64_t> found;
  for (const auto& [type, place] : chosen) ++found[type];
  CHECK(found["few"] == 7);
  CHECK(found["large"] == 1);  // a third of the atoms that the sample may have
  CHECK(found["many"] == 143);
  CHECK(sizes_of(1) == chosen);
  CHECK(sizes_of(2) != chosen);
}

TEST_CASE("convention checks: labels that do not vary are not judged") {
  ComparedLabels labels;
  labels.reference = Matrix::Zero(20, 1);
  labels.predicted = Matrix::Zero(20, 1);
  labels.removed = Matrix::Ones(20, 1);
  labels.atoms = labels.volume = Vector::Ones(20);
  const auto known = energy_transformations();
  const LabelVerdict verdict = judge(1, known.size(), [&](std::size_t, std::size_t k) {
    RegressionSums sums;
    sums.add(labels, known[k], {0}, {0});
    return sums;
  });
  CHECK(verdict.kind == LabelVerdict::Kind::undecided);
  CHECK(labels.freedom() == 19);
}
