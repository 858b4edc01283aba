// Counts of environments before their computation, combinations of elements, the table of descriptors.

#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <set>

#include "descriptors/samples.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Parameters small_parameters(const DescriptorKind& kind) {
  Parameters given = {{"cutoff", 3.9}};
  if (kind.name == "soap") {
    given.set("n_max", std::int64_t{2});
    given.set("l_max", std::int64_t{1});
  }
  return complete_parameters(given, kind.parameters, kind.name);
}

}  // namespace

TEST_CASE("every descriptor: the count of a centre equals compute(), for any set of elements") {
  const Structure s = random_triclinic(11, 23, {6, 14, 32});
  for (const DescriptorKind& kind : descriptor_kinds()) {
    const std::string name = kind.name;
    CAPTURE(name);
    std::int64_t all = 0;
    for (const auto& species : kind.combinations(std::vector{6, 14, 32})) {
      const auto descriptor = with_some_functions(kind.make(small_parameters(kind), species, {6, 14, 32}));
      const std::set<int> own(species.begin(), species.end());
      const auto narrow = kind.make(small_parameters(kind), species, {own.begin(), own.end()});
      const StructureEnvironments owner(s, descriptor->cutoff() + 0.8);
      const Environments& view = owner.view();
      Features features;
      for (int c = 0; c < s.size(); ++c) {
        const EnvironmentCount count = descriptor->count(view, c), same = narrow->count(view, c);
        descriptor->compute(view, c, c + 1, Derivatives::jacobian, features);
        CHECK(count.environments == features.size());
        CHECK(same.environments == count.environments);
        CHECK(same.pairs == count.pairs);
        std::int64_t pairs = 0;
        for (const JacobianBlock& block : features.blocks) pairs += block.pair_count();
        CHECK(count.pairs >= pairs);  // the list reaches beyond the cutoff
        if (name != "soap") CHECK(count.pairs == pairs);
        all += count.environments;
      }
    }
    CHECK(all > 0);
  }
}

TEST_CASE("chunks of centres: all centres once, a limited number of environments, at least one centre") {
  const Structure s = random_triclinic(14, 29, {6, 14});
  for (const DescriptorKind& kind : descriptor_kinds()) {
    const std::string name = kind.name;
    CAPTURE(name);
    for (const auto& species : kind.combinations(std::vector{6, 14})) {
      const auto descriptor = kind.make(small_parameters(kind), species, {6, 14});
      const StructureEnvironments owner(s, descriptor->cutoff());
      const Environments& view = owner.view();
      for (const std::size_t most : {std::size_t{1}, std::size_t{5}, std::size_t{40}, std::size_t{1'000'000}})
        for (int begin = 0; begin < s.size();) {
          const int end = chunk_end(view, *descriptor, begin, most), features_end = feature_chunk_end(view, *descriptor, begin, 11, most);
          REQUIRE(end > begin);
          REQUIRE(end <= s.size());
          CHECK(features_end <= std::max(11, begin));
          std::int64_t sum = 0, environments = 0;
          for (int c = begin; c < end; ++c) sum += descriptor->count(view, c).largest();
          for (int c = begin; c < features_end; ++c) environments += descriptor->count(view, c).environments;
          CHECK((end == begin + 1 || sum <= static_cast<std::int64_t>(most)));
          CHECK((features_end <= begin + 1 || environments <= static_cast<std::int64_t>(most)));
          if (end < s.size()) CHECK(sum + descriptor->count(view, end).largest() > static_cast<std::int64_t>(most));
          begin = end;
        }
    }
  }
}

TEST_CASE("a combination is found for any order of its elements; the centre stays the centre") {
  using Elements = std::vector<int>;
  const DescriptorKind &pair = descriptor_kind("two_body"), &triplet = descriptor_kind("three_body"), &soap = descriptor_kind("soap");
  CHECK(find_combination(pair, {14, 8}) == Elements{8, 14});
  CHECK(find_combination(pair, {8, 14}) == Elements{8, 14});
  CHECK(find_combination(pair, {14, 14}) == Elements{14, 14});
  CHECK(find_combination(triplet, {14, 8, 6}) == Elements{14, 6, 8});
  CHECK(find_combination(triplet, {8, 14, 6}) == Elements{8, 6, 14});
  CHECK(find_combination(triplet, {8, 8, 6}) == Elements{8, 6, 8});
  CHECK(find_combination(soap, {14}) == Elements{14});
  for (const auto& none : {Elements{}, Elements{14}, Elements{6, 8, 14}}) CHECK(find_combination(pair, none).empty());
  CHECK(find_combination(soap, {8, 14}).empty());
}

TEST_CASE("names of descriptors are unique") {
  DescriptorKind kind = descriptor_kind("soap");
  CHECK(message_of<InputError>([&] { add_descriptor_kind(kind); }) == "there is a descriptor 'soap' already");
}
