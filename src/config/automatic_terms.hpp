#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit {

/// Terms of a fit without a configuration, for molecules or solids.
TermOptions pair_term(bool molecular, double cutoff);
TermOptions triplet_term();
/// Its sparse points are not set. `elements`: their number.
TermOptions soap_term(bool molecular, double cutoff, std::size_t elements);

/// Symmetry functions with the kernel of a network in place of a term of SOAP: with its cutoff and numbers of sparse points.
TermOptions functions_term(const TermOptions& soap, std::size_t elements);

/// Why these data do not suffice for a learned metric, as part of a sentence; empty if they do.
std::string reason_against_metric(const DataSummary& data);
/// Gives a term of SOAP a learned metric with the usual rank.
void learn_metric(TermOptions& soap, std::size_t elements);
/// For molecules beside a term with a learned metric: few points with all features.
TermOptions full_term(const TermOptions& soap);

}  // namespace gapkit
