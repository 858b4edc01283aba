#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit::apps {

/// A line of the table of settings that gap-fit --tune searches. Texts stand for their numbers in a list, so that every setting is a
/// number.
struct KnobKind {
  struct Step {
    double factor = 1, add = 0;  ///< a step up is value · factor + add, one down (value − add)/factor; neither: there is none
  };
  std::string descriptor;  ///< of the terms that have the key; empty: the whole configuration
  std::string key;         ///< in [[term]]
  Step coarse, fine;
  double smallest, largest;
  double grid;                          ///< values are multiples of it; integers if it is one
  std::vector<std::string> texts = {};  ///< legal texts: the value is an index of this list
  std::string needs = {};               ///< a key with texts: without effect while that one has its first text
  double initial = 0;  ///< value to begin with if the configuration has `needs` only, or leaves the choice of a `word` to the data (0)
  /// Other keys of the term that the last text needs, with their values. The search does not leave that text.
  std::vector<ConfigurationOverride> also = {};
  std::string word = {};  ///< values are tables with this key: { over_size = 0.1 }; a number of the configuration stays
};

/// All settings. A key that no term has is not searched.
const std::vector<KnobKind>& knob_kinds();

/// A setting of one configuration.
class Knob {
 public:
  Knob(const KnobKind& kind, std::string key, double start) : kind_(&kind), key_(std::move(key)), start_(start) {}

  const KnobKind& kind() const { return *kind_; }
  const std::string& key() const { return key_; }  ///< "term.soap.cutoff"; "n_sparse": a factor of all numbers of sparse points
  double start() const { return start_; }
  bool is_points() const { return kind_->descriptor.empty(); }
  /// The value one step up or down; absent at the end of the range.
  std::optional<double> moved(double value, bool up, bool fine) const;
  std::string text(double value) const;  ///< "5.5", "learned", "× 1.5"
  std::string toml(double value) const;

 private:
  const KnobKind* kind_;
  std::string key_;
  double start_;
};

/// The settings of a configuration, in the order of their search. `kept`: keys that stay as they are, with the term ("term.soap.cutoff",
/// "soap.cutoff") or of all terms ("cutoff"); "sigma" is legal too. Throws InputError for an unknown one.
std::vector<Knob> knobs_of(const FitConfiguration& options, const std::vector<std::string>& kept);

/// Changes of the configuration that give the knobs these values.
std::vector<ConfigurationOverride> overrides_of(const std::vector<Knob>& knobs, const std::vector<double>& values);
/// False if the setting has no effect beside these values of the others.
bool has_effect(const std::vector<Knob>& knobs, const std::vector<double>& values, std::size_t knob);
/// Factor of the numbers of sparse points; 1 without that knob.
double points_factor(const std::vector<Knob>& knobs, const std::vector<double>& values);

/// Multiplies the numbers of sparse points of all terms that choose them freely; at least 20 of each remain. Returns whether there is one.
bool scale_points(FitConfiguration& options, double factor);

}  // namespace gapkit::apps
