// Configurations that are refused.

#include <gapkit/core/errors.hpp>

#include "config_files.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Refusals = std::vector<std::pair<std::string, std::string>>;  // a configuration, the beginning of its sentence

std::string with(const std::string& from, const std::string& to) {
  return replaced(good, from, to);
}

void check_refusals(const Files& files, const Refusals& refusals) {
  for (const auto& refusal : refusals) {
    const std::string &toml = refusal.first, &sentence = refusal.second;
    CAPTURE(toml.substr(0, 2000));
    const std::string message = files.message(toml);
    CAPTURE(message);
    CAPTURE(sentence);
    CHECK(message.starts_with(sentence));
    CHECK(message.find('\n') == std::string::npos);
  }
}

}  // namespace

TEST_CASE("config: mistakes of syntax and keys, each with its sentence") {
  const Files files;
  std::string long_key = "a";
  for (int i = 0; i < 100000; ++i) long_key += ".a";
  check_refusals(
      files,
      {
          {"[data\n", "t.toml:1:6: not valid TOML: "},
          {data + "train = 3\n" + term, "t.toml:3:"},
          {good + "delta = \n", "t.toml:10:9: not valid TOML: "},
          {"\xff\xfe", "t.toml:1:1: not valid TOML: "},
          {good + "delta\u00a9 = 1\n", "t.toml:10:6: not valid TOML: a character that is not ASCII outside of quotes and comments"},
          {good + "name = \"\"\"µ\\\"\"\"\"\"\"\nx\u00a9 = 'é'\n", "t.toml:11:2: not valid TOML: a character that is not ASCII "},
          {good + "name = 'µ\\' # ©\n\u00a9\n", "t.toml:11:1: not valid TOML: a character that is not ASCII "},
          {long_key + " = 1\n", "t.toml:1:130: a key of more than 64 parts"},
          {"a = " + std::string(100000, '['), "t.toml:1:261: not valid TOML: "},
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
           "t.toml:1: unknown key 'colour'; valid: data, reference_energies, baseline, long_range, term, property, tensor, "
           "regularization, optimize, "
           "calibration, "
           "solver, "
           "output, run"},
          {replaced(pair, "n_sparse", "n_max = 8\nn_sparse"),
           "t.toml:8: [[term]]: 'n_max' belongs to descriptor 'soap', this term has descriptor 'two_body' and kernel "
           "'squared_exponential'"},
          {with("zeta = 4", "length_scale = 1"),
           "t.toml:7: [[term]]: 'length_scale' belongs to kernel 'squared_exponential' and kernel 'piecewise_polynomial', this term has "
           "descriptor 'soap' and kernel 'dot_product'"},
      });
}

TEST_CASE("config: mistakes in [data], [calibration] and [reference_energies], each with its sentence") {
  const Files files;
  const std::string folder = files.folder.path().string();
  check_refusals(
      files,
      {
          {good + "[calibration]\nholdout = 0.7\n",
           "t.toml:11: [calibration]: 'holdout' is the number 0.7, expected a fraction above 0 and up to 0.5"},
          {good + "[calibration]\nrounds = 11\n", "t.toml:11: [calibration]: 'rounds' is the integer 11, expected at most 10"},
          {good + "[calibration]\nhold_out = 0.1\n", "t.toml:11: unknown key 'hold_out' in [calibration]; did you mean 'holdout'?"},
          {good + "[calibration]\nsource = 'validation'\n",
           "t.toml:11: [calibration]: source = \"validation\" needs files in [data] validation"},
          {good + "[calibration]\nsource = 'none'\nenergies = 'all'\n",
           "t.toml:12: [calibration]: 'energies' goes with source = \"leave_one_out\", found \"none\""},
          {good + "[calibration]\nsource = 'none'\nholdout = 0.1\n",
           "t.toml:12: [calibration]: 'holdout' goes with source = \"holdout\", found \"none\""},
          {with("'soap'", "'three_bdoy'"), "t.toml:4: [[term]]: unknown descriptor 'three_bdoy'; did you mean 'three_body'?"},
          {term, "t.toml:1: [data]: 'train' is missing or empty, expected the names of files with training structures"},
          {with("'train.xyz'", "[]"),
           "t.toml:2: [data]: 'train' is missing or empty, expected the names of files with training structures"},
          {with("'train.xyz'", "'nothing.xyz'"),
           "t.toml:2: [data]: 'train': the file 'nothing.xyz' cannot be read: No such file or directory (" + folder + "/nothing.xyz)"},
          {with("'train.xyz'", "'z*.xyz'"), "t.toml:2: [data]: 'train': no file matches 'z*.xyz' (" + folder + "/z*.xyz)"},
          {with("'train.xyz'", "'sub.xyz'"),
           "t.toml:2: [data]: 'train': the file 'sub.xyz' cannot be read: is a folder (" + folder + "/sub.xyz)"},
          {with("'train.xyz'", "4"), "t.toml:2: [data]: 'train' is the integer 4, expected a text or a list of texts"},
          {with("'train.xyz'", "['train.xyz',\n3]"), "t.toml:3: [data]: 'train' contains the integer 3, expected texts"},
          {replaced(good, "[[term]]", "validation = 'v.xyz'\n[[term]]"),
           "t.toml:3: [data]: 'validation': the file 'v.xyz' cannot be read: "},
          {replaced(good, "[[term]]", "use = ['energy', 'force']\n[[term]]"),
           "t.toml:3: [data]: 'use' contains 'force'; did you mean 'forces'?"},
          {replaced(good, "[[term]]", "use = []\n[[term]]"), "t.toml:3: [data]: 'use' is empty, expected some of energy, forces, virial"},
          {"data = 3\n" + term, "t.toml:1: 'data' is the integer 3, expected a section [data]"},
          {good + "[reference_energies]\nmode = 'isolate'\n",
           "t.toml:11: [reference_energies]: unknown mode 'isolate'; did you mean 'isolated'?"},
          {good + "[reference_energies]\nmode = 'explicit'\n",
           "t.toml:11: [reference_energies]: mode \"explicit\" needs a table 'explicit' "},
          {good + "[reference_energies]\nexplicit = { Si = 1 }\n",
           "t.toml:11: [reference_energies]: 'explicit' goes with mode = \"explicit\", found \"isolated\""},
          {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Sj = 1 }\n",
           "t.toml:12: [reference_energies] explicit: 'Sj' is not a chemical element"},
          {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Si = '1' }\n",
           "t.toml:12: [reference_energies] explicit: 'Si' is the text '1', expected a number (eV)"},
          {good + "[reference_energies]\nmode = 'explicit'\nexplicit = { Si = 1, si = 2 }\n",
           "t.toml:12: [reference_energies] explicit: two energies for 'Si'"},
      });
}

