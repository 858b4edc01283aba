#include "cases/cases.hpp"

using namespace gapkit::test;

TEST_CASE("cases: base fits, and its model predicts its own data") {
  const Case base("base");
  const ProgramResult predicted = base.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"});
  CHECK(predicted.exit_code == 0);
  CHECK(read_text(base.folder() / "out.xyz").find("gap_energy=") != std::string::npos);
}
