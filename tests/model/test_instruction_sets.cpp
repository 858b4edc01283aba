// The loops that exist for several instruction sets give the same in all that this processor has, to rounding.

#include <cstdlib>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <gapkit/model/kernel_rows.hpp>

#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// All that the loops take part in, one number after the other.
struct Results {
  Vector features, jacobian, kernels, rows, pullback;
};

void append(Vector& list, const double* values, Eigen::Index count) {
  const Eigen::Index before = list.size();
  list.conservativeResize(before + count);
  list.tail(count) = Eigen::Map<const Vector>(values, count);
}

template <class M>
void append(Vector& list, const M& matrix) {
  const Matrix m = matrix;
  append(list, m.data(), m.size());
}

Results results_for(const Structure& structure, const std::vector<Term>& terms) {
  Results r;
  const StructureEnvironments environments(structure, largest_cutoff(terms));
  const Environments& view = environments.view();
  for (const Term& term : terms) {
    Features features;
    term.descriptor->compute(view, 0, structure.size(), Derivatives::jacobian, features);
    append(r.features, features.x.view());
    for (const JacobianBlock& block : features.blocks) {
      append(r.jacobian, block.values.view());
      append(r.jacobian, block.radial.view());
      append(r.jacobian, block.direction.view());
      append(r.jacobian, block.projection.data(), static_cast<Eigen::Index>(block.projection.size()));
    }
    Matrix value(features.size(), term.sparse.size()), slope = value, inner = value, curvature = value;
    MatrixSlice s = slope, i = inner, c = curvature;
    term.kernel->compute(features.x.view(), term.sparse.x, value, &s, &i, &c);
    for (const Matrix* m : {&value, &slope, &inner, &curvature}) append(r.kernels, *m);
    term.descriptor->compute(view, 0, structure.size(), Derivatives::pullback, features);
    const Matrix dE_dx = Matrix::Constant(features.size(), term.descriptor->size(), 0.7);
    const std::vector<double> dE_df(static_cast<std::size_t>(features.size()), 0.3);
    std::vector<Vector3> dE_dr(view.neighbor.size(), Vector3::Zero());
    term.descriptor->pullback(view, 0, structure.size(), features, dE_dx, dE_df, dE_dr);
    for (const Vector3& v : dE_dr) append(r.pullback, v);
  }
  KernelRows kernel_rows(terms);
  Matrix rows(1 + 3 * structure.size() + 6, kernel_rows.columns());
  kernel_rows.compute(view, structure.size(), {}, rows);
  append(r.rows, rows);
  return r;
}

std::vector<Term> terms_of(const Structure& structure, const std::vector<TermOptions>& options,
                           const std::vector<std::vector<int>>& species, const std::vector<int>& elements) {
  std::vector<Term> terms;
  for (std::size_t t = 0; t < options.size(); ++t) {
    Term term = make_term(options[t], species[t], elements, Matrix());
    Features features;
    const StructureEnvironments environments(structure, term.descriptor->cutoff());
    term.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::none, features);
    const Eigen::Index points = std::min<Eigen::Index>(features.size(), 19);  // no multiple of a vector's length
    REQUIRE(points > 0);
    terms.push_back(make_term(options[t], species[t], elements, features.x.view().topRows(points)));
  }
  return terms;
}

}  // namespace

TEST_CASE("every instruction set gives what the portable loops give") {
  const InstructionSet before = instruction_set();
  const std::vector<int> elements = {6, 14};
  const Structure points = random_triclinic(24, 5, elements), structure = random_triclinic(9, 6, elements);
  TermOptions smooth = small_soap(3, 2, 2.5, 0), mixed = small_soap(4, 3, 2, 0);
  mixed.descriptor_parameters.set("mixed_channels", std::int64_t{3});
  const std::vector<Term> terms =
      terms_of(points, {small_soap(5, 6, 4, 0), smooth, mixed, small_soap(2, 0, 1, 0), small_two_body(0.7, 0), small_three_body(1.1, 0)},
               {{14}, {6}, {14}, {6}, {6, 14}, {14, 6, 14}}, elements);
  use_instruction_set(InstructionSet::portable);
  const Results expected = results_for(structure, terms);
  int compared = 0;
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) {
      MESSAGE("skipped: this processor lacks ", instruction_set_name(set));
      continue;
    }
    CAPTURE(instruction_set_name(set));
    use_instruction_set(set);
    const Results actual = results_for(structure, terms);
    const auto check = [&](const char* what, const Vector& a, const Vector& b) {
      CAPTURE(what);
      REQUIRE(b.cwiseAbs().maxCoeff() > 1e-3);
      CHECK(largest_difference(a, b) <= 1e-12 * b.cwiseAbs().maxCoeff());
    };
    check("features", actual.features, expected.features);
    check("jacobian", actual.jacobian, expected.jacobian);
    check("kernels", actual.kernels, expected.kernels);
    check("kernel rows", actual.rows, expected.rows);
    check("pullback", actual.pullback, expected.pullback);
    ++compared;
  }
  CHECK(compared >= 1);
  use_instruction_set(before);
}

TEST_CASE("the instruction set in use is the one that GAPKIT_ISA names") {
  const char* name = std::getenv("GAPKIT_ISA");
  if (name != nullptr) CHECK(std::string(instruction_set_name(instruction_set())) == name);
  CHECK(has_instruction_set(instruction_set()));
  for (const InstructionSet set : instruction_sets)
    if (!has_instruction_set(set)) CHECK_THROWS_AS(use_instruction_set(set), Error);
}
