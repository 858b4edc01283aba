#include "support/dense_reference.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <numbers>
#include <stdexcept>

#include "support/jacobian.hpp"
#include "support/neural_kernels.hpp"

namespace gapkit::test {
namespace {

using Part = DenseFunctional::Part;

// An environment and its derivatives along every pair vector, dense.
struct PairDerivative {
  std::size_t environment = 0;
  int neighbor = 0;
  Vector3 vector = Vector3::Zero();
  LongVector dx[3];        // [D] of x
  long double df[3] = {};  // of f
};

struct DenseFeatures {
  std::vector<LongVector> x;
  std::vector<long double> f;
  std::vector<int> centre, partner;
  std::vector<PairDerivative> pairs;
};

DenseFeatures dense_features(const Term& term, const Environments& environments) {
  Features features;
  term.descriptor->compute(environments, 0, environments.size(), Derivatives::jacobian, features);
  const Eigen::Index size = term.descriptor->size();
  const long double multiplicity = term.descriptor->multiplicity();
  DenseFeatures result;
  result.centre = features.centre;
  result.partner = features.partner;
  for (int e = 0; e < features.size(); ++e) {
    LongVector x(size);
    for (Eigen::Index d = 0; d < size; ++d) x[d] = features.x(e, d);
    result.x.push_back(x);
    result.f.push_back(multiplicity * features.covariance_cutoff[static_cast<std::size_t>(e)]);
  }
  for (const JacobianBlock& block : features.blocks)
    for (std::size_t q = 0; q < block.environment.size(); ++q) {
      PairDerivative pair;
      pair.environment = static_cast<std::size_t>(block.environment[q]);
      pair.neighbor = block.neighbor[q];
      pair.vector = block.vector[q];
      for (std::size_t a = 0; a < 3; ++a) {
        pair.dx[a] = -static_cast<long double>(block.projection[3 * q + a]) * result.x[pair.environment];
        const Vector row = jacobian_row(block, q, a, size);
        for (Eigen::Index d = 0; d < size; ++d) pair.dx[a][d] += row[d];
        pair.df[a] = block.cutoff_gradient.empty() ? 0 : multiplicity * block.cutoff_gradient[3 * q + a];
      }
      result.pairs.push_back(pair);
    }
  return result;
}

// One part for every environment, all zero.
std::vector<Part> empty_parts(std::size_t term, const DenseFeatures& features) {
  std::vector<Part> parts;
  for (const LongVector& x : features.x) parts.push_back({term, x, 0, LongVector::Zero(x.size())});
  return parts;
}

void append_nonzero(DenseFunctional& target, const std::vector<Part>& parts) {
  for (const Part& part : parts)
    if (part.value != 0 || !part.gradient.isZero(0)) target.parts.push_back(part);
}

// d(f ε(x)) along a pair vector, times a factor: df ε(x) + f dx·∇ε(x).
void add_derivative(std::vector<Part>& parts, const DenseFeatures& features, const PairDerivative& pair, std::size_t a,
                    long double factor) {
  Part& part = parts[pair.environment];
  part.value += factor * pair.df[a];
  part.gradient += factor * features.f[pair.environment] * pair.dx[a];
}

long double power(long double base, long double exponent) {
  return exponent == 0 ? 1 : std::pow(base, exponent);
}

// (value + gradient·∇)(value' + gradient'·∇') κ(x, x')
long double kernel_of_parts(const Term& term, const Part& p, const Part& q) {
  const bool dp = p.gradient.size() > 0, dq = q.gradient.size() > 0;
  if (term.kernel_name == "dot_product") {
    const long double zeta = term.kernel->parameters().real("zeta"), s = p.x.dot(q.x);
    const long double first = zeta * power(s, zeta - 1);
    const long double along_p = dp ? p.gradient.dot(q.x) : 0, along_q = dq ? p.x.dot(q.gradient) : 0;
    long double sum = p.value * q.value * power(s, zeta) + first * (q.value * along_p + p.value * along_q);
    if (dp && dq) {
      sum += first * p.gradient.dot(q.gradient);
      if (zeta != 1) sum += zeta * (zeta - 1) * power(s, zeta - 2) * along_p * along_q;
    }
    return sum;
  }
  if (term.kernel_name == "ntk") {
    // The general form of the kernel, which tests/kernels compares with reference numbers; a term may have the one on unit vectors.
    const auto kernel = kernel_kind(term.kernel_name).make(term.kernel->parameters());
    const auto row = [](const LongVector& v) { return Matrix(v.cast<double>().transpose()); };
    const OwnParts pq(*kernel, row(p.x), row(q.x)), qp(*kernel, row(q.x), row(p.x));
    const LongVector none = LongVector::Zero(p.x.size()), &dx = dp ? p.gradient : none, &dz = dq ? q.gradient : none;
    const auto dot = [](const LongVector& a, const LongVector& b) { return static_cast<double>(a.dot(b)); };
    const DirectionProducts along = {dot(dx, dz), dot(dx, q.x), dot(dz, p.x), dot(dx, p.x), dot(dz, q.x)};
    return p.value * q.value * pq.value(0, 0) + q.value * (pq.slope(0, 0) * along.dx_z + pq.own_slope(0, 0) * along.dx_x) +
           p.value * (pq.slope(0, 0) * along.dz_x + qp.own_slope(0, 0) * along.dz_z) + mixed_derivative(pq, qp, 0, 0, along);
  }
  const std::vector<double> theta = term.kernel->parameters().reals("length_scale");
  LongVector lambda(p.x.size());
  for (Eigen::Index d = 0; d < lambda.size(); ++d) {
    const long double length = theta.size() == 1 ? theta[0] : theta.at(static_cast<std::size_t>(d));
    lambda[d] = 1 / (length * length);
  }
  if (term.kernel_name == "arcsine") {
    // f(c, a', b') = (2/π) asin(2c/√(ab)) with a = 1 + 2a', b = 1 + 2b' of c = x·Λx', a' = x·Λx, b' = x'·Λx', by the chain rule.
    const LongVector px = lambda.cwiseProduct(p.x), qx = lambda.cwiseProduct(q.x);
    const long double c = p.x.dot(qx), a = 1 + 2 * p.x.dot(px), b = 1 + 2 * q.x.dot(qx), root = std::sqrt(a * b - 4 * c * c);
    const long double unit = 2 / std::numbers::pi_v<long double>, cube = root * root * root;
    const long double f_c = 2 * unit / root, f_a = -2 * unit * c / (a * root), f_b = -2 * unit * c / (b * root);
    const long double f_cc = 8 * unit * c / cube, f_ac = -2 * unit * b / cube, f_bc = -2 * unit * a / cube, f_ab = 2 * unit * c / cube;
    const long double p_c = dp ? p.gradient.dot(qx) : 0, p_a = dp ? 2 * p.gradient.dot(px) : 0;
    const long double q_c = dq ? q.gradient.dot(px) : 0, q_b = dq ? 2 * q.gradient.dot(qx) : 0;
    long double sum = p.value * q.value * unit * std::asin(2 * c / std::sqrt(a * b)) + q.value * (f_c * p_c + f_a * p_a) +
                      p.value * (f_c * q_c + f_b * q_b);
    if (dp && dq)
      sum +=
          f_c * p.gradient.dot(lambda.cwiseProduct(q.gradient)) + f_cc * p_c * q_c + f_ac * p_a * q_c + f_bc * p_c * q_b + f_ab * p_a * q_b;
    return sum;
  }
  const LongVector difference = lambda.cwiseProduct(p.x - q.x);
  const long double along_p = dp ? -p.gradient.dot(difference) : 0, along_q = dq ? q.gradient.dot(difference) : 0;
  const long double mixed = dp && dq ? p.gradient.dot(lambda.cwiseProduct(q.gradient)) : 0;
  if (term.kernel_name == "squared_exponential") {
    const long double k = std::exp(-difference.dot(p.x - q.x) / 2);
    return k * ((p.value + along_p) * (q.value + along_q) + mixed);
  }
  if (term.kernel_name == "piecewise_polynomial") {
    // κ, −κ'/r and (κ'/r)'/r of Rasmussen & Williams, eq. 4.21; along_p, along_q are of order r.
    const std::int64_t smoothness = term.kernel->parameters().integer("smoothness");
    const long double r = std::sqrt(difference.dot(p.x - q.x));
    const auto j = static_cast<long double>(lambda.size() / 2 + smoothness + 1);
    if (r >= 1) return 0;
    const long double b = 1 - r;
    long double k = 0, slope = 0, curvature = 0;
    if (smoothness == 1) {
      k = power(b, j + 1) * ((j + 1) * r + 1);
      slope = (j + 1) * (j + 2) * power(b, j);
      curvature = r > 0 ? j * (j + 1) * (j + 2) * power(b, j - 1) / r : 0;
    } else {
      k = power(b, j + 2) * ((j * j + 4 * j + 3) * r * r + (3 * j + 6) * r + 3) / 3;
      slope = (j + 3) * (j + 4) / 3 * power(b, j + 1) * ((j + 1) * r + 1);
      curvature = (j + 1) * (j + 2) * (j + 3) * (j + 4) / 3 * power(b, j);
    }
    return p.value * q.value * k + slope * (q.value * along_p + p.value * along_q + mixed) + curvature * along_p * along_q;
  }
  throw std::invalid_argument("dense reference: no formula for kernel " + term.kernel_name);
}

long double prior_entry(std::span<const Term> terms, const DenseFunctional& a, const DenseFunctional& b) {
  long double sum = 0;
  for (const Part& p : a.parts)
    for (const Part& q : b.parts)
      if (p.term == q.term) {
        const Term& term = terms[p.term];
        sum += static_cast<long double>(term.delta) * term.delta * kernel_of_parts(term, p, q);
      }
  return sum;
}

LongMatrix lower_factor(const LongMatrix& a) {
  const Eigen::LLT<LongMatrix> factor(a);
  if (factor.info() != Eigen::Success) throw std::runtime_error("dense reference: a covariance matrix is not positive definite");
  return factor.matrixL();
}

LongVector as_vector(const std::vector<long double>& values) {
  return Eigen::Map<const LongVector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

LongMatrix with_noise(LongMatrix covariance, const std::vector<long double>& sigma) {
  for (Eigen::Index i = 0; i < covariance.rows(); ++i) {
    const long double s = sigma.at(static_cast<std::size_t>(i));
    covariance(i, i) += s * s;
  }
  return covariance;
}

}  // namespace

std::vector<DenseFunctional> observables_of(std::span<const Term> terms, const Structure& structure, const Observables& wanted) {
  constexpr std::size_t voigt[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
  const StructureEnvironments environments(structure, largest_cutoff(terms));
  std::vector<DenseFunctional> result(static_cast<std::size_t>(wanted.rows(structure.size())));
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const DenseFeatures features = dense_features(terms[t], environments.view());
    std::size_t row = 0;
    if (wanted.energy) {
      std::vector<Part> parts = empty_parts(t, features);
      for (std::size_t e = 0; e < parts.size(); ++e) {
        parts[e].value = features.f[e];
        parts[e].gradient.resize(0);
      }
      auto& target = result[row++].parts;
      target.insert(target.end(), parts.begin(), parts.end());
    }
    if (wanted.forces)
      for (int atom = 0; atom < structure.size(); ++atom)
        for (std::size_t a = 0; a < 3; ++a) {
          // r_ij = r_j − r_i (+ a lattice vector); a force is −d/dr.
          std::vector<Part> parts = empty_parts(t, features);
          for (const PairDerivative& pair : features.pairs) {
            if (pair.neighbor == atom) add_derivative(parts, features, pair, a, -1);
            if (features.centre[pair.environment] == atom) add_derivative(parts, features, pair, a, 1);
          }
          append_nonzero(result[row++], parts);
        }
    if (wanted.virial)
      for (const auto& [a, b] : voigt) {
        std::vector<Part> parts = empty_parts(t, features);
        for (const PairDerivative& pair : features.pairs)
          add_derivative(parts, features, pair, a, -static_cast<long double>(pair.vector[static_cast<Eigen::Index>(b)]));
        append_nonzero(result[row++], parts);
      }
  }
  return result;
}

std::vector<DenseFunctional> local_energies_of(std::span<const Term> terms, const Structure& structure) {
  const StructureEnvironments environments(structure, largest_cutoff(terms));
  std::vector<DenseFunctional> result(static_cast<std::size_t>(structure.size()));
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const DenseFeatures features = dense_features(terms[t], environments.view());
    for (std::size_t e = 0; e < features.x.size(); ++e) {
      const bool is_shared = features.partner[e] >= 0;
      const Part part{t, features.x[e], is_shared ? features.f[e] / 2 : features.f[e], {}};
      result[static_cast<std::size_t>(features.centre[e])].parts.push_back(part);
      if (is_shared) result[static_cast<std::size_t>(features.partner[e])].parts.push_back(part);
    }
  }
  return result;
}

std::vector<DenseFunctional> sparse_points_of(std::span<const Term> terms) {
  std::vector<DenseFunctional> result;
  for (std::size_t t = 0; t < terms.size(); ++t)
    for (Eigen::Index m = 0; m < terms[t].sparse.size(); ++m)
      result.push_back({{{t, terms[t].sparse.x.row(m).transpose().cast<long double>(), terms[t].sparse.covariance_cutoff[m], {}}}});
  return result;
}

LongMatrix prior_covariance(std::span<const Term> terms, const std::vector<DenseFunctional>& a, const std::vector<DenseFunctional>& b) {
  LongMatrix result(static_cast<Eigen::Index>(a.size()), static_cast<Eigen::Index>(b.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j)
      result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = prior_entry(terms, a[i], b[j]);
  return result;
}

LongVector prior_variance(std::span<const Term> terms, const std::vector<DenseFunctional>& a) {
  LongVector result(static_cast<Eigen::Index>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i) result[static_cast<Eigen::Index>(i)] = prior_entry(terms, a[i], a[i]);
  return result;
}

DenseProcess::DenseProcess(std::span<const Term> terms, const Observations& data)
    : terms_(terms), rows_(data.rows), lower_(lower_factor(with_noise(prior_covariance(terms, rows_, rows_), data.sigma))) {
  weighted_ = as_vector(data.target);
  lower_.triangularView<Eigen::Lower>().solveInPlace(weighted_);
  lower_.transpose().triangularView<Eigen::Upper>().solveInPlace(weighted_);
}

LongVector DenseProcess::mean(const std::vector<DenseFunctional>& wanted) const {
  return prior_covariance(terms_, wanted, rows_) * weighted_;
}

LongVector DenseProcess::variance(const std::vector<DenseFunctional>& wanted) const {
  LongMatrix k = prior_covariance(terms_, rows_, wanted);
  lower_.triangularView<Eigen::Lower>().solveInPlace(k);
  return prior_variance(terms_, wanted) - k.colwise().squaredNorm().transpose();
}

DenseSparseProcess::DenseSparseProcess(std::span<const Term> terms, const std::vector<double>& jitter, const Observations& data)
    : terms_(terms), points_(sparse_points_of(terms)), rows_(prior_covariance(terms, data.rows, points_)) {
  LongMatrix k = prior_covariance(terms, points_, points_);
  for (std::size_t m = 0; m < points_.size(); ++m)
    k(static_cast<Eigen::Index>(m), static_cast<Eigen::Index>(m)) += jitter.at(points_[m].parts[0].term);
  sparse_lower_ = lower_factor(k);
  whitened_data_ = whitened_rows(data.rows);
  data_lower_ = lower_factor(with_noise(whitened_data_ * whitened_data_.transpose(), data.sigma));

  const Eigen::Index n = rows_.rows(), m = rows_.cols();
  const LongVector y = as_vector(data.target), weight = as_vector(data.sigma).cwiseInverse();
  LongMatrix stacked(n + m, m);
  stacked << weight.asDiagonal() * rows_, LongMatrix(sparse_lower_.transpose());
  LongVector right = LongVector::Zero(n + m);
  right.head(n) = weight.cwiseProduct(y);
  weights_ = Eigen::HouseholderQR<LongMatrix>(stacked).solve(right);
  whitened_ = sparse_lower_.transpose() * weights_;

  LongVector half = y;
  data_lower_.triangularView<Eigen::Lower>().solveInPlace(half);
  log_evidence_ = -half.squaredNorm() / 2 - data_lower_.diagonal().array().log().sum() -
                  static_cast<long double>(n) / 2 * std::log(2 * std::numbers::pi_v<long double>);
}

LongMatrix DenseSparseProcess::whitened_rows(const std::vector<DenseFunctional>& wanted) const {
  LongMatrix k = prior_covariance(terms_, points_, wanted);
  sparse_lower_.triangularView<Eigen::Lower>().solveInPlace(k);
  return k.transpose();
}

LongVector DenseSparseProcess::mean(const std::vector<DenseFunctional>& wanted) const {
  return prior_covariance(terms_, wanted, points_) * weights_;
}

LongVector DenseSparseProcess::novelty(const std::vector<DenseFunctional>& wanted) const {
  return prior_variance(terms_, wanted) - whitened_rows(wanted).rowwise().squaredNorm();
}

LongVector DenseSparseProcess::data(const std::vector<DenseFunctional>& wanted) const {
  const LongMatrix phi = whitened_rows(wanted);
  LongMatrix q = whitened_data_ * phi.transpose();
  data_lower_.triangularView<Eigen::Lower>().solveInPlace(q);
  return phi.rowwise().squaredNorm() - q.colwise().squaredNorm().transpose();
}

}  // namespace gapkit::test
