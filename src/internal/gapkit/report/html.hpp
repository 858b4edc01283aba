#pragma once

#include <gapkit/report/plot.hpp>

namespace gapkit {

/// A table of a Page. Cells are text; columns of numbers are right-aligned.
struct PageTable {
  struct Column {
    std::string heading;
    bool is_number = true;
    bool has_bars = false;  ///< a bar behind each number shows its size against the largest of the column
  };
  struct Cell {
    std::string text;
    std::optional<double> value = {};  ///< for bars and for sorting
    bool is_strong = false;
  };
  std::string caption;  ///< may be empty
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  bool has_total = false;  ///< the last row is a sum
};

/// A number as text: `digits` significant digits, powers of ten if very small or large, "–" if not finite.
std::string page_number(double value, int digits = 3);

/// One self-contained HTML file: sections with figures, tables and text, light and dark, with a switch; readable without a network and
/// without JavaScript (which adds tooltips, the theme switch, sorting of tables, and legends that hide and show).
///
///     Page page("Learning silicon", "loop.toml");
///     page.key_figure("Rounds", "12");
///     page.section("Course", "Errors of each round.");
///     page.figure(plot, "RMSE on the test set after each round.");
///     page.table(table);
///     write(page.html());
///
/// The page escapes every text. html() is also well-formed XML: parse_xml reads it.
class Page {
 public:
  /// `subtitle`: the subject of the page in one line.
  Page(std::string title, std::string subtitle);

  /// A number at the top of the page; `note` explains it in a few words. `is_good`: green or red instead of neutral.
  void key_figure(const std::string& label, const std::string& value, const std::string& unit = "", const std::string& note = "",
                  std::optional<bool> is_good = {});
  /// Names of the groups (config types) of all coloured figures; PlotStyle::group is an index of this list and gives the colour.
  void set_groups(std::vector<std::string> names) { groups_ = std::move(names); }

  /// Begins a section; it appears in the navigation.
  void section(const std::string& heading, const std::string& text = "");
  void heading(const std::string& text);  ///< heading of a part of the section
  void paragraph(const std::string& text);
  /// The shared legend; a click on a name shows only that group, in all figures.
  void group_legend();
  /// Consecutive figures are side by side if the page is wide enough.
  void figure(const Plot& plot, const std::string& caption = "");
  void figure(const BarChart& chart, const std::string& caption = "");
  void table(const PageTable& table);
  /// A long text (a configuration), folded under `heading`.
  void folded_text(const std::string& heading, const std::string& text);

  std::string html() const;

 private:
  void figure(const std::string& title, const std::string& svg, const std::vector<Plot::LegendEntry>& legend, std::string caption);
  void close_figures();

  struct Section {
    std::string heading, body;
  };
  std::string title_, subtitle_, key_figures_;
  std::vector<std::string> groups_;
  std::vector<Section> sections_;
  bool in_figures_ = false;
};

}  // namespace gapkit
