#pragma once

#include <gapkit/report/plot.hpp>

namespace gapkit {

/// A table of a Page. Cells are text; columns of numbers are set flush right.
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

/// A number for people: `digits` significant ones, powers of ten where it is very small or large, "–" if it is not finite.
std::string page_number(double value, int digits = 3);

/// One self-contained HTML file: sections with figures, tables and text, light and dark, with a switch; readable without a network and
/// without JavaScript (which adds tooltips, the theme switch, sorting of tables, and legends that hide and show).
///
///     Page page("Learning silicon", "loop.toml");
///     page.key_figure("Rounds", "12");
///     page.section("Course", "How errors fell from round to round.");
///     page.figure(plot, "RMSE on the test set after each round.");
///     page.table(table);
///     write(page.html());
///
/// Every text is escaped by the page. html() is well-formed XML too: parse_xml reads it.
class Page {
 public:
  /// `subtitle`: what the page is about, in one line.
  Page(std::string title, std::string subtitle);

  /// A number at the top of the page; `note` explains it in a few words. `is_good`: green or red instead of neutral.
  void key_figure(const std::string& label, const std::string& value, const std::string& unit = "", const std::string& note = "",
                  std::optional<bool> is_good = {});
  /// Names of the groups (config types) that all coloured figures share; PlotStyle::group is a number in this list, and their colour.
  void set_groups(std::vector<std::string> names) { groups_ = std::move(names); }

  /// Begins a section; it appears in the navigation.
  void section(const std::string& heading, const std::string& text = "");
  void heading(const std::string& text);  ///< of a part of the section
  void paragraph(const std::string& text);
  /// The shared legend; pressing a name shows that group alone, in all figures.
  void group_legend();
  /// Figures that follow each other stand side by side where there is room.
  void figure(const Plot& plot, const std::string& caption = "");
  void figure(const BarChart& chart, const std::string& caption = "");
  void table(const PageTable& table);
  /// A long text as it is (a configuration), folded away under `heading`.
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
