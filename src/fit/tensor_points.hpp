#pragma once

#include "fit/tensor_data.hpp"

namespace gapkit {

/// The terms of a tensor with their representative environments, chosen by the scalar features. Two passes over the frames with labels.
std::vector<TensorTerm> tensor_terms(const Dataset& data, const TensorOptions& options, const TensorFacts& facts, const Numerics& numerics);

}  // namespace gapkit
