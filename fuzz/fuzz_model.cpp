// Any bytes as a model file: load_model may throw only InputError; a loaded model predicts or throws NumericalError. An input that begins
// like HDF5 is the file itself. Checksums of HDF5 and of the archive protect nearly all bytes of such a file, so every other input is a
// list of edits to the entries of a good model, which is written with a correct checksum.

#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>
#include <variant>

#include "fuzz.hpp"

using namespace gapkit;
using namespace gapkit::fuzz;

namespace {

using Entry =
    std::variant<double, std::int64_t, std::string, std::vector<double>, std::vector<std::int64_t>, std::vector<std::string>, Matrix>;
using Entries = std::map<std::string, Entry>;

Term make_term(const std::string& descriptor, const Parameters& descriptor_parameters, const std::string& kernel,
               const Parameters& kernel_parameters, const std::vector<int>& species, int points) {
  Term term;
  term.name = term.descriptor_name = descriptor;
  term.kernel_name = kernel;
  term.species = species;
  term.elements = {6, 14};
  const auto& descriptors = descriptor_kind(descriptor);
  const auto& kernels = kernel_kind(kernel);
  term.descriptor = descriptors.make(complete_parameters(descriptor_parameters, descriptors.parameters, "fuzz"), species, term.elements);
  term.kernel = kernels.make(complete_parameters(kernel_parameters, kernels.parameters, "fuzz"));
  term.sparse.x.resize(points, term.descriptor->size());
  for (Eigen::Index i = 0; i < term.sparse.x.rows(); ++i)
    for (Eigen::Index j = 0; j < term.sparse.x.cols(); ++j) term.sparse.x(i, j) = 1.5 + std::sin(7.0 * static_cast<double>(i + 3 * j));
  term.sparse.cutoff = Vector::Constant(points, 0.5);
  for (int i = 0; i < points; ++i) term.sparse.origin.push_back({i, 0, 0});
  return term;
}

/// A pair term and a SOAP term with few points. The weights are arbitrary.
Model small_model() {
  Model model;
  model.reference_energies = {{6, -1.5}, {14, -2.5}};
  model.terms.push_back(
      make_term("two_body", {{"cutoff", 4.0}, {"cutoff_width", 1.0}}, "squared_exponential", {{"length_scale", 0.7}}, {6, 14}, 2));
  model.terms.push_back(make_term(
      "soap", {{"cutoff", 3.5}, {"cutoff_width", 0.5}, {"n_max", std::int64_t{1}}, {"l_max", std::int64_t{1}}, {"atom_sigma", 0.5}},
      "dot_product", {{"zeta", 2.0}}, {14}, 2));
  model.factor = SparseFactor::of(model.terms, {1e-8, 1e-8});
  const Eigen::Index size = model.factor.size();
  model.posterior.mean = Vector::LinSpaced(size, -1, 1);
  model.posterior.factor = 2 * Matrix::Identity(size, size);
  model.posterior.scale = {1, 1};
  model.posterior.groups = {{Property::energy, "default", false, 0.01}, {Property::force, "liquid", true, 1}};
  model.weights = kernel_weights(model.factor, model.posterior);
  model.configuration = "[data]\n";
  model.data_fingerprint = "0123456789abcdef";
  model.notes = {{"training_errors", "{}"}};
  return model;
}

/// The entries of docs/file-formats.md.
Entries entries_of(const std::filesystem::path& path) {
  const ArchiveReader archive(path, "gapkit-model", model_format_version);
  Entries entries;
  const auto text = [&](const std::string& name) { entries[name] = archive.string(name); };
  const auto texts = [&](const std::string& name) { entries[name] = archive.strings(name); };
  const auto number = [&](const std::string& name) { entries[name] = archive.number(name); };
  const auto numbers = [&](const std::string& name) { entries[name] = archive.doubles(name); };
  const auto integer = [&](const std::string& name) { entries[name] = archive.integer(name); };
  const auto integers = [&](const std::string& name) { entries[name] = archive.integers(name); };
  for (const char* name : {"gapkit_version", "units", "configuration", "data_fingerprint"}) text(name);
  for (const char* name : {"seed", "scale_with_atoms", "term_count"}) integer(name);
  integers("elements");
  numbers("reference_energies");
  for (const std::string at : {"terms/0/", "terms/1/"}) {
    for (const char* name : {"name", "descriptor", "descriptor_parameters", "kernel", "kernel_parameters"}) text(at + name);
    for (const char* name : {"species", "elements", "sparse_origins"}) integers(at + name);
    for (const char* name : {"delta", "jitter"}) number(at + name);
    for (const char* name : {"sparse_cutoffs", "factor"}) numbers(at + name);
    entries[at + "sparse_features"] = archive.matrix(at + "sparse_features");
  }
  for (const char* name : {"posterior/mean", "posterior/factor", "posterior/scale", "posterior/group_sigma", "weights"}) numbers(name);
  number("posterior/log_evidence");
  for (const char* name : {"posterior/group_property", "posterior/group_fixed"}) integers(name);
  for (const char* name : {"posterior/group_class", "note_names", "note_texts"}) texts(name);
  return entries;
}

void write_archive(const std::filesystem::path& path, const Entries& entries) {
  ArchiveWriter archive(path, "gapkit-model", model_format_version);
  for (const auto& [name, entry] : entries)
    std::visit(
        [&archive, &name = name](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::vector<double>>)
            archive.put(name, std::span<const double>(value));
          else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
            archive.put(name, std::span<const std::int64_t>(value));
          else if constexpr (std::is_same_v<T, std::vector<std::string>>)
            archive.put(name, std::span<const std::string>(value));
          else if constexpr (std::is_same_v<T, Matrix>)
            archive.put(name, MatrixView(value));
          else
            archive.put(name, value);
        },
        entry);
  archive.commit();
}

