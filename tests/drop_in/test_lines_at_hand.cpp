// Command lines as tutorials, test suites, workflow programs and scripts write them, with small numbers: each runs through a shell, or as
// the list of words that a program passes, or stops with the right sentence.

#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>

#include "drop_in/gap_fit_runs.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, const std::string& part, const std::string& other) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + other.size()))
    text.replace(at, part.size(), other);
  return text;
}

/// The data of Workplace under the names of other programs.
struct Lines : Workplace {
  Lines() {
    const std::string plain = read_text(*this / "train.xyz");
    const std::string no_virial = replaced(replaced(plain, " virial=", " other_virial="), " stress=", " other_stress=");
    folder.write("no_virial.xyz", no_virial);
    for (const auto& [prefix, file] : {std::pair{"dft_", "Si.np1.xyz"}, {"REF_", "train.extxyz"}, {"QM_", "qm.xyz"}}) {
      std::string named = replaced(no_virial, " energy=", std::string(" ") + prefix + "energy=");
      named = replaced(named, ":forces:R:3", std::string(":") + prefix + "forces:R:3");
      folder.write(file, replaced(named, " other_virial=", std::string(" ") + prefix + "virial="));
    }
    // Isolated atoms without forces, as most workflows write them.
    std::string words = read_text(*this / "train.extxyz");
    words = words.substr(words.find("\n2\n") + 1);
    folder.write("isolated.xyz",
                 "1\nProperties=species:S:1:pos:R:3 REF_energy=-0.85 config_type=isolated_atom pbc=\"F F F\"\nSi 0 0 0\n" + words);
  }

  /// Runs a script that calls gap_fit; true if it wrote `potential`.
  ProgramResult script(const std::string& text) const {
    const std::string bin = fs::path(program_path("gap_fit")).parent_path().string();
    folder.write("run.sh", "#!/bin/bash\nset -e\nexport PATH=\"" + bin + ":$PATH\"\n" + text + "\n");
    fs::permissions(*this / "run.sh", fs::perms::owner_all);
    return run_program((*this / "run.sh").string(), {}, folder.path());
  }

  void check_runs(const std::string& text, const std::string& potential) const {
    CAPTURE(text);
    fs::remove(*this / potential.c_str());
    const ProgramResult result = script(text);
    INFO(result.out);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    REQUIRE(fs::exists(*this / potential.c_str()));
    const std::string model = fs::path(potential).replace_extension(".h5").string();
    largest_difference(*this, potential, model);
  }

  void check_stops(const std::string& text, const std::string& part) const {
    CAPTURE(text);
    const ProgramResult result = script(text);
    CAPTURE(result.err);
    CHECK(result.exit_code == 2);
    const std::string printed = result.err + result.out;  // scripts redirect both
    CHECK(contains(printed, "gap_fit: error: "));
    CHECK(contains(printed, part));
    CHECK(!contains(printed, "internal error"));
  }
};

}  // namespace

