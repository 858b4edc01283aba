// Command lines of gap_fit and potentials of QUIP: the configuration that they mean, and the numbers that a real QUIP gave.

#include <algorithm>
#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/model/model.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* silicon_frame =
    "2\nLattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3:force:R:3 energy=-10 virial=\"1 0 0 0 1 0 0 0 1\"\n"
    "Si 0 0 0 0 0 0\nSi 1.4 1.4 1.4 0 0 0\n";

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  REQUIRE(file.good());
}

/// The output of gap-convert for a command line, read as a configuration. `unsupported`: parts that it cannot translate.
FitConfiguration translated(const Case& c, const std::string& file, const std::string& unsupported = "") {
  const ProgramResult result = c.run("gap-convert", {"--from-gap-fit", file});
  INFO(result.out);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::string found;
  const std::string begin = "not supported: ";
  for (std::size_t at = result.err.find(begin); at != std::string::npos; at = result.err.find(begin, at + 1))
    found += result.err.substr(at + begin.size(), result.err.find('\n', at) - at - begin.size());
  CHECK(found == unsupported);
  return parse_fit_options(result.out, "translated.toml", c.folder());
}

/// Largest differences of energy per atom, force and virial components between the predictions of the model made of gp.xml and q.xyz.
void check_quip(const char* name) {
  const Case c(name);
  const ProgramResult converted = c.run("gap-convert", {"gp.xml", "m.h5"});
  REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  const ProgramResult predicted = c.run("gap-predict", {"m.h5", "test.xyz", "-o", "out.xyz", "--no-reference"});
  REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
  std::vector<Structure> ours = read_extxyz(c.folder() / "out.xyz"), theirs = read_extxyz(c.folder() / "q.xyz");
  REQUIRE(ours.size() == theirs.size());
  REQUIRE(ours.size() == 21);
  TargetKeys our_keys, their_keys;
  our_keys.name("energy", "gap_energy");
  our_keys.name("forces", "gap_forces");
  our_keys.name("virial", "gap_virial");
  their_keys.name("energy", "energy");
  their_keys.name("forces", "force");  // forces has the reference
  their_keys.name("virial", "virial");
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    assign_targets(ours[i], our_keys);
    assign_targets(theirs[i], their_keys);
    check_close(ours[i].energy.value() / ours[i].size(), theirs[i].energy.value() / ours[i].size(), 1e-7);
    CHECK(largest_difference(ours[i].forces.value(), theirs[i].forces.value()) <= 1e-6);
    CHECK(largest_difference(ours[i].virial.value(), theirs[i].virial.value()) <= 1e-5);
  }
}

/// Values of an attribute in the order of the text.
std::vector<std::string> values_of(const std::string& text, const std::string& attribute) {
  std::vector<std::string> values;
  const std::string begin = " " + attribute + "=\"";
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    values.push_back(text.substr(from, text.find('"', from) - from));
  }
  return values;
}

}  // namespace

TEST_CASE("cases: gap_fit_brace_list, terms in braces of their own and blanks around '='") {
  const Case c("gap_fit_brace_list");
  write(c.folder() / "train.xyz", silicon_frame);
  const FitConfiguration o = translated(c, "cmd.txt");
  REQUIRE(o.terms.size() == 2);
  CHECK(o.terms[0].descriptor == "two_body");
  CHECK(o.terms[0].species == std::vector<std::string>{"Si-Si"});
  CHECK(o.terms[0].descriptor_parameters.real("cutoff") == 5.0);
  CHECK(o.terms[0].descriptor_parameters.real("cutoff_width") == 1.0);
  CHECK(o.terms[0].delta == 2.0);
  CHECK(o.terms[0].n_sparse == 20);
  CHECK(o.terms[0].selection == "uniform");
  CHECK(o.terms[0].kernel == "squared_exponential");
  CHECK(o.terms[0].kernel_parameters.reals("length_scale") == std::vector<double>{1.0});
  CHECK(o.terms[1].descriptor == "soap");
  CHECK(o.terms[1].descriptor_parameters.integer("n_max") == 4);
  CHECK(o.terms[1].kernel_parameters.real("zeta") == 4);
  CHECK(o.terms[1].delta == 0.3);
  CHECK(o.terms[1].selection == "cur");
  CHECK(o.regularization.standard[Property::force] == 0.1);
  CHECK(o.model_path == "g.h5");
}

