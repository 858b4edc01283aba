#include "active/proposal_file.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "active/label_step.hpp"
#include "active/loop_folder.hpp"

namespace gapkit {
namespace {

template <class T>
const T* value_of(const Structure& s, const char* key) {
  const Field* field = s.find_field(key);
  return field ? std::get_if<T>(&field->value) : nullptr;
}

std::int64_t integer_field(const Structure& s, const char* key) {
  const auto* value = value_of<std::int64_t>(s, key);
  if (!value) throw InputError(fmt::format("{}: field '{}' is missing or no integer: the file was changed", s.source, key));
  return *value;
}

double real_field(const Structure& s, const char* key) {
  const auto* value = value_of<double>(s, key);
  return value ? *value : static_cast<double>(integer_field(s, key));
}

std::string text_field(const Structure& s, const char* key) {
  if (const auto* value = value_of<std::string>(s, key)) return *value;
  const Field* field = s.find_field(key);  // "2" as a name is read as a number
  if (!field || field->text.empty())
    throw InputError(fmt::format("{}: field '{}' is missing or no text: the file was changed", s.source, key));
  const bool is_quoted = field->text.size() > 1 && field->text.front() == '"' && field->text.back() == '"';
  return is_quoted ? field->text.substr(1, field->text.size() - 2) : field->text;
}

Structure with_fields(const Proposal& proposal, const TargetKeys& keys) {
  Structure frame = proposal.structure;
  frame.set_field(keys.config_type, frame.config_type);
  frame.set_field("active_source", proposal.source);
  frame.set_field("active_frame", proposal.frame);
  frame.set_field("active_std", proposal.std);
  frame.set_field("active_why", proposal.why);
  return frame;
}

Proposal proposal_of(Structure frame) {
  Proposal proposal;
  proposal.source = text_field(frame, "active_source");
  proposal.frame = integer_field(frame, "active_frame");
  proposal.std = real_field(frame, "active_std");
  proposal.why = text_field(frame, "active_why");
  proposal.structure = std::move(frame);
  return proposal;
}

}  // namespace

void write_proposals(const std::filesystem::path& path, const std::vector<Proposal>& proposals, const TargetKeys& keys) {
  std::vector<Structure> frames;
  for (const Proposal& proposal : proposals) frames.push_back(with_fields(proposal, keys));
  write_frames(path, frames);
}

std::vector<Proposal> read_proposals(const std::filesystem::path& path, const TargetKeys& keys) {
  std::vector<Proposal> proposals;
  for (Structure& frame : read_labelled_frames(path, keys)) proposals.push_back(proposal_of(std::move(frame)));
  return proposals;
}

void write_chosen(const std::filesystem::path& path, const std::vector<ChosenProposal>& chosen, const TargetKeys& keys) {
  std::vector<Structure> frames;
  for (const ChosenProposal& c : chosen) {
    Structure& frame = frames.emplace_back(with_fields(c.proposal, keys));
    frame.set_field("active_round", static_cast<std::int64_t>(c.round));
    frame.set_field("active_score", c.score);
    if (c.distance_ratio) frame.set_field("active_shortest_distance_ratio", *c.distance_ratio);
    if (c.extrapolation) frame.set_field("active_extrapolation", *c.extrapolation);
  }
  write_frames(path, frames);
}

std::vector<ChosenProposal> read_chosen(const std::filesystem::path& path, const TargetKeys& keys) {
  std::vector<ChosenProposal> chosen;
  for (Structure& frame : read_labelled_frames(path, keys)) {
    ChosenProposal c;
    c.round = static_cast<int>(integer_field(frame, "active_round"));
    c.score = real_field(frame, "active_score");
    if (frame.find_field("active_shortest_distance_ratio")) c.distance_ratio = real_field(frame, "active_shortest_distance_ratio");
    if (frame.find_field("active_extrapolation")) c.extrapolation = real_field(frame, "active_extrapolation");
    c.proposal = proposal_of(std::move(frame));
    chosen.push_back(std::move(c));
  }
  return chosen;
}

}  // namespace gapkit
