#include <algorithm>
#include <cmath>
#include <gapkit/core/version.hpp>
#include <gapkit/report/html.hpp>

#include "report/page_assets.hpp"
#include "report/svg_text.hpp"
#include "report/ticks.hpp"

namespace gapkit {
namespace {

// The symbol before a name in a legend.
std::string key_picture(const Plot::LegendEntry& entry) {
  const std::string colour = colour_class(entry.style.colour);
  std::string mark;
  if (entry.is_line)
    mark = fmt::format("<path class=\"line {}{}\" stroke-width=\"2\" d=\"M1 6h16\"/>", colour, entry.style.dashed ? " dashed" : "");
  else if (entry.is_area || entry.is_bar)
    mark = fmt::format("<path class=\"{} {}\" d=\"M3 1.5h12v9h-12z\"/>", entry.is_bar ? bar_class(entry.style.colour) : "area", colour);
  else
    mark = fmt::format("<g transform=\"translate(9 6) scale(1.7)\"><path class=\"points p{} {}\" d=\"{}\"/></g>",
                       point_shape(entry.style.colour), colour, point_path(point_shape(entry.style.colour), 0, 0));
  return fmt::format("<svg class=\"key\" viewBox=\"0 0 18 12\" aria-hidden=\"true\">{}</svg>", mark);
}

std::string table_cell(const PageTable::Column& column, const PageTable::Cell& cell, double largest, bool is_total) {
  std::string classes = column.is_number ? "r" : "";
  std::string more;
  const bool is_finite = cell.value && std::isfinite(*cell.value);
  if (is_finite) more = fmt::format(" data-value=\"{:.10g}\"", *cell.value);
  if (cell.is_strong) classes += classes.empty() ? "strong" : " strong";
  if (column.has_bars && is_finite && largest > 0 && !is_total) {
    classes += " barred";
    more += fmt::format(" style=\"--w:{:.0f}%\"", 100 * std::clamp(std::abs(*cell.value) / largest, 0.0, 1.0));
  }
  return fmt::format("<td{}{}>{}</td>", classes.empty() ? "" : " class=\"" + classes + "\"", more, page_text(cell.text));
}

}  // namespace

std::string page_number(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  if (value == 0) return "0";
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value) * (1 + 0.5 * std::pow(10.0, -digits)))));
  if (exponent < -4 || exponent > 6) {
    const double mantissa = value / std::pow(10.0, exponent);
    return fixed_number(mantissa, digits - 1) + "·" + power_of_ten(exponent);
  }
  return fixed_number(value, std::max(0, digits - 1 - exponent));
}

Page::Page(std::string title, std::string subtitle) : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Page::key_figure(const std::string& label, const std::string& value, const std::string& unit, const std::string& note,
                      std::optional<bool> is_good) {
  const char* judgement = !is_good ? "" : *is_good ? " class=\"good\"" : " class=\"bad\"";
  key_figures_ += fmt::format("<div class=\"number\"><dt>{}</dt><dd{}>{}{}</dd>", page_text(label), judgement, page_text(value),
                              unit.empty() ? "" : "<small>" + page_text(unit) + "</small>");
  if (!note.empty()) key_figures_ += fmt::format("<dd class=\"note\">{}</dd>", page_text(note));
  key_figures_ += "</div>\n";
}

void Page::section(const std::string& heading, const std::string& text) {
  if (!sections_.empty()) close_figures();
  sections_.push_back({heading, ""});
  if (!text.empty()) paragraph(text);
}

void Page::close_figures() {
  if (sections_.empty()) sections_.push_back({"", ""});
  if (in_figures_) sections_.back().body += "</div>\n";
  in_figures_ = false;
}

void Page::heading(const std::string& text) {
  close_figures();
  sections_.back().body += fmt::format("<h3 class=\"part\">{}</h3>\n", page_text(text));
}

void Page::paragraph(const std::string& text) {
  close_figures();
  sections_.back().body += fmt::format("<p>{}</p>\n", page_text(text));
}

void Page::group_legend() {
  close_figures();
  if (groups_.size() < 2) return;
  std::string& out = sections_.back().body;
  out += "<div class=\"groups\" role=\"group\" aria-label=\"Show one group alone\">";
  for (std::size_t g = 0; g < groups_.size(); ++g)
    out += fmt::format("<button type=\"button\" aria-pressed=\"false\" data-group=\"{}\">{}{}</button>", g,
                       key_picture({groups_[g], {.colour = static_cast<int>(g)}}), page_text(groups_[g]));
  out += "</div>\n";
}

