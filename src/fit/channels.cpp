// The radial and chemical channels of largest mean square (methods.md, section 2).

#include "fit/channels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/model/environment_chunks.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t most_atoms_of_channels = 20'000;
constexpr std::size_t pairs_of_chunk = 100'000;
constexpr double least_moment = 1e-13;  // of an eigenvalue, relative to the largest

/// The contraction of a draft's channels on its way.
struct Unmade {
  TermDraft* draft;
  const ContractedChannels* channels;
  std::vector<Matrix> moments;
};

// Rows of `w` from `found` on: axes, orthogonal to the rows before.
void complete_rows(Matrix& w, Eigen::Index found) {
  for (Eigen::Index axis = 0; found < w.rows() && axis < w.cols(); ++axis) {
    Vector row = Vector::Unit(w.cols(), axis);
    for (int pass = 0; pass < 2; ++pass)  // Gram-Schmidt, twice for rounding
      for (Eigen::Index k = 0; k < found; ++k) row -= w.row(k).dot(row) * w.row(k).transpose();
    if (row.norm() < 1e-6) continue;  // in the span of the rows; enough other axes are left
    w.row(found++) = row.normalized().transpose();
  }
}

std::string message_of(const Unmade& unmade, const ChannelBasis& basis, std::int64_t environments) {
  const auto least = std::min_element(basis.kept.begin(), basis.kept.end());
  return fmt::format(
      "term '{} {}': {} of {} channels for each l from {} environments; they lack {:.2g} of the mean square of the coefficients at most "
      "(l = {})",
      unmade.draft->options->name, unmade.draft->combination(), unmade.channels->channels(), unmade.channels->all_channels(), environments,
      1 - *least, least - basis.kept.begin());
}

}  // namespace

std::vector<std::int64_t> channel_sample(const DatasetSummary& summary, std::int64_t most_atoms, std::uint64_t seed) {
  std::map<std::pair<std::string, std::vector<int>>, std::vector<const DatasetSummary::Frame*>> kinds;
  for (const DatasetSummary::Frame& frame : summary.frames)
    kinds[{summary.config_types[static_cast<std::size_t>(frame.config_type)],
           summary.element_sets[static_cast<std::size_t>(frame.elements)]}]
        .push_back(&frame);
  RandomStream random{.seed = seed, .stream = 0xD1B54A32D192ED03u};
  for (auto& [kind, frames] : kinds) shuffle(frames, random);
  std::vector<std::int64_t> sample;
  std::int64_t atoms = 0;
  bool has_more = true;
  for (std::size_t turn = 0; has_more && (turn == 0 || atoms < most_atoms); ++turn) {
    has_more = false;
    for (const auto& [kind, frames] : kinds) {
      if (turn >= frames.size() || (turn > 0 && atoms >= most_atoms)) continue;
      has_more = true;
      atoms += frames[turn]->atoms;
      sample.push_back(frames[turn]->number);
    }
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

ChannelBasis leading_channels(const std::vector<Matrix>& moments, int channels) {
  ChannelBasis basis;
  for (const Matrix& moment : moments) {
    const SymmetricEigen eigen = symmetric_eigen(moment);
    const Eigen::Index size = eigen.values.size();
    const double largest = eigen.values[size - 1], total = moment.trace();
    Matrix w = Matrix::Zero(channels, size);
    double kept = 0;
    Eigen::Index found = 0;
    for (; found < channels; ++found) {
      const double value = eigen.values[size - 1 - found];
      if (!(value > least_moment * largest)) break;
      kept += value;
      auto row = w.row(found);
      row = eigen.vectors.row(size - 1 - found);
      Eigen::Index first = 0;  // the sign is arbitrary
      row.cwiseAbs().maxCoeff(&first);
      if (row[first] < 0) row = -row;
    }
    complete_rows(w, found);
    basis.contraction.push_back(std::move(w));
    basis.kept.push_back(total > 0 ? std::min(1.0, kept / total) : 1.0);
  }
  return basis;
}

void check_channels(const TermOptions& term, const Descriptor& descriptor, std::size_t elements) {
  const ContractedChannels* channels = descriptor.contracted_channels();
  if (!channels) return;
  if (channels->channels() > channels->all_channels())
    throw InputError(
        fmt::format("term '{}': channels = {}, but there are {} to contract ({} element{} times n_max); use fewer, or leave "
                    "'channels' out",
                    term.name, channels->channels(), channels->all_channels(), elements, elements == 1 ? "" : "s"));
  if (term.selection == "file")
    throw InputError(
        fmt::format("term '{}': selection = \"file\" names feature vectors, but the channels of a term with channels = {} come "
                    "from the training data; use selection = \"indices\", or leave 'channels' out",
                    term.name, channels->channels()));
}

void make_channels(const Dataset& training, const FitOptions& options, DataScan& scan, const ProgressCallback& progress) {
  std::vector<Unmade> unmade;
  double cutoff = 0;
  for (TermDraft& draft : scan.drafts) {
    const ContractedChannels* channels = draft.descriptor->contracted_channels();
    if (!channels || channels->basis()) continue;
    unmade.push_back({&draft, channels, channels->no_moments()});
    cutoff = std::max(cutoff, draft.descriptor->cutoff());
  }
  if (unmade.empty()) return;
  std::vector<std::int64_t> environments(unmade.size(), 0);
  const DatasetView sample(training, channel_sample(training.summary(), most_atoms_of_channels, options.seed));
  std::int64_t done = 0;
  sample.visit([&](const Structure& frame, const FramePlace&) {
    const StructureEnvironments near(frame, cutoff);
    const Environments& view = near.view();
    for (std::size_t u = 0; u < unmade.size(); ++u)
      for (int begin = 0; begin < frame.size();) {
        const int end = chunk_end(view, *unmade[u].draft->descriptor, begin, pairs_of_chunk);
        environments[u] += unmade[u].channels->add_moments(view, begin, end, unmade[u].moments);
        begin = end;
      }
    if (progress)
      progress({.phase = "channels",
                .done = static_cast<double>(++done),
                .total = static_cast<double>(sample.numbers().size()),
                .unit = "frames"});
  });
  for (std::size_t u = 0; u < unmade.size(); ++u) {
    const Unmade& made = unmade[u];
    ChannelBasis basis = leading_channels(made.moments, made.channels->channels());
    if (progress) progress({.phase = "channels", .message = message_of(made, basis, environments[u])});
    made.draft->descriptor = made.channels->with_basis(std::move(basis));
  }
}

}  // namespace gapkit
