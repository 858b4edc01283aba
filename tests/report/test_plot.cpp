#include <algorithm>
#include <charconv>
#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/xml.hpp>
#include <gapkit/report/html.hpp>
#include <set>

#include "report/svg_text.hpp"
#include "report/ticks.hpp"
#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Point {
  double x, y;
};

/// End points of all segments of SVG path data (M L H V h v l z).
std::vector<Point> path_points(const std::string& d) {
  std::vector<Point> points;
  const char *at = d.data(), *end = at + d.size();
  char command = 'M';
  Point p{0, 0};
  const auto number = [&] {
    while (at < end && (*at == ' ' || *at == ',')) ++at;
    double value = 0;
    const auto result = std::from_chars(at, end, value);
    REQUIRE(result.ec == std::errc());
    at = result.ptr;
    return value;
  };
  while (at < end) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    if (std::strchr("MLHVhvlz", *at)) command = *at++;
    switch (command) {
      case 'M':
      case 'L':
        p.x = number();
        p.y = number();
        break;
      case 'l':
        p.x += number();
        p.y += number();
        break;
      case 'H':
        p.x = number();
        break;
      case 'V':
        p.y = number();
        break;
      case 'h':
        p.x += number();
        break;
      case 'v':
        p.y += number();
        break;
      default:
        break;
    }
    points.push_back(p);
  }
  return points;
}

struct Drawing {
  XmlElement svg;
  double left = 0, top = 0, right = 0, bottom = 0;

  explicit Drawing(const std::string& text) : svg(parse_xml(text, "plot")) {
    const std::string* box = svg.find_attribute("data-box");
    REQUIRE(box != nullptr);
    std::sscanf(box->c_str(), "%lf %lf %lf %lf", &left, &top, &right, &bottom);
    REQUIRE(right > left);
    REQUIRE(bottom > top);
  }
  /// Path data of all elements whose class contains `kind`.
  std::vector<std::string> paths(const std::string& kind) const {
    std::vector<std::string> found;
    for (const XmlElement* path : svg.children_named("path"))
      if (const std::string* name = path->find_attribute("class"); (" " + *name + " ").find(" " + kind + " ") != std::string::npos)
        found.push_back(*path->find_attribute("d"));
    return found;
  }
  void check_inside(const std::string& kind, double slack) const {
    CAPTURE(kind);
    const auto all = paths(kind);
    CHECK(!all.empty());
    for (const std::string& d : all)
      for (const Point& p : path_points(d)) {
        const bool is_inside = p.x >= left - slack && p.x <= right + slack && p.y >= top - slack && p.y <= bottom + slack;
        if (!is_inside) FAIL_CHECK(kind << " at " << p.x << ", " << p.y);
      }
  }
};

std::vector<double> wild_numbers(int count, std::mt19937& generator) {
  test::Normal normal;
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const double value = normal(generator) * std::exp(2 * normal(generator));
    values.push_back(i % 97 == 5 ? test::not_a_number : i % 89 == 7 ? infinity : i % 83 == 3 ? 0.0 : value);
  }
  return values;
}

}  // namespace

TEST_CASE("linear ticks: few, round, within the range, and their labels read back") {
  std::mt19937 generator(3);
  test::Uniform exponent(-9, 9), place(-3, 3);
  for (int round = 0; round < 2000; ++round) {
    const double width = std::pow(10.0, exponent(generator)), low = place(generator) * width, high = low + width;
    CAPTURE(low);
    CAPTURE(high);
    const Ticks ticks = linear_ticks(low, high, 5);
    REQUIRE(ticks.ticks.size() >= 2);
    REQUIRE(ticks.ticks.size() <= 11);
    const double step = ticks.ticks[1].value - ticks.ticks[0].value;
    const double mantissa = step / std::pow(10.0, std::floor(std::log10(step * (1 + 1e-9))));
    CHECK(std::min({std::abs(mantissa - 1), std::abs(mantissa - 2), std::abs(mantissa - 5)}) < 1e-6);
    const double largest = std::max(std::abs(low), std::abs(high));
    const double unit = ticks.factor.empty() ? 1.0 : std::pow(10.0, std::floor(std::log10(largest)));
    std::set<std::string> labels;
    for (const Tick& tick : ticks.ticks) {
      CHECK(tick.value >= low);
      CHECK(tick.value <= high);
      labels.insert(tick.label);
      std::string ascii = tick.label;
      if (ascii.starts_with("−")) ascii = "-" + ascii.substr(std::string("−").size());
      test::check_close(std::stod(ascii) * unit, tick.value, 1e-6 * step);
    }
    CHECK(labels.size() == ticks.ticks.size());
  }
}

