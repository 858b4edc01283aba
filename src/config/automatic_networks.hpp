#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit {

/// Options whose last term is SOAP with all that a fit needs, and the kernel of a network in place of its kernel, or of the whole term.
struct NetworkCandidate {
  FitConfiguration options;
  std::string name;  ///< in reasons
};

/// `ntk` on the features of SOAP; `ntk` on symmetry functions.
std::vector<NetworkCandidate> network_candidates(const FitConfiguration& options, std::size_t elements);

/// Tries them in fits to a sample of the data, keeps the one with the smallest errors of left-out folds if these are clearly smaller than
/// with SOAP's own kernel, and says so in `reasons`. Tries none that is estimated to take longer than `most_seconds` (all together).
void choose_network(const FitData& given, const DataSummary& data, double most_seconds, FitConfiguration& options,
                    std::vector<std::string>& reasons, const ProgressCallback& progress);

}  // namespace gapkit
