#include "active/md_replicas.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "active/event_log.hpp"
#include "active/proposal_file.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

std::string file_of(const std::filesystem::path& stem, std::int64_t number, const char* extension) {
  return fmt::format("{}.{}.{}", stem.string(), number, extension);
}

}  // namespace

void save_replicas(const Replicas& replicas, const std::filesystem::path& stem, const TargetKeys& keys) {
  const std::filesystem::path list = stem.string() + ".json";
  const std::int64_t before = std::filesystem::exists(list) ? read_json(list).at("number").get<std::int64_t>() : -1;
  std::vector<MdState> states;
  Json replica_list = Json::array(), proposals = Json::array();
  for (const Replica& r : replicas.list) {
    states.push_back(r.state);
    states.push_back(r.sane);
    replica_list.push_back({{"temperature", r.temperature},
                            {"volume_factor", r.volume_factor},
                            {"quiet_steps", r.quiet_steps},
                            {"turn_steps", r.turn_steps},
                            {"last_proposal", r.last_proposal},
                            {"proposals", r.proposals},
                            {"is_stopped", r.is_stopped},
                            {"largest_std", r.largest_std}});
  }
  std::vector<Proposal> frames;
  for (const MdProposal& p : replicas.proposals) {
    proposals.push_back({{"turn", p.turn}, {"std", p.proposal.std}});
    frames.push_back(p.proposal);
  }
  save_states(states, file_of(stem, before + 1, "h5"));
  write_proposals(file_of(stem, before + 1, "xyz"), frames, keys);
  write_json(list, {{"number", before + 1}, {"turns", replicas.turns}, {"replicas", replica_list}, {"proposals", proposals}});
  for (const char* extension : {"h5", "xyz"}) std::filesystem::remove(file_of(stem, before, extension));
}

bool load_replicas(Replicas& replicas, const std::filesystem::path& stem, const TargetKeys& keys) {
  const std::filesystem::path list = stem.string() + ".json";
  if (!std::filesystem::exists(list)) return false;
  const Json json = read_json(list);
  const std::int64_t number = json.at("number");
  replicas = {};
  replicas.turns = json.at("turns");
  const std::vector<MdState> states = load_states(file_of(stem, number, "h5"));
  if (states.size() != 2 * json.at("replicas").size())
    throw InputError(fmt::format("{}: {} states, expected {}", file_of(stem, number, "h5"), states.size(), 2 * json.at("replicas").size()));
  for (const Json& r : json.at("replicas")) {
    Replica replica;
    replica.state = states[2 * replicas.list.size()];
    replica.sane = states[2 * replicas.list.size() + 1];
    replica.temperature = r.at("temperature");
    replica.volume_factor = r.at("volume_factor");
    replica.quiet_steps = r.at("quiet_steps");
    replica.turn_steps = r.at("turn_steps");
    replica.last_proposal = r.at("last_proposal");
    replica.proposals = r.at("proposals");
    replica.is_stopped = r.at("is_stopped");
    replica.largest_std = r.at("largest_std");
    replicas.list.push_back(std::move(replica));
  }
  for (Proposal& proposal : read_proposals(file_of(stem, number, "xyz"), keys)) {
    const Json& p = json.at("proposals").at(replicas.proposals.size());
    replicas.proposals.push_back({p.at("turn"), std::move(proposal)});
  }
  return true;
}

}  // namespace gapkit
