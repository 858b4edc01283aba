#pragma once

#include <cstdint>
#include <gapkit/core/structure.hpp>
#include <gapkit/io/targets.hpp>
#include <map>
#include <string>
#include <vector>

namespace gapkit {

/// Keys with one number in frames that have no energy: each may be the energy.
///
/// Left out are names of other quantities (time, temperature, charge, ...), integers, very small values, and equal values in frames of
/// different sizes.
class UnknownScalars {
 public:
  /// A frame that has no energy. What belongs to the base is passed over.
  void add(const Structure& frame, const BaseKeys& base = {});

  /// Keys that every frame added has, the largest values first.
  std::vector<std::string> in_every_frame() const;

 private:
  struct Key {
    std::int64_t frames = 0;
    double smallest = 0, largest = 0;  // of the values
    double largest_per_atom = 0;       // of their sizes
    bool has_fraction = false;         // not all are integers
    int fewest_atoms = 0, most_atoms = 0;
  };

  std::int64_t frames_ = 0;
  std::map<std::string, Key> keys_;
};

}  // namespace gapkit
