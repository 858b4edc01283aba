#include "fit/tensor_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/tensor_kernel.hpp>
#include <gapkit/sparsify/selection.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t most_points_by_default = 1000;
constexpr std::int64_t most_candidates_of_point = 50;  // so that memory does not grow with the data
constexpr double candidate_share = 0.25;               // of the memory

/// Candidates of one term and centre element: evenly spaced environments.
struct TensorCandidates {
  TensorTerm term;
  const TermOptions* options = nullptr;
  int asked = 0;
  std::int64_t total = 0, cap = 0, seen = 0;
  Candidates pool;
  Eigen::Index filled = 0;

  bool takes_next() {
    const std::int64_t s = seen++;
    return (s + 1) * cap / total > s * cap / total;
  }
};

std::vector<TensorCandidates> drafts_of(const TensorOptions& options, const TensorFacts& facts, const Numerics& numerics) {
  std::vector<int> elements;
  for (const auto& [z, count] : facts.atoms_of) elements.push_back(z);
  std::vector<TensorCandidates> drafts;
  for (std::size_t t = 0; t < options.terms.size(); ++t) {
    const TermOptions& term = options.terms[t];
    for (const int z : elements) {
      if (!term.species.empty() && std::find(term.species.begin(), term.species.end(), element_symbol(z)) == term.species.end()) continue;
      TensorCandidates& draft = drafts.emplace_back();
      draft.options = &term;
      draft.term = {.name = term.name,
                    .element = z,
                    .elements = elements,
                    .descriptor = descriptor_kind(term.descriptor).make(term.descriptor_parameters, {z}, elements),
                    .zeta = term.kernel_parameters.real("zeta"),
                    .amplitude = static_cast<std::int64_t>(t),
                    .points = {},
                    .origin = {}};
    }
  }
  if (drafts.empty())
    throw InputError(fmt::format("[[tensor]] '{}': no term has an element of the frames with labels as its species", options.keys.name));
  // Derivatives of one frame resemble each other: an atom counts as a frame, though it has three.
  const std::int64_t data = options.keys.is_per_atom() ? facts.atoms : facts.labels + facts.derivative_atoms;
  const std::int64_t budget = std::clamp<std::int64_t>(data / 2, 1, most_points_by_default);
  for (TensorCandidates& draft : drafts) {
    const auto of_element = draft.options->species_n_sparse.find(element_symbol(draft.term.element));
    const std::int64_t by_default = std::max<std::int64_t>(1, budget / static_cast<std::int64_t>(drafts.size()));
    draft.asked = of_element != draft.options->species_n_sparse.end() ? of_element->second
                  : draft.options->n_sparse > 0                       ? draft.options->n_sparse
                                                                      : static_cast<int>(by_default);
    draft.total = facts.atoms_of.at(draft.term.element);
    const double room =
        candidate_share * numerics.memory * 1e9 / static_cast<double>(drafts.size()) / (8.0 * draft.term.descriptor->size());
    draft.cap = std::max<std::int64_t>(1, std::min({draft.total, static_cast<std::int64_t>(draft.options->max_candidates),
                                                    static_cast<std::int64_t>(room), most_candidates_of_point * draft.asked}));
    draft.pool.x.resize(draft.cap, draft.term.descriptor->size());
  }
  return drafts;
}

void gather(const Dataset& data, const TensorFacts& facts, std::vector<TensorCandidates>& drafts) {
  double cutoff = 0;
  for (const TensorCandidates& draft : drafts) cutoff = std::max(cutoff, draft.term.descriptor->cutoff());
  const auto add = [&](const Structure& frame, const FramePlace& place) {
    const StructureEnvironments environments(frame, cutoff);
    for (TensorCandidates& draft : drafts) {
      Features features;
      draft.term.descriptor->compute(environments.view(), 0, frame.size(), Derivatives::none, features);
      for (int e = 0; e < features.size(); ++e) {
        if (!draft.takes_next() || draft.filled == draft.cap) continue;
        draft.pool.x.row(draft.filled++) = features.x.view().row(e);
        draft.pool.origin.push_back({place.number, features.centre[static_cast<std::size_t>(e)], 0});
      }
    }
  };
  VisitRequest request;
  request.numbers = &facts.frames;
  data.visit(add, request);
}

Candidates without_copies(const Candidates& all, Eigen::Index filled) {
  Candidates given;
  given.x = all.x.topRows(filled);
  given.covariance_cutoff = Vector::Ones(filled);
  given.config_type.assign(static_cast<std::size_t>(filled), 0);
  given.origin = all.origin;
  for (Eigen::Index i = 0; i < filled; ++i) given.serial.push_back(i);
  const std::vector<int> kept = remove_duplicates(given);
  Candidates result;
  result.x = given.x(kept, Eigen::all);
  result.covariance_cutoff = Vector::Ones(result.x.rows());
  result.config_type.assign(kept.size(), 0);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    result.origin.push_back(given.origin[static_cast<std::size_t>(kept[i])]);
    result.serial.push_back(static_cast<std::int64_t>(i));
  }
  return result;
}

void choose(TensorCandidates& draft, const Numerics& numerics) {
  const Candidates candidates = without_copies(draft.pool, draft.filled);
  draft.pool = {};
  const SelectionRequest request{.count = std::min(draft.asked, static_cast<int>(candidates.x.rows())), .seed = numerics.seed};
  const std::vector<int> chosen = selection_kind(draft.options->selection).choose(candidates, request);
  for (const int i : chosen) draft.term.origin.push_back(candidates.origin[static_cast<std::size_t>(i)]);
}

}  // namespace

std::vector<TensorTerm> tensor_terms(const Dataset& data, const TensorOptions& options, const TensorFacts& facts,
                                     const Numerics& numerics) {
  std::vector<TensorCandidates> drafts = drafts_of(options, facts, numerics);
  gather(data, facts, drafts);
  std::set<std::int64_t> wanted;
  std::vector<TensorTerm> terms;
  for (TensorCandidates& draft : drafts) {
    choose(draft, numerics);
    for (const EnvironmentOrigin& origin : draft.term.origin) wanted.insert(origin.frame);
    draft.term.points.resize(static_cast<Eigen::Index>(draft.term.origin.size()),
                             expanded_density(*draft.term.descriptor)->coefficient_count());
    terms.push_back(std::move(draft.term));
  }
  const std::vector<std::int64_t> numbers(wanted.begin(), wanted.end());
  const auto add = [&](const Structure& frame, const FramePlace& place) {
    for (TensorTerm& term : terms) {
      if (std::none_of(term.origin.begin(), term.origin.end(), [&](const EnvironmentOrigin& o) { return o.frame == place.number; }))
        continue;
      const StructureEnvironments environments(frame, term.descriptor->cutoff());
      const TensorEnvironments found = tensor_environments(term, environments.view());
      for (std::size_t m = 0; m < term.origin.size(); ++m) {
        if (term.origin[m].frame != place.number) continue;
        const auto e = std::find(found.atom.begin(), found.atom.end(), static_cast<int>(term.origin[m].atom)) - found.atom.begin();
        term.points.row(static_cast<Eigen::Index>(m)) = found.coefficients.row(e);
      }
    }
  };
  VisitRequest request;
  request.numbers = &numbers;
  data.visit(add, request);
  return terms;
}

}  // namespace gapkit
