// Force rows whose products of the Jacobian with the sparse points are in single precision.

#include <gapkit/math/instruction_set.hpp>
#include <gapkit/model/kernel_rows.hpp>

#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// A term with the environments of a crystal-like structure as points: nearly parallel feature vectors, as in a fit.
Term term_of(Eigen::Index points, const std::vector<int>& elements) {
  const TermOptions options = small_soap(6, 5, 4, 0);
  const Term bare = make_term(options, {14}, elements, Matrix());
  Matrix x(points, bare.descriptor->size());
  for (Eigen::Index filled = 0, seed = 1; filled < points; ++seed) {
    const Structure structure = random_triclinic(40, static_cast<unsigned>(seed), elements);
    const StructureEnvironments environments(structure, bare.descriptor->cutoff());
    Features features;
    bare.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::none, features);
    const Eigen::Index count = std::min<Eigen::Index>(features.size(), points - filled);
    x.middleRows(filled, count) = features.x.view().topRows(count);
    filled += count;
  }
  return make_term(options, {14}, elements, x);
}

struct Rows {
  Matrix exact, single;
  double error() const { return largest_difference(single, exact) / exact.cwiseAbs().maxCoeff(); }
};

Rows rows_of(const Term& term, const Structure& structure) {
  const std::vector<Term> terms = {term};
  KernelRows rows(terms);
  const StructureEnvironments environments(structure, term.descriptor->cutoff());
  constexpr Observables forces{.energy = false, .forces = true, .virial = false};
  Rows result{Matrix(3 * structure.size(), rows.columns()), Matrix(3 * structure.size(), rows.columns())};
  rows.compute(environments.view(), structure.size(), forces, result.exact);
  rows.use_single_precision(true);
  rows.compute(environments.view(), structure.size(), forces, result.single);
  return result;
}

}  // namespace

TEST_CASE(
    "force rows in single precision: small errors with every instruction set, smaller ones of many points, whose leading directions are "
    "split off") {
  const InstructionSet before = instruction_set();
  for (const std::vector<int>& elements : {std::vector<int>{14}, std::vector<int>{6, 14}}) {
    const Structure structure = random_triclinic(9, 99, elements);
    const Term few = term_of(203, elements), many = term_of(405, elements);
    int compared = 0;
    for (const InstructionSet set : instruction_sets) {
      if (!has_instruction_set(set)) continue;
      use_instruction_set(set);
      CAPTURE(instruction_set_name(set));
      const Rows of_few = rows_of(few, structure), of_many = rows_of(many, structure);
      REQUIRE(of_few.exact.cwiseAbs().maxCoeff() > 1e-3);
      CHECK(of_few.error() <= 1e-6);
      CHECK(of_few.error() > 0);
      CHECK(of_many.error() > 0);
      CHECK(of_many.error() <= 0.7 * of_few.error());
      ++compared;
    }
    CHECK(compared > 0);
  }
  use_instruction_set(before);
}