TEST_CASE("ticks at whole numbers only") {
  for (const double high : {0.4, 1.0, 3.0, 7.0, 40.0, 1234.0}) {
    CAPTURE(high);
    for (const Tick& tick : linear_ticks(0, high, 5, /*integers=*/true).ticks) CHECK(tick.value == std::round(tick.value));
    CHECK(linear_ticks(0, high, 5, true).ticks.size() <= 11);
  }
}

TEST_CASE("logarithmic ticks: increasing, within the range, labels at decades") {
  std::mt19937 generator(4);
  test::Uniform exponent(-12, 6), decades(0.1, 14);
  for (int round = 0; round < 2000; ++round) {
    const double low = std::pow(10.0, exponent(generator)), high = low * std::pow(10.0, decades(generator));
    CAPTURE(low);
    CAPTURE(high);
    const Ticks ticks = logarithmic_ticks(low, high, 5);
    std::size_t labels = 0;
    double previous = 0;
    for (const Tick& tick : ticks.ticks) {
      CHECK(tick.value > previous);
      previous = tick.value;
      CHECK(tick.value >= low);
      CHECK(tick.value <= high);
      labels += !tick.label.empty();
    }
    if (high / low >= 100) CHECK(labels >= 2);
    CHECK(labels <= 12);
  }
  CHECK(power_of_ten(-12) == "10⁻¹²");
  CHECK(fixed_number(-0.001, 2) == "0.00");
  CHECK(fixed_number(-1.5, 1) == "−1.5");
}

