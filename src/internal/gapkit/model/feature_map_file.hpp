#pragma once

#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

/// The parts of a term's descriptor that are made from training data (functions with their scaling, the contraction of channels, the map of
/// features), under `at` in a
/// model or checkpoint (docs/file-formats.md).
void put_learned_parts(ArchiveWriter& archive, const std::string& at, const Descriptor& descriptor);
/// `base` with these parts. Throws InputError for wrong shapes.
std::shared_ptr<const Descriptor> get_learned_parts(const ArchiveReader& archive, const std::string& at,
                                                    std::shared_ptr<const Descriptor> base);

/// Whether two descriptors of equal parameters and elements have equal parts of this kind.
bool have_equal_learned_parts(const Descriptor& a, const Descriptor& b);

/// Numbers of the training frames whose labels a map of a term depends on, ascending: errors on them say little about other data.
std::vector<std::int64_t> frames_behind_maps(std::span<const Term> terms);

}  // namespace gapkit
