// Contraction of the channels of SOAP: one matrix for each l, random or from data.

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "descriptors/soap.hpp"

namespace gapkit {

// Radial functions of each element as mixtures of its n_max: Σ_n W_l,q,(s,n) g_nl(r) for channel q. All other code then works with one
// element that has one radial function for each channel.
void Soap::contract_channels() {
  const int n_max = basis_.n_max(), species = static_cast<int>(elements_.size());
  std::vector<std::vector<double>> contracted;
  const double* plain = table_of(0);
  const int plain_count = basis_.count();
  for (int s = 0; s < species; ++s) {
    std::vector<double> table(static_cast<std::size_t>(basis_.knot_count()) * 3 * static_cast<std::size_t>(count_) + soap_lanes, 0.0);
    for (int row = 0; row < 3 * basis_.knot_count(); ++row)
      for (int l = 0; l <= basis_.l_max(); ++l) {
        const Matrix& w = contraction_[static_cast<std::size_t>(l)];
        for (int q = 0; q < radial_; ++q) {
          double sum = 0;
          for (int n = 0; n < n_max; ++n)
            sum += w(q, s * n_max + n) * plain[static_cast<std::ptrdiff_t>(row) * plain_count + l * n_max + n];
          table[static_cast<std::size_t>(row) * static_cast<std::size_t>(count_) + static_cast<std::size_t>(l * radial_ + q)] = sum;
        }
      }
    contracted.push_back(std::move(table));
  }
  tables_ = std::move(contracted);
}

void Soap::check_basis() const {
  const auto terms = static_cast<std::size_t>(basis_.l_max() + 1);
  const auto& w = channel_basis_->contraction;
  if (w.size() != terms || channel_basis_->kept.size() != terms)
    throw InputError(fmt::format("the channels of a term: matrices for {} and shares for {} values of l, expected {} of both", w.size(),
                                 channel_basis_->kept.size(), terms));
  for (const Matrix& m : w) {
    if (m.rows() != asked_channels_ || m.cols() != all_channels() || m.rows() > m.cols())
      throw InputError(fmt::format("the channels of a term: a matrix is {} x {}, expected {} x {}, with at most as many rows as columns",
                                   m.rows(), m.cols(), asked_channels_, all_channels()));
    if (!m.allFinite()) throw InputError("the channels of a term: a matrix holds NaN or infinity");
  }
}

std::vector<Matrix> Soap::no_moments() const {
  return std::vector<Matrix>(static_cast<std::size_t>(basis_.l_max() + 1), Matrix::Zero(all_channels(), all_channels()));
}

std::int64_t Soap::add_moments(const Environments& environments, int begin, int end, std::vector<Matrix>& moments) const {
  std::call_once(all_made_, [&] {
    Parameters all = parameters_;
    all.set("channels", std::int64_t{0});
    all_channels_.reset(new Soap(all, species_, elements_, basis_, Form::plain));
  });
  Features features;
  all_channels_->compute(environments, begin, end, Derivatives::pullback, features);  // keeps the coefficients [lm][K]
  const Eigen::Index count = features.size(), channels = all_channels();
  if (count == 0) return 0;
  for (int l = 0; l <= basis_.l_max(); ++l) {
    const Eigen::Index rows = 2 * l + 1;
    Matrix c(count * rows, channels);
    for (Eigen::Index e = 0; e < count; ++e) {
      const double* from = features.workspace.row(e) + l * l * channels;
      std::copy(from, from + rows * channels, c.row(e * rows).data());
    }
    multiply_tn(c, c, moments[static_cast<std::size_t>(l)], 1, 1);
  }
  return count;
}

std::shared_ptr<const Descriptor> Soap::with_basis(ChannelBasis basis) const {
  return std::shared_ptr<const Soap>(
      new Soap(parameters_, species_, elements_, basis_, Form::plain, std::make_shared<const ChannelBasis>(std::move(basis))));
}

}  // namespace gapkit
