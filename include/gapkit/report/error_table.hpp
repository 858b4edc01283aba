#pragma once

#include <gapkit/predict/predictor.hpp>
#include <map>

namespace gapkit {

/// Count, root mean square and mean absolute error of one target.
struct ErrorSummary {
  long count = 0;
  double sum_of_squares = 0, sum_of_absolutes = 0;

  void add(double error);
  void add(const ErrorSummary& other);
  double rmse() const;  ///< NaN if count is 0
  double mae() const;
};

/// Errors of predictions against reference values, per config type and over all frames.
///
/// In TargetInfo::shown.error_unit: energy in meV/atom (one entry per frame), forces in eV/Å (one per component), stress in GPa (six per
/// frame with a cell).
class ErrorTable {
 public:
  struct Row {
    long frames = 0;  ///< frames with at least one compared target
    PerTarget<ErrorSummary> errors;
    PerTarget<ErrorSummary> base_errors;  ///< of Prediction::base_alone

    const ErrorSummary& operator[](Property target) const { return errors[target]; }
    void add(const Row& other);
  };

  /// `frame` has the reference values (its targets). Absent predictions and targets and masked forces are not counted.
  /// Throws NumericalError, naming the frame, if a prediction is NaN or infinite.
  void add(const Structure& frame, const Prediction& prediction);

  const std::map<std::string, Row>& config_types() const { return rows_; }
  Row total() const;
  bool empty() const;

  /// Aligned columns with units in the heading, "all" last; base_alone_text() of all below.
  std::string text() const;
  /// {"config_types": {name: {"frames", "energy": {"count","rmse","mae"}, "forces": …, "stress": …}}, "all": …,
  ///  "units": {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}}; rmse and mae are null if the count is 0. Of a model that sits
  /// on another one also "base_alone": the row of all with the errors of that one.
  std::string json() const;

 private:
  std::map<std::string, Row> rows_;
};

/// Errors of the base model (Prediction::base_alone), in TargetInfo::shown.error_unit; empty if there is none.
PerTarget<ErrorSummary> base_errors(const Structure& frame, const Prediction& prediction);
/// "base alone: energy 8.80 meV/atom, forces 0.4050 eV/Å (RMSE)"; empty if nothing was compared.
std::string base_alone_text(const PerTarget<ErrorSummary>& errors);

}  // namespace gapkit
