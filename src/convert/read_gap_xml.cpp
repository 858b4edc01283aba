#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <set>
#include <sstream>

#include "convert/gap_coordinates.hpp"

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

std::map<int, double> read_reference_energies(const XmlElement& data, GapXmlContext& context) {
  std::map<int, double> energies;
  check_known(data, {"do_core"}, {"e0"}, context);
  const std::string* core = data.find_attribute("do_core");
  if (core && quip_logical(*core) != false)
    context.refuse(data, fmt::format("has do_core='{}': the potential was fitted on top of another one (core_param_file, a Glue or other "
                                     "potential), and gapkit has no such baselines in this version",
                                     *core));
  for (const XmlElement* e0 : data.children_named("e0")) {
    check_known(*e0, {"Z", "value"}, {}, context);
    const int z = integer_attribute(*e0, "Z", context);
    if (z < 1 || z > largest_atomic_number || energies.count(z))
      throw InputError(fmt::format("{} has Z={}, expected each from 1 to {} at most once", context.place(*e0), z, largest_atomic_number));
    energies[z] = number_attribute(*e0, "value", context);
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

/// The <GAP_params> that the document's <Potential> asks for; what else there is becomes a problem.
const XmlElement* find_params(const XmlElement& root, GapXmlContext& context) {
  if (root.name == "GAP_params") return &root;
  const auto params = root.children_named("GAP_params");
  for (const XmlElement& child : root.children) {
    if (child.name == "GAP_params") continue;
    if (child.name != "Potential") {
      context.refuse(child, "is not part of a GAP; gapkit has no other potentials");
      continue;
    }
    const std::string arguments = text_attribute(child, "init_args", context);
    const std::vector<QuipOption> options = parse_quip_options(arguments, context.place(child));
    const bool is_gap = options.size() >= 2 && options[0].key == "IP" && options[1].key == "GAP" && !options[0].value && !options[1].value;
    if (!is_gap)
      context.refuse(child,
                     fmt::format("has init_args '{}', expected 'IP GAP label=…'; sums with other potentials (Sum, Glue, …) cannot be "
                                 "represented",
                                 arguments));
  }
  if (params.empty()) throw InputError(fmt::format("{} holds no <GAP_params>: this is not a potential of gap_fit", context.place(root)));
  if (params.size() > 1) context.refuse(*params[1], "is the second one in the file; gapkit reads one");
  return params.front();
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

}  // namespace

GapXmlImport read_gap_xml(const std::filesystem::path& path, const GapXmlOptions& options) {
  const XmlElement root = read_xml(path);
  GapXmlImport result;
  ProblemList problems;
  GapXmlContext context{path, options.species, problems, result.notes};
  const std::string what = fmt::format("{}: cannot be converted", path.string());

  const XmlElement& params = *find_params(root, context);
  check_known(params, {"label", "gap_version", "svn_version"}, {"GAP_data", "gpSparse", "command_line", "XYZ_data"}, context);
  if (const XmlElement* data = params.find_child("XYZ_data"); data && context.wild_card.empty()) {
    const std::set<int> elements = training_elements(*data);
    context.wild_card.assign(elements.begin(), elements.end());
  }
  const auto data = params.children_named("GAP_data"), sparse = params.children_named("gpSparse");
  if (data.size() != 1 || sparse.size() != 1)
    throw InputError(
        fmt::format("{} has {} <GAP_data> and {} <gpSparse>, expected one of each", context.place(params), data.size(), sparse.size()));
  std::map<int, double> energies = read_reference_energies(*data[0], context);

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
  problems.throw_if_any(what);
  model.weights = Eigen::Map<const Vector>(weights.data(), static_cast<Eigen::Index>(weights.size()));
  keep_elements_of_terms(model, std::move(energies), params, context);
  problems.throw_if_any(what);
  name_terms(model.terms);

  const std::string* label = params.find_attribute("label");
  const std::string* gap_version = params.find_attribute("gap_version");
  model.notes["origin"] = fmt::format("GAP XML {}, label {}, gap_version {}", path.filename().string(), label ? *label : "(none)",
                                      gap_version ? *gap_version : "(none)");
  if (const XmlElement* command = params.find_child("command_line")) model.notes["gap_fit_command_line"] = trimmed(command->text);
  return result;
}

}  // namespace gapkit
