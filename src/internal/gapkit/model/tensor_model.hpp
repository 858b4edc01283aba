#pragma once

#include <gapkit/model/model.hpp>
#include <set>

namespace gapkit {

/// The representative environments of one term around one centre element. Each brings 2λ+1 columns.
struct TensorTerm {
  std::string name;
  int element = 0;            ///< of the centre
  std::vector<int> elements;  ///< neighbour elements
  std::shared_ptr<const Descriptor> descriptor;
  double zeta = 1;
  std::int64_t amplitude = 0;  ///< terms with equal numbers share δ
  Matrix points;               ///< [M, (l_max+1)² K] coefficients c[lm][K] of the environments
  std::vector<EnvironmentOrigin> origin;
};

/// The spherical components of one λ: a Gaussian process of its own.
struct TensorPart {
  int lambda = 0;
  std::vector<double> delta;    ///< of each term, in K_MM; the posterior has the ratio to the final one
  std::map<int, double> means;  ///< λ = 0: baseline t_Z of the elements
  SparseFactor factor;
  Posterior posterior;  ///< groups of labels (class "default") and of derivatives (`derivatives_class`)
  Vector weights;       ///< of the kernels, (2λ+1) for each point
  /// Factors of the error bars: covariances are scale² C + noise_scale² σ²h².
  double scale = 1, noise_scale = 1;
  std::int64_t left_out = 0;  ///< structures behind the scale; 0: uncalibrated

  static constexpr const char* derivatives_class = "derivatives";
  /// σ_λ of labels; 0 if only derivatives were fitted.
  double sigma() const { return sigma_of("default"); }
  double derivatives_sigma() const { return sigma_of(derivatives_class); }

 private:
  double sigma_of(std::string_view config_class) const;
};

/// A fitted tensor: terms, and a part for each λ.
struct FittedTensor {
  TensorKeys keys;
  std::set<int> elements;  ///< of the training data
  std::vector<TensorTerm> terms;
  std::vector<TensorPart> parts;

  double cutoff() const;
};

/// Names of the tensors of a model.
std::vector<TensorKeys> tensor_keys(const Model& model);

}  // namespace gapkit