TEST_CASE("every mark of a plot is inside its box for any numbers") {
  std::mt19937 generator(7);
  for (const bool x_log : {false, true})
    for (const bool y_log : {false, true})
      for (const bool is_limited : {false, true}) {
        CAPTURE(x_log);
        CAPTURE(y_log);
        CAPTURE(is_limited);
        Plot plot("wild", "numbers of all sizes");
        plot.x = {.label = "x", .logarithmic = x_log};
        plot.y = {.label = "y", .logarithmic = y_log};
        if (is_limited) {
          plot.x.minimum = plot.y.minimum = 0.1;
          plot.x.maximum = plot.y.maximum = 0.7;
        }
        for (int s = 0; s < 30; ++s) plot.scatter("series", wild_numbers(300, generator), wild_numbers(300, generator), {.colour = s});
        std::vector<double> xs = wild_numbers(300, generator);
        std::sort(xs.begin(), xs.end(), [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
        plot.line("line", xs, wild_numbers(300, generator), {.colour = 1}, true);
        plot.band("band", xs, wild_numbers(300, generator), wild_numbers(300, generator), {.colour = 2});
        std::vector<double> edges(xs.begin(), xs.begin() + 200), heights = wild_numbers(199, generator);
        plot.steps("steps", edges, heights, {}, {.colour = 3});
        plot.diagonal("diagonal", 1.3);
        plot.diagonal("area", 0.4, {.colour = -1}, /*filled=*/true);
        const std::string text = plot.svg();
        CHECK(text.find("nan") == std::string::npos);
        CHECK(text.find("inf") == std::string::npos);
        const Drawing drawing(text);
        drawing.check_inside("line", 0.06);
        drawing.check_inside("area", 0.06);
        drawing.check_inside("bar", 0.06);
        drawing.check_inside("grid", 0.06);
        drawing.check_inside("points", 5);  // half the size of a point
      }
}

TEST_CASE("a plot without any number that can be drawn, or with one, is a plot") {
  for (const bool is_logarithmic : {false, true})
    for (const std::vector<double>& values :
         {std::vector<double>{}, {test::not_a_number, infinity}, {0.0}, {3.0}, {1e-300, 1e300}, {-1e8, -1e8 + 1e-7}}) {
      Plot plot("t");
      plot.x.logarithmic = plot.y.logarithmic = is_logarithmic;
      plot.scatter("s", values, values);
      const std::string text = plot.svg();
      CHECK(parse_xml(text, "plot").name == "svg");
      CHECK(text.find("nan") == std::string::npos);
      CHECK(text.find("inf") == std::string::npos);
    }
  Plot plot("t");
  plot.scatter("s", {test::not_a_number, 1, 2, 3}, {1, 1, infinity, -1});
  CHECK(plot.left_out() == 2);
  plot.y.logarithmic = true;
  CHECK(plot.left_out() == 3);
  CHECK_THROWS_AS(plot.scatter("s", {1, 2}, {1}), Error);
  CHECK_THROWS_AS(plot.steps("s", {}, {}), Error);
}

TEST_CASE("many points stay small, and the extreme ones keep their place") {
  std::mt19937 generator(6);
  test::Normal normal;
  Plot plot("many");
  std::vector<double> x, y;
  for (int i = 0; i < 300'000; ++i) {
    x.push_back(normal(generator));
    y.push_back(x.back() + 0.2 * normal(generator));
  }
  x.push_back(-9);
  y.push_back(7);
  std::vector<std::int64_t> labels(x.size(), 1);
  labels.back() = 424242;
  plot.scatter("many", x, y, {}, labels);
  const std::string text = plot.svg();
  CHECK(text.size() < 150'000);
  CHECK(text.find("424242") != std::string::npos);
  const Drawing drawing(text);
  double leftmost = 1e9, height = 0;
  std::size_t count = 0;
  for (const std::string& d : drawing.paths("points"))
    for (const Point& p : path_points(d)) {
      ++count;
      if (p.x < leftmost) {
        leftmost = p.x;
        height = p.y;
      }
    }
  CHECK(count <= 2 * 5000);  // M and h0 of each
  // The far point alone is at the left and upper end of ranges with 3.5 % of air.
  test::check_close((leftmost - drawing.left) / (drawing.right - drawing.left), 0.035 / 1.07, 2e-3);
  test::check_close((height - drawing.top) / (drawing.bottom - drawing.top), 0.035 / 1.07, 2e-3);
}

TEST_CASE("a page shows any text unchanged") {
  const std::string nasty = "<script>alert('x')</script> & \"quoted\" ]]> \xC3\x85";
  const std::string broken = "a\x01\xFF\xC3(\xED\xA0\x80z";  // control character, invalid UTF-8, a surrogate
  Page page(nasty, broken);
  page.set_groups({nasty, broken});
  page.key_figure(nasty, nasty, nasty, nasty);
  page.section(nasty, nasty);
  page.group_legend();
  Plot plot(nasty, nasty);
  plot.x.label = plot.y.label = plot.label = nasty;
  plot.scatter(nasty, {1}, {1}, {.group = 0}, {1});
  plot.line(broken, {1, 2}, {1, 2});
  page.figure(plot, nasty);
  BarChart chart(nasty, nasty, nasty);
  chart.set_categories({nasty, broken});
  chart.add(nasty, {1, test::not_a_number});
  page.figure(chart, nasty);
  page.table({.caption = nasty, .columns = {{nasty}, {broken}}, .rows = {{{nasty}, {broken, test::not_a_number}}}});
  page.folded_text(nasty, nasty);
  const std::string html = page.html();
  CHECK(html.find("alert('x')</script>") == std::string::npos);
  CHECK(html.find("<script>alert") == std::string::npos);
  const XmlElement root = parse_xml(html, "page");
  REQUIRE(root.find_child("body") != nullptr);
  const XmlElement* main = root.find_child("body")->find_child("main");
  REQUIRE(main != nullptr);
  REQUIRE(main->children.size() == 1);
  CHECK(main->children[0].find_child("h2")->text == nasty);
  CHECK(main->children[0].find_child("p")->text == nasty);
  CHECK(page_text(broken) == "a���(���z");
}

TEST_CASE("numbers for people") {
  CHECK(page_number(0.11943) == "0.119");
  CHECK(page_number(5.1) == "5.10");
  CHECK(page_number(-163.27) == "−163");
  CHECK(page_number(0.99999) == "1.00");
  CHECK(page_number(1.5e-7) == "1.50·10⁻⁷");
  CHECK(page_number(0) == "0");
  CHECK(page_number(test::not_a_number) == "–");
  CHECK(page_number(-infinity) == "–");
}
