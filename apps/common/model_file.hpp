#pragma once

#include <filesystem>
#include <string>

namespace gapkit::apps {

/// Throws InputError if MODEL is XML: `task` ("--refit") needs a model file.
void refuse_xml(const std::filesystem::path& path, const std::string& task);

}  // namespace gapkit::apps
