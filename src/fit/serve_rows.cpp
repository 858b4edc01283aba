#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/serve_rows.hpp>
#include <new>

#include "fit/move_sums.hpp"
#include "fit/row_messages.hpp"
#include "fit/sent_terms.hpp"

namespace gapkit {
namespace {

/// A pass that this process takes part in.
class ServedPass {
 public:
  ServedPass(std::vector<Term> terms, SparseFactor factor, ByteReader& settings)
      : terms_(std::move(terms)), factor_(std::move(factor)), has_prior_(false), sums_(rules(settings)) {}

  void add_block(ByteReader& frames, ByteWriter& reply) {
    const ShowAtoms silent = [](double) {};
    while (!frames.is_at_end()) sums_.add(get_frame(frames), silent);
    sums_.flush(silent);
    for (const KeptRows& kept : kept_) put_kept(reply, kept);
    kept_.clear();
  }
  SufficientStatistics& make_sums(const std::vector<bool>& has_rows) {
    SufficientStatistics& statistics = sums_.builder().statistics();
    gapkit::make_sums(statistics, has_rows, factor_.size(), has_prior_ ? terms_.size() : 0);
    return statistics;
  }

 private:
  RowSumRules rules(ByteReader& in) {
    RowSumRules rules{.terms = terms_, .factor = factor_, .groups = {}, .fingerprint = {}};
    const auto groups = in.get<std::size_t>();
    for (std::size_t i = 0; i < groups; ++i) rules.groups.push_back(get_group(in));
    in.get(rules.groups_of_fold);
    in.get(rules.fingerprint);
    in.get(rules.has_prior);
    in.get(rules.sink.is_exact);
    in.get(rules.sink.is_only);
    rules.sink.take = [this](std::vector<KeptRows> structures) {
      for (KeptRows& kept : structures) kept_.push_back(std::move(kept));
    };
    has_prior_ = rules.has_prior;
    return rules;
  }

  std::vector<Term> terms_;
  SparseFactor factor_;
  bool has_prior_;
  std::vector<KeptRows> kept_;  // of the current block
  OwnRowSums sums_;
};

class Server {
 public:
  explicit Server(Communicator& communicator) : communicator_(communicator) {}

  void run() {
    while (follows(communicator_.receive(0))) {
    }
  }

 private:
  /// False at the end.
  bool follows(std::string_view message) {
    ByteReader in(message);
    const auto command = in.get<RowCommand>();
    if (command == RowCommand::end) return false;
    in.get(pass_number_);
    if (command == RowCommand::begin) begin(in);
    if (command == RowCommand::block) reply([&](ByteWriter& out) { pass_.value().add_block(in, out); });
    if (command == RowCommand::sums) move(in);
    return true;
  }

  /// Sends what `work` puts into the reply, or its error.
  template <class Work>
  void reply(const Work& work) {
    const auto failed = [&](RowReply kind, const std::string& text) {
      ByteWriter out;
      out.put(pass_number_);
      out.put(kind);
      out.put(text);
      communicator_.send(0, out.take());
    };
    ByteWriter out;
    try {
      out.put(pass_number_);
      out.put(RowReply::done);
      work(out);
    } catch (const InputError& e) {
      return failed(RowReply::input_error, e.what());
    } catch (const NumericalError& e) {
      return failed(RowReply::numerical_error, e.what());
    } catch (const std::bad_alloc&) {
      return failed(RowReply::numerical_error,
                    fmt::format("out of memory in rank {}; use fewer sparse points or smaller frames, or fewer ranks for each machine",
                                communicator_.rank()));
    } catch (const std::exception& e) {
      return failed(RowReply::error, e.what());
    }
    communicator_.send(0, out.take());
  }

  bool has_consent() { return ByteReader(communicator_.receive(0)).get<bool>(); }

  void begin(ByteReader& in) {
    pass_.reset();
    std::optional<SentTerms> terms;
    reply([&](ByteWriter&) { terms.emplace(in); });
    if (!has_consent()) return;
    terms->broadcast(communicator_);
    reply([&](ByteWriter&) { pass_.emplace(terms->terms(), terms->factor(), in); });
  }

  void move(ByteReader& in) {
    std::vector<bool> has_rows(in.get<std::size_t>());
    for (std::size_t i = 0; i < has_rows.size(); ++i) has_rows[i] = in.get<bool>();
    SufficientStatistics* sums = nullptr;
    reply([&](ByteWriter&) { sums = &pass_.value().make_sums(has_rows); });
    if (has_consent()) move_sums(communicator_, *sums, has_rows);
  }

  Communicator& communicator_;
  std::int64_t pass_number_ = 0;
  std::optional<ServedPass> pass_;
};

}  // namespace

void serve_rows(Communicator& communicator) {
  Server(communicator).run();
}

void end_serving(Communicator& communicator) {
  ByteWriter out;
  out.put(RowCommand::end);
  const std::string bytes = out.take();
  for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, bytes);
}

}  // namespace gapkit
