#pragma once

#include <gapkit/fit/options.hpp>
#include <map>

#include "fit/findings.hpp"
#include "fit/label_comparison.hpp"

namespace gapkit {

/// Compares the values of the base model (Structure::base) with the labels: wrong units and signs, values that are the labels
/// themselves, and a base that is worse than none.
///
/// Energies per atom are compared after the part that reference energies take up. Memory: a few numbers for each composition.
class BaseChecks {
 public:
  void add(const Structure& s);
  /// `reference_energies` (eV per atom, of the difference) is empty if there are none, or if they were fitted to these energies.
  void finish(Findings& findings, const BaseKeys& base, const std::map<int, double>& reference_energies) const;

 private:
  /// Of x (base) and y (label).
  struct Sums {
    RegressionSums sums;
    std::int64_t frames = 0, rows = 0;
    bool differ = false;  // some x is not the y
  };
  /// Energies per atom of the frames of one composition.
  struct Composition {
    std::int64_t frames = 0;
    double x = 0, y = 0;    // means
    RegressionSums within;  // about the means
  };
  using Compositions = std::map<std::map<int, int>, Composition>;

  void add_energy(const Structure& s, double x, double y);
  /// With what reference energies leave of the energies.
  Sums sums_of(const TargetInfo& target) const;
  void check_reference_energies(Findings& findings, const std::map<int, double>& reference_energies) const;

  PerTarget<Sums> sums_;
  Compositions compositions_;
};

}  // namespace gapkit
