#include "model/tensor_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/expanded_density.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t most_tensors = 1000, most_tensor_terms = 100000;

std::span<const double> view_of(const Vector& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

void put_tensor_term(ArchiveWriter group, const TensorTerm& term) {
  group.put("name", term.name);
  group.put("element", static_cast<std::int64_t>(term.element));
  group.put("elements", std::vector<std::int64_t>(term.elements.begin(), term.elements.end()));
  group.put("descriptor_parameters", parameters_to_json(term.descriptor->parameters()));
  group.put("zeta", term.zeta);
  group.put("amplitude", term.amplitude);
  group.put("coefficients", term.points);
  std::vector<std::int64_t> origins;
  for (const EnvironmentOrigin& o : term.origin) origins.insert(origins.end(), {o.frame, o.atom, o.ordinal});
  group.put("origins", origins);
}

void put_part(ArchiveWriter group, const TensorPart& part) {
  group.put("lambda", static_cast<std::int64_t>(part.lambda));
  group.put("delta", part.delta);
  std::vector<std::int64_t> elements;
  std::vector<double> means;
  for (const auto& [z, mean] : part.means) {
    elements.push_back(z);
    means.push_back(mean);
  }
  group.put("mean_elements", elements);
  group.put("means", means);
  for (std::size_t t = 0; t < part.delta.size(); ++t) group.put(fmt::format("factor/{}", t), part.factor.blocks()[t]);
  group.put("jitter", part.factor.jitter());
  group.put("posterior_mean", view_of(part.posterior.mean));
  group.put("posterior_factor", part.posterior.factor);
  group.put("sigma", part.sigma());
  if (part.derivatives_sigma() > 0) group.put("derivatives_sigma", part.derivatives_sigma());
  group.put("log_evidence", part.posterior.log_evidence);
  group.put("weights", view_of(part.weights));
  group.put("scale", part.scale);
  if (part.noise_scale != part.scale) group.put("noise_scale", part.noise_scale);
  group.put("left_out", part.left_out);
}

class TensorReader {
 public:
  TensorReader(ArchiveReader group, std::string where) : group_(std::move(group)), where_(std::move(where)) {}

  FittedTensor read() {
    FittedTensor tensor;
    tensor.keys = {.name = group_.string("name"),
                   .key = group_.string("key"),
                   .kind = group_.string("kind"),
                   .target = group_.string("target"),
                   .units = group_.string("units"),
                   .origin = group_.string("origin"),
                   .derivatives = group_.has("derivatives") ? group_.string("derivatives") : "",
                   .charges = group_.has("charges") ? group_.string("charges") : ""};
    const TensorKeys& keys = tensor.keys;
    where_ += fmt::format(": tensor '{}'", keys.name);
    const bool is_known = (keys.kind == "vector" || keys.kind == "symmetric" || keys.kind == "scalar") &&
                          (keys.target == "sum" || keys.target == "mean" || keys.target == "atom");
    if (!keys.charges.empty() && (keys.kind != "vector" || keys.target != "sum")) fail("has charges, which go with vectors that are sums");
    if (keys.name.empty() || !is_known) fail("has an unknown kind or target, or no name");
    for (const int z : elements_in("elements", group_)) tensor.elements.insert(z);
    const std::int64_t terms = group_.integer("term_count");
    if (terms < 1 || terms > most_tensor_terms) fail("has an impossible number of terms");
    for (std::int64_t t = 0; t < terms; ++t) tensor.terms.push_back(read_term(group_.within(fmt::format("terms/{}/", t))));
    for (const int lambda : keys.ranks()) {
      tensor.parts.push_back(read_part(group_.within(fmt::format("parts/{}/", lambda)), tensor.terms));
      if (tensor.parts.back().lambda != lambda) fail("has a part of another lambda");
    }
    return tensor;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw InputError(where_ + " " + what); }

  std::vector<int> elements_in(const std::string& name, const ArchiveReader& group) const {
    std::vector<int> result;
    for (const std::int64_t z : group.integers(name)) {
      if (z < 1 || z > 118) fail("holds an atomic number that no element has");
      result.push_back(static_cast<int>(z));
    }
    return result;
  }

  TensorTerm read_term(const ArchiveReader& group) const {
    TensorTerm term;
    term.name = group.string("name");
    term.element = static_cast<int>(group.integer("element"));
    term.elements = elements_in("elements", group);
    const DescriptorKind& kind = descriptor_kind("soap");
    if (std::find(term.elements.begin(), term.elements.end(), term.element) == term.elements.end())
      fail("has a term around an element that is not among its elements");
    try {
      const Parameters given = parameters_from_json(group.string("descriptor_parameters"));
      term.descriptor = kind.make(complete_stored_parameters(given, kind.parameters, where_), {term.element}, term.elements);
    } catch (const InputError& error) {
      fail(error.what());
    }
    const ExpandedDensity* density = expanded_density(*term.descriptor);
    if (density == nullptr) fail("has a descriptor without coefficients");
    term.zeta = group.number("zeta");
    term.amplitude = group.integer("amplitude");
    term.points = group.matrix("coefficients", -1, density->coefficient_count());
    const auto origins = group.integers("origins", 3 * term.points.rows());
    for (std::size_t m = 0; m + 2 < origins.size(); m += 3) term.origin.push_back({origins[m], origins[m + 1], origins[m + 2]});
    if (!(term.zeta >= 1) || !term.points.allFinite()) fail("holds numbers that are impossible");
    return term;
  }

  TensorPart read_part(const ArchiveReader& group, const std::vector<TensorTerm>& terms) const {
    TensorPart part;
    part.lambda = static_cast<int>(group.integer("lambda"));
    if (part.lambda < 0 || part.lambda > 2) fail("has an impossible lambda");
    const auto count = static_cast<Eigen::Index>(terms.size());
    part.delta = group.doubles("delta", count);
    const std::vector<int> elements = elements_in("mean_elements", group);
    const std::vector<double> means = group.doubles("means", static_cast<Eigen::Index>(elements.size()));
    for (std::size_t e = 0; e < elements.size(); ++e) part.means[elements[e]] = means[e];
    std::vector<Matrix> blocks;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const Eigen::Index columns = (2 * part.lambda + 1) * terms[t].points.rows();
      blocks.push_back(group.matrix(fmt::format("factor/{}", t), columns, columns));
    }
    part.factor = SparseFactor(std::move(blocks), group.doubles("jitter", count));
    const Eigen::Index size = part.factor.size();
    part.posterior.mean = group.vector("posterior_mean", size);
    part.posterior.factor = group.matrix("posterior_factor", size, size);
    part.posterior.delta_ratio.assign(terms.size(), 1.0);
    part.posterior.log_evidence = group.number("log_evidence");
    const auto add_group = [&](const std::string& config_class, double sigma) {
      RowGroup& noise = part.posterior.groups.emplace_back();
      noise.property = Property::value;
      noise.config_class = config_class;
      noise.sigma = sigma;
      if (!(sigma > 0) || !std::isfinite(sigma)) fail("holds a sigma that is impossible");
    };
    const bool has_derivatives = group.has("derivatives_sigma");
    if (const double sigma = group.number("sigma"); sigma != 0 || !has_derivatives) add_group("default", sigma);
    if (has_derivatives) add_group(TensorPart::derivatives_class, group.number("derivatives_sigma"));
    part.weights = group.vector("weights", size);
    part.scale = group.number("scale");
    part.noise_scale = group.has("noise_scale") ? group.number("noise_scale") : part.scale;
    part.left_out = group.integer("left_out");
    check_numbers(part);
    return part;
  }

  void check_numbers(const TensorPart& part) const {
    bool is_sound = part.weights.allFinite() && part.posterior.mean.allFinite() && part.posterior.factor.allFinite() &&
                    (part.posterior.factor.diagonal().array() > 0).all() && part.scale > 0 && std::isfinite(part.scale) &&
                    part.noise_scale > 0 && std::isfinite(part.noise_scale);
    for (const Matrix& block : part.factor.blocks()) is_sound = is_sound && block.allFinite() && (block.diagonal().array() > 0).all();
    for (const double delta : part.delta) is_sound = is_sound && delta > 0 && std::isfinite(delta);
    for (const auto& [z, mean] : part.means) is_sound = is_sound && std::isfinite(mean);
    if (!is_sound) fail("holds NaN, infinity, or numbers that are impossible");
  }

  ArchiveReader group_;
  std::string where_;
};

}  // namespace

