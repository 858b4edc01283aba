#pragma once

#include <CLI/CLI.hpp>
#include <gapkit/io/targets.hpp>
#include <memory>

namespace gapkit {
class LookAlikes;
}

namespace gapkit::apps {

/// Names of targets given on the command line.
struct NamedTargets {
  std::map<std::string, std::string> names;  ///< by source; empty: not given

  bool any() const;
  /// What is named here stands above what is there.
  void apply_to(TargetKeys& keys) const;
  /// Throws InputError if none of the frames had what is named here.
  void check_found(const TargetReport& report) const;
};

/// Reference values in the frames of a file, and what there is to say about their names.
class ReferenceTargets {
 public:
  explicit ReferenceTargets(const TargetKeys& keys);
  ~ReferenceTargets();

  /// assign_targets; throws what it throws.
  void assign(Structure& frame);
  const TargetReport& report() const { return report_; }
  /// Keys with the same values; targets that no frame has under a known name, but seems to have under another.
  std::vector<std::string> lines() const;

 private:
  TargetKeys keys_;
  TargetReport report_;
  std::unique_ptr<LookAlikes> look_alikes_;
};

/// --energy-key and the like, of each source of targets().
void add_target_key_options(CLI::App& app, NamedTargets& named);

}  // namespace gapkit::apps
