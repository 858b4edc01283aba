#include <algorithm>
#include <cmath>
#include <gapkit/model/relative_novelty.hpp>

namespace gapkit {
namespace {

// A prior counts as at least this part of that of a whole environment: where the only neighbour is near the cutoff, prior and novelty
// vanish together.
constexpr double least_prior = 0.01;

}  // namespace

RelativeNovelty::RelativeNovelty(const Model& model) : model_(model) {
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Term& term = model.terms[t];
    unit_.push_back(std::pow(term.weight() / term.delta, 2));
    scale_.push_back(std::pow(model.posterior.delta_ratio[t], 2));
  }
}

bool RelativeNovelty::belongs(std::size_t term, int element) const {
  const std::vector<int>& species = model_.terms[term].species;
  return std::find(species.begin(), species.end(), element) != species.end();
}

Matrix RelativeNovelty::spanned(const MatrixView& rows) const {
  const auto terms = static_cast<Eigen::Index>(unit_.size());
  Matrix result(rows.rows(), terms);
  for (Eigen::Index t = 0; t < terms; ++t) {
    const auto i = static_cast<std::size_t>(t);
    result.col(t) = rows.middleCols(model_.factor.offsets()[i], model_.factor.blocks()[i].rows()).rowwise().squaredNorm();
  }
  return result;
}

double RelativeNovelty::square(int element, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
                               const Eigen::Ref<const Eigen::RowVectorXd>& prior) const {
  double sum = 0;
  for (std::size_t t = 0; t < unit_.size(); ++t) {
    const auto i = static_cast<Eigen::Index>(t);
    if (!(prior[i] > 0) || !(scale_[t] > 0)) continue;
    const double novelty = std::max(0.0, prior[i] - spanned[i] / scale_[t]);
    sum += scale_[t] * unit_[t] * novelty / std::max(prior[i], least_prior * unit_[t]);
  }
  const double all = amplitude_square(element);
  return all > 0 ? std::min(1.0, sum / all) : 0;
}

double RelativeNovelty::amplitude_square(int element) const {
  double sum = 0;
  for (std::size_t t = 0; t < unit_.size(); ++t)
    if (belongs(t, element)) sum += scale_[t] * unit_[t];
  return sum;
}

}  // namespace gapkit
