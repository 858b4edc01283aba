// The program gap_fit: its arguments as scripts and workflows give them, its files, its exit codes.

#include <fmt/format.h>

#include <gapkit/io/md5.hpp>
#include <gapkit/io/xml.hpp>

#include "drop_in/gap_fit_runs.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

TEST_CASE("gap_fit writes the potential and its files of sparse points, and the model with error bars beside it") {
  const Workplace w;
  const std::string printed = run_good(w, usual(std::string(pairs) + " : " + soap));
  for (const char* part : {"gap_fit: gapkit ", "Training errors", "Model: gap_new.h5", "Potential: gap_new.xml"}) {
    CAPTURE(part);
    CHECK(contains(printed, part));
  }
  const XmlElement root = read_xml(w / "gap_new.xml");
  CHECK(*root.find_child("Potential")->find_attribute("init_args") == "IP GAP label=" + root.name);
  const XmlElement& params = *root.find_child("GAP_params");
  CHECK(contains(params.find_child("command_line")->text, "at_file=train.xyz gap={" + std::string(pairs) + " : " + soap + "} " + sigma));
  // The data, as do_copy_at_file=T.
  std::string data = read_text(w / "train.xyz");
  CHECK(contains(params.find_child("XYZ_data")->text, data));
  const auto coordinates = params.find_child("gpSparse")->children_named("gpCoordinates");
  REQUIRE(coordinates.size() == 2);
  std::size_t files = 0;
  for (const XmlElement* term : coordinates) {
    const std::string name = *term->find_attribute("sparseX_filename"), label = *term->find_attribute("label");
    CHECK(name == "gap_new.xml.sparseX." + label);
    CHECK(label.starts_with(root.name));
    CHECK(md5_of(read_text(w / name.c_str())) == *term->find_attribute("sparseX_md5sum"));
    ++files;
  }
  CHECK(files == 2);
  CHECK(files_in(w.folder.path()).size() == 3 + 2 + files);  // train, test, fit.toml; XML and model

  CHECK(largest_difference(w, "gap_new.xml", "gap_new.h5") <= 1e-9);
  const ProgramResult bars = w.run("gap-predict", {"gap_new.h5", "test.xyz", "-o", "bars.xyz", "--std", "energy,force,local"});
  INFO(bars.err);
  REQUIRE(bars.exit_code == 0);
  for (const Structure& frame : read_extxyz(w / "bars.xyz")) CHECK(numbers(frame, "gap_energy_std").at(0) > 0);
  const ProgramResult info = w.run("gap-info", {"gap_new.h5"});
  CHECK(contains(info.out, "delta=2.0"));
}

TEST_CASE("gap_fit does the same a second time, bit by bit, and its threads change nothing in the potential") {
  const Workplace w;
  const Words words = usual(std::string(pairs) + " : " + soap, {"rnd_seed=3", "gp_file=g.xml"});
  run_good(w, words);
  const auto first = contents(w.folder.path());
  run_good(w, words);
  CHECK(contents(w.folder.path()) == first);
  // Another seed is another fit, with files of its own: those of the first stay valid until the XML is replaced.
  run_good(w, usual(std::string(pairs) + " : " + soap, {"rnd_seed=4", "gp_file=g.xml"}));
  CHECK(files_in(w.folder.path()).size() == first.size() + 2);
  CHECK(read_text(w / "g.xml") != first.at("g.xml"));
}

TEST_CASE("gap_fit: sparse_separate_file=F and do_copy_at_file=F, names without .xml, dryrun") {
  const Workplace w;
  run_good(w, usual(soap, {"sparse_separate_file=F", "do_copy_at_file=F", "gap_file=one.v2"}));
  CHECK(files_in(w.folder.path()) == Words{"fit.toml", "one.v2", "one.v2.h5", "test.xyz", "train.xyz"});
  const std::string xml = read_text(w / "one.v2");
  CHECK(!contains(xml, "XYZ_data"));
  CHECK(!contains(xml, "sparseX_filename"));
  CHECK(largest_difference(w, "one.v2", "one.v2.h5") <= 1e-9);
  const auto before = contents(w.folder.path());
  CHECK(contains(run_good(w, usual(soap, {"dryrun=T"})), "Estimated:"));
  CHECK(contents(w.folder.path()) == before);
}

