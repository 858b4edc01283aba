#include "fit/label_slopes.hpp"

#include <algorithm>
#include <cmath>

namespace gapkit {
namespace {

constexpr double smallest_difference = 1e-4;  // eV; smaller energy differences are noise
constexpr double close = 0.05, loose = 0.12;  // relative errors of a factor: of a certain cause, and of a possible one
constexpr double loose_without_unit = 0.2;    // of a wrong sign or a missing volume or number of atoms
constexpr double alike_slopes = 2, small_mismatch = 0.003;

constexpr std::array<std::array<int, 2>, 5> powers = {{{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}}};  // of atoms and volume

// Σ (y − f·x)² / Σ (y² + (f·x)²)
double mismatch(const Slope& s, double factor) {
  const double xx = s.xx * factor * factor;
  return (xx - 2 * factor * s.xy + s.yy) / (xx + s.yy);
}

}  // namespace

void Slope::add(double x, double y) {
  xx += x * x;
  xy += x * y;
  yy += y * y;
  ++pairs;
}

bool Slope::is_clear() const {
  return pairs >= 3 && xx > 0 && yy > 0 && xy * xy >= 0.95 * xx * yy;
}

void Slopes::add(double x, double y, double atoms, double volume) {
  if (std::abs(y) < smallest_difference && std::abs(x) < smallest_difference) return;
  for (std::size_t k = 0; k < powers.size(); ++k) slopes_[k].add(x * std::pow(atoms, powers[k][0]) * std::pow(volume, powers[k][1]), y);
}

const Slope& Slopes::of(int atoms, int volume) const {
  const auto place = std::find(powers.begin(), powers.end(), std::array{atoms, volume});
  return slopes_.at(static_cast<std::size_t>(place - powers.begin()));
}

SlopeCauses causes_of(const Slopes& slopes, const std::vector<LabelTransformation>& known) {
  struct Fit {
    double mismatch, deviation;
    const LabelTransformation* cause;
  };
  std::vector<Fit> fits;
  for (const LabelTransformation& k : known) {
    const Slope& slope = slopes.of(k.atoms, k.volume);
    const double deviation = std::abs(slope.value() / k.factor - 1);
    if (slope.is_clear() && deviation <= (std::abs(k.factor) == 1 ? loose_without_unit : loose))
      fits.push_back({mismatch(slope, k.factor), deviation, &k});
  }
  if (fits.empty()) return {};
  std::sort(fits.begin(), fits.end(), [](const Fit& a, const Fit& b) { return a.mismatch < b.mismatch; });
  SlopeCauses causes;
  const LabelTransformation& best = *fits.front().cause;
  causes.is_reversed = best.factor == -1 && best.atoms == 0 && best.volume == 0;
  causes.is_close = fits.front().deviation <= (std::abs(best.factor) == 1 ? loose_without_unit : close);
  for (const Fit& fit : fits)
    if (fit.mismatch <= alike_slopes * fits.front().mismatch + small_mismatch)
      causes.meaning += (causes.meaning.empty() ? "" : ", or ") + fit.cause->meaning;
  return causes;
}

std::vector<LabelTransformation> displacement_causes() {
  std::vector<LabelTransformation> causes;
  for (const LabelTransformation& t : energy_transformations())
    if (!t.meaning.empty()) causes.push_back({1 / t.factor, -t.atoms, 0, t.meaning});
  return causes;
}

std::vector<LabelTransformation> strain_causes(const TargetReport& targets) {
  std::vector<LabelTransformation> causes = virial_transformations(targets);
  causes.erase(causes.begin());
  return causes;
}

}  // namespace gapkit
