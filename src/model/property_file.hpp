#pragma once

#include <gapkit/io/archive.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// The entries of a model, without its local properties.
void put_model(ArchiveWriter& archive, const Model& model);
/// `where`: the file, for messages. Throws InputError as load_model() does.
Model get_model(const ArchiveReader& archive, const std::string& where);

/// Local properties, each a model in a group of its own.
void put_properties(ArchiveWriter& archive, const std::vector<FittedProperty>& properties);
std::vector<FittedProperty> get_properties(const ArchiveReader& archive, const std::string& where);

}  // namespace gapkit
