#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/potentials/potential.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <support/support.hpp>

#include "config/keys.hpp"
#include "config/toml.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A folder with what the configurations of these tests refer to.
struct Files {
  TemporaryFolder folder;
  Files() {
    for (const auto* name : {"train.xyz", "b1.xyz", "b2.xyz", "b10.xyz", "[odd].xyz", "points.txt", "numbers.txt"}) folder.write(name, "");
    std::filesystem::create_directory(folder.path() / "sub.xyz");
    std::filesystem::create_directory(folder.path() / "more");
    folder.write("more/c.xyz", "");
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  FitConfiguration parse(const std::string& toml) const { return parse_fit_options(toml, "t.toml", folder.path()); }
  std::string message(const std::string& toml) const {
    return message_of<InputError>([&] { parse(toml); });
  }
};

const std::string data = "[data]\ntrain = 'train.xyz'\n";  // lines 1, 2
const std::string term =                                   // lines 3 … 9
    "[[term]]\n"
    "descriptor = 'soap'\n"
    "cutoff = 5\n"
    "kernel = 'dot_product'\n"
    "zeta = 4\n"
    "n_sparse = 100\n"
    "delta = 0.5\n";
const std::string good = data + term;
const std::string pair =
    data + "[[term]]\ndescriptor = 'two_body'\ncutoff = 5\nkernel = 'squared_exponential'\nlength_scale = 1\nn_sparse = 20\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void check_equal(const FitConfiguration& a, const FitConfiguration& b) {
  CHECK(a.train == b.train);
  CHECK(a.validation == b.validation);
  CHECK(a.use == b.use);
  for (const TargetSource& source : target_sources()) CHECK(a.keys.named(source.name) == b.keys.named(source.name));
  CHECK(a.keys.config_type == b.keys.config_type);
  CHECK(a.keys.force_mask == b.keys.force_mask);
  CHECK(a.reference_energies.mode == b.reference_energies.mode);
  CHECK(a.reference_energies.values == b.reference_energies.values);
  REQUIRE(a.terms.size() == b.terms.size());
  for (std::size_t t = 0; t < a.terms.size(); ++t) {
    const TermOptions &x = a.terms[t], &y = b.terms[t];
    CHECK(x.name == y.name);
    CHECK(x.descriptor == y.descriptor);
    CHECK(x.descriptor_parameters.values() == y.descriptor_parameters.values());
    CHECK(x.kernel == y.kernel);
    CHECK(x.kernel_parameters.values() == y.kernel_parameters.values());
    CHECK(x.length_scale_fraction == y.length_scale_fraction);
    CHECK(x.species == y.species);
    CHECK(x.delta == y.delta);
    CHECK(x.species_delta == y.species_delta);
    CHECK(x.species_n_sparse == y.species_n_sparse);
    CHECK(x.n_sparse == y.n_sparse);
    CHECK(x.config_type_n_sparse == y.config_type_n_sparse);
    CHECK(x.selection == y.selection);
    CHECK(x.sparse_file_cutoffs == y.sparse_file_cutoffs);
    CHECK(x.max_candidates == y.max_candidates);
    CHECK(x.sparse_file == y.sparse_file);
    CHECK(x.sparse_indices == y.sparse_indices);
  }
  CHECK(a.regularization.standard == b.regularization.standard);
  CHECK(a.regularization.config_type == b.regularization.config_type);
  CHECK(a.regularization.scale_with_atoms == b.regularization.scale_with_atoms);
  CHECK(a.jitter == b.jitter);
  CHECK(a.jitter_absolute == b.jitter_absolute);
  CHECK(a.model_path == b.model_path);
  CHECK(a.sparse_output == b.sparse_output);
  CHECK(a.seed == b.seed);
  CHECK(a.memory == b.memory);
}

}  // namespace

TEST_CASE("config: a small configuration and its defaults") {
  const Files files;
  const FitConfiguration options = files.parse(good);
  CHECK(options.train == std::vector<std::string>{files.path("train.xyz")});
  CHECK(options.validation.empty());
  CHECK((options.use[Property::energy] && options.use[Property::force] && options.use[Property::virial]));
  REQUIRE(options.terms.size() == 1);
  const TermOptions& soap = options.terms[0];
  CHECK(soap.name == "soap");
  CHECK(soap.species.empty());
  CHECK(soap.delta == 0.5);
  CHECK(soap.n_sparse == 100);
  CHECK(soap.selection == "cur");
  CHECK(soap.descriptor_parameters.real("cutoff") == 5.0);
  CHECK(soap.descriptor_parameters.integer("n_max") == 8);
  CHECK(soap.kernel_parameters.real("zeta") == 4.0);
  for (const auto& info : descriptor_kind("soap").parameters) CHECK(soap.descriptor_parameters.has(info.name));
  CHECK(options.regularization.standard[Property::energy] == SigmaOptions()[Property::energy]);
  CHECK(options.jitter == 1e-8);
  CHECK(!options.jitter_absolute);
  CHECK(options.model_path == "model.h5");
}

