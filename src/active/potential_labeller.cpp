#include <gapkit/core/phase_clock.hpp>

#include "active/labeller_kinds.hpp"

namespace gapkit {
namespace {

/// A built-in potential; structures are distributed among the threads.
class PotentialLabeller final : public Labeller {
 public:
  PotentialLabeller(std::string kind, PotentialPointer potential) : kind_(std::move(kind)), potential_(std::move(potential)) {}

  std::string_view kind() const override { return kind_; }

  std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) override {
    constexpr std::size_t batch = 64;  // between two calls of `progress`
    std::vector<Label> labels(structures.size());
    for (std::size_t begin = 0; begin < structures.size(); begin += batch) {
      const std::size_t end = std::min(structures.size(), begin + batch);
#pragma omp parallel for schedule(dynamic)
      for (std::size_t k = begin; k < end; ++k) labels[k] = label_one(structures[k]);
      for (std::size_t k = begin; done && k < end; ++k) done(k, labels[k]);
      if (progress)
        progress(
            {.phase = "label", .done = static_cast<double>(end), .total = static_cast<double>(structures.size()), .unit = "structures"});
    }
    return labels;
  }

 private:
  Label label_one(const Structure& structure) const {
    const Stopwatch stopwatch;
    Label label;
    label.attempts = 1;
    try {
      const Evaluation evaluation = evaluate(*potential_, structure);
      Structure labelled = structure;
      set_targets(labelled, evaluation.energy, evaluation.forces,
                  structure.cell ? std::optional<Matrix3>(evaluation.virial) : std::nullopt);
      label.structure = std::move(labelled);
    } catch (const std::exception& e) {
      label.failure = e.what();
    }
    label.seconds = stopwatch.seconds();
    return label;
  }

  std::string kind_;
  PotentialPointer potential_;
};

/// For tests of the choice of structures on labelled data.
class GivenLabeller final : public Labeller {
 public:
  std::string_view kind() const override { return "given"; }

  std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) override {
    std::vector<Label> labels;
    for (const Structure& structure : structures) {
      Label label;
      label.attempts = 1;
      if (structure.energy && structure.forces)
        label.structure = structure;
      else
        label.failure = (structure.source.empty() ? "" : structure.source + ": ") + "the structure carries no " +
                        (structure.energy ? "forces" : "energy");
      labels.push_back(std::move(label));
      if (done) done(labels.size() - 1, labels.back());
    }
    const auto count = static_cast<double>(structures.size());
    if (progress) progress({.phase = "label", .done = count, .total = count, .unit = "structures"});
    return labels;
  }
};

}  // namespace

std::unique_ptr<Labeller> make_potential_labeller(const std::string& kind, const LabellerOptions& options) {
  return std::make_unique<PotentialLabeller>(kind, make_potential(kind, options.parameters));
}

std::unique_ptr<Labeller> make_given_labeller(const LabellerOptions&) {
  return std::make_unique<GivenLabeller>();
}

}  // namespace gapkit
