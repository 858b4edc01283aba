#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace gapkit::test {

/// In [0, 1), from 32 bits of a generator of 32 or 64 bits. std::mt19937 gives the same bits everywhere; the distributions of the standard
/// library do not, so tests use these.
template <class Generator>
double unit_interval(Generator& generator) {
  return static_cast<double>(static_cast<std::uint32_t>(generator())) * 0x1p-32;
}

class Uniform {
 public:
  explicit Uniform(double low = 0, double high = 1) : low_(low), high_(high) {}

  template <class Generator>
  double operator()(Generator& generator) const {
    return low_ + (high_ - low_) * unit_interval(generator);
  }

 private:
  double low_, high_;
};

/// By Box and Muller's transformation; two numbers of the generator for each.
class Normal {
 public:
  explicit Normal(double mean = 0, double deviation = 1) : mean_(mean), deviation_(deviation) {}

  template <class Generator>
  double operator()(Generator& generator) const {
    const double radius = std::sqrt(-2 * std::log(1 - unit_interval(generator)));
    return mean_ + deviation_ * radius * std::cos(2 * std::numbers::pi * unit_interval(generator));
  }

 private:
  double mean_, deviation_;
};

template <class T, class Generator>
void shuffle(std::vector<T>& values, Generator& generator) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[static_cast<std::size_t>(unit_interval(generator) * static_cast<double>(i))]);
}

}  // namespace gapkit::test
