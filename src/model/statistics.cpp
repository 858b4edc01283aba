#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

void add_to(std::vector<NoiseRecord>& records, const NoiseRecord& more) {
  for (NoiseRecord& r : records)
    if (r.property == more.property && r.config_type == more.config_type) {
      r.own_rows += more.own_rows;
      r.own_square += more.own_square;
      r.class_rows += more.class_rows;
      return;
    }
  records.push_back(more);
}

void FrameSketch::add(std::uint64_t checksum) {
  checksums_.insert(checksum);
  if (checksums_.size() > most) checksums_.erase(std::prev(checksums_.end()));
}

FrameSketch& FrameSketch::operator+=(const FrameSketch& other) {
  for (const std::uint64_t checksum : other.checksums_) add(checksum);
  return *this;
}

std::int64_t FrameSketch::common_with(const FrameSketch& other) const {
  return std::count_if(checksums_.begin(), checksums_.end(), [&](std::uint64_t checksum) { return other.contains(checksum); });
}

SufficientStatistics& SufficientStatistics::operator+=(const SufficientStatistics& other) {
  if (fingerprint != other.fingerprint)
    throw InputError("statistics cannot be added: they belong to different baselines, sparse sets, reference energies or scales");
  for (const NoiseRecord& record : other.noise) add_to(noise, record);
  frames += other.frames;
  for (const GroupStatistics& theirs : other.groups) {
    const auto mine = std::find_if(groups.begin(), groups.end(), [&](const GroupStatistics& g) { return g.group.same_rows(theirs.group); });
    if (mine == groups.end()) {
      groups.push_back(theirs);
      continue;
    }
    if (mine->prior.size() == theirs.prior.size())
      for (std::size_t t = 0; t < mine->prior.size(); ++t) mine->prior[t] += theirs.prior[t];
    else
      mine->prior.clear();  // a partial sum is useless
    mine->gram += theirs.gram;
    mine->moment += theirs.moment;
    mine->target_square += theirs.target_square;
    mine->count += theirs.count;
    mine->log_weight += theirs.log_weight;
  }
  return *this;
}

SufficientStatistics SufficientStatistics::without_folds() const {
  SufficientStatistics sum;
  sum.fingerprint = fingerprint;
  sum.noise = noise;
  sum.frames = frames;
  for (const GroupStatistics& g : groups) {
    SufficientStatistics one;
    one.fingerprint = fingerprint;
    one.groups.push_back(g);
    one.groups.front().group.fold = 0;
    sum += one;
  }
  return sum;
}

bool SufficientStatistics::has_folds() const {
  return std::any_of(groups.begin(), groups.end(), [](const GroupStatistics& g) { return g.group.fold != 0; });
}

std::int64_t SufficientStatistics::row_count() const {
  std::int64_t sum = 0;
  for (const GroupStatistics& g : groups) sum += g.count;
  return sum;
}

}  // namespace gapkit