TEST_CASE("gap_fit: parts that are not supported stop it with one sentence, before anything is computed or written") {
  const Workplace w;
  w.folder.write("gap_new.xml", "precious");
  const auto before = contents(w.folder.path());
  const auto check_stopped = [&](const Words& words, const Words& parts) {
    CAPTURE(words.back());
    const ProgramResult result = w.run("gap_fit", words);
    check_mistake(result, parts);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(contents(w.folder.path()) == before);
  };
  check_stopped(usual(soap, {"wonder=1"}), {"not supported, so nothing was computed", "wonder=1"});
  check_stopped(usual(soap, {"sparsify_only_no_fit=T"}), {"sparsify_only_no_fit=T"});
  check_stopped(usual(soap, {"core_ip_args={IP SW}", "core_param_file=sw.xml"}), {"core_ip_args={IP SW}"});
  check_stopped(usual(soap, {"local_property0=1"}), {"local_property0"});
  check_stopped(usual(std::string(soap) + " normalise=F"), {"normalise=F"});
  check_stopped(usual(std::string(soap) + " : soap_turbo l_max=8"), {"soap_turbo"});
  check_stopped(usual(std::string(soap) + " : distance_Nb order=3 cutoff=3 n_sparse=5 delta=1 covariance_type=ard_se theta_uniform=1"),
                {"distance_Nb is not of order=2"});
  for (const char* method : {"kmeans", "pivot", "cluster", "fuzzy", "cur_covariance"}) {
    std::string other = soap;
    other.replace(other.find("cur_points"), 10, method);
    check_stopped(usual(other), {std::string("sparse_method=") + method});
  }
  check_stopped({"at_file=train.xyz", std::string("gap={") + soap + "}", "default_sigma={0.002 0.1 0.0 0.0}"}, {"a sigma of 0 for virial"});
  check_stopped(usual(soap, {"at_file=none.xyz"}), {"'at_file' is given twice"});
  check_stopped({"at_file=none.xyz", std::string("gap={") + soap + "}", sigma}, {"at_file none.xyz: the file cannot be read"});
  check_stopped({"at_file=.", std::string("gap={") + soap + "}", sigma}, {"at_file .: this is a folder"});
  check_stopped({"at_file=", std::string("gap={") + soap + "}", sigma}, {"at_file: the file name is empty"});
  check_stopped(usual(soap, {"forces_parameter_name=forces"}), {"forces_parameter_name=forces", "did you mean 'force_parameter_name'?"});
  check_stopped(usual(soap, {"GP_FILE=g.xml"}), {"GP_FILE=g.xml", "did you mean 'gp_file'?"});
  check_stopped(usual(std::string(soap) + " cutof=4.0"), {"cutof=4.0", "did you mean 'cutoff'?"});
  check_stopped(usual("soap_turbo l_max=8"), {"no descriptor in gap={…} is supported: soap_turbo"});
  check_stopped(usual(""), {"no descriptor in gap={…} is supported: it is empty"});
  check_stopped(usual(soap, {"rnd_seed=x"}), {"rnd_seed=x: expected an integer"});
  check_stopped({"at_file=train.xyz", sigma}, {"'gap' is missing"});
  check_stopped({"at_file=train.xyz", std::string("gap={") + soap, sigma}, {"not closed"});
  check_stopped(usual(soap, {"gp_file=no/g.xml"}), {"gp_file no/g.xml", "does not exist"});
  check_stopped(usual(soap, {"gp_file=größe.xml"}), {"ASCII"});
  check_stopped(usual(soap, {"gp_file=train.xyz"}), {"train.xyz"});
  check_stopped(usual(soap, {"config_file=none.conf"}), {"none.conf"});
  check_stopped(usual(soap, {"--memory=1MB"}), {"--memory"});
  check_stopped(usual(soap, {"--seed=1"}), {"--seed"});
  check_stopped(usual(soap, {"--json"}), {"--json: a file name must follow"});
  std::string ten = soap;
  ten.replace(ten.find("n_sparse=12"), 11, "n_sparse=ten");
  for (const Words& words : {usual(soap, {"e0_method=median"}), usual(ten)}) {
    check_stopped(words, {"not supported, so nothing was computed", "expected"});
    CHECK_FALSE(contains(w.run("gap_fit", words).err, "is written"));  // that holds for gap-convert only
  }
  const ProgramResult unnamed = w.run("gap_fit", usual(soap, {"energy_parameter_name=dft_energy"}));
  CHECK(unnamed.exit_code == 2);
  CHECK(contains(unnamed.out, "note: energy_parameter_name=dft_energy: no frame of 'train.xyz' has it"));
  const ProgramResult nothing = w.run("gap_fit", {});
  check_mistake(nothing, {"'at_file' is missing"});
  const ProgramResult help = w.run("gap_fit", {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(contains(help.out, "gp_file (gap_new.xml)"));
}

TEST_CASE("gap_fit under mpirun: the first process fits, the others end; variables alone are no launcher") {
  const Workplace w;
  std::string words;
  for (const std::string& word : usual(soap)) words += " '" + word + "'";
  const std::string program = program_path("gap_fit");
  // The kernel names a script's process after its file.
  const auto run_as = [&](const std::string& launcher, int rank) {
    w.folder.write(launcher, fmt::format("#!/bin/sh\nexport OMPI_COMM_WORLD_RANK={} OMPI_COMM_WORLD_SIZE=4\n'{}'{}\ncode=$?\nexit $code\n",
                                         rank, program, words));
    fs::permissions(w / launcher.c_str(), fs::perms::owner_all);
    const ProgramResult result = run_program((w / launcher.c_str()).string(), {}, w.folder.path());
    INFO(result.err);
    CHECK(result.exit_code == 0);
    fs::remove(w / launcher.c_str());
    return result.out;
  };
  CHECK(run_as("prted", 3) == "gap_fit: rank 3 ends: gapkit fits in rank 0, with threads\n");
  CHECK(!fs::exists(w / "gap_new.xml"));
  CHECK(contains(run_as("prted", 0), "started in 4 processes"));
  CHECK(fs::exists(w / "gap_new.xml"));
  fs::remove(w / "gap_new.xml");
  CHECK(!contains(run_as("workflow", 3), "processes"));
  CHECK(fs::exists(w / "gap_new.xml"));
}
