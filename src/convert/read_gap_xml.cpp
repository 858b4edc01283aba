#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/potentials/potential.hpp>
#include <set>
#include <sstream>

#include "convert/glue_xml.hpp"

namespace gapkit {
namespace {

/// Elements of the training frames that gap_fit copied into the file (plain text: count, comment, atoms with their symbols first).
std::set<int> training_elements(const XmlElement& data) {
  std::set<int> elements;
  std::istringstream lines(data.text);
  for (std::string line; std::getline(lines, line);) {
    const auto count = quip_integer(line);
    if (!count) continue;
    std::getline(lines, line);
    for (int i = 0; i < *count && std::getline(lines, line); ++i) {
      std::istringstream words(line);
      std::string symbol;
      words >> symbol;
      if (const int z = find_atomic_number(symbol); z > 0) elements.insert(z);
    }
  }
  return elements;
}

std::map<int, double> read_reference_energies(const XmlElement& data, bool has_core, GapXmlContext& context) {
  std::map<int, double> energies;
  check_known(data, {"do_core"}, {"e0"}, context);
  const std::string* core = data.find_attribute("do_core");
  if (core && !has_core && quip_logical(*core) != false)
    context.refuse(data, fmt::format("has do_core='{}': the potential was fitted on top of another one (core_param_file), which is not in "
                                     "this file as the sum of a Glue and a GAP",
                                     *core));
  for (const XmlElement* e0 : data.children_named("e0")) {
    check_known(*e0, {"Z", "value"}, {}, context);
    const int z = integer_attribute(*e0, "Z", context);
    if (z < 1 || z > largest_atomic_number || energies.count(z))
      throw InputError(fmt::format("{} has Z={}, expected each from 1 to {} at most once", context.place(*e0), z, largest_atomic_number));
    energies[z] = context.energy_scale * number_attribute(*e0, "value", context);
  }
  return energies;
}

/// Terms of equal settings get one name, as one [[term]] of a configuration would expand to them.
void name_terms(std::vector<Term>& terms) {
  const auto same = [](const Term& a, const Term& b) {
    return a.descriptor_name == b.descriptor_name && a.kernel_name == b.kernel_name && a.delta == b.delta && a.elements.size() > 0 &&
           parameters_to_json(a.descriptor->parameters()) == parameters_to_json(b.descriptor->parameters()) &&
           parameters_to_json(a.kernel->parameters()) == parameters_to_json(b.kernel->parameters());
  };
  std::map<std::string, int> used;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const auto before = std::span(terms).first(t);
    for (const Term& other : before) {
      const bool is_taken = std::any_of(before.begin(), before.end(),
                                        [&](const Term& term) { return term.name == other.name && term.species == terms[t].species; });
      if (same(other, terms[t]) && !is_taken) {
        terms[t].name = other.name;
        break;
      }
    }
    if (!terms[t].name.empty()) continue;
    const int number = ++used[terms[t].descriptor_name];
    terms[t].name = terms[t].descriptor_name + (number > 1 ? fmt::format("_{}", number) : "");
  }
}

/// What the init_args of a <Potential> add up.
struct Parts {
  int gaps = 0, glues = 0;
};

/// Adds what "IP GAP …", "IP Glue …" or a sum of them has.
void read_parts(const XmlElement& potential, const std::string& arguments, Parts& parts, GapXmlContext& context) {
  const std::vector<QuipOption> options = parse_quip_options(arguments, context.place(potential));
  const auto is_word = [&](std::size_t i, const char* word) { return i < options.size() && !options[i].value && options[i].key == word; };
  const bool is_sum = is_word(0, "Sum"), is_gap = is_word(0, "IP") && is_word(1, "GAP"), is_glue = is_word(0, "IP") && is_word(1, "Glue");
  if (!is_sum && !is_gap && !is_glue) {
    context.refuse(potential, fmt::format("has init_args '{}', expected 'IP GAP label=…', or the Sum of it and 'IP Glue'; gapkit reads no "
                                          "other potentials of QUIP",
                                          arguments));
    return;
  }
  parts.gaps += is_gap ? 1 : 0;
  parts.glues += is_glue ? 1 : 0;
  for (std::size_t i = is_sum ? 1 : 2; i < options.size(); ++i) {
    const QuipOption& option = options[i];
    const auto number = quip_number(option.value.value_or(""));
    if (is_sum && (option.key == "init_args_pot1" || option.key == "init_args_pot2")) {
      read_parts(potential, option.value.value_or(""), parts, context);
    } else if (is_gap && option.key == "E_scale" && number && *number > 0) {
      context.energy_scale *= *number;
    } else if (option.key != "label" && !((option.key == "E_scale" || option.key == "r_scale") && number == 1)) {
      context.refuse(potential, fmt::format("has '{}' in init_args, which gapkit does not apply", option_text(option)));
    }
  }
}

/// Glue_params, which gap_fit puts beside the GAP as they stood in core_param_file: also inside an element of their own.
void find_glues(const XmlElement& element, std::vector<const XmlElement*>& glues, GapXmlContext& context) {
  for (const XmlElement& child : element.children) {
    if (child.name == "Glue_params") {
      glues.push_back(&child);
    } else if (child.name != "Potential") {
      context.refuse(child, "is not part of a GAP; gapkit reads no other potentials of QUIP");
    } else {
      Parts parts;
      read_parts(child, text_attribute(child, "init_args", context), parts, context);
      if (parts.gaps > 0) context.refuse(child, "is a GAP inside another potential");
    }
  }
}

struct Document {
  const XmlElement* params = nullptr;  ///< <GAP_params>
  const XmlElement* glue = nullptr;    ///< <Glue_params> that the document's <Potential> adds; null if there is none
};

/// What the document's <Potential> asks for; what else there is becomes a problem.
Document read_document(const XmlElement& root, GapXmlContext& context) {
  if (root.name == "GAP_params") return {&root, nullptr};
  Document document;
  Parts parts;
  std::vector<const XmlElement*> glues;
  for (const XmlElement& child : root.children) {
    if (child.name == "GAP_params") {
      if (document.params) context.refuse(child, "is the second one in the file; gapkit reads one");
      if (!document.params) document.params = &child;
    } else if (child.name == "Glue_params") {
      glues.push_back(&child);
    } else if (child.name == "Potential") {
      read_parts(child, text_attribute(child, "init_args", context), parts, context);
    } else if (child.find_child("Glue_params")) {
      find_glues(child, glues, context);
    } else {
      context.refuse(child, "is not part of a GAP; gapkit reads no other potentials of QUIP");
    }
  }
  if (!document.params) throw InputError(fmt::format("{} holds no <GAP_params>: this is not a potential of gap_fit", context.place(root)));
  if (parts.gaps > 1 || parts.glues > 1)
    context.refuse(root, "has more than one GAP or Glue among its potentials; gapkit reads one of each");
  if (parts.glues > 0 && glues.size() != 1)
    context.refuse(root, fmt::format("adds a Glue and has {} <Glue_params>, expected one", glues.size()));
  if (parts.glues == 1 && glues.size() == 1) document.glue = glues.front();
  if (parts.glues == 0 && !glues.empty())
    context.refuse(*glues.front(), "is not part of the potential that init_args describes ('IP GAP …')");
  if (context.energy_scale != 1) context.other_variance = fmt::format("E_scale={} scales its energies", context.energy_scale);
  return document;
}

void add_glue(const XmlElement& params, Model& model, GapXmlContext& context) {
  const PairTables tables = read_glue(params, context);
  if (!context.problems.empty()) return;
  model.baselines.push_back(make_potential("pair_spline", {{"table", pair_tables_text(tables)}}));
}

void keep_elements_of_terms(Model& model, std::map<int, double> energies, const XmlElement& params, GapXmlContext& context) {
  std::set<int> known;
  for (const Term& term : model.terms) known.insert(term.elements.begin(), term.elements.end());
  for (const int z : known) {
    const auto found = energies.find(z);
    if (found == energies.end()) {
      context.refuse(params, fmt::format("has no <e0> for {}, which its descriptors know", element_symbol(z)));
      continue;
    }
    model.reference_energies.insert(*found);
    energies.erase(found);
  }
  const auto others = std::count_if(energies.begin(), energies.end(), [](const auto& e) { return e.second != 0; });
  if (others > 0)
    context.notes.push_back(
        fmt::format("e0 of {} elements that no descriptor knows are left out: the model refuses structures with them", others));
}

/// The order of two neighbours, or of both atoms of a pair, does not matter.
std::vector<int> in_order(std::vector<int> species) {
  if (species.size() > 1) std::sort(species.end() - 2, species.end());
  return species;
}

/// gap_fit and write_gap_xml leave out terms without sparse points, so nothing in the file tells predictions that a pair was never seen.
void note_missing_terms(const Model& model, std::vector<std::string>& notes) {
  std::map<std::string, std::set<std::vector<int>>> covered;  // by descriptor
  std::set<int> elements;
  for (const Term& term : model.terms) {
    covered[term.descriptor_name].insert(in_order(term.species));
    elements.insert(term.elements.begin(), term.elements.end());
  }
  const std::vector<int> known(elements.begin(), elements.end());
  constexpr int most_names = 10;
  for (const auto& [descriptor, terms] : covered) {
    std::string names;
    int missing = 0;
    for (const std::vector<int>& species : descriptor_kind(descriptor).combinations(known)) {
      if (terms.count(in_order(species)) > 0 || ++missing > most_names) continue;
      names += (names.empty() ? "" : ", ") + combination_name(species);
    }
    if (missing > most_names) names += fmt::format(" and {} more", missing - most_names);
    if (missing > 0)
      notes.push_back(fmt::format(
          "it has no '{}' term for {}: their energy is left out of all predictions, of which no later message warns", descriptor, names));
  }
}

}  // namespace

