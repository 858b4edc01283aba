#include <algorithm>
#include <fstream>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/io/md5.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/io/xml.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <memory>

#include "convert/gap_xml_format.hpp"
#include "convert/glue_xml.hpp"

namespace gapkit {
namespace {

/// 17 significant digits: reads back to the same bits.
std::string number(double value) {
  return fmt::format("{:.16e}", value);
}

std::string logical(bool value) {
  return value ? "T" : "F";
}

/// A term in the terms of the XML.
struct Written {
  std::string descriptor;  ///< the option string
  QuipCovariance covariance = QuipCovariance::ard_se;
  double zeta = 0;                         ///< dot_product only
  std::vector<double> theta;               ///< others only
  std::vector<int> neighbor_species = {};  ///< SOAP only, the order of the features
};

void set_theta(const Term& term, Written& out) {
  out.theta = term.kernel->parameters().reals("length_scale");
  if (out.theta.size() == 1) out.theta.assign(static_cast<std::size_t>(term.descriptor->size()), out.theta.front());
}

std::string common_options(const Term& term, const char* covariance) {
  return fmt::format(" cutoff={} cutoff_transition_width={} delta={} n_sparse={} covariance_type={}", number(term.descriptor->cutoff()),
                     number(term.descriptor->parameters().real("cutoff_width")), number(term.delta), term.sparse.size(), covariance);
}

void write_soap(const Term& term, Written& out) {
  const Parameters& p = term.descriptor->parameters();
  out.covariance = QuipCovariance::dot_product;
  out.zeta = term.kernel->parameters().real("zeta");
  out.neighbor_species = term.elements;
  std::string species;
  for (const int z : term.elements) species += fmt::format("{} ", z);
  out.descriptor = fmt::format(
      "soap l_max={} n_max={} atom_sigma={} zeta={}{} central_weight={} central_reference_all_species={} "
      "n_species={} Z={} species_Z={{{}}}",
      p.integer("l_max"), p.integer("n_max"), number(p.real("atom_sigma")), number(out.zeta), common_options(term, "dot_product"),
      number(p.real("central_weight")), logical(p.boolean("central_reference_all_species")), term.elements.size(), term.species[0],
      species);
}

void write_distances(const Term& term, Written& out) {
  const bool is_polynomial = term.kernel_name == "piecewise_polynomial";
  out.covariance = is_polynomial ? QuipCovariance::piecewise_polynomial : QuipCovariance::ard_se;
  set_theta(term, out);
  const std::string options = common_options(term, is_polynomial ? "pp" : "ard_se");
  if (term.descriptor_name == "two_body")
    out.descriptor = fmt::format("distance_2b{} Z1={} Z2={}", options, term.species[0], term.species[1]);
  else
    out.descriptor = fmt::format("angle_3b{} Z={} Z1={} Z2={}", options, term.species[0], term.species[1], term.species[2]);
}

/// Adds a problem if QUIP cannot represent the term.
Written written(const Term& term, ProblemList& problems) {
  Written out;
  const bool is_soap = term.descriptor_name == "soap";
  const bool is_distances = term.descriptor_name == "two_body" || term.descriptor_name == "three_body";
  if (!is_soap && !is_distances) {
    problems.add(fmt::format("term '{}': QUIP has no descriptor '{}'", term.label(), term.descriptor_name));
    return out;
  }
  if (const FeatureMap* map = term.descriptor->feature_map())
    problems.add(
        fmt::format("term '{}': QUIP has no counterpart of its compression ({}, {} of {} features); a fit with compression = \"none\" "
                    "can be written",
                    term.label(), map->kind, map->directions.cols(), map->directions.rows()));
  const bool is_polynomial =
      is_distances && term.kernel_name == "piecewise_polynomial" && term.kernel->parameters().integer("smoothness") == 1;
  if (!is_polynomial && term.kernel_name != (is_soap ? "dot_product" : "squared_exponential")) {
    problems.add(
        fmt::format("term '{}': the kernel '{}' with the descriptor '{}' has no counterpart in QUIP that was verified (soap goes with "
                    "dot_product; two_body and three_body with squared_exponential, or piecewise_polynomial of smoothness 1)",
                    term.label(), term.kernel_name, term.descriptor_name));
    return out;
  }
  if (is_soap && term.descriptor->parameters().has("radial_weight") && term.descriptor->parameters().integer("radial_weight") != 0)
    problems.add(fmt::format("term '{}': QUIP has no counterpart of radial_weight = {}; a fit with radial_weight = 0 can be written",
                             term.label(), term.descriptor->parameters().integer("radial_weight")));
  if (const ContractedChannels* channels = term.descriptor->contracted_channels())
    problems.add(fmt::format("term '{}': QUIP has no counterpart of channels = {}; a fit without it can be written", term.label(),
                             channels->channels()));
  if (is_soap && term.descriptor->parameters().has("mixed_channels") && term.descriptor->parameters().integer("mixed_channels") > 0)
    problems.add(fmt::format("term '{}': QUIP has no counterpart of mixed_channels", term.label()));
  if (is_soap && term.descriptor->parameters().has("undivided_spectrum") && term.descriptor->parameters().boolean("undivided_spectrum"))
    problems.add(fmt::format("term '{}': QUIP has undivided_spectrum in potentials of versions below {} only", term.label(),
                             gap_version_of_divided_spectrum));
  is_soap ? write_soap(term, out) : write_distances(term, out);
  return out;
}

/// Numbers of a point; for SOAP with the last component (0) that QUIP expects.
std::vector<double> point_of(const Term& term, Eigen::Index m) {
  std::vector<double> numbers(term.sparse.x.row(m).begin(), term.sparse.x.row(m).end());
  if (term.descriptor_name == "soap") numbers.push_back(0);
  return numbers;
}

/// One number a line, point by point.
std::string points_text(const Term& term) {
  std::string text;
  for (Eigen::Index m = 0; m < term.sparse.x.rows(); ++m)
    for (const double x : point_of(term, m)) text += number(x) + "\n";
  return text;
}

/// The rest of a <sparseX> that holds its numbers, whole up to 50 of them, else in slices.
std::string inline_point_text(const std::vector<double>& numbers) {
  constexpr std::size_t most = 50;
  const auto listed = [&](std::size_t begin, std::size_t end) {
    std::string text;
    for (std::size_t i = begin; i < end; ++i) text += number(numbers[i]) + " ";
    return text;
  };
  if (numbers.size() <= most) return ">" + listed(0, numbers.size()) + "</sparseX>\n";
  std::string text = " sliced=\"T\">\n";
  for (std::size_t begin = 0; begin < numbers.size(); begin += most) {
    const std::size_t end = std::min(begin + most, numbers.size());
    text += fmt::format("        <sparseX_slice start=\"{}\" end=\"{}\">{}</sparseX_slice>\n", begin + 1, end, listed(begin, end));
  }
  return text + "      </sparseX>\n";
}

/// A term with its names and numbers in the XML.
struct Coordinates {
  const Term& term;
  const Written& written;
  std::string label, file, md5;  ///< without a file the numbers are in the XML
  Vector alpha;
};

std::string coordinates_text(const Coordinates& c) {
  const bool is_soap = c.term.descriptor_name == "soap";
  const auto dimensions = c.term.descriptor->size() + (is_soap ? 1 : 0);
  std::string text = fmt::format(
      "    <gpCoordinates label=\"{}\" dimensions=\"{}\" signal_variance=\"{}\" signal_mean=\"{}\" sparsified=\"T\" "
      "n_permutations=\"1\" covariance_type=\"{}\"",
      c.label, dimensions, number(c.term.delta), number(0), static_cast<int>(c.written.covariance));
  if (is_soap) text += fmt::format(" zeta=\"{}\"", number(c.written.zeta));
  text += fmt::format(" n_sparseX=\"{}\"", c.term.sparse.size());
  if (!c.file.empty()) text += fmt::format(" sparseX_filename=\"{}\" sparseX_md5sum=\"{}\"", xml_escaped(c.file), c.md5);
  text += ">\n";
  if (!c.written.theta.empty()) {
    text += "      <theta>";
    for (const double theta : c.written.theta) text += " " + number(theta);
    text += " </theta>\n";
  }
  text += fmt::format("      <descriptor>{}</descriptor>\n      <permutation i=\"1\">", c.written.descriptor);
  if (is_soap)
    text += "1 ";
  else
    for (int d = 1; d <= dimensions; ++d) text += fmt::format("{} ", d);
  text += "</permutation>\n";
  for (Eigen::Index m = 0; m < c.alpha.size(); ++m) {
    text += fmt::format("      <sparseX i=\"{}\" alpha=\"{}\" sparseCutoff=\"{}\"", m + 1, number(c.alpha[m]),
                        number(c.term.sparse.covariance_cutoff[m]));
    text += c.file.empty() ? inline_point_text(point_of(c.term, m)) : "/>\n";
  }
  return text + "    </gpCoordinates>\n";
}

/// Text that XML takes as it is.
std::string cdata(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || static_cast<unsigned char>(c) >= 0x7f) c = c == '\n' ? ' ' : '?';
  for (std::size_t end = text.find("]]>"); end != std::string::npos; end = text.find("]]>", end + 12)) text.insert(end + 2, "]]><![CDATA[");
  return "<![CDATA[" + text + "]]>";
}

/// The training data, each line by itself as gap_fit writes it.
void append_data(const std::filesystem::path& path, TemporaryFile& file) {
  std::ifstream data(path);
  file.append("  <XYZ_data>\n");
  for (std::string line; std::getline(data, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    file.append(cdata(line) + "\n");
  }
  if (data.bad() || !data.eof()) throw InputError(fmt::format("{}: cannot be read, to copy it into the potential", path.string()));
  file.append("  </XYZ_data>\n");
}

std::string head_text(const Model& model, const std::string& label) {
  const std::string gap = fmt::format("IP GAP label={}", label);
  const bool has_core = !model.baselines.empty();
  std::string text = fmt::format(
      "<{0}>\n<Potential label=\"{0}\" init_args=\"{1}\"/>\n<GAP_params label=\"{0}\" gap_version=\"{2}\">\n"
      "  <GAP_data do_core=\"{3}\">\n",
      label, has_core ? "Sum init_args_pot1={IP Glue} init_args_pot2={" + gap + "}" : gap, gap_version_of_own_channel, logical(has_core));
  // gap_fit writes every element; those that the model does not know get 0, as there.
  for (int z = 1; z <= largest_atomic_number; ++z) {
    const auto found = model.reference_energies.find(z);
    text += fmt::format("    <e0 Z=\"{}\" value=\"{}\"/>\n", z, number(found == model.reference_energies.end() ? 0.0 : found->second));
  }
  const auto coordinates = std::count_if(model.terms.begin(), model.terms.end(), [](const Term& term) { return term.sparse.size() > 0; });
  return text + fmt::format("  </GAP_data>\n  <gpSparse label=\"{}\" n_coordinate=\"{}\" fitted=\"T\">\n", label, coordinates);
}

std::vector<int> elements_of(const Model& model) {
  std::vector<int> elements;
  for (const auto& [z, energy] : model.reference_energies) elements.push_back(z);
  return elements;
}

/// An XML name made from the name of the file.
std::string label_for(const std::filesystem::path& path) {
  std::string label = "GAP_";
  for (const char c : path.stem().string()) label += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '_';
  return label + "_";
}

/// All terms; throws InputError with everything that QUIP cannot represent. Those without sparse points stay empty.
std::vector<Written> written_terms(const Model& model, const std::filesystem::path& path, std::vector<std::string>& notes) {
  ProblemList problems;
  std::vector<Written> terms;
  for (const Term& term : model.terms) {
    terms.push_back(term.sparse.size() > 0 ? written(term, problems) : Written{});
    if (term.sparse.size() == 0)
      notes.push_back(fmt::format(
          "term '{}' has no sparse points and is left out: QUIP will not warn of its environments, of which the training data had none",
          term.label()));
  }
  if (model.terms.size() == notes.size()) problems.add("no term has sparse points");
  for (const PotentialPointer& b : model.baselines)
    if (b->name() != "pair_spline")
      problems.add(fmt::format("the baseline '{}' has no counterpart in QUIP{}", b->name(),
                               b->name() == "zbl" ? ": its ZBL is switched off in another way" : ""));
  if (model.base.is_used()) problems.add(fmt::format("it sits on another model, {}, whose values QUIP would not add", model.base.text()));
  if (model.baselines.size() > 1) problems.add("it has several baselines; QUIP's Glue is one");
  // QUIP sums the terms for the elements that their descriptors name.
  problems.throw_if_any(path.string() + ": cannot be written");
  check_gap_xml_name(path);
  return terms;
}

}  // namespace

void check_gap_xml_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c >= 0x80; }))
    throw InputError(path.string() +
                     ": its name has characters that are not ASCII, at which QUIP stops without a message; choose another name");
}

