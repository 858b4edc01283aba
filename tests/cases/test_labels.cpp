// Labels that are not found, files of other formats, and the output as ASE reads it.

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cases/cases.hpp"

using namespace gapkit::test;

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

/// Exit code 2, one line on stderr that holds all parts, nothing on stdout.
void check_refused(const ProgramResult& result, const std::vector<std::string>& parts) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(count_of(result.err, "error: ") == 1);
  CHECK(result.out == "");
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(result.err, part));
  }
}

void write(const Case& in, const std::string& name, const std::string& text) {
  std::FILE* file = std::fopen((in.folder() / name).c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  CHECK(std::fclose(file) == 0);
}

}  // namespace

TEST_CASE("cases: fits and predictions refuse columns without a name and say how to name them") {
  const Case in("no_properties");
  const auto before = files_in(in.folder());
  const std::vector<std::string> parts = {"train.xyz:3 (frame 1): each row of the frame has 7 values",
                                          "if they are forces (eV/Å), add Properties=species:S:1:pos:R:3:forces:R:3"};
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "m.h5"}), parts);
  check_refused(in.run("gap-fit", {"train.xyz"}), parts);
  check_refused(in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"}), parts);
  CHECK(files_in(in.folder()) == before);
  std::string text = read_text(in.folder() / "train.xyz");
  replace_all(text, "Lattice=", "Properties=species:S:1:pos:R:3:forces:R:3 Lattice=");
  write(in, "named.xyz", text);
  CHECK(in.run("gap-predict", {base_model().string(), "named.xyz", "-o", "out.xyz"}).exit_code == 0);
  CHECK(contains(read_text(in.folder() / "out.xyz"), ":forces:R:3"));
}

TEST_CASE("cases: an energy under another name is named first, and the advice works") {
  const Case in("key_Energy");
  const auto before = files_in(in.folder());
  const ProgramResult refused = in.run("gap-fit", {"train.xyz"});
  check_refused(refused, {"the key 'Energy' looks like the energy", "[data] energy_key = \"Energy\" (or --energy-key Energy)"});
  CHECK_FALSE(contains(refused.err, "isolated"));
  CHECK_FALSE(contains(refused.err, "more error"));
  CHECK(files_in(in.folder()) == before);
  CHECK(in.run("gap-fit", {"train.xyz", "--energy-key", "Energy", "--dry-run"}).exit_code == 0);
  check_refused(in.run("gap-fit", {"train.xyz", "--energy-key", "energie"}), {"energy_key names 'energie', but no frame of"});

  const Case base("base");
  const std::string configuration = read_text(base.folder() / "fit.toml");
  write(in, "fit.toml", configuration);
  const ProgramResult configured = in.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  check_refused(configured, {"the key 'Energy' looks like the energy"});
  CHECK_FALSE(contains(configured.err, "isolated"));
  CHECK(in.run("gap-fit", {"fit.toml", "-o", "m.h5", "--energy-key", "Energy"}).exit_code == 0);
  const ProgramResult predicted = in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"});
  CHECK(predicted.exit_code == 0);
  CHECK(contains(predicted.err, "--energy-key Energy"));
}

TEST_CASE("cases: several targets under other names are one sentence; forces alone are a warning that the summary repeats") {
  const Case in("base");
  std::string text = read_text(in.folder() / "train.xyz");
  replace_all(text, ":forces:R:3", ":vasp_force:R:3");
  write(in, "train.xyz", text);
  const ProgramResult fitted = in.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  CHECK(fitted.exit_code == 0);
  const std::string sentence = "the column 'vasp_force' looks like the forces; if so, name it with [data] forces_key = \"vasp_force\"";
  CHECK(contains(fitted.err, sentence));
  CHECK(contains(fitted.out, "1 warning:\n  no frame of"));
  CHECK(contains(fitted.out, sentence));

  replace_all(text, " energy=", " TotEnergy=");
  replace_all(text, " stress=", " Stress=");
  write(in, "train.xyz", text);
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "none.h5"}),
                {"has an energy, forces or virial or stress under a known name", "'TotEnergy'", "'vasp_force'", "'Stress'",
                 "--energy-key TotEnergy --forces-key vasp_force --stress-key Stress"});
  CHECK(in.run("gap-fit", {"fit.toml", "-o", "m.h5", "--energy-key", "TotEnergy", "--forces-key", "vasp_force", "--stress-key", "Stress"})
            .exit_code == 0);
}

