// Choice and scaling of symmetry functions, and the line of the table.

#include "descriptors/symmetry_functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <set>

#include "descriptors/symmetry_sets.hpp"

namespace gapkit {
namespace {

const std::vector<std::string> scaling_names = {"none", "centre", "range", "range_centred", "sigma"};

int scaling_index(const std::string& name) {
  const auto found = std::find(scaling_names.begin(), scaling_names.end(), name);
  if (found == scaling_names.end())
    throw InputError(fmt::format("symmetry_functions: scaling is '{}'{}", name, suggestion(name, scaling_names)));
  return static_cast<int>(found - scaling_names.begin());
}

bool is_name_of_set(const std::string& functions) {
  return std::find(SymmetrySets::names().begin(), SymmetrySets::names().end(), functions) != SymmetrySets::names().end();
}

// Every instance of an entry for neighbours of these elements.
std::vector<SymmetryFunction> instances(const ListedFunction& listed, const std::vector<int>& elements) {
  if (listed.has_elements) return {listed.function};
  std::vector<SymmetryFunction> result;
  for (std::size_t a = 0; a < elements.size(); ++a) {
    SymmetryFunction f = listed.function;
    f.first = elements[a];
    if (!f.is_angular()) result.push_back(f);
    for (std::size_t b = a; f.is_angular() && b < elements.size(); ++b) {
      f.second = elements[b];
      result.push_back(f);
    }
  }
  return result;
}

}  // namespace

SymmetryFunctions::SymmetryFunctions(const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& elements)
    : parameters_(parameters),
      species_(species),
      elements_(elements),
      cutoff_(parameters.real("cutoff")),
      cutoff_function_(parameters.text("cutoff_function"), parameters.real("cutoff_alpha")),
      scaling_(static_cast<Scaling>(scaling_index(parameters.text("scaling")))),
      sphere_(parameters.real("sphere")) {
  if (species_.size() != 1) throw InputError("symmetry_functions: species must be the element of the centre");
  if (!(parameters.real("scale_min") < parameters.real("scale_max")))
    throw InputError(fmt::format("symmetry_functions: scale_min = {} is not below scale_max = {}", parameters.real("scale_min"),
                                 parameters.real("scale_max")));
  if (parameters.real("first_radius") >= cutoff_) throw InputError("symmetry_functions: first_radius is not below the cutoff");
  if (is_automatic()) return;
  const std::string list = parameters.text("functions");
  if (list.empty())
    throw InputError(
        "symmetry_functions: 'functions' is empty, expected \"auto\", the name of another set, or a list such as "
        "[\"G2 Si eta=0.1\"]");
  const bool begins_as_entry = list.starts_with("G") || list.starts_with("wG");
  if (list.find_first_of(" \t\n") == std::string::npos && !begins_as_entry)
    throw InputError(fmt::format("symmetry_functions: functions is '{}'{}; or a list such as [\"G2 Si eta=0.1\"]", list,
                                 suggestion(list, SymmetrySets::names())));
  listed_ = read_symmetry_functions(list, cutoff_);
  if (listed_.empty()) throw InputError("symmetry_functions: the list 'functions' is empty");
  for (const ListedFunction& entry : listed_)
    if (entry.function.cutoff > cutoff_)
      throw InputError(fmt::format("symmetry_functions: entry {} of 'functions' has the cutoff {} Å, more than the cutoff {} Å of the term",
                                   entry.entry, entry.function.cutoff, cutoff_));
}

std::string SymmetryFunctions::without_derivatives() const {
  if (cutoff_function_.is_continuous()) return {};
  return "symmetry_functions: cutoff_function = \"hard\" gives energies only: they jump where an atom crosses the cutoff";
}

bool SymmetryFunctions::is_automatic() const {
  return is_name_of_set(parameters_.text("functions"));
}

int SymmetryFunctions::size() const {
  const int on_sphere = sphere_ > 0 ? 1 : 0;
  if (set_) return static_cast<int>(set_->functions.size()) + on_sphere;
  const auto all = static_cast<std::int64_t>(candidates(0).size()), asked = parameters_.integer("n_select");
  return static_cast<int>(asked > 0 ? std::min(all, asked) : all) + on_sphere;
}

double SymmetryFunctions::usual_square() const {
  if (sphere_ > 0) return 1;
  if (!set_) return size();
  const Matrix& statistics = set_->statistics;
  const Vector distance = statistics.col(mean_value) - scale_.offset, spread = statistics.col(std_of_values);
  const double square = ((distance.cwiseAbs2() + spread.cwiseAbs2()).cwiseProduct(scale_.factor.cwiseAbs2())).sum();
  return square > 0 ? square : size();
}

std::vector<SymmetryFunction> SymmetryFunctions::candidates(double shortest_distance) const {
  if (is_automatic()) {
    const double given = parameters_.real("first_radius");
    double first = given > 0 ? given : shortest_distance;
    if (!(first > 0 && first < cutoff_)) first = 0.5 * cutoff_;  // no atoms are that close
    const SymmetrySets sets{.name = parameters_.text("functions"),
                            .radial = static_cast<int>(parameters_.integer("n_radial")),
                            .weighted = parameters_.boolean("weighted"),
                            .first = first,
                            .cutoff = cutoff_};
    return sets.functions(elements_);
  }
  std::vector<SymmetryFunction> result;
  std::vector<int> entries;
  for (const ListedFunction& listed : listed_) {
    if (listed.centre != 0 && listed.centre != species_.front()) continue;
    for (const SymmetryFunction& f : instances(listed, elements_)) {
      const auto found = std::find(result.begin(), result.end(), f);
      if (found != result.end())
        throw InputError(fmt::format("symmetry_functions: entries {} and {} of 'functions' are the same function of {}: {}",
                                     entries[static_cast<std::size_t>(found - result.begin())], listed.entry,
                                     element_symbol(species_.front()), f.text()));
      result.push_back(f);
      entries.push_back(listed.entry);
    }
  }
  return result;
}

std::vector<int> SymmetryFunctions::named_elements() const {
  std::set<int> named;
  for (const ListedFunction& listed : listed_)
    for (const int z : {listed.centre, listed.function.first, listed.function.second})
      if (z != 0) named.insert(z);
  return {named.begin(), named.end()};
}

FunctionScaling SymmetryFunctions::scaling(const Matrix& statistics) const {
  const Eigen::Index count = statistics.rows();
  const Vector lowest = statistics.col(smallest_value), mean = statistics.col(mean_value);
  const Vector range = statistics.col(largest_value) - lowest, std = statistics.col(std_of_values);
  const auto inverse = [](const Vector& v) { return Vector((v.array() > 0).select(v.cwiseInverse(), 0.0)); };
  switch (scaling_) {
    case Scaling::none:
      return {Vector::Zero(count), Vector::Ones(count)};
    case Scaling::centre:
      return {mean, Vector::Ones(count)};
    case Scaling::range_centred:
      return {mean, inverse(range)};
    case Scaling::sigma:
      return {mean, inverse(std)};
    case Scaling::range:
      break;
  }
  // S_min + (S_max − S_min) (G − G_min)/range, as (G − offset) factor
  const double low = parameters_.real("scale_min"), high = parameters_.real("scale_max");
  return {lowest - low / (high - low) * range, (high - low) * inverse(range)};
}

std::shared_ptr<const Descriptor> SymmetryFunctions::unscaled(std::vector<SymmetryFunction> functions) const {
  auto result = std::make_shared<SymmetryFunctions>(parameters_, species_, elements_);
  const auto count = static_cast<Eigen::Index>(functions.size());
  result->scaling_ = Scaling::none;
  result->sphere_ = 0;
  result->set_functions({std::move(functions), Matrix::Zero(count, 4)});
  return result;
}

std::shared_ptr<const Descriptor> SymmetryFunctions::with_functions(FunctionSet set) const {
  auto result = std::make_shared<SymmetryFunctions>(parameters_, species_, elements_);
  result->set_functions(std::move(set));
  return result;
}

void SymmetryFunctions::set_functions(FunctionSet set) {
  const auto count = static_cast<Eigen::Index>(set.functions.size());
  if (count == 0 || set.statistics.rows() != count || set.statistics.cols() != 4 || !set.statistics.allFinite())
    throw InputError("symmetry_functions: the statistics of the functions are not finite, or not four numbers for each function");
  for (const SymmetryFunction& f : set.functions)
    if (!(f.eta >= 0 && std::isfinite(f.eta) && f.cutoff > 0 && f.cutoff <= cutoff_ && f.shift >= 0 && f.shift <= f.cutoff && f.zeta >= 1 &&
          std::isfinite(f.zeta) && std::abs(f.lambda) == 1 && (f.is_angular() ? f.first <= f.second : f.second == 0)))
      throw InputError("symmetry_functions: a function has parameters that are not allowed: " + f.text());
  scale_ = scaling(set.statistics);
  for (Eigen::Index i = 0; i < count; ++i)
    if (!(scale_.factor[i] > 0 && std::isfinite(scale_.factor[i])))
      throw InputError(fmt::format("symmetry_functions: {} has one value in the training data, so it cannot be scaled by \"{}\"",
                                   set.functions[static_cast<std::size_t>(i)].text(), scaling_names[static_cast<std::size_t>(scaling_)]));
  plan_ = SymmetryPlan(set.functions, elements_);
  set_ = std::make_shared<const FunctionSet>(std::move(set));
}

DescriptorKind symmetry_functions_kind() {
  using Type = ParameterInfo::Type;
  const auto text = [](std::string name, std::string description, std::string value) {
    return ParameterInfo{
        .name = std::move(name), .type = Type::text, .description = std::move(description), .default_value = std::move(value)};
  };
  return {
      .name = "symmetry_functions",
      .description = "symmetry functions of Behler and Parrinello: sums of Gaussians of distances and of powers of cosines",
      .parameters =
          {{.name = "cutoff",
            .type = Type::real,
            .unit = "Å",
            .description = "distance beyond which neighbours are ignored",
            .smallest = 0,
            .excludes_smallest = true},
           text("functions",
                "a list of functions, or an automatic set: auto, gastegger_centred, gastegger_shifted, imbalzano_centred, "
                "imbalzano_shifted",
                "auto"),
           {.name = "n_radial",
            .type = Type::integer,
            .description = "functions of each radial set of an automatic set, per element",
            .default_value = std::int64_t{8},
            .smallest = 2,
            .largest = 64},
           {.name = "weighted",
            .type = Type::boolean,
            .description = "an automatic set has functions of all elements, weighted by atomic numbers, instead of some for each element",
            .default_value = false},
           {.name = "first_radius",
            .type = Type::real,
            .unit = "Å",
            .description = "distance at which the radii of automatic sets begin; 0: the shortest distance in the training data",
            .default_value = 0.0,
            .smallest = 0},
           {.name = "n_select",
            .type = Type::integer,
            .description = "functions to select from the list or set, per centre element, by pivoted Cholesky; 0: all",
            .default_value = std::int64_t{0},
            .smallest = 0,
            .largest = 10000},
           {.name = "least_range",
            .type = Type::real,
            .description = "functions whose values differ by less than this in the training data are dropped",
            .default_value = 0.01,
            .smallest = 0},
           text("cutoff_function", "hard, cos, tanhu, tanh, exp, poly1, poly2, poly3 or poly4", "poly2"),
           {.name = "cutoff_alpha",
            .type = Type::real,
            .description = "share of the cutoff up to which the cutoff function is 1",
            .default_value = 0.0,
            .smallest = 0,
            .largest = 1},
           text("scaling", "none, centre, range, range_centred or sigma, by statistics of the training data", "sigma"),
           {.name = "scale_min", .type = Type::real, .description = "smallest scaled value, for scaling = \"range\"", .default_value = 0.0},
           {.name = "scale_max", .type = Type::real, .description = "largest scaled value, for scaling = \"range\"", .default_value = 1.0},
           {.name = "sphere",
            .type = Type::real,
            .description = "w of one more feature w √D, with which the D features are normalised; 0: none",
            .default_value = 0.0,
            .smallest = 0}},
      .combinations =
          [](std::span<const int> elements) {
            std::vector<std::vector<int>> result;
            for (const int z : elements) result.push_back({z});
            return result;
          },
      .make = [](const Parameters& p, const std::vector<int>& species,
                 const std::vector<int>& elements) { return std::make_shared<const SymmetryFunctions>(p, species, elements); },
      .usual_length_scale = 4};
}

}  // namespace gapkit
