#pragma once

#include <functional>
#include <gapkit/io/archive.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Saves a model; `more` adds entries to the file before it is renamed.
void save_model_with(const Model& model, const std::filesystem::path& path, const std::function<void(ArchiveWriter&)>& more);
/// Opens the file of a model, for entries that load_model does not read.
ArchiveReader open_model(const std::filesystem::path& path);

}  // namespace gapkit
