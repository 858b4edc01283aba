#include "fit/checkpoint.hpp"

#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/model/statistics_file.hpp>

namespace gapkit {
namespace {

constexpr const char* format_name = "gapkit-checkpoint";
constexpr int format_version = 3;

std::span<const double> as_span(const Vector& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

void put_term(ArchiveWriter& archive, const std::string& at, const Term& term, const TermReport& report) {
  archive.put(at + "kernel_parameters", parameters_to_json(term.kernel->parameters()));
  put_learned_parts(archive, at, *term.descriptor);
  archive.put(at + "sparse_features", term.sparse.x);
  archive.put(at + "sparse_cutoffs", as_span(term.sparse.covariance_cutoff));
  std::vector<std::int64_t> origins;
  for (const EnvironmentOrigin& o : term.sparse.origin) origins.insert(origins.end(), {o.frame, o.atom, o.ordinal});
  archive.put(at + "sparse_origins", origins);
  const std::vector<std::int64_t> counts = {report.candidates, report.duplicates, report.asked,
                                            report.chosen,     report.dropped,    report.effective_rank};
  archive.put(at + "report", counts);
}

void get_term(const ArchiveReader& archive, const std::string& at, TermDraft draft, const FitOptions& options,
              const std::vector<int>& elements, Checkpoint& checkpoint) {
  draft.descriptor = get_learned_parts(archive, at, draft.descriptor);
  Term term = draft.make_term(elements, parameters_from_json(archive.string(at + "kernel_parameters")));
  term.sparse.x = archive.matrix(at + "sparse_features", -1, term.descriptor->size());
  term.sparse.covariance_cutoff = archive.vector(at + "sparse_cutoffs", term.sparse.x.rows());
  const auto origins = archive.integers(at + "sparse_origins");
  for (std::size_t i = 0; i + 2 < origins.size(); i += 3) term.sparse.origin.push_back({origins[i], origins[i + 1], origins[i + 2]});
  const auto counts = archive.integers(at + "report", 6);
  TermReport report;
  report.label = term.label();
  report.candidates = counts[0];
  report.duplicates = counts[1];
  report.asked = static_cast<int>(counts[2]);
  report.chosen = static_cast<int>(counts[3]);
  report.dropped = static_cast<int>(counts[4]);
  report.effective_rank = static_cast<int>(counts[5]);
  report.jitter = draft.jitter(options);
  checkpoint.terms.push_back(std::move(term));
  checkpoint.reports.push_back(report);
}

}  // namespace

bool CheckpointKeeper::is_due() const {
  return !run_.checkpoint_path.empty() && !failed_ && since_saved_.seconds() >= run_.checkpoint_interval;
}

std::optional<Checkpoint> CheckpointKeeper::load() const {
  const ProgressCallback& progress = run_.progress;
  std::error_code unreachable;  // save() reports it
  if (!run_.checkpoint_path.empty()) remove_stale_temporaries(run_.checkpoint_path);
  if (run_.checkpoint_path.empty() || !std::filesystem::exists(run_.checkpoint_path, unreachable)) return std::nullopt;
  const auto ignore = [&](const std::string& why) -> std::optional<Checkpoint> {
    if (progress)
      progress({.phase = "fit", .message = run_.checkpoint_path + " is ignored: " + why + "; the fit starts anew", .is_warning = true});
    return std::nullopt;
  };
  try {
    const ArchiveReader archive(run_.checkpoint_path, format_name, format_version);
    if (archive.string("key") != key_) return ignore("it belongs to other data, options or another version");
    Checkpoint checkpoint;
    checkpoint.frames = archive.integer("frames");
    checkpoint.statistics.fingerprint = archive.string("fingerprint");
    for (std::size_t t = 0; t < scan_.drafts.size(); ++t)
      get_term(archive, "terms/" + std::to_string(t) + "/", scan_.drafts[t], options_, scan_.plan.elements, checkpoint);
    const std::int64_t groups = archive.integer("group_count");
    for (std::int64_t g = 0; g < groups; ++g)
      checkpoint.statistics.groups.push_back(get_group(archive, "groups/" + std::to_string(g) + "/", sparse_count(checkpoint.terms)));
    if (progress)
      progress({.phase = "fit",
                .message = "continuing from " + run_.checkpoint_path + ": " + std::to_string(checkpoint.frames) + " of " +
                           std::to_string(scan_.plan.frames) + " frames are done"});
    return checkpoint;
  } catch (const InputError& e) {
    return ignore(e.what());
  }
}

void CheckpointKeeper::save(const std::vector<Term>& terms, const std::vector<TermReport>& reports, const SufficientStatistics& statistics,
                            std::int64_t frames, bool now) {
  if (run_.checkpoint_path.empty() || failed_ || frames == saved_ || !(now || is_due())) return;
  try {
    write(terms, reports, statistics, frames);
    saved_ = frames;
  } catch (const InputError& e) {
    failed_ = true;
    if (run_.progress)
      run_.progress(
          {.phase = "fit",
           .message = std::string(e.what()) + "; the fit goes on without saving its state, and could not continue after an interruption",
           .is_warning = true});
  }
  since_saved_.restart();
}

void CheckpointKeeper::write(const std::vector<Term>& terms, const std::vector<TermReport>& reports, const SufficientStatistics& statistics,
                             std::int64_t frames) const {
  ArchiveWriter archive(run_.checkpoint_path, format_name, format_version);
  archive.put("key", key_);
  archive.put("fingerprint", statistics.fingerprint);
  archive.put("frames", frames);
  for (std::size_t t = 0; t < terms.size(); ++t) put_term(archive, "terms/" + std::to_string(t) + "/", terms[t], reports[t]);
  std::int64_t groups = 0;
  for (const GroupStatistics& g : statistics.groups)
    if (g.count > 0) put_group(archive, "groups/" + std::to_string(groups++) + "/", g);
  archive.put("group_count", groups);
  archive.commit();
}

}  // namespace gapkit
