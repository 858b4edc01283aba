#pragma once

#include <functional>
#include <gapkit/model/model.hpp>

namespace gapkit::apps {

/// The model in a file of gapkit (HDF5), or what a GAP potential of QUIP (XML, told by its first character) converts to: as gap-convert
/// makes it, without posterior. `say` gets one line for a conversion and one for each of its notes.
Model load_any_model(const std::filesystem::path& path, const std::function<void(const std::string&)>& say);

/// A GAP potential of QUIP, or another file of XML.
bool is_xml(const std::filesystem::path& path);

/// Error and no file: MODEL is XML, but `task` ("--refit") needs what only a model file has.
void refuse_xml(const std::filesystem::path& path, const std::string& task);

}  // namespace gapkit::apps
