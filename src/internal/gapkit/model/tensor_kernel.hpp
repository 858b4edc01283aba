#pragma once

#include <gapkit/descriptors/expanded_density.hpp>
#include <gapkit/descriptors/tensor_spectrum.hpp>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit {

/// Environments of a structure around the centre element of a term.
struct TensorEnvironments {
  std::vector<int> atom;
  Matrix x;             ///< [n, D] scalar features
  Matrix coefficients;  ///< [n, (l_max+1)² K]
  Vector inverse_norm;  ///< 1/|p|
};

TensorEnvironments tensor_environments(const TensorTerm& term, const Environments& environments);

/// h of the noise σ_λ h (methods.md, section 10).
double tensor_noise_scale(const TensorKeys& keys, int atoms);

/// Baseline of λ = 0: the t_Z of the atoms, summed as the target wants, [1 or atoms, 1].
Matrix tensor_baseline(const std::map<int, double>& means, const std::vector<int>& atomic_numbers, const TensorKeys& keys);

/// Covariances δ² P̂_i · P̂_j (x_i · x_j)^(ζ−1) of the components of one λ between atoms and sparse environments, summed as the target wants
/// (methods.md, section 10). A row block of a frame, or atom, has 2λ+1 rows. The terms must outlive the object.
class TensorKernel {
 public:
  TensorKernel(const std::vector<TensorTerm>& terms, std::string target, int lambda, std::vector<double> delta);

  int components() const { return 2 * lambda_ + 1; }
  Eigen::Index columns() const { return offsets_.back(); }
  const std::vector<Eigen::Index>& offsets() const { return offsets_; }
  /// Cholesky factors of the blocks of K_MM, with `jitter` times their mean diagonals added.
  SparseFactor factor(double jitter) const;
  /// [(2λ+1) R, columns()] with R = 1, or the number of atoms.
  Matrix rows(const std::vector<TensorEnvironments>& environments, int atoms) const;
  /// For derivative_rows(). `terms`: those of the constructor.
  void prepare_derivative_rows(const std::vector<TensorTerm>& terms);
  /// Derivatives of the rows of a sum or mean by the positions, [3 atoms (2λ+1), columns()]. `neighbors`: all atoms of the structure in
  /// order, within the cutoffs of the terms. Cost for each pair of neighbours: 6 (2λ+1) F (2λ+1) M flop.
  Matrix derivative_rows(const Environments& neighbors, const std::vector<TensorEnvironments>& environments, int atoms) const;
  /// k** of each row block: R matrices [2λ+1, 2λ+1].
  std::vector<Matrix> prior(const std::vector<TensorEnvironments>& environments, int atoms) const;
  /// The traces of prior(), summed over the row blocks, of each term.
  std::vector<double> prior_traces(const std::vector<TensorEnvironments>& environments, int atoms) const;

  /// Contracts the sparse environments with weights [columns()], for mean().
  void set_weights(const Vector& weights);
  /// [R, 2λ+1] without baseline. Cost per atom: 2 M (D + F) flop.
  Matrix mean(const std::vector<TensorEnvironments>& environments, int atoms) const;
  /// Derivatives of mean() of a sum or mean by the positions, [3 atoms, 2λ+1]; `neighbors` as in derivative_rows(). Cost per atom:
  /// 2 (2λ+1) M (D + F) flop and 2λ+1 pullbacks.
  Matrix derivatives(const Environments& neighbors, const std::vector<TensorEnvironments>& environments, int atoms) const;

 private:
  struct Block {
    const ExpandedDensity* density = nullptr;
    TensorSpectrum spectrum, scalar;  // of λ, and of 0
    double variance = 1, zeta = 1;
    Matrix x;              // [M, D]
    Matrix scalar_points;  // [M, D'] the same in the order of `scalar`, for rows of derivatives
    Matrix tensors;        // [(2λ+1) M, F]
    Matrix weighted;       // [M, F] Σ_μ w_mμ P̂_mμ
  };
  bool is_per_atom() const { return target_ == "atom"; }
  Matrix tensors_of(const Block& block, const MatrixView& coefficients, const Vector& inverse_norm, Eigen::Index begin,
                    Eigen::Index end) const;
  Matrix block_covariance(const Block& block) const;
  void add_derivative_rows(std::size_t t, const Environments& neighbors, const TensorEnvironments& of, Eigen::Index e, double weight,
                           Matrix& result) const;
  std::vector<Matrix> coefficient_slopes(const Block& block, const TensorEnvironments& of, Eigen::Index begin, Eigen::Index end) const;
  void check_weights(const Block& block) const;
  void add_prior(const Block& block, const TensorEnvironments& of, double weight, std::vector<Matrix>& result) const;
  double row_weight(int atoms) const { return target_ == "mean" ? 1.0 / atoms : 1.0; }

  std::string target_;
  int lambda_;
  std::vector<Block> blocks_;
  std::vector<Eigen::Index> offsets_;
};

}  // namespace gapkit
