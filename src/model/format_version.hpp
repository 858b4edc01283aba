#pragma once

namespace gapkit {

struct Model;

/// The lowest format version that has all parts of the model (model_format_version).
int format_version_of(const Model& model);

}  // namespace gapkit
