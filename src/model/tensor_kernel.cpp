#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/tensor_kernel.hpp>

namespace gapkit {
namespace {

constexpr Eigen::Index chunk_atoms = 64;
constexpr double least_diagonal = 1e-12;  // of δ²

const ExpandedDensity& density_of(const TensorTerm& term) {
  const ExpandedDensity* density = expanded_density(*term.descriptor);
  if (density == nullptr) throw Error("TensorKernel: the descriptor of the term '" + term.name + "' has no density");
  return *density;
}

/// s^(ζ−1) of products of unit vectors, which rounding can make negative.
void raise_products(Matrix& products, double zeta) {
  if (zeta == 1)
    products.setOnes();
  else if (zeta != 2)
    products = products.array().max(0.0).pow(zeta - 1);
}

}  // namespace

double FittedTensor::cutoff() const {
  double largest = 0;
  for (const TensorTerm& term : terms) largest = std::max(largest, term.descriptor->cutoff());
  return largest;
}

double TensorPart::sigma_of(std::string_view config_class) const {
  for (const RowGroup& group : posterior.groups)
    if (group.config_class == config_class) return group.sigma;
  return 0;
}

std::vector<TensorKeys> tensor_keys(const Model& model) {
  std::vector<TensorKeys> result;
  for (const auto& tensor : model.tensors) result.push_back(tensor->keys);
  return result;
}

double tensor_noise_scale(const TensorKeys& keys, int atoms) {
  if (keys.is_per_atom()) return 1;
  return keys.target == "mean" ? 1 / std::sqrt(static_cast<double>(atoms)) : std::sqrt(static_cast<double>(atoms));
}

Matrix tensor_baseline(const std::map<int, double>& means, const std::vector<int>& atomic_numbers, const TensorKeys& keys) {
  const auto mean_of = [&](int z) {
    const auto found = means.find(z);
    return found == means.end() ? 0.0 : found->second;
  };
  const auto atoms = static_cast<Eigen::Index>(atomic_numbers.size());
  Matrix result = Matrix::Zero(keys.is_per_atom() ? atoms : 1, 1);
  for (Eigen::Index i = 0; i < atoms; ++i)
    result(keys.is_per_atom() ? i : 0, 0) +=
        mean_of(atomic_numbers[static_cast<std::size_t>(i)]) / (keys.target == "mean" ? static_cast<double>(atoms) : 1.0);
  return result;
}

TensorEnvironments tensor_environments(const TensorTerm& term, const Environments& environments) {
  const ExpandedDensity& density = density_of(term);
  Features features;
  term.descriptor->compute(environments, 0, environments.size(), Derivatives::pullback, features);
  TensorEnvironments result;
  result.atom = features.centre;
  result.x = features.x.view();
  result.coefficients.resize(features.size(), density.coefficient_count());
  result.inverse_norm.resize(features.size());
  for (int e = 0; e < features.size(); ++e) {
    const auto c = density.coefficients(features, e);
    std::copy(c.begin(), c.end(), result.coefficients.row(e).data());
    result.inverse_norm[e] = density.inverse_norm(features, e);
  }
  return result;
}

TensorKernel::TensorKernel(const std::vector<TensorTerm>& terms, std::string target, int lambda, std::vector<double> delta)
    : target_(std::move(target)), lambda_(lambda), offsets_{0} {
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const TensorTerm& term = terms[t];
    const ExpandedDensity& density = density_of(term);
    Block block{&density,
                TensorSpectrum(lambda, density.largest_l(), density.channel_count()),
                TensorSpectrum(0, density.largest_l(), density.channel_count()),
                delta.at(t) * delta.at(t),
                term.zeta,
                Matrix(term.points.rows(), term.descriptor->size()),
                Matrix(),
                Matrix(),
                Matrix()};
    if (block.spectrum.size() == 0)
      throw InputError(fmt::format("the term '{}' of a tensor has l_max = {}, which gives no features of lambda = {}: raise l_max",
                                   term.name, density.largest_l(), lambda));
    const Eigen::Index count = term.points.rows();
    Vector inverse_norm(count);
    for (Eigen::Index m = 0; m < count; ++m)
      inverse_norm[m] =
          density.features_of({term.points.row(m).data(), static_cast<std::size_t>(term.points.cols())}, block.x.row(m).data());
    block.tensors = tensors_of(block, term.points, inverse_norm, 0, count);
    blocks_.push_back(std::move(block));
    offsets_.push_back(offsets_.back() + components() * count);
  }
}

