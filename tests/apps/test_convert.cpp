#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "apps/run_program.hpp"
#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::contains;
using gapkit::test::files_in;
using gapkit::test::ProgramResult;
using gapkit::test::read_text;
using gapkit::test::run_program;
namespace fs = std::filesystem;

namespace {

/// A folder with the potential D_sic_2bsoap.xml, its files and the structure sic8.xyz.
struct Workplace {
  test::TemporaryFolder folder;
  Workplace() {
    for (const auto& entry : fs::directory_iterator(test::source_folder() / "tests" / "data" / "gap_models"))
      if (const std::string name = entry.path().filename().string(); name.starts_with("D_sic_2bsoap") || name == "sic8.xyz")
        fs::copy(entry.path(), folder.path());
  }
  fs::path operator/(const char* name) const { return folder.path() / name; }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder.path());
  }
};

void check_mistake(const ProgramResult& result, const std::vector<std::string>& parts) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out == "");
  CHECK(contains(result.err, ": error: "));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(result.err, part));
  }
}

}  // namespace

TEST_CASE("gap-convert: XML to model, prediction, model to XML and back") {
  const Workplace w;
  const ProgramResult converted = w.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5"});
  INFO(converted.err);
  REQUIRE(converted.exit_code == 0);
  CHECK(converted.out == "");

  const ProgramResult predicted =
      w.run("gap-predict", {"m.h5", "D_sic_2bsoap.sic8.xyz", "-o", "out.xyz", "--no-reference", "--std", "local"});
  INFO(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.err, "QUIP's variance"));
  CHECK(!contains(predicted.err, "uncalibrated"));
  const Structure frame = read_extxyz(w / "out.xyz").at(0);
  CHECK(frame.find_column("gap_local_energy_std_epistemic") == nullptr);
  const Column* ours = frame.find_column("gap_local_variance_quip");
  const Column* theirs = frame.find_column("local_gap_variance");
  REQUIRE(ours);
  REQUIRE(theirs);
  for (std::size_t i = 0; i < 8; ++i)
    test::check_close(std::get<std::vector<double>>(ours->values).at(i), std::get<std::vector<double>>(theirs->values).at(i), 0, 1e-6);
  for (const char* name : {"energy", "energy,local"})
    check_mistake(w.run("gap-predict", {"m.h5", "sic8.xyz", "-o", "no.xyz", "--std", name}), {"imported", "--std local"});
  CHECK(!fs::exists(w / "no.xyz"));

  REQUIRE(w.run("gap-convert", {"m.h5", "again.xml"}).exit_code == 0);
  const std::string xml = read_text(w / "again.xml");
  CHECK(contains(xml, "<Potential label=\"GAP_again_\" init_args=\"IP GAP label=GAP_again_\"/>"));
  CHECK(contains(xml, "sparseX_filename=\"again.xml.sparseX.GAP_again_5\""));
  REQUIRE(w.run("gap-convert", {"again.xml", "again.h5"}).exit_code == 0);
  REQUIRE(w.run("gap-predict", {"again.h5", "D_sic_2bsoap.sic8.xyz", "-o", "out2.xyz", "--no-reference"}).exit_code == 0);
  const Structure second = read_extxyz(w / "out2.xyz").at(0);
  const auto energy = [](const Structure& s) { return std::get<double>(s.find_field("gap_energy")->value); };
  test::check_close(energy(second), energy(frame), 1e-9);
}

