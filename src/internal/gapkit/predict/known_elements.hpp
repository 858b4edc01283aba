#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Throw InputError with the first atom whose element the model does not know.
void check_elements(const Model& model, const Environments& environments);
void check_elements(const Model& model, const Structure& structure);

}  // namespace gapkit