TEST_CASE("command lines of tutorials and scripts, through a shell") {
  const Lines w;
  const std::string tutorial =
      "gap_fit energy_parameter_name=energy force_parameter_name=forces do_copy_at_file=F sparse_separate_file=T gp_file=GAP.xml "
      "at_file=no_virial.xyz default_sigma={0.008 0.04 0 0} gap={distance_2b cutoff=4.0 covariance_type=ard_se delta=0.5 theta_uniform=1.0 "
      "sparse_method=uniform add_species=T n_sparse=10";
  w.check_runs(tutorial + "}", "GAP.xml");
  w.check_runs(
      tutorial + " : angle_3b cutoff=3.5 covariance_type=ard_se delta=0.5 theta_fac=0.5 add_species=T n_sparse=12 sparse_method=uniform}",
      "GAP.xml");
  w.check_stops(replaced(tutorial, "no_virial", "train") + "}", "a sigma of 0 for virial");
  w.check_runs(
      "train_path=\"no_virial.xyz\"\nmodel_name=\"model\"\n# Train\ngap_fit at_file=$train_path \\\ngap={soap cutoff=4.0 \\\n    "
      "covariance_type=dot_product \\\n    zeta=2 \\\n    delta=0.25 \\\n    atom_sigma=0.3 \\\n    add_species=T \\\n    n_max=4 \\\n    "
      "l_max=2 "
      "\\\n    n_sparse=15 \\\n    sparse_method=cur_points} \\\nforce_parameter_name=forces \\\ne0_method=average "
      "\\\ndefault_sigma={0.001 0.2 "
      "0.0 0.0} \\\ndo_copy_at_file=F sparse_separate_file=F \\\ngp_file=$model_name.xml\necho Donezo\nwait",
      "model.xml");
  w.check_runs(
      "gap_fit at_file=qm.xyz gp_file=qm_gap.xml energy_parameter_name=QM_energy force_parameter_name=QM_forces "
      "virial_parameter_name=QM_virial "
      "sparse_jitter=1.0e-8 do_copy_at_file=F sparse_separate_file=T default_sigma={ 0.005 0.1 0.05 1.0 } e0_method=average gap={ "
      "distance_Nb order=2 n_sparse=8 cutoff=4.5 cutoff_transition_width=1.0 compact_clusters covariance_type=ard_se theta_uniform=1.0 "
      "sparse_method=uniform f0=0.0 add_species=T delta=0.3 : soap n_sparse=12 n_max=4 l_max=2 cutoff=4.0 cutoff_transition_width=1.0 "
      "atom_sigma=0.5 add_species=True delta=0.3 covariance_type=dot_product zeta=4 sparse_method=cur_points }  | tee log.txt",
      "qm_gap.xml");
  w.check_runs(
      "GPWRITE=1 VERBOSE=1 gap_fit at_file=train.xyz e0=0.0 sparse_jitter=1e-8 do_copy_at_file=False gp_file=gap_out.xml rnd_seed=999 "
      "default_sigma=\"{4.0 1.0 0.5 0}\" gap=\"{distance_2b cutoff=5.0 covariance_type=ard_se delta=1.0 theta_uniform=1.0 n_sparse=6 "
      "print_sparse_index=indices.out add_species}\" >& out.log",
      "gap_out.xml");
  const std::string quoted =
      "gap_fit at_file = train.xyz 'gap={distance_2b' cutoff=4.5 n_sparse=6 covariance_type=ard_se theta_fac=0.4 delta=0.3: soap l_max=2 "
      "n_max=3 atom_sigma=0.5 zeta=4 cutoff=4.5 covariance_type=dot_product n_sparse=8 'delta=0.2}' 'default_sigma={0.002' 0.08 0.05 "
      "'0.0}' "
      "\"e0={'Si':-0.85}\" sparse_jitter=1.0e-8 gp_file=out.xml";
  w.check_runs(quoted, "out.xml");
  w.check_stops(replaced(quoted, " delta=0.3", ""), "distance_2b: delta is missing or not above 0\n");
  // The annotated example of the documentation, without its comments.
  const std::string annotated =
      "gap_fit atoms_filename=train.xyz gap={ distance_Nb order=2 cutoff=5.0 n_sparse=8 covariance_type=ard_se delta=2.0 theta_uniform=2.5 "
      "sparse_method=uniform compact_clusters=T : soap l_max=2 n_max=4 atom_sigma=0.5 cutoff=5.0 radial_scaling=-0.5 "
      "cutoff_transition_width=1.0 central_weight=1.0 n_sparse=10 delta=0.2 covariance_type=dot_product zeta=4 sparse_method=cur_points } "
      "default_sigma={0.002 0.2 0.2 0.0} config_type_sigma={ isolated_atom:0.0001:0.01:1.0:0.0: diamond_eos:0.03:0.4:0.5:0.0: "
      "2D:0.001:0.03:"
      "0.05:0.0 } energy_parameter_name=energy force_parameter_name=forces virial_parameter_name=virial sparse_jitter=1.0e-8 "
      "do_copy_at_file=F sparse_separate_file=T gp_file=gap.xml";
  w.check_stops(annotated, "radial_scaling=-0.5");
  w.check_runs(replaced(annotated, "radial_scaling=-0.5", "radial_scaling=0.0"), "gap.xml");
  w.check_stops(annotated + " core_param_file=P_r6_innercut.xml core_ip_args={IP Glue}", "radial_scaling");
  w.check_stops(
      "gap_fit atoms_filename=train.xyz gap = { soap_turbo l_max=8 alpha_max={{8 8}} atom_sigma_r={{0.5 0.5}} rcut_soft=5.0 rcut_hard=5.5 "
      "species_Z={{14 6}} add_species=F n_sparse=9 delta=0.1 covariance_type=dot_product zeta=4 : distance_2b cutoff=4 delta=1 n_sparse=5 "
      "covariance_type=ard_se theta_uniform=1 } default_sigma={0.001 0.1 0.1 0.1}",
      "soap_turbo");
}

