#include "convert/gap_xml_format.hpp"

#include <algorithm>

namespace gapkit {

std::vector<Eigen::Index> soap_feature_order(int n_max, int l_max, std::span<const int> from, std::span<const int> to) {
  const int channels = n_max * static_cast<int>(to.size());
  std::vector<int> channel(static_cast<std::size_t>(channels));
  for (int c = 0; c < channels; ++c) {
    const int element = to[static_cast<std::size_t>(c / n_max)];
    const auto place = std::find(from.begin(), from.end(), element) - from.begin();
    channel[static_cast<std::size_t>(c)] = static_cast<int>(place) * n_max + c % n_max;
  }
  std::vector<Eigen::Index> order;
  for (int a = 0; a < channels; ++a)
    for (int b = 0; b <= a; ++b) {
      const int first = channel[static_cast<std::size_t>(a)], second = channel[static_cast<std::size_t>(b)];
      const int high = std::max(first, second), low = std::min(first, second);
      for (int l = 0; l <= l_max; ++l) order.push_back(static_cast<Eigen::Index>((high * (high + 1) / 2 + low) * (l_max + 1) + l));
    }
  return order;
}

}  // namespace gapkit
