#include <gapkit/core/errors.hpp>

#include "active/proposal_file.hpp"
#include "support/support.hpp"

namespace gapkit::test {

TEST_CASE("proposal files: values come back bit for bit for any name of the source") {
  const TemporaryFolder folder;
  const TargetKeys keys;
  std::vector<ChosenProposal> chosen;
  for (const char* name : {"pool", "2", "T", "a \"quoted\" name"}) {
    Structure structure = random_triclinic(3, 5);
    structure.config_type = "liquid";
    chosen.push_back({{structure, 1.0 / 3, name, 7, "energy std 0.3 > 0.1 eV"}, 4, 2.0, 0.1, 1.5});
  }
  chosen.back().distance_ratio.reset();
  chosen.back().extrapolation.reset();
  write_chosen(folder.path() / "chosen.xyz", chosen, keys);
  const std::vector<ChosenProposal> read = read_chosen(folder.path() / "chosen.xyz", keys);
  REQUIRE(read.size() == chosen.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    CAPTURE(chosen[i].proposal.source);
    CHECK(read[i].proposal.source == chosen[i].proposal.source);
    CHECK(read[i].proposal.frame == 7);
    CHECK(read[i].proposal.std == 1.0 / 3);
    CHECK(read[i].proposal.why == chosen[i].proposal.why);
    CHECK(read[i].proposal.structure.config_type == "liquid");
    CHECK(read[i].proposal.structure.positions == chosen[i].proposal.structure.positions);
    CHECK(read[i].round == 4);
    CHECK(read[i].score == 2.0);
    CHECK(read[i].distance_ratio == chosen[i].distance_ratio);
    CHECK(read[i].extrapolation == chosen[i].extrapolation);
  }
}

TEST_CASE("proposal files: a file without the fields is refused with file, frame and field") {
  const TemporaryFolder folder;
  folder.write("proposals.xyz", "1\nactive_source=pool active_frame=1 active_std=0.5\nSi 0 0 0\n");
  const std::string message = message_of<InputError>([&] { read_proposals(folder.path() / "proposals.xyz", {}); });
  CHECK(message.find("proposals.xyz:1 (frame 1): field 'active_why' is missing") != std::string::npos);
}

}  // namespace gapkit::test
