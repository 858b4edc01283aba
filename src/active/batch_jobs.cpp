#include "active/batch_jobs.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/io/checksum.hpp>
#include <sstream>

#include "active/event_log.hpp"
#include "active/loop_folder.hpp"

namespace gapkit {
namespace {

constexpr const char* decimal_digits = "0123456789";

}  // namespace

std::string structure_key(const Structure& structure) {
  Checksum sum;
  for (const int z : structure.atomic_numbers) sum.add(static_cast<std::int64_t>(z));
  for (Eigen::Index i = 0; i < structure.positions.size(); ++i) sum.add(structure.positions.data()[i]);
  if (structure.cell)
    for (Eigen::Index i = 0; i < structure.cell->size(); ++i) sum.add(structure.cell->data()[i]);
  for (const bool periodic : structure.pbc) sum.add(static_cast<std::int64_t>(periodic));
  return fmt::format("{:016x}", sum.value());
}

std::vector<BatchJob> BatchJobFile::read() const {
  std::vector<BatchJob> jobs;
  if (!std::filesystem::exists(path_)) return jobs;
  try {
    const nlohmann::ordered_json json = read_json(path_);
    for (const auto& entry : json.at("jobs"))
      jobs.push_back({.id = entry.at("id"),
                      .structure = entry.at("structure"),
                      .folder = entry.at("folder").get<std::string>(),
                      .submitted = entry.at("submitted"),
                      .attempts = entry.at("attempts"),
                      .is_collected = entry.at("collected")});
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("{}: is damaged: {}; remove it to submit its structures again", path_.string(), e.what()));
  }
  return jobs;
}

void BatchJobFile::write(const std::vector<BatchJob>& jobs) const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const BatchJob& job : jobs)
    list.push_back({{"id", job.id},
                    {"structure", job.structure},
                    {"folder", job.folder.string()},
                    {"submitted", job.submitted},
                    {"attempts", job.attempts},
                    {"collected", job.is_collected}});
  write_json(path_, {{"jobs", list}});
}

std::string job_id_in(const std::string& text) {
  const std::size_t begin = text.find_first_of(decimal_digits);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_first_not_of(decimal_digits, begin) - begin);
}

std::set<std::string> job_ids_of_lines(const std::string& text) {
  std::set<std::string> ids;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin != std::string::npos && std::string(decimal_digits).find(line[begin]) != std::string::npos) ids.insert(job_id_in(line));
  }
  return ids;
}

}  // namespace gapkit