TEST_CASE("cases: gap_fit_shell_quotes, quotes of the shell and of Python") {
  const Case c("gap_fit_shell_quotes");
  write(c.folder() / "train.xyz", silicon_frame);
  const FitConfiguration o = translated(c, "cmd.txt", "distance_2b: delta is missing or not above 0; 1.0 is written instead");
  REQUIRE(o.terms.size() == 2);
  CHECK(o.terms[0].descriptor == "two_body");
  CHECK(o.terms[0].n_sparse == 15);
  CHECK(o.terms[0].length_scale_fraction == 0.4);
  CHECK(o.terms[1].descriptor == "soap");
  CHECK(o.terms[1].n_sparse == 20);
  CHECK(o.terms[1].delta == 0.2);
  CHECK(o.regularization.standard[Property::energy] == 0.002);
  CHECK(o.regularization.standard[Property::force] == 0.08);
  CHECK(o.regularization.standard[Property::virial] == 0.05);
  CHECK(o.reference_energies.mode == ReferenceEnergyOptions::Mode::explicit_values);
  CHECK(o.reference_energies.values == std::map<std::string, double>{{"Si", -0.85}});
  CHECK(o.jitter_absolute == 1e-8);
  CHECK(o.model_path == "out.h5");
}

TEST_CASE("cases: quip/config_type_sigma_default.cmd, the class 'default' of gap_fit is the default") {
  const Case quip("quip");
  write(quip.folder() / "d.xyz",
        "2\nLattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3:forces:R:3 energy=-10 virial=\"1 0 0 0 1 0 0 0 1\"\n"
        "Mg 0 0 0 0 0 0\nO 1.4 1.4 1.4 0 0 0\n");
  for (const char* name : {"mg.idx", "o.idx"}) write(quip.folder() / name, "1\n");
  const FitConfiguration o = translated(quip, "config_type_sigma_default.cmd");
  CHECK(o.regularization.standard[Property::energy] == 0.01);
  CHECK(o.regularization.standard[Property::force] == 0.3);
  CHECK(o.regularization.standard[Property::virial] == 0.3);
  REQUIRE(o.regularization.config_type.size() == 1);
  CHECK(o.regularization.config_type.at("slab100")[Property::energy] == 0.02);
  CHECK(o.regularization.config_type.at("slab100")[Property::force] == 0.3);
}

TEST_CASE("cases: quip/sparse_file, each point of gap_fit's files begins with its cutoff") {
  const Case c("quip/sparse_file");
  fs::copy(source_folder() / "data" / "silicon" / "train.xyz", c.folder() / "all.xyz");
  std::vector<Structure> frames;
  for (const Structure& s : read_extxyz(c.folder() / "all.xyz"))
    if (const auto type = std::get<std::string>(s.find_field("config_type")->value);
        s.size() == 1 || std::count_if(frames.begin(), frames.end(), [&](const Structure& f) {
                           return std::get<std::string>(f.find_field("config_type")->value) == type;
                         }) < 1)
      frames.push_back(s);
  REQUIRE(frames.size() >= 4);
  {
    ExtxyzWriter writer(c.folder() / "train.xyz");
    for (const Structure& s : frames) writer.write(s);
    writer.commit();
  }
  const FitConfiguration o = translated(c, "cmd");
  REQUIRE(o.terms.size() == 2);
  CHECK(o.terms[0].sparse_file_cutoffs);
  const ProgramResult toml = c.run("gap-convert", {"--from-gap-fit", "cmd"});
  write(c.folder() / "fit.toml", toml.out);
  const ProgramResult fitted = c.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  REQUIRE_MESSAGE(fitted.exit_code == 0, fitted.err);
  const Model model = load_model(c.folder() / "m.h5");
  REQUIRE(model.terms.size() == 2);
  REQUIRE(model.terms[0].sparse.size() == 15);
  REQUIRE(model.terms[1].sparse.size() == 30);
  for (const Term& term : model.terms) CHECK(largest_difference(term.sparse.covariance_cutoff, Vector::Ones(term.sparse.size())) == 0);
  check_close(model.terms[0].sparse.x.minCoeff(), 2.0, 0);
  check_close(model.terms[0].sparse.x.maxCoeff(), 4.8, 0);
  // The first triplet of trip.dat is there, wherever the fit puts it.
  const Eigen::RowVector3d first(4.675929, 0.544229, 3.420852);
  CHECK((model.terms[1].sparse.x.rowwise() - first).cwiseAbs().rowwise().maxCoeff().minCoeff() == 0);
}

