#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <gapkit/convert/kim_model.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/model/term_kernel.hpp>

namespace gapkit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "# A portable model of the KIM API, written by gap-convert.";

// The model lies beside the library and is not part of it: compilers take minutes and gigabytes for some 50 MB in the form of C.
constexpr std::string_view cmake_text = R"(
# kim-api-collections-management install user THIS_FOLDER
cmake_minimum_required(VERSION 3.16)
list(APPEND CMAKE_PREFIX_PATH $ENV{KIM_API_CMAKE_PREFIX_DIR})
find_package(KIM-API-ITEMS 2.2 REQUIRED CONFIG)
kim_api_items_setup_before_project(ITEM_TYPE "portableModel")
project(@NAME@ LANGUAGES C CXX)
kim_api_items_setup_after_project(ITEM_TYPE "portableModel")
add_kim_api_model_library(NAME "@NAME@" DRIVER_NAME "@DRIVER@" PARAMETER_FILES "@NAME@.gapkit")
# The model goes beside the library that the line above has just installed.
install(CODE "
  foreach(file IN LISTS CMAKE_INSTALL_MANIFEST_FILES)
    get_filename_component(folder \${file} DIRECTORY)
    get_filename_component(folder_name \${folder} NAME)
    if(folder_name STREQUAL \"@NAME@\" AND file MATCHES \"kim-api-portable-model\")
      file(INSTALL \"${CMAKE_CURRENT_SOURCE_DIR}/@NAME@.h5\" DESTINATION \${folder})
      set(is_installed TRUE)
    endif()
  endforeach()
  if(NOT is_installed)
    message(FATAL_ERROR \"the library of the portable model @NAME@ was not installed, so its model was not either\")
  endif()
")
)";

bool is_identifier(const std::string& name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

void check_model(const Model& model) {
  if (model.base.is_used())
    throw InputError(
        fmt::format("the model gives the difference from another one, {}, which programs with a KIM interface cannot add; a fit "
                    "without a base can be converted",
                    model.base.text()));
  for (const PotentialPointer& part : model.baselines)
    if (part->needs_structure())
      throw InputError(
          fmt::format("the model's part '{}' needs the whole cell, and the KIM API shows a model only the neighbours of "
                      "atoms; a fit without it can be converted",
                      part->name()));
  if (!(model.cutoff() > 0)) throw InputError("the model has no interactions: its cutoff is 0");
}

/// A new or empty folder, or one with an earlier portable model of this name: nothing else may be lost.
void check_folder(const fs::path& folder, const std::string& name) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::exists(status) && !fs::is_directory(status))
    throw InputError(fmt::format("{}: this is a file; expected a folder for the portable model", folder.string()));
  if (!fs::exists(status)) return;
  std::ifstream in(folder / "CMakeLists.txt");
  std::string line;
  const bool is_own = in && std::getline(in, line) && line == first_line;
  const std::vector<std::string> own = {"CMakeLists.txt", name + ".gapkit", name + ".h5"};
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    if (!is_own || std::find(own.begin(), own.end(), file) == own.end())
      throw InputError(fmt::format("{}: the folder holds '{}', which is no file of the portable model '{}'; name a new or an empty folder",
                                   folder.string(), file, name));
  }
  if (error) throw InputError(fmt::format("{}: cannot read the folder: {}", folder.string(), error.message()));
}

std::string with_names(std::string_view text, const std::string& name) {
  std::string result(text);
  for (const auto& [mark, value] : {std::pair<std::string, std::string>("@NAME@", name), {"@DRIVER@", kim_driver_name}})
    for (std::size_t at = 0; (at = result.find(mark, at)) != std::string::npos; at += value.size()) result.replace(at, mark.size(), value);
  return result;
}

void write_text(const fs::path& path, const std::string& text) {
  TemporaryFile file(path);
  file.append(text);
  file.commit();
}

}  // namespace

void write_kim_model(const Model& model, const std::string& name, const fs::path& folder) {
  if (!is_identifier(name))
    throw InputError(
        fmt::format("'{}' is no name for a KIM model, expected letters, digits and underscores, and no digit at the beginning", name));
  if (name == kim_driver_name) throw InputError(fmt::format("'{}' is the name of the model driver; choose another for the model", name));
  check_model(model);
  require_derivatives(model.terms);
  check_folder(folder, name);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(fmt::format("{}: cannot create the folder: {}", folder.string(), error.message()));

  // In this order, so that the folder is known as a portable model's from the first file on, and complete with the last one.
  write_text(folder / "CMakeLists.txt", std::string(first_line) + with_names(cmake_text, name));
  const fs::path file = folder / (name + ".h5");
  save_model(model, file);
  std::string parameters = fmt::format("gapkit_kim 1\nmodel {}\nfile {} {}\n", name, file.filename().string(), fs::file_size(file));
  for (const auto& [number, energy] : model.reference_energies)
    parameters += fmt::format("element {} {}\n", element_symbol(number), number);
  write_text(folder / (name + ".gapkit"), parameters);
}

}  // namespace gapkit