Matrix TensorKernel::tensors_of(const Block& block, const MatrixView& coefficients, const Vector& inverse_norm, Eigen::Index begin,
                                Eigen::Index end) const {
  const Eigen::Index rows = components();
  Matrix result(rows * (end - begin), block.spectrum.size());
#pragma omp parallel for schedule(dynamic, 4) if (end - begin > 4)
  for (Eigen::Index e = begin; e < end; ++e) {
    const double* c = coefficients.data() + e * coefficients.outerStride();
    block.spectrum.compute({c, static_cast<std::size_t>(coefficients.cols())}, inverse_norm[e],
                           result.middleRows(rows * (e - begin), rows));
  }
  return result;
}

Matrix TensorKernel::block_covariance(const Block& block) const {
  const Eigen::Index n = components();
  Matrix k(block.tensors.rows(), block.tensors.rows()), s(block.x.rows(), block.x.rows());
  multiply_nt(block.tensors, block.tensors, k);
  multiply_nt(block.x, block.x, s);
  raise_products(s, block.zeta);
  for (Eigen::Index i = 0; i < s.rows(); ++i)
    for (Eigen::Index j = 0; j < s.cols(); ++j) k.block(n * i, n * j, n, n) *= block.variance * s(i, j);
  return k;
}

SparseFactor TensorKernel::factor(double jitter) const {
  std::vector<Matrix> factors;
  std::vector<double> added;
  for (const Block& block : blocks_) {
    Matrix k = block_covariance(block);
    // All features vanish where symmetry forbids the tensor, as around isolated atoms: such columns explain nothing.
    added.push_back(jitter * std::max(k.diagonal().mean(), least_diagonal * block.variance));
    k.diagonal().array() += added.back();
    if (!cholesky(k))
      throw NumericalError(fmt::format(
          "the kernel matrix of a tensor (lambda = {}) is not positive definite with a jitter of {:.3g}: increase [solver] jitter", lambda_,
          added.back()));
    factors.push_back(std::move(k));
  }
  return SparseFactor(std::move(factors), std::move(added));
}

Matrix TensorKernel::rows(const std::vector<TensorEnvironments>& environments, int atoms) const {
  const Eigen::Index n = components();
  Matrix result = Matrix::Zero(n * (is_per_atom() ? atoms : 1), columns());
  for (std::size_t t = 0; t < blocks_.size(); ++t) {
    const Block& block = blocks_[t];
    const TensorEnvironments& of = environments[t];
    const Eigen::Index count = of.x.rows(), points = block.x.rows();
    for (Eigen::Index begin = 0; begin < count; begin += chunk_atoms) {
      const Eigen::Index end = std::min(count, begin + chunk_atoms);
      const Matrix tensors = tensors_of(block, of.coefficients, of.inverse_norm, begin, end);
      Matrix k(tensors.rows(), block.tensors.rows()), s(end - begin, points);
      multiply_nt(tensors, block.tensors, k);
      multiply_nt(of.x.middleRows(begin, end - begin), block.x, s);
      raise_products(s, block.zeta);
      const double weight = block.variance * row_weight(atoms);
      for (Eigen::Index e = begin; e < end; ++e) {
        const Eigen::Index row = is_per_atom() ? n * of.atom[static_cast<std::size_t>(e)] : 0;
        for (Eigen::Index mu = 0; mu < n; ++mu) {
          double* to = result.row(row + mu).data() + offsets_[t];
          const double* from = k.row(n * (e - begin) + mu).data();
          for (Eigen::Index m = 0; m < points; ++m)
            for (Eigen::Index nu = 0; nu < n; ++nu) to[n * m + nu] += weight * s(e - begin, m) * from[n * m + nu];
        }
      }
    }
  }
  return result;
}

