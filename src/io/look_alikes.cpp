#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/look_alikes.hpp>
#include <gapkit/io/name_words.hpp>

namespace gapkit {

namespace {

constexpr std::size_t most_names = 50;  // of matches for one target

/// Parts of names that resemble the name of a target.
struct Sound {
  std::vector<std::string_view> known;    // default names, which are found anyway
  std::vector<std::string_view> parts;    // anywhere in the name, case and separators left out
  std::vector<std::string_view> words;    // a word of the name, or one letter beside it
  std::vector<std::string_view> letters;  // a word of the name, if its other words are neutral
};

/// Of one source of a target.
Sound sound_of(const TargetSource& source) {
  Sound sound;
  if (source.name == std::string_view("energy"))
    sound = {{}, {"energ", "toten", "etot", "epot"}, {"energy", "energie"}, {"e", "en", "eng", "ener", "enrg", "pe"}};
  else if (source.name == std::string_view("forces"))
    sound = {{}, {"forc", "grad"}, {"force", "forces"}, {"f", "frc"}};
  else if (source.name == std::string_view("virial"))
    sound = {{}, {"virial"}, {"virial"}, {"vir", "w"}};
  else if (source.name == std::string_view("stress"))
    sound = {{}, {"stress"}, {"stress"}, {"press", "pressure"}};
  else
    sound = {{}, {source.name}, {source.name}, {}};
  sound.known.assign(source.endings.begin(), source.endings.end());
  return sound;
}

/// Of each source, made once.
const std::map<std::string_view, Sound>& sounds() {
  static const std::map<std::string_view, Sound> all = [] {
    std::map<std::string_view, Sound> result;
    for (const TargetSource& source : target_sources()) result.emplace(source.name, sound_of(source));
    return result;
  }();
  return all;
}

/// Words of names of other quantities, or of properties of a target.
constexpr std::string_view words_of_no_target[] = {
    "sigma",       "std",         "stdev",      "weight",      "weights",    "mask",     "kinetic", "kin",     "ekin",       "fermi",
    "gap",         "cutoff",      "cut",        "encut",       "per",        "local",    "error",   "err",     "variance",   "epistemic",
    "samples",     "uncertainty", "shift",      "correction",  "zpe",        "hull",     "above",   "field",   "magnetic",   "kcal",
    "levels",      "count",       "time",       "atomization", "cohesive",   "bandgap",  "band",    "tol",     "tolerance",  "threshold",
    "convergence", "conv",        "formation",  "zero",        "zpve",       "ecut",     "ecutwfc", "cutoffs", "thermal",    "barrier",
    "binding",     "adsorption",  "reaction",   "excitation",  "ionization", "affinity", "homo",    "lumo",    "hartree",    "exchange",
    "xc",          "coulomb",     "dispersion", "vdw",         "repulsion",  "surface",  "strain",  "elastic", "difference", "diff",
    "delta",       "rmse",        "mae",        "range",       "min",        "max",      "entropy", "smearing"};
/// Words that may stand beside a single letter.
constexpr std::string_view neutral_words[] = {"tot", "total", "dft",  "ref", "pot",    "vasp",   "qm",    "cp",  "k",    "qe",
                                              "pbe", "scf",   "ccsd", "t",   "xtb",    "tb",     "mp",    "ks",  "scan", "all",
                                              "x",   "y",     "z",    "xyz", "tensor", "matrix", "voigt", "gpa", "kbar"};

template <class Range>
bool holds(const Range& words, std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// True for one letter more, less or different, or two neighbours exchanged.
bool is_one_letter_off(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  std::size_t i = 0;
  while (i < a.size() && a[i] == b[i]) ++i;
  const std::string_view rest_a = a.substr(i), rest_b = b.substr(i);
  if (a.size() < b.size()) return rest_a == rest_b.substr(1);
  if (rest_a.size() < 2) return !rest_a.empty();
  const bool is_exchanged = rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] && rest_a.substr(2) == rest_b.substr(2);
  return rest_a.substr(1) == rest_b.substr(1) || is_exchanged;
}

/// A letter and a neutral word in one: "fdft", "dftf".
bool is_glued(std::string_view word, const Sound& sound) {
  for (const std::string_view letter : sound.letters) {
    if (word.size() < letter.size() + 2) continue;
    if (word.starts_with(letter) && holds(neutral_words, word.substr(letter.size()))) return true;
    if (word.ends_with(letter) && holds(neutral_words, word.substr(0, word.size() - letter.size()))) return true;
  }
  return false;
}

/// How close a name is to the name of a target: 0 (same but for the case), 1 (one of its words), 2 (similar); absent if it is not.
std::optional<int> rank_of(std::string_view name, const Sound& sound) {
  const std::vector<std::string> words = words_of(name);
  if (std::any_of(words.begin(), words.end(), [](const std::string& word) { return holds(words_of_no_target, word); })) return std::nullopt;
  std::string whole;
  for (const std::string& word : words) whole += word;
  if (holds(sound.known, whole)) return 0;
  for (const std::string& word : words)
    if (holds(sound.words, word)) return 1;
  for (const std::string_view part : sound.parts)
    if (whole.find(part) != std::string::npos) return 1;
  for (const std::string& word : words) {
    for (const std::string_view known : sound.words)
      if (word.size() >= 4 && is_one_letter_off(word, known)) return 2;
    const bool others_are_neutral =
        std::all_of(words.begin(), words.end(), [&](const std::string& w) { return w == word || holds(neutral_words, w); });
    if (others_are_neutral && (holds(sound.letters, word) || is_glued(word, sound))) return 2;
  }
  return std::nullopt;
}

/// Numbers of a field; 0 if it holds anything else.
std::size_t number_count(const Field& field) {
  if (std::holds_alternative<double>(field.value) || std::holds_alternative<std::int64_t>(field.value)) return 1;
  if (const auto* reals = std::get_if<std::vector<double>>(&field.value)) return reals->size();
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&field.value)) return integers->size();
  if (const auto* matrix = std::get_if<Matrix>(&field.value)) return static_cast<std::size_t>(matrix->size());
  return 0;
}

