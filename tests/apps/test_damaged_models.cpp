// Damaged model files through gap-predict: refused with a sentence, or (where the damage hits bytes that mean nothing) the same
// predictions; never a crash and never other numbers.

#include <algorithm>
#include <fstream>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/model/model.hpp>

#include "apps/run_program.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// A folder with a good model, a structure and its prediction.
struct Workplace {
  TemporaryFolder folder;
  std::string model, prediction;

  Workplace() {
    const auto& toys = toy_models();
    const auto both =
        std::find_if(toys.begin(), toys.end(), [](const ToyModel& t) { return t.has_soap && t.has_pairs && t.elements.size() == 1; });
    REQUIRE(both != toys.end());
    save_model(*both->model, folder.path() / "good.h5");
    model = read_text(folder.path() / "good.h5");
    Structure s = random_triclinic(4, 3);
    write_frames((folder.path() / "input.xyz").string(), {s});
    const ProgramResult result = predict("good.h5");
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    prediction = read_text(folder.path() / "out.xyz");
    std::filesystem::remove(folder.path() / "out.xyz");
  }
  ProgramResult predict(const std::string& name) const {
    return run_program("gap-predict", {name, "input.xyz", "-o", "out.xyz", "--std", "energy,local", "--threads", "1"}, folder.path());
  }
};

const Workplace& workplace() {
  static const Workplace place;
  return place;
}

// Exit code 2 with a sentence that names the file, nothing else on stderr but that, and no output.
void check_refused(const ProgramResult& result, const std::vector<std::string>& parts) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out == "");
  CHECK(contains(result.err, "gap-predict: error: "));
  CHECK(contains(result.err, "bad.h5"));
  CHECK_FALSE(contains(result.err, "HDF5-DIAG"));
  CHECK_FALSE(contains(result.err, "internal error"));
  for (const std::string& part : parts) CHECK(contains(result.err, part));
  CHECK(files_in(workplace().folder.path()) == std::vector<std::string>{"bad.h5", "good.h5", "input.xyz"});
}

// True if the file was refused; otherwise the predictions must equal the undamaged model's.
bool is_refused(const std::string& damaged) {
  const Workplace& place = workplace();
  place.folder.write("bad.h5", damaged);
  const ProgramResult result = place.predict("bad.h5");
  if (result.exit_code != 0) {
    check_refused(result, {});
    return true;
  }
  CHECK(read_text(place.folder.path() / "out.xyz") == place.prediction);
  std::filesystem::remove(place.folder.path() / "out.xyz");
  return false;
}

}  // namespace

TEST_CASE("gap-predict: a model file cut short anywhere is refused") {
  const std::string& model = workplace().model;
  std::mt19937 random(11);
  std::vector<std::size_t> lengths = {0, 1, 8, 100, 512, model.size() / 2, model.size() - 4096, model.size() - 8, model.size() - 1};
  for (int i = 0; i < 15; ++i) lengths.push_back(random() % model.size());
  for (const std::size_t length : lengths) {
    CAPTURE(length);
    CHECK(is_refused(model.substr(0, length)));
  }
}

TEST_CASE("gap-predict: random flips of bits in a model file are refused or change nothing") {
  const std::string& model = workplace().model;
  int refused = 0, harmless = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string damaged = model;
    // The first part holds most of the file's structure; it gets every second hit. Some seeds hit several times.
    const std::size_t range = seed % 2 ? model.size() : std::min<std::size_t>(model.size(), 6000);
    for (unsigned n = 0; n < 1 + (seed % 5 == 4 ? 20U : 0U); ++n) damaged[random() % range] ^= static_cast<char>(1U << (random() % 8));
    if (damaged == model) continue;
    is_refused(damaged) ? ++refused : ++harmless;
  }
  MESSAGE(refused, " refused, ", harmless, " harmless");
  CHECK(refused > 60);
}

TEST_CASE("gap-predict: pages of zeros and of noise in a model file are refused or change nothing") {
  const std::string& model = workplace().model;
  for (unsigned seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(100 + seed);
    std::string damaged = model;
    const std::size_t begin = random() % model.size(), end = std::min(model.size(), begin + 512);
    for (std::size_t i = begin; i < end; ++i) damaged[i] = seed % 2 ? static_cast<char>(random() % 256) : '\0';
    is_refused(damaged);
  }
}

TEST_CASE("gap-predict: a model of a later version is refused") {
  {
    ArchiveWriter archive(workplace().folder.path() / "bad.h5", "gapkit-model", model_format_version + 1);
    archive.put("weights", 1.0);
    archive.commit();
  }
  check_refused(workplace().predict("bad.h5"), {"version"});
}

TEST_CASE("gap-predict: a model whose shapes do not fit together is refused") {
  const Model good = load_model(workplace().folder.path() / "good.h5");
  const auto check = [&](const char* damage, auto&& change) {
    CAPTURE(damage);
    Model model = good;
    change(model);
    try {
      save_model(model, workplace().folder.path() / "bad.h5");
    } catch (const std::exception&) {
      return;  // refused even earlier
    }
    check_refused(workplace().predict("bad.h5"), {});
  };
  check("a weight is missing", [](Model& m) { m.weights.conservativeResize(m.weights.size() - 1); });
  check("a mean is missing", [](Model& m) { m.posterior.mean.conservativeResize(m.posterior.mean.size() - 1); });
  check("the posterior's factor is smaller", [](Model& m) { m.posterior.factor = Matrix(m.posterior.factor.topLeftCorner(5, 5)); });
  check("a sparse point is missing",
        [](Model& m) { m.terms[0].sparse.x = Matrix(m.terms[0].sparse.x.topRows(m.terms[0].sparse.x.rows() - 1)); });
  check("a covariance cutoff is missing",
        [](Model& m) { m.terms[0].sparse.covariance_cutoff.conservativeResize(m.terms[0].sparse.covariance_cutoff.size() - 1); });
  check("an amplitude is missing", [](Model& m) { m.posterior.delta_ratio.pop_back(); });
  check("a term is missing", [](Model& m) { m.terms.pop_back(); });
  check("a weight is not a number", [](Model& m) { m.weights[0] = std::nan(""); });
}