TEST_CASE("config: everything at once") {
  const Files files;
  const FitConfiguration options = files.parse(R"(
[data]
train = ["train.xyz", "b*.xyz", "[odd].xyz", "*/?.xyz"]
validation = "b[0-9].xyz"
use = ["energy", "virial"]
forces_key = "dft_forces"
[reference_energies]
mode = "explicit"
explicit = { Si = -0.79, o = -2 }
[[term]]
descriptor = "two_body"
species = ["Si-O", "o"]
cutoff = 4
kernel = "squared_exponential"
length_scale = { fraction_of_range = 0.5 }
delta = { "Si-O" = 3, "O-O" = 0.5, default = 2 }
n_sparse = { "Si-O" = 30, default = 20 }
selection = "uniform"
config_type_n_sparse = { liquid = 5 }
[[term]]
descriptor = "two_body"
cutoff = 4.5
kernel = "squared_exponential"
length_scale = [0.7]
selection = "file"
sparse_file = "points.txt"
sparse_file_cutoffs = true
[[term]]
name = "two_body_2"
descriptor = "soap"
cutoff = 4.5
kernel = "dot_product"
selection = "indices"
sparse_indices = { Si = "numbers.txt", O = "more/../numbers.txt" }
[regularization]
energy = 0.002
scale_with_atoms = false
[regularization.config_type."high T"]
force = 0.3
[solver]
jitter_absolute = 1e-10
[output]
model = "out/m.h5"
sparse = "points"
[run]
seed = 12
memory = 0.5
)");
  const std::vector<std::string> train = {files.path("train.xyz"), files.path("b1.xyz"),    files.path("b10.xyz"),
                                          files.path("b2.xyz"),    files.path("[odd].xyz"), files.path("more/c.xyz")};
  CHECK(options.train == train);
  CHECK(options.validation == std::vector<std::string>{files.path("b1.xyz"), files.path("b2.xyz")});
  CHECK((options.use[Property::energy] && !options.use[Property::force] && options.use[Property::virial]));
  CHECK(options.keys.named("forces") == "dft_forces");
  CHECK(options.reference_energies.values == std::map<std::string, double>{{"Si", -0.79}, {"O", -2.0}});
  REQUIRE(options.terms.size() == 3);
  CHECK(options.terms[0].name == "two_body");
  CHECK(options.terms[1].name == "two_body_3");                              // two_body_2 is taken
  CHECK(options.terms[0].species == std::vector<std::string>{"O-Si", "O"});  // in the order of the descriptor's combinations
  CHECK(options.terms[0].species_delta == std::map<std::string, double>{{"O-O", 0.5}, {"O-Si", 3.0}});
  CHECK(options.terms[0].delta == 2.0);
  CHECK(options.terms[0].species_n_sparse == std::map<std::string, int>{{"O-Si", 30}});
  CHECK(options.terms[0].n_sparse == 20);
  REQUIRE(options.terms[0].length_scale_fraction);
  CHECK(*options.terms[0].length_scale_fraction == 0.5);
  CHECK(options.terms[0].kernel_parameters.reals("length_scale") == std::vector<double>{1.0});
  CHECK(options.terms[1].sparse_file_cutoffs);
  CHECK(options.terms[0].config_type_n_sparse.at("liquid") == 5);
  CHECK(options.terms[1].kernel_parameters.reals("length_scale") == std::vector<double>{0.7});
  CHECK(options.terms[1].sparse_file.at("") == files.path("points.txt"));
  CHECK(options.terms[2].sparse_indices.at("O") == files.path("numbers.txt"));
  CHECK(options.regularization.config_type.at("high T")[Property::force] == 0.3);
  CHECK(options.regularization.config_type.at("high T")[Property::energy] == 0.002);  // as in [regularization]
  CHECK(!options.regularization.scale_with_atoms);
  CHECK(*options.jitter_absolute == 1e-10);
  CHECK(options.model_path == "out/m.h5");  // relative to the current folder: as it is
  CHECK(options.seed == 12);
  CHECK(options.memory == 0.5);
  check_equal(files.parse(fit_options_to_toml(options)), options);
}

TEST_CASE("config: writing and reading gives equal options") {
  const Files files;
  check_equal(files.parse(fit_options_to_toml(files.parse(good))), files.parse(good));
  check_equal(files.parse(fit_options_to_toml(files.parse(pair))), files.parse(pair));

  FitConfiguration options = files.parse(good);
  options.keys.config_type = "";
  options.model_path = "quote \" backslash \\ tab \t µ\x01.h5";
  options.jitter = 0.1 + 0.2;
  options.memory = 1e300;
  options.regularization.config_type["a.b \"c\""] = {1.0 / 3, 5e-324, 123456789.0};
  options.regularization.config_type[""] = {1, 2, 3};
  options.terms[0].kernel_parameters.set("zeta", 1.0 + 1e-15);
  options.terms.push_back(options.terms[0]);
  options.terms[1].name = "other";
  options.terms[1].species = {"Si"};
  options.reference_energies.mode = ReferenceEnergyOptions::Mode::least_squares;
  options.use[Property::energy] = false;
  options.seed = 9223372036854775807U;
  check_equal(files.parse(fit_options_to_toml(options)), options);
  options.seed += 1;
  CHECK(message_of<InputError>([&] { fit_options_to_toml(options); }).find("the seed 9223372036854775808 is too large") == 0);
}

