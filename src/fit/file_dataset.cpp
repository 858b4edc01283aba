#include <algorithm>
#include <filesystem>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/io/extxyz.hpp>
#include <optional>

#include "io/file_converter.hpp"
#include "io/other_formats.hpp"

namespace gapkit {

struct FileDataset::Index {
  /// What shows that a file has changed.
  struct FileState {
    bool has_positions = false;
    std::uintmax_t size = 0;
    std::filesystem::file_time_type time;

    explicit FileState(const std::string& file) {
      std::error_code error;
      has_positions = std::filesystem::is_regular_file(file, error);
      if (!has_positions) return;
      size = std::filesystem::file_size(file, error);
      time = std::filesystem::last_write_time(file, error);
    }
    bool operator==(const FileState&) const = default;
  };

  struct Entry {
    ExtxyzReader::Position position;
    int part;
  };

  DatasetSummary summary;
  std::vector<Entry> entries;  // one for each frame of the summary
  std::vector<FileState> files;

  bool has_positions = true;  // in all files that have frames
};

/// Opens one file after the other, reads frames with their targets and hands them out. Takes mistakes down as the request says.
class FileDataset::Reader {
 public:
  Reader(const FileDataset& data, const Visitor& visitor, const VisitRequest& request)
      : data_(data), visitor_(visitor), request_(request), known_(data.index_.get()) {}

  std::int64_t mistakes() const { return mistakes_; }
  /// False if the file cannot be opened.
  bool open(int part) {
    part_ = part;
    const std::string& file = data_.files_[static_cast<std::size_t>(part)];
    reader_.reset();
    return without_mistake("unreadable file", [&] {
      if (known_ && Index::FileState(file) != known_->files[static_cast<std::size_t>(part)])
        throw InputError(file + ": the file has changed since its frames were first read; start again once nothing writes to it");
      reader_.emplace(file);
    });
  }
  int part() const { return part_; }
  bool is_open() const { return reader_.has_value(); }
  ExtxyzReader::Position position() const { return reader_->position(); }
  void go_to(const ExtxyzReader::Position& position) { reader_->go_to(position); }
  /// False at the end of the file, or where the rest of it cannot be read.
  bool read() {
    frame_.reset();
    return without_mistake("unreadable frame", [&] { frame_ = reader_->next(); }) && frame_.has_value();
  }
  /// Sets the targets of the frame; false if it has to be left out.
  bool assign(TargetReport* report) {
    return without_mistake("frame", [&] { assign_targets(*frame_, data_.keys_, report); });
  }
  const Structure& frame() const { return *frame_; }
  void hand_out(std::int64_t number) {
    try {
      visitor_(*frame_, {part_, reader_->frame_count(), number});
    } catch (const InputError& e) {
      if (!request_.finding) throw;
      note("frame", e.what());
    }
  }
  /// Takes a mistake down, or ends the visit with it.
  void note(const char* kind, const std::string& message) {
    if (!request_.finding) throw InputError(message);
    request_.finding({CheckFinding::Severity::error, kind, message});
    ++mistakes_;
  }
  /// Of the files, not of the visitor.
  const std::string& first_mistake() const { return first_mistake_; }

 private:
  template <class Action>
  bool without_mistake(const char* kind, Action&& action) {
    try {
      action();
      return true;
    } catch (const InputError& e) {
      if (!request_.finding) throw;
      if (first_mistake_.empty()) first_mistake_ = e.what();
      note(kind, e.what());
      return false;
    }
  }

  const FileDataset& data_;
  const Visitor& visitor_;
  const VisitRequest& request_;
  const Index* known_;
  int part_ = -1;
  std::optional<ExtxyzReader> reader_;
  std::optional<Structure> frame_;
  std::int64_t mistakes_ = 0;
  std::string first_mistake_;
};

FileDataset::FileDataset(std::vector<std::string> files, TargetKeys keys) : files_(std::move(files)), keys_(std::move(keys)) {}
FileDataset::~FileDataset() = default;

DatasetSummary FileDataset::summary() const {
  if (!index_) visit([](const Structure&, const FramePlace&) {}, {.finding = [](const CheckFinding&) {}});
  return index_->summary;
}

std::int64_t FileDataset::visit_frames(const Visitor& visitor, const VisitRequest& request) const {
  return request.numbers && index_ && index_->has_positions ? visit_some(visitor, request) : visit_all(visitor, request);
}

std::int64_t FileDataset::visit_all(const Visitor& visitor, const VisitRequest& request) const {
  const auto index = index_ ? nullptr : std::make_shared<Index>();
  Reader reader(*this, visitor, request);
  std::int64_t number = 0;
  for (std::size_t f = 0; f < files_.size(); ++f) {
    if (request.finding && !needs_converter(files_[f]) && beginning_of(files_[f]).find("\r\n") != std::string::npos)
      request.finding(
          {CheckFinding::Severity::note, "line ends", files_[f] + ": the lines end in the Windows way (CR LF), which is understood"});
    if (index) index->files.emplace_back(files_[f]);
    if (!reader.open(static_cast<int>(f))) continue;
    for (;; ++number) {
      const ExtxyzReader::Position position = reader.position();
      if (!reader.read()) break;
      const bool is_wanted = !request.numbers || std::binary_search(request.numbers->begin(), request.numbers->end(), number);
      if (!is_wanted && !index) continue;
      if (!reader.assign(is_wanted ? request.targets : nullptr)) continue;
      if (index) {
        index->summary.add(reader.frame(), number);
        index->entries.push_back({position, static_cast<int>(f)});
        index->has_positions = index->has_positions && index->files.back().has_positions;
      }
      if (is_wanted) reader.hand_out(number);
    }
  }
  if (index) {
    index->summary.mistake = reader.first_mistake();
    index_ = index;
  }
  return reader.mistakes();
}

std::int64_t FileDataset::visit_some(const Visitor& visitor, const VisitRequest& request) const {
  Reader reader(*this, visitor, request);
  const auto& frames = index_->summary.frames;
  auto next = frames.begin();
  for (const std::int64_t number : *request.numbers) {
    next = std::lower_bound(next, frames.end(), number,
                            [](const DatasetSummary::Frame& frame, std::int64_t wanted) { return frame.number < wanted; });
    if (next == frames.end() || next->number != number) {
      if (index_->summary.mistake.empty()) throw Error("the data set has no frame " + std::to_string(number));
      reader.note("frame", index_->summary.mistake);
      continue;
    }
    const Index::Entry& entry = index_->entries[static_cast<std::size_t>(next - frames.begin())];
    if (entry.part != reader.part()) reader.open(entry.part);
    if (!reader.is_open()) continue;
    reader.go_to(entry.position);
    if (reader.read() && reader.assign(request.targets)) reader.hand_out(number);
  }
  return reader.mistakes();
}

}  // namespace gapkit
