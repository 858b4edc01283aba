#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/model/charge_dipole.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/model_file.hpp>
#include <gapkit/model/statistics_file.hpp>
#include <gapkit/model/term_kernel.hpp>

#include "model/calibration_file.hpp"
#include "model/format_version.hpp"
#include "model/property_file.hpp"
#include "model/tensor_file.hpp"

namespace gapkit {
namespace {

constexpr const char* format_name = "gapkit-model";
constexpr const char* units_text = "energy eV, length Å, force eV/Å, virial eV; virial = -dE/dstrain";

// A lower triangle, row by row: n(n+1)/2 numbers.
std::vector<double> pack_lower(const Matrix& lower) {
  std::vector<double> packed;
  packed.reserve(static_cast<std::size_t>(lower.rows() * (lower.rows() + 1) / 2));
  for (Eigen::Index i = 0; i < lower.rows(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) packed.push_back(lower(i, j));
  return packed;
}

Matrix unpack_lower(const std::vector<double>& packed, Eigen::Index size) {
  Matrix lower = Matrix::Zero(size, size);
  std::size_t next = 0;
  for (Eigen::Index i = 0; i < size; ++i)
    for (Eigen::Index j = 0; j <= i; ++j) lower(i, j) = packed[next++];
  return lower;
}

std::vector<std::int64_t> as_integers(const std::vector<int>& values) {
  return {values.begin(), values.end()};
}

std::vector<int> as_elements(const std::vector<std::int64_t>& values, const std::string& where) {
  std::vector<int> result;
  for (const std::int64_t z : values) {
    if (z < 1 || z > largest_atomic_number)
      throw InputError(where + ": atomic number " + std::to_string(z) + ", expected 1 to " + std::to_string(largest_atomic_number));
    result.push_back(static_cast<int>(z));
  }
  return result;
}

void save_term(ArchiveWriter& archive, const std::string& at, const Term& term) {
  archive.put(at + "name", term.name);
  archive.put(at + "descriptor", term.descriptor_name);
  archive.put(at + "descriptor_parameters", parameters_to_json(term.descriptor->parameters()));
  archive.put(at + "kernel", term.kernel_name);
  archive.put(at + "kernel_parameters", parameters_to_json(term.kernel->parameters()));
  archive.put(at + "species", as_integers(term.species));
  archive.put(at + "elements", as_integers(term.elements));
  archive.put(at + "delta", term.delta);
  put_learned_parts(archive, at, *term.descriptor);
  archive.put(at + "sparse_features", term.sparse.x);
  archive.put(at + "sparse_cutoffs", std::span<const double>(term.sparse.covariance_cutoff.data(),
                                                             static_cast<std::size_t>(term.sparse.covariance_cutoff.size())));
  std::vector<std::int64_t> origins;
  for (const EnvironmentOrigin& o : term.sparse.origin) origins.insert(origins.end(), {o.frame, o.atom, o.ordinal});
  archive.put(at + "sparse_origins", origins);
}

Term read_term(const ArchiveReader& archive, const std::string& at, const std::string& where) {
  Term term;
  term.name = archive.string(at + "name");
  term.descriptor_name = archive.string(at + "descriptor");
  term.kernel_name = archive.string(at + "kernel");
  term.species = as_elements(archive.integers(at + "species"), where);
  term.elements = as_elements(archive.integers(at + "elements"), where);
  const DescriptorKind& descriptor = descriptor_kind(term.descriptor_name);
  const KernelKind& kernel = kernel_kind(term.kernel_name);
  const auto allowed = descriptor.combinations(term.elements);
  if (std::find(allowed.begin(), allowed.end(), term.species) == allowed.end())
    throw InputError(where + ": term '" + term.name + "' has species that its elements do not allow");
  const auto given = [&](const char* name) { return parameters_from_json(archive.string(at + name)); };
  term.descriptor = descriptor.make(complete_stored_parameters(given("descriptor_parameters"), descriptor.parameters, where), term.species,
                                    term.elements);
  term.descriptor = get_learned_parts(archive, at, term.descriptor);
  term.kernel =
      kernel_for(*term.descriptor, term.kernel_name, complete_stored_parameters(given("kernel_parameters"), kernel.parameters, where));
  term.delta = archive.number(at + "delta");
  term.sparse.x = archive.matrix(at + "sparse_features", -1, term.descriptor->size());
  const Eigen::Index count = term.sparse.x.rows();
  term.sparse.covariance_cutoff = archive.vector(at + "sparse_cutoffs", count);
  const auto origins = archive.integers(at + "sparse_origins");
  if (!origins.empty() && origins.size() != 3 * static_cast<std::size_t>(count))
    throw InputError(where + ": term '" + term.name + "' has " + std::to_string(origins.size()) + " sparse_origins, expected " +
                     std::to_string(3 * count));
  for (std::size_t i = 0; i + 2 < origins.size(); i += 3) term.sparse.origin.push_back({origins[i], origins[i + 1], origins[i + 2]});
  return term;
}

Term load_term(const ArchiveReader& archive, const std::string& at, const std::string& where) {
  try {
    return read_term(archive, at, where);
  } catch (const InputError& error) {
    // Adds the file to messages of descriptors and kernels.
    const std::string message = error.what();
    if (message.starts_with(where)) throw;
    throw InputError(where + ": " + message);
  }
}

void save_base(ArchiveWriter& archive, const BaseKeys& base) {
  std::vector<std::string> sources, columns;
  for (const auto& [source, column] : base.columns) {
    sources.push_back(source);
    columns.push_back(column);
  }
  archive.put("base/name", base.name);
  archive.put("base/sources", sources);
  archive.put("base/columns", columns);
}

BaseKeys load_base(const ArchiveReader& archive, const std::string& where) {
  BaseKeys base;
  base.name = archive.string("base/name");
  const auto sources = archive.strings("base/sources"), columns = archive.strings("base/columns");
  if (sources.size() != columns.size() || sources.empty())
    throw InputError(where + ": base/sources and base/columns have different lengths, or none");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& known = target_sources();
    if (std::none_of(known.begin(), known.end(), [&](const TargetSource& s) { return s.name == sources[i]; }) || columns[i].empty())
      throw InputError(where + ": base/sources has '" + sources[i] + "' (column '" + columns[i] + "'), which this version does not know");
    base.columns[sources[i]] = columns[i];
  }
  return base;
}

PotentialPointer load_baseline(const ArchiveReader& archive, const std::string& at, const std::string& where) {
  try {
    const std::string name = archive.string(at + "kind");
    const PotentialKind& kind = potential_kind(name);
    const Parameters given = parameters_from_json(archive.string(at + "parameters"));
    return kind.make(complete_stored_parameters(given, kind.parameters, where));
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.starts_with(where)) throw;
    throw InputError(where + ": " + message);
  }
}

std::string term_place(std::size_t t) {
  return "terms/" + std::to_string(t) + "/";
}

SparseFactor load_factor(const ArchiveReader& archive, std::span<const Term> terms) {
  std::vector<Matrix> blocks;
  std::vector<double> jitter;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const Eigen::Index count = terms[t].sparse.size();
    blocks.push_back(unpack_lower(archive.doubles(term_place(t) + "factor", count * (count + 1) / 2), count));
    jitter.push_back(archive.number(term_place(t) + "jitter"));
  }
  return SparseFactor(std::move(blocks), std::move(jitter));
}

