#pragma once

#include <gapkit/core/structure.hpp>
#include <gapkit/io/targets.hpp>
#include <set>
#include <string>
#include <vector>

#include "io/unknown_scalars.hpp"

namespace gapkit {

/// Looks, in frames that lack a target, for keys and columns that could hold it under a name that is not known: the form must be right
/// (a number; a column of three; six or nine numbers), and the name close (another case, a part of it, one letter wrong).
///
/// Memory: a few names. Keys that `keys` names are not looked for.
class LookAlikes {
 public:
  /// Who gets advice: a fit, which has a configuration or options, or a prediction, which has options only and needs no targets.
  enum class Reader { fit, prediction };

  explicit LookAlikes(TargetKeys keys = {}) : keys_(std::move(keys)) {}

  /// A frame whose targets were assigned.
  void add(const Structure& frame);

  /// True if no frame (or none of several atoms) has the target and some have something in its place, the right name for the wrong form
  /// included.
  bool is_lost(Property target) const;
  /// The targets that `keys` uses and that are lost.
  std::vector<Property> lost() const;
  /// True if it is lost, and frames of one atom have it.
  bool has_atoms_only(Property target) const;
  /// True if `keys` uses energies, and no frame has one nor something that is called like one.
  bool lacks_energy() const;
  /// True if some key holds a number of the size of an energy in every frame without energy.
  bool has_unknown_scalar() const { return !scalars_.in_every_frame().empty(); }
  /// True if it is lost, and something has the right form.
  bool could_be_named(Property target) const { return is_lost(target) && !found(target).candidates.empty(); }
  /// True if some frames have the target, and others something in its place.
  bool is_partly_lost(Property target) const;

  /// One sentence on these targets, each of which is_lost(): what looks like them, and how to name it.
  std::string lost_sentence(const std::vector<Property>& targets, Reader reader = Reader::fit) const;
  /// One sentence if lacks_energy(): keys that could be one, under any name.
  std::string no_energy_sentence() const;
  /// One sentence on a target that is_partly_lost().
  std::string partly_lost_sentence(Property target) const;

 private:
  struct Candidate {
    std::string name;
    std::string source;  // of the target: "stress"
    int rank = 0;        // the smaller, the closer the name
    std::int64_t frames = 0;
  };
  struct Misplaced {
    std::string name, form;  // "one value per atom"
  };
  struct Found {
    std::int64_t frames_with = 0, frames_without = 0, several_with = 0;
    bool several_could = false;  // a frame of several atoms has a candidate
    std::vector<Candidate> candidates;
    std::vector<Misplaced> misplaced;
  };

  void look(const TargetInfo& target, const Structure& frame);
  const Found& found(Property target) const { return found_[target]; }
  std::vector<Candidate> best_first(Property target) const;
  std::string likeness(Property target) const;
  std::string advice(const std::vector<Property>& targets, Reader reader = Reader::fit) const;
  std::string use_without_energy() const;

  TargetKeys keys_;
  std::int64_t frames_ = 0;
  PerTarget<Found> found_;
  UnknownScalars scalars_;
};

}  // namespace gapkit