std::string some_text(FuzzedDataProvider& input) {
  std::string text = input.ConsumeRandomLengthString(200);
  std::erase(text, '\0');  // ArchiveWriter refuses it
  return text;
}
double some_number(FuzzedDataProvider& input) {
  return input.ConsumeBool() ? input.ConsumeFloatingPoint<double>() : input.ConsumeIntegral<std::int8_t>() / 8.0;
}
std::int64_t some_integer(FuzzedDataProvider& input) {
  return input.ConsumeBool() ? input.ConsumeIntegral<std::int64_t>() : input.ConsumeIntegral<std::int8_t>();
}

void change_value(FuzzedDataProvider& input, double& value) {
  value = some_number(input);
}
void change_value(FuzzedDataProvider& input, std::int64_t& value) {
  value = some_integer(input);
}
void change_value(FuzzedDataProvider& input, std::string& value) {
  const std::size_t at = input.ConsumeIntegralInRange<std::size_t>(0, value.size());
  const std::size_t length = input.ConsumeIntegralInRange<std::size_t>(0, value.size() - at);
  value.replace(at, length, some_text(input));
}
template <class T>
void change_value(FuzzedDataProvider& input, std::vector<T>& value) {
  if (input.ConsumeBool() || value.empty())
    value.resize(input.ConsumeIntegralInRange<std::size_t>(0, 12));
  else
    change_value(input, value[input.ConsumeIntegralInRange<std::size_t>(0, value.size() - 1)]);
}
void change_value(FuzzedDataProvider& input, Matrix& value) {
  if (input.ConsumeBool() || value.size() == 0)
    value.conservativeResizeLike(Matrix::Ones(input.ConsumeIntegralInRange<int>(0, 12), input.ConsumeIntegralInRange<int>(0, 12)));
  else
    value.data()[input.ConsumeIntegralInRange<Eigen::Index>(0, value.size() - 1)] = some_number(input);
}

Entry some_entry(FuzzedDataProvider& input) {
  switch (input.ConsumeIntegralInRange(0, 6)) {
    case 0:
      return some_number(input);
    case 1:
      return some_integer(input);
    case 2:
      return some_text(input);
    case 3:
      return std::vector<double>(input.ConsumeIntegralInRange<std::size_t>(0, 12), some_number(input));
    case 4:
      return std::vector<std::int64_t>(input.ConsumeIntegralInRange<std::size_t>(0, 12), some_integer(input));
    case 5:
      return std::vector<std::string>(input.ConsumeIntegralInRange<std::size_t>(0, 12), some_text(input));
    default:
      return Matrix::Constant(input.ConsumeIntegralInRange(0, 12), input.ConsumeIntegralInRange(0, 12), some_number(input)).eval();
  }
}

Entries edited(Entries entries, FuzzedDataProvider& input) {
  while (input.remaining_bytes() > 0 && !entries.empty()) {
    const auto entry =
        std::next(entries.begin(), input.ConsumeIntegralInRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(entries.size()) - 1));
    switch (input.ConsumeIntegralInRange(0, 7)) {
      case 0:
        entries.erase(entry);
        break;
      case 1:
        entry->second = some_entry(input);
        break;
      default:
        std::visit([&](auto& value) { change_value(input, value); }, entry->second);
    }
  }
  return entries;
}

struct Base {
  Base() {
    set_thread_count(1);
    const auto path = folder.path() / "base";
    save_model(small_model(), path);
    entries = entries_of(path);
    write_archive(path, entries);
    load_model(path);  // an edit without effect leaves a model
  }
  ScratchFolder folder;
  Entries entries;
};

Structure structure_for(const Model& model) {
  Structure structure;
  for (const auto& [z, energy] : model.reference_energies) structure.atomic_numbers.insert(structure.atomic_numbers.end(), {z, z});
  if (structure.atomic_numbers.size() > 8) structure.atomic_numbers.resize(8);
  structure.positions.resize(structure.size(), 3);
  for (int i = 0; i < structure.size(); ++i) structure.positions.row(i) << 1.7 * i, 0.3 * (i % 3), 0.1 * i * i;
  return structure;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Base base;
  auto path = base.folder.path() / "model";
  if (as_text(data, size).starts_with("\x89HDF")) {
    path = base.folder.write("raw", as_text(data, size));
  } else {
    FuzzedDataProvider input(data, size);
    write_archive(path, edited(base.entries, input));
  }
  std::shared_ptr<const Model> model;
  try {
    model = std::make_shared<const Model>(load_model(path));
  } catch (const InputError&) {
    return 0;
  }
  const Structure structure = structure_for(*model);
  if (structure.size() == 0) return 0;
  try {
    Predictor(model).compute(structure, {.forces = true, .energy_std = true, .local_std = true});
  } catch (const InputError&) {
  } catch (const NumericalError&) {
  }
  return 0;
}
