#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/report/property_table.hpp>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

void add_property_row(PageTable& table, const std::string& name, const PropertyTable::Row& row) {
  if (row.count == 0) return;
  std::vector<PageTable::Cell> cells = {
      {name}, count_cell(row.count), number_cell(row.rmse()), number_cell(row.mae()), number_cell(row.spread())};
  if (row.bars > 0) {
    cells.push_back(number_cell(row.zms()));
    cells.push_back(number_cell(100 * row.coverage68()));
    cells.push_back(number_cell(100 * row.coverage95()));
  } else {
    cells.insert(cells.end(), 3, {"–"});
  }
  table.rows.push_back(std::move(cells));
}

PageTable property_page_table(const std::string& data, const PropertyTable::Part& part) {
  PageTable table;
  const std::string unit = part.keys.unit.empty() ? "" : " (" + part.keys.unit + ")";
  table.caption = fmt::format("Errors of '{}'{}{}", part.keys.name, data.empty() ? "" : ", ", data);
  table.columns = {{"atoms", false}, {"rows"}, {"RMSE" + unit, true, true}, {"MAE" + unit}, {"spread" + unit}, {"mean z²"},
                   {"68 %"},         {"95 %"}};
  for (const auto& [z, row] : part.of_element) add_property_row(table, element_symbol(z), row);
  add_property_row(table, "all", part.all);
  add_property_row(table, "total", part.total);
  add_property_row(table, "dipole components", part.dipole);
  return table;
}

}  // namespace

void add_properties(Page& page, const ReportModel& model) {
  bool has_section = false;
  for (const auto& [data, table] : model.properties) {
    if (table->empty()) continue;
    if (!has_section)
      page.section(
          "Local properties",
          "Errors against the values in the frames; the spread is the standard deviation of the reference values. With error bars z is "
          "error over bar, and the shares within 1 and 1.96 bars should be 68 and 95 %.");
    has_section = true;
    for (const PropertyTable::Part& part : table->parts())
      if (part.all.count + part.total.count + part.dipole.count > 0) page.table(property_page_table(data, part));
  }
}

}  // namespace gapkit
