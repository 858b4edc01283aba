#include "convert/gap_coordinates.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/md5.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/term_kernel.hpp>
#include <sstream>

#include "convert/gap_xml_format.hpp"

namespace gapkit {
namespace {

[[noreturn]] void fail(const XmlElement& element, const GapXmlContext& context, const std::string& reason) {
  throw InputError(fmt::format("{} {}", context.place(element), reason));
}

std::vector<double> numbers_in(std::string_view text, const std::string& where) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n", i);
    if (begin == std::string_view::npos) break;
    i = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    const auto number = quip_number(text.substr(begin, i - begin));
    if (!number)
      throw InputError(fmt::format("{}: '{}' is not a finite number (the {}th)", where,
                                   std::string(text.substr(begin, i - begin)).substr(0, 40), numbers.size() + 1));
    numbers.push_back(*number);
  }
  return numbers;
}

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || !bytes) throw InputError(path.string() + ": cannot be read");
  return bytes.str();
}

std::vector<double> separate_points(const XmlElement& element, const GapXmlContext& context) {
  const std::string name = text_attribute(element, "sparseX_filename", context);
  const std::filesystem::path path = context.path.parent_path() / std::filesystem::path(name).filename();
  if (!std::filesystem::is_regular_file(path))
    fail(element, context,
         fmt::format("names the file '{}', which is not beside the XML ({}); QUIP needs it too, so copy it there", name, path.string()));
  const std::string bytes = read_bytes(path);
  const std::string sum = md5_of(bytes);
  if (const std::string* expected = element.find_attribute("sparseX_md5sum"); expected && lower_case(trimmed(*expected)) != sum)
    fail(element, context,
         fmt::format("expects the file '{}' with the MD5 sum {}, found {}: it belongs to another fit, or was changed (line ends?)", name,
                     *expected, sum));
  return numbers_in(bytes, path.string());
}

