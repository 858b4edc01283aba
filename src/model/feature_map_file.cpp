#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/model/feature_map_file.hpp>

namespace gapkit {

namespace {

void put_channels(ArchiveWriter& archive, const std::string& at, const ContractedChannels& channels) {
  const ChannelBasis* basis = channels.basis();
  if (!basis) throw Error("the channels of a term were not made");
  Matrix all(static_cast<Eigen::Index>(basis->contraction.size()) * channels.channels(), channels.all_channels());
  for (std::size_t l = 0; l < basis->contraction.size(); ++l)
    all.middleRows(static_cast<Eigen::Index>(l) * channels.channels(), channels.channels()) = basis->contraction[l];
  archive.put(at + "channels/contraction", all);
  archive.put(at + "channels/kept", basis->kept);
}

ChannelBasis get_channels(const ArchiveReader& archive, const std::string& at, const ContractedChannels& channels) {
  ChannelBasis basis;
  basis.kept = archive.doubles(at + "channels/kept");
  const auto terms = static_cast<Eigen::Index>(basis.kept.size());
  const Matrix all = archive.matrix(at + "channels/contraction", terms * channels.channels(), channels.all_channels());
  for (Eigen::Index l = 0; l < terms; ++l) basis.contraction.push_back(all.middleRows(l * channels.channels(), channels.channels()));
  for (const double kept : basis.kept)
    if (!(kept >= 0 && kept <= 1 + 1e-9)) throw InputError(fmt::format("{}channels/kept has {}, expected numbers from 0 to 1", at, kept));
  return basis;
}

void put_functions(ArchiveWriter& archive, const std::string& at, const ChosenFunctions& functions) {
  const FunctionSet* set = functions.chosen();
  if (!set) throw Error("the functions of a term were not chosen");
  std::string list;
  for (const SymmetryFunction& f : set->functions) list += f.text() + "\n";
  archive.put(at + "functions/list", list);
  archive.put(at + "functions/statistics", set->statistics);
}

FunctionSet get_functions(const ArchiveReader& archive, const std::string& at, double cutoff) {
  FunctionSet set;
  for (const ListedFunction& listed : read_symmetry_functions(archive.string(at + "functions/list"), cutoff)) {
    if (listed.centre != 0 || !listed.has_elements)
      throw InputError(fmt::format("{}functions/list: entry {} names a centre, or no elements", at, listed.entry));
    set.functions.push_back(listed.function);
  }
  set.statistics = archive.matrix(at + "functions/statistics", static_cast<Eigen::Index>(set.functions.size()), 4);
  return set;
}

void put_feature_map(ArchiveWriter& archive, const std::string& at, const FeatureMap& map) {
  archive.put(at + "map/kind", map.kind);
  archive.put(at + "map/directions", map.directions);
  archive.put(at + "map/mean", std::span<const double>(map.mean.data(), static_cast<std::size_t>(map.mean.size())));
  archive.put(at + "map/kept_variance", map.kept_variance);
  archive.put(at + "map/frames", map.frames);
}

FeatureMap get_feature_map(const ArchiveReader& archive, const std::string& at, const Descriptor& base) {
  FeatureMap map;
  map.kind = archive.string(at + "map/kind");
  map.directions = archive.matrix(at + "map/directions", base.size(), -1);
  map.mean = archive.vector(at + "map/mean", base.size());
  map.kept_variance = archive.number(at + "map/kept_variance");
  map.frames = archive.integers(at + "map/frames");
  if (!(map.kept_variance >= 0 && map.kept_variance <= 1 + 1e-9))
    throw InputError(fmt::format("{}map/kept_variance is {}, expected a number from 0 to 1", at, map.kept_variance));
  if (!std::is_sorted(map.frames.begin(), map.frames.end())) throw InputError(at + "map/frames do not ascend");
  return map;
}

bool are_equal(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && a == b;
}

bool are_equal(const Vector& a, const Vector& b) {
  return a.size() == b.size() && a == b;
}

bool are_equal(const std::vector<Matrix>& a, const std::vector<Matrix>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Matrix& x, const Matrix& y) { return are_equal(x, y); });
}

}  // namespace

void put_learned_parts(ArchiveWriter& archive, const std::string& at, const Descriptor& descriptor) {
  if (const ContractedChannels* channels = descriptor.contracted_channels()) put_channels(archive, at, *channels);
  if (const ChosenFunctions* functions = descriptor.chosen_functions()) put_functions(archive, at, *functions);
  if (const FeatureMap* map = descriptor.feature_map()) put_feature_map(archive, at, *map);
}

std::shared_ptr<const Descriptor> get_learned_parts(const ArchiveReader& archive, const std::string& at,
                                                    std::shared_ptr<const Descriptor> base) {
  if (const ContractedChannels* channels = base->contracted_channels()) base = channels->with_basis(get_channels(archive, at, *channels));
  if (const ChosenFunctions* functions = base->chosen_functions())
    base = functions->with_functions(get_functions(archive, at, base->cutoff()));
  if (archive.has(at + "map/kind")) base = mapped_descriptor(base, get_feature_map(archive, at, *base));
  return base;
}

bool have_equal_learned_parts(const Descriptor& a, const Descriptor& b) {
  const FeatureMap *map_a = a.feature_map(), *map_b = b.feature_map();
  if (map_a && map_b ? !are_equal(map_a->directions, map_b->directions) || !are_equal(map_a->mean, map_b->mean) : map_a != map_b)
    return false;
  const ChosenFunctions *functions_a = a.chosen_functions(), *functions_b = b.chosen_functions();
  const FunctionSet *set_a = functions_a ? functions_a->chosen() : nullptr, *set_b = functions_b ? functions_b->chosen() : nullptr;
  if (set_a && set_b) {
    const FunctionScaling scale_a = functions_a->scaling(set_a->statistics), scale_b = functions_b->scaling(set_b->statistics);
    if (set_a->functions != set_b->functions || !are_equal(scale_a.offset, scale_b.offset) || !are_equal(scale_a.factor, scale_b.factor))
      return false;
  } else if (set_a != set_b) {
    return false;
  }
  const ContractedChannels *channels_a = a.contracted_channels(), *channels_b = b.contracted_channels();
  if (!channels_a || !channels_b) return channels_a == channels_b;
  const ChannelBasis *basis_a = channels_a->basis(), *basis_b = channels_b->basis();
  return basis_a && basis_b ? are_equal(basis_a->contraction, basis_b->contraction) : basis_a == basis_b;
}

std::vector<std::int64_t> frames_behind_maps(std::span<const Term> terms) {
  std::vector<std::int64_t> frames;
  for (const Term& term : terms)
    if (const FeatureMap* map = term.descriptor->feature_map()) frames.insert(frames.end(), map->frames.begin(), map->frames.end());
  std::sort(frames.begin(), frames.end());
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

}  // namespace gapkit