TEST_CASE("config: bad configurations, each with its sentence") {
  const Files files;
  const std::string folder = files.folder.path().string();
  const auto with = [](const std::string& from, const std::string& to) { return replaced(good, from, to); };
  std::string long_key = "a";
  for (int i = 0; i < 100000; ++i) long_key += ".a";
  const std::vector<std::pair<std::string, std::string>> cases = {
      // syntax
      {"[data\n", "t.toml:1:6: not valid TOML: "},
      {data + "train = 3\n" + term, "t.toml:3:"},
      {good + "delta = \n", "t.toml:10:9: not valid TOML: "},
      {"\xff\xfe", "t.toml:1:1: not valid TOML: "},
      {good + "delta\u00a9 = 1\n", "t.toml:10:6: not valid TOML: a character that is not ASCII outside of quotes and comments"},
      {good + "name = \"\"\"µ\\\"\"\"\"\"\"\nx\u00a9 = 'é'\n", "t.toml:11:2: not valid TOML: a character that is not ASCII "},
      {good + "name = 'µ\\' # ©\n\u00a9\n", "t.toml:11:1: not valid TOML: a character that is not ASCII "},
      {long_key + " = 1\n", "t.toml:1:130: a key of more than 64 parts"},
      {"a = " + std::string(100000, '['), "t.toml:1:261: not valid TOML: "},
      // keys
      {with("n_sparse", "n_spase"), "t.toml:8: unknown key 'n_spase' in [[term]]; did you mean 'n_sparse'?"},
      {with("zeta", "zetta"), "t.toml:7: unknown key 'zetta' in [[term]]; did you mean 'zeta'?"},
      {with("descriptor", "descripter"), "t.toml:4: unknown key 'descripter' in [[term]]; did you mean 'descriptor'?"},
      {with("train", "trian"), "t.toml:2: unknown key 'trian' in [data]; did you mean 'train'?"},
      {good + "[regularisation]\nenergy = 1\n", "t.toml:10: unknown section 'regularisation'; did you mean 'regularization'?"},
      {good + "[regularization]\nforces = 1\n", "t.toml:11: unknown key 'forces' in [regularization]; did you mean 'force'?"},
      {good + "[regularization.config_type.liquid]\nengery = 1\n",
       "t.toml:11: unknown key 'engery' in [regularization.config_type.liquid]; did you mean 'energy'?"},
      {"seed = 3\n" + good, "t.toml:1: 'seed' stands outside of the sections; it belongs in [run]"},
      {"colour = 3\n" + good,
       "t.toml:1: unknown key 'colour'; valid: data, reference_energies, baseline, term, regularization, optimize, calibration, solver, "
       "output, run"},
      {replaced(pair, "n_sparse", "n_max = 8\nn_sparse"),
       "t.toml:8: [[term]]: 'n_max' belongs to descriptor 'soap', this term has descriptor 'two_body' and kernel 'squared_exponential'"},
      {with("zeta = 4", "length_scale = 1"),
       "t.toml:7: [[term]]: 'length_scale' belongs to kernel 'squared_exponential' and kernel 'piecewise_polynomial', this term has "
       "descriptor 'soap' and kernel 'dot_product'"},
      // calibration
      {good + "[calibration]\nholdout = 0.7\n",
       "t.toml:11: [calibration]: 'holdout' is the number 0.7, expected a fraction above 0 and up to 0.5"},
      {good + "[calibration]\nrounds = 11\n", "t.toml:11: [calibration]: 'rounds' is the integer 11, expected at most 10"},
      {good + "[calibration]\nhold_out = 0.1\n", "t.toml:11: unknown key 'hold_out' in [calibration]; did you mean 'holdout'?"},
      {good + "[calibration]\nsource = 'validation'\n",
       "t.toml:11: [calibration]: source = \"validation\" needs files in [data] validation"},
      {good + "[calibration]\nsource = 'none'\nholdout = 0.1\n",
       "t.toml:12: [calibration]: 'holdout' goes with source = \"holdout\", found \"none\""},
      {with("'soap'", "'three_bdoy'"), "t.toml:4: [[term]]: unknown descriptor 'three_bdoy'; did you mean 'three_body'?"},
      // data
      {term, "t.toml:1: [data]: 'train' is missing or empty, expected the names of files with training structures"},
      {with("'train.xyz'", "[]"), "t.toml:2: [data]: 'train' is missing or empty, expected the names of files with training structures"},
      {with("'train.xyz'", "'nothing.xyz'"),
       "t.toml:2: [data]: 'train': the file 'nothing.xyz' cannot be read: No such file or directory (" + folder + "/nothing.xyz)"},
      {with("'train.xyz'", "'z*.xyz'"), "t.toml:2: [data]: 'train': no file matches 'z*.xyz' (" + folder + "/z*.xyz)"},
      {with("'train.xyz'", "'sub.xyz'"),
       "t.toml:2: [data]: 'train': the file 'sub.xyz' cannot be read: is a folder (" + folder + "/sub.xyz)"},
      {with("'train.xyz'", "4"), "t.toml:2: [data]: 'train' is the integer 4, expected a text or a list of texts"},
      {with("'train.xyz'", "['train.xyz',\n3]"), "t.toml:3: [data]: 'train' contains the integer 3, expected texts"},
      {replaced(good, "[[term]]", "validation = 'v.xyz'\n[[term]]"), "t.toml:3: [data]: 'validation': the file 'v.xyz' cannot be read: "},
      {replaced(good, "[[term]]", "use = ['energy', 'force']\n[[term]]"),
       "t.toml:3: [data]: 'use' contains 'force'; did you mean 'forces'?"},
      {replaced(good, "[[term]]", "use = []\n[[term]]"), "t.toml:3: [data]: 'use' is empty, expected some of energy, forces, virial"},
      {"data = 3\n" + term, "t.toml:1: 'data' is the integer 3, expected a section [data]"},
      // reference energies
      {good + "[reference_energies]\nmode = 'isolate'\n",
       "t.toml:11: [reference_energies]: unknown mode 'isolate'; did you mean 'isolated'?"},
      {good + "[reference_energies]\nmode = 'explicit'\n", "t.toml:11: [reference_energies]: mode \"explicit\" needs a table 'explicit' "},
      {good + "[reference_energies]\nexplicit = { Si = 1 }\n",
       "t.toml:11: [reference_energies]: 'explicit' goes with mode = \"explicit\", found \"isolated\""},
      {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Sj = 1 }\n",
       "t.toml:12: [reference_energies] explicit: 'Sj' is not a chemical element"},
      {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Si = '1' }\n",
       "t.toml:12: [reference_energies] explicit: 'Si' is the text '1', expected a number (eV)"},
      {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Si = 1, si = 2 }\n",
       "t.toml:12: [reference_energies] explicit: two energies for 'Si'"},
      // terms
      {data, "t.toml:1: no [[term]], expected at least one ("},
      {replaced(good, "[[term]]", "[term]"), "t.toml:3: 'term' is a table, expected [[term]] in double brackets, once for each term"},
      {with("descriptor = 'soap'\n", ""), "t.toml:3: [[term]]: 'descriptor' is missing; valid: "},
      {with("kernel = 'dot_product'\n", ""), "t.toml:3: [[term]]: 'kernel' is missing; valid: "},
      {with("'soap'", "'saop'"), "t.toml:4: [[term]]: unknown descriptor 'saop'; did you mean 'soap'?"},
      {with("'dot_product'", "'dotproduct'"), "t.toml:6: [[term]]: unknown kernel 'dotproduct'; did you mean 'dot_product'?"},
      {with("cutoff = 5\n", ""), "t.toml:3: [[term]]: 'cutoff' is missing, expected a number in Å ("},
      {with("cutoff = 5", "cutoff = '5'"), "t.toml:5: [[term]]: 'cutoff' is the text '5', expected a number"},
      {with("cutoff = 5", "cutoff = -5"), "t.toml:5: [[term]]: 'cutoff' is -5, expected more than 0 Å"},
      {with("cutoff = 5", "cutoff = nan"), "t.toml:5: [[term]]: 'cutoff' is nan, expected "},
      {with("cutoff = 5", "cutoff = inf"), "t.toml:5: [[term]]: 'cutoff' is inf, expected "},
      {with("cutoff = 5", "cutoff = [5, 6]"), "t.toml:5: [[term]]: 'cutoff' is a list of 2 numbers, expected a number"},
      {with("cutoff = 5", "cutoff = {a = 5}"), "t.toml:5: [[term]]: 'cutoff' is a table, expected a value in Å"},
      {with("cutoff = 5", "cutoff = 2026-01-01"), "t.toml:5: [[term]]: 'cutoff' is a date or time, expected a value in Å"},
      {with("cutoff = 5", "cutoff = 1\ncutoff_width = 2"), "t.toml:3: [[term]]: "},
      {with("zeta = 4", "n_max = 8.0"), "t.toml:7: [[term]]: 'n_max' is the number 8, expected an integer"},
      {with("zeta = 4", "central_reference_all_species = 1"),
       "t.toml:7: [[term]]: 'central_reference_all_species' is the integer 1, expected true or false"},
      {with("zeta = 4", "zeta = 0.5"), "t.toml:7: [[term]]: 'zeta' is 0.5, expected at least 1"},
      {with("delta = 0.5", "delta = 0"), "t.toml:9: [[term]]: 'delta' is the integer 0, expected a number larger than 0 (eV)"},
      {with("delta = 0.5", "delta = nan"), "t.toml:9: [[term]]: 'delta' is the number nan, expected a finite number"},
      {with("delta = 0.5", "delta = 'x'"), "t.toml:9: [[term]]: 'delta' is the text 'x', expected a number (eV), or a table "},
      {with("n_sparse = 100", "n_sparse = { Si = 10 }"),
       "t.toml:8: [[term]]: 'n_sparse' is a table without 'default', the number for combinations that it does not name"},
      {with("n_sparse = 100", "n_sparse = { Si = 0, default = 3 }"), "t.toml:8: [[term]]: 'Si' is the integer 0, expected"},
      {with("delta = 0.5", "delta = { 'Si-O' = 1 }"),
       "t.toml:9: [[term]]: 'delta' has an entry 'Si-O', expected a combination of elements such as 'Si' for soap"},
      {with("delta = 0.5", "delta = { Si = 1, si = 2 }"), "t.toml:9: [[term]]: 'delta' has two entries for 'Si'"},
      {with("delta = 0.5", "delta = { Si = -1 }"), "t.toml:9: [[term]]: 'Si' is the integer -1, expected a number larger than 0 (eV)"},
      {pair + "delta = { Si = 1 }\n",
       "t.toml:9: [[term]]: 'delta' has an entry 'Si', expected a combination of elements such as 'Si-Si' for two_body"},
      {with("delta = 0.5", "species = ['Silicon']"),
       "t.toml:9: [[term]]: 'species' contains 'Silicon', expected \"all\", elements such as 'Si', "},
      {with("delta = 0.5", "species = ['Si', 'Si']"), "t.toml:9: [[term]]: 'species' contains 'Si' twice"},
      {with("n_sparse = 100", "n_sparse = 0"), "t.toml:8: [[term]]: 'n_sparse' is the integer 0, expected at least 1"},
      {with("n_sparse = 100", "n_sparse = 1.5"), "t.toml:8: [[term]]: 'n_sparse' is the number 1.5, expected an integer"},
      {with("n_sparse = 100", "n_sparse = 3000000000"), "t.toml:8: [[term]]: 'n_sparse' is the integer 3000000000, expected at most "},
      {with("n_sparse = 100\n", ""), "t.toml:3: [[term]]: 'n_sparse' is missing, expected "},
      {good + "max_candidates = 99\n", "t.toml:10: [[term]]: 'max_candidates' is 99, fewer than the 100 sparse points to choose from them"},
      {good + "selection = 'curr'\n", "t.toml:10: [[term]]: unknown selection 'curr'; did you mean 'cur'?"},
      {good + "selection = 'file'\n", "t.toml:10: [[term]]: selection 'file' needs 'sparse_file'"},
      {good + "sparse_file = 'points.txt'\n", "t.toml:10: [[term]]: 'sparse_file' goes with selection = \"file\", found \"cur\""},
      {good + "selection = 'file'\nsparse_file = 'none.txt'\n",
       "t.toml:11: [[term]]: the file 'none.txt' cannot be read: No such file or directory ("},
      {good + "selection = 'indices'\nsparse_indices = 5\n",
       "t.toml:11: [[term]]: 'sparse_indices' is the integer 5, expected the name of a file, or "},
      {good + "config_type_n_sparse = { a = -1 }\n",
       "t.toml:10: [[term]] config_type_n_sparse: 'a' is the integer -1, expected at least 0"},
      {with("n_sparse = 100", "n_sparse = 0\nconfig_type_n_sparse = { a = 0 }"),
       "t.toml:8: [[term]]: 'n_sparse' and all of 'config_type_n_sparse' are 0"},
      {good + "sparse_file_cutoffs = true\n", "t.toml:10: [[term]]: 'sparse_file_cutoffs' goes with selection = \"file\", found \"cur\""},
      {good + "selection = 'all'\nconfig_type_n_sparse = { a = 2 }\n",
       "t.toml:11: [[term]]: 'config_type_n_sparse' does not go with selection = \"all\""},
      {good + "max_candidates = 104\nconfig_type_n_sparse = { a = 2, b = 3 }\n",
       "t.toml:10: [[term]]: 'max_candidates' is 104, fewer than the 105 sparse points to choose from them"},
      {good + "selection = 'file'\nsparse_file = 'points.txt'\nconfig_type_n_sparse = { a = 2 }\n",
       "t.toml:12: [[term]]: 'config_type_n_sparse' does not go with selection = \"file\", which names the sparse points itself"},
      {good + "config_type_n_sparse = 3\n", "t.toml:10: [[term]]: 'config_type_n_sparse' is the integer 3, expected a table"},
      {good + "name = 'a/b'\n", "t.toml:10: [[term]]: 'name' is 'a/b', expected letters, digits, '_' and '-' only"},
      {good + "name = 'x'\n" + term + "name = 'x'\n", "t.toml:18: [[term]]: the name 'x' is that of the term in line 10 already"},
      {replaced(pair, "length_scale = 1", "length_scale = { fraction = 1 }"),
       "t.toml:7: unknown key 'fraction' in [[term]] length_scale; valid: fraction_of_range"},
      {replaced(pair, "length_scale = 1", "length_scale = {}"),
       "t.toml:7: [[term]]: 'length_scale' is a table, expected a number, a list of numbers or { fraction_of_range = 0.5 }"},
      {replaced(pair, "length_scale = 1", "length_scale = { fraction_of_range = -1 }"),
       "t.toml:7: [[term]] length_scale: 'fraction_of_range' is the integer -1, expected a number larger than 0"},
      {replaced(pair, "length_scale = 1", "length_scale = []"),
       "t.toml:7: [[term]]: 'length_scale' is an empty list, expected at least one number"},
      {replaced(pair, "length_scale = 1", "length_scale = [1, 'a']"),
       "t.toml:7: [[term]]: 'length_scale' contains the text 'a', expected numbers"},
      {replaced(pair, "length_scale = 1\n", ""), "t.toml:3: [[term]]: 'length_scale' is missing, expected a number or a list of numbers "},
      // regularization, solver, output, run
      {good + "[regularization]\nenergy = 0\n",
       "t.toml:11: [regularization]: 'energy' is the integer 0, expected a number larger than 0 (eV)"},
      {good + "[regularization]\nforce = -0.1\n",
       "t.toml:11: [regularization]: 'force' is the number -0.1, expected a number larger than 0 (eV/Å)"},
      {good + "[regularization]\nvirial = inf\n", "t.toml:11: [regularization]: 'virial' is the number inf, expected a finite number"},
      {good + "[regularization]\nscale_with_atoms = 'no'\n",
       "t.toml:11: [regularization]: 'scale_with_atoms' is the text 'no', expected true or false"},
      {good + "[regularization.config_type.x]\nforce = 0\n",
       "t.toml:11: [regularization.config_type.x]: 'force' is the integer 0, expected "},
      {good + "[regularization.config_type]\nx = 1\n", "t.toml:11: [regularization.config_type]: 'x' is the integer 1, expected a table"},
      {good + "[solver]\njitter = 1e-8\njitter_absolute = 1e-8\n",
       "t.toml:12: [solver]: 'jitter' and 'jitter_absolute' exclude each other, expected one of them"},
      {good + "[solver]\njitter = -1e-8\n", "t.toml:11: [solver]: 'jitter' is the number -1e-08, expected a number that is not negative"},
      {good + "[output]\nmodel = ''\n", "t.toml:11: [output]: 'model' is empty"},
      {good + "[output]\nmodle = 'a.h5'\n", "t.toml:11: unknown key 'modle' in [output]; did you mean 'model'?"},
      {good + "[run]\nseed = -1\n", "t.toml:11: [run]: 'seed' is the integer -1, expected at least 0"},
      {good + "[run]\nmemory = 0\n", "t.toml:11: [run]: 'memory' is the integer 0, expected a number larger than 0 (GB)"},
  };
  for (const auto& test_case : cases) {
    const std::string &toml = test_case.first, &sentence = test_case.second;
    CAPTURE(toml.substr(0, 2000));
    const std::string message = files.message(toml);
    CAPTURE(message);
    CAPTURE(sentence);
    CHECK(message.starts_with(sentence));
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK(cases.size() >= 35);
}

