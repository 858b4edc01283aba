#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/model_file.hpp>
#include <gapkit/model/statistics.hpp>
#include <gapkit/model/statistics_file.hpp>
#include <gapkit/potentials/atom_field.hpp>

namespace gapkit {
namespace {

Property property_of(std::int64_t number) {
  if (number < 0 || number >= static_cast<std::int64_t>(target_count)) throw InputError("unknown property " + std::to_string(number));
  return static_cast<Property>(number);
}

void put_rules(ArchiveWriter& archive, const RowRules& rules) {
  const std::string at = "statistics/keys/";
  for (const TargetSource& source : target_sources()) archive.put(at + source.name, rules.keys.named(source.name));
  archive.put(at + "config_type", rules.keys.config_type);
  archive.put(at + "force_mask", rules.keys.force_mask);
  std::vector<std::int64_t> use;
  for (const TargetInfo& target : targets()) use.push_back(rules.use[target.property]);
  archive.put("statistics/use", use);
  std::vector<std::int64_t> properties, fixed;
  std::vector<std::string> classes;
  std::vector<double> sigmas;
  for (const RowGroup& g : rules.groups) {
    properties.push_back(static_cast<std::int64_t>(g.property));
    fixed.push_back(g.fixed);
    classes.push_back(g.config_class);
    sigmas.push_back(g.sigma);
  }
  archive.put("statistics/class_property", properties);
  archive.put("statistics/class_name", classes);
  archive.put("statistics/class_fixed", fixed);
  archive.put("statistics/class_sigma", sigmas);
}

RowRules get_rules(const ArchiveReader& archive, const Model& model) {
  RowRules rules;
  const std::string at = "statistics/keys/";
  const auto use = archive.integers("statistics/use");
  if (use.size() > targets().size()) throw InputError("the statistics have targets that this version does not know");
  rules.use = PerTarget<bool>(false);
  for (std::size_t i = 0; i < use.size(); ++i) {  // targets newer than the file were not used
    const TargetInfo& target = targets()[i];
    rules.use[target.property] = use[i] != 0;
    for (const TargetSource& source : target.sources) rules.keys.name(source.name, archive.string(at + source.name));
  }
  rules.keys.config_type = archive.string(at + "config_type");
  rules.keys.force_mask = archive.string(at + "force_mask");
  rules.keys.use = rules.use;
  rules.keys.base = model.base;
  rules.scale_with_atoms = model.scale_with_atoms;
  const auto properties = archive.integers("statistics/class_property");
  const auto count = static_cast<Eigen::Index>(properties.size());
  const auto classes = archive.strings("statistics/class_name");
  const auto fixed = archive.integers("statistics/class_fixed", count);
  const auto sigmas = archive.doubles("statistics/class_sigma", count);
  if (classes.size() != properties.size()) throw InputError("the classes of the statistics have different lengths");
  for (std::size_t i = 0; i < properties.size(); ++i) {
    if (!(sigmas[i] > 0 && std::isfinite(sigmas[i]))) throw InputError("a sigma of the statistics' classes is not a number above 0");
    rules.groups.push_back({property_of(properties[i]), classes[i], fixed[i] != 0, sigmas[i]});
  }
  return rules;
}

void put_frames(ArchiveWriter& archive, const FrameSketch& frames) {
  const std::vector<std::int64_t> checksums(frames.checksums().begin(), frames.checksums().end());
  archive.put("statistics/frames", checksums);
}

void require_finite(const GroupStatistics& g) {
  bool finite = g.moment.allFinite() && std::isfinite(g.target_square) && std::isfinite(g.log_weight) && g.count >= 0;
  for (const double x : g.prior) finite = finite && std::isfinite(x);
  for (const double x : g.gram.packed()) finite = finite && std::isfinite(x);
  if (!finite || g.target_square < 0) throw InputError("the statistics hold NaN, infinity or a negative sum of squares");
  if (!(g.group.sigma > 0 && std::isfinite(g.group.sigma))) throw InputError("a sigma of the statistics is not a number above 0");
}

}  // namespace

void put_group(ArchiveWriter& archive, const std::string& at, const GroupStatistics& g) {
  const std::vector<std::int64_t> key = {static_cast<std::int64_t>(g.group.property), g.group.fixed, g.count, g.group.fold};
  archive.put(at + "key", key);
  archive.put(at + "class", g.group.config_class);
  const std::vector<double> sums = {g.group.sigma, g.target_square, g.log_weight};
  archive.put(at + "sums", sums);
  archive.put(at + "moment", std::span<const double>(g.moment.data(), static_cast<std::size_t>(g.moment.size())));
  archive.put(at + "gram", g.gram.packed());
  archive.put(at + "prior", g.prior);
}

GroupStatistics get_group(const ArchiveReader& archive, const std::string& at, Eigen::Index size) {
  GroupStatistics g;
  const auto key = archive.integers(at + "key", 4);
  const auto sums = archive.doubles(at + "sums", 3);
  g.group = {property_of(key[0]), archive.string(at + "class"), key[1] != 0, sums[0], static_cast<int>(key[3])};
  g.count = key[2];
  g.target_square = sums[1];
  g.log_weight = sums[2];
  g.moment = archive.vector(at + "moment", size);
  g.prior = archive.doubles(at + "prior");
  std::vector<double> packed = archive.doubles(at + "gram", size * (size + 1) / 2);
  g.gram = SymmetricAccumulator(size);
  g.gram.packed() = std::move(packed);
  return g;
}

void put_noise(ArchiveWriter& archive, const std::string& at, const std::vector<NoiseRecord>& records) {
  if (records.empty()) return;
  std::vector<std::int64_t> properties, own_rows, class_rows;
  std::vector<std::string> config_types;
  std::vector<double> own_squares;
  for (const NoiseRecord& r : records) {
    properties.push_back(static_cast<std::int64_t>(r.property));
    config_types.push_back(r.config_type);
    own_rows.push_back(r.own_rows);
    own_squares.push_back(r.own_square);
    class_rows.push_back(r.class_rows);
  }
  archive.put(at + "noise_property", properties);
  archive.put(at + "noise_config_type", config_types);
  archive.put(at + "noise_own_rows", own_rows);
  archive.put(at + "noise_own_square", own_squares);
  archive.put(at + "noise_class_rows", class_rows);
}

std::vector<NoiseRecord> get_noise(const ArchiveReader& archive, const std::string& at) {
  std::vector<NoiseRecord> records;
  if (!archive.has(at + "noise_property")) return records;
  const auto properties = archive.integers(at + "noise_property");
  const auto count = static_cast<Eigen::Index>(properties.size());
  const auto config_types = archive.strings(at + "noise_config_type");
  const auto own_rows = archive.integers(at + "noise_own_rows", count), class_rows = archive.integers(at + "noise_class_rows", count);
  const auto own_squares = archive.doubles(at + "noise_own_square", count);
  if (config_types.size() != properties.size()) throw InputError("the records of the rows' sigma have different lengths");
  for (std::size_t i = 0; i < properties.size(); ++i) {
    if (own_rows[i] < 0 || class_rows[i] < 0 || !std::isfinite(own_squares[i]) ||
        !(own_rows[i] > 0 ? own_squares[i] > 0 : own_squares[i] == 0))
      throw InputError("a record of the rows' sigma is damaged: " + std::to_string(own_rows[i]) + " rows with a sum of squares of " +
                       std::to_string(own_squares[i]));
    records.push_back({property_of(properties[i]), config_types[i], own_rows[i], own_squares[i], class_rows[i]});
  }
  return records;
}

double StoredStatistics::bytes() const {
  double sum = 0;
  for (const GroupStatistics& g : statistics.groups) sum += 8.0 * static_cast<double>(g.gram.packed().size() + 4 + g.moment.size());
  return sum;
}

std::string statistics_fingerprint(const Model& model) {
  Checksum sum;
  for (const PotentialPointer& b : model.baselines) {
    sum.add(b->name() + parameters_to_json(b->parameters()));
    if (const FieldDependence* dependence = field_dependence(*b); dependence && dependence->field())
      sum.add(dependence->field()->fingerprint());
  }
  if (model.base.is_used()) sum.add("base " + model.base.text());
  for (const Term& term : model.terms) {
    sum.add(term.descriptor_name + parameters_to_json(term.descriptor->parameters()));
    sum.add(term.kernel_name + parameters_to_json(term.kernel->parameters()));
    for (const int z : term.species) sum.add(static_cast<std::int64_t>(z));
    const ContractedChannels* channels = term.descriptor->contracted_channels();
    if (channels && channels->basis())
      for (const Matrix& w : channels->basis()->contraction)
        for (Eigen::Index i = 0; i < w.size(); ++i) sum.add(w.data()[i]);
    if (const ChosenFunctions* functions = term.descriptor->chosen_functions(); functions && functions->chosen()) {
      for (const SymmetryFunction& f : functions->chosen()->functions) sum.add(f.text());
      const auto [offset, factor] = functions->scaling(functions->chosen()->statistics);
      for (const double number : offset) sum.add(number);
      for (const double number : factor) sum.add(number);
    }
    if (const FeatureMap* map = term.descriptor->feature_map()) {
      for (Eigen::Index i = 0; i < map->directions.size(); ++i) sum.add(map->directions.data()[i]);
      for (Eigen::Index i = 0; i < map->mean.size(); ++i) sum.add(map->mean[i]);
    }
    sum.add(term.delta);
    for (Eigen::Index i = 0; i < term.sparse.x.size(); ++i) sum.add(term.sparse.x.data()[i]);
    for (Eigen::Index i = 0; i < term.sparse.covariance_cutoff.size(); ++i) sum.add(term.sparse.covariance_cutoff[i]);
  }
  for (const double jitter : model.factor.jitter()) sum.add(jitter);
  for (const auto& [z, e0] : model.reference_energies) {
    sum.add(static_cast<std::int64_t>(z));
    sum.add(e0);
  }
  sum.add(std::int64_t{model.scale_with_atoms});
  return std::to_string(sum.value());
}

void save_model(const Model& model, const StoredStatistics& stored, const std::filesystem::path& path) {
  save_model_with(model, path, [&](ArchiveWriter& archive) {
    archive.put("statistics/fingerprint", stored.statistics.fingerprint);
    archive.put("statistics/amplitudes", stored.amplitudes);
    put_rules(archive, stored.rules);
    put_noise(archive, "statistics/", stored.statistics.noise);
    put_frames(archive, stored.statistics.frames);
    archive.put("statistics/group_count", static_cast<std::int64_t>(stored.statistics.groups.size()));
    for (std::size_t g = 0; g < stored.statistics.groups.size(); ++g)
      put_group(archive, "statistics/groups/" + std::to_string(g) + "/", stored.statistics.groups[g]);
  });
}

StoredStatistics load_statistics(const std::filesystem::path& path, const Model& model) {
  const std::string where = path.string();
  const ArchiveReader archive = open_model(path);
  if (!archive.has("statistics/fingerprint"))
    throw InputError(where + ": the model was saved without its statistics; fit it with [output] statistics = true or --statistics");
  StoredStatistics stored;
  try {
    stored.statistics.fingerprint = archive.string("statistics/fingerprint");
    const std::string expected = statistics_fingerprint(model);
    if (stored.statistics.fingerprint != expected)
      throw InputError("the statistics belong to other sparse points or reference energies than the model (fingerprint " +
                       stored.statistics.fingerprint + ", expected " + expected + ")");
    stored.amplitudes = archive.integers("statistics/amplitudes", static_cast<Eigen::Index>(model.terms.size()));
    stored.rules = get_rules(archive, model);
    stored.statistics.noise = get_noise(archive, "statistics/");
    if (archive.has("statistics/frames"))
      for (const std::int64_t checksum : archive.integers("statistics/frames"))
        stored.statistics.frames.add(static_cast<std::uint64_t>(checksum));
    const std::int64_t groups = archive.integer("statistics/group_count");
    for (std::int64_t g = 0; g < groups; ++g) {
      stored.statistics.groups.push_back(get_group(archive, "statistics/groups/" + std::to_string(g) + "/", model.factor.size()));
      const GroupStatistics& group = stored.statistics.groups.back();
      if (!group.prior.empty() && group.prior.size() != model.terms.size())
        throw InputError("the prior variances of the statistics are " + std::to_string(group.prior.size()) + ", expected one per term");
      require_finite(group);
    }
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.starts_with(where)) throw;
    throw InputError(where + ": " + message);
  }
  return stored;
}

}  // namespace gapkit
