#pragma once

#include <gapkit/descriptors/contracted_channels.hpp>

#include "fit/data_scan.hpp"

namespace gapkit {

/// Gives the drafts of terms that contract channels their basis, from the environments of a sample of the training frames. Drafts that have
/// one keep it. Labels do not matter. Messages go to `progress`.
void make_channels(const Dataset& training, const FitOptions& options, DataScan& scan, const ProgressCallback& progress);

/// Numbers of some frames, ascending: at least one of each config type and set of elements, and as many of each as long as all have at
/// most `most_atoms`; drawn at random with the seed.
std::vector<std::int64_t> channel_sample(const DatasetSummary& summary, std::int64_t most_atoms, std::uint64_t seed);

/// The `channels` leading eigenvectors of each matrix as rows. Directions without moments are completed by axes, so that rounding decides
/// nothing.
ChannelBasis leading_channels(const std::vector<Matrix>& moments, int channels);

/// Throws InputError if a term wants more channels than there are, or sparse points from a file, which are features of another basis.
void check_channels(const TermOptions& term, const Descriptor& descriptor, std::size_t elements);

}  // namespace gapkit
