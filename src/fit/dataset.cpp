#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/dataset.hpp>
#include <iterator>

namespace gapkit {
namespace {

std::vector<int> elements_of(const Structure& frame) {
  std::vector<int> elements = frame.atomic_numbers;
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

/// The index of a value in a list, to which new values are added. Lists are short; most frames equal the one before.
template <class T>
int index_in(std::vector<T>& list, const T& value, int likely) {
  if (static_cast<std::size_t>(likely) < list.size() && list[static_cast<std::size_t>(likely)] == value) return likely;
  const auto found = std::find(list.begin(), list.end(), value);
  const auto index = static_cast<int>(found - list.begin());
  if (found == list.end()) list.push_back(value);
  return index;
}

// The checks of the reader of files. Masked forces may have any value; NaN and infinity among them become zero.
void check_and_complete(Structure& s) {
  const Eigen::Index n = s.size();
  const auto fail = [&](const std::string& what) { throw InputError(s.place() + what); };
  if (n == 0) fail("the frame has no atoms, expected at least one");
  for (const int z : s.atomic_numbers)
    if (z < 1 || z > largest_atomic_number) fail(fmt::format("{} is no atomic number, expected 1 to {}", z, largest_atomic_number));
  const auto check_rows = [&](const char* name, Eigen::Index rows) {
    if (rows != n) fail(fmt::format("{} has {} rows, expected one for each of {} atoms", name, rows, n));
  };
  const auto check_finite = [&](const char* name, const auto& values) {
    if (!values.allFinite()) fail(fmt::format("{} holds NaN or infinity, expected finite numbers", name));
  };
  check_rows("positions", s.positions.rows());
  check_finite("positions", s.positions);
  if (s.cell) check_finite("cell", *s.cell);
  if (!s.force_mask.empty()) check_rows("force_mask", static_cast<Eigen::Index>(s.force_mask.size()));
  for (const TargetInfo& target : targets()) {
    const GivenSigmas& sigma = s.sigma[target.property];
    const auto check_count = [&](const char* ending, std::size_t found, int expected) {
      if (found > 0 && found != static_cast<std::size_t>(expected))
        fail(fmt::format("{}_{}_sigma has {} numbers, expected {}", target.name, ending, found, expected));
    };
    check_count("atom", sigma.atom.size(), s.size());
    check_count("component", sigma.component.size(), target.row_count(s.size()));
    const std::vector<double>& base = s.base[target.property];
    if (!base.empty() && base.size() != static_cast<std::size_t>(target.row_count(s.size())))
      fail(fmt::format("the base has {} values of the {}, expected {}", base.size(), target.name, target.row_count(s.size())));
    if (!std::all_of(base.begin(), base.end(), [](double x) { return std::isfinite(x); }))
      fail(fmt::format("the base of the {} holds NaN or infinity, expected finite numbers", target.name));
  }
  if (s.energy && !std::isfinite(*s.energy)) fail(fmt::format("energy is {}, expected a finite number", *s.energy));
  if (s.forces) {
    check_rows("forces", s.forces->rows());
    for (std::size_t i = 0; i < s.force_mask.size(); ++i)
      if (const auto row = static_cast<Eigen::Index>(i); s.force_mask[i] && !s.forces->row(row).allFinite()) s.forces->row(row).setZero();
    check_finite("forces", *s.forces);
  }
  if (s.virial) {
    check_finite("virial", *s.virial);
    constexpr double tolerance = 1e-3;  // of the norm, and in eV: as in files
    const double asymmetry = (*s.virial - s.virial->transpose()).cwiseAbs().maxCoeff();
    if (asymmetry > tolerance * s.virial->norm() && asymmetry > tolerance)
      fail(fmt::format("virial is not symmetric: off-diagonal elements differ by {:.6g} eV", asymmetry));
  }
  if (s.config_type.empty()) s.config_type = "default";
}

void count_targets(const Structure& s, TargetReport& report) {
  ++report.frames;
  for (const TargetInfo& target : targets())
    if (target.rows(s).empty())
      ++report.frames_without[target.property];
    else
      ++report.keys[target.sources.front().name][target.sources.front().name];
}

}  // namespace

void DatasetSummary::add(const Structure& frame, std::int64_t number) {
  const Frame like = frames.empty() ? Frame() : frames.back();
  frames.push_back({number, frame.size(), index_in(config_types, frame.config_type, like.config_type),
                    index_in(element_sets, elements_of(frame), like.elements)});
}

std::int64_t DatasetSummary::atoms() const {
  std::int64_t sum = 0;
  for (const Frame& frame : frames) sum += frame.atoms;
  return sum;
}

std::map<std::string, std::int64_t> DatasetSummary::frames_of_types() const {
  std::map<std::string, std::int64_t> result;
  for (const Frame& frame : frames) ++result[config_types[static_cast<std::size_t>(frame.config_type)]];
  return result;
}

void DatasetSummary::check_complete() const {
  if (!mistake.empty()) throw InputError(mistake);
}

MemoryDataset::MemoryDataset(std::vector<Structure> frames, std::string name) : frames_(std::move(frames)), parts_{std::move(name)} {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (frames_[i].source.empty()) frames_[i].source = fmt::format("frame {}", i + 1);
    check_and_complete(frames_[i]);
  }
}

DatasetSummary MemoryDataset::summary() const {
  DatasetSummary summary;
  for (std::size_t i = 0; i < frames_.size(); ++i) summary.add(frames_[i], static_cast<std::int64_t>(i));
  return summary;
}

std::int64_t MemoryDataset::visit_frames(const Visitor& visitor, const VisitRequest& request) const {
  std::int64_t mistakes = 0;
  const auto hand_out = [&](std::int64_t number) {
    const Structure& frame = frames_.at(static_cast<std::size_t>(number));
    if (request.targets) count_targets(frame, *request.targets);
    try {
      visitor(frame, {0, static_cast<int>(number) + 1, number});
    } catch (const InputError& e) {
      if (!request.finding) throw;
      request.finding({CheckFinding::Severity::error, "frame", e.what()});
      ++mistakes;
    }
  };
  if (request.numbers)
    for (const std::int64_t number : *request.numbers) hand_out(number);
  else
    for (std::size_t i = 0; i < frames_.size(); ++i) hand_out(static_cast<std::int64_t>(i));
  return mistakes;
}

DatasetView::DatasetView(const Dataset& data, std::vector<std::int64_t> numbers) : data_(data), numbers_(std::move(numbers)) {
  if (!std::is_sorted(numbers_.begin(), numbers_.end())) throw Error("DatasetView: the numbers must ascend");
}

DatasetView DatasetView::without(const Dataset& data, const std::vector<std::int64_t>& left_out) {
  std::vector<std::int64_t> numbers;
  for (const DatasetSummary::Frame& frame : data.summary().frames)
    if (!std::binary_search(left_out.begin(), left_out.end(), frame.number)) numbers.push_back(frame.number);
  return {data, std::move(numbers)};
}

bool DatasetView::contains(std::int64_t number) const {
  return std::binary_search(numbers_.begin(), numbers_.end(), number);
}

DatasetSummary DatasetView::summary() const {
  DatasetSummary summary = data_.summary();
  std::erase_if(summary.frames, [&](const DatasetSummary::Frame& frame) { return !contains(frame.number); });
  return summary;
}

std::int64_t DatasetView::visit_frames(const Visitor& visitor, const VisitRequest& request) const {
  VisitRequest of_view = request;
  of_view.numbers = &numbers_;
  std::vector<std::int64_t> common;
  if (request.numbers) {
    std::set_intersection(numbers_.begin(), numbers_.end(), request.numbers->begin(), request.numbers->end(), std::back_inserter(common));
    of_view.numbers = &common;
  }
  return data_.visit(visitor, of_view);
}

}  // namespace gapkit
