#include "fit/candidate_gatherer.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <limits>

namespace gapkit {
namespace {

constexpr std::size_t chunk_environments = 100'000;

std::vector<std::string> config_type_names(const DataScan& scan) {
  std::vector<std::string> names;
  for (const auto& [name, frames] : scan.plan.config_types) names.push_back(name);
  return names;
}

}  // namespace

CandidateGatherer::CandidateGatherer(const std::vector<TermDraft>& drafts, std::uint64_t seed) {
  for (std::size_t t = 0; t < drafts.size(); ++t) {
    const TermDraft& draft = drafts[t];
    const std::string& selection = draft.options->selection;
    drafts_.push_back({draft.descriptor, nullptr});
    if (draft.is_empty || (selection == "file" && !draft.options->length_scale_fraction)) continue;
    const int capacity = selection == "indices" || selection == "all" ? std::numeric_limits<int>::max() : draft.options->max_candidates;
    drafts_.back().pool = std::make_unique<CandidatePool>(draft.descriptor->size(), capacity, seed + 0x9E3779B9u * (t + 1));
    cutoff_ = std::max(cutoff_, draft.descriptor->cutoff());
  }
}

void CandidateGatherer::add(const Structure& frame, const Environments& environments, std::int64_t number) {
  const int config_type = config_types_.try_emplace(frame.config_type, static_cast<int>(config_types_.size())).first->second;
  for (const Gathered& draft : drafts_) {
    if (!draft.pool) continue;
    for (int begin = 0; begin < frame.size();) {
      const int end = chunk_end(environments, *draft.descriptor, begin, chunk_environments);
      draft.descriptor->compute(environments, begin, end, Derivatives::none, features_);
      begin = end;
      int previous = -1;
      std::int64_t ordinal = 0;
      for (int e = 0; e < features_.size(); ++e) {
        const int centre = features_.centre[static_cast<std::size_t>(e)];
        ordinal = centre == previous ? ordinal + 1 : 0;
        previous = centre;
        draft.pool->add(features_.x.row(e), features_.covariance_cutoff[static_cast<std::size_t>(e)], config_type,
                        {number, centre, ordinal});
      }
    }
  }
}

double CandidateGatherer::bytes() const {
  double sum = 0;
  for (const Gathered& draft : drafts_)
    if (draft.pool) sum += static_cast<double>(draft.pool->slots()) * draft.descriptor->size() * 8;
  return sum;
}

std::vector<Candidates> CandidateGatherer::take(const std::vector<std::string>& config_types) {
  std::vector<int> place(config_types_.size());
  for (const auto& [name, number] : config_types_)
    place[static_cast<std::size_t>(number)] =
        static_cast<int>(std::find(config_types.begin(), config_types.end(), name) - config_types.begin());
  std::vector<Candidates> result(drafts_.size());
  for (std::size_t t = 0; t < drafts_.size(); ++t) {
    if (!drafts_[t].pool) continue;
    result[t] = drafts_[t].pool->take();
    drafts_[t].pool.reset();
    for (int& type : result[t].config_type) type = place[static_cast<std::size_t>(type)];
  }
  return result;
}

std::vector<Candidates> gather_candidates(const Dataset& training, const FitOptions& options, const DataScan& scan,
                                          const ProgressCallback& progress) {
  CandidateGatherer gatherer(scan.drafts, options.seed);
  if (!gatherer.has_work()) return std::vector<Candidates>(scan.drafts.size());
  std::int64_t done = 0;
  training.visit([&](const Structure& frame, const FramePlace& place) {
    gatherer.add(frame, StructureEnvironments(frame, gatherer.cutoff()).view(), place.number);
    if (progress)
      progress(
          {.phase = "candidates", .done = static_cast<double>(++done), .total = static_cast<double>(scan.plan.frames), .unit = "frames"});
  });
  return gatherer.take(config_type_names(scan));
}

void EarlyCandidates::add(const Structure& frame, const Environments& environments, std::int64_t number) {
  if (gave_up_) return;
  if (gatherer_) return gather(frame, environments, number);
  FirstFrame& kept = first_.emplace_back(FirstFrame{frame, number});
  kept.frame.fields.clear();
  kept.frame.columns.clear();
  elements_.insert(frame.atomic_numbers.begin(), frame.atomic_numbers.end());
  first_atoms_ += frame.size();
  if (first_.size() >= most_first_frames || first_atoms_ >= most_first_atoms) begin();
}

void EarlyCandidates::begin() {
  try {
    const std::vector<TermDraft> drafts = drafts_of(options_, {elements_.begin(), elements_.end()});
    const auto is_unmade = [](const TermDraft& draft) {
      return draft.descriptor->contracted_channels() != nullptr || draft.descriptor->chosen_functions() != nullptr;
    };
    if (std::any_of(drafts.begin(), drafts.end(), is_unmade)) return give_up();  // features need all data
    gatherer_.emplace(drafts, options_.seed);
  } catch (const InputError&) {  // a term names an element that has not come yet, or does not occur: the plan finds out
    return give_up();
  }
  if (!gatherer_->has_work()) return give_up();
  for (const FirstFrame& first : first_) {
    if (gave_up_) return;
    gather(first.frame, StructureEnvironments(first.frame, gatherer_->cutoff()).view(), first.number);
  }
  first_.clear();
}

void EarlyCandidates::gather(const Structure& frame, const Environments& environments, std::int64_t number) {
  const bool is_known = std::all_of(frame.atomic_numbers.begin(), frame.atomic_numbers.end(), [&](int z) { return elements_.contains(z); });
  if (!is_known) return give_up();
  gatherer_->add(frame, environments, number);
  if (2 * gatherer_->bytes() > options_.memory * 1e9) give_up();  // take() makes a copy
}

void EarlyCandidates::give_up() {
  gave_up_ = true;
  gatherer_.reset();
  first_ = {};
}

std::optional<std::vector<Candidates>> EarlyCandidates::take(const DataScan& scan) {
  if (!gave_up_ && !gatherer_) begin();
  if (gave_up_ || !std::equal(elements_.begin(), elements_.end(), scan.plan.elements.begin(), scan.plan.elements.end()))
    return std::nullopt;
  return gatherer_->take(config_type_names(scan));
}

}  // namespace gapkit
