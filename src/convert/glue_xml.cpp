#include "convert/glue_xml.hpp"

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <set>

namespace gapkit {
namespace {

constexpr double natural = 1e30;  // larger slopes mean a natural spline: no curvature at the end
constexpr std::size_t fewest_points = 4;

/// Atomic number by type; adds a problem where the density has an energy.
std::map<int, int> read_types(const XmlElement& params, GapXmlContext& context) {
  std::map<int, int> types;
  for (const XmlElement* type : params.children_named("per_type_data")) {
    check_known(*type, {"type", "atomic_num"}, {"density", "potential_density"}, context);
    const int z = integer_attribute(*type, "atomic_num", context);
    if (z < 1 || z > largest_atomic_number || !types.emplace(integer_attribute(*type, "type", context), z).second)
      context.refuse(*type, fmt::format("has atomic_num={}, expected one atomic number for each type", z));
    for (const XmlElement* density : type->children_named("potential_density")) {
      check_known(*density, {"num_points", "y1", "yn"}, {"point"}, context);
      bool is_zero = true;
      for (const char* slope : {"y1", "yn"})
        if (density->find_attribute(slope)) {
          const double value = number_attribute(*density, slope, context);
          is_zero = is_zero && (value == 0 || value >= natural);
        }
      for (const XmlElement* point : density->children_named("point")) is_zero = is_zero && number_attribute(*point, "E", context) == 0;
      if (!is_zero) context.refuse(*density, "gives the density of the atoms an energy; gapkit reads the pair energies of a Glue only");
    }
  }
  return types;
}

PairTable read_pair(const XmlElement& pair, GapXmlContext& context) {
  PairTable table;
  check_known(pair, {"num_points", "y1", "yn"}, {"point"}, context);
  const double first = number_attribute(pair, "y1", context), last = number_attribute(pair, "yn", context);
  if (!(first >= natural) || last != 0)
    context.refuse(pair, fmt::format("has the slopes y1={} and yn={} at its ends; pair_spline has a natural beginning (y1=1e50) and the "
                                     "slope 0 at its end (yn=0)",
                                     first, last));
  for (const XmlElement* point : pair.children_named("point")) {
    check_known(*point, {"r", "E"}, {}, context);
    const double r = number_attribute(*point, "r", context);
    if (!(r > 0) || (!table.r.empty() && !(r > table.r.back())))
      context.refuse(*point, fmt::format("has r={}, expected distances above 0 that ascend", r));
    table.r.push_back(r);
    table.energy.push_back(number_attribute(*point, "E", context));
  }
  if (const int count = integer_attribute(pair, "num_points", context); count != static_cast<int>(table.r.size()))
    context.refuse(pair, fmt::format("has num_points={}, but {} points", count, table.r.size()));
  if (table.r.size() < fewest_points)
    context.refuse(pair, fmt::format("has {} points, expected at least {}", table.r.size(), fewest_points));
  else if (table.energy.back() != 0)
    context.refuse(pair, fmt::format("ends with E={}, expected 0: the energy would jump there", table.energy.back()));
  return table;
}

std::string points_text(const char* x, const char* y, const std::vector<double>& at, const std::vector<double>& value) {
  std::string text;
  for (std::size_t i = 0; i < at.size(); ++i) text += fmt::format("        <point {}=\"{}\" {}=\"{}\"/>\n", x, at[i], y, value[i]);
  return text;
}

}  // namespace

PairTables read_glue(const XmlElement& params, GapXmlContext& context) {
  PairTables tables;
  check_known(params, {"n_types", "label"}, {"per_type_data", "per_pair_data"}, context);
  const std::map<int, int> types = read_types(params, context);
  for (const XmlElement* data : params.children_named("per_pair_data")) {
    check_known(*data, {"type1", "type2"}, {"potential_pair"}, context);
    const auto first = types.find(integer_attribute(*data, "type1", context)),
               second = types.find(integer_attribute(*data, "type2", context));
    const auto pairs = data->children_named("potential_pair");
    if (first == types.end() || second == types.end() || pairs.size() != 1) {
      context.refuse(*data, "expected two types that <per_type_data> names, and one <potential_pair>");
      continue;
    }
    if (!tables.emplace(std::minmax(first->second, second->second), read_pair(*pairs[0], context)).second)
      context.refuse(*data, "is the second one for its pair of elements");
  }
  if (tables.empty()) context.refuse(params, "has no <per_pair_data>");
  return tables;
}

PairTables read_glue_file(const std::filesystem::path& path) {
  const XmlElement root = read_xml(path);
  ProblemList problems;
  std::vector<std::string> notes;
  GapXmlContext context{path, {}, problems, notes};
  const XmlElement* params = root.name == "Glue_params" ? &root : root.find_child("Glue_params");
  if (!params) throw InputError(fmt::format("{}: it holds no <Glue_params>", path.string()));
  if (params != &root)
    for (const XmlElement& child : root.children)
      if (child.name != "Glue_params" && child.name != "Potential") context.refuse(child, "is not part of a Glue");
  PairTables tables = read_glue(*params, context);
  problems.throw_if_any(fmt::format("{}: cannot be read as a pair_spline", path.string()));
  return tables;
}

std::string glue_text(const PairTables& given, const std::vector<int>& of_model) {
  std::set<int> elements(of_model.begin(), of_model.end());
  double longest = 0;
  for (const auto& [pair, table] : given) {
    elements.insert({pair.first, pair.second});
    longest = std::max(longest, table.r.back());
  }
  PairTables tables = given;
  for (const int a : elements)
    for (const int b : elements)
      if (a <= b) tables.try_emplace({a, b}, PairTable{{0.25 * longest, 0.5 * longest, 0.75 * longest, longest}, {0, 0, 0, 0}});
  std::map<int, int> type;
  std::string text = fmt::format("  <Glue_params n_types=\"{}\">\n", elements.size());
  // A density is required; this one has no energy.
  for (const int z : elements) {
    type[z] = static_cast<int>(type.size()) + 1;
    text += fmt::format("    <per_type_data type=\"{}\" atomic_num=\"{}\">\n", type[z], z);
    text += "      <density num_points=\"4\" density_y1=\"0.0\" density_yn=\"0.0\">\n";
    text += points_text("a", "rho", {0.25 * longest, 0.5 * longest, 0.75 * longest, longest}, {0.2, 0.2, 0.2, 0.2});
    text += "      </density>\n      <potential_density num_points=\"4\">\n";
    text += points_text("rho", "E", {0, 1, 2, 3}, {0, 0, 0, 0}) + "      </potential_density>\n    </per_type_data>\n";
  }
  for (const auto& [pair, table] : tables) {
    text += fmt::format("    <per_pair_data type1=\"{}\" type2=\"{}\">\n      <potential_pair num_points=\"{}\" y1=\"1e50\" yn=\"0.0\">\n",
                        type.at(pair.first), type.at(pair.second), table.r.size());
    text += points_text("r", "E", table.r, table.energy) + "      </potential_pair>\n    </per_pair_data>\n";
  }
  return text + "  </Glue_params>\n";
}

}  // namespace gapkit
