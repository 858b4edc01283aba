#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/dataset.hpp>

#include "active/loop_folder.hpp"
#include "active/md_replicas.hpp"
#include "active/source.hpp"

namespace gapkit {
namespace {

constexpr double save_seconds = 5;
constexpr double hottest = 10;  // a trajectory above this times the thermostat's temperature + 1000 K has exploded

/// Trajectories driven by the model, until their error bars exceed the threshold.
class MdSource : public Source {
 public:
  MdSource(const SourceOptions& source, const LoopOptions& loop) : source_(source), loop_(loop) {}

  void propose(const RoundContext& context, std::vector<Proposal>& proposals) override {
    context_ = &context;
    load();
    if (replicas_.turns < context.turn) {
      try {
        for (std::size_t r = 0; r < replicas_.list.size(); ++r) run(r);
      } catch (const Interrupted&) {
        save();
        throw;
      }
      for (Replica& replica : replicas_.list) replica.turn_steps = 0;
      ++replicas_.turns;
      save();
    }
    for (const MdProposal& p : replicas_.proposals)
      if (p.turn == context.turn) proposals.push_back(p.proposal);
  }

  bool is_quiet() const override {
    return std::all_of(replicas_.list.begin(), replicas_.list.end(), [&](const Replica& r) { return is_done(r); });
  }

  std::string summary() const override {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Replica& r : replicas_.list)
      list.push_back({{"temperature", r.temperature},
                      {"measured_temperature", rounded(temperature(r.state), 5)},
                      {"volume_factor", r.volume_factor},
                      {"time_ps", rounded(r.state.time / 1000, 7)},
                      {"quiet_ps", rounded(ps_of(r.quiet_steps))},
                      {"proposals", r.proposals},
                      {"largest_std", rounded(r.largest_std)}});
    return nlohmann::ordered_json({{"replicas", list}}).dump();
  }

 private:
  double ps_of(std::int64_t steps) const { return static_cast<double>(steps) * source_.md.time_step / 1000; }
  std::int64_t steps_of(double ps) const { return static_cast<std::int64_t>(std::ceil(ps * 1000 / source_.md.time_step - 1e-9)); }
  bool is_done(const Replica& r) const { return r.quiet_steps >= steps_of(source_.time); }
  std::filesystem::path stem(const std::filesystem::path& folder) const { return folder / ("md_" + source_.name); }

  void load() {
    if (loaded_round_ == context_->round) return;
    loaded_round_ = context_->round;
    if (load_replicas(replicas_, stem(context_->folder), loop_.fit.keys)) return;
    if (context_->previous_folder.empty() || !load_replicas(replicas_, stem(context_->previous_folder), loop_.fit.keys)) begin();
    replicas_.turns = 0;
    replicas_.proposals.clear();
    for (Replica& r : replicas_.list) {
      r.is_stopped = false;
      r.turn_steps = 0;
      r.proposals = 0;
      r.largest_std = 0;
      r.state.evaluation.reset();  // the potential has changed
      r.sane = r.state;
    }
  }

  void begin() {
    replicas_ = {};
    FileDataset(source_.files, loop_.fit.keys).visit([&](const Structure& frame, const FramePlace&) {
      for (const double factor : source_.volume_factors)
        for (const double kelvin : source_.temperatures) {
          Structure s = frame;
          remove_targets(s);
          if (!source_.config_type.empty()) s.config_type = source_.config_type;
          // Others describe the initial structure only.
          std::erase_if(s.fields, [&](const Field& field) { return !is_total_charge(field.key); });
          if (factor != 1) {
            if (!s.cell) throw InputError(fmt::format("{}: volume_factors need a cell", s.source));
            *s.cell *= std::cbrt(factor);
            s.positions *= std::cbrt(factor);
          }
          Replica replica;
          replica.temperature = kelvin;
          replica.volume_factor = factor;
          replica.state = initial_state(s, kelvin, loop_.fit.seed, replicas_.list.size());
          replicas_.list.push_back(std::move(replica));
        }
    });
  }

  bool is_total_charge(const std::string& key) const {
    return key == "total_charge" || std::any_of(loop_.fit.properties.begin(), loop_.fit.properties.end(),
                                                [&](const PropertyOptions& property) { return property.keys.total == key; });
  }

  MdOptions options_of(const Replica& replica) const {
    MdOptions md = source_.md;
    md.temperature = replica.temperature;
    return md;
  }

