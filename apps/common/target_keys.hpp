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
  /// Replaces the names of `keys` by the names given here.
  void apply_to(TargetKeys& keys) const;
  /// Throws InputError if no frame had a key or column named here.
  void check_found(const TargetReport& report) const;
};

/// Reference values in the frames of a file, with messages about their names.
class ReferenceTargets {
 public:
  explicit ReferenceTargets(const TargetKeys& keys);
  ~ReferenceTargets();

  /// Calls assign_targets; same exceptions.
  void assign(Structure& frame);
  const TargetReport& report() const { return report_; }
  /// Messages: keys with the same values; targets that no frame has under a known name but may have under another.
  std::vector<std::string> lines() const;

 private:
  TargetKeys keys_;
  TargetReport report_;
  std::unique_ptr<LookAlikes> look_alikes_;
};

/// --energy-key and the like, of each source of targets().
void add_target_key_options(CLI::App& app, NamedTargets& named);

}  // namespace gapkit::apps
