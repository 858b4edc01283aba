// Memory of sums over triplets: chunks count environments, of which a centre has far more than neighbours.

#include <atomic>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/quip_variance.hpp>

#include "model/direct_prior.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Another descriptor, with the largest number of environments that was asked for at once.
class Counted final : public Descriptor {
 public:
  explicit Counted(std::shared_ptr<const Descriptor> descriptor) : descriptor_(std::move(descriptor)) {}

  int size() const override { return descriptor_->size(); }
  double cutoff() const override { return descriptor_->cutoff(); }
  const Parameters& parameters() const override { return descriptor_->parameters(); }
  const std::vector<int>& species() const override { return descriptor_->species(); }
  EnvironmentCount count(const Environments& source, int c) const override { return descriptor_->count(source, c); }
  bool has_nonnegative_products() const override { return descriptor_->has_nonnegative_products(); }
  int multiplicity() const override { return descriptor_->multiplicity(); }
  void pullback(const Environments& source, int begin, int end, const Features& features, const MatrixView& dE_dx,
                std::span<const double> dE_df, std::span<Vector3> dE_dr) const override {
    descriptor_->pullback(source, begin, end, features, dE_dx, dE_df, dE_dr);
  }
  int largest() const { return largest_; }
  int chunks() const { return chunks_; }

 private:
  void fill(const Environments& source, int begin, int end, Derivatives derivatives, Features& out) const override {
    descriptor_->compute(source, begin, end, derivatives, out);
    largest_ = std::max(largest_, out.size());
    ++chunks_;
  }

  std::shared_ptr<const Descriptor> descriptor_;
  mutable int largest_ = 0, chunks_ = 0;
};

// Another kernel, with the largest matrix that was asked for at once.
class CountedKernel final : public Kernel {
 public:
  explicit CountedKernel(std::shared_ptr<const Kernel> kernel) : kernel_(std::move(kernel)) {}

  const Parameters& parameters() const override { return kernel_->parameters(); }
  bool is_stationary() const override { return kernel_->is_stationary(); }
  Vector metric(int size) const override { return kernel_->metric(size); }
  void check_features(int size, bool has_nonnegative_products) const override { kernel_->check_features(size, has_nonnegative_products); }
  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    kernel_->compute(x, z, out);
    Eigen::Index before = largest_;
    while (x.rows() * z.rows() > before && !largest_.compare_exchange_weak(before, x.rows() * z.rows())) {
    }
  }
  Eigen::Index largest() const { return largest_; }

 private:
  std::shared_ptr<const Kernel> kernel_;
  mutable std::atomic<Eigen::Index> largest_ = 0;
};

}  // namespace

TEST_CASE("QUIP's variance of triplets: memory is bounded, and chunks change nothing") {
  const Structure structure = random_triclinic(12, 3);
  const TermOptions options = small_three_body(1.5, 0, 6.0);
  const Term empty = make_term(options, {14, 14, 14}, {14}, Matrix(0, 3));
  const Term term = make_term(options, {14, 14, 14}, {14}, empty.descriptor->domain_points(600));
  const auto counted = std::make_shared<const Counted>(term.descriptor);
  Model model;
  model.terms = {term};
  const StructureEnvironments environments(structure, 6.0);
  const Vector plain = QuipVariance(model).local_energies(environments.view(), structure.size());
  model.terms[0].descriptor = counted;
  const Vector all = QuipVariance(model).local_energies(environments.view(), structure.size());
  CHECK(largest_difference(all, plain) == 0);
  CHECK(all.minCoeff() > 0);
  // 16 MB hold 3316 triplets against 600 points; one atom has about 1800.
  CHECK(counted->largest() > 1000);
  CHECK(counted->largest() <= 3316);
  CHECK(counted->chunks() >= 6);
  // Atom by atom
  for (int c = 0; c < structure.size(); ++c) {
    Environments one = environments.view();
    one.centre = one.centre.subspan(static_cast<std::size_t>(c), 1);
    one.begin = one.begin.subspan(static_cast<std::size_t>(c), 2);
    check_close(QuipVariance(model).local_energies(one, structure.size())[c], all[c], 1e-10 * std::abs(all[c]));
  }
}

TEST_CASE("double sums of triplets: tiles bound the kernel matrices, and give what the low-rank form gives") {
  const Structure structure = random_triclinic(5, 7);
  Term term = make_term(small_three_body(1.5, 0, 4.6), {14, 14, 14}, {14}, Matrix(0, 3));
  const int atoms = structure.size();
  const StructureEnvironments environments(structure, 4.6);
  Prior prior(std::span<const Term>(&term, 1));
  const PriorVariances expected = prior.observables(environments.view(), atoms, {.energy = true, .forces = true, .virial = true});
  const auto descriptor = std::make_shared<const Counted>(term.descriptor);
  const auto kernel = std::make_shared<const CountedKernel>(term.kernel);
  term.descriptor = descriptor;
  term.kernel = kernel;
  DirectPrior direct(term);
  const Eigen::Index rows = 1 + 3 * atoms + 6;
  Vector value = Vector::Zero(rows), magnitude = value;
  direct.add_observables(environments.view(), atoms, {.energy = true, .forces = true, .virial = true}, nullptr, value, magnitude);
  REQUIRE(descriptor->largest() > 2 * 512);  // more than one tile
  CHECK(kernel->largest() <= 512 * 512);
  const double factor = std::pow(term.delta * term.descriptor->multiplicity(), 2);
  CHECK(magnitude.minCoeff() > 0);
  for (Eigen::Index i = 0; i < rows; ++i) {
    CAPTURE(i);
    check_close(factor * value[i], expected.value(i, 0), 1e-7 * factor * magnitude[i]);
    CHECK(value[i] > 1e-3 * magnitude[i]);
  }
}