TEST_CASE("gap-convert: a conversion that fails leaves the output as it was") {
  const Workplace w;
  w.folder.write("m.h5", "precious");
  fs::remove(w / "D_sic_2bsoap.xml.sparseX.GAP_2026_11_22_0_9_8_17_5265");
  check_mistake(w.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5"}), {"D_sic_2bsoap.xml:", "<gpCoordinates>", "not beside the XML"});
  CHECK(read_text(w / "m.h5") == "precious");
  w.folder.write("m.xml", "precious");
  check_mistake(w.run("gap-convert", {"m.h5", "m.xml"}), {"m.h5"});
  CHECK(read_text(w / "m.xml") == "precious");
  for (const std::string& name : files_in(w.folder.path())) CHECK(!contains(name, "sparseX.GAP_m"));
}

TEST_CASE("gap-convert: mistakes on the command line") {
  const Workplace w;
  check_mistake(w.run("gap-convert", {}), {"IN and OUT are required"});
  check_mistake(w.run("gap-convert", {"D_sic_2bsoap.xml"}), {"IN and OUT are required"});
  check_mistake(w.run("gap-convert", {"D_sic_2bsoap.xml", "m.txt"}), {"only .xml → .h5"});
  check_mistake(w.run("gap-convert", {"D_sic_2bsoap.xml", "no/m.h5"}), {"does not exist"});
  check_mistake(w.run("gap-convert", {"none.xml", "m.h5"}), {"none.xml: cannot be opened"});
  check_mistake(w.run("gap-convert", {"none.h5", "m.xml"}), {"none.h5"});
  check_mistake(w.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5", "--species", "Sj"}), {"Sj"});
  check_mistake(w.run("gap-convert", {"a.xml", "m.h5", "--from-gap-fit", "gap=1"}), {"excludes IN and OUT"});
  check_mistake(w.run("gap-convert", {"--from-gap-fit", "none.txt"}), {"none.txt"});
  check_mistake(w.run("gap-convert", {"--from-gap-fit", "at_file=a.xyz"}), {"'gap' is missing"});
  CHECK(contains(w.run("gap-convert", {"--help"}).out, "Examples:"));
}

TEST_CASE("gap-convert --kim writes a portable model from both kinds of models, and says how to install it") {
  const Workplace w;
  const ProgramResult from_xml = w.run("gap-convert", {"D_sic_2bsoap.xml", "--kim", "Carbide", "kim-xml"});
  INFO(from_xml.err);
  REQUIRE(from_xml.exit_code == 0);
  CHECK(contains(from_xml.out, "share/gapkit/kim\n  kim-api-collections-management install user kim-xml\n"));
  REQUIRE(w.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5"}).exit_code == 0);
  REQUIRE(w.run("gap-convert", {"--kim", "Carbide", "kim-h5", "m.h5"}).exit_code == 0);
  for (const char* folder : {"kim-xml", "kim-h5"})
    CHECK(files_in(w.folder.path() / folder) == std::vector<std::string>{"CMakeLists.txt", "Carbide.gapkit", "Carbide.h5"});

  check_mistake(w.run("gap-convert", {"m.h5", "out.h5", "--kim", "A", "dir"}), {"takes the model IN and no OUT"});
  check_mistake(w.run("gap-convert", {"--kim", "A", "dir"}), {"takes the model IN and no OUT"});
  check_mistake(w.run("gap-convert", {"m.h5", "--kim", "A"}), {"--kim"});
  check_mistake(w.run("gap-convert", {"m.h5", "--kim", "A", "dir", "--species", "Si"}), {"--species is for potentials of QUIP"});
  check_mistake(w.run("gap-convert", {"--kim", "A", "dir", "--from-gap-fit", "gap=1"}), {"excludes --kim"});
  check_mistake(w.run("gap-convert", {"m.h5", "--kim", "A", "kim-h5"}), {"kim-h5: the folder holds 'Carbide."});
  check_mistake(w.run("gap-convert", {"none.h5", "--kim", "A", "dir"}), {"none.h5"});
  CHECK(!fs::exists(w / "dir"));
}

TEST_CASE("gap-convert --from-gap-fit prints a configuration that gap-fit accepts") {
  const Workplace w;
  fs::copy(test::source_folder() / "tests" / "data" / "gap_models" / "sic_tersoff.xyz", w.folder.path());
  const std::string command =
      "at_file=sic_tersoff.xyz gap={distance_2b cutoff=4.0 cutoff_transition_width=1.0 covariance_type=ard_se delta=2.0 "
      "theta_uniform=0.8 sparse_method=uniform n_sparse=12 : soap l_max=2 n_max=3 atom_sigma=0.5 zeta=2 cutoff=4.0 "
      "delta=0.5 n_sparse=20 covariance_type=dot_product sparse_method=cur_points wonder=3} e0={Si:-1.0:C:-2.0} "
      "default_sigma={0.002 0.1 0.1 0} force_parameter_name=forces gp_file=sic.xml";
  const ProgramResult direct = w.run("gap-convert", {"--from-gap-fit", command});
  INFO(direct.err);
  REQUIRE(direct.exit_code == 0);
  CHECK(contains(direct.err, "warning: not supported: soap: wonder=3"));
  w.folder.write("command.txt", "gap_fit " + command + "\n");
  const ProgramResult from_file = w.run("gap-convert", {"--from-gap-fit", "command.txt"});
  CHECK(from_file.out == direct.out);
  w.folder.write("fit.toml", direct.out);
  const ProgramResult plan = w.run("gap-fit", {"fit.toml", "--dry-run"});
  INFO(plan.err);
  CHECK(plan.exit_code == 0);
}

TEST_CASE("gap-info describes fitted and imported models, as text and JSON") {
  const Workplace w;
  fs::copy(test::source_folder() / "tests" / "data" / "gap_models" / "sic_tersoff.xyz", w.folder.path());
  w.folder.write(
      "fit.toml",
      "data.train = [\"sic_tersoff.xyz\"]\ndata.use = [\"energy\"]\n[reference_energies]\nmode = \"explicit\"\nexplicit = { Si = -1.0, C = "
      "-2.0 }\n[[term]]\ndescriptor = \"two_body\"\ncutoff = 4.0\nkernel = \"squared_exponential\"\nlength_scale = 0.8\ndelta = "
      "2.0\nn_sparse = 6\nselection = \"uniform\"\n[regularization.config_type.odd]\nenergy = 0.5\n");
  const ProgramResult fitted = w.run("gap-fit", {"fit.toml", "-o", "fit.h5"});
  INFO(fitted.err);
  REQUIRE(fitted.exit_code == 0);
  const ProgramResult text = w.run("gap-info", {"fit.h5"});
  REQUIRE(text.exit_code == 0);
  for (const char* part : {"two_body C-Si", "effective rank", "Si -1.0", "training errors", "delta", "sigma of", "0.001", "log evidence"}) {
    CAPTURE(part);
    CHECK(contains(text.out, part));
  }
  const auto json = nlohmann::json::parse(w.run("gap-info", {"fit.h5", "--json"}).out);
  CHECK(json["has_posterior"] == true);
  CHECK(json["terms"].size() == 3);
  CHECK(json["terms"][1]["species"] == "C-Si");
  CHECK(json["terms"][1]["sparse_points"].get<int>() == 6);
  CHECK(json["terms"][1]["effective_rank"].get<int>() >= 1);
  CHECK(json["terms"][1]["effective_rank"].get<int>() <= 6);
  CHECK(json["terms"][1]["delta"] == 2.0);
  CHECK(json["reference_energies"]["C"] == -2.0);
  CHECK(json["training_errors"]["all"]["energy"]["rmse"].is_number());
  CHECK(json["groups"][0]["sigma"].is_number());
  CHECK(!json["gapkit_version"].get<std::string>().empty());

  REQUIRE(w.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5"}).exit_code == 0);
  const ProgramResult imported = w.run("gap-info", {"m.h5"});
  CHECK(imported.exit_code == 0);
  CHECK(contains(imported.out, "imported"));
  CHECK(contains(imported.out, "GAP XML D_sic_2bsoap.xml"));
  const auto of_import = nlohmann::json::parse(w.run("gap-info", {"m.h5", "--json"}).out);
  CHECK(of_import["has_posterior"] == false);
  CHECK(of_import["terms"][3]["sparse_points"] == 50);
  CHECK(of_import["groups"].empty());
  check_mistake(w.run("gap-info", {"none.h5"}), {"none.h5"});
  check_mistake(w.run("gap-info", {}), {"MODEL"});
}
