// SOAP with channels that are contracted by matrices from data.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>

#include "descriptors/samples.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::shared_ptr<const Descriptor> soap_of(const Parameters& more, const std::vector<int>& elements, int l_max = 3) {
  const DescriptorKind& kind = descriptor_kind("soap");
  Parameters p = {{"cutoff", 4.0}, {"n_max", std::int64_t{3}}, {"l_max", std::int64_t{l_max}}};
  for (const auto& [name, value] : more.values()) p.set(name, value);
  return kind.make(complete_parameters(p, kind.parameters, "test"), {14}, elements);
}

Parameters channels_of(std::int64_t q) {
  return {{"channels", q}};
}

struct Computed {
  Matrix x;
  std::vector<Vector3> dE_dr;  // of E = Σ_e (x_e · z)²
};

// `z`: places of environments of the same structure.
Computed computed(const Descriptor& descriptor, const Structure& s) {
  const StructureEnvironments environments(s, descriptor.cutoff());
  Features features;
  descriptor.compute(environments.view(), 0, s.size(), Derivatives::pullback, features);
  Computed result{features.x.view(), std::vector<Vector3>(environments.view().neighbor.size(), Vector3::Zero())};
  const Vector z = result.x.row(0);
  const Matrix g = 2 * (result.x * z) * z.transpose();
  const std::vector<double> none(static_cast<std::size_t>(features.size()), 0.0);
  descriptor.pullback(environments.view(), 0, s.size(), features, {g, none}, result.dE_dr);
  return result;
}

}  // namespace

TEST_CASE("as many channels as there are, contracted by another orthogonal matrix for each l, change no kernel and no force") {
  const Structure s = random_triclinic(9, 12, {6, 14});
  for (const Parameters& more : {Parameters{}, Parameters{{"undivided_spectrum", true}}, Parameters{{"radial_weight", std::int64_t{0}}}}) {
    Parameters all = more;
    all.set("channels", std::int64_t{6});
    const Computed plain = computed(*soap_of(more, {6, 14}), s);
    for (const std::uint64_t seed : {1u, 50u}) {
      const Computed turned = computed(*with_some_channels(soap_of(all, {6, 14}), seed), s);
      CHECK(turned.x.cols() == plain.x.cols());
      CHECK(largest_difference(Matrix(turned.x * turned.x.transpose()), Matrix(plain.x * plain.x.transpose())) <= 1e-10);
      CHECK(largest_difference(turned.x, plain.x) > 0.01);
      double largest = 0, worst = 0;
      for (std::size_t p = 0; p < plain.dE_dr.size(); ++p) {
        largest = std::max(largest, plain.dE_dr[p].cwiseAbs().maxCoeff());
        worst = worse(worst, (turned.dE_dr[p] - plain.dE_dr[p]).cwiseAbs().maxCoeff());
      }
      CHECK(largest > 1e-3);
      CHECK(worst <= 1e-10);
    }
  }
}

TEST_CASE("the spectrum of contracted channels is W C Wᵀ of the coefficients' moments, for each l") {
  const Structure s = random_triclinic(8, 4, {6, 14});
  const int l_max = 3, q = 4;
  const auto descriptor = with_some_channels(soap_of(channels_of(q), {6, 14}, l_max));
  const ContractedChannels& channels = *descriptor->contracted_channels();
  REQUIRE(channels.all_channels() == 6);
  const StructureEnvironments environments(s, descriptor->cutoff());
  Features features;
  descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
  int environment = 0;
  for (int c = 0; c < s.size(); ++c) {
    std::vector<Matrix> moments = channels.no_moments();
    if (channels.add_moments(environments.view(), c, c + 1, moments) == 0) continue;
    Vector expected(descriptor->size());
    for (int l = 0; l <= l_max; ++l) {
      const Matrix& w = channels.basis()->contraction[static_cast<std::size_t>(l)];
      const Matrix p = w * moments[static_cast<std::size_t>(l)] * w.transpose();
      for (int a = 0, pair = 0; a < q; ++a)
        for (int b = 0; b <= a; ++b, ++pair)
          expected[pair * (l_max + 1) + l] = p(a, b) * (a == b ? 1 : std::sqrt(2)) / std::sqrt(2 * l + 1);
    }
    expected.normalize();
    CHECK(largest_difference(Vector(features.x.view().row(environment++)), expected) <= 1e-12);
  }
  CHECK(environment == features.size());
  CHECK(environment > 1);
}

TEST_CASE("features and Jacobian of contracted channels have the same size for any number of elements") {
  const std::vector<int> many = {6, 8, 14, 22, 29, 41};
  for (const std::vector<int>& elements : {std::vector<int>{6, 14}, many}) {
    CAPTURE(elements.size());
    const Structure s = random_triclinic(12, 3, elements);
    const auto contracted = with_some_channels(soap_of(channels_of(4), elements));
    CHECK(contracted->size() == 4 * 10);
    const StructureEnvironments environments(s, contracted->cutoff());
    Features features;
    contracted->compute(environments.view(), 0, s.size(), Derivatives::jacobian, features);
    REQUIRE(features.size() > 0);
    REQUIRE(features.blocks.size() == 1);
    CHECK(features.blocks[0].values.cols() == 3 * 10);
    CHECK(features.blocks[0].radial.cols() == 4);
    CHECK(features.blocks[0].direction.cols() == 10);
    const auto plain = soap_of({}, elements);
    const auto all = static_cast<int>(3 * elements.size());
    CHECK(plain->size() == 4 * all * (all + 1) / 2);
  }
}

TEST_CASE("channels without a basis, with mixed channels, and of wrong shapes are refused") {
  const auto unmade = soap_of(channels_of(4), {6, 14});
  CHECK(unmade->size() == 4 * 10);
  CHECK(unmade->contracted_channels()->basis() == nullptr);
  const Structure s = random_triclinic(4, 3, {6, 14});
  const StructureEnvironments environments(s, unmade->cutoff());
  Features features;
  CHECK_THROWS_AS(unmade->compute(environments.view(), 0, s.size(), Derivatives::none, features), Error);
  const std::string both = message_of<InputError>([&] {
    soap_of({{"channels", std::int64_t{2}}, {"mixed_channels", std::int64_t{2}}}, {14});
  });
  CHECK(both.find("use one of them") != std::string::npos);
  const auto refused = [&](auto change) {
    ChannelBasis basis = *with_some_channels(unmade)->contracted_channels()->basis();
    change(basis);
    CHECK_THROWS_AS(unmade->contracted_channels()->with_basis(basis), InputError);
  };
  refused([](ChannelBasis& b) { b.contraction.pop_back(); });
  refused([](ChannelBasis& b) { b.kept.pop_back(); });
  refused([](ChannelBasis& b) { b.contraction[1] = Matrix::Zero(3, 6); });
  refused([](ChannelBasis& b) { b.contraction[1] = Matrix::Zero(4, 5); });
  refused([](ChannelBasis& b) { b.contraction[2](1, 1) = std::nan(""); });
  // Without channels the parameter is not kept: model files of this version are readable by earlier ones.
  CHECK(!soap_of(channels_of(0), {14})->parameters().has("channels"));
  CHECK(soap_of(channels_of(0), {14})->contracted_channels() == nullptr);
}
