#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/report/extrapolation_table.hpp>
#include <nlohmann/json.hpp>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

nlohmann::ordered_json grades_json(const ExtrapolationTable::Row& row) {
  return {{"frames", row.frames},
          {"atoms", row.atoms},
          {"atoms_above_1", row.atoms_above_1},
          {"atoms_above_2", row.atoms_above_2},
          {"frames_above_1", row.frames_above_1},
          {"frames_above_2", row.frames_above_2},
          {"largest", row.largest},
          {"where", row.where.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(row.where)}};
}

std::string grades_line(const std::string& name, std::size_t width, const ExtrapolationTable::Row& row) {
  return fmt::format("{:<{}}{:>8}{:>10}{:>12}{:>12}{:>12}{:>12}{:>10.2f}\n", name, width, row.frames, row.atoms, row.frames_above_1,
                     row.frames_above_2, row.atoms_above_1, row.atoms_above_2, row.largest);
}

}  // namespace

void ExtrapolationTable::Row::add(const Row& other) {
  frames += other.frames;
  atoms += other.atoms;
  atoms_above_1 += other.atoms_above_1;
  atoms_above_2 += other.atoms_above_2;
  frames_above_1 += other.frames_above_1;
  frames_above_2 += other.frames_above_2;
  if (other.largest > largest) where = other.where;
  largest = std::max(largest, other.largest);
}

void ExtrapolationTable::add(const Structure& frame, const Prediction& prediction) {
  if (!prediction.extrapolation || frame.size() == 0) return;
  const Vector& grades = *prediction.extrapolation;
  Eigen::Index atom = 0;
  Row row;
  row.frames = 1;
  row.atoms = grades.size();
  row.largest = grades.maxCoeff(&atom);
  row.atoms_above_1 = (grades.array() > familiar_grade).count();
  row.atoms_above_2 = (grades.array() > far_grade).count();
  row.frames_above_1 = row.atoms_above_1 > 0;
  row.frames_above_2 = row.atoms_above_2 > 0;
  if (row.frames_above_1 > 0)
    row.where = fmt::format("{}atom {} ({})", frame.source.empty() ? "" : frame.source + ", ", atom + 1,
                            element_symbol(frame.atomic_numbers[static_cast<std::size_t>(atom)]));
  rows_[frame.config_type].add(row);
}

ExtrapolationTable::Row ExtrapolationTable::total() const {
  Row all;
  for (const auto& [name, row] : rows_) all.add(row);
  return all;
}

std::string ExtrapolationTable::text() const {
  std::size_t width = 16;
  for (const auto& [name, row] : rows_) width = std::max(width, name.size() + 1);
  std::string out = fmt::format("{:<{}}{:>8}{:>10}{:>12}{:>12}{:>12}{:>12}{:>10}\n", "extrapolation", width, "frames", "atoms",
                                "frames > 1", "frames > 2", "atoms > 1", "atoms > 2", "largest");
  for (const auto& [name, row] : rows_) out += grades_line(name, width, row);
  const Row all = total();
  out += grades_line("all", width, all);
  if (!all.where.empty()) out += "largest grade: " + all.where + "; above 1 an atom is unlike the training data\n";
  return out;
}

std::string ExtrapolationTable::json() const {
  nlohmann::ordered_json json = {{"config_types", nlohmann::ordered_json::object()}, {"all", grades_json(total())}};
  for (const auto& [name, row] : rows_) json["config_types"][name] = grades_json(row);
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void add_extrapolation(Page& page, const ExtrapolationTable& grades) {
  page.section("Extrapolation",
               "Atoms with an extrapolation grade above 1 are unlike the training data: their energies and forces, and the error bars, may "
               "be wrong.");
  PageTable table;
  table.columns = {{"config type", false}, {"frames"},    {"atoms"},     {"frames > 1"},
                   {"frames > 2"},         {"atoms > 1"}, {"atoms > 2"}, {"largest grade", true, true}};
  const auto add_row = [&](const std::string& name, const ExtrapolationTable::Row& row) {
    table.rows.push_back({{name},
                          count_cell(row.frames),
                          count_cell(row.atoms),
                          count_cell(row.frames_above_1),
                          count_cell(row.frames_above_2),
                          count_cell(row.atoms_above_1),
                          count_cell(row.atoms_above_2),
                          number_cell(row.largest)});
  };
  for (const auto& [name, row] : grades.config_types()) add_row(name, row);
  const ExtrapolationTable::Row all = grades.total();
  add_row("all", all);
  table.has_total = true;
  page.table(table);
  if (!all.where.empty()) page.paragraph("Largest grade: " + all.where + ".");
  page.key_figure("Atoms unlike the training data",
                  page_number(100.0 * static_cast<double>(all.atoms_above_1) / static_cast<double>(all.atoms)), "%",
                  fmt::format("extrapolation grade above 1; largest {}", page_number(all.largest)));
}

}  // namespace gapkit