TEST_CASE("cases: some frames with another name for the energy than the others") {
  const Case in("base");
  std::string text = read_text(in.folder() / "train.xyz");
  text.replace(text.rfind(" energy="), 8, " Energy=");
  write(in, "train.xyz", text);
  const ProgramResult fitted = in.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  CHECK(fitted.exit_code == 0);
  CHECK(contains(fitted.out, "have no energy under a known name, but the key 'Energy' looks like the energy"));
}

TEST_CASE("cases: energies of atoms are not taken for the energy of the frame") {
  const Case in("column_named_otherwise");
  const ProgramResult refused = in.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  check_refused(refused,
                {"has an energy under a known name", "the column 'energies' has one value per atom and is not the energy of the frame"});
  CHECK_FALSE(contains(refused.err, "isolated"));
  check_refused(in.run("gap-fit", {"train.xyz"}), {"the column 'energies' has one value per atom"});
}

TEST_CASE("cases: a cell that is not called Lattice") {
  const Case in("cell_instead_of_lattice");
  check_refused(
      in.run("gap-fit", {"fit.toml", "-o", "m.h5"}),
      {"train.xyz:2 (frame 1): pbc is \"T T T\", there is no Lattice, but 'cell' has 9 numbers", "call the key Lattice instead of cell"});
}

TEST_CASE("cases: two keys with the same energies are accepted with one message; with other energies the advice works") {
  const Case in("two_energy_keys");
  const ProgramResult same = in.run("gap-predict", {base_model().string(), "test.xyz", "-o", "out.xyz"});
  CHECK(same.exit_code == 0);
  CHECK(count_of(same.err, "'REF_energy' has the same values as 'energy' in 3 frames") == 1);
  std::string text = read_text(in.folder() / "test.xyz");
  replace_all(text, "REF_energy=-3", "REF_energy=-4");
  write(in, "other.xyz", text);
  const std::vector<std::string> arguments = {base_model().string(), "other.xyz", "-o", "out.xyz"};
  check_refused(in.run("gap-predict", arguments), {"'energy' and 'REF_energy' could hold the energy", "--energy-key"});
  for (const std::string name : {"energy", "REF_energy"}) {
    std::vector<std::string> named = arguments;
    named.insert(named.end(), {"--energy-key", name, "--json", name + ".json"});
    CHECK(in.run("gap-predict", named).exit_code == 0);
  }
  CHECK(read_text(in.folder() / "energy.json") != read_text(in.folder() / "REF_energy.json"));
  std::vector<std::string> missing = arguments;
  missing.insert(missing.end(), {"--energy-key", "nothing"});
  check_refused(in.run("gap-predict", missing), {"--energy-key names 'nothing', but no frame of 3 has this key"});
}

TEST_CASE("cases: NaN in a target that is not fitted") {
  const Case in("nan_in_unused_target");
  const ProgramResult fitted = in.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  CHECK_MESSAGE(fitted.exit_code == 0, fitted.err);
  CHECK(contains(in.run("gap-fit", {"fit.toml", "--check"}).out, "as it is not fitted, it is left out"));
  std::string text = read_text(in.folder() / "fit.toml");
  replace_all(text, "use = [\"energy\",\"forces\"]", "");
  write(in, "fit.toml", text);
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "n.h5"}), {"key 'stress' is"});
}

TEST_CASE("cases: types of atoms are no elements") {
  const Case in("types_for_elements");
  check_refused(in.run("gap-predict", {base_model().string(), "test.xyz", "-o", "out.xyz"}),
                {"test.xyz:3 (frame 1): '1' is no element here", "LAMMPS", "Lattice"});
}

