#pragma once

#include <functional>
#include <gapkit/core/structure.hpp>
#include <gapkit/io/targets.hpp>
#include <map>
#include <memory>

namespace gapkit {

/// One thing that an examination of the data noticed.
struct CheckFinding {
  enum class Severity { note, warning, error };
  Severity severity = Severity::note;
  std::string kind;     ///< what is alike has one kind: "overlap", "units", …
  std::string message;  ///< one sentence: file, line and frame, what was found, what to do

  bool is_error() const { return severity == Severity::error; }
};

/// "note", "warning" or "error".
const char* severity_name(CheckFinding::Severity severity);

/// Where a frame is in a data set.
struct FramePlace {
  int part = 0;             ///< index in Dataset::parts()
  int frame = 0;            ///< in its part, from 1
  std::int64_t number = 0;  ///< over all parts, from 0; in a view: the number in the data set that is viewed
};

/// Facts on the frames of a data set. Memory: 24 bytes per frame.
struct DatasetSummary {
  struct Frame {
    std::int64_t number = 0;
    int atoms = 0;
    int config_type = 0;  ///< index in config_types
    int elements = 0;     ///< index in element_sets
  };

  std::vector<Frame> frames;                   ///< those that can be read, by ascending number
  std::vector<std::string> config_types;       ///< in the order of their first frames
  std::vector<std::vector<int>> element_sets;  ///< atomic numbers, ascending
  std::string mistake;                         ///< of the first frame or file that cannot be read; empty if all can be

  void add(const Structure& frame, std::int64_t number);
  std::int64_t atoms() const;
  /// Frames of each config type.
  std::map<std::string, std::int64_t> frames_of_types() const;
  /// Throws InputError with the mistake if there is one.
  void check_complete() const;
};

/// What a visit of a data set is to do beside handing out frames.
struct VisitRequest {
  const std::vector<std::int64_t>* numbers = nullptr;  ///< only these frames, ascending; null: all
  TargetReport* targets = nullptr;                     ///< counts which keys held the targets
  /// If set, mistakes are reported here, and the visit goes on with the next frame, or with the next file where the rest of a file
  /// cannot be read; an InputError of the visitor is a mistake of its frame. Else the first mistake ends the visit as InputError.
  std::function<void(const CheckFinding&)> finding = {};
};

/// Frames with their targets that can be visited several times, in whole or in part, always in ascending order of their numbers, one in
/// memory at a time. Of all visits of a data set at most one may be under way.
class Dataset {
 public:
  using Visitor = std::function<void(const Structure& frame, const FramePlace& place)>;

  virtual ~Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  /// Names of what the frames come from, for messages: files.
  virtual const std::vector<std::string>& parts() const = 0;
  virtual DatasetSummary summary() const = 0;
  /// Returns the number of mistakes: frames and files that were lost. Throws what the visitor throws.
  std::int64_t visit(const Visitor& visitor, const VisitRequest& request = {}) const { return visit_frames(visitor, request); }

 protected:
  Dataset() = default;

 private:
  virtual std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const = 0;
};

/// The frames of extended-XYZ files.
///
/// The first whole visit notes where each frame begins, and the summary. Visits of some frames then read only these. A file that changes
/// between two visits is a mistake. Memory: 56 bytes per frame. Files without positions (pipes) are read from their beginning each time.
class FileDataset : public Dataset {
 public:
  explicit FileDataset(std::vector<std::string> files, TargetKeys keys = {});
  ~FileDataset() override;

  const std::vector<std::string>& parts() const override { return files_; }
  /// Costs a whole visit if there was none before.
  DatasetSummary summary() const override;

 private:
  struct Index;
  class Reader;

  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override;
  std::int64_t visit_all(const Visitor& visitor, const VisitRequest& request) const;
  std::int64_t visit_some(const Visitor& visitor, const VisitRequest& request) const;

  std::vector<std::string> files_;
  TargetKeys keys_;
  mutable std::shared_ptr<const Index> index_;
};

/// Frames in memory, with their targets set (assign_targets() does that for frames that were read from files).
class MemoryDataset : public Dataset {
 public:
  /// `name`: the part's, for messages. Frames without a source get one: "frame 3". Throws InputError, naming the frame, for arrays of wrong
  /// length, atomic numbers that no element has, and numbers that are not finite.
  explicit MemoryDataset(std::vector<Structure> frames, std::string name = "memory");

  const std::vector<std::string>& parts() const override { return parts_; }
  DatasetSummary summary() const override;

 private:
  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override;

  std::vector<Structure> frames_;
  std::vector<std::string> parts_;
};

/// Some frames of a data set, which must outlive it: a sample, a fold, a training set without what was held out, a share of the work.
/// Frames keep their numbers.
class DatasetView : public Dataset {
 public:
  /// `numbers`: ascending.
  DatasetView(const Dataset& data, std::vector<std::int64_t> numbers);
  /// All frames of `data` but these.
  static DatasetView without(const Dataset& data, const std::vector<std::int64_t>& left_out);
  DatasetView(DatasetView&& other) noexcept : data_(other.data_), numbers_(std::move(other.numbers_)) {}

  const std::vector<std::string>& parts() const override { return data_.parts(); }
  DatasetSummary summary() const override;
  const std::vector<std::int64_t>& numbers() const { return numbers_; }
  bool contains(std::int64_t number) const;

 private:
  std::int64_t visit_frames(const Visitor& visitor, const VisitRequest& request) const override;

  const Dataset& data_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace gapkit
