#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// A member of the posterior's ensemble: the same model with weights drawn from the posterior, c = L⁻ᵀ S (u + L_A⁻ᵀ z), z ~ N(0, 1)
/// (methods.md, section 4). A smooth potential; the members' spread about the mean is the data part of the variance, not the novelty.
///
/// `member` counts from 0; the same seed and member give the same potential. The result has no posterior of its own.
/// Throws InputError if the model has none. Cost: M² flop.
Model sample_model(const Model& model, std::uint64_t seed, int member);

}  // namespace gapkit