TEST_CASE("config: files named on the command line replace those of the configuration") {
  const Files files;
  const DataFiles instead{{files.path("b?.xyz")}, {files.path("train.xyz")}};
  const auto options = parse_fit_options(replaced(good, "train.xyz", "gone.xyz"), "t.toml", "/nowhere", instead);
  CHECK(options.train == std::vector<std::string>{files.path("b1.xyz"), files.path("b2.xyz")});
  CHECK(options.validation == std::vector<std::string>{files.path("train.xyz")});
  CHECK(parse_fit_options(term, "t.toml", "/nowhere", instead).train == options.train);
  CHECK(message_of<InputError>([&] {
          parse_fit_options(good, "t.toml", files.folder.path(), {{"no_such.xyz"}, {}});
        }).starts_with("the file 'no_such.xyz' cannot be read: No such file or directory"));
}

TEST_CASE("config: files that are no configuration") {
  const Files files;
  const auto message = [&](const std::string& name) { return message_of<InputError>([&] { read_fit_options(files.path(name)); }); };
  CHECK(message("gone.toml") == files.path("gone.toml") + ": the configuration cannot be read: No such file or directory");
  CHECK(message("sub.xyz") == files.path("sub.xyz") + ": the configuration cannot be read: is a folder");
  files.folder.write("data.xyz", "2\nLattice=\"1 0 0 0 1 0 0 0 1\"\nSi 0 0 0\nSi 1 1 1\n");
  CHECK(message("data.xyz").starts_with(files.path("data.xyz") + ":"));
  CHECK(message("train.xyz").find("'train' is missing") != std::string::npos);
  files.folder.write("c.toml", good);
  CHECK(read_fit_options(files.path("c.toml")).train == std::vector<std::string>{files.path("train.xyz")});
}