TEST_CASE("command lines of workflow programs") {
  const Lines w;
  // Lists of words without a shell; three-body clusters are off by default there.
  const Words general = {"at_file=" + (w / "train.extxyz").string(),
                         "default_sigma={0.0001 0.05 0.05 0}",
                         "energy_parameter_name=REF_energy",
                         "force_parameter_name=REF_forces",
                         "virial_parameter_name=REF_virial",
                         "sparse_jitter=1e-08",
                         "do_copy_at_file=F",
                         "openmp_chunk_size=10000",
                         "gp_file=gap_file.xml",
                         "e0_offset=0.0"};
  const std::string
      two =
          "distance_Nb order=2 f0=0.0 add_species=T cutoff=4.0 n_sparse=8 covariance_type=ard_se delta=2.0 theta_uniform=0.5 "
          "sparse_method=uniform compact_clusters=T",
      many =
          "soap add_species=T l_max=2 n_max=4 atom_sigma=0.5 zeta=4 cutoff=4.0 cutoff_transition_width=1.0 central_weight=1.0 "
          "n_sparse=12 delta=1.0 f0=0.0 covariance_type=dot_product sparse_method=cur_points";
  for (const std::string& gap : {"gap={" + many + "}", "gap={" + two + " :" + many + "}"}) {
    Words words = general;
    words.push_back(gap);
    run_good(w, words);
    largest_difference(w, "gap_file.xml", "gap_file.h5");
  }
  Words words = general;
  words.push_back("gap={" + two +
                  " :distance_Nb order=3 f0=0.0 add_species=T cutoff=3.25 n_sparse=100 covariance_type=ard_se delta=2.0 "
                  "theta_uniform=1.0 sparse_method=uniform compact_clusters=T :" +
                  many + "}");
  check_mistake(w.run("gap_fit", words), {"distance_Nb is not of order=2"});

  // key=value for every option, also "soap=T"; the standard output goes to a file. A sigma of 0 where atoms have no forces.
  const std::string line =
      "gap_fit default_sigma={0.01 0.1 0.1 0.0} sparse_separate_file=T "
      "config_type_sigma=isolated_atom:1e-05:0.0:0.0:0.0:diamond_eos:0.1:0.3:"
      "0.2:0.0 energy_parameter_name=REF_energy force_parameter_name=REF_forces virial_parameter_name=REF_virial "
      "hessian_parameter_name=REF_hessian stress_parameter_name=REF_stress gap_file=GAP.stage_0.xml rnd_seed=1234567 "
      "atoms_filename=isolated.xyz gap={ distance_2b=T cutoff=4.0 covariance_type=ard_se n_sparse=6 sparse_method=uniform "
      "theta_uniform=1.0 "
      "delta=0.4 : soap=T l_max=2 n_max=4 atom_gaussian_width=0.5 cutoff=4.0 covariance_type=dot_product zeta=4 n_sparse=9 "
      "sparse_method=cur_points delta=0.1 add_species=F n_species=1 Z=14 species_Z={{14}} } 2>&1 > stdout.gap_fit ";
  w.check_runs(line, "GAP.stage_0.xml");
  CHECK(contains(read_text(w / "stdout.gap_fit"), "Potential: GAP.stage_0.xml"));
  w.check_stops(replaced(line, "sparse_separate_file", "sparse_seprate_file"), "sparse_seprate_file=T");
}