TEST_CASE("cases: missing_pair, terms without sparse points are left out of the XML") {
  const Case c("missing_pair");
  const ProgramResult fitted = c.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  REQUIRE_MESSAGE(fitted.exit_code == 0, fitted.err);
  const Model model = load_model(c.folder() / "m.h5");
  const auto empty = std::count_if(model.terms.begin(), model.terms.end(), [](const Term& t) { return t.sparse.size() == 0; });
  REQUIRE(empty > 0);
  const ProgramResult written = c.run("gap-convert", {"m.h5", "m.xml"});
  REQUIRE_MESSAGE(written.exit_code == 0, written.err);
  CHECK(written.err.find("O-O' has no sparse points and is left out") != std::string::npos);
  const std::string xml = read_text(c.folder() / "m.xml");
  CHECK(values_of(xml, "gap_version") == std::vector<std::string>{"1426512068"});
  const auto files = values_of(xml, "sparseX_filename");
  REQUIRE(files.size() == model.terms.size() - static_cast<std::size_t>(empty));
  CHECK(values_of(xml, "n_coordinate") == std::vector<std::string>{std::to_string(files.size())});
  for (std::size_t i = 0; i < files.size(); ++i) {
    CHECK(files[i] == "m.xml.sparseX.GAP_m_" + std::to_string(i + 1));
    CHECK(fs::exists(c.folder() / files[i]));
  }
  CHECK(written.err.find("of which the training data had none") != std::string::npos);
  const std::string missing = "it has no 'two_body' term for O-O, Mg-Mg: their energy is left out of all predictions";
  const ProgramResult read = c.run("gap-convert", {"m.xml", "again.h5"});
  REQUIRE(read.exit_code == 0);
  CHECK_MESSAGE(read.err.find(missing) != std::string::npos, read.err);
  const ProgramResult direct = c.run("gap-predict", {"m.xml", "test.xyz", "-o", "direct.xyz", "--no-reference"});
  CHECK_MESSAGE(direct.err.find(missing) != std::string::npos, direct.err);
  const auto energies = [&](const char* of, const char* out) {
    const ProgramResult predicted = c.run("gap-predict", {of, "test.xyz", "-o", out, "--no-reference"});
    REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
    std::vector<double> result;
    for (const Structure& s : read_extxyz(c.folder() / out)) result.push_back(std::get<double>(s.find_field("gap_energy")->value));
    return result;
  };
  const auto before = energies("m.h5", "before.xyz"), after = energies("again.h5", "after.xyz");
  REQUIRE(before.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) check_close(after.at(i), before[i], 1e-9);
}

TEST_CASE("cases: quip/old_gap_version, SOAP of GAP before 2015") {
  check_quip("quip/old_gap_version");
}

TEST_CASE("cases: quip/e_scale, E_scale scales everything") {
  check_quip("quip/e_scale");
}