TEST_CASE("config: random damage to a configuration is either read or an input error") {
  const Files files;
  const std::string text = fit_options_to_toml(files.parse(good));
  std::mt19937 random(3);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string damaged = text;
    for (int k = 0; k < 3; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    CAPTURE(damaged);
    CHECK_NOTHROW(files.message(damaged));  // any other exception gets through
  }
}

TEST_CASE("config: the example in configs/ reads") {
  const FitConfiguration options = read_fit_options(source_folder() / "configs" / "silicon.toml");
  CHECK(options.terms.size() == 2);
  CHECK(options.train.size() == 1);
  CHECK(options.model_path == "silicon.h5");
}

TEST_CASE("config: triplets are named with the centre first") {
  const Files files;
  const auto species_of = [&](const std::string& list) {
    return files.parse(replaced(pair, "two_body", "three_body") + "species = " + list + "\n").terms.at(0).species;
  };
  using Names = std::vector<std::string>;
  CHECK(species_of("['Si-O-C', 'O-Si-C', 'C-O-Si']") == Names{"Si-C-O", "O-C-Si", "C-O-Si"});
  CHECK(species_of("['Si-Si-O', 'O-Si-Si', 'Si']") == Names{"Si-O-Si", "O-Si-Si", "Si"});
  CHECK(message_of<InputError>([&] { species_of("['Si-O-C', 'Si-C-O']"); }).find("'Si-C-O' twice") != std::string::npos);
  CHECK(message_of<InputError>([&] { species_of("['Si-O']"); }) != "");
}