void TensorKernel::add_prior(const Block& block, const TensorEnvironments& of, double weight, std::vector<Matrix>& result) const {
  const Eigen::Index n = components(), count = of.x.rows();
  if (is_per_atom()) {
    const Matrix tensors = tensors_of(block, of.coefficients, of.inverse_norm, 0, count);
    for (Eigen::Index e = 0; e < count; ++e) {
      const auto own = tensors.middleRows(n * e, n);
      result[static_cast<std::size_t>(of.atom[static_cast<std::size_t>(e)])] += weight * Matrix(own * own.transpose());
    }
    return;
  }
  Matrix sum = Matrix::Zero(n, n);
  for (Eigen::Index begin = 0; begin < count; begin += chunk_atoms) {
    const Eigen::Index end = std::min(count, begin + chunk_atoms);
    const Matrix first = tensors_of(block, of.coefficients, of.inverse_norm, begin, end);
    for (Eigen::Index from = 0; from <= begin; from += chunk_atoms) {
      const Eigen::Index to = std::min(count, from + chunk_atoms);
      const Matrix second = from == begin ? first : tensors_of(block, of.coefficients, of.inverse_norm, from, to);
      Matrix k(first.rows(), second.rows()), s(end - begin, to - from);
      multiply_nt(first, second, k);
      multiply_nt(of.x.middleRows(begin, end - begin), of.x.middleRows(from, to - from), s);
      raise_products(s, block.zeta);
      Matrix part = Matrix::Zero(n, n);
      for (Eigen::Index i = 0; i < s.rows(); ++i)
        for (Eigen::Index j = 0; j < s.cols(); ++j) part += s(i, j) * k.block(n * i, n * j, n, n);
      sum += part;
      if (from < begin) sum += part.transpose();
    }
  }
  result[0] += weight * sum;
}

std::vector<Matrix> TensorKernel::prior(const std::vector<TensorEnvironments>& environments, int atoms) const {
  const Eigen::Index n = components();
  std::vector<Matrix> result(static_cast<std::size_t>(is_per_atom() ? atoms : 1), Matrix::Zero(n, n));
  for (std::size_t t = 0; t < blocks_.size(); ++t)
    add_prior(blocks_[t], environments[t], blocks_[t].variance * row_weight(atoms) * row_weight(atoms), result);
  return result;
}

std::vector<double> TensorKernel::prior_traces(const std::vector<TensorEnvironments>& environments, int atoms) const {
  const Eigen::Index n = components();
  std::vector<double> traces;
  for (std::size_t t = 0; t < blocks_.size(); ++t) {
    std::vector<Matrix> of_term(static_cast<std::size_t>(is_per_atom() ? atoms : 1), Matrix::Zero(n, n));
    add_prior(blocks_[t], environments[t], blocks_[t].variance * row_weight(atoms) * row_weight(atoms), of_term);
    double sum = 0;
    for (const Matrix& block : of_term) sum += block.trace();
    traces.push_back(sum);
  }
  return traces;
}

void TensorKernel::set_weights(const Vector& weights) {
  const Eigen::Index n = components();
  for (std::size_t t = 0; t < blocks_.size(); ++t) {
    Block& block = blocks_[t];
    block.weighted = Matrix::Zero(block.x.rows(), block.spectrum.size());
    for (Eigen::Index m = 0; m < block.x.rows(); ++m)
      for (Eigen::Index mu = 0; mu < n; ++mu) block.weighted.row(m) += weights[offsets_[t] + n * m + mu] * block.tensors.row(n * m + mu);
  }
}

void TensorKernel::check_weights(const Block& block) const {
  if (block.weighted.rows() != block.x.rows()) throw Error("TensorKernel: a mean needs weights");
}

Matrix TensorKernel::mean(const std::vector<TensorEnvironments>& environments, int atoms) const {
  const Eigen::Index n = components();
  Matrix result = Matrix::Zero(is_per_atom() ? atoms : 1, n);
  for (std::size_t t = 0; t < blocks_.size(); ++t) {
    const Block& block = blocks_[t];
    check_weights(block);
    const TensorEnvironments& of = environments[t];
    for (Eigen::Index begin = 0; begin < of.x.rows(); begin += chunk_atoms) {
      const Eigen::Index end = std::min(of.x.rows(), begin + chunk_atoms);
      const Matrix tensors = tensors_of(block, of.coefficients, of.inverse_norm, begin, end);
      Matrix s(end - begin, block.x.rows()), along(end - begin, block.spectrum.size());
      multiply_nt(of.x.middleRows(begin, end - begin), block.x, s);
      raise_products(s, block.zeta);
      multiply_nn(s, block.weighted, along, block.variance * row_weight(atoms));
      for (Eigen::Index e = begin; e < end; ++e)
        for (Eigen::Index mu = 0; mu < n; ++mu)
          result(is_per_atom() ? of.atom[static_cast<std::size_t>(e)] : 0, mu) +=
              along.row(e - begin).dot(tensors.row(n * (e - begin) + mu));
    }
  }
  return result;
}

}  // namespace gapkit
