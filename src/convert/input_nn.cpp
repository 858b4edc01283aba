// Settings of n2p2 and RuNNer: Singraber et al., J. Chem. Theory Comput. 15, 1827 (2019); Behler, Int. J. Quantum Chem. 115, 1032 (2015).

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <gapkit/convert/input_nn.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <map>
#include <sstream>

#include "convert/input_nn_words.hpp"

namespace gapkit {
namespace {

const char* const nn_cutoff_names[] = {"hard", "cos", "tanhu", "tanh", "exp", "poly1", "poly2", "poly3", "poly4"};
constexpr int nn_cutoff_count = 9;
constexpr int most_layers = 16;  // of the kernel ntk

struct NnLine {
  int number = 0;
  std::string keyword = {};
  std::vector<std::string> words = {};  // behind the keyword
};

std::vector<NnLine> lines_of_settings(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw InputError(fmt::format("{}: the file cannot be read", path.string()));
  std::vector<NnLine> lines;
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    std::istringstream words(text.substr(0, text.find('#')));
    NnLine line;
    line.number = number;
    if (!(words >> line.keyword)) continue;
    for (std::string word; words >> word;) line.words.push_back(word);
    lines.push_back(std::move(line));
  }
  return lines;
}

class NnTranslator {
 public:
  explicit NnTranslator(const std::filesystem::path& path) : path_(path.string()), lines_(lines_of_settings(path)) {}

  InputNnTranslation translate() {
    for (const NnLine& line : lines_) read(line);
    check_elements();
    list_functions();
    if (functions_.empty())
      throw InputError(path_ + ": no symmetry functions, expected lines with symfunction_short (is this a file of settings, input.nn?)");
    finish_notes();
    write();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const NnLine& line, const std::string& what) const {
    throw InputError(fmt::format("{}:{}: {}: {}", path_, line.number, line.keyword, what));
  }

  const std::string& word(const NnLine& line, std::size_t i, const char* name) const {
    if (i >= line.words.size()) fail(line, fmt::format("{} words, the {} is missing", line.words.size(), name));
    return line.words[i];
  }

  double number(const NnLine& line, std::size_t i, const char* name) const {
    std::string text = word(line, i, name);
    std::replace(text.begin(), text.end(), 'd', 'e');  // exponents of Fortran
    std::replace(text.begin(), text.end(), 'D', 'e');
    const char* const begin = text.data() + (text.front() == '+' ? 1 : 0);
    double value = 0;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      fail(line, fmt::format("the {} is '{}', expected a number", name, line.words[i]));
    return value;
  }

  int integer(const NnLine& line, std::size_t i, const char* name) const {
    const double value = number(line, i, name);
    if (value != std::floor(value) || std::abs(value) > 1e6) fail(line, fmt::format("the {} is {}, expected an integer", name, value));
    return static_cast<int>(value);
  }

  std::string element(const NnLine& line, std::size_t i, const char* name) const {
    const int z = find_atomic_number(word(line, i, name));
    if (z == 0) fail(line, fmt::format("the {} is '{}', expected the symbol of an element", name, line.words[i]));
    return element_symbol(z);
  }

  void read(const NnLine& line) {
    const std::string& key = line.keyword;
    if (key == "elements")
      for (std::size_t i = 0; i < line.words.size(); ++i) elements_.push_back(element(line, i, "element"));
    else if (key == "cutoff_type")
      read_cutoff(line);
    else if (key == "symfunction_short")
      read_function(line, element(line, 0, "centre"), true, 1);
    else if (key == "element_symfunction_short")
      read_function(line, element(line, 0, "centre"), false, 1);
    else if (key == "global_symfunction_short")
      read_function(line, "", false, 0);
    else if (key == "atom_energy")
      atom_energies_[element(line, 0, "element")] = number(line, 1, "energy") * ev_per_hartree;
    else if (key == "global_hidden_layers_short")
      read_layers(line);
    else if (key == "scale_symmetry_functions")
      scales_ = true;
    else if (key == "scale_symmetry_functions_sigma")
      by_sigma_ = true;
    else if (key == "center_symmetry_functions")
      centres_ = true;
    else if (key == "scale_min_short")
      scale_min_ = number(line, 0, "value");
    else if (key == "scale_max_short")
      scale_max_ = number(line, 0, "value");
    else if (is_network_keyword(key))
      of_network_.push_back(key);
    else
      name_unknown(line);
  }