/// Numbers inside <sparseX>, whole or in slices.
std::vector<double> inline_point(const XmlElement& point, int dimensions, GapXmlContext& context) {
  check_known(point, {"i", "alpha", "sparseCutoff", "sliced"}, {"sparseX_slice"}, context);
  std::vector<double> numbers = numbers_in(point.text, context.place(point));
  for (const XmlElement* slice : point.children_named("sparseX_slice")) {
    check_known(*slice, {"start", "end"}, {}, context);
    const int start = integer_attribute(*slice, "start", context), end = integer_attribute(*slice, "end", context);
    const std::vector<double> part = numbers_in(slice->text, context.place(*slice));
    if (start != static_cast<int>(numbers.size()) + 1 || end < start || part.size() != static_cast<std::size_t>(end - start + 1))
      fail(*slice, context,
           fmt::format("holds {} numbers from {} to {} behind {} others; slices must follow each other", part.size(), start, end,
                       numbers.size()));
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  if (numbers.size() != static_cast<std::size_t>(dimensions))
    fail(point, context, fmt::format("has {} numbers, expected {} (dimensions)", numbers.size(), dimensions));
  return numbers;
}

/// Points of the file [M, dimensions]; also fills alpha and covariance_cutoff.
Matrix read_points(const XmlElement& element, int dimensions, GapXmlContext& context, Vector& alpha, Vector& covariance_cutoff) {
  const int count = integer_attribute(element, "n_sparseX", context);
  const auto points = element.children_named("sparseX");
  if (count < 1 || points.size() != static_cast<std::size_t>(count))
    fail(element, context, fmt::format("has n_sparseX={}, but {} <sparseX>", count, points.size()));
  alpha.resize(count);
  covariance_cutoff.resize(count);
  const bool is_separate = element.find_attribute("sparseX_filename") != nullptr;
  Matrix x(count, dimensions);
  if (is_separate) {
    const std::vector<double> numbers = separate_points(element, context);
    if (numbers.size() != static_cast<std::size_t>(count) * static_cast<std::size_t>(dimensions))
      fail(element, context,
           fmt::format("needs {} × {} = {} numbers in the file '{}', found {}", count, dimensions, std::int64_t{count} * dimensions,
                       text_attribute(element, "sparseX_filename", context), numbers.size()));
    x = Eigen::Map<const Matrix>(numbers.data(), count, dimensions);
  }
  std::vector<bool> seen(static_cast<std::size_t>(count), false);
  for (const XmlElement* point : points) {
    const int i = integer_attribute(*point, "i", context);
    if (i < 1 || i > count || seen[static_cast<std::size_t>(i - 1)])
      fail(*point, context, fmt::format("has i={}, expected each of 1 to {} once", i, count));
    seen[static_cast<std::size_t>(i - 1)] = true;
    alpha[i - 1] = number_attribute(*point, "alpha", context);
    covariance_cutoff[i - 1] = number_attribute(*point, "sparseCutoff", context);
    if (is_separate) {
      check_known(*point, {"i", "alpha", "sparseCutoff"}, {}, context);
    } else {
      const std::vector<double> numbers = inline_point(*point, dimensions, context);
      x.row(i - 1) = Eigen::Map<const Eigen::RowVectorXd>(numbers.data(), dimensions);
    }
  }
  return x;
}

/// Only the identity can be represented; a single distance has no other permutation.
void check_permutations(const XmlElement& element, int dimensions, GapXmlContext& context) {
  if (dimensions == 1) return;
  const auto permutations = element.children_named("permutation");
  const std::string* count = element.find_attribute("n_permutations");
  if ((count && quip_integer(*count) != 1) || permutations.size() > 1) {
    context.refuse(element, fmt::format("has {} permutations; gapkit's kernels have none (only the identity)",
                                        count ? *count : std::to_string(permutations.size())));
    return;
  }
  for (const XmlElement* permutation : permutations) {
    const std::vector<double> numbers = numbers_in(permutation->text, context.place(*permutation));
    bool is_identity = numbers.size() == static_cast<std::size_t>(dimensions) || numbers.size() == 1;  // soap writes one number
    for (std::size_t i = 0; i < numbers.size(); ++i) is_identity = is_identity && numbers[i] == static_cast<double>(i + 1);
    if (!is_identity) context.refuse(*permutation, "is not the identity; gapkit's kernels have no permutations");
  }
}

/// Name and parameters of gapkit's kernel; an empty name, and a problem, if gapkit has none.
std::string read_kernel(const XmlElement& element, const std::string& descriptor, int dimensions, Parameters& parameters,
                        GapXmlContext& context) {
  const auto code = static_cast<QuipCovariance>(integer_attribute(element, "covariance_type", context));
  const auto theta = [&] {
    const XmlElement* child = element.find_child("theta");
    if (!child) fail(element, context, "has no <theta>");
    const std::vector<double> numbers = numbers_in(child->text, context.place(*child));
    if (numbers.size() != static_cast<std::size_t>(dimensions))
      fail(*child, context, fmt::format("has {} numbers, expected {} (dimensions)", numbers.size(), dimensions));
    return numbers;
  };
  const bool is_soap = descriptor == "soap";
  switch (code) {
    case QuipCovariance::ard_se:
      if (is_soap) {
        context.refuse(element, "has the covariance ard_se (covariance_type 1) for soap, which has not been verified against QUIP");
        return "";
      }
      parameters.set("length_scale", theta());
      return "squared_exponential";
    case QuipCovariance::dot_product:
      if (!is_soap) {
        context.refuse(
            element,
            fmt::format("has a dot_product covariance (covariance_type 2) for {}, which has not been verified against QUIP", descriptor));
        return "";
      }
      parameters.set("zeta", number_attribute(element, "zeta", context));
      return "dot_product";
    case QuipCovariance::piecewise_polynomial:
      if (is_soap) {
        context.refuse(element, "has the covariance pp (covariance_type 4) for soap, which has not been verified against QUIP");
        return "";
      }
      parameters.set("length_scale", theta());
      parameters.set("smoothness", std::int64_t{1});
      return "piecewise_polynomial";
    case QuipCovariance::bond_real_space:
      context.refuse(element, "has the covariance bond_real_space (covariance_type 3), which gapkit has not");
      return "";
  }
  context.refuse(element, fmt::format("has covariance_type {}, which gapkit does not know", static_cast<int>(code)));
  return "";
}

/// Fills species and neighbours that a wild card leaves open. Returns false and adds a problem if that is impossible.
bool resolve_wild_card(const XmlElement& element, QuipDescriptor& descriptor, GapXmlContext& context) {
  const bool is_soap = descriptor.name == "soap";
  if (!descriptor.species.empty() && !(is_soap && descriptor.neighbor_species.empty())) return true;
  if (context.wild_card.size() != 1) {
    context.refuse(element,
                   fmt::format("<descriptor> {} is for any element (no Z), which gapkit can represent for one element only; name it "
                               "with gap-convert --species{}",
                               descriptor.quip_name, context.wild_card.empty() ? "" : " (the training data in the file have several)"));
    return false;
  }
  const int z = context.wild_card.front();
  if (descriptor.species.empty()) descriptor.species = descriptor_kind(descriptor.name).combinations({&z, 1}).front();
  if (is_soap) descriptor.neighbor_species = {z};
  context.notes.push_back(
      fmt::format("{}: {} is for any element; the model is for {}", context.place(element), descriptor.quip_name, element_symbol(z)));
  return true;
}

/// Features in gapkit's order: species ascending, and for SOAP without the last component, which QUIP appends.
bool reorder_soap(const XmlElement& element, const QuipDescriptor& descriptor, Matrix& x, GapXmlContext& context) {
  const Eigen::Index size = x.cols() - 1;
  if (x.col(size).cwiseAbs().maxCoeff() != 0) {
    context.refuse(element, "has sparse points whose last component (covariance_sigma0) is not 0; gapkit's dot product has no constant");
    return false;
  }
  std::vector<int> elements = descriptor.neighbor_species;
  std::sort(elements.begin(), elements.end());
  const auto order = soap_feature_order(static_cast<int>(descriptor.parameters.integer("n_max")),
                                        static_cast<int>(descriptor.parameters.integer("l_max")), descriptor.neighbor_species, elements);
  Matrix sorted(x.rows(), size);
  for (Eigen::Index d = 0; d < size; ++d) sorted.col(d) = x.col(order[static_cast<std::size_t>(d)]);
  x = std::move(sorted);
  return true;
}

}  // namespace

