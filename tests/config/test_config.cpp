
#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>

#include "config_files.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string every_section = R"(
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
)";

// Those of energies; others do not stand in these sections.
template <class T>
void check_equal_targets(const PerTarget<T>& a, const PerTarget<T>& b) {
  for (const TargetInfo& target : targets()) CHECK(a[target.property] == b[target.property]);
}

void check_equal(const FitConfiguration& a, const FitConfiguration& b) {
  CHECK(a.train == b.train);
  CHECK(a.validation == b.validation);
  check_equal_targets(a.use, b.use);
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
    CHECK(x.length_scale_root == y.length_scale_root);
    CHECK(x.input_scale_over_size == y.input_scale_over_size);
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
  REQUIRE(a.regularization.config_type.size() == b.regularization.config_type.size());
  for (const auto& [name, sigma] : a.regularization.config_type) check_equal_targets(sigma, b.regularization.config_type.at(name));
  CHECK(a.regularization.scale_with_atoms == b.regularization.scale_with_atoms);
  CHECK(a.jitter == b.jitter);
  CHECK(a.jitter_absolute == b.jitter_absolute);
  CHECK(a.model_path == b.model_path);
  CHECK(a.sparse_output == b.sparse_output);
  CHECK(a.seed == b.seed);
  CHECK(a.memory == b.memory);
}

}  // namespace

TEST_CASE("config: compressions, and their round trip") {
  const Files files;
  CHECK(files.parse(good).terms[0].compression.kind == "none");
  const std::string learned = replaced(good, "'dot_product'", "'polynomial'") + "compression = 'learned'\n";
  const FitConfiguration by_default = files.parse(learned);
  CHECK(by_default.terms[0].compression.kind == "learned");
  CHECK(by_default.terms[0].compression.rank == 0);  // known with the data
  CHECK(by_default.terms[0].compression.floor == 1e-3);
  CHECK(by_default.terms[0].kernel_parameters.real("constant") == 16);
  for (const char* rank : {"48", "0.999"}) {
    const FitConfiguration options = files.parse(learned + "rank = " + rank + "\nfloor = 0.01\n");
    CHECK(options.terms[0].compression.rank == std::stod(rank));
    CHECK(options.terms[0].compression.floor == 0.01);
    const FitConfiguration again = parse_fit_options(fit_options_to_toml(options), "again.toml", files.folder.path());
    CHECK(again.terms[0].compression.kind == "learned");
    CHECK(again.terms[0].compression.rank == options.terms[0].compression.rank);
    CHECK(again.terms[0].compression.floor == 0.01);
  }
  const FitConfiguration again = parse_fit_options(fit_options_to_toml(by_default), "again.toml", files.folder.path());
  CHECK(again.terms[0].compression.rank == 0);
}

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
  const FitConfiguration options = files.parse(every_section);
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
  CHECK(options.model_path == "out/m.h5");  // relative to the current folder: unchanged
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

TEST_CASE("config: the calibration leaves structures out, unless validation data, a holdout or none are named") {
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
    CHECK(again.calibration.all_structures == options.calibration.all_structures);
    CHECK(again.calibration.cautious == options.calibration.cautious);
    return options.calibration;
  };
  const std::string validation = "validation = 'test.xyz'\n";
  CHECK(source("", "").source == Source::leave_one_out);
  CHECK(source("", "").all_structures);
  CHECK(source(validation, "").source == Source::leave_one_out);
  CHECK(source("", "[calibration]\n").source == Source::leave_one_out);
  CHECK_FALSE(source("", "[calibration]\nenergies = 'sample'\n").all_structures);
  CHECK(source("", "[calibration]\nsource = 'holdout'\n").holdout == 0.1);
  CHECK(source(validation, "[calibration]\nmost_atoms = 7\nsource = 'validation'\n").most_atoms == 7);
  CHECK(source(validation, "[calibration]\nsource = 'validation'\n").source == Source::validation);
  CHECK(source(validation, "[calibration]\nholdout = 0.25\n").source == Source::holdout);
  CHECK(source(validation, "[calibration]\nholdout = 0.25\n").holdout == 0.25);
  CHECK(source(validation, "[calibration]\nsource = 'none'\n").source == Source::none);
  CHECK(source("", "[calibration]\nrounds = 10\n").rounds == 10);
  CHECK(source("", "[calibration]\nrounds = 10\n").source == Source::holdout);
  CHECK_FALSE(source("", "[calibration]\n").cautious);
  CHECK(source("", "[calibration]\ncautious = true\n").cautious);
  for (const char* other : {"source = 'holdout'", "source = 'none'", "energies = 'sample'"})
    CHECK(message_of<InputError>([&] {
            source("", std::string("[calibration]\ncautious = true\n") + other + "\n");
          }).find("goes with source = \"leave_one_out\" and energies = \"all\"") != std::string::npos);
}

TEST_CASE("[[baseline]] kind = columns: another model beside potentials; written ones are read back") {
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

TEST_CASE("[[baseline]]: kinds and parameters; written ones are read back") {
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

TEST_CASE("config: lists of symmetry functions, and length scales that follow the number of features") {
  const Files files;
  const std::string start =
      "[data]\ntrain = [\"bulk.xyz\"]\n[[term]]\ndescriptor = \"symmetry_functions\"\ncutoff = 6.0\nkernel = \"squared_exponential\"\n"
      "n_sparse = 50\n";
  files.folder.write("bulk.xyz", "");
  const FitConfiguration listed =
      files.parse(start + "functions = [\n  \"G2 eta=0.1\",  # a comment\n  \"O: G5 H H eta=0.1 lambda=-1 zeta=4\",\n]\n");
  CHECK(listed.terms[0].descriptor_parameters.text("functions") == "G2 eta=0.1\nO: G5 H H eta=0.1 lambda=-1 zeta=4");
  CHECK(listed.terms[0].length_scale_root == 4.0);
  const FitConfiguration again = files.parse(fit_options_to_toml(listed));
  CHECK(again.terms[0].descriptor_parameters.text("functions") == listed.terms[0].descriptor_parameters.text("functions"));
  CHECK(again.terms[0].length_scale_root == 4.0);
  const FitConfiguration given = files.parse(start + "length_scale = { root_of_size = 2.5 }\n");
  CHECK(given.terms[0].length_scale_root == 2.5);
  CHECK(given.terms[0].descriptor_parameters.text("functions") == "auto");
  CHECK(!files.parse(start + "length_scale = 3\n").terms[0].length_scale_root);
  const auto complaint = [&](const std::string& more) { return message_of<InputError>([&] { files.parse(start + more); }); };
  CHECK(complaint("functions = [\"G2 eta=0.1\", \"G2 eta=-1\"]\n").find("entry 2 of 'functions'") != std::string::npos);
  CHECK(complaint("functions = [\"G2 eta=0.1\", 3]\n").find("expected texts of one line") != std::string::npos);
  CHECK(complaint("length_scale = { root_of_size = 2, fraction_of_range = 1 }\n").find("root_of_size = 4") != std::string::npos);
}