bool is_numeric(const Column& column) {
  return std::holds_alternative<std::vector<double>>(column.values) || std::holds_alternative<std::vector<std::int64_t>>(column.values);
}

/// "virial or stress"
std::string plain_name(Property property) {
  std::string text;
  for (const TargetSource& source : target_info(property).sources) text += (text.empty() ? "" : " or ") + std::string(source.name);
  return text;
}

/// The source of the target that a name is like, and how close it is.
struct Likeness {
  const TargetSource* source = nullptr;
  int rank = 0;
};
std::optional<Likeness> likeness_of(std::string_view name, const TargetInfo& target) {
  for (const TargetSource& source : target.sources)
    if (const std::optional<int> rank = rank_of(name, sounds().at(source.name))) return Likeness{&source, *rank};
  return std::nullopt;
}

/// True if this number of values can be the rows of one structure, or of one atom; a symmetric tensor may have nine.
bool has_form(const TargetInfo& target, std::size_t count) {
  return count == static_cast<std::size_t>(target.components) || (target.is_tensor() && count == 9);
}

/// The name without an ending such as "x", "_x" or "xx" ("X" and "XX" likewise); absent if it has no such ending.
std::optional<std::string> without_ending(std::string_view name, std::string_view ending) {
  if (name.size() <= ending.size()) return std::nullopt;
  const std::string_view last = name.substr(name.size() - ending.size());
  for (std::size_t i = 0; i < last.size(); ++i)
    if (last[i] != ending[i] && last[i] != ending[i] - 'a' + 'A') return std::nullopt;
  return std::string(name.substr(0, name.size() - ending.size()));
}

