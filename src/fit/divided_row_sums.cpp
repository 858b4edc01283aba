#include "fit/divided_row_sums.hpp"

#include <algorithm>
#include <chrono>
#include <gapkit/core/errors.hpp>
#include <thread>

#include "fit/move_sums.hpp"
#include "fit/sent_terms.hpp"

namespace gapkit {
namespace {

constexpr double cost_of_row = 8, cost_of_atom = 1;  // kernel rows of an energy pass over all environments, but need no Jacobian
constexpr auto nap = std::chrono::microseconds(200);
constexpr int naps_between_shows = 50;

std::int64_t next_pass() {
  static std::int64_t count = 0;
  return ++count;
}

[[noreturn]] void throw_failure(RowReply kind, const std::string& text) {
  if (kind == RowReply::input_error) throw InputError(text);
  if (kind == RowReply::numerical_error) throw NumericalError(text);
  throw Error(text);
}

}  // namespace

DividedRowSums::DividedRowSums(Communicator& communicator, RowSumRules rules, AccumulationCheckpoints& checkpoints, std::int64_t frames)
    : communicator_(communicator),
      checkpoints_(checkpoints),
      rules_(std::move(rules)),
      own_(own_rules(rules_)),
      pass_(next_pass()),
      shares_(static_cast<std::size_t>(communicator.size())),
      has_rows_(rules_.groups.size(), false),
      frames_added_(frames),
      frames_sent_(frames) {
  rows_of_share_ = StatisticsBuilder::batch_rows(rules_.factor.size());
  if (rules_.sink.is_only) rows_of_share_ /= communicator.size();  // rank 0 gets all rows
  begin();
}

RowSumRules DividedRowSums::own_rules(RowSumRules rules) {
  rules.sink.take = [this](std::vector<KeptRows> structures) {
    for (KeptRows& kept : structures) kept_.push_back(std::move(kept));
  };
  return rules;
}

ByteWriter DividedRowSums::command(RowCommand command) const {
  ByteWriter out;
  out.put(command);
  out.put(pass_);
  return out;
}

void DividedRowSums::begin() {
  SentTerms terms(rules_.terms, rules_.factor);
  ByteWriter out = command(RowCommand::begin);
  terms.put_sizes(out);
  out.put(rules_.groups.size());
  for (const RowGroup& group : rules_.groups) put_group(out, group);
  out.put(rules_.groups_of_fold);
  out.put(rules_.fingerprint);
  out.put(rules_.has_prior);
  out.put(rules_.sink.is_exact);
  out.put(rules_.sink.is_only);
  const std::string settings = out.take();
  for (std::size_t rank = 1; rank < shares_.size(); ++rank) {
    communicator_.send(static_cast<int>(rank), settings);
    shares_[rank].is_awaited = true;
  }
  await_consent();
  terms.broadcast(communicator_);
  for (std::size_t rank = 1; rank < shares_.size(); ++rank) shares_[rank].is_awaited = true;
}

std::size_t DividedRowSums::next_share() const {
  const auto least = std::min_element(shares_.begin(), shares_.end(), [](const Share& a, const Share& b) { return a.cost < b.cost; });
  return static_cast<std::size_t>(least - shares_.begin());
}

void DividedRowSums::add(FrameRows frame, const ShowAtoms& show) {
  progress_ = frame.progress;
  if (frame.count() > 0) {
    std::size_t rank = next_share();
    if (shares_[rank].rows > 0 && shares_[rank].rows + frame.count() > rows_of_share_) {
      send_block(show);
      rank = next_share();
    }
    for (const int group : frame.targets.group)
      if (group != RowTargets::excluded) has_rows_[static_cast<std::size_t>(group)] = true;
    Share& share = shares_[rank];
    share.rows += frame.count();
    share.cost += cost_of_row * static_cast<double>(frame.count()) + cost_of_atom * frame.structure.size();
    if (rank == 0)
      share.own.push_back(std::move(frame));
    else
      put_frame(share.frames, frame);
  }
  ++frames_added_;
}

void DividedRowSums::send_block(const ShowAtoms& show) {
  await_replies(show);
  if (checkpoints_.is_due && checkpoints_.is_due()) {
    move_all_sums();
    save();
  }
  for (std::size_t rank = 1; rank < shares_.size(); ++rank) {
    Share& share = shares_[rank];
    share.rows = 0;
    share.cost = 0;
    if (share.frames.is_empty()) continue;
    communicator_.send(static_cast<int>(rank), command(RowCommand::block).take() + share.frames.take());
    share.is_awaited = true;
  }
  frames_sent_ = frames_added_;
  is_own_sent_ = true;
  sum_own_frames(show);
  shares_[0].rows = 0;
  shares_[0].cost = 0;
}

void DividedRowSums::sum_own_frames(const ShowAtoms& show) {
  const auto shown = [&](double atoms) {
    poll();
    if (show) show(atoms);
  };
  std::vector<FrameRows>& frames = shares_[0].own;
  for (; own_done_ < frames.size(); ++own_done_) own_.add(std::move(frames[own_done_]), shown);
  own_.flush(shown);
  frames.clear();
  own_done_ = 0;
  is_own_sent_ = false;
}

void DividedRowSums::poll() {
  for (std::size_t rank = 1; rank < shares_.size(); ++rank)
    if (shares_[rank].is_awaited && communicator_.has_message(static_cast<int>(rank))) take_reply(static_cast<int>(rank));
}

void DividedRowSums::take_reply(int rank) {
  const std::string bytes = communicator_.receive(rank);
  ByteReader in(bytes);
  if (in.get<std::int64_t>() != pass_) return;  // of a pass that was given up
  shares_[static_cast<std::size_t>(rank)].is_awaited = false;
  const auto kind = in.get<RowReply>();
  if (kind != RowReply::done) {
    std::string text;
    in.get(text);
    throw_failure(kind, text);
  }
  while (!in.is_at_end()) kept_.push_back(get_kept(in));
}

void DividedRowSums::await_replies(const ShowAtoms& show) {
  const auto is_awaited = [](const Share& share) { return share.is_awaited; };
  for (int naps = 0; std::any_of(shares_.begin(), shares_.end(), is_awaited); ++naps) {
    poll();
    if (!std::any_of(shares_.begin(), shares_.end(), is_awaited)) break;
    std::this_thread::sleep_for(nap);
    if (show && naps % naps_between_shows == 0) show(progress_);
  }
  if (kept_.empty()) return;
  std::sort(kept_.begin(), kept_.end(), [](const KeptRows& a, const KeptRows& b) { return a.number < b.number; });
  rules_.sink.take(std::exchange(kept_, {}));
}

/// Before a collective call: all ranks are ready, or none makes it.
void DividedRowSums::await_consent() {
  const auto tell = [&](bool goes_on) {
    ByteWriter out;
    out.put(goes_on);
    const std::string bytes = out.take();
    for (int rank = 1; rank < communicator_.size(); ++rank) communicator_.send(rank, bytes);
  };
  std::exception_ptr failure;
  for (bool is_done = false; !is_done;) {  // a rank that fails waits for the answer, too
    try {
      await_replies({});
      is_done = true;
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  tell(!failure);
  if (failure) std::rethrow_exception(failure);
}

void DividedRowSums::move_all_sums() {
  const std::size_t terms = rules_.has_prior ? rules_.terms.size() : 0;
  make_sums(builder().statistics(), has_rows_, rules_.factor.size(), terms);
  ByteWriter out = command(RowCommand::sums);
  out.put(has_rows_.size());
  for (const bool has : has_rows_) out.put(has);
  const std::string bytes = out.take();
  for (std::size_t rank = 1; rank < shares_.size(); ++rank) {
    communicator_.send(static_cast<int>(rank), bytes);
    shares_[rank].is_awaited = true;
  }
  await_consent();
  move_sums(communicator_, builder().statistics(), has_rows_);
}

void DividedRowSums::save() {
  if (checkpoints_.save) checkpoints_.save({builder().statistics(), frames_sent_}, true);
}

void DividedRowSums::finish(const ShowAtoms& show) {
  send_block(show);
  await_replies(show);
  if (!rules_.sink.is_only) move_all_sums();
}

void DividedRowSums::save_interrupted() {
  // Own frames of a block that is not sent yet do not count as done.
  if (is_own_sent_) sum_own_frames({});
  await_replies({});
  if (rules_.sink.is_only) return;
  move_all_sums();
  save();
}

}  // namespace gapkit