void save_posterior(ArchiveWriter& archive, const Posterior& posterior) {
  archive.put("posterior/mean", std::span<const double>(posterior.mean.data(), static_cast<std::size_t>(posterior.mean.size())));
  archive.put("posterior/factor", pack_lower(posterior.factor));
  archive.put("posterior/scale", posterior.delta_ratio);
  archive.put("posterior/log_evidence", posterior.log_evidence);
  std::vector<std::int64_t> properties, fixed;
  std::vector<std::string> classes;
  std::vector<double> sigmas;
  for (const RowGroup& g : posterior.groups) {
    properties.push_back(static_cast<std::int64_t>(g.property));
    fixed.push_back(g.fixed ? 1 : 0);
    classes.push_back(g.config_class);
    sigmas.push_back(g.sigma);
  }
  archive.put("posterior/group_property", properties);
  archive.put("posterior/group_fixed", fixed);
  archive.put("posterior/group_class", classes);
  archive.put("posterior/group_sigma", sigmas);
  put_noise(archive, "posterior/", posterior.noise);
}

Posterior load_posterior(const ArchiveReader& archive, const std::string& where, Eigen::Index size, Eigen::Index terms) {
  Posterior posterior;
  posterior.mean = archive.vector("posterior/mean", size);
  posterior.factor = unpack_lower(archive.doubles("posterior/factor", size * (size + 1) / 2), size);
  posterior.delta_ratio = archive.doubles("posterior/scale", terms);
  posterior.log_evidence = archive.number("posterior/log_evidence");
  const auto properties = archive.integers("posterior/group_property");
  const auto groups = static_cast<Eigen::Index>(properties.size());
  const auto fixed = archive.integers("posterior/group_fixed", groups);
  const auto classes = archive.strings("posterior/group_class");
  const auto sigmas = archive.doubles("posterior/group_sigma", groups);
  if (classes.size() != properties.size()) throw InputError(where + ": the posterior's groups have different lengths");
  for (std::size_t i = 0; i < properties.size(); ++i) {
    if (properties[i] < 0 || properties[i] >= static_cast<std::int64_t>(target_count))
      throw InputError(where + ": unknown property in the posterior's groups");
    posterior.groups.push_back({static_cast<Property>(properties[i]), classes[i], fixed[i] != 0, sigmas[i]});
  }
  try {
    posterior.noise = get_noise(archive, "posterior/");
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.starts_with(where) ? message : where + ": " + message);
  }
  return posterior;
}