TEST_CASE("cases: ASE reads the predictions behind values that are empty or hold an apostrophe") {
  const Case in("empty_comment_field");
  const ProgramResult predicted = in.run("gap-predict", {base_model().string(), "in.xyz", "-o", "out.xyz"});
  CHECK_MESSAGE(predicted.exit_code == 0, predicted.err);
  write(in, "bare.xyz", "1\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3 comment=\nSi 0 0 0\n");
  REQUIRE(in.run("gap-predict", {base_model().string(), "bare.xyz", "-o", "-", "--prefix", ""}).exit_code == 0);
  write(in, "bare_out.xyz", in.run("gap-predict", {base_model().string(), "bare.xyz", "-o", "-", "--prefix", ""}).out);
  if (std::system("/usr/bin/python3 -c 'import ase' 2>/dev/null") != 0) {
    MESSAGE("skipped: /usr/bin/python3 has no ASE");
    return;
  }
  write(in, "read.py",
        "import ase.io\n"
        "frames = ase.io.read('out.xyz', ':')\n"
        "assert len(frames) > 10\n"
        "for atoms in frames:\n"
        "    assert isinstance(atoms.info['gap_energy'], float), atoms.info\n"
        "    assert atoms.info['gap_stress'].shape == (6,) and atoms.arrays['gap_forces'].shape == (len(atoms), 3)\n"
        "    assert all(atoms.pbc)\n"
        "notes = [a.info for a in frames if 'note' in a.info and 'title' in a.info]\n"
        "assert any(n['title'] == \"O'Brien\" and n['note'] == \"it's\" for n in notes), notes\n"
        "bare = ase.io.read('bare_out.xyz')\n"
        "assert isinstance(bare.get_potential_energy(), float) and bare.get_stress().shape == (6,)\n");
  const std::string command = "cd '" + in.folder().string() + "' && /usr/bin/python3 read.py";
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("cases: - is the standard input and the standard output") {
  const Case in("base");
  CHECK(in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"}).exit_code == 0);
  const ProgramResult piped = run_program("gap-predict", {base_model().string(), "-", "-o", "-"}, in.folder(), in.folder() / "train.xyz");
  CHECK_MESSAGE(piped.exit_code == 0, piped.err);
  CHECK(piped.out == read_text(in.folder() / "out.xyz"));
  CHECK(contains(piped.err, "energy"));  // the tables
  const ProgramResult json = in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz", "--json", "-"});
  CHECK(json.out.starts_with("{"));
  CHECK(json.out.ends_with("}\n"));
  const ProgramResult bad = run_program("gap-predict", {base_model().string(), "-", "-o", "-"}, in.folder(), in.folder() / "fit.toml");
  check_refused(bad, {"standard input:1 (frame 1): expected the number of atoms"});
  const ProgramResult fitted = run_program("gap-fit", {"-", "-o", "m.h5"}, in.folder(), in.folder() / "fit.toml");
  CHECK_MESSAGE(fitted.exit_code == 0, fitted.err);
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "-"}), {"-o -: this file cannot go to the standard output"});
  check_refused(in.run("gap-fit", {"fit.toml", "--train", "-", "-o", "m.h5"}), {"'-' (the standard input) cannot be read"});
}

TEST_CASE("cases: damaged files of other formats are refused with what they are, other endings of extended XYZ are read") {
  const Case in("base");
  const std::string text = read_text(in.folder() / "train.xyz");
  for (const std::string name : {"train.exyz", "train.XYZ", "train.data", "train"}) {
    CAPTURE(name);
    write(in, name, text);
    CHECK(in.run("gap-fit", {name, "--dry-run"}).exit_code == 0);
    CHECK(in.run("gap-predict", {base_model().string(), name, "-o", "out.xyz"}).exit_code == 0);
  }
  const std::string poscar = "silicon\n1.0\n5.4 0 0\n0 5.4 0\n0 0 5.4\nSi\n1\nDirect\n0 0\n";
  const std::vector<std::vector<std::string>> others = {
      {"POSCAR", poscar, "a structure of VASP (POSCAR), expected extended XYZ; reading it through ASE "},  // it fails, or there is no ASE
      {"CONTCAR", poscar, "a structure of VASP (POSCAR), expected"},
      {"bulk.vasp", poscar, "a structure of VASP (POSCAR), expected"},
      {"train.json", "{\"1\": {}}\n", "JSON, expected"},
      {"train.traj", "- of UlmASE-Trajectory", "a trajectory of ASE, expected"},
      {"train.cif", "data_si\n", "a structure in CIF, expected"},
      {"OUTCAR", " vasp.6\n", "an output of VASP (OUTCAR), expected"},
      {"vasprun.xml", "<?xml version=\"1.0\"?>\n", "an output of VASP (vasprun.xml), expected"},
      {"train.db", "SQLite format 3", "a database of ASE (SQLite), expected"},
      {"train.xyz.gz", "\x1f\x8b\x08", "gunzip"}};
  for (const auto& row : others) {
    CAPTURE(row[0]);
    write(in, row[0], row[1]);
    check_refused(in.run("gap-fit", {row[0]}), {row[0] + ": ", row[2]});
    check_refused(in.run("gap-fit", {"fit.toml", "--train", row[0], "-o", "m.h5"}), {row[0] + ": ", row[2]});
    check_refused(in.run("gap-predict", {base_model().string(), row[0], "-o", "none.xyz"}), {row[0] + ": ", row[2]});
  }
  CHECK_FALSE(std::filesystem::exists(in.folder() / "none.xyz"));
}

