#pragma once

#include <gapkit/core/structure.hpp>
#include <map>

namespace gapkit {

/// Count, root mean square and mean absolute error of one property.
struct ErrorSummary {
  long count = 0;
  double sum_of_squares = 0, sum_of_absolutes = 0;

  void add(double error);
  void add(const ErrorSummary& other);
  double rmse() const;  ///< NaN if count is 0
  double mae() const;
};

/// Errors of predictions against reference values, per config type and in all.
///
/// Energy in meV/atom (one entry per frame), forces in eV/Å (one per component), stress in GPa (six per frame with a cell).
class ErrorTable {
 public:
  struct Row {
    long frames = 0;  ///< frames of which at least one property was compared
    ErrorSummary energy, forces, stress;
  };

  /// `frame` holds the reference (its targets); absent predictions or targets are not counted.
  /// Stress: eV/Å³, Voigt xx yy zz yz xz xy, ASE's sign; the reference is −virial/volume. Masked forces are left out.
  /// Throws NumericalError, naming the frame, if a prediction is NaN or infinite.
  void add(const Structure& frame, std::optional<double> energy, const Positions* forces, const Voigt* stress);

  const std::map<std::string, Row>& config_types() const { return rows_; }
  Row total() const;
  bool empty() const;

  /// Aligned columns with a heading that gives the units, "all" last.
  std::string text() const;
  /// {"config_types": {name: {"frames", "energy": {"count","rmse","mae"}, "forces": …, "stress": …}}, "all": …,
  ///  "units": {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}}; rmse and mae are null if the count is 0.
  std::string json() const;

 private:
  std::map<std::string, Row> rows_;
};

}  // namespace gapkit
