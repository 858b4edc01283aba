// Descriptors in single precision against double precision.

#include <omp.h>

#include "descriptors/samples.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Values {
  Matrix x;
  std::vector<Vector3> dE_dr;
};

// Features and the pullback of a fixed gradient.
Values values_of(const Descriptor& descriptor, const Structure& structure, bool single_precision) {
  const StructureEnvironments environments(structure, descriptor.cutoff());
  Features features;
  features.single_precision = single_precision;
  descriptor.compute(environments.view(), 0, structure.size(), Derivatives::pullback, features);
  Matrix gradient(features.size(), descriptor.size());
  for (Eigen::Index i = 0; i < gradient.rows(); ++i)
    for (Eigen::Index j = 0; j < gradient.cols(); ++j) gradient(i, j) = std::sin(0.7 * static_cast<double>(j) + static_cast<double>(i));
  const std::vector<double> dE_df(static_cast<std::size_t>(features.size()), 0.0);
  Values result{features.x.view(), std::vector<Vector3>(environments.view().neighbor.size(), Vector3::Zero())};
  descriptor.pullback(environments.view(), 0, structure.size(), features, {gradient, dE_df}, result.dE_dr);
  return result;
}

double largest_entry_of(const std::vector<Vector3>& vectors) {
  double result = 0;
  for (const Vector3& v : vectors) result = worse(result, v.cwiseAbs().maxCoeff());
  return result;
}

double largest_difference_of(const std::vector<Vector3>& a, const std::vector<Vector3>& b) {
  double result = 0;
  for (std::size_t p = 0; p < a.size(); ++p) result = worse(result, (a[p] - b[p]).cwiseAbs().maxCoeff());
  return result;
}

}  // namespace

TEST_CASE("single precision: every descriptor is close to double precision, and SOAP differs from it") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Structure structure = random_triclinic(seed == 3 ? 1 : 9, seed, {6, 14});
    for (const Sample& sample : samples({6, 14})) {
      CAPTURE(sample.label);
      CAPTURE(seed);
      const Values full = values_of(*sample.descriptor, structure, false), single = values_of(*sample.descriptor, structure, true);
      REQUIRE(single.x.rows() == full.x.rows());
      if (full.x.size() == 0) continue;
      const double scale = largest_entry_of(full.dE_dr);
      CHECK(largest_difference(single.x, full.x) <= 2e-6 * (1 + full.x.cwiseAbs().maxCoeff()));
      CHECK(largest_difference_of(single.dE_dr, full.dE_dr) <= 2e-5 * (1 + scale));
      const bool is_soap = sample.label.find("soap") != std::string::npos;
      if (!is_soap || full.x.cols() > 3) CHECK((single.x != full.x) == is_soap);  // with one feature for each element all may be 0 or 1
    }
  }
}

TEST_CASE("single precision: a Jacobian is in double precision") {
  const Structure structure = random_triclinic(6, 5, {6, 14});
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    const StructureEnvironments environments(structure, sample.descriptor->cutoff());
    Features full, single;
    single.single_precision = true;
    sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, full);
    sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, single);
    CHECK(full.x.view() == single.x.view());
    REQUIRE(full.blocks.size() == single.blocks.size());
    for (std::size_t b = 0; b < full.blocks.size(); ++b) CHECK(full.blocks[b].values.view() == single.blocks[b].values.view());
  }
}

TEST_CASE("single and double precision: the same bits for any number of threads") {
  const Structure structure = random_triclinic(40, 11, {6, 14});
  const int threads = omp_get_max_threads();
  for (const Sample& sample : samples({6, 14}))
    for (const bool is_single : {false, true}) {
      CAPTURE(sample.label);
      omp_set_num_threads(1);
      const Values one = values_of(*sample.descriptor, structure, is_single);
      omp_set_num_threads(4);
      const Values four = values_of(*sample.descriptor, structure, is_single);
      omp_set_num_threads(threads);
      CHECK(one.x == four.x);
      CHECK(one.dE_dr == four.dE_dr);
    }
}

TEST_CASE("neighbours at one place, at the cutoff and alone: finite numbers in both precisions") {
  const DescriptorKind& kind = descriptor_kind("soap");
  const Parameters given = {{"cutoff", 4.0}, {"cutoff_width", 1.0}, {"n_max", std::int64_t{9}}, {"l_max", std::int64_t{7}}};
  const auto descriptor = kind.make(complete_parameters(given, kind.parameters, kind.name), {14}, {14});
  Structure s;
  s.atomic_numbers = {14, 14, 14, 14, 14};
  s.positions = Positions::Zero(5, 3);  // two at the origin
  s.positions.row(2) << 0, 0, 4.0 - 1e-9;
  s.positions.row(3) << 0, -1e-7, 0;
  s.positions.row(4) << 90, 0, 0;
  for (const bool is_single : {false, true}) {
    const Values v = values_of(*descriptor, s, is_single);
    CHECK(v.x.allFinite());
    for (const Vector3& d : v.dE_dr) CHECK(d.allFinite());
    for (int i = 0; i < 5; ++i) check_close(v.x.row(i).norm(), 1, 1e-12);
  }
}
