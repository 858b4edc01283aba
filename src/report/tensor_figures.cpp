#include <fmt/format.h>

#include <gapkit/report/plot.hpp>
#include <gapkit/report/tensor_table.hpp>

#include "report/report_parts.hpp"

namespace gapkit {
namespace {

void add_tensor_row(PageTable& table, const std::string& name, const TensorTable::Row& row) {
  if (row.count == 0) return;
  table.rows.push_back({{name},
                        count_cell(row.count),
                        number_cell(row.rmse()),
                        number_cell(row.spread()),
                        number_cell(100 * row.rmse() / row.spread()),
                        row.bars > 0 ? number_cell(row.mean_mahalanobis()) : PageTable::Cell{"–"}});
}

std::string title_of(const std::string& data, const TensorTable::Part& part) {
  return fmt::format("'{}'{}{}", part.keys.name, data.empty() ? "" : ", ", data);
}

PageTable tensor_page_table(const std::string& data, const TensorTable::Part& part) {
  PageTable table;
  const std::string unit = part.keys.units.empty() ? "" : " (" + part.keys.units + ")";
  table.caption = "Errors of " + title_of(data, part);
  table.columns = {{"part", false}, {"count"}, {"RMSE" + unit, true, true}, {"spread" + unit}, {"%"}, {"mean z²"}};
  add_tensor_row(table, "components", part.all);
  for (const auto& [name, row] : part.invariants) add_tensor_row(table, name, row);
  add_tensor_row(table, "derivatives, per Å", part.derivatives);
  return table;
}

Plot tensor_plot(const std::string& data, const TensorTable::Part& part) {
  Plot plot("Components of " + title_of(data, part), "Predicted components against those in the frames.");
  const std::string unit = part.keys.units.empty() ? "" : " (" + part.keys.units + ")";
  plot.x = {.label = "reference" + unit};
  plot.y = {.label = "predicted" + unit};
  plot.equal_axes = true;
  plot.diagonal("", 1);
  plot.scatter("", part.references, part.predictions, {.in_legend = false});
  return plot;
}

}  // namespace

void add_tensors(Page& page, const ReportModel& model) {
  bool has_section = false;
  for (const auto& [data, table] : model.tensors) {
    if (table->empty()) continue;
    if (!has_section)
      page.section(
          "Tensors",
          "Errors of all components against the values in the frames; the spread is the standard deviation of the reference values. "
          "Norm, isotropic and anisotropic part do not depend on the orientation. With error bars, z² is the squared Mahalanobis "
          "distance eᵀC⁻¹e over the number of components, and its mean should be 1.");
    has_section = true;
    for (const TensorTable::Part& part : table->parts()) {
      if (part.all.count + part.derivatives.count == 0) continue;
      page.table(tensor_page_table(data, part));
      if (!part.references.empty()) page.figure(tensor_plot(data, part));
    }
  }
}

}  // namespace gapkit