TEST_CASE("config: the calibration uses validation data, held-out structures, or nothing") {
  using Source = CalibrationOptions::Source;
  const TemporaryFolder folder;
  folder.write("train.xyz", "");
  folder.write("test.xyz", "");
  const std::string term_text =
      "[[term]]\ndescriptor = 'two_body'\ncutoff = 4.0\nkernel = 'squared_exponential'\nlength_scale = 1.0\nn_sparse = 5\n";
  const auto source = [&](const std::string& data_keys, const std::string& more) {
    const FitConfiguration options =
        parse_fit_options("[data]\ntrain = 'train.xyz'\n" + data_keys + term_text + more, "t.toml", folder.path());
    const FitConfiguration again = parse_fit_options(fit_options_to_toml(options), "resolved", folder.path());  // keeps it
    CHECK(again.calibration.source == options.calibration.source);
    CHECK(again.calibration.holdout == options.calibration.holdout);
    CHECK(again.calibration.most_atoms == options.calibration.most_atoms);
    return options.calibration;
  };
  const std::string validation = "validation = 'test.xyz'\n";
  CHECK(source("", "").source == Source::none);
  CHECK(source(validation, "").source == Source::validation);
  CHECK(source("", "[calibration]\n").source == Source::holdout);
  CHECK(source("", "[calibration]\n").holdout == 0.1);
  CHECK(source(validation, "[calibration]\nmost_atoms = 7\n").most_atoms == 7);
  CHECK(source(validation, "[calibration]\nmost_atoms = 7\n").source == Source::validation);
  CHECK(source(validation, "[calibration]\nholdout = 0.25\n").source == Source::holdout);
  CHECK(source(validation, "[calibration]\nholdout = 0.25\n").holdout == 0.25);
  CHECK(source(validation, "[calibration]\nsource = 'none'\n").source == Source::none);
  CHECK(source("", "[calibration]\nrounds = 10\n").rounds == 10);
}