TEST_CASE("config: mistakes in compressions, each with its sentence") {
  const Files files;
  const std::string pca = good + "compression = 'pca'\n";
  check_refusals(
      files,
      {
          {good + "compression = 'pcs'\n", "t.toml:10: [[term]]: unknown compression 'pcs'; did you mean 'pca'?"},
          {good + "rank = 5\n", "t.toml:10: [[term]]: 'rank' goes with compression = \"pca\" and \"learned\", found \"none\""},
          {good + "compression = 'learned'\n",
           "t.toml:6: [[term]]: compression = \"learned\" gives features with mean 0, whose angles say little: expected kernel = "
           "\"polynomial\""},
          {pca + "floor = 0.1\n", "t.toml:11: [[term]]: 'floor' goes with compression = \"learned\", found \"pca\""},
          {pca + "rank = 0\n", "t.toml:11: [[term]]: 'rank' is "},
          {pca + "rank = -3\n", "t.toml:11: [[term]]: 'rank' is "},
          {pca + "rank = 2.5\n", "t.toml:11: [[term]]: 'rank' is the number 2.5, expected an integer from 1 on (features), or a number"},
          {pca + "rank = nan\n", "t.toml:11: [[term]]: 'rank' is "},
          {replaced(pca, "zeta = 4", "zeta = 2.5"), "t.toml:10: [[term]]: dot_product: zeta = 2.5 needs feature vectors"},
          {replaced(replaced(pca, "'dot_product'", "'polynomial'"), "zeta = 4", "zeta = 2.5"),
           "t.toml:7: [[term]]: 'zeta' is the number 2.5, expected an integer"},
          {pair + "compression = 'pca'\n", "t.toml:9: [[term]]: 'compression' is for descriptors of at least 8 features, two_body has 1"},
          {pca + "selection = 'file'\nsparse_file = 'points.txt'\n",
           "t.toml:10: [[term]]: 'compression' does not go with selection = \"file\""},
      });
}

TEST_CASE("config: mistakes in channels, each with its sentence") {
  const Files files;
  const std::string two = good + "channels = 2\n";
  check_refusals(files, {
                            {good + "channels = -1\n", "t.toml:10: [[term]]: 'channels' is -1, expected at least 0 and at most 64"},
                            {good + "channels = 65\n", "t.toml:10: [[term]]: 'channels' is 65, expected at least 0 and at most 64"},
                            {good + "channels = 2.5\n", "t.toml:10: [[term]]: 'channels' is "},
                            {two + "mixed_channels = 2\n", "t.toml:3: [[term]]: soap: mixed_channels and channels are two ways"},
                            {two + "selection = 'file'\nsparse_file = 'points.txt'\n",
                             "t.toml:10: [[term]]: 'channels' does not go with selection = \"file\""},
                            {pair + "channels = 2\n", "t.toml:9: [[term]]: 'channels' belongs to descriptor 'soap'"},
                        });
}

TEST_CASE("config: mistakes in [[term]]: keys and numbers of points, each with its sentence") {
  const Files files;
  check_refusals(
      files,
      {
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
      });
}

