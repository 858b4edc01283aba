#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/extxyz.hpp>

#include "support/reference.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Case {
  const char* file;  // in reference/descriptors, made with QUIP caff154 + GAP 6c3375f (see its README)
  const char* structure;
  const char* descriptor;
  Parameters parameters;
  std::vector<int> species, elements;
};

std::vector<Case> cases() {
  const auto soap = [](std::int64_t n, std::int64_t l, double cutoff, double width, double weight, bool all) {
    return Parameters{{"n_max", n},
                      {"l_max", l},
                      {"cutoff", cutoff},
                      {"cutoff_width", width},
                      {"atom_sigma", 0.5},
                      {"central_weight", weight},
                      {"central_reference_all_species", all}};
  };
  return {{"si8_soap_l4n6.desc", "si8.xyz", "soap", soap(6, 4, 5.0, 0.5, 1.0, false), {14}, {14}},
          {"si8_soap_l8n8.desc", "si8.xyz", "soap", soap(8, 8, 5.4, 0.5, 1.0, false), {14}, {14}},
          {"si64_soap_l8n8.desc", "si64.xyz", "soap", soap(8, 8, 5.4, 0.5, 1.0, false), {14}, {14}},
          {"mo16_soap_l8n8.desc", "mo16.xyz", "soap", soap(8, 8, 5.2, 0.5, 1.0, false), {42}, {42}},
          {"sic8_soap_ZSi.desc", "sic8.xyz", "soap", soap(4, 4, 4.0, 0.8, 0.7, false), {14}, {6, 14}},
          {"sic8_soap_ZC.desc", "sic8.xyz", "soap", soap(4, 4, 4.0, 0.8, 0.7, false), {6}, {6, 14}},
          {"sic8_soap_ZC_centralall.desc", "sic8.xyz", "soap", soap(4, 4, 4.0, 0.8, 0.7, true), {6}, {6, 14}},
          {"sic8_2b_SiC.desc", "sic8.xyz", "two_body", {{"cutoff", 4.0}, {"cutoff_width", 1.0}}, {6, 14}, {6, 14}},
          {"si8_3b.desc", "si8.xyz", "three_body", {{"cutoff", 3.5}, {"cutoff_width", 0.6}}, {14, 14, 14}, {14}}};
}

}  // namespace

TEST_CASE("descriptors equal QUIP's to 1e-8 and better" * doctest::test_suite(beside_checkout) *
          doctest::skip(is_missing(reference_folder(), "reference data"))) {
  const auto reference = reference_folder();
  for (const Case& c : cases()) {
    CAPTURE(c.file);
    const Structure structure = read_extxyz(reference / "structs" / c.structure).at(0);
    const auto descriptor = descriptor_kind(c.descriptor).make(c.parameters, c.species, c.elements);
    const StructureEnvironments environments(structure, descriptor->cutoff());
    Features features;
    descriptor->compute(environments.view(), 0, structure.size(), Derivatives::none, features);
    Matrix ours = features.x.view(), theirs = read_table((reference / "descriptors" / c.file).string());
    if (theirs.cols() == ours.cols() + 1) theirs = theirs.leftCols(ours.cols()).eval();  // QUIP appends covariance_sigma0
    if (ours.cols() == 1) {                                                              // QUIP has another order of pairs
      std::sort(ours.data(), ours.data() + ours.size());
      std::sort(theirs.data(), theirs.data() + theirs.size());
    }
    REQUIRE(theirs.cwiseAbs().maxCoeff() > 0.1);
    if (descriptor->multiplicity() > 1) {  // QUIP lists (j, k) and (k, j), in another order
      const auto copies_in = [](const Matrix& table, const auto& row) {
        return ((table.rowwise() - row).cwiseAbs().rowwise().maxCoeff().array() <= 1e-11).count();
      };
      REQUIRE(theirs.rows() == descriptor->multiplicity() * ours.rows());
      for (Eigen::Index e = 0; e < ours.rows(); ++e)
        CHECK(copies_in(theirs, ours.row(e)) == descriptor->multiplicity() * copies_in(ours, ours.row(e)));
      continue;
    }
    CHECK(largest_difference(ours, theirs) <= 1e-11);
  }
}
