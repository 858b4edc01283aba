#include "model/calibration_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

#include "model/extrapolation_file.hpp"

namespace gapkit {
namespace {

constexpr double unknown = -1;  // in place of a quality

bool is_share(double x) {
  return x >= 0 && x <= 1;
}

void check_factors(const CalibrationFactors& f, const std::string& where) {
  if (!(f.a >= 0 && f.b >= 0 && std::isfinite(f.a) && std::isfinite(f.b)))
    throw InputError(fmt::format("{}: the calibration has factors {} and {}, expected numbers of at least 0", where, f.a, f.b));
  if (f.element < 0 || f.element > largest_atomic_number || f.points < 0)
    throw InputError(fmt::format("{}: the calibration has factors of element {} and {} points, expected numbers of at least 0", where,
                                 f.element, f.points));
  if (f.quality &&
      !(f.quality->zms >= 0 && std::isfinite(f.quality->zms) && is_share(f.quality->coverage68) && is_share(f.quality->coverage95)))
    throw InputError(where + ": the quality of a calibration is outside its range");
}

/// What the first versions did not have.
struct Parts {
  std::vector<std::int64_t> part, element, points;
  std::vector<double> zms, coverage68, coverage95;
  std::vector<double> powers;  // of data part, J and C, for cautious factors
};

Parts read_parts(const ArchiveReader& archive, Eigen::Index count) {
  const auto integers = [&](const char* name) { return archive.integers(std::string("calibration/") + name, count); };
  const auto numbers = [&](const char* name) { return archive.doubles(std::string("calibration/") + name, count); };
  return {integers("part"),
          integers("element"),
          integers("points"),
          numbers("zms"),
          numbers("coverage68"),
          numbers("coverage95"),
          archive.has("calibration/powers") ? archive.doubles("calibration/powers", 3 * count) : std::vector<double>()};
}

void set_parts(CalibrationFactors& f, const Parts& parts, std::size_t i, const std::string& where) {
  const bool has_powers = parts.powers.size() >= 3 * i + 3;
  if (parts.part[i] < 0 || parts.part[i] > static_cast<std::int64_t>(has_powers ? EpistemicPart::cautious : EpistemicPart::jackknife))
    throw InputError(fmt::format("{}: the calibration has factors of part {}, which this version does not know", where, parts.part[i]));
  f.part = static_cast<EpistemicPart>(parts.part[i]);
  f.element = static_cast<int>(std::clamp<std::int64_t>(parts.element[i], -1, largest_atomic_number + 1));
  f.points = parts.points[i];
  if (has_powers) f.powers = {parts.powers[3 * i], parts.powers[3 * i + 1], parts.powers[3 * i + 2]};
  for (const double power : {f.powers.data, f.powers.jackknife, f.powers.total})
    if (!(std::abs(power) <= 10)) throw InputError(fmt::format("{}: the calibration has a power of {}, expected −10 to 10", where, power));
  if (parts.zms[i] != unknown) f.quality = {parts.zms[i], parts.coverage68[i], parts.coverage95[i]};
}

void read_common(const ArchiveReader& archive, const std::string& where, Eigen::Index points, Calibration& calibration) {
  const auto familiar = archive.doubles("calibration/familiar");
  for (std::size_t i = 0; i < std::min(familiar.size(), target_count); ++i) {
    if (!is_share(familiar[i]))
      throw InputError(fmt::format("{}: the calibration's familiar novelty is {}, expected 0 to 1", where, familiar[i]));
    calibration.familiar[static_cast<Property>(i)] = familiar[i];
  }
  if (archive.has("calibration/familiar_of_fewer")) {
    calibration.familiar_of_fewer = archive.doubles("calibration/familiar_of_fewer", 1)[0];
    if (!is_share(*calibration.familiar_of_fewer))
      throw InputError(fmt::format("{}: the calibration's familiar novelty is {}, expected 0 to 1", where, *calibration.familiar_of_fewer));
  }
  if (archive.has("calibration/jackknife")) calibration.jackknife = archive.matrix("calibration/jackknife", -1, points);
  const bool is_missing = calibration.jackknife.rows() == 0;
  for (const CalibrationFactors& f : calibration.factors)
    if ((f.part == EpistemicPart::jackknife || (f.part == EpistemicPart::cautious && f.powers.jackknife != 0)) && is_missing)
      throw InputError(where + ": the calibration lacks its jackknife");
  if (!calibration.jackknife.allFinite()) throw InputError(where + ": the jackknife of the calibration holds NaN or infinity");
}

}  // namespace

bool needs_new_format(const Calibration& calibration) {
  return std::any_of(calibration.factors.begin(), calibration.factors.end(),
                     [](const CalibrationFactors& f) { return f.part != EpistemicPart::all; });
}

bool is_cautious(const Calibration& calibration) {
  return std::any_of(calibration.factors.begin(), calibration.factors.end(),
                     [](const CalibrationFactors& f) { return f.part == EpistemicPart::cautious; });
}

void save_calibration(ArchiveWriter& archive, const Calibration& calibration) {
  std::vector<std::int64_t> properties, rows, structures;
  std::vector<std::string> classes;
  std::vector<double> a, b;
  Parts parts;
  for (const CalibrationFactors& f : calibration.factors) {
    properties.push_back(static_cast<std::int64_t>(f.property));
    classes.push_back(f.config_class);
    a.push_back(f.a);
    b.push_back(f.b);
    rows.push_back(f.rows);
    structures.push_back(f.structures);
    parts.part.push_back(static_cast<std::int64_t>(f.part));
    parts.element.push_back(f.element);
    parts.points.push_back(f.points);
    parts.powers.insert(parts.powers.end(), {f.powers.data, f.powers.jackknife, f.powers.total});
    parts.zms.push_back(f.quality ? f.quality->zms : unknown);
    parts.coverage68.push_back(f.quality ? f.quality->coverage68 : unknown);
    parts.coverage95.push_back(f.quality ? f.quality->coverage95 : unknown);
  }
  archive.put("calibration/source", calibration.source);
  archive.put("calibration/property", properties);
  archive.put("calibration/class", classes);
  archive.put("calibration/a", a);
  archive.put("calibration/b", b);
  archive.put("calibration/rows", rows);
  archive.put("calibration/structures", structures);
  save_extrapolation(archive, calibration.extrapolation);
  if (!needs_new_format(calibration)) return;
  archive.put("calibration/part", parts.part);
  archive.put("calibration/element", parts.element);
  archive.put("calibration/points", parts.points);
  archive.put("calibration/zms", parts.zms);
  archive.put("calibration/coverage68", parts.coverage68);
  archive.put("calibration/coverage95", parts.coverage95);
  const std::vector<double> familiar(calibration.familiar.begin(), calibration.familiar.end());
  archive.put("calibration/familiar", familiar);
  if (calibration.familiar_of_fewer) archive.put("calibration/familiar_of_fewer", std::vector<double>{*calibration.familiar_of_fewer});
  if (is_cautious(calibration)) archive.put("calibration/powers", parts.powers);
  if (calibration.jackknife.rows() > 0) archive.put("calibration/jackknife", calibration.jackknife);
}

std::optional<Calibration> load_calibration(const ArchiveReader& archive, const std::string& where, Eigen::Index points) {
  if (!archive.has("calibration/source")) return std::nullopt;
  Calibration calibration;
  calibration.source = archive.string("calibration/source");
  const auto properties = archive.integers("calibration/property");
  const auto count = static_cast<Eigen::Index>(properties.size());
  const auto classes = archive.strings("calibration/class");
  const auto a = archive.doubles("calibration/a", count), b = archive.doubles("calibration/b", count);
  const auto rows = archive.integers("calibration/rows", count), structures = archive.integers("calibration/structures", count);
  if (classes.size() != properties.size()) throw InputError(where + ": the calibration's arrays have different lengths");
  const bool has_parts = archive.has("calibration/part");
  const Parts parts = has_parts ? read_parts(archive, count) : Parts();
  for (std::size_t i = 0; i < properties.size(); ++i) {
    if (properties[i] < 0 || properties[i] >= static_cast<std::int64_t>(target_count))
      throw InputError(where + ": unknown property in the calibration");
    calibration.factors.push_back({static_cast<Property>(properties[i]), classes[i], a[i], b[i], rows[i], structures[i]});
    CalibrationFactors& f = calibration.factors.back();
    if (has_parts) set_parts(f, parts, i, where);
    check_factors(f, where);
  }
  if (has_parts) read_common(archive, where, points, calibration);
  calibration.extrapolation = load_extrapolation(archive, where);
  // Early versions wrote calibrations without rows.
  if (calibration.factors.empty()) return std::nullopt;
  return calibration;
}

}  // namespace gapkit
