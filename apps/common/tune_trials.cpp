#include "tune_trials.hpp"

#include <cmath>
#include <fstream>
#include <limits>

#include "text_file.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr double gain_of_doubled_cost = 0.01;  // of all errors

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

double Trial::error(Property property) const {
  const double count = sum_of(rows[property]);
  return count > 0 ? std::sqrt(sum_of(square[property]) / count) : std::numeric_limits<double>::quiet_NaN();
}

double TrialJudge::weight_of(const Trial& trial) const {
  double sum = 0;
  for (const TargetInfo& target : targets())
    if (sum_of(trial.rows[target.property]) > 0) sum += weights_[target.property];
  return sum;
}

double TrialJudge::loss(const Trial& trial) const {
  double loss = 0;
  for (const TargetInfo& target : targets())
    if (const double error = trial.error(target.property); std::isfinite(error) && weights_[target.property] > 0)
      loss += weights_[target.property] * std::log(error);
  return loss;
}

double TrialJudge::score(const Trial& trial) const {
  return loss(trial) + gain_of_doubled_cost * weight_of(trial) * std::log2(trial.flop);
}

double TrialJudge::change(const Trial& trial, const Trial& from) const {
  const double weight = weight_of(trial);
  return weight > 0 ? std::exp((loss(trial) - loss(from)) / weight) - 1 : 0;
}

double TrialJudge::noise_of_change(const Trial& a, const Trial& b) const {
  const double weight = weight_of(a);
  return weight > 0 ? noise(a, b) / weight : 0;
}

double TrialJudge::noise(const Trial& a, const Trial& b) const {
  std::vector<double> differences;
  const std::size_t folds = a.rows[Property::energy].size();
  for (std::size_t f = 0; f < folds; ++f) {
    double difference = 0;
    bool has_rows = false;
    for (const TargetInfo& target : targets()) {
      const Property p = target.property;
      if (weights_[p] == 0 || f >= b.rows[p].size() || a.rows[p][f] == 0 || b.rows[p][f] == 0) continue;
      const double of_a = a.square[p][f] / a.rows[p][f], of_b = b.square[p][f] / b.rows[p][f];
      if (!(of_a > 0) || !(of_b > 0)) continue;
      difference += 0.5 * weights_[p] * std::log(of_a / of_b);
      has_rows = true;
    }
    if (has_rows) differences.push_back(difference);
  }
  const auto count = static_cast<double>(differences.size());
  if (count < 2) return std::numeric_limits<double>::infinity();
  const double mean = sum_of(differences) / count;
  double square = 0;
  for (const double d : differences) square += (d - mean) * (d - mean);
  return std::sqrt(square / (count - 1) / count);
}

Json trial_json(const Trial& trial, const std::vector<Knob>& knobs) {
  Json values = Json::object();
  for (std::size_t k = 0; k < knobs.size(); ++k) values[knobs[k].key()] = trial.values.at(k);
  Json json = {{"level", trial.level},
               {"values", values},
               {"structures", trial.structures},
               {"sparse_points", trial.points},
               {"flop", trial.flop},
               {"estimated_seconds", trial.estimated},
               {"seconds", trial.seconds},
               {"spent_seconds", trial.spent}};
  if (!trial.is_good()) {
    json["failure"] = trial.failure;
    return json;
  }
  for (const TargetInfo& target : targets()) {
    const double error = trial.error(target.property);
    json["fold_" + std::string(target.name)] = std::isfinite(error) ? Json(error) : Json(nullptr);
  }
  json["log_evidence"] = trial.log_evidence;
  json["sigma"] = Json::array();
  for (const FoundSigma& s : trial.sigma)
    json["sigma"].push_back({{"property", static_cast<int>(s.property)}, {"class", s.config_class}, {"sigma", s.sigma}});
  json["factors"] = trial.factors;
  json["folds"] = Json::object();
  for (const TargetInfo& target : targets())
    json["folds"][target.name] = {{"square", trial.square[target.property]}, {"rows", trial.rows[target.property]}};
  return json;
}