GapXmlImport read_gap_xml(const std::filesystem::path& path, const GapXmlOptions& options) {
  const XmlElement root = read_xml(path);
  GapXmlImport result;
  ProblemList problems;
  GapXmlContext context{path, options.species, problems, result.notes};
  const std::string what = fmt::format("{}: cannot be converted", path.string());

  const Document document = read_document(root, context);
  const XmlElement& params = *document.params;
  if (params.find_attribute("gap_version")) context.gap_version = integer_attribute(params, "gap_version", context);
  check_known(params, {"label", "gap_version", "svn_version"}, {"GAP_data", "gpSparse", "command_line", "XYZ_data"}, context);
  if (const XmlElement* data = params.find_child("XYZ_data"); data && context.wild_card.empty()) {
    const std::set<int> elements = training_elements(*data);
    context.wild_card.assign(elements.begin(), elements.end());
  }
  const auto data = params.children_named("GAP_data"), sparse = params.children_named("gpSparse");
  if (data.size() != 1 || sparse.size() != 1)
    throw InputError(
        fmt::format("{} has {} <GAP_data> and {} <gpSparse>, expected one of each", context.place(params), data.size(), sparse.size()));
  std::map<int, double> energies = read_reference_energies(*data[0], document.glue != nullptr, context);

  check_known(*sparse[0], {"label", "n_coordinate", "fitted"}, {"gpCoordinates"}, context);
  if (const std::string* fitted = sparse[0]->find_attribute("fitted"); fitted && quip_logical(*fitted) != true)
    context.refuse(*sparse[0],
                   fmt::format("has fitted='{}': the potential has sparse points but was not fitted (sparsify_only_no_fit)", *fitted));
  const auto coordinates = sparse[0]->children_named("gpCoordinates");
  if (coordinates.empty() || integer_attribute(*sparse[0], "n_coordinate", context) != static_cast<int>(coordinates.size()))
    throw InputError(fmt::format("{} has n_coordinate='{}' and {} <gpCoordinates>", context.place(*sparse[0]),
                                 text_attribute(*sparse[0], "n_coordinate", context), coordinates.size()));

  Model& model = result.model;
  std::vector<double> weights;
  for (const XmlElement* element : coordinates) {
    GapCoordinates read = read_gap_coordinates(*element, context);
    model.terms.push_back(std::move(read.term));
    weights.insert(weights.end(), read.alpha.begin(), read.alpha.end());
  }
  if (document.glue) add_glue(*document.glue, model, context);
  problems.throw_if_any(what);
  model.weights = Eigen::Map<const Vector>(weights.data(), static_cast<Eigen::Index>(weights.size()));
  keep_elements_of_terms(model, std::move(energies), params, context);
  problems.throw_if_any(what);
  name_terms(model.terms);
  note_missing_terms(model, result.notes);

  const std::string* label = params.find_attribute("label");
  const std::string* gap_version = params.find_attribute("gap_version");
  const auto is_soap = [](const Term& term) { return term.descriptor_name == "soap"; };
  if (!gap_version && std::any_of(model.terms.begin(), model.terms.end(), is_soap))
    result.notes.push_back(
        "it has no gap_version, so its SOAP is taken as QUIP takes it: that of before February 2015 (spectrum not divided by √(2l+1), the "
        "centre in the channels of all elements); a potential of a newer gap_fit needs its gap_version");
  model.notes["origin"] = fmt::format("GAP XML {}, label {}, gap_version {}", path.filename().string(), label ? *label : "(none)",
                                      gap_version ? *gap_version : "(none)");
  if (!context.other_variance.empty()) model.notes["other_quip_variance"] = context.other_variance;
  if (const XmlElement* command = params.find_child("command_line")) model.notes["gap_fit_command_line"] = trimmed(command->text);
  return result;
}

}  // namespace gapkit