TEST_CASE("cases: outputs that cannot be written are noticed before the data are read, and leave nothing behind") {
  const Case in("base");
  std::filesystem::create_directory(in.folder() / "folder");
  write(in, "bad.xyz", "not extended XYZ\n");  // would be the error if it were read
  const auto before = files_in(in.folder());
  for (const std::string& out : std::vector<std::string>{"none/m.h5", "folder", "folder/", std::string(250, 'x') + ".h5"}) {
    CAPTURE(out);
    check_refused(in.run("gap-fit", {"bad.xyz", "-o", out}), {"-o " + out});
    check_refused(in.run("gap-fit", {"fit.toml", "--train", "bad.xyz", "-o", out}), {"-o " + out});
    check_refused(in.run("gap-predict", {base_model().string(), "bad.xyz", "-o", out}), {"-o " + out});
    check_refused(in.run("gap-fit", {"bad.xyz", "-o", "m.h5", "--json", out}), {"--json " + out});
    check_refused(in.run("gap-predict", {base_model().string(), "bad.xyz", "-o", "out.xyz", "--report", out}), {"--report " + out});
  }
  check_refused(in.run("gap-convert", {base_model().string(), "none/m.xml"}), {"OUT none/m.xml"});
  CHECK(files_in(in.folder()) == before);
}

TEST_CASE("cases: energies under a name that sounds like none are asked for, with and without a configuration") {
  const Case in("base");
  const std::string given = read_text(in.folder() / "train.xyz");
  for (const std::string name : {"U0", "enthalpy", "gap_energy", "energy_per_atom"}) {
    CAPTURE(name);
    std::string text = given;
    replace_all(text, " energy=", " " + name + "=");
    write(in, "train.xyz", text);
    const auto before = files_in(in.folder());
    for (const ProgramResult& refused : {in.run("gap-fit", {"train.xyz", "-o", "m.h5"}), in.run("gap-fit", {"fit.toml", "-o", "m.h5"})}) {
      check_refused(refused, {"no frame of 15 has an energy under a known name", "'" + name + "'", "--energy-key " + name,
                              "[data] use = [\"forces\", \"virial\"]"});
      CHECK_FALSE(contains(refused.err, "isolated"));
    }
    CHECK(files_in(in.folder()) == before);
  }
  std::string text = given;
  while (contains(text, " energy=")) text.erase(text.find(" energy="), text.find(' ', text.find(" energy=") + 1) - text.find(" energy="));
  write(in, "train.xyz", text);
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "m.h5"}),
                {"no frame of 15 has an energy under a known name", "give each frame its energy"});
  replace_all(text, " stress=", " bandgap_energy=1.0 energy_tol=1e-8 formation_energy=-0.5 stress=");
  write(in, "train.xyz", text);
  const ProgramResult forces = in.run("gap-fit", {"train.xyz", "--dry-run"});
  CHECK_MESSAGE(forces.exit_code == 0, forces.err);
  CHECK(contains(forces.err, "warning: no frame has an energy"));
  CHECK_FALSE(contains(forces.err, "reference energies: "));
  CHECK_FALSE(contains(forces.err, "equal weight"));
}

