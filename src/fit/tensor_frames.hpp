#pragma once

#include <gapkit/fit/dataset.hpp>

#include "fit/tensor_part_fit.hpp"

namespace gapkit {

/// Calls use(TensorFrame) for the frames of these numbers that have a label or derivatives. Null: all frames.
void visit_labels(const Dataset& data, const TensorLabels& labels, const std::vector<TensorTerm>& terms,
                  const std::vector<std::int64_t>* numbers, const auto& use) {
  double cutoff = 0;
  for (const TensorTerm& term : terms) cutoff = std::max(cutoff, term.descriptor->cutoff());
  VisitRequest request;
  request.numbers = numbers;
  data.visit(
      [&](const Structure& structure, const FramePlace& place) {
        auto [label, derivatives] = labels.read(structure);
        if (!label && !derivatives) return;
        const StructureEnvironments neighbors(structure, cutoff);
        TensorFrame frame{structure, place.number, neighbors.view(), {}, std::move(label), std::move(derivatives)};
        for (const TensorTerm& term : terms) frame.environments.push_back(tensor_environments(term, neighbors.view()));
        use(frame);
      },
      request);
}

}  // namespace gapkit
