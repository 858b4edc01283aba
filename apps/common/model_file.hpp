#pragma once

#include <filesystem>
#include <string>

namespace gapkit::apps {

/// Error and no file: MODEL is XML, but `task` ("--refit") needs what only a model file has.
void refuse_xml(const std::filesystem::path& path, const std::string& task);

}  // namespace gapkit::apps
