#pragma once

#include <gapkit/predict/predictor.hpp>
#include <map>
#include <string>

namespace gapkit {

/// Errors of local properties against the values in the frames, by property and element, with metrics of the error bars.
class PropertyTable {
 public:
  struct Row {
    std::int64_t count = 0, bars = 0;
    double absolute = 0, square = 0;                  ///< sums over the errors
    double reference = 0, reference_square = 0;       ///< sums over the reference values
    double z_square = 0, within68 = 0, within95 = 0;  ///< sums over errors with a bar: z², |z| ≤ 1, |z| ≤ 1.96

    void add(double predicted, double reference_value, double std);
    double mae() const { return absolute / static_cast<double>(count); }
    double rmse() const;
    double spread() const;  ///< standard deviation of the reference values
    double zms() const { return z_square / static_cast<double>(bars); }
    double coverage68() const { return within68 / static_cast<double>(bars); }
    double coverage95() const { return within95 / static_cast<double>(bars); }
  };
  struct Part {
    PropertyKeys keys;
    std::map<int, Row> of_element;
    Row all, total, dipole;  ///< of values, totals, and components of dipoles
  };

  PropertyTable() = default;
  explicit PropertyTable(const Model& model);

  /// Compares the predicted properties with the frame's columns and keys. Throws InputError as read_property() does.
  void add(const Structure& frame, const Prediction& prediction);
  bool empty() const;
  const std::vector<Part>& parts() const { return parts_; }

  /// A table for each property. Empty without errors.
  std::string text() const;
  /// {"charge": {"unit", "all": {"count", "mae", "rmse", "zms", …}, "elements": {"H": …}, "total", "dipole"}}
  std::string json() const;

 private:
  std::vector<Part> parts_;
};

}  // namespace gapkit
