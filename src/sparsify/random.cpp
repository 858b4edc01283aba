#include <gapkit/math/random_stream.hpp>
#include <numeric>
#include <utility>

#include "random_choice.hpp"
#include "selection_kinds.hpp"

namespace gapkit {

std::vector<int> random_choice(int total, int count, std::uint64_t seed) {
  std::vector<int> order(static_cast<std::size_t>(total));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random{.seed = seed};
  for (int i = 0; i < count; ++i) {  // Fisher–Yates, stopped after `count`
    const auto j = static_cast<std::size_t>(i) + random.below(static_cast<std::uint64_t>(total - i));
    std::swap(order[static_cast<std::size_t>(i)], order[j]);
  }
  order.resize(static_cast<std::size_t>(count));
  return order;
}

SelectionKind random_kind() {
  return {"random", "any candidates, each with equal probability", true, [](const Candidates& candidates, const SelectionRequest& request) {
            return random_choice(static_cast<int>(candidates.x.rows()), request.count, request.seed);
          }};
}

}  // namespace gapkit
