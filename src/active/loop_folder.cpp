#include "active/loop_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <sstream>

#include "active/event_log.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

void write_text(const std::filesystem::path& path, const std::string& text) {
  TemporaryFile file(path);
  file.append(text);
  file.commit();
}

/// The first different lines of two texts.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
  std::istringstream in_a(a), in_b(b);
  std::string line_a, line_b;
  while (true) {
    const bool has_a = static_cast<bool>(std::getline(in_a, line_a)), has_b = static_cast<bool>(std::getline(in_b, line_b));
    if (!has_a) line_a.clear();
    if (!has_b) line_b.clear();
    if (line_a != line_b || (!has_a && !has_b)) return {line_a, line_b};
  }
}

double number_or_nan(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? std::nan("") : found->get<double>();
}

std::string rmse_key(const TargetInfo& target) {
  return std::string(target.std_names.front()) + "_rmse";
}

}  // namespace

void put_rmse(Json& json, const PerTarget<double>& rmse) {
  for (const TargetInfo& target : targets()) json[rmse_key(target)] = rmse[target.property];
}

PerTarget<double> rmse_from(const Json& json) {
  PerTarget<double> rmse;
  for (const TargetInfo& target : targets()) rmse[target.property] = number_or_nan(json, rmse_key(target));
  return rmse;
}

Json to_json(const FinishedRound& round) {
  const RoundSummary& s = round.summary;
  Json json = {{"round", s.round},       {"labels", s.labels},          {"frames", s.frames}, {"sparse_points", s.sparse_points},
               {"appended", s.appended}, {"fit_seconds", s.fit_seconds}};
  put_rmse(json, s.rmse);
  json.update({{"threshold", round.threshold.value},
               {"upper", round.threshold.upper},
               {"a", round.threshold.scale.a},
               {"b", round.threshold.scale.b},
               {"proposed", s.proposed},
               {"chosen", s.chosen},
               {"labelled", s.labelled},
               {"failed", s.failed},
               {"largest_std", s.largest_std},
               {"label_force_rmse", s.label_force_rmse},
               {"label_energy_rmse", s.label_energy_rmse},
               {"seconds", s.seconds},
               {"sources", Json::parse(s.sources)}});
  Json points = Json::array();
  for (const CalibrationPoint& p : round.points) points.push_back({p.count, p.error, p.epistemic, p.noise, p.bar});
  json["calibration_points"] = points;
  json["used"] = Json::object();
  for (const auto& [source, frames] : round.used) json["used"][source] = frames;
  return json;
}

FinishedRound finished_round_from(const Json& json) {
  FinishedRound round;
  RoundSummary& s = round.summary;
  s.round = json.at("round");
  s.labels = json.at("labels");
  s.frames = json.at("frames");
  s.sparse_points = json.at("sparse_points");
  s.appended = json.at("appended");
  s.fit_seconds = json.at("fit_seconds");
  s.rmse = rmse_from(json);
  round.threshold.value = s.threshold = json.at("threshold");
  const double upper = number_or_nan(json, "upper");  // infinity is written as null
  round.threshold.upper = s.upper = std::isfinite(upper) ? upper : std::numeric_limits<double>::infinity();
  round.threshold.scale.a = s.a = json.at("a");
  round.threshold.scale.b = s.b = json.at("b");
  s.proposed = json.at("proposed");
  s.chosen = json.at("chosen");
  s.labelled = json.at("labelled");
  s.failed = json.at("failed");
  s.largest_std = json.at("largest_std");
  s.label_force_rmse = number_or_nan(json, "label_force_rmse");
  s.label_energy_rmse = number_or_nan(json, "label_energy_rmse");
  s.seconds = json.at("seconds");
  s.sources = json.at("sources").dump();
  for (const Json& p : json.at("calibration_points")) round.points.push_back({p.at(0), p.at(1), p.at(2), p.at(3), p.at(4)});
  for (const auto& [source, frames] : json.at("used").items()) round.used[source] = frames.get<std::set<std::int64_t>>();
  return round;
}

void write_frames(const std::filesystem::path& path, const std::vector<Structure>& frames) {
  ExtxyzWriter writer(path);
  for (const Structure& frame : frames) writer.write(frame);
  writer.commit();
}

LoopFolder::LoopFolder(const LoopOptions& options) : folder_(options.folder) {
  std::error_code error;
  std::filesystem::create_directories(folder_ / "rounds", error);
  if (error) throw InputError(fmt::format("loop.folder: cannot create '{}': {}", folder_.string(), error.message()));
  lock();
  check_configuration(options);
  while (true) {
    const std::filesystem::path path = folder_ / "rounds" / fmt::format("{:04}", finished_.size()) / "round.json";
    if (!std::filesystem::exists(path)) break;
    try {
      finished_.push_back(finished_round_from(read_json(path)));
    } catch (const nlohmann::json::exception& e) {
      throw InputError(fmt::format("{}: is damaged: {}", path.string(), e.what()));
    }
  }
  write_labelled();
}

LoopFolder::~LoopFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void LoopFolder::lock() {
  const std::string path = (folder_ / "lock").string();
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) throw InputError(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    throw InputError(fmt::format("loop.folder: '{}' is in use by another process that runs this loop", folder_.string()));
}

void LoopFolder::check_configuration(const LoopOptions& options) {
  const std::filesystem::path path = folder_ / "configuration.toml";
  if (!std::filesystem::exists(path)) {
    write_text(path, options.resolved);
    return;
  }
  is_new_ = false;
  const std::string begun = text_of(path);
  if (begun == options.resolved) return;
  const auto [before, now] = first_difference(begun, options.resolved);
  throw InputError(fmt::format(
      "loop.folder: '{}' has a loop with another configuration ('{}', now '{}'); only rounds, labels and wall_time in [loop] may "
      "change: choose another folder",
      folder_.string(), before, now));
}

std::filesystem::path LoopFolder::round(int number) const {
  const std::filesystem::path path = folder_ / "rounds" / fmt::format("{:04}", number);
  std::filesystem::create_directories(path);
  return path;
}

int LoopFolder::labels() const {
  int sum = 0;
  for (const FinishedRound& r : finished_) sum += r.summary.labelled;
  return sum;
}

double LoopFolder::seconds() const {
  double sum = 0;
  for (const FinishedRound& r : finished_) sum += r.summary.seconds;
  return sum;
}

void LoopFolder::write_labelled() const {
  std::string text;
  for (std::size_t r = 0; r < finished_.size(); ++r) text += text_of(folder_ / "rounds" / fmt::format("{:04}", r) / "labels.xyz");
  if (std::filesystem::exists(labelled()) && text_of(labelled()) == text) return;
  write_text(labelled(), text);
}

void LoopFolder::finish(FinishedRound round) {
  write_json(this->round(round.summary.round) / "round.json", to_json(round));
  finished_.push_back(std::move(round));
  write_labelled();
}

}  // namespace gapkit