std::vector<std::string> write_gap_xml(const Model& model, const std::filesystem::path& path, const GapXmlOutput& output) {
  std::vector<std::string> notes;
  const std::vector<Written> terms = written_terms(model, path, notes);
  const std::string file_name = path.filename().string(), label = output.label.empty() ? label_for(path) : output.label;
  std::string xml = head_text(model, label);
  std::vector<std::unique_ptr<TemporaryFile>> files;
  const auto offsets = sparse_offsets(model.terms);
  int number = 0;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const Term& term = model.terms[t];
    if (term.sparse.size() == 0) continue;
    Coordinates coordinates{term, terms[t], fmt::format("{}{}", label, ++number),
                            "",   "",       model.weights.segment(offsets[t], term.sparse.size())};
    if (output.has_separate_points) {
      const std::string points = points_text(term);
      coordinates.file = fmt::format("{}.sparseX.{}", file_name, coordinates.label);
      coordinates.md5 = md5_of(points);
      files.push_back(std::make_unique<TemporaryFile>(path.parent_path() / coordinates.file));
      files.back()->append(points);
    }
    xml += coordinates_text(coordinates);
  }
  xml += fmt::format("  </gpSparse>\n  <command_line>{}</command_line>\n",
                     cdata(" " + (output.command_line.empty() ? fmt::format("gapkit {} ", version) : output.command_line)));
  files.push_back(std::make_unique<TemporaryFile>(path));
  files.back()->append(xml);
  if (!output.data.empty()) append_data(output.data, *files.back());
  xml = "</GAP_params>\n";
  for (const PotentialPointer& b : model.baselines)
    xml += glue_text(parse_pair_tables(b->parameters().text("table"), "pair_spline"), elements_of(model));
  files.back()->append(xml + fmt::format("</{}>\n", label));
  for (const auto& file : files) file->commit();

  for (const FittedProperty& property : model.properties)
    notes.push_back(fmt::format("the local property '{}' is left out: a GAP potential gives energies only", property.keys.name));
  for (const TensorKeys& tensor : tensor_keys(model))
    notes.push_back(fmt::format("the tensor '{}' is left out: a GAP potential gives energies only", tensor.name));
  if (model.has_posterior()) notes.push_back("the posterior is left out: QUIP's variance differs from that of gap-predict");
  return notes;
}

}  // namespace gapkit