/// "integer 1 … 32", "number > 0": how the reference shows the limits of a parameter; "" if it has none.
std::string documented_limits(const ParameterInfo& info) {
  const bool is_integer = info.type == ParameterInfo::Type::integer;
  if (!is_integer && info.type != ParameterInfo::Type::real && info.type != ParameterInfo::Type::reals) return "";
  const std::string type = is_integer ? "integer" : "number", below = info.excludes_smallest ? ">" : "≥";
  const bool has_smallest = std::isfinite(info.smallest), has_largest = std::isfinite(info.largest);
  if (has_smallest && has_largest && !info.excludes_smallest) return fmt::format("{} {} … {}", type, info.smallest, info.largest);
  if (has_smallest && has_largest) return fmt::format("{} > {} and ≤ {}", type, info.smallest, info.largest);
  if (has_largest) return fmt::format("{} ≤ {}", type, info.largest);
  return has_smallest ? fmt::format("{} {} {}", type, below, info.smallest) : type;
}

TEST_CASE("config: docs/configuration.md shows the limits of every parameter") {
  const std::string text = read_text(source_folder() / "docs" / "configuration.md");
  const auto check_rows = [](const std::string& part, const auto& kind) {
    for (const ParameterInfo& info : kind.parameters) {
      const std::string key = "| `" + info.name + "` | ";
      const auto row = part.find(key);
      REQUIRE_MESSAGE(row != std::string::npos, kind.name, " ", info.name);
      const std::string type = part.substr(row + key.size(), part.find(" | ", row + key.size()) - row - key.size());
      const std::string limits = documented_limits(info);
      CAPTURE(kind.name);
      CAPTURE(info.name);
      CHECK_MESSAGE(type.starts_with(limits), "expected '", limits, "', found '", type, "'");
      // "integer ≥ 1" must not hide an upper limit, nor "integer 1 … 32" another one.
      CHECK((type.size() == limits.size() || std::isdigit(static_cast<unsigned char>(type[limits.size()])) == 0 || limits.empty()));
      if (!info.unit.empty() && info.type == ParameterInfo::Type::real) CHECK_MESSAGE(type.ends_with(", " + info.unit), type);
    }
  };
  const auto part_of = [&](const std::string& what, const std::string& name) {
    const auto begin = text.find("Parameters of `" + what + " = \"" + name + "\"`");
    REQUIRE_MESSAGE(begin != std::string::npos, name);
    return text.substr(begin, text.find("\nParameters of", begin) - begin);
  };
  for (const auto& kind : descriptor_kinds()) check_rows(part_of("descriptor", kind.name), kind);
  for (const auto& kind : kernel_kinds()) check_rows(part_of("kernel", kind.name), kind);
  const std::string baselines = text.substr(text.find("\n## [[baseline]]\n"));
  for (const auto& kind : potential_kinds()) check_rows(baselines, kind);
}

TEST_CASE("config: docs/configuration.md names every key") {
  const std::string text = read_text(source_folder() / "docs" / "configuration.md");
  REQUIRE(!text.empty());
  const auto section_text = [&](const std::string& header) {
    const auto begin = text.find("\n## " + header + "\n");
    REQUIRE_MESSAGE(begin != std::string::npos, header);
    return text.substr(begin, text.find("\n## ", begin + 1) - begin);
  };
  for (const auto& section : configuration_keys()) {
    const std::string top = section.name.substr(0, section.name.find('.'));
    const std::string part = section_text(top == "term" || top == "baseline" ? "[[" + top + "]]" : "[" + top + "]");
    for (const auto& key : section.keys) CHECK_MESSAGE(part.find("| `" + key + "` |") != std::string::npos, section.name, " ", key);
  }
  const std::string part = section_text("[[term]]");
  const auto check_kind = [&](const auto& kind, const std::string& what) {
    const auto begin = part.find("Parameters of `" + what + " = \"" + kind.name + "\"`");
    REQUIRE_MESSAGE(begin != std::string::npos, kind.name);
    const std::string table = part.substr(begin, part.find("\nParameters of", begin) - begin);
    for (const auto& info : kind.parameters)
      CHECK_MESSAGE(table.find("| `" + info.name + "` |") != std::string::npos, kind.name, " ", info.name);
  };
  for (const auto& kind : descriptor_kinds()) check_kind(kind, "descriptor");
  for (const auto& kind : kernel_kinds()) check_kind(kind, "kernel");
  for (const auto& kind : selection_kinds()) CHECK_MESSAGE(part.find("`" + kind.name + "`") != std::string::npos, kind.name);
}

TEST_CASE("config: the examples in docs/configuration.md read") {
  const Files files;
  for (const auto* name : {"bulk.xyz", "test.xyz", "liquid.xyz"}) files.folder.write(name, "");
  std::filesystem::create_directory(files.folder.path() / "liquid");
  files.folder.write("liquid/1.xyz", "");
  std::ifstream file(source_folder() / "docs" / "configuration.md");
  std::string all, line;
  for (bool inside = false; std::getline(file, line);) {
    if (line.starts_with("```"))
      inside = line == "```toml";
    else if (inside)
      all += line + "\n";
  }
  const FitConfiguration options = files.parse(all);
  CHECK(options.terms.size() == 3);
  CHECK(options.seed == 7);
}

TEST_CASE("letters beyond ASCII outside of texts are refused with their place (undefined behaviour in toml++ 3.3; found by fuzzing)") {
  const Files files;
  for (const char* letter : {"ä", "Ω", "ж", "\u0487", "。", "\uFEFE"}) {
    CAPTURE(letter);
    CHECK(files.message(good + "[run]\nseed = " + letter + "\n").find("t.toml:11:") == 0);
    CHECK(files.message(good + "[run]\nseed = 0'" + letter + "\n").find("t.toml:11:") == 0);
    CHECK(files.message(good + "[run]\n" + letter + " = 1\n").find("t.toml:11:") == 0);
    CHECK(files.message(good + "[run]\nseed = 1 " + letter + "\n").find("t.toml:11:") == 0);
    CHECK(files.parse(good + "[run] # " + letter + "\nseed = 1 # " + letter + "\n").seed == 1);
  }
}

