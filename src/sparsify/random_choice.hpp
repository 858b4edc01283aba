#pragma once

#include <cstdint>
#include <vector>

namespace gapkit {

/// `count` different numbers of 0 … total − 1 in random order; the first k of them are the result for count = k.
std::vector<int> random_choice(int total, int count, std::uint64_t seed);

}  // namespace gapkit