std::string text_attribute(const XmlElement& element, const char* name, const GapXmlContext& context) {
  const std::string* value = element.find_attribute(name);
  if (!value) fail(element, context, fmt::format("has no attribute '{}'", name));
  return *value;
}

double number_attribute(const XmlElement& element, const char* name, const GapXmlContext& context) {
  const std::string text = text_attribute(element, name, context);
  const auto value = quip_number(text);
  if (!value) fail(element, context, fmt::format("has {}='{}', expected a finite number", name, text));
  return *value;
}

int integer_attribute(const XmlElement& element, const char* name, const GapXmlContext& context) {
  const std::string text = text_attribute(element, name, context);
  const auto value = quip_integer(text);
  if (!value) fail(element, context, fmt::format("has {}='{}', expected an integer", name, text));
  return *value;
}

void check_known(const XmlElement& element, const std::vector<std::string>& attributes, const std::vector<std::string>& children,
                 GapXmlContext& context) {
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& [key, value] : element.attributes)
    if (!has(attributes, key))
      context.refuse(element, fmt::format("has the attribute {}='{}', which gapkit does not know", key, value.substr(0, 60)));
  std::vector<std::string> reported;
  for (const XmlElement& child : element.children) {
    if (has(children, child.name) || has(reported, child.name)) continue;
    reported.push_back(child.name);
    context.refuse(child, fmt::format("in <{}> is a tag that gapkit does not know", element.name));
  }
}