TEST_CASE("cases: forces that only the isolated atom has under a known name") {
  const Case in("base");
  std::string text = read_text(in.folder() / "train.xyz");
  const std::size_t second = text.find("\nSi", text.find("Lattice")) + 1;
  std::string rest = text.substr(text.find('\n', second));
  replace_all(rest, ":forces:R:3", ":Forces:R:3");
  write(in, "train.xyz", text.substr(0, text.find('\n', second)) + rest);
  const std::vector<std::string> parts = {
      "no frame of several atoms has forces under a known name, but the column 'Forces' looks like the forces"};
  check_refused(in.run("gap-fit", {"train.xyz", "-o", "m.h5"}), parts);
  check_refused(in.run("gap-fit", {"fit.toml", "-o", "m.h5"}), parts);
}

TEST_CASE("cases: a message names a sigma under an unknown name") {
  const Case in("base");
  std::string text = read_text(in.folder() / "train.xyz");
  replace_all(text, " stress=", " sigma_energy=0.01 forces_sigma=0.1 stress=");
  write(in, "train.xyz", text);
  const ProgramResult checked = in.run("gap-fit", {"fit.toml", "--check"});
  CHECK(checked.exit_code == 0);
  CHECK(
      contains(checked.out, "the key 'sigma_energy' seems to hold a sigma, but is not read; the key of the frame is called energy_sigma"));
  CHECK(contains(checked.out, "the key 'forces_sigma' seems to hold a sigma, but is not read; the key of the frame is called force_sigma"));
  replace_all(text, " sigma_energy=0.01 forces_sigma=", " energy_sigma=0.01 force_sigma=");
  write(in, "train.xyz", text);
  CHECK_FALSE(contains(in.run("gap-fit", {"fit.toml", "--check"}).out, "seems to hold a sigma"));
}

TEST_CASE("cases: NaN in a reference that the model was not fitted to stops no prediction") {
  const Case in("nan_in_unused_target");
  REQUIRE(in.run("gap-fit", {"fit.toml", "-o", "m.h5"}).exit_code == 0);
  const ProgramResult predicted = in.run("gap-predict", {"m.h5", "train.xyz", "-o", "out.xyz"});
  CHECK_MESSAGE(predicted.exit_code == 0, predicted.err);
  CHECK(contains(predicted.err, "the model was not fitted to this target"));
  check_refused(in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "none.xyz"}), {"key 'stress' is"});
}

TEST_CASE("cases: potentials and models are no configurations") {
  const Case in("base");
  write(in, "m.xml", "<GAP_1><Potential label=\"GAP_1\"/></GAP_1>\n");
  check_refused(in.run("gap-fit", {"m.xml"}), {"m.xml: expected a configuration (TOML) or data (extended XYZ)", "gap-convert reads"});
  check_refused(in.run("gap-fit", {base_model().string()}), {"expected a configuration (TOML) or data (extended XYZ)", "HDF5"});
}

TEST_CASE("cases: advice names options of the program that gives it") {
  const Case in("base");
  std::string text = read_text(in.folder() / "train.xyz");
  for (std::size_t at = 0; (at = text.find(" energy=", at)) != std::string::npos; at += 8) text.replace(at, 8, " Energy=");
  std::ofstream(in.folder() / "other.xyz") << text;
  const ProgramResult predicted = in.run("gap-predict", {base_model().string(), "other.xyz", "-o", "out.xyz"});
  CHECK(predicted.exit_code == 0);
  CHECK_MESSAGE(predicted.err.find("if so, name it with --energy-key Energy\n") != std::string::npos, predicted.err);
  CHECK_MESSAGE(predicted.err.find("[data]") == std::string::npos, predicted.err);  // it has no configuration
  CHECK_MESSAGE(predicted.err.find("leave energies out") == std::string::npos, predicted.err);
  CHECK(in.run("gap-predict", {base_model().string(), "other.xyz", "-o", "out.xyz", "--energy-key", "Energy"}).exit_code == 0);

  const ProgramResult fitted = in.run("gap-fit", {"other.xyz", "-o", "m.h5"});
  CHECK(fitted.exit_code == 2);
  CHECK_MESSAGE(fitted.err.find("(or --energy-key Energy)") != std::string::npos, fitted.err);
  CHECK_MESSAGE(fitted.err.find("of a configuration (docs/configuration.md)") != std::string::npos, fitted.err);
}