void Page::figure(const std::string& title, const std::string& svg, const std::vector<Plot::LegendEntry>& legend, std::string caption) {
  if (!in_figures_) {
    close_figures();
    sections_.back().body += "<div class=\"figures\">\n";
    in_figures_ = true;
  }
  std::string& out = sections_.back().body;
  out += fmt::format("<figure><h3>{}</h3>", page_text(title));
  if (!legend.empty()) {
    out += "<div class=\"legend\">";
    for (const Plot::LegendEntry& entry : legend) out += fmt::format("<span>{}{}</span>", key_picture(entry), page_text(entry.name));
    out += "</div>";
  }
  out += svg;
  if (!caption.empty()) out += fmt::format("<figcaption>{}</figcaption>", page_text(caption));
  out += "</figure>\n";
}

void Page::figure(const Plot& plot, const std::string& caption) {
  std::string text = caption;
  if (const std::int64_t missing = plot.left_out(); missing > 0)
    text += fmt::format("{}{} point{} cannot be drawn on these axes.", text.empty() ? "" : " ", missing, missing == 1 ? "" : "s");
  figure(plot.title(), plot.svg(), plot.legend(), text);
}

void Page::figure(const BarChart& chart, const std::string& caption) {
  figure(chart.title(), chart.svg(), chart.legend(), caption);
}

void Page::table(const PageTable& table) {
  close_figures();
  std::string& out = sections_.back().body;
  out += "<div class=\"scroll\"><table>";
  if (!table.caption.empty()) out += fmt::format("<caption>{}</caption>", page_text(table.caption));
  out += "<thead><tr>";
  for (const auto& column : table.columns)
    out += fmt::format("<th scope=\"col\"{}><button type=\"button\">{}</button></th>", column.is_number ? " class=\"r\"" : "",
                       page_text(column.heading));
  out += "</tr></thead><tbody>\n";
  std::vector<double> largest(table.columns.size(), 0.0);
  const std::size_t plain_rows = table.rows.size() - (table.has_total && !table.rows.empty() ? 1 : 0);
  for (std::size_t r = 0; r < plain_rows; ++r)
    for (std::size_t c = 0; c < std::min(largest.size(), table.rows[r].size()); ++c)
      if (const auto& value = table.rows[r][c].value; value && std::isfinite(*value)) largest[c] = std::max(largest[c], std::abs(*value));
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const bool is_total = r >= plain_rows;
    out += is_total ? "<tr class=\"total\">" : "<tr>";
    for (std::size_t c = 0; c < std::min(largest.size(), table.rows[r].size()); ++c)
      out += table_cell(table.columns[c], table.rows[r][c], largest[c], is_total);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

void Page::folded_text(const std::string& heading, const std::string& text) {
  close_figures();
  sections_.back().body += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", page_text(heading), page_text(text));
}

std::string Page::html() const {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><meta name=\"color-scheme\" content=\"light dark\"/>";
  out += fmt::format("<title>{}</title><style>{}</style></head>\n<body>\n", page_text(title_ + " – " + subtitle_), page_style);
  out += fmt::format("<header><div class=\"wide\"><div><h1>{}</h1><p class=\"subtitle\">{}</p></div>", page_text(title_),
                     page_text(subtitle_));
  out += "<button type=\"button\" class=\"theme\" hidden=\"hidden\" aria-label=\"Colour theme\">Theme</button></div>\n";
  if (!key_figures_.empty()) out += "<div class=\"wide\" style=\"display:block\"><dl class=\"numbers\">\n" + key_figures_ + "</dl></div>";
  out += "</header>\n<nav aria-label=\"Sections\"><div class=\"wide\">";
  for (std::size_t s = 0; s < sections_.size(); ++s)
    if (!sections_[s].heading.empty()) out += fmt::format("<a href=\"#part{}\">{}</a>", s + 1, page_text(sections_[s].heading));
  out += "</div></nav>\n<main class=\"wide\">\n";
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    out += fmt::format("<section id=\"part{}\">", s + 1);
    if (!sections_[s].heading.empty()) out += fmt::format("<h2>{}</h2>\n", page_text(sections_[s].heading));
    out += sections_[s].body;
    if (s + 1 == sections_.size() && in_figures_) out += "</div>\n";
    out += "</section>\n";
  }
  out += fmt::format("</main>\n<footer><div class=\"wide\">gapkit {}. This page loads no other files.</div></footer>\n", version);
  out += std::string("<script>//<![CDATA[\n") + page_script + "//]]>\n</script>\n</body></html>\n";
  return out;
}

}  // namespace gapkit