TEST_CASE("[[baseline]] kind = columns: another model beside potentials; what is resolved is read back") {
  const TemporaryFolder folder;
  folder.write("train.xyz", "");
  const std::string text =
      "data.train = [\"train.xyz\"]\n[[baseline]]\nkind = \"zbl\"\n[[baseline]]\nkind = \"columns\"\nname = \"GFN2-xTB\"\n"
      "energy = \"xtb_energy\"\nforces = \"xtb_forces\"\nstress = \"xtb_stress\"\n[[term]]\ndescriptor = \"two_body\"\ncutoff = 4.0\n"
      "kernel = \"squared_exponential\"\nlength_scale = 1.0\nn_sparse = 5\n";
  const FitConfiguration options = parse_fit_options(text, "c.toml", folder.path());
  const BaseKeys expected{.columns = {{"energy", "xtb_energy"}, {"forces", "xtb_forces"}, {"stress", "xtb_stress"}}, .name = "GFN2-xTB"};
  CHECK(options.keys.base == expected);
  CHECK(options.used_keys().base == expected);
  CHECK(options.baselines.size() == 1);
  const FitConfiguration again = parse_fit_options(fit_options_to_toml(options), "again.toml", folder.path());
  CHECK(again.keys.base == expected);
  CHECK(fit_options_to_toml(again) == fit_options_to_toml(options));
}

TEST_CASE("[[baseline]]: kinds and parameters; what is resolved is read back") {
  const TemporaryFolder folder;
  folder.write("train.xyz", "");
  folder.write("pairs.txt", "pair Si Si\n1 2\n2 1\n3 0.5\n4 0\n");
  const std::string head = "data.train = [\"train.xyz\"]\n", pairs =
                                                                 "[[term]]\ndescriptor = \"two_body\"\ncutoff = 4.0\nkernel = "
                                                                 "\"squared_exponential\"\nlength_scale = 1.0\nn_sparse = 5\n";
  const FitConfiguration options =
      parse_fit_options(head +
                            "[[baseline]]\nkind = \"zbl\"\nouter = 1.6\n[[baseline]]\nkind = \"pair_spline\"\nfile = \"pairs.txt\"\n"
                            "[[baseline]]\nkind = \"stillinger_weber\"\nlambda = 20\n" +
                            pairs,
                        "c.toml", folder.path());
  REQUIRE(options.baselines.size() == 3);
  CHECK(options.baselines[0]->name() == "zbl");
  CHECK(options.baselines[0]->cutoff() == 1.6);
  CHECK(options.baselines[1]->cutoff() == 4);
  CHECK(options.baselines[2]->name() == "stillinger_weber");
  CHECK(options.baselines[2]->parameters().real("lambda") == 20);
  // The table itself is in the resolved configuration: the file may go.
  std::filesystem::remove(folder.path() / "pairs.txt");
  const FitConfiguration again = parse_fit_options(fit_options_to_toml(options), "again.toml", folder.path());
  REQUIRE(again.baselines.size() == 3);
  CHECK(fit_options_to_toml(again) == fit_options_to_toml(options));
  for (const auto& [section, parts] :
       {std::pair<std::string, std::vector<std::string>>{"[[baseline]]\nouter = 1.5\n", {"c.toml:2", "'kind' is missing"}},
        {"[[baseline]]\nkind = \"zbll\"\n", {"c.toml:3", "did you mean 'zbl'?"}},
        {"[[baseline]]\nkind = \"zbl\"\noutr = 1\n", {"c.toml:4", "did you mean 'outer'?"}},
        {"[[baseline]]\nkind = \"zbl\"\ninner = 2\n", {"c.toml:2", "inner is not smaller than outer"}},
        {"[[baseline]]\nkind = \"pair_spline\"\nfile = \"none\"\n", {"c.toml:2", "none", "cannot be read"}},
        {"[baseline]\nkind = \"zbl\"\n", {"c.toml:2", "double brackets"}},
        {"[[baseline]]\nkind = \"column\"\n", {"c.toml:3", "did you mean 'columns'?"}},
        {"[[baseline]]\nkind = \"columns\"\nforces = \"f\"\n", {"c.toml:2", "'energy' is missing"}},
        {"[[baseline]]\nkind = \"columns\"\nenergy = \"\"\n", {"c.toml:2", "'energy' is missing"}},
        {"[[baseline]]\nkind = \"columns\"\nenergy = 3\n", {"c.toml:4", "'energy' is the integer 3"}},
        {"[[baseline]]\nkind = \"columns\"\nenergy = \"e\"\nforce = \"f\"\n", {"c.toml:5", "did you mean 'forces'?"}},
        {"[[baseline]]\nkind = \"columns\"\nenergy = \"e\"\nvirial = \"e\"\n", {"c.toml:5", "names 'e' a second time"}},
        {"[[baseline]]\nkind = \"columns\"\nenergy = \"e\"\n[[baseline]]\nkind = \"columns\"\nenergy = \"d\"\n",
         {"c.toml:5", "a second kind = \"columns\""}}}) {
    const std::string text = section;
    CAPTURE(text);
    const std::string message = message_of<InputError>([&] { parse_fit_options(head + text + pairs, "c.toml", folder.path()); });
    CAPTURE(message);
    for (const std::string& part : parts) CHECK(message.find(part) != std::string::npos);
  }
}
