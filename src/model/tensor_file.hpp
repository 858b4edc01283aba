#pragma once

#include <gapkit/io/archive.hpp>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit {

/// Tensors of a model, each in a group of its own.
void put_tensors(ArchiveWriter& archive, const std::vector<std::shared_ptr<const FittedTensor>>& tensors);
/// `where`: the file, for messages. Throws InputError for damaged or inconsistent content.
std::vector<std::shared_ptr<const FittedTensor>> get_tensors(const ArchiveReader& archive, const std::string& where);

}  // namespace gapkit