TEST_CASE("command lines of a test suite: all in a file, sparse points in files, an offset of e0") {
  const Lines w;
  const auto line = [](const std::string& gap, const std::string& more) {
    return "at_file=Si.np1.xyz config_type_parameter_name=config_type default_sigma={0.01 1.0 0.5 0.0}  do_copy_atoms_file=F e0_offset=2.0 "
           "energy_parameter_name=dft_energy force_parameter_name=dft_forces gap={" +
           gap + "} gp_file=gp.xml rnd_seed=1 sparse_jitter=1.0e-3 virial_parameter_name=dft_virial " + more;
  };
  const std::string
      two =
          "{distance_2b covariance_type=ard_se cutoff=6.0 delta=1.0 n_sparse=10 print_sparse_index=sparse_index.out "
          "theta_uniform=0.1 sparse_method=uniform}",
      many =
          "{soap atom_sigma=0.5 central_weight=1.0 covariance_type=dot_product cutoff=4.0 cutoff_transition_width=1.0 delta=3.0 "
          "l_max=3 n_max=4 n_sparse=15 print_sparse_index=sparse_index.out zeta=4 sparse_method=cur_points}";
  w.check_runs("gap_fit " + line(two, "") + " > gap_fit.log 2>&1", "gp.xml");
  w.check_runs("gap_fit " + line(many, "condition_number_norm=I") + " > gap_fit.log 2>&1", "gp.xml");
  w.check_runs("gap_fit " + line(two + ":" + many, "") + " > gap_fit.log 2>&1", "gp.xml");
  const double isolated = -0.8518300449128903;
  CHECK(read_gap_xml(w / "gp.xml").model.reference_energies.at(14) == isolated + 2.0);
  w.folder.write("gap_fit.config", line(many, "mpi_blocksize_rows=101") + "\n");
  w.check_runs("gap_fit config_file=gap_fit.config", "gp.xml");
  w.folder.write("sparse_index.inp", "1\n5\n20\n100\n");
  w.check_runs("gap_fit " + line(replaced(replaced(two, "sparse_method=uniform", "sparse_method=index_file sparse_file=sparse_index.inp"),
                                          "n_sparse=10", ""),
                                 ""),
               "gp.xml");
  w.check_stops("gap_fit " + line(many, "sparsify_only_no_fit=T"), "sparsify_only_no_fit=T");

  // The lines among the cases.
  const fs::path cases = source_folder() / "tests" / "data" / "cases";
  w.check_runs(read_text(cases / "gap_fit_brace_list" / "cmd.txt"), "g.xml");
  w.check_stops(read_text(cases / "gap_fit_shell_quotes" / "cmd.txt"), "distance_2b: delta is missing");  // gap_fit requires it too
  for (const char* file : {"pair.dat", "trip.dat"}) fs::copy(cases / "quip" / "sparse_file" / file, w.folder.path());
  std::string with_files = read_text(cases / "quip" / "sparse_file" / "cmd");
  w.check_runs("gap_fit " + with_files, "gp.xml");
  const Model model = read_gap_xml(w / "gp.xml").model;
  REQUIRE(model.terms.size() == 2);
  CHECK(model.terms[0].sparse.size() == 15);
  CHECK(model.terms[1].sparse.size() == 30);
}

