#pragma once

#include <filesystem>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Writes a portable model of the KIM API into `folder` (docs/kim.md): its CMakeLists.txt, its parameter file NAME.gapkit, and the model,
/// NAME.h5. An earlier one of the same name is replaced.
///
/// Throws InputError, before anything is written: a name that is no identifier, a folder that holds something else, a model that gives
/// no energies alone (on top of another one) or needs the whole cell.
void write_kim_model(const Model& model, const std::string& name, const std::filesystem::path& folder);

/// Name of the model driver in kim/, which evaluates all portable models.
inline constexpr const char* kim_driver_name = "gapkit_driver";

}  // namespace gapkit
