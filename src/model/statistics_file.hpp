#pragma once

#include <functional>
#include <gapkit/io/archive.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// One group's sums under `at`, a path that ends with '/'.
void put_group(ArchiveWriter& archive, const std::string& at, const GroupStatistics& group);
/// Throws InputError if they do not fit `size` columns.
GroupStatistics get_group(const ArchiveReader& archive, const std::string& at, Eigen::Index size);

}  // namespace gapkit
