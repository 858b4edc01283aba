#pragma once

#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

/// The map of a term's features, under `at` in a model or checkpoint (docs/file-formats.md).
void put_feature_map(ArchiveWriter& archive, const std::string& at, const FeatureMap& map);
bool has_feature_map(const ArchiveReader& archive, const std::string& at);
/// `base`: the descriptor whose features are mapped. Throws InputError for wrong shapes.
FeatureMap get_feature_map(const ArchiveReader& archive, const std::string& at, const Descriptor& base);

/// Numbers of the training frames whose labels a map of a term depends on, ascending: errors on them say little about other data.
std::vector<std::int64_t> frames_behind_maps(std::span<const Term> terms);

}  // namespace gapkit
