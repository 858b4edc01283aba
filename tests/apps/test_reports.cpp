#include <cstdlib>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/xml.hpp>

#include "apps/run_program.hpp"
#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::contains;
using gapkit::test::ProgramResult;
using gapkit::test::read_text;
using gapkit::test::run_program;

namespace {

constexpr const char* configuration = R"(
[data]
train = ["train.xyz"]
validation = ["test & more.xyz"]

[[term]]
descriptor = "two_body"
cutoff = 5.0
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 8
selection = "uniform"

[[term]]
descriptor = "soap"
cutoff = 4.0
n_max = 3
l_max = 2
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = 20

[optimize]
objective = "evidence"
max_evaluations = 15
)";

/// A folder with data, a fitted model and its report.
struct Fitted {
  test::TemporaryFolder folder;

  Fitted() {
    const std::vector<Structure> all = read_extxyz(test::source_folder() / "data" / "silicon" / "train.xyz");
    ExtxyzWriter train(folder.path() / "train.xyz"), test(folder.path() / "test & more.xyz"), bare(folder.path() / "bare.xyz");
    std::size_t seen = 0;
    for (Structure frame : all) {
      if (frame.size() > 8 || seen >= 28) continue;
      if (seen >= 20) frame.set_field("config_type", std::string("<odd> & \"quoted\""));
      (seen < 20 ? train : test).write(frame);
      Structure without;
      without.cell = frame.cell;
      without.pbc = frame.pbc;
      without.atomic_numbers = frame.atomic_numbers;
      without.positions = frame.positions;
      if (seen++ >= 24) bare.write(without);
    }
    train.commit();
    test.commit();
    bare.commit();
    folder.write("fit.toml", configuration);
    const ProgramResult result = run("gap-fit", {"fit.toml", "-o", "model.h5", "--report", "fit.html"});
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
  }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder.path());
  }
};

const Fitted& fitted() {
  static const Fitted result;
  return result;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// Text without the page's own script and style.
std::string content_of(std::string page) {
  for (const auto& [begin, end] : {std::pair{"<script>", "</script>"}, {"<style>", "</style>"}}) {
    const auto from = page.find(begin);
    REQUIRE(from != std::string::npos);
    page.erase(from, page.find(end) - from);
  }
  return page;
}

/// Well-formed, nothing outside, no NaN.
void check_page(const std::string& page) {
  CHECK(parse_xml(page, "page").name == "html");
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link"}) {
    CAPTURE(outside);
    CHECK(!contains(page, outside));
  }
  const std::string content = content_of(page);
  for (const char* wrong : {">nan", " nan", "\"nan", ">-nan", ">inf", " inf ", "\"inf", "<odd>", "\"quoted\""}) {
    CAPTURE(wrong);
    CHECK(!contains(content, wrong));
  }
  for (const char* good : {"<title>", "<desc>", "role=\"img\"", "<nav"}) CHECK(contains(content, good));
}

}  // namespace

TEST_CASE("gap-fit --report: a page with every section") {
  const std::string page = read_text(fitted().folder.path() / "fit.html");
  check_page(page);
  for (const char* part : {"Fit of model.h5", "validation data", "training data", "Error bars", "Calibration", "Worst structures", "Dimers",
                           "Si–Si", "Sparse points", "Evidence trace", "Noise levels", "Configuration", "Time", "&lt;odd&gt;"}) {
    CAPTURE(part);
    CHECK(contains(page, part));
  }
  CHECK(count(page, "<figure>") >= 18);
  CHECK(page.size() < 1'000'000);
}

TEST_CASE("gap-predict --report: with error bars, without, and without reference values") {
  const Fitted& f = fitted();
  const auto predict = [&](std::vector<std::string> more, const std::string& report) {
    std::vector<std::string> arguments = {"model.h5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (const std::string& a : {std::string("-o"), std::string("out.xyz"), std::string("--report"), report}) arguments.push_back(a);
    const ProgramResult result = f.run("gap-predict", arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    const std::string page = read_text(f.folder.path() / report);
    check_page(page);
    return page;
  };
  const std::string with_bars = predict({"test & more.xyz", "--std", "energy,force,stress"}, "bars.html");
  for (const char* part : {"Predictions of test &amp; more.xyz", "Force RMSE", "Force ZMS", "Calibration", "|error| against error bar",
                           "Si–Si", "Sparse points", "The worst"})
    CHECK(contains(with_bars, part));
  const std::string without = predict({"test & more.xyz"}, "plain.html");
  CHECK(contains(without, "Force RMSE"));
  CHECK(!contains(without, "Fraction of errors found within"));
  const std::string bare = predict({"bare.xyz", "--std", "energy,force"}, "bare.html");
  CHECK(contains(bare, "no reference values"));
  CHECK(contains(bare, "least certain"));
  CHECK(!contains(bare, "RMSE"));
}

TEST_CASE("--report: ordinary mistakes are found before the work begins") {
  const Fitted& f = fitted();
  const ProgramResult missing = f.run("gap-predict", {"model.h5", "bare.xyz", "-o", "o.xyz", "--report", "no/such/folder.html"});
  CHECK(missing.exit_code == 2);
  CHECK(contains(missing.err, "--report"));
  const ProgramResult same = f.run("gap-fit", {"fit.toml", "-o", "other.h5", "--report", "train.xyz"});
  CHECK(same.exit_code == 2);
  CHECK(contains(same.err, "--report"));
  CHECK(f.run("gap-fit", {"fit.toml", "-o", "other.h5", "--report", "x.html", "--scan", "run.seed=1,2"}).exit_code == 2);
}

TEST_CASE("reports in a browser: nothing on the console, the script runs") {
  const Fitted& f = fitted();
  const std::string command = "'" + (test::source_folder() / "scripts" / "check-report").string() + "' '" +
                              (f.folder.path() / "fit.html").string() + "' 2>'" + (f.folder.path() / "browser.log").string() + "'";
  const int status = std::system(command.c_str());
  const int exit_code = status >= 0 ? status >> 8 : status;
  if (exit_code == 77) {
    MESSAGE("there is no Chromium: not tested");
    return;
  }
  INFO(read_text(f.folder.path() / "browser.log"));
  CHECK(exit_code == 0);
}
