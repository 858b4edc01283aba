// A model that gives the difference from another one: nothing without a word of the caller.

#include "c/c_support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("a model on a base is refused until the caller says that it adds the base") {
  const ToyModel& toy = c_models().back();
  const Structure structure = toy_structures(toy.elements)[2].structure;
  const Handle plain = handle_of(*toy.model);
  CHECK(gapkit_has_base(plain.get()) == 0);
  CHECK(std::string(gapkit_base(plain.get())).empty());
  Results expected(structure.size());
  test::evaluate(plain, structure, expected.mean());

  Model on_base = *toy.model;
  on_base.base = {.columns = {{"energy", "xtb_energy"}, {"forces", "xtb_forces"}}, .name = "GFN2-xTB"};
  const Handle handle = handle_of(on_base);
  CHECK(gapkit_has_base(handle.get()) == 1);
  CHECK(std::string(gapkit_base(handle.get())) == "GFN2-xTB (energy 'xtb_energy', forces 'xtb_forces')");

  Results results(structure.size());
  const gapkit_results wanted = results.mean();
  std::array<int, 3> pbc = {};
  const gapkit_structure given = c_structure(structure, pbc);
  std::vector<int> centres(static_cast<std::size_t>(structure.size()));
  for (std::size_t i = 0; i < centres.size(); ++i) centres[i] = static_cast<int>(i);
  const Ghosts ghosts(structure, centres, on_base.cutoff() + 0.3, on_base.cutoff() + 0.3);
  const gapkit_environments environments = ghosts.view();
  Results of_ghosts(ghosts.atoms());
  const gapkit_results wanted_of_ghosts = of_ghosts.mean();
  for (const int code :
       {gapkit_evaluate(handle.get(), &given, &wanted), gapkit_evaluate_environments(handle.get(), &environments, &wanted_of_ghosts)})
    CHECK(code == GAPKIT_ERROR_BASE);
  CHECK(std::string(gapkit_error_message()).find("GFN2-xTB (energy 'xtb_energy', forces 'xtb_forces')") != std::string::npos);
  CHECK(std::isnan(results.energy));
  CHECK(std::isnan(of_ghosts.energy));

  REQUIRE(gapkit_set_difference(handle.get(), 1) == GAPKIT_OK);
  test::evaluate(handle, structure, wanted);
  CHECK(results.energy == expected.energy);
  CHECK(results.forces == expected.forces);
  REQUIRE(gapkit_evaluate_environments(handle.get(), &environments, &wanted_of_ghosts) == GAPKIT_OK);
  check_close(of_ghosts.energy, expected.energy, 1e-9, 1e-9);

  gapkit_model* shared = nullptr;  // with the settings
  REQUIRE(gapkit_share(handle.get(), &shared) == GAPKIT_OK);
  const Handle another(shared);
  CHECK(gapkit_evaluate(another.get(), &given, &wanted) == GAPKIT_OK);
  REQUIRE(gapkit_set_difference(handle.get(), 0) == GAPKIT_OK);
  CHECK(gapkit_evaluate(handle.get(), &given, &wanted) == GAPKIT_ERROR_BASE);
  CHECK(gapkit_evaluate(another.get(), &given, &wanted) == GAPKIT_OK);
  CHECK(gapkit_set_difference(nullptr, 1) == GAPKIT_ERROR_INPUT);
}
