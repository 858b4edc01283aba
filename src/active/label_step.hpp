#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/core/progress.hpp>

namespace gapkit {

/// Labels of the structures that could be labelled, in their order, under `path`; the file appears when all are done. A few at a time,
/// each few safe in files beside it before the next, from which the same call goes on.
///
/// `done` is told of every label (number of the structure, label) before it is safe, again after a crash. Throws InputError with the last
/// failure if none could be labelled.
void label_structures(Labeller& labeller, const LoopOptions& options, const std::vector<Structure>& structures,
                      const std::filesystem::path& path, const std::function<void(std::size_t, const Label&)>& done,
                      const ProgressCallback& progress);

/// Frames as a file holds them, with their targets, so that a step that goes on sees the same as one that begins.
std::vector<Structure> read_labelled_frames(const std::filesystem::path& path, const TargetKeys& keys);

}  // namespace gapkit
