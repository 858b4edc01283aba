#pragma once

#include <gapkit/fit/dataset.hpp>

namespace gapkit::test {

/// A data set that counts the frames that visits hand out.
class CountedDataset : public Dataset {
 public:
  explicit CountedDataset(const Dataset& data) : data_(data) {}

  const std::vector<std::string>& parts() const override { return data_.parts(); }
  DatasetSummary summary() const override { return data_.summary(); }
  std::int64_t frames() const { return frames_; }

 private:
  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override {
    return data_.visit(
        [&](const Structure& frame, const FramePlace& place) {
          ++frames_;
          visitor(frame, place);
        },
        request);
  }

  const Dataset& data_;
  mutable std::int64_t frames_ = 0;
};

}  // namespace gapkit::test
