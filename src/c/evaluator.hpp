#pragma once

#include <gapkit.h>

#include <gapkit/core/kept_neighbors.hpp>
#include <gapkit/predict/predictor.hpp>
#include <mutex>

#include "c/checks.hpp"
#include "c/ghost_environments.hpp"

namespace gapkit::c {

/// Contents of a handle of the C interface: a prepared model, its neighbours and settings. Calls run one after the other. Throws Failure,
/// and the errors of Predictor.
class Evaluator {
 public:
  explicit Evaluator(std::shared_ptr<const Model> model);
  /// Shares the model; settings are copied.
  explicit Evaluator(const Evaluator& other);
  Evaluator& operator=(const Evaluator&) = delete;

  const Model& model() const { return *model_; }
  void set_skin(double skin);
  void set_error_bar_points(int points);
  void set_calibration(bool is_used);
  void set_difference(bool is_wanted);
  void set_precision(int precision);
  const std::string& base() const { return base_; }

  void evaluate(const gapkit_structure& given, const gapkit_results& results);
  void evaluate(const gapkit_environments& given, const gapkit_results& results);

 private:
  struct Settings {
    double skin = KeptNeighbors::usual_skin;  // Å
    int error_bar_points = 0;
    bool is_calibrated = true;
    bool is_difference = false;
    bool is_single = false;
  };

  Settings settings() const;
  PredictionRequest request_for(const gapkit_results& results) const;
  void take_structure(const gapkit_structure& given);

  mutable std::mutex mutex_;
  std::shared_ptr<const Model> model_;
  std::string base_;  // text of the model's base
  Settings settings_;
  KnownElements elements_;
  std::unique_ptr<Predictor> predictor_;
  Structure structure_;
  KeptNeighbors neighbors_;
  GhostEnvironments ghosts_;
};

}  // namespace gapkit::c