/// "'fx', 'fy' and 'fz'" if the frame has such columns of one number; else absent.
std::string split_columns(const Structure& frame, const TargetInfo& target) {
  const auto has = [&](const std::string& name) {
    const Column* column = frame.find_column(name);
    return column && column->count == 1 && is_numeric(*column);
  };
  for (const Column& column : frame.columns) {
    const std::optional<std::string> stem = without_ending(column.name, "x");
    if (!stem || !likeness_of(*stem, target)) continue;
    const bool is_upper = column.name.ends_with('X');
    const std::string y = *stem + (is_upper ? "Y" : "y"), z = *stem + (is_upper ? "Z" : "z");
    if (has(column.name) && has(y) && has(z)) return fmt::format("'{}', '{}' and '{}'", column.name, y, z);
  }
  return "";
}

/// The same for keys such as stress_xx, stress_yy, stress_zz.
std::string split_keys(const Structure& frame, const TargetInfo& target) {
  const auto has = [&](const std::string& name) {
    const Field* field = frame.find_field(name);
    return field && number_count(*field) == 1;
  };
  for (const Field& field : frame.fields) {
    const std::optional<std::string> stem = without_ending(field.key, "xx");
    if (!stem || !likeness_of(*stem, target)) continue;
    const bool is_upper = field.key.ends_with("XX");
    const std::string yy = *stem + (is_upper ? "YY" : "yy"), zz = *stem + (is_upper ? "ZZ" : "zz");
    if (has(field.key) && has(yy) && has(zz)) return fmt::format("'{}', '{}', '{}', ...", field.key, yy, zz);
  }
  return "";
}

std::string joined(const std::vector<std::string>& parts, const char* last) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : i + 1 == parts.size() ? last : ", ") + parts[i];
  return text;
}

}  // namespace

void LookAlikes::add(const Structure& frame) {
  ++frames_;
  for (const TargetInfo& target : targets()) {
    const bool has_it = !target.rows(frame).empty();
    Found& found = found_[target.property];
    found.frames_with += has_it;
    found.several_with += has_it && frame.size() > 1;
    if (!has_it && target.shown_scale(frame)) look(target, frame);  // without volume there is no virial
  }
  if (!frame.energy) scalars_.add(frame, keys_.base);
}

void LookAlikes::look(const TargetInfo& target, const Structure& frame) {
  Found& found = found_[target.property];
  ++found.frames_without;
  if (keys_.names_any(target)) return;
  const auto add_candidate = [&](const std::string& name, const Likeness& likeness) {
    const auto same = std::find_if(found.matches.begin(), found.matches.end(), [&](const Match& c) { return c.name == name; });
    found.several_could = found.several_could || frame.size() > 1;
    if (same != found.matches.end())
      ++same->frames;
    else if (found.matches.size() < most_names)
      found.matches.push_back({name, likeness.source->name, likeness.rank, 1});
  };
  const auto add_misplaced = [&](const std::string& name, const std::string& form) {
    const bool is_known = std::any_of(found.misplaced.begin(), found.misplaced.end(), [&](const Misplaced& m) { return m.name == name; });
    if (!is_known && found.misplaced.size() < most_names) found.misplaced.push_back({name, form});
  };
  const bool is_column = target.sources.front().is_column;
  const std::string first = target.sources.front().name;
  const auto atoms = static_cast<std::size_t>(frame.size());
  for (const Field& field : frame.fields) {
    if (keys_.base.reads(field.key)) continue;
    const std::size_t count = number_count(field);
    const std::optional<Likeness> likeness = count > 0 ? likeness_of(field.key, target) : std::nullopt;
    if (!likeness) continue;
    if (!is_column && has_form(target, count)) add_candidate(field.key, *likeness);
    if (is_column && count == static_cast<std::size_t>(target.components) * atoms && atoms > 1)
      add_misplaced(field.key, fmt::format("the key '{}' has {} numbers and is no column", field.key, count));
  }
  if (target.is_vector_of_atoms())
    if (const std::string names = split_columns(frame, target); !names.empty())
      add_misplaced(names, fmt::format("the columns {} have one component each; write the three as one column ({}:R:3)", names, first));
  if (target.is_tensor())
    if (const std::string names = split_keys(frame, target); !names.empty())
      add_misplaced(
          names, fmt::format("the keys {} have one component each; write all as one key (stress or virial=\"xx yy zz yz xz xy\")", names));
  for (const Column& column : frame.columns) {
    if (keys_.base.reads(column.name)) continue;
    const std::optional<Likeness> likeness = is_numeric(column) ? likeness_of(column.name, target) : std::nullopt;
    if (!likeness || !has_form(target, static_cast<std::size_t>(column.count))) continue;
    if (is_column)
      add_candidate(column.name, *likeness);
    else if (likeness->source == &target.sources.front())
      add_misplaced(column.name, fmt::format("the column '{}' has {} and is not the {} of the frame", column.name,
                                             column.count == 1 ? "one value per atom" : "values of each atom", first));
  }
}

