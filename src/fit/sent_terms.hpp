#pragma once

#include <gapkit/core/bytes.hpp>
#include <gapkit/core/communicator.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Terms with their factor on the way from rank 0 to the other ranks: sizes first, by a message, then the numbers, as broadcasts.
class SentTerms {
 public:
  /// Rank 0: the bytes of a model file with these terms.
  SentTerms(std::span<const Term> terms, const SparseFactor& factor);
  /// Other ranks: takes memory of the sizes in the message.
  explicit SentTerms(ByteReader& sizes);

  void put_sizes(ByteWriter& out) const;
  /// Collective.
  void broadcast(Communicator& communicator);
  /// Throws Error if the terms that come out differ from those of rank 0.
  std::vector<Term> terms() const;
  SparseFactor factor() const { return SparseFactor(blocks_, jitter_); }

 private:
  std::string file_, fingerprint_;
  std::vector<Matrix> blocks_;
  std::vector<double> jitter_;
};

}  // namespace gapkit