std::optional<Trial> trial_from_json(const Json& json, const std::vector<Knob>& knobs) try {
  Trial trial;
  trial.level = json.at("level").get<std::size_t>();
  for (const Knob& knob : knobs) trial.values.push_back(json.at("values").at(knob.key()).get<double>());
  trial.structures = json.at("structures").get<std::int64_t>();
  trial.points = json.at("sparse_points").get<std::int64_t>();
  trial.flop = json.at("flop").get<double>();
  trial.estimated = json.at("estimated_seconds").get<double>();
  trial.seconds = json.at("seconds").get<double>();
  trial.spent = json.at("spent_seconds").get<double>();
  if (json.contains("failure")) {
    trial.failure = json.at("failure").get<std::string>();
    return trial;
  }
  trial.log_evidence = json.at("log_evidence").get<double>();
  for (const Json& s : json.at("sigma"))
    trial.sigma.push_back(
        {static_cast<Property>(s.at("property").get<int>()), s.at("class").get<std::string>(), s.at("sigma").get<double>()});
  trial.factors = json.at("factors").get<std::map<std::string, double>>();
  for (const TargetInfo& target : targets()) {
    trial.square[target.property] = json.at("folds").at(target.name).at("square").get<std::vector<double>>();
    trial.rows[target.property] = json.at("folds").at(target.name).at("rows").get<std::vector<double>>();
  }
  return trial;
} catch (const Json::exception&) {
  return {};  // the line is damaged: this trial is done again
}

TrialFile::TrialFile(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
  std::ifstream in(path_);
  std::string line;
  while (std::getline(in, line)) {
    const Json json = Json::parse(line, nullptr, false);
    try {
      if (json.is_object()) read_line(json);
    } catch (const Json::exception&) {
      // The line is damaged.
    }
  }
}

void TrialFile::read_line(const Json& json) {
  if (json.contains("plan")) {
    if (json.at("plan") != Json(key_)) return;  // of other data or options; without a plan the trials are dropped
    Plan plan{.start = json.at("start").get<std::string>(), .levels = {}, .final_seconds = json.at("final_seconds").get<double>()};
    for (const Json& level : json.at("levels"))
      plan.levels.push_back({level.at("fraction").get<double>(), level.at("points").get<double>()});
    if (!plan.levels.empty()) plan_ = plan;
  } else if (json.contains("finished")) {
    end_ = json.at("end").get<std::string>();
    finished_ = json.at("finished").get<double>();
  } else if (plan_) {
    lines_.push_back(json);
  }
}

void TrialFile::read_trials(std::vector<Knob> knobs) {
  knobs_ = std::move(knobs);
  for (const Json& line : lines_)
    if (std::optional<Trial> trial = trial_from_json(line, knobs_); trial && trial->level < plan_->levels.size())
      trials_.push_back(std::move(*trial));
  lines_.clear();
}

void TrialFile::set_plan(Plan plan) {
  plan_ = std::move(plan);
  write();
}

const Trial* TrialFile::find(std::size_t level, const std::vector<double>& values) const {
  for (const Trial& trial : trials_)
    if (trial.level == level && trial.values == values) return &trial;
  return nullptr;
}

const Trial& TrialFile::add(Trial trial) {
  finished_.reset();
  const Trial& added = trials_.emplace_back(std::move(trial));
  write();
  return added;
}

void TrialFile::set_finished(double seconds, std::string end) {
  finished_ = seconds;
  end_ = std::move(end);
  write();
}

void TrialFile::write() const {
  Json levels = Json::array();
  for (const TuneLevel& level : plan_->levels) levels.push_back({{"fraction", level.fraction}, {"points", level.points}});
  std::string text =
      Json{{"plan", key_}, {"levels", levels}, {"final_seconds", plan_->final_seconds}, {"start", plan_->start}}.dump() + "\n";
  for (const Trial& trial : trials_) text += trial_json(trial, knobs_).dump() + "\n";
  if (finished_) text += Json{{"finished", *finished_}, {"end", end_}}.dump() + "\n";
  write_text_file(path_, text);
}

}  // namespace gapkit::apps