bool LookAlikes::is_lost(Property target) const {
  const Found& f = found(target);
  return f.several_with == 0 && (f.frames_with == 0 || f.several_could) && !(f.matches.empty() && f.misplaced.empty());
}

bool LookAlikes::has_atoms_only(Property target) const {
  return is_lost(target) && found(target).frames_with > 0;
}

bool LookAlikes::lacks_energy() const {
  const Found& f = found(Property::energy);
  if (frames_ == 0 || !keys_.use[Property::energy] || !keys_.named("energy").empty() || is_lost(Property::energy)) return false;
  return f.frames_with == 0 || (f.several_with == 0 && f.frames_without > 0 && has_unknown_scalar());
}

std::vector<Property> LookAlikes::lost() const {
  std::vector<Property> all;
  for (const TargetInfo& target : targets())
    if (keys_.use[target.property] && is_lost(target.property)) all.push_back(target.property);
  return all;
}

bool LookAlikes::is_partly_lost(Property target) const {
  return found(target).frames_with > 0 && !is_lost(target) && !found(target).matches.empty();
}

std::vector<LookAlikes::Match> LookAlikes::best_first(Property target) const {
  std::vector<Match> all = found(target).matches;
  std::stable_sort(all.begin(), all.end(),
                   [](const Match& a, const Match& b) { return a.rank != b.rank ? a.rank < b.rank : a.frames > b.frames; });
  return all;
}

/// "the key 'Energy' looks like the energy"
std::string LookAlikes::likeness(Property target) const {
  const std::vector<Match> all = best_first(target);
  if (all.empty()) {
    std::vector<std::string> forms;
    for (const Misplaced& m : found(target).misplaced) forms.push_back(m.form);
    return joined(forms, " and ");
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all.size() && i < 4; ++i) names.push_back("'" + extxyz::excerpt(all[i].name) + "'");
  const bool is_column = target_info(target).sources.front().is_column;
  const bool is_pressure = !is_column && all.front().name.size() > 4 && words_of(all.front().name).front().starts_with("press");
  const bool is_gradient = is_column && words_of(all.front().name).back().find("grad") != std::string::npos;
  return fmt::format("the {}{} {} look{} like the {}{}", is_column ? "column" : "key", names.size() == 1 ? "" : "s", joined(names, " and "),
                     names.size() == 1 ? "s" : "", all.front().source,
                     is_gradient   ? " (which have the opposite sign of a gradient)"
                     : is_pressure ? " (which has the opposite sign of a pressure)"
                                   : "");
}

