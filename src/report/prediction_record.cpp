#include <cmath>
#include <gapkit/report/report_pages.hpp>

namespace gapkit {
namespace {

// "train.xyz:12 (frame 3)" of "/long/way/train.xyz:12 (frame 3)".
std::string without_folders(const std::string& source) {
  const auto slash = source.rfind('/');
  return slash == std::string::npos ? source : source.substr(slash + 1);
}

}  // namespace

bool PredictionRecord::put(Values& values, double reference, double predicted, const double* std) {
  if (!std::isfinite(reference) || !std::isfinite(predicted) || (std && !std::isfinite(*std))) {
    ++not_finite_;
    return false;
  }
  if (!keep_values_) return true;
  values.reference.push_back(reference);
  values.predicted.push_back(predicted);
  if (std) values.std.push_back(*std);
  values.frame.push_back(static_cast<int>(frames_.size()));
  return true;
}

void PredictionRecord::add_target(const TargetInfo& target, const Structure& frame, const Prediction& prediction, double isolated,
                                  Frame& entry) {
  const auto scale = target.shown_scale(frame);
  if (!scale) return;
  const Property p = target.property;
  const bool is_single = target.is_single(), is_vector = target.is_vector_of_atoms();
  const double offset = p == Property::energy ? isolated : 0;
  const std::span<const double> std = prediction.std_of(p);
  if (is_single && !std.empty()) entry.largest_std[p] = std::abs((*scale)(std.front()));
  if (is_vector)
    for (std::size_t i = 0; i + 3 <= std.size(); i += 3)
      entry.largest_std[p] = std::max(entry.largest_std[p].value_or(0), std::abs((*scale)(std::hypot(std[i], std[i + 1], std[i + 2]))));
  ErrorSummary errors, of_atom;
  int atom = -1;
  for (const ComparedRow& row : compared_rows(frame, prediction, target)) {
    const double reference = (*scale)(row.reference - offset), predicted = (*scale)(row.predicted - offset);
    const double bar = std::abs((*scale)(row.std));
    if (atom != row.row / target.components) of_atom = {};
    atom = row.row / target.components;
    if (!put(values_[p], reference, predicted, std.empty() ? nullptr : &bar)) continue;
    errors.add(predicted - reference);
    of_atom.add(predicted - reference);
    if (is_single) entry.error[p] = predicted - reference;
    if (!is_vector || !(std::sqrt(of_atom.sum_of_squares) > entry.largest_error[p])) continue;
    entry.largest_error[p] = std::sqrt(of_atom.sum_of_squares);
    entry.worst_atom[p] = atom + 1;
  }
  if (!is_single && errors.count > 0) entry.error[p] = errors.rmse();
}

void PredictionRecord::add(const Structure& frame, const Prediction& prediction, std::int64_t number) {
  const int atoms = frame.size();
  if (atoms == 0) return;
  Frame entry;
  entry.number = number > 0 ? number : (frames_.empty() ? 0 : frames_.back().number) + 1;
  entry.source = without_folders(frame.source);
  entry.atoms = atoms;
  const auto [found, is_new] = index_of_config_type_.emplace(frame.config_type, static_cast<int>(config_types_.size()));
  if (is_new) config_types_.push_back(frame.config_type);
  entry.config_type = found->second;
  atoms_ += atoms;

  double isolated = 0;
  for (const int element : frame.atomic_numbers)
    if (const auto e0 = reference_energies_.find(element); e0 != reference_energies_.end()) isolated += e0->second;
  entry.energy = (prediction.energy - isolated) / atoms;
  const PerTarget<ErrorSummary> of_base = base_errors(frame, prediction);
  for (const TargetInfo& target : targets()) {
    add_target(target, frame, prediction, isolated, entry);
    base_alone_[target.property].add(of_base[target.property]);
  }
  frames_.push_back(std::move(entry));
}

std::map<std::string, std::int64_t> PredictionRecord::atoms_of_config_types() const {
  std::map<std::string, std::int64_t> result;
  for (const Frame& frame : frames_) result[config_types_[static_cast<std::size_t>(frame.config_type)]] += frame.atoms;
  return result;
}

}  // namespace gapkit
