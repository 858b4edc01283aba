#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/core/progress.hpp>

namespace gapkit {

/// Labels structures and writes those with a label to `path`, in their order; the file appears when all are done. Batches of
/// parallel_jobs structures are saved in files beside `path`; after an interruption the same call continues from these.
///
/// Calls `done` for each label (number of the structure, label) before it is saved; after a crash, again. Throws InputError with the last
/// failure if no structure could be labelled.
void label_structures(Labeller& labeller, const LoopOptions& options, const std::vector<Structure>& structures,
                      const std::filesystem::path& path, const std::function<void(std::size_t, const Label&)>& done,
                      const ProgressCallback& progress);

/// Reads frames with their targets. Each step reads the file of the step before: a continued step gets the same frames as a new one.
std::vector<Structure> read_labelled_frames(const std::filesystem::path& path, const TargetKeys& keys);

}  // namespace gapkit