void save_shortest_distances(ArchiveWriter& archive, const ShortestDistances& shortest) {
  std::vector<std::int64_t> elements;
  std::vector<double> distances;
  for (const auto& [pair, distance] : shortest) {
    elements.insert(elements.end(), {pair.first, pair.second});
    distances.push_back(distance);
  }
  archive.put("shortest_distances/elements", elements);
  archive.put("shortest_distances/distance", distances);
}

ShortestDistances load_shortest_distances(const ArchiveReader& archive, const std::string& where) {
  ShortestDistances shortest;
  const auto elements = as_elements(archive.integers("shortest_distances/elements"), where);
  const auto distances = archive.doubles("shortest_distances/distance", static_cast<Eigen::Index>(elements.size() / 2));
  bool is_sound = elements.size() % 2 == 0;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const std::pair pair(elements[2 * i], elements[2 * i + 1]);
    if (!(distances[i] > 0 && std::isfinite(distances[i])))
      throw InputError(where + ": the shortest distance of " + element_symbol(pair.first) + " and " + element_symbol(pair.second) + " is " +
                       std::to_string(distances[i]) + " Å, expected a number above 0");
    is_sound = is_sound && pair.first <= pair.second && shortest.emplace(pair, distances[i]).second;
  }
  if (!is_sound) throw InputError(where + ": the shortest distances do not name each pair of elements once, smaller atomic number first");
  return shortest;
}

void require_sound(const Model& model, const std::string& where) {
  const auto all_finite = [](const std::vector<double>& v) {
    return std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
  };
  bool finite = model.weights.allFinite() && model.posterior.mean.allFinite() && model.posterior.factor.allFinite() &&
                all_finite(model.posterior.delta_ratio) && all_finite(model.factor.jitter()) && std::isfinite(model.posterior.log_evidence);
  for (const Term& term : model.terms)
    finite = finite && term.sparse.x.allFinite() && term.sparse.covariance_cutoff.allFinite() && std::isfinite(term.delta);
  for (const Matrix& block : model.factor.blocks()) finite = finite && block.allFinite();
  for (const auto& [z, e0] : model.reference_energies) finite = finite && std::isfinite(e0);
  if (!finite) throw InputError(where + ": the model holds NaN or infinity");
  // The variances divide by these.
  bool positive = (model.posterior.factor.diagonal().array() > 0).all();
  for (const Matrix& block : model.factor.blocks()) positive = positive && (block.diagonal().array() > 0).all();
  if (!positive) throw InputError(where + ": a Cholesky factor has a diagonal element that is not above 0");
  for (const RowGroup& group : model.posterior.groups)
    if (!(group.sigma > 0 && std::isfinite(group.sigma)))
      throw InputError(where + ": sigma of property '" + property_name(group.property) + "', class '" + group.config_class + "', is " +
                       std::to_string(group.sigma) + ", expected a number above 0");
  for (const Term& term : model.terms)
    for (const int z : term.elements)
      if (!model.knows(z))
        throw InputError(where + ": term '" + term.label() + "' is for " + element_symbol(z) + ", which has no reference energy");
}

}  // namespace

void save_model(const Model& model, const std::filesystem::path& path) {
  save_model_with(model, path, {});
}

