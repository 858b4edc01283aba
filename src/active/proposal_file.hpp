#pragma once

#include <gapkit/active/choose.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {

/// A proposal that was chosen to be labelled.
struct ChosenProposal {
  Proposal proposal;
  int round = 0;
  double score = 0;                      ///< Choice::score
  std::optional<double> distance_ratio;  ///< Closeness::ratio
  std::optional<double> extrapolation;   ///< largest grade of its atoms, if the model gives grades
};

/// The records of a round: extended XYZ with the fields active_source, active_frame, active_std, active_why, and for chosen proposals
/// active_round, active_score, active_shortest_distance_ratio, active_extrapolation. Readers throw InputError if a field is missing.
void write_proposals(const std::filesystem::path& path, const std::vector<Proposal>& proposals, const TargetKeys& keys);
std::vector<Proposal> read_proposals(const std::filesystem::path& path, const TargetKeys& keys);
void write_chosen(const std::filesystem::path& path, const std::vector<ChosenProposal>& chosen, const TargetKeys& keys);
/// Reads labelled structures too: labelling keeps the fields.
std::vector<ChosenProposal> read_chosen(const std::filesystem::path& path, const TargetKeys& keys);

}  // namespace gapkit