GapCoordinates read_gap_coordinates(const XmlElement& element, GapXmlContext& context) {
  GapCoordinates result;
  check_known(element,
              {"label", "dimensions", "signal_variance", "signal_mean", "sparsified", "n_permutations", "covariance_type", "zeta",
               "n_sparseX", "sparseX_filename", "sparseX_md5sum"},
              {"theta", "descriptor", "permutation", "sparseX"}, context);
  const XmlElement* descriptor_element = element.find_child("descriptor");
  if (!descriptor_element) fail(element, context, "has no <descriptor>");
  QuipDescriptor descriptor = read_quip_descriptor(descriptor_element->text, context.place(*descriptor_element));
  const auto is_old = [](int version) {
    return std::pair(version < gap_version_of_own_channel, version < gap_version_of_divided_spectrum);
  };
  if (descriptor.name == "soap" && descriptor.gap_version && is_old(*descriptor.gap_version) != is_old(context.gap_version))
    descriptor.problems.push_back(fmt::format("xml_version={} and the gap_version of the file ({}) mean different SOAPs",
                                              *descriptor.gap_version,
                                              context.gap_version > 0 ? std::to_string(context.gap_version) : "none: the oldest"));
  if (descriptor.problems.empty()) apply_gap_version(descriptor, context.gap_version);
  for (const std::string& problem : descriptor.problems) context.refuse(*descriptor_element, problem);
  if (!descriptor.problems.empty() || !resolve_wild_card(element, descriptor, context)) return result;

  const int dimensions = integer_attribute(element, "dimensions", context);
  check_permutations(element, dimensions, context);
  if (const std::string* sparsified = element.find_attribute("sparsified"); sparsified && quip_logical(*sparsified) != true)
    context.refuse(element, fmt::format("has sparsified='{}', expected T: the potential has not been fitted", *sparsified));
  if (element.find_attribute("signal_mean") && number_attribute(element, "signal_mean", context) != 0)
    context.refuse(element, fmt::format("has signal_mean (f0) {}, which adds a constant to the covariance; gapkit's have none",
                                        *element.find_attribute("signal_mean")));
  Term& term = result.term;
  term.delta = number_attribute(element, "signal_variance", context);  // δ, in spite of its name
  if (!(term.delta > 0)) fail(element, context, fmt::format("has signal_variance {}, expected a number above 0", term.delta));

  Parameters kernel_parameters;
  term.descriptor_name = descriptor.name;
  term.kernel_name = read_kernel(element, descriptor.quip_name, dimensions, kernel_parameters, context);
  term.species = descriptor.species;
  term.elements = descriptor.name == "soap" ? descriptor.neighbor_species : descriptor.species;
  std::sort(term.elements.begin(), term.elements.end());
  term.elements.erase(std::unique(term.elements.begin(), term.elements.end()), term.elements.end());
  if (std::find(term.elements.begin(), term.elements.end(), term.species.front()) == term.elements.end())
    context.refuse(*descriptor_element,
                   fmt::format("is centred on {}, which is not in species_Z; gapkit's SOAP always sees the centre's element",
                               element_symbol(term.species.front())));
  if (!context.problems.empty()) return result;

  term.descriptor = descriptor_kind(term.descriptor_name).make(descriptor.parameters, term.species, term.elements);
  const int appended = term.descriptor_name == "soap" ? 1 : 0;
  if (dimensions != term.descriptor->size() + appended)
    fail(element, context,
         fmt::format("has dimensions={}, expected {} for its descriptor", dimensions, term.descriptor->size() + appended));
  const KernelKind& kernel = kernel_kind(term.kernel_name);
  term.kernel =
      kernel_for(*term.descriptor, kernel.name, complete_parameters(kernel_parameters, kernel.parameters, context.place(element)));
  term.sparse.x = read_points(element, dimensions, context, result.alpha, term.sparse.covariance_cutoff);
  if (appended && !reorder_soap(element, descriptor, term.sparse.x, context)) return result;
  result.alpha *= context.energy_scale;
  if (descriptor.counts_pairs_once) {  // the same weights give half the energy
    term.delta /= 2;
    result.alpha *= 2;
    context.other_variance = fmt::format("{} with compact_clusters=F (the default before version {}) counts each pair once",
                                         descriptor.quip_name, gap_version_of_compact_clusters);
  }
  return result;
}

}  // namespace gapkit