void put_tensors(ArchiveWriter& archive, const std::vector<std::shared_ptr<const FittedTensor>>& tensors) {
  if (tensors.empty()) return;
  archive.put("tensors/count", static_cast<std::int64_t>(tensors.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const FittedTensor& tensor = *tensors[i];
    ArchiveWriter group = archive.within(fmt::format("tensors/{}/", i));
    group.put("name", tensor.keys.name);
    group.put("key", tensor.keys.key);
    group.put("kind", tensor.keys.kind);
    group.put("target", tensor.keys.target);
    group.put("units", tensor.keys.units);
    group.put("origin", tensor.keys.origin);
    if (!tensor.keys.derivatives.empty()) group.put("derivatives", tensor.keys.derivatives);
    if (!tensor.keys.charges.empty()) group.put("charges", tensor.keys.charges);
    group.put("elements", std::vector<std::int64_t>(tensor.elements.begin(), tensor.elements.end()));
    group.put("term_count", static_cast<std::int64_t>(tensor.terms.size()));
    for (std::size_t t = 0; t < tensor.terms.size(); ++t) put_tensor_term(group.within(fmt::format("terms/{}/", t)), tensor.terms[t]);
    for (const TensorPart& part : tensor.parts) put_part(group.within(fmt::format("parts/{}/", part.lambda)), part);
  }
}

std::vector<std::shared_ptr<const FittedTensor>> get_tensors(const ArchiveReader& archive, const std::string& where) {
  std::vector<std::shared_ptr<const FittedTensor>> tensors;
  if (!archive.has("tensors/count")) return tensors;
  const std::int64_t count = archive.integer("tensors/count");
  if (count < 1 || count > most_tensors)
    throw InputError(fmt::format("{}: tensors/count is {}, expected 1 to {}", where, count, most_tensors));
  for (std::int64_t i = 0; i < count; ++i)
    tensors.push_back(std::make_shared<const FittedTensor>(TensorReader(archive.within(fmt::format("tensors/{}/", i)), where).read()));
  return tensors;
}

}  // namespace gapkit
