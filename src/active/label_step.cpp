#include "active/label_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/dataset.hpp>

#include "active/event_log.hpp"
#include "active/loop_folder.hpp"

namespace gapkit {
namespace {

/// Renames the labels to the keys that the configuration names.
void rename_targets(Structure& s, const LoopOptions& options) {
  if (options.labeller.kind == "given") return;
  const TargetKeys& keys = options.fit.keys;
  for (const TargetSource& source : target_sources()) {
    const std::string& named = keys.named(source.name);
    if (named.empty()) continue;
    for (Field& field : s.fields)
      if (!source.is_column && field.key == source.name) field.key = named;
    for (Column& column : s.columns)
      if (source.is_column && column.name == source.name) column.name = named;
  }
}

}  // namespace

std::vector<Structure> read_labelled_frames(const std::filesystem::path& path, const TargetKeys& keys) {
  std::vector<Structure> frames;
  if (std::filesystem::file_size(path) == 0) return frames;
  FileDataset({path.string()}, keys).visit([&](const Structure& s, const FramePlace&) { frames.push_back(s); });
  return frames;
}

void label_structures(Labeller& labeller, const LoopOptions& options, const std::vector<Structure>& structures,
                      const std::filesystem::path& path, const std::function<void(std::size_t, const Label&)>& done,
                      const ProgressCallback& progress) {
  if (std::filesystem::exists(path)) return;
  const std::filesystem::path partial = path.string() + ".partial", counts = path.string() + ".partial.json";
  std::size_t next = 0;
  std::vector<Structure> frames;
  if (std::filesystem::exists(counts)) {
    const auto json = read_json(counts);
    next = json.at("done");
    frames = read_labelled_frames(partial, options.fit.keys);
    frames.resize(std::min(frames.size(), json.at("labelled").get<std::size_t>()));  // labels after the counts are repeated
  }
  std::string failure = "see log.jsonl";
  while (next < structures.size()) {
    const std::size_t end = std::min(structures.size(), next + static_cast<std::size_t>(std::max(1, options.labeller.parallel_jobs)));
    std::vector<Structure> some(structures.begin() + static_cast<std::ptrdiff_t>(next),
                                structures.begin() + static_cast<std::ptrdiff_t>(end));
    if (options.labeller.kind != "given")
      for (Structure& s : some) remove_targets(s);
    std::vector<Label> labels = labeller.label(some, progress);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].structure)
        rename_targets(*labels[i].structure, options);
      else
        failure = labels[i].failure;
      if (done) done(next + i, labels[i]);
      if (labels[i].structure) frames.push_back(std::move(*labels[i].structure));
    }
    next = end;
    write_frames(partial, frames);
    write_json(counts, {{"done", next}, {"labelled", frames.size()}});
    if (progress)
      progress(
          {.phase = "label", .done = static_cast<double>(next), .total = static_cast<double>(structures.size()), .unit = "structures"});
  }
  if (frames.empty())
    throw InputError(
        fmt::format("{}: none of the {} structures could be labelled; the last failure: {}", path.string(), structures.size(), failure));
  write_frames(path, frames);
  std::filesystem::remove(counts);
  std::filesystem::remove(partial);
}

}  // namespace gapkit