TEST_CASE("docs/example/quip writes the lines that scripts cut out of QUIP's output") {
  const Lines w;
  run_good(w, usual(soap, {"gp_file=GAP.xml"}));
  const std::string quip = "\"" + (source_folder() / "docs" / "example" / "quip").string() + "\"";
  // Reference forces under the name of the predictions are no predictions.
  w.folder.write("named.xyz", replaced(read_text(w / "test.xyz"), ":forces:R:3", ":force:R:3"));
  for (const char* name : {"test.xyz", "named.xyz"}) {
    const ProgramResult result =
        w.script(quip + " E=T F=T V=T atoms_filename=" + name + " param_filename=GAP.xml | grep AT | sed 's/AT//' > quip.xyz");
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    REQUIRE(w.run("gap-predict", {"GAP.h5", "test.xyz", "-o", "ours.xyz", "--no-reference"}).exit_code == 0);
    const auto frames = read_extxyz(w / "quip.xyz"), ours = read_extxyz(w / "ours.xyz");
    REQUIRE(frames.size() == 5);
    REQUIRE(ours.size() == 5);
    for (std::size_t f = 0; f < 5; ++f) {
      check_close(numbers(frames[f], "energy").at(0), numbers(ours[f], "gap_energy").at(0), 1e-9);
      check_close(numbers(frames[f], "virial").at(0), numbers(ours[f], "gap_virial").at(0), 1e-9);
      for (std::size_t i = 0; i < column(ours[f], "gap_forces").size(); ++i)
        check_close(column(frames[f], "force").at(i), column(ours[f], "gap_forces").at(i), 1e-9);
    }
  }
  CHECK(w.script(quip + " E=T relax=T atoms_filename=test.xyz param_filename=GAP.xml").exit_code == 2);
  CHECK(w.script(quip + " E=T atoms_filename=none.xyz param_filename=GAP.xml").exit_code == 2);
  CHECK(w.script(quip + " E=T atoms_filename=test.xyz param_filename=none.xml").exit_code == 2);
}

TEST_CASE("gap_fit with the sparse points of a potential of QUIP's gap_fit finds its weights") {
  const Workplace w;
  const fs::path models = source_folder() / "tests" / "data" / "gap_models";
  fs::copy(models / "sic_tersoff.xyz", w.folder.path());
  const Model theirs = read_gap_xml(models / "D_sic_2bsoap.xml").model;  // its command line stands in the file
  std::string gap;
  for (std::size_t t = 0; t < theirs.terms.size(); ++t) {
    const Term& term = theirs.terms[t];
    std::string points;
    for (Eigen::Index m = 0; m < term.sparse.x.rows(); ++m) {
      points += fmt::format("{:.17g}\n", term.sparse.covariance_cutoff[m]);
      for (const double x : term.sparse.x.row(m)) points += fmt::format("{:.17g}\n", x);
      if (term.descriptor_name == "soap") points += "0.0\n";
    }
    const std::string file = fmt::format("points_{}.dat", t);
    w.folder.write(file, points);
    gap += fmt::format(
        "{} {} add_species=F sparse_method=file sparse_file={}", t == 0 ? "" : " :",
        term.descriptor_name == "soap"
            ? fmt::format("soap l_max=4 n_max=4 atom_sigma=0.5 zeta=2 cutoff=4.0 cutoff_transition_width=0.8 central_weight=0.7 "
                          "delta=0.5 covariance_type=dot_product n_Z=1 Z={} n_species=2 species_Z={{{{6 14}}}}",
                          term.species[0])
            : fmt::format("distance_2b Z1={} Z2={} cutoff=4.0 cutoff_transition_width=1.0 covariance_type=ard_se delta=2.0 "
                          "theta_uniform=0.8",
                          term.species[0], term.species[1]),
        file);
  }
  run_good(w, {"at_file=sic_tersoff.xyz", "gap={" + gap + "}", "e0={Si:-1.0:C:-2.0}", "default_sigma={0.002 0.1 0.1 0}",
               "sparse_jitter=1e-8", "energy_parameter_name=energy", "force_parameter_name=forces", "virial_parameter_name=virial",
               "rnd_seed=1", "do_copy_at_file=F", "gp_file=D.xml"});
  REQUIRE(w.run("gap-predict", {"D.h5", (models / "D_sic_2bsoap.sic8.xyz").string(), "-o", "D.xyz", "--no-reference"}).exit_code == 0);
  const Structure frame = read_extxyz(w / "D.xyz").at(0);
  check_close(numbers(frame, "gap_energy").at(0), numbers(frame, "energy").at(0), 1e-6);
  const auto ours = column(frame, "gap_forces"), quip = column(frame, "force");
  REQUIRE(ours.size() == quip.size());
  for (std::size_t i = 0; i < ours.size(); ++i) check_close(ours[i], quip[i], 1e-5);
}