TEST_CASE("config: mistakes in [[term]]: tables, files and species, each with its sentence") {
  const Files files;
  check_refusals(
      files,
      {
          {with("n_sparse = 100", "n_sparse = 1.5"), "t.toml:8: [[term]]: 'n_sparse' is the number 1.5, expected an integer"},
          {with("n_sparse = 100", "n_sparse = 3000000000"), "t.toml:8: [[term]]: 'n_sparse' is the integer 3000000000, expected at most "},
          {with("n_sparse = 100\n", ""), "t.toml:3: [[term]]: 'n_sparse' is missing, expected "},
          {good + "max_candidates = 99\n",
           "t.toml:10: [[term]]: 'max_candidates' is 99, fewer than the 100 sparse points to choose from them"},
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
          {good + "sparse_file_cutoffs = true\n",
           "t.toml:10: [[term]]: 'sparse_file_cutoffs' goes with selection = \"file\", found \"cur\""},
          {good + "selection = 'all'\nconfig_type_n_sparse = { a = 2 }\n",
           "t.toml:11: [[term]]: 'config_type_n_sparse' does not go with selection = \"all\""},
          {good + "max_candidates = 104\nconfig_type_n_sparse = { a = 2, b = 3 }\n",
           "t.toml:10: [[term]]: 'max_candidates' is 104, fewer than the 105 sparse points to choose from them"},
          {good + "selection = 'file'\nsparse_file = 'points.txt'\nconfig_type_n_sparse = { a = 2 }\n",
           "t.toml:12: [[term]]: 'config_type_n_sparse' does not go with selection = \"file\", which names the sparse points itself"},
          {good + "config_type_n_sparse = 3\n", "t.toml:10: [[term]]: 'config_type_n_sparse' is the integer 3, expected a table"},
          {good + "name = 'a/b'\n", "t.toml:10: [[term]]: 'name' is 'a/b', expected letters, digits, '_' and '-' only"},
          {good + "name = 'x'\n" + term + "name = 'x'\n", "t.toml:18: [[term]]: the name 'x' is already used by the term in line 10"},
          {replaced(pair, "length_scale = 1", "length_scale = { fraction = 1 }"),
           "t.toml:7: unknown key 'fraction' in [[term]] length_scale; valid: fraction_of_range, root_of_size"},
          {replaced(pair, "length_scale = 1", "length_scale = {}"),
           "t.toml:7: [[term]]: 'length_scale' is a table, expected a number, a list of numbers, { fraction_of_range = 0.5 } or { "
           "root_of_size = 4 }"},
          {replaced(pair, "length_scale = 1", "length_scale = { fraction_of_range = -1 }"),
           "t.toml:7: [[term]] length_scale: 'fraction_of_range' is the integer -1, expected a number larger than 0"},
          {replaced(pair, "length_scale = 1", "length_scale = []"),
           "t.toml:7: [[term]]: 'length_scale' is an empty list, expected at least one number"},
          {replaced(pair, "length_scale = 1", "length_scale = [1, 'a']"),
           "t.toml:7: [[term]]: 'length_scale' contains the text 'a', expected numbers"},
          {replaced(pair, "length_scale = 1\n", ""),
           "t.toml:3: [[term]]: 'length_scale' is missing, expected a number or a list of numbers "},
      });
}

TEST_CASE("config: mistakes in [regularization], [solver], [output] and [run], each with its sentence") {
  const Files files;
  check_refusals(
      files,
      {
          {good + "[regularization]\nenergy = 0\n",
           "t.toml:11: [regularization]: 'energy' is the integer 0, expected a number larger than 0 (eV)"},
          {good + "[regularization]\nforce = -0.1\n",
           "t.toml:11: [regularization]: 'force' is the number -0.1, expected a number larger than 0 (eV/Å)"},
          {good + "[regularization]\nvirial = inf\n", "t.toml:11: [regularization]: 'virial' is the number inf, expected a finite number"},
          {good + "[regularization]\nscale_with_atoms = 'no'\n",
           "t.toml:11: [regularization]: 'scale_with_atoms' is the text 'no', expected true or false"},
          {good + "[regularization.config_type.x]\nforce = 0\n",
           "t.toml:11: [regularization.config_type.x]: 'force' is the integer 0, expected "},
          {good + "[regularization.config_type]\nx = 1\n",
           "t.toml:11: [regularization.config_type]: 'x' is the integer 1, expected a table"},
          {good + "[solver]\njitter = 1e-8\njitter_absolute = 1e-8\n",
           "t.toml:12: [solver]: 'jitter' and 'jitter_absolute' exclude each other, expected one of them"},
          {good + "[solver]\njitter = -1e-8\n",
           "t.toml:11: [solver]: 'jitter' is the number -1e-08, expected a number that is not negative"},
          {good + "[output]\nmodel = ''\n", "t.toml:11: [output]: 'model' is empty"},
          {good + "[output]\nmodle = 'a.h5'\n", "t.toml:11: unknown key 'modle' in [output]; did you mean 'model'?"},
          {good + "[run]\nseed = -1\n", "t.toml:11: [run]: 'seed' is the integer -1, expected at least 0"},
          {good + "[run]\nmemory = 0\n", "t.toml:11: [run]: 'memory' is the integer 0, expected a number larger than 0 (GB)"},
      });
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
