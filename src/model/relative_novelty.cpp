#include <algorithm>
#include <cmath>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/relative_novelty.hpp>

namespace gapkit {
namespace {

/// Whether a term has all features of a descriptor whose features another term of the same species maps to fewer.
bool is_of_full_spectrum(const Term& term, const std::vector<Term>& others) {
  if (term.descriptor->feature_map() != nullptr) return false;
  return std::any_of(others.begin(), others.end(), [&](const Term& other) {
    return other.descriptor->feature_map() != nullptr && other.descriptor_name == term.descriptor_name && other.species == term.species;
  });
}

// A prior counts as at least this part of that of a whole environment: where the only neighbour is near the cutoff, prior and novelty
// vanish together.
constexpr double least_prior = 0.01;

}  // namespace

RelativeNovelty::RelativeNovelty(const Model& model) : model_(model) {
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Term& term = model.terms[t];
    unit_.push_back(std::pow(term.weight() / term.delta, 2));
    scale_.push_back(std::pow(model.posterior.delta_ratio[t], 2));
    full_.push_back(is_of_full_spectrum(term, model.terms));
  }
}

bool RelativeNovelty::belongs(std::size_t term, int element) const {
  const std::vector<int>& species = model_.terms[term].species;
  return std::find(species.begin(), species.end(), element) != species.end();
}

bool RelativeNovelty::has_full(int element) const {
  for (std::size_t t = 0; t < unit_.size(); ++t)
    if (full_[t] && belongs(t, element)) return true;
  return false;
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

// The environments of an atom are in terms of its element; the others have no prior.
template <class Chosen>
double RelativeNovelty::share(const Chosen& is_chosen, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
                              const Eigen::Ref<const Eigen::RowVectorXd>& prior) const {
  double sum = 0, all = 0;
  for (std::size_t t = 0; t < unit_.size(); ++t) {
    if (!is_chosen(t)) continue;
    all += scale_[t] * unit_[t];
    const auto i = static_cast<Eigen::Index>(t);
    if (!(prior[i] > 0) || !(scale_[t] > 0)) continue;
    const double novelty = std::max(0.0, prior[i] - spanned[i] / scale_[t]);
    sum += scale_[t] * unit_[t] * novelty / std::max(prior[i], least_prior * unit_[t]);
  }
  return all > 0 ? std::min(1.0, sum / all) : 0;
}

double RelativeNovelty::square(int element, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
                               const Eigen::Ref<const Eigen::RowVectorXd>& prior) const {
  return share([&](std::size_t t) { return belongs(t, element); }, spanned, prior);
}

double RelativeNovelty::full_square(int element, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
                                    const Eigen::Ref<const Eigen::RowVectorXd>& prior) const {
  return share([&](std::size_t t) { return full_[t] && belongs(t, element); }, spanned, prior);
}

double RelativeNovelty::amplitude_square(int element) const {
  double sum = 0;
  for (std::size_t t = 0; t < unit_.size(); ++t)
    if (belongs(t, element)) sum += scale_[t] * unit_[t];
  return sum;
}

}  // namespace gapkit
