#include <gapkit/active/labeller.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>

#include "support/diamond.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("built-in labellers: order, targets, failures, and labels that survive a file") {
  LabellerOptions options;
  options.kind = "stillinger_weber";
  const auto labeller = make_labeller(options);
  std::vector<Structure> structures;
  for (unsigned seed = 0; seed < 70; ++seed) structures.push_back(random_triclinic(3 + static_cast<int>(seed % 4), 100 + seed, {14}));
  structures[3].atomic_numbers[0] = 6;
  structures[5].cell.reset();
  structures[5].pbc = {false, false, false};
  structures[7].set_field("REF_energy", 1.0);
  structures[7].set_field("stress", std::vector<double>(6, 1.0));
  structures[7].set_field("note", std::string("kept"));
  double done = 0;
  const std::vector<Label> labels = labeller->label(structures, [&](const ProgressEvent& event) { done = event.done; });
  CHECK(done == 70);
  REQUIRE(labels.size() == structures.size());
  const auto potential = make_potential("stillinger_weber");
  const TemporaryFolder folder;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    CAPTURE(k);
    if (k == 3) {
      CHECK(!labels[k].structure);
      CHECK(labels[k].failure.find("found C") != std::string::npos);
      continue;
    }
    REQUIRE(labels[k].structure);
    CHECK(labels[k].failure.empty());
    CHECK(*labels[k].structure->energy == evaluate(*potential, structures[k]).energy);
    CHECK(labels[k].structure->virial.has_value() == (k != 5));
    const auto path = folder.path() / "label.xyz";
    ExtxyzWriter writer(path);
    writer.write(*labels[k].structure);
    writer.commit();
    Structure read = read_extxyz(path).at(0);
    assign_targets(read, {});
    CHECK(read.energy == labels[k].structure->energy);
    CHECK(*read.forces == *labels[k].structure->forces);
    if (k != 5) CHECK(largest_difference(*read.virial, *labels[k].structure->virial) < 1e-12);
    if (k == 7) CHECK(read.find_field("note") != nullptr);
  }
  CHECK(message_of<InputError>([] { make_labeller({.kind = "stillinger"}); }).find("valid:") != std::string::npos);
}

TEST_CASE("given: structures keep their targets, those without are failures") {
  const auto labeller = make_labeller({.kind = "given"});
  Structure with = diamond(5.4), without = diamond(5.4);
  set_targets(with, -8.0, Positions::Zero(2, 3), std::nullopt);
  without.source = "pool.xyz:7 (frame 2)";
  const auto labels = labeller->label({with, without});
  CHECK(*labels[0].structure->energy == -8.0);
  CHECK(!labels[1].structure);
  CHECK(labels[1].failure == "pool.xyz:7 (frame 2): the structure carries no energy");
}
