// Lists of symmetry functions as text.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <optional>
#include <sstream>

namespace gapkit {
namespace {

using FunctionKind = SymmetryFunction::Kind;

const char* const symmetry_kind_names[] = {"G2", "G4", "G5", "wG2", "wG4"};

const std::vector<std::string> radial_keys = {"eta", "r_s", "cutoff"}, angular_keys = {"eta", "r_s", "cutoff", "lambda", "zeta"};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// Reads one entry of a list.
class EntryReader {
 public:
  EntryReader(const std::string& line, int entry, double cutoff) : line_(line), entry_(entry) {
    listed_.entry = entry;
    listed_.function.cutoff = cutoff;
  }

  ListedFunction read() {
    std::vector<std::string> words = words_of(line_);
    std::size_t next = 0;
    if (words.front().back() == ':') {
      const std::string centre = words.front().substr(0, words.front().size() - 1);
      listed_.centre = find_atomic_number(centre);
      if (listed_.centre == 0) fail(fmt::format("'{}' is no element, expected the symbol of a centre before ':'", centre));
      ++next;
    }
    if (next == words.size()) fail("it has no kind, expected G2, G4, G5, wG2 or wG4");
    read_kind(words[next++]);
    std::vector<int> elements;
    for (; next < words.size() && words[next].find('=') == std::string::npos; ++next) {
      elements.push_back(find_atomic_number(words[next]));
      if (elements.back() == 0) fail(fmt::format("'{}' is neither an element nor key=number", words[next]));
    }
    set_elements(elements);
    for (; next < words.size(); ++next) read_number(words[next]);
    check();
    return listed_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(fmt::format("symmetry_functions: entry {} of 'functions', \"{}\": {}", entry_, line_, what));
  }

  void read_kind(const std::string& name) {
    const auto* const found = std::find(std::begin(symmetry_kind_names), std::end(symmetry_kind_names), name);
    if (found == std::end(symmetry_kind_names)) fail(fmt::format("'{}' is no kind, expected G2, G4, G5, wG2 or wG4", name));
    listed_.function.kind = static_cast<FunctionKind>(found - std::begin(symmetry_kind_names));
  }

  void set_elements(std::vector<int> elements) {
    SymmetryFunction& f = listed_.function;
    const std::size_t needed = f.is_weighted() ? 0 : f.is_angular() ? 2 : 1;
    if (elements.size() != needed && (f.is_weighted() || !elements.empty()))
      fail(fmt::format("it names {} element{}, expected {}", elements.size(), elements.size() == 1 ? "" : "s",
                       needed == 0   ? "none: the function counts all elements"
                       : needed == 1 ? "one, or none for one function of each element"
                                     : "two, or none for one function of each pair"));
    std::sort(elements.begin(), elements.end());
    listed_.has_elements = f.is_weighted() || !elements.empty();
    if (!elements.empty()) f.first = elements[0];
    if (elements.size() > 1) f.second = elements[1];
  }

  void read_number(const std::string& word) {
    const std::size_t place = word.find('=');
    if (place == std::string::npos) fail(fmt::format("'{}' stands behind the numbers, expected key=number", word));
    const std::string key = word.substr(0, place);
    const auto& known = listed_.function.is_angular() ? angular_keys : radial_keys;
    if (std::find(known.begin(), known.end(), key) == known.end()) fail(fmt::format("unknown key '{}'{}", key, suggestion(key, known)));
    if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) fail(fmt::format("'{}' stands twice", key));
    seen_.push_back(key);
    double value = 0;
    const char *begin = word.data() + place + 1, *end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value)) fail(fmt::format("'{}' is no number", word));
    set(key, value);
  }

  void set(const std::string& key, double value) {
    SymmetryFunction& f = listed_.function;
    if (key == "eta") f.eta = value;
    if (key == "r_s") f.shift = value;
    if (key == "cutoff") f.cutoff = value;
    if (key == "zeta") f.zeta = value;
    if (key == "lambda") {
      if (std::abs(value) != 1) fail(fmt::format("lambda is {}, expected 1 or -1", value));
      f.lambda = value > 0 ? 1 : -1;
    }
  }

  void check() const {
    const SymmetryFunction& f = listed_.function;
    for (const std::string& key : f.is_angular() ? std::vector<std::string>{"eta", "lambda", "zeta"} : std::vector<std::string>{"eta"})
      if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) fail(fmt::format("'{}' is missing", key));
    if (f.eta < 0) fail(fmt::format("eta is {}, expected at least 0 1/Å²", f.eta));
    if (f.zeta < 1) fail(fmt::format("zeta is {}, expected at least 1", f.zeta));
    if (!(f.cutoff > 0)) fail(fmt::format("cutoff is {}, expected more than 0 Å", f.cutoff));
    if (f.shift < 0 || f.shift > f.cutoff) fail(fmt::format("r_s is {}, expected 0 to the cutoff {} Å", f.shift, f.cutoff));
  }

  std::string line_;
  int entry_;
  ListedFunction listed_;
  std::vector<std::string> seen_;
};

}  // namespace

std::string SymmetryFunction::text() const {
  std::string result = symmetry_kind_names[static_cast<int>(kind)];
  if (first > 0) result += " " + element_symbol(first);
  if (second > 0) result += " " + element_symbol(second);
  result += fmt::format(" eta={}", eta);
  if (shift != 0) result += fmt::format(" r_s={}", shift);
  if (is_angular()) result += fmt::format(" lambda={} zeta={}", lambda, zeta);
  return result + fmt::format(" cutoff={}", cutoff);
}

std::vector<ListedFunction> read_symmetry_functions(const std::string& text, double cutoff) {
  std::vector<ListedFunction> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (words_of(line).empty()) continue;
    result.push_back(EntryReader(line, static_cast<int>(result.size()) + 1, cutoff).read());
  }
  return result;
}

}  // namespace gapkit
