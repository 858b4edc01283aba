// The folder of a portable model of the KIM API. tests/kim installs such folders and runs them.
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/convert/kim_model.hpp>

#include "support/spring_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

Model carbide() {
  return load_any_model(source_folder() / "tests" / "data" / "gap_models" / "D_sic_2bsoap.xml");
}

void check_refused(const Model& model, const std::string& name, const fs::path& folder, const std::vector<std::string>& parts) {
  const std::string message = message_of<InputError>([&] { write_kim_model(model, name, folder); });
  CAPTURE(message);
  for (const std::string& part : parts) CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("KIM: a portable model has its name, its elements and the size of its model, and is replaced as a whole") {
  const TemporaryFolder work;
  const fs::path folder = work.path() / "a" / "kim";
  const Model model = carbide();
  for (int time = 0; time < 2; ++time) {
    write_kim_model(model, "SiC_1", folder);
    CHECK(std::distance(fs::directory_iterator(folder), {}) == 3);
    CHECK(read_text(folder / "SiC_1.gapkit") == "gapkit_kim 1\nmodel SiC_1\nfile SiC_1.h5 " +
                                                    std::to_string(fs::file_size(folder / "SiC_1.h5")) + "\nelement C 6\nelement Si 14\n");
    CHECK(load_model(folder / "SiC_1.h5").weights == model.weights);
    const std::string cmake = read_text(folder / "CMakeLists.txt");
    CHECK(cmake.find("add_kim_api_model_library(NAME \"SiC_1\" DRIVER_NAME \"gapkit_driver\" PARAMETER_FILES \"SiC_1.gapkit\")") !=
          std::string::npos);
    CHECK(cmake.find('@') == std::string::npos);
    fs::remove(folder / "SiC_1.gapkit");  // as after an interruption
  }
}

TEST_CASE("KIM: models that give no energies from neighbours alone are refused, and nothing is written") {
  const TemporaryFolder work;
  Model on_base = carbide(), with_springs = carbide();
  on_base.base.columns["energy"] = "xtb_energy";
  on_base.base.name = "GFN2-xTB";
  with_springs.baselines.push_back(std::make_shared<SpringPotential>(1.0));
  check_refused(on_base, "A", work.path() / "kim", {"the difference from another one, GFN2-xTB", "a fit without a base"});
  check_refused(with_springs, "A", work.path() / "kim", {"part 'springs' needs the whole cell"});
  Model empty = carbide();
  empty.terms.clear();
  check_refused(empty, "A", work.path() / "kim", {"no interactions"});
  CHECK(!fs::exists(work.path() / "kim"));
}

TEST_CASE("KIM: names that are no identifiers, and folders with other files, are refused") {
  const TemporaryFolder work;
  const Model model = carbide();
  for (const char* name : {"", "2Si", "Si-C", "Si C", "Siß", "a/b"})
    check_refused(model, name, work.path() / "kim", {"is no name for a KIM model"});
  check_refused(model, kim_driver_name, work.path() / "kim", {"the name of the model driver"});
  CHECK(!fs::exists(work.path() / "kim"));

  const fs::path file = work.write("file", "text");
  check_refused(model, "A", file, {"this is a file"});
  fs::create_directory(work.path() / "project");
  work.write("project/CMakeLists.txt", "project(mine)\n");
  check_refused(model, "A", work.path() / "project", {"holds 'CMakeLists.txt'", "new or an empty folder"});
  CHECK(read_text(work.path() / "project" / "CMakeLists.txt") == "project(mine)\n");
  fs::create_directory(work.path() / "models");
  work.write("models/A.h5", "precious");
  check_refused(model, "A", work.path() / "models", {"holds 'A.h5'"});
  CHECK(read_text(work.path() / "models" / "A.h5") == "precious");
  write_kim_model(model, "B", work.path() / "kim");
  check_refused(model, "A", work.path() / "kim", {"holds 'B."});
}
