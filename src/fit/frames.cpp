#include <gapkit/fit/frames.hpp>
#include <gapkit/io/extxyz.hpp>

namespace gapkit {

void for_each_frame(const std::vector<std::string>& files, const TargetKeys& keys, TargetReport* report,
                    const std::function<void(const Structure&, std::int64_t)>& visit) {
  std::int64_t number = 0;
  for (const std::string& file : files) {
    ExtxyzReader reader(file);
    while (std::optional<Structure> frame = reader.next()) {
      assign_targets(*frame, keys, report);
      visit(*frame, number++);
    }
  }
}

}  // namespace gapkit