  /// Runs a replica until its turn is over, it stops, or it has been quiet for long enough.
  void run(std::size_t number) {
    Replica& replica = replicas_.list[number];
    const std::int64_t turn = steps_of(source_.round_time);
    while (!replica.is_stopped && !is_done(replica) && replica.turn_steps < turn) {
      check(number);
      if (context_->progress)
        context_->progress({.phase = "molecular dynamics", .done = ps_of(++checks_ * source_.check_every), .unit = "ps"});
      if (since_saved_.seconds() > save_seconds) save();
    }
  }

  /// Advances by check_every steps and checks the error bar.
  void check(std::size_t number) {
    Replica& replica = replicas_.list[number];
    double std = 0;
    bool is_lost = false;
    try {
      advance(replica.state, options_of(replica), forces_of(context_->predictor, source_.single_precision), source_.check_every);
      std = context_->error_bar_of(replica.state.structure);
      is_lost = temperature(replica.state) > hottest * replica.temperature + 1000;
    } catch (const NumericalError&) {
      is_lost = true;
    }
    replica.turn_steps += source_.check_every;
    replica.quiet_steps += source_.check_every;
    replica.largest_std = std::max(replica.largest_std, std);
    if (is_lost || std > context_->threshold.upper) {
      go_back(number, is_lost, std);
    } else {
      if (std > context_->threshold.value) propose_frame(number, replica.state, std, "");
      replica.sane = replica.state;
    }
  }

  void propose_frame(std::size_t number, const MdState& state, double std, const std::string& remark) {
    Replica& replica = replicas_.list[number];
    replica.quiet_steps = 0;
    if (source_.forks && replica.proposals > 0 && state.step - replica.last_proposal < 10 * source_.check_every) return;
    const std::string why =
        fmt::format("{} at {:.3f} ps, {:.0f} K{}", comparison_text(loop_.threshold.quantity, std, context_->threshold.value),
                    state.time / 1000, replica.temperature, remark);
    const auto frame = static_cast<std::int64_t>(context_->round) * 10000 + static_cast<std::int64_t>(replicas_.proposals.size());
    Structure structure = state.structure;
    structure.set_field("active_replica", static_cast<std::int64_t>(number));
    structure.set_field("active_temperature", replica.temperature);
    replicas_.proposals.push_back({context_->turn, make_proposal(std::move(structure), source_, frame, std, why)});
    replica.last_proposal = state.step;
    ++replica.proposals;
    replica.is_stopped = !source_.forks || replica.proposals >= source_.max_proposals;
    context_->log.add("trajectory", {{"round", context_->round}, {"source", source_.name}, {"replica", number}, {"why", why}});
  }

  /// For a trajectory above the upper threshold: repeats it from the last sane state, step by step, proposes the first frame above the
  /// threshold, and continues from the sane state with new velocities.
  void go_back(std::size_t number, bool is_lost, double seen) {
    Replica& replica = replicas_.list[number];
    MdState state = replica.sane;
    double std = 0;
    try {
      for (int i = 0; i < source_.check_every; ++i) {
        MdState next = state;
        advance(next, options_of(replica), forces_of(context_->predictor, source_.single_precision), 1);
        const double next_std = context_->error_bar_of(next.structure);
        if (next_std > context_->threshold.upper && std > context_->threshold.value) break;  // proposes the previous frame
        state = std::move(next);
        std = next_std;
        if (std > context_->threshold.value) break;
      }
    } catch (const NumericalError&) {
      // `state` is the last frame with finite forces
    }
    const std::string remark =
        is_lost ? "; the trajectory exploded after it"
                : fmt::format("; {:.3g} > {:.3g} within {} steps after it", seen, context_->threshold.upper, source_.check_every);
    propose_frame(number, state, std, remark);
    const MdState fresh = initial_state(replica.sane.structure, replica.temperature, context_->seed_of(source_.name), number);
    replica.sane.velocities = fresh.velocities;
    replica.sane.evaluation.reset();
    replica.state = replica.sane;
    replica.is_stopped = true;
  }

  void save() {
    save_replicas(replicas_, stem(context_->folder), loop_.fit.keys);
    since_saved_.restart();
  }

  SourceOptions source_;
  const LoopOptions& loop_;
  const RoundContext* context_ = nullptr;
  Replicas replicas_;
  int loaded_round_ = -1;
  std::int64_t checks_ = 0;
  Stopwatch since_saved_;
};

}  // namespace

std::unique_ptr<Source> make_md_source(const SourceOptions& source, const LoopOptions& loop) {
  return std::make_unique<MdSource>(source, loop);
}

}  // namespace gapkit