  void name_unknown(const NnLine& line) {
    const std::string nearest = nearest_name(line.keyword, nn_translated_keywords());
    const std::string guess = nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
    std::string keyword = line.keyword;  // stands in a comment of TOML
    std::replace_if(
        keyword.begin(), keyword.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
    result_.unknown.push_back(fmt::format("line {}: {}{}", line.number, keyword, guess));
  }

  void read_layers(const NnLine& line) {
    hidden_layers_ = integer(line, 0, "number of layers");
    if (hidden_layers_ < 1) fail(line, fmt::format("the number of layers is {}, expected at least 1", hidden_layers_));
    if (hidden_layers_ <= most_layers) return;
    result_.notes.push_back(
        fmt::format("line {}: {} hidden layers; the kernel has {}, the most that it can have", line.number, hidden_layers_, most_layers));
    hidden_layers_ = most_layers;
  }

  void read_cutoff(const NnLine& line) {
    const int type = integer(line, 0, "type");
    if (type < 0 || type >= nn_cutoff_count) fail(line, fmt::format("the type is {}, expected 0 to {}", type, nn_cutoff_count - 1));
    cutoff_function_ = nn_cutoff_names[type];
    alpha_ = line.words.size() > 1 ? number(line, 1, "inner cutoff") : 0;
    if (!(alpha_ >= 0 && alpha_ < 1)) fail(line, fmt::format("the inner cutoff is {}, expected 0 ≤ α < 1", alpha_));
    if (alpha_ > 0 && (type == 0 || type == 2 || type == 3)) {
      result_.notes.push_back(fmt::format("line {}: cutoff_type {} ignores its inner cutoff {}", line.number, type, alpha_));
      alpha_ = 0;
    }
  }

  // `next`: place of the type among the words.
  void read_function(const NnLine& line, const std::string& centre, bool has_elements, std::size_t next) {
    const int type = integer(line, next++, "type");
    static const std::map<int, std::string> names = {{2, "G2"}, {3, "G4"}, {9, "G5"}, {12, "wG2"}, {13, "wG4"}};
    const auto name = names.find(type);
    if (name == names.end())
      fail(line,
           type >= 20 && type <= 25
               ? fmt::format("type {} is a function of compact support (polynomials instead of Gaussians), which gapkit does not have; "
                             "remove the line, or use the types 2, 3, 9, 12, 13",
                             type)
               : fmt::format("type {}, expected 2, 3, 9, 12 or 13", type));
    const bool is_angular = type == 3 || type == 9 || type == 13, is_weighted = type >= 12;
    Given given{line.number, centre, name->second, {}, !has_elements && !is_weighted ? (is_angular ? 2 : 1) : 0, {}, 0};
    std::vector<std::string> neighbours;  // in one order: equal functions have equal texts
    for (int i = 0; has_elements && !is_weighted && i < (is_angular ? 2 : 1); ++i) neighbours.push_back(element(line, next++, "neighbour"));
    std::sort(neighbours.begin(), neighbours.end());
    for (const std::string& symbol : neighbours) given.neighbours += " " + symbol;
    std::string& text = given.numbers;
    double eta = number(line, next++, "eta"), shift = 0, lambda = 0, zeta = 1;
    if (!is_angular || is_weighted) shift = number(line, next++, "shift r_s");
    if (is_angular) {
      lambda = number(line, next++, "lambda");
      zeta = number(line, next++, "zeta");
      if (std::abs(lambda) != 1) fail(line, fmt::format("lambda is {}, expected 1 or -1", lambda));
      if (!(zeta >= 1)) fail(line, fmt::format("zeta is {}, expected at least 1", zeta));
    }
    const double cutoff = number(line, next++, "cutoff");
    if (is_angular && !is_weighted && next < line.words.size()) shift = number(line, next++, "shift r_s");
    if (next < line.words.size()) fail(line, fmt::format("'{}' stands behind the last number", line.words[next]));
    if (!(eta >= 0)) fail(line, fmt::format("eta is {}, expected at least 0", eta));
    if (!(cutoff > 0) || !(shift >= 0 && shift <= cutoff))
      fail(line, fmt::format("the cutoff is {} and the shift {}, expected 0 ≤ shift ≤ cutoff", cutoff, shift));
    eta /= angstrom_per_bohr * angstrom_per_bohr;
    text += fmt::format(" eta={:.15g}", eta);
    if (shift > 0) text += fmt::format(" r_s={:.15g}", shift * angstrom_per_bohr);
    if (is_angular) text += fmt::format(" lambda={} zeta={:.15g}", lambda, zeta);
    given.cutoff = cutoff * angstrom_per_bohr;
    given.neighbour_symbols = neighbours;
    given_.push_back(std::move(given));
  }

  /// A function of the file; without a centre it is of all elements.
  struct Given {
    int line;
    std::string centre, kind, neighbours;
    int open_neighbours;  // all elements stand in these places
    std::string numbers;
    double cutoff;  // Å
    std::vector<std::string> neighbour_symbols = {};
  };

  // Elements of functions stand in the line of elements, if there is one: else a misspelt one would become a function without data.
  void check_elements() const {
    const auto check = [&](const Given& given, const std::string& symbol) {
      if (elements_.empty() || symbol.empty() || std::find(elements_.begin(), elements_.end(), symbol) != elements_.end()) return;
      throw InputError(fmt::format("{}:{}: the function names {}, which the line 'elements' lacks", path_, given.line, symbol));
    };
    for (const Given& given : given_) {
      check(given, given.centre);
      for (const std::string& symbol : given.neighbour_symbols) check(given, symbol);
    }
  }

  struct Function {
    std::string text;
    double cutoff;  // Å
    bool operator==(const Function&) const = default;
  };

  // One entry for each centre and each set of neighbours, as two lines may share some of these; without the line of elements as given.
  void list_functions() {
    std::sort(elements_.begin(), elements_.end(),
              [](const std::string& a, const std::string& b) { return find_atomic_number(a) < find_atomic_number(b); });
    elements_.erase(std::unique(elements_.begin(), elements_.end()), elements_.end());
    for (const Given& given : given_) {
      std::vector<std::string> neighbours = {given.neighbours};
      for (std::size_t a = 0; given.open_neighbours > 0 && a < elements_.size(); ++a) {
        if (a == 0) neighbours.clear();
        for (std::size_t b = a; b < (given.open_neighbours == 2 ? elements_.size() : a + 1); ++b) {
          const std::string &first = std::min(elements_[a], elements_[b]), &second = std::max(elements_[a], elements_[b]);
          neighbours.push_back(" " + (given.open_neighbours == 2 ? first + " " + second : elements_[a]));
        }
      }
      std::vector<std::string> centres = {given.centre};
      if (given.centre.empty() && !elements_.empty()) centres = elements_;
      int dropped = 0;
      for (const std::string& centre : centres)
        for (const std::string& symbols : neighbours)
          dropped += !add({(centre.empty() ? "" : centre + ": ") + given.kind + symbols + given.numbers, given.cutoff});
      if (dropped > 0)
        result_.notes.push_back(dropped == static_cast<int>(centres.size() * neighbours.size())
                                    ? fmt::format("line {}: the function stands there before; dropped", given.line)
                                    : fmt::format("line {}: {} of its {} functions stand there before; dropped", given.line, dropped,
                                                  centres.size() * neighbours.size()));
    }
  }

  bool add(const Function& function) {
    if (std::find(functions_.begin(), functions_.end(), function) != functions_.end()) return false;
    functions_.push_back(function);
    return true;
  }

  std::string scaling() {
    if (by_sigma_ && scales_) result_.notes.emplace_back("scale_symmetry_functions and …_sigma: the second is taken");
    if (by_sigma_ && (scale_min_ != 0 || scale_max_ != 1))
      result_.notes.emplace_back("scale_min_short and scale_max_short: not used with scaling by sigma");
    if (by_sigma_) return "sigma";
    if (scales_ && !centres_ && !(scale_min_ < scale_max_))
      throw InputError(
          fmt::format("{}: scale_min_short is {}, expected less than scale_max_short, which is {}", path_, scale_min_, scale_max_));
    if (scales_) return centres_ ? "range_centred" : "range";
    return centres_ ? "centre" : "none";
  }

  void finish_notes() {
    if (cutoff_function_.empty()) {
      cutoff_function_ = "cos";
      result_.notes.emplace_back("no cutoff_type: cos");
    }
    if (cutoff_function_ == "hard") result_.notes.emplace_back("cutoff_type 0 jumps at the cutoff: gapkit fits energies only with it");
    result_.notes.emplace_back("lengths are taken as bohr and energies as hartree");
    result_.notes.emplace_back("the kernel is that of an infinitely wide network with as many hidden layers and the activation gelu");
    if (of_network_.empty()) return;
    std::sort(of_network_.begin(), of_network_.end());
    of_network_.erase(std::unique(of_network_.begin(), of_network_.end()), of_network_.end());
    std::string text = "of the network and its training, without a counterpart here:";
    for (const std::string& key : of_network_) text += " " + key;
    result_.notes.push_back(text);
  }

  void write() {
    double cutoff = 0;
    for (const Function& f : functions_) cutoff = std::max(cutoff, f.cutoff);
    const std::string scaled_by = scaling();
    std::string& out = result_.toml;
    out = "# Symmetry functions of " + std::filesystem::path(path_).filename().string() + ". Lengths in Å, energies in eV.\n";
    for (const std::string& note : result_.notes) out += "# Note: " + note + "\n";
    for (const std::string& unknown : result_.unknown) out += "# Unknown keyword: " + unknown + "\n";
    out += "\n[data]\ntrain = [\"train.xyz\"]    # the structures of input.data, as extended XYZ\n\n[reference_energies]\n";
    // Zeros stand for energies that were taken off the data.
    const bool has_all = !elements_.empty() && std::all_of(elements_.begin(), elements_.end(), [&](const std::string& e) {
      return atom_energies_.contains(e) && atom_energies_.at(e) != 0;
    });
    out += fmt::format("mode = \"{}\"\n", has_all ? "explicit" : "least_squares");
    if (has_all) {
      out += "explicit = {";
      for (const auto& [symbol, energy] : atom_energies_)
        out += fmt::format("{} {} = {:.15g}", out.back() == '{' ? "" : ",", symbol, energy);
      out += " }\n";
    }
    out += fmt::format("\n[[term]]\ndescriptor = \"symmetry_functions\"\ncutoff = {:.15g}\ncutoff_function = \"{}\"\n", cutoff,
                       cutoff_function_);
    if (alpha_ > 0) out += fmt::format("cutoff_alpha = {}\n", alpha_);
    out += fmt::format("scaling = \"{}\"\n", scaled_by);
    if (scaled_by == "range") out += fmt::format("scale_min = {:.15g}\nscale_max = {:.15g}\n", scale_min_, scale_max_);
    out += "functions = [\n";
    for (const Function& f : functions_)
      out += fmt::format("  \"{}{}\",\n", f.text, f.cutoff < cutoff ? fmt::format(" cutoff={:.15g}", f.cutoff) : "");
    out += "]\nkernel = \"ntk\"\n";
    if (hidden_layers_ > 0) out += fmt::format("depth = {}\n", hidden_layers_);
    out += "n_sparse = 500\nselection = \"fps\"\n";
  }

  std::string path_;
  std::vector<NnLine> lines_;
  InputNnTranslation result_;
  std::vector<std::string> elements_, of_network_;
  std::map<std::string, double> atom_energies_;  // eV
  std::vector<Given> given_;
  std::vector<Function> functions_;
  std::string cutoff_function_;
  double alpha_ = 0, scale_min_ = 0, scale_max_ = 1;
  int hidden_layers_ = 0;
  bool scales_ = false, by_sigma_ = false, centres_ = false;
};

}  // namespace

InputNnTranslation translate_input_nn(const std::filesystem::path& path) {
  return NnTranslator(path).translate();
}

}  // namespace gapkit
