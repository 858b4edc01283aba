#pragma once

#include <functional>
#include <gapkit/io/archive.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// One group's sums under `at`, a path that ends with '/'.
void put_group(ArchiveWriter& archive, const std::string& at, const GroupStatistics& group);
/// Throws InputError if they do not fit `size` columns.
GroupStatistics get_group(const ArchiveReader& archive, const std::string& at, Eigen::Index size);

/// Where the σ of the rows came from, under `at`; nothing is written if nothing is known, and files of earlier versions have nothing.
void put_noise(ArchiveWriter& archive, const std::string& at, const std::vector<NoiseRecord>& records);
std::vector<NoiseRecord> get_noise(const ArchiveReader& archive, const std::string& at);

}  // namespace gapkit