/// `[data] energy_key = "Energy" (or --energy-key Energy)`
std::string LookAlikes::advice(const std::vector<Property>& targets, Reader reader) const {
  std::vector<std::string> keys, flags;
  for (const Property target : targets) {
    const std::vector<Match> all = best_first(target);
    if (all.empty()) continue;
    const std::string& key = all.front().source;
    keys.push_back(fmt::format("{}_key = \"{}\"", key, all.front().name));
    flags.push_back(fmt::format("--{}-key {}", key, all.front().name));
  }
  if (keys.empty()) return "";
  if (reader == Reader::prediction) return fmt::format("; if so, name {} with {}", keys.size() == 1 ? "it" : "them", fmt::join(flags, " "));
  return fmt::format("; if so, name {} with [data] {} (or {})", keys.size() == 1 ? "it" : "them", joined(keys, ", "),
                     fmt::format("{}", fmt::join(flags, " ")));
}

std::string LookAlikes::lost_sentence(const std::vector<Property>& targets, Reader reader) const {
  std::vector<std::string> names, likenesses;
  for (const Property target : targets) {
    names.emplace_back(plain_name(target));
    likenesses.push_back(likeness(target));
  }
  const bool is_of_atoms = std::any_of(targets.begin(), targets.end(), [&](Property target) { return has_atoms_only(target); });
  std::string text =
      fmt::format("no frame of {} has {}{} under a known name, but {}{}", is_of_atoms ? "several atoms" : std::to_string(frames_),
                  target_info(targets.front()).is_per_atom ? ""
                  : targets.front() == Property::energy    ? "an "
                                                           : "a ",
                  joined(names, " or "), joined(likenesses, " and "), advice(targets, reader));
  if (reader == Reader::prediction || std::find(targets.begin(), targets.end(), Property::energy) == targets.end()) return text;
  return text +
         (found(Property::energy).matches.empty()
              ? fmt::format("; give each frame its energy as a key (energy=...), or leave energies out with {}", use_without_energy())
              : fmt::format("; if it is not the energy, leave energies out with {}", use_without_energy()));
}

/// `[data] use = ["forces", "virial"]`, of the targets that are there
std::string LookAlikes::use_without_energy() const {
  std::vector<std::string> use;
  for (const TargetInfo& target : targets())
    if (target.property != Property::energy && (found(target.property).frames_with > 0 || is_lost(target.property)))
      use.push_back(fmt::format("\"{}\"", target.sources.front().name));
  return fmt::format("[data] use = [{}]", use.empty() ? "\"forces\"" : fmt::format("{}", fmt::join(use, ", ")));
}

std::string LookAlikes::no_energy_sentence() const {
  constexpr std::size_t most_listed = 5;
  std::vector<std::string> names = scalars_.in_every_frame();
  std::string text = fmt::format("no frame of {} has an energy under a known name (energy, REF_energy, dft_energy, DFT_energy)",
                                 found(Property::energy).frames_with > 0 ? "several atoms" : std::to_string(frames_));
  if (names.empty())
    return text + fmt::format("; give each frame its energy as a key (energy=...), or leave energies out with {}", use_without_energy());
  const std::string first = names.front();
  const bool has_more = names.size() > most_listed;
  if (has_more) names.resize(most_listed);
  for (std::string& name : names) name = "'" + extxyz::excerpt(name) + "'";
  const bool is_one = names.size() == 1;
  return text + fmt::format(
                    "; the key{} {}{} hold{} a number in every frame: if {} the energy (eV), name it with [data] energy_key = "
                    "\"{}\" (or --energy-key {}); if not, leave energies out with {}",
                    is_one ? "" : "s", joined(names, has_more ? ", " : " and "), has_more ? ", ..." : "", is_one ? "s" : "",
                    is_one ? "it is" : "one of them is", is_one ? first : "NAME", is_one ? first : "NAME", use_without_energy());
}

std::string LookAlikes::partly_lost_sentence(Property target) const {
  return fmt::format("{} of {} frames have no {} under a known name, but {}{}", found(target).frames_without, frames_, plain_name(target),
                     likeness(target), advice({target}));
}

}  // namespace gapkit
