#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/pair_tables.hpp>
#include <sstream>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

constexpr std::size_t fewest_points = 4;

/// Cubic spline through (r, V), natural at its beginning, with slope 0 at its end; continued as a straight line before its beginning.
class Spline {
 public:
  Spline(std::vector<double> r, std::vector<double> v) : r_(std::move(r)), v_(std::move(v)), curvature_(r_.size(), 0.0) {
    // Tridiagonal system of the second derivatives, solved by elimination.
    const std::size_t n = r_.size();
    std::vector<double> upper(n, 0.0);
    for (std::size_t i = 1; i < n; ++i) {
      const double before = r_[i] - r_[i - 1];
      const double rise = (v_[i] - v_[i - 1]) / before;
      const bool last = i + 1 == n;
      const double after = last ? 0 : r_[i + 1] - r_[i];
      const double next = last ? 0 : (v_[i + 1] - v_[i]) / after;
      const double pivot = 2 * (before + after) - before * upper[i - 1];
      upper[i] = after / pivot;
      curvature_[i] = (6 * (next - rise) - before * curvature_[i - 1]) / pivot;
    }
    for (std::size_t i = n - 1; i-- > 1;) curvature_[i] -= upper[i] * curvature_[i + 1];
  }

  double end() const { return r_.back(); }

  PairEnergy operator()(double r) const {
    if (r >= r_.back()) return {};
    const double x = std::max(r, r_.front());
    const std::size_t i = std::min(static_cast<std::size_t>(std::upper_bound(r_.begin(), r_.end(), x) - r_.begin()), r_.size() - 1);
    const double h = r_[i] - r_[i - 1], a = (r_[i] - x) / h, b = 1 - a;
    PairEnergy e;
    e.value = a * v_[i - 1] + b * v_[i] + ((a * a * a - a) * curvature_[i - 1] + (b * b * b - b) * curvature_[i]) * h * h / 6;
    e.derivative = (v_[i] - v_[i - 1]) / h + ((1 - 3 * a * a) * curvature_[i - 1] + (3 * b * b - 1) * curvature_[i]) * h / 6;
    e.value += (r - x) * e.derivative;
    return e;
  }

 private:
  std::vector<double> r_, v_, curvature_;
};

[[noreturn]] void fail(const std::string& where, int line, const std::string& what) {
  throw InputError(where + ":" + std::to_string(line) + ": " + what);
}

void check_table(const std::string& where, int line, const PairTable& table) {
  if (table.r.size() < fewest_points)
    fail(where, line, "a pair has " + std::to_string(table.r.size()) + " points, expected at least " + std::to_string(fewest_points));
  if (table.energy.back() != 0)
    fail(where, line, "the last energy of a pair is " + std::to_string(table.energy.back()) + " eV, expected 0: it would jump there");
}

/// Tabulated pair energies, one cubic spline for each pair of elements; pairs without a table have none.
class PairSpline final : public Potential {
 public:
  explicit PairSpline(const Parameters& parameters) : parameters_(parameters) {
    std::string text = parameters.text("table");
    if (text.empty()) {
      text = read_pair_tables(parameters.text("file"));
      parameters_.set("table", text);
    }
    for (const auto& [pair, table] : parse_pair_tables(text, "pair_spline")) {
      splines_.emplace(pair, Spline(table.r, table.energy));
      cutoff_ = std::max(cutoff_, splines_.at(pair).end());
    }
  }

  std::string name() const override { return "pair_spline"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return cutoff_; }

  void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const override {
    add_pairs(environments, cutoff_, local_energy, dE_dr, [this](int z1, int z2, double r) {
      const auto spline = splines_.find(std::minmax(z1, z2));
      return spline == splines_.end() ? PairEnergy{} : spline->second(r);
    });
  }

 private:
  Parameters parameters_;
  std::map<std::pair<int, int>, Spline> splines_;
  double cutoff_ = 0;
};

}  // namespace

PairTables parse_pair_tables(const std::string& text, const std::string& where) {
  PairTables tables;
  std::istringstream lines(text);
  PairTable* table = nullptr;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line.erase(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string first, second, third, rest;
    if (!(words >> first)) continue;
    if (first == "pair") {
      if (table) check_table(where, number, *table);
      words >> second >> third;
      const int z1 = find_atomic_number(second), z2 = find_atomic_number(third);
      if (z1 == 0 || z2 == 0 || words >> rest) fail(where, number, "expected 'pair' and two elements, as in 'pair Si C'");
      const auto [entry, is_new] = tables.try_emplace(std::minmax(z1, z2));
      if (!is_new) fail(where, number, "a second table for " + second + "-" + third);
      table = &entry->second;
      continue;
    }
    if (!table) fail(where, number, "found '" + first + "' before the first line 'pair X Y'");
    std::istringstream numbers(line);
    double r = 0, v = 0;
    if (!(numbers >> r >> v) || numbers >> rest || !std::isfinite(r) || !std::isfinite(v) || !(r > 0))
      fail(where, number, "expected a distance above 0 (Å) and an energy (eV)");
    if (!table->r.empty() && !(r > table->r.back())) fail(where, number, "distances must ascend");
    table->r.push_back(r);
    table->energy.push_back(v);
  }
  if (!table) throw InputError(where + ": no line 'pair X Y' with a table of distances (Å) and energies (eV)");
  check_table(where, number, *table);
  return tables;
}

std::string pair_tables_text(const PairTables& tables) {
  std::string text;
  for (const auto& [pair, table] : tables) {
    text += fmt::format("pair {} {}\n", element_symbol(pair.first), element_symbol(pair.second));
    for (std::size_t i = 0; i < table.r.size(); ++i) text += fmt::format("{} {}\n", table.r[i], table.energy[i]);
  }
  return text;
}

std::string read_pair_tables(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) throw InputError(path + ": the table of pair energies cannot be read");
  parse_pair_tables(text.str(), path);
  return text.str();
}

PotentialKind pair_spline_kind() {
  using Type = ParameterInfo::Type;
  return {"pair_spline",
          "tabulated pair energies, a cubic spline for each pair of elements",
          {{.name = "file",
            .type = Type::text,
            .description = "tables of pair energies (docs/file-formats.md)",
            .default_value = std::string()},
           {.name = "table",
            .type = Type::text,
            .description = "the tables themselves, instead of a file; a model holds them so",
            .default_value = std::string()}},
          [](const Parameters& parameters) { return std::make_shared<PairSpline>(parameters); }};
}

}  // namespace gapkit
