// More data for fitted tensors.

#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

#include "fit/tensor_fit.hpp"
#include "fit/tensor_frames.hpp"

namespace gapkit {
namespace {

void check_elements_of(const FittedTensor& tensor, const Structure& frame) {
  for (std::size_t i = 0; i < frame.atomic_numbers.size(); ++i)
    if (tensor.elements.count(frame.atomic_numbers[i]) == 0)
      throw InputError(
          fmt::format("{}atom {} is {}, for which the model has no data of the tensor '{}': only a fit to all data can learn it",
                      frame.place(), i + 1, element_symbol(frame.atomic_numbers[i]), tensor.keys.name));
}

/// The tensor with more data; the same if no frame has labels of it.
std::shared_ptr<const FittedTensor> with_more(std::shared_ptr<const FittedTensor> tensor, const Model& model, const Dataset& data,
                                              const ProgressCallback& progress) {
  TensorOptions options;
  options.keys = tensor->keys;
  const TensorLabels labels{options.keys, ChargeDipole::of(options.keys, model.properties)};
  TensorFacts facts;
  facts.derivatives = tensor->keys.derivatives.empty() ? 0 : 1;  // so that kernels are ready for them
  std::vector<TensorPartFit> fits;
  for (const TensorPart& part : tensor->parts) fits.emplace_back(options, tensor->terms, facts, part);
  std::int64_t frames = 0;
  visit_labels(data, labels, tensor->terms, nullptr, [&](const TensorFrame& frame) {
    check_elements_of(*tensor, frame.structure);
    check_charge_of_label(frame.structure, options.keys);
    for (TensorPartFit& fit : fits) fit.add(frame);
    ++frames;
  });
  if (progress) progress({.phase = "append", .message = fmt::format("tensor '{}': {} new frames with labels", tensor->keys.name, frames)});
  if (frames == 0) return tensor;
  auto result = std::make_shared<FittedTensor>(*tensor);
  result->parts.clear();
  for (TensorPartFit& fit : fits) result->parts.push_back(fit.solve_with_more());
  return result;
}

}  // namespace

void append_tensors(Model& model, const Dataset& data, const ProgressCallback& progress) {
  for (std::shared_ptr<const FittedTensor>& tensor : model.tensors) tensor = with_more(tensor, model, data, progress);
}

}  // namespace gapkit