void put_model(ArchiveWriter& archive, const Model& model) {
  archive.put("gapkit_version", version);
  archive.put("units", units_text);
  archive.put("configuration", model.configuration);
  archive.put("seed", static_cast<std::int64_t>(model.seed));
  archive.put("data_fingerprint", model.data_fingerprint);
  archive.put("scale_with_atoms", std::int64_t{model.scale_with_atoms});
  std::vector<std::int64_t> elements;
  std::vector<double> energies;
  for (const auto& [z, e0] : model.reference_energies) {
    elements.push_back(z);
    energies.push_back(e0);
  }
  archive.put("elements", elements);
  archive.put("reference_energies", energies);
  archive.put("baseline_count", static_cast<std::int64_t>(model.baselines.size()));
  for (std::size_t b = 0; b < model.baselines.size(); ++b) {
    const std::string at = "baselines/" + std::to_string(b) + "/";
    archive.put(at + "kind", model.baselines[b]->name());
    archive.put(at + "parameters", parameters_to_json(model.baselines[b]->parameters()));
  }
  if (model.base.is_used()) save_base(archive, model.base);
  archive.put("term_count", static_cast<std::int64_t>(model.terms.size()));
  for (std::size_t t = 0; t < model.terms.size(); ++t) save_term(archive, term_place(t), model.terms[t]);
  if (model.has_posterior()) {
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
      archive.put(term_place(t) + "jitter", model.factor.jitter()[t]);
      archive.put(term_place(t) + "factor", pack_lower(model.factor.blocks()[t]));
    }
    save_posterior(archive, model.posterior);
    if (model.calibration) save_calibration(archive, *model.calibration);
  } else {
    archive.put("has_posterior", std::int64_t{0});
  }
  if (model.shortest_distances) save_shortest_distances(archive, *model.shortest_distances);
  archive.put("weights", std::span<const double>(model.weights.data(), static_cast<std::size_t>(model.weights.size())));
  std::vector<std::string> names, texts;
  for (const auto& [name, text] : model.notes) {
    names.push_back(name);
    texts.push_back(text);
  }
  archive.put("note_names", names);
  archive.put("note_texts", texts);
}

void save_model_with(const Model& model, const std::filesystem::path& path, const std::function<void(ArchiveWriter&)>& more) {
  ArchiveWriter archive(path, format_name, format_version_of(model));
  put_model(archive, model);
  put_properties(archive, model.properties);
  put_tensors(archive, model.tensors);
  if (more) more(archive);
  archive.commit();
}

ArchiveReader open_model(const std::filesystem::path& path) {
  return ArchiveReader(path, format_name, model_format_version);
}

Model load_model(const std::filesystem::path& path) {
  const ArchiveReader archive(path, format_name, model_format_version);
  Model model = get_model(archive, path.string());
  model.properties = get_properties(archive, path.string());
  model.tensors = get_tensors(archive, path.string());
  for (const auto& tensor : model.tensors) ChargeDipole::of(tensor->keys, model.properties, path.string() + ": ");
  bind_fields(model.baselines, model.properties, path.string() + ": ");
  return model;
}

Model get_model(const ArchiveReader& archive, const std::string& where) {
  Model model;
  model.gapkit_version = archive.string("gapkit_version");
  model.configuration = archive.string("configuration");
  model.seed = static_cast<std::uint64_t>(archive.integer("seed"));
  model.data_fingerprint = archive.string("data_fingerprint");
  model.scale_with_atoms = archive.integer("scale_with_atoms") != 0;
  const auto elements = as_elements(archive.integers("elements"), where);
  const auto energies = archive.doubles("reference_energies", static_cast<Eigen::Index>(elements.size()));
  for (std::size_t i = 0; i < elements.size(); ++i) model.reference_energies[elements[i]] = energies[i];
  // The oldest files do not have the count.
  const std::int64_t baselines = archive.has("baseline_count") ? archive.integer("baseline_count") : 0;
  for (std::int64_t b = 0; b < baselines; ++b)
    model.baselines.push_back(load_baseline(archive, "baselines/" + std::to_string(b) + "/", where));
  if (archive.has("base/columns")) model.base = load_base(archive, where);
  const std::int64_t terms = archive.integer("term_count");
  for (std::int64_t t = 0; t < terms; ++t) model.terms.push_back(load_term(archive, term_place(static_cast<std::size_t>(t)), where));
  const Eigen::Index points = sparse_count(model.terms);
  if (!archive.has("has_posterior") || archive.integer("has_posterior") != 0) {
    model.factor = load_factor(archive, model.terms);
    model.posterior = load_posterior(archive, where, points, static_cast<Eigen::Index>(model.terms.size()));
    model.calibration = load_calibration(archive, where, points);
  }
  model.weights = archive.vector("weights", points);
  // Optional: models of earlier versions do not have it.
  if (archive.has("shortest_distances/elements")) model.shortest_distances = load_shortest_distances(archive, where);
  const auto names = archive.strings("note_names"), texts = archive.strings("note_texts");
  for (std::size_t i = 0; i < std::min(names.size(), texts.size()); ++i) model.notes[names[i]] = texts[i];
  require_sound(model, where);
  return model;
}

}  // namespace gapkit
