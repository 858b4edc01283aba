#include <gapkit/core/errors.hpp>
#include <vector>

#include "support/support.hpp"

using namespace gapkit;

TEST_CASE("nearest name: typing errors find the intended name") {
  const std::vector<std::string> known = {"n_sparse", "cutoff", "cutoff_width", "n_max", "l_max", "atom_sigma"};
  CHECK(nearest_name("n_spase", known) == "n_sparse");  // left out
  CHECK(nearest_name("cuttoff", known) == "cutoff");    // doubled
  CHECK(nearest_name("cutof_width", known) == "cutoff_width");
  CHECK(nearest_name("n_amx", known) == "n_max");  // swapped: one edit, l_max is farther
  CHECK(nearest_name("Atom_Sigma", known) == "atom_sigma");
  CHECK(nearest_name("n_max", known) == "n_max");
}

TEST_CASE("nearest name: no suggestion for a word unlike all names") {
  const std::vector<std::string> known = {"n_sparse", "cutoff", "ab"};
  CHECK(nearest_name("temperature", known) == "");
  CHECK(nearest_name("xy", known) == "");  // two edits from "ab", but every letter differs
  CHECK(nearest_name("", known) == "");
  CHECK(nearest_name("cutoff", std::vector<std::string>{}) == "");
}

TEST_CASE("nearest name: a third of a long name may differ") {
  const std::vector<std::string> known = {"abcdefghijkl"};
  CHECK(nearest_name("abcdefghXXXX", known) == known[0]);
  CHECK(nearest_name("abcdefgXXXXX", known) == "");
}

TEST_CASE("suggestion: the nearest name, or all valid ones") {
  const std::vector<std::string> known = {"cur", "fps", "variance"};
  CHECK(suggestion("varianc", known) == "; did you mean 'variance'?");
  CHECK(suggestion("temperature", known) == "; valid: cur, fps, variance");
  CHECK(suggestion("temperature", std::vector<std::string>{}) == "");
}
