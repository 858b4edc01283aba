#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/feature_map_file.hpp>

namespace gapkit {

void put_feature_map(ArchiveWriter& archive, const std::string& at, const FeatureMap& map) {
  archive.put(at + "map/kind", map.kind);
  archive.put(at + "map/directions", map.directions);
  archive.put(at + "map/mean", std::span<const double>(map.mean.data(), static_cast<std::size_t>(map.mean.size())));
  archive.put(at + "map/kept_variance", map.kept_variance);
  archive.put(at + "map/frames", map.frames);
}

bool has_feature_map(const ArchiveReader& archive, const std::string& at) {
  return archive.has(at + "map/kind");
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

std::vector<std::int64_t> frames_behind_maps(std::span<const Term> terms) {
  std::vector<std::int64_t> frames;
  for (const Term& term : terms)
    if (const FeatureMap* map = term.descriptor->feature_map()) frames.insert(frames.end(), map->frames.begin(), map->frames.end());
  std::sort(frames.begin(), frames.end());
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

}  // namespace gapkit
