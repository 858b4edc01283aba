// Symmetry functions that the training data choose, and their statistics (methods.md, section 2).

#include "fit/functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>

#include "fit/channels.hpp"

namespace gapkit {
namespace {

constexpr std::int64_t most_atoms_of_functions = 20'000;
constexpr std::size_t pairs_of_functions = 100'000;
constexpr double least_column = 1e-10;  // of the variance that earlier columns leave over, relative to the largest
constexpr std::size_t most_named = 8;   // dropped functions in a message

/// The functions of a draft on their way.
struct Unchosen {
  TermDraft* draft;
  const ChosenFunctions* side;
  std::vector<SymmetryFunction> candidates;
  std::shared_ptr<const Descriptor> unscaled;
  std::vector<Matrix> values = {};  // of the frames
};

double shortest_of(const ShortestDistances& distances) {
  double shortest = 0;
  for (const auto& [elements, distance] : distances) shortest = shortest > 0 ? std::min(shortest, distance) : distance;
  return shortest;
}

Matrix statistics_of(const Matrix& values) {
  Matrix result(values.cols(), 4);
  const auto rows = static_cast<double>(values.rows());
  for (Eigen::Index f = 0; f < values.cols(); ++f) {
    const double mean = values.col(f).sum() / rows;
    result(f, smallest_value) = values.col(f).minCoeff();
    result(f, largest_value) = values.col(f).maxCoeff();
    result(f, mean_value) = mean;
    result(f, std_of_values) = std::sqrt((values.col(f).array() - mean).square().sum() / rows);
  }
  return result;
}

Matrix rows_together(const std::vector<Matrix>& parts, Eigen::Index columns) {
  Eigen::Index rows = 0;
  for (const Matrix& part : parts) rows += part.rows();
  Matrix all(rows, columns);
  rows = 0;
  for (const Matrix& part : parts) {
    all.middleRows(rows, part.rows()) = part;
    rows += part.rows();
  }
  return all;
}

// Columns of scaled values in the order of the pivoted Cholesky factorisation of their covariance.
std::vector<int> leading_columns(Matrix values, const FunctionScaling& scaling) {
  for (Eigen::Index f = 0; f < values.cols(); ++f) {
    values.col(f) *= scaling.factor[f];
    values.col(f).array() -= values.col(f).mean();
  }
  Matrix covariance(values.cols(), values.cols());
  multiply_tn(values, values, covariance, 1 / static_cast<double>(values.rows()));
  return pivoted_cholesky(covariance, least_column).pivot;
}

void gather_values(const Dataset& training, const FitOptions& options, std::vector<Unchosen>& unchosen, const ProgressCallback& progress) {
  double cutoff = 0;
  for (const Unchosen& u : unchosen) cutoff = std::max(cutoff, u.unscaled->cutoff());
  const DatasetView sample(training, channel_sample(training.summary(), most_atoms_of_functions, options.seed));
  std::int64_t done = 0;
  Features features;
  sample.visit([&](const Structure& frame, const FramePlace&) {
    const StructureEnvironments near(frame, cutoff);
    const Environments& view = near.view();
    for (Unchosen& u : unchosen)
      for (int begin = 0; begin < frame.size();) {
        const int end = chunk_end(view, *u.unscaled, begin, pairs_of_functions);
        u.unscaled->compute(view, begin, end, Derivatives::none, features);
        if (features.size() > 0) u.values.emplace_back(features.x.view());
        begin = end;
      }
    if (progress)
      progress({.phase = "functions",
                .done = static_cast<double>(++done),
                .total = static_cast<double>(sample.numbers().size()),
                .unit = "frames"});
  });
}

std::string message_of(const Unchosen& made, const FunctionChoice& choice, Eigen::Index environments) {
  std::string text = fmt::format("term '{} {}': {} of {} symmetry functions, scaled by {} environments", made.draft->options->name,
                                 made.draft->combination(), choice.set.functions.size(), made.candidates.size(), environments);
  if (choice.unselected > 0) text += fmt::format("; {} not selected", choice.unselected);
  if (choice.without_range.empty()) return text;
  text += fmt::format("; {} dropped because their values hardly differ: ", choice.without_range.size());
  for (std::size_t i = 0; i < std::min(most_named, choice.without_range.size()); ++i)
    text += (i > 0 ? ", " : "") + choice.without_range[i].text();
  if (choice.without_range.size() > most_named) text += fmt::format(" and {} more", choice.without_range.size() - most_named);
  return text;
}

/// Elements of neighbours that change no function; empty: none.
std::string unseen_neighbours(const std::vector<SymmetryFunction>& functions, const Descriptor& descriptor, const DataScan& scan) {
  std::string text;
  const int centre = descriptor.species().front();
  for (const int z : scan.plan.elements) {
    const auto pair = scan.shortest_distances.find(std::minmax(centre, z));
    if (pair == scan.shortest_distances.end() || pair->second > descriptor.cutoff()) continue;
    const bool is_seen = std::any_of(functions.begin(), functions.end(),
                                     [&](const SymmetryFunction& f) { return f.is_weighted() || f.first == z || f.second == z; });
    if (!is_seen) text += (text.empty() ? "" : ", ") + element_symbol(z);
  }
  return text;
}

}  // namespace

FunctionChoice choice_of(const FunctionValues& all, const ChosenFunctions& descriptor, double least_range, int most) {
  FunctionChoice result;
  const Matrix statistics = statistics_of(all.values);
  std::vector<int> kept;
  for (Eigen::Index f = 0; f < statistics.rows(); ++f) {
    const double range = statistics(f, largest_value) - statistics(f, smallest_value);
    if (range > 0 && range >= least_range && statistics(f, std_of_values) > 0)
      kept.push_back(static_cast<int>(f));
    else
      result.without_range.push_back(all.functions[static_cast<std::size_t>(f)]);
  }
  if (most > 0 && static_cast<std::size_t>(most) < kept.size()) {
    std::vector<int> order = leading_columns(all.values(Eigen::all, kept), descriptor.scaling(statistics(kept, Eigen::all)));
    order.resize(std::min(order.size(), static_cast<std::size_t>(most)));
    std::sort(order.begin(), order.end());
    result.unselected = static_cast<int>(kept.size() - order.size());
    std::vector<int> selected;
    for (const int place : order) selected.push_back(kept[static_cast<std::size_t>(place)]);
    kept = std::move(selected);
  }
  for (const int f : kept) result.set.functions.push_back(all.functions[static_cast<std::size_t>(f)]);
  result.set.statistics = statistics(kept, Eigen::all);
  return result;
}

void check_functions(const TermOptions& term, const Descriptor& descriptor, const std::vector<int>& elements) {
  const ChosenFunctions* functions = descriptor.chosen_functions();
  if (!functions) return;
  for (const int z : functions->named_elements())
    if (std::find(elements.begin(), elements.end(), z) == elements.end())
      throw InputError(fmt::format("term '{}': its list of functions names {}, which does not occur in the training data", term.name,
                                   element_symbol(z)));
  if (functions->candidates(0).empty())
    throw InputError(fmt::format("term '{}': its list has no function of the centre {}; add some, or name the centres in 'species'",
                                 term.name, combination_name(descriptor.species())));
  if (term.selection == "file")
    throw InputError(
        fmt::format("term '{}': selection = \"file\" names feature vectors, but symmetry functions are scaled by the training "
                    "data; use selection = \"indices\"",
                    term.name));
}

void choose_functions(const Dataset& training, const FitOptions& options, DataScan& scan, const ProgressCallback& progress) {
  std::vector<Unchosen> unchosen;
  for (TermDraft& draft : scan.drafts) {
    const ChosenFunctions* side = draft.descriptor->chosen_functions();
    if (!side || side->chosen()) continue;
    std::vector<SymmetryFunction> candidates = side->candidates(shortest_of(scan.shortest_distances));
    unchosen.push_back({&draft, side, candidates, side->unscaled(candidates)});
  }
  if (unchosen.empty()) return;
  gather_values(training, options, unchosen, progress);
  for (Unchosen& made : unchosen) {
    const auto columns = static_cast<Eigen::Index>(made.candidates.size());
    FunctionValues all{made.candidates, rows_together(made.values, columns)};
    const Parameters& parameters = made.draft->descriptor->parameters();
    FunctionChoice choice;
    if (all.values.rows() > 0) {
      choice = choice_of(all, *made.side, parameters.real("least_range"), static_cast<int>(parameters.integer("n_select")));
      if (choice.set.functions.empty())
        throw InputError(fmt::format(
            "term '{} {}': none of its {} symmetry functions takes different values in the training data (they "
            "differ by less than least_range = {}); choose others, or a larger cutoff; if {} occurs only as an isolated atom, name "
            "the other centres in 'species'",
            made.draft->options->name, made.draft->combination(), made.candidates.size(), parameters.real("least_range"),
            combination_name(made.draft->descriptor->species())));
    } else {  // the term gets no points
      choice.set = {made.candidates, Matrix::Zero(columns, 4)};
      choice.set.statistics.col(largest_value).setOnes();
      choice.set.statistics.col(std_of_values).setOnes();
    }
    if (progress) progress({.phase = "functions", .message = message_of(made, choice, all.values.rows())});
    const std::string unseen = unseen_neighbours(choice.set.functions, *made.draft->descriptor, scan);
    if (progress && !unseen.empty())
      progress({.phase = "functions",
                .message = fmt::format("term '{} {}': no symmetry function counts the neighbours {}, which have no influence there; add "
                                       "functions of them unless another term has them",
                                       made.draft->options->name, made.draft->combination(), unseen),
                .is_warning = true});
    made.draft->descriptor = made.side->with_functions(std::move(choice.set));
  }
}

}  // namespace gapkit
