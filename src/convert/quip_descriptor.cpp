#include "convert/quip_descriptor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {
namespace {

using Type = ParameterInfo::Type;

/// An option that becomes a parameter of gapkit's descriptor.
struct Translated {
  const char* key;
  const char* parameter;
  Type type;
  const char* default_value;  // QUIP's; null: required
};

/// An option for which gapkit supports one value only.
struct Fixed {
  const char* key;
  const char* value;
  const char* meaning;
};

struct Kind {
  const char* quip_name;
  const char* name;
  std::vector<Translated> translated;
  std::vector<Fixed> fixed;
  std::vector<const char*> species;  // keys of the combination, the centre first
};

const std::vector<Kind>& kinds() {
  static const std::vector<Fixed> pair_fixed = {
      {"n_exponents", "1", "gapkit's feature is the distance itself"},
      {"exponents", "1", "gapkit's feature is the distance itself"},
      {"tail_exponent", "0", "gapkit has no tail correction"},
      {"tail_range", "1", "gapkit has no tail correction"},
      {"resid_name", "", "gapkit knows no residues"},
      {"only_intra", "F", "gapkit knows no residues"},
      {"only_inter", "F", "gapkit knows no residues"},
  };
  static const std::vector<Kind> table = {
      {"distance_2b",
       "two_body",
       {{"cutoff", "cutoff", Type::real, nullptr}, {"cutoff_transition_width", "cutoff_width", Type::real, "0.5"}},
       pair_fixed,
       {"Z1", "Z2"}},
      {"distance_Nb",
       "two_body",
       {{"cutoff", "cutoff", Type::real, nullptr}, {"cutoff_transition_width", "cutoff_width", Type::real, "0.5"}},
       {},
       {"Z"}},
      {"angle_3b",
       "three_body",
       {{"cutoff", "cutoff", Type::real, nullptr}, {"cutoff_transition_width", "cutoff_width", Type::real, "0.5"}},
       {},
       {"Z", "Z1", "Z2"}},
      {"soap",
       "soap",
       {{"cutoff", "cutoff", Type::real, nullptr},
        {"cutoff_transition_width", "cutoff_width", Type::real, "0.5"},
        {"n_max", "n_max", Type::integer, nullptr},
        {"l_max", "l_max", Type::integer, nullptr},
        {"atom_sigma", "atom_sigma", Type::real, nullptr},
        {"central_weight", "central_weight", Type::real, "1"},
        {"central_reference_all_species", "central_reference_all_species", Type::boolean, "F"}},
       {{"normalise", "T", "gapkit's SOAP is always normalised"},
        {"average", "F", "gapkit has one SOAP per atom"},
        {"diagonal_radial", "F", "gapkit takes all pairs of radial functions"},
        {"covariance_sigma0", "0", "gapkit's dot product has no constant"},
        {"cutoff_dexp", "0", "gapkit's neighbour density has no radial scaling"},
        {"cutoff_scale", "1", "gapkit's neighbour density has no radial scaling"},
        {"cutoff_rate", "1", "gapkit's neighbour density has no radial scaling"},
        {"radial_scaling", "0", "gapkit's neighbour density has no radial scaling"},
        {"n_Z", "1", "gapkit has one SOAP per central element"},
        {"basis_error_exponent", "10", "gapkit's radial basis has exponent 10"},
        {"radial_basis", "equispaced_gauss", "gapkit has equispaced Gaussians only"},
        {"nu_R", "2", "gapkit has the full power spectrum only"},
        {"nu_S", "2", "gapkit has the full power spectrum only"},
        {"Z_mix", "F", "gapkit has the full power spectrum only"},
        {"R_mix", "F", "gapkit has the full power spectrum only"},
        {"sym_mix", "F", "gapkit has the full power spectrum only"},
        {"coupling", "T", "gapkit has the full power spectrum only"}},
       {"Z"}},
  };
  return table;
}

/// Options of the fit in a descriptor string; the rest of the code uses the first name of a row.
const std::vector<std::vector<const char*>> fit_option_names = {
    {"delta", "energy_scale"},
    {"f0"},
    {"n_sparse"},
    {"config_type_n_sparse"},
    {"sparse_method"},
    {"theta_fac", "lengthscale_factor"},
    {"theta_uniform", "lengthscale_uniform"},
    {"theta_file", "lengthscale_file"},
    {"theta"},
    {"sparse_file"},
    {"mark_sparse_atoms"},
    {"add_species"},
    {"covariance_type"},
    {"zeta", "soap_exponent"},
    {"print_sparse_index"},
    {"unique_hash_tolerance"},
    {"unique_descriptor_tolerance"},
};

/// The first name of the row that holds `key`; empty if no row does.
std::string fit_option_name(const std::string& key) {
  for (const auto& row : fit_option_names)
    for (const char* name : row)
      if (key == name) return row.front();
  return "";
}

bool same_value(const std::optional<std::string>& given, const char* expected) {
  if (const auto number = quip_number(expected)) return given && quip_number(*given) == number;
  if (const auto logical = quip_logical(std::string(expected))) return quip_logical(given) == logical;
  const std::string word = lower_case(trimmed(given.value_or("")));
  return word == expected || (std::string(expected) == "equispaced_gauss" && word == "equispaced_gaussian");
}

class Reader {
 public:
  Reader(const Kind& kind, QuipDescriptor& out) : kind_(kind), out_(out) {}

  void take(const QuipOption& option) {
    const std::string key = option.key == "atom_gaussian_width" ? "atom_sigma" : option.key == "Z_center" ? "Z" : option.key;
    if (take_translated(key, option) || take_cluster(key, option) || take_species(key, option) || take_fixed(key, option)) return;
    if (key == "xml_version") {
      out_.gap_version = quip_integer(option.value.value_or(""));
      if (!out_.gap_version) problem(option, "expected an integer");
    } else if (const std::string name = fit_option_name(key); !name.empty()) {
      out_.fit_options.push_back({name, option.value});
    } else {
      problem(option, "an option that gapkit does not know" + nearest_option(key));
    }
  }

  void finish() {
    if (is_cluster() && !has_order_) {
      out_.problems.push_back(fmt::format("{} is not of order=2; gapkit has it for pairs only", kind_.quip_name));
      out_.is_complete = false;
    }
    out_.counts_pairs_once = is_cluster() && !is_compact_;
    if (has_compact_) out_.given.push_back("compact_clusters");
    for (const Translated& t : kind_.translated) {
      if (out_.parameters.has(t.parameter)) continue;
      out_.is_complete = out_.is_complete && t.default_value != nullptr;
      if (t.default_value == nullptr)
        out_.problems.push_back(fmt::format("{} has no {}", kind_.quip_name, t.key));
      else
        set(t, {t.key, t.default_value});
    }
    std::sort(out_.species.begin(), out_.species.end());  // of distance_Nb
    if (species_.empty()) return;
    for (const char* key : kind_.species)
      if (species_.count(key))
        out_.species.push_back(species_.at(key));
      else
        out_.problems.push_back(fmt::format("{} has no {}", kind_.quip_name, key));
    // gapkit's order
    if (out_.species.size() == kind_.species.size()) out_.species = find_combination(descriptor_kind(kind_.name), out_.species);
  }

 private:
  void problem(const QuipOption& option, const std::string& reason) {
    out_.problems.push_back(fmt::format("{}: {}", option_text(option), reason));
  }

  /// "; did you mean 'x'?" for a key that is similar to an option's; else empty.
  std::string nearest_option(const std::string& key) const {
    std::vector<std::string> known(kind_.species.begin(), kind_.species.end());
    for (const Translated& t : kind_.translated) known.push_back(t.key);
    for (const Fixed& f : kind_.fixed) known.push_back(f.key);
    for (const auto& row : fit_option_names) known.insert(known.end(), row.begin(), row.end());
    const std::string nearest = nearest_name(key, known);
    return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
  }

  void set(const Translated& t, const QuipOption& option) {
    const std::string text = option.value.value_or("T");
    if (t.type == Type::boolean) {
      if (const auto value = quip_logical(text)) return out_.parameters.set(t.parameter, *value);
    } else if (t.type == Type::integer) {
      if (const auto value = quip_integer(text)) return out_.parameters.set(t.parameter, std::int64_t{*value});
    } else if (const auto value = quip_number(text)) {
      return out_.parameters.set(t.parameter, *value);
    }
    problem(option, fmt::format("expected {}", t.type == Type::boolean ? "T or F" : t.type == Type::integer ? "an integer" : "a number"));
  }

  bool is_cluster() const { return std::string(kind_.quip_name) == "distance_Nb"; }

  bool take_cluster(const std::string& key, const QuipOption& option) {
    if (!is_cluster()) return false;
    if (key == "order") {
      has_order_ = quip_integer(option.value.value_or("")) == 2;
    } else if (key == "compact_clusters") {
      const auto value = quip_logical(option.value);
      if (!value) problem(option, "expected T or F");
      is_compact_ = value.value_or(true);
      has_compact_ = true;
    } else if (key == "Z") {
      const auto words = quip_list(option.value.value_or(""));
      for (const std::string& word : words) out_.species.push_back(element(option, word));
      if (words.size() != 2) problem(option, "expected two atomic numbers");
    } else {
      return false;
    }
    return true;
  }

  bool take_translated(const std::string& key, const QuipOption& option) {
    for (const Translated& t : kind_.translated)
      if (key == t.key) {
        out_.given.push_back(t.parameter);
        set(t, option);
        return true;
      }
    return false;
  }

  bool take_fixed(const std::string& key, const QuipOption& option) {
    for (const Fixed& f : kind_.fixed)
      if (key == f.key) {
        if (!same_value(option.value, f.value)) problem(option, f.meaning);
        return true;
      }
    return false;
  }

  bool take_species(const std::string& key, const QuipOption& option) {
    const bool is_soap = std::string(kind_.quip_name) == "soap";
    if (is_soap && key == "n_species") return true;  // species_Z says it
    if (is_soap && key == "species_Z") {
      for (const std::string& word : quip_list(option.value.value_or(""))) {
        const int z = element(option, word);
        if (std::find(out_.neighbor_species.begin(), out_.neighbor_species.end(), z) != out_.neighbor_species.end())
          problem(option, "an element occurs twice");
        else if (z > 0)
          out_.neighbor_species.push_back(z);
      }
      return true;
    }
    for (const char* name : kind_.species)
      if (key == name) {
        const auto words = quip_list(option.value.value_or(""));
        if (words.size() == 1 && quip_integer(words[0]) == 0) return true;  // the wild card: same as absent
        if (words.size() != 1)
          problem(option, "expected one atomic number");
        else if (const int z = element(option, words[0]); z > 0)
          species_[key] = z;
        return true;
      }
    return false;
  }

  int element(const QuipOption& option, const std::string& word) {
    const int z = quip_integer(word).value_or(0);
    if (z >= 1 && z <= largest_atomic_number) return z;
    problem(option, fmt::format("'{}' is not an atomic number from 1 to {}", word, largest_atomic_number));
    return 0;
  }

  const Kind& kind_;
  QuipDescriptor& out_;
  std::map<std::string, int> species_;
  bool has_order_ = false, has_compact_ = false, is_compact_ = true;
};

/// Gapkit's checks of ranges, and of parameters against each other.
void complete(QuipDescriptor& descriptor) {
  const auto& table = descriptor_kinds();
  const auto found = std::find_if(table.begin(), table.end(), [&](const DescriptorKind& k) { return k.name == descriptor.name; });
  if (found == table.end()) {
    descriptor.problems.push_back(fmt::format("the descriptor {} is not available in this version", descriptor.quip_name));
    return;
  }
  if (!descriptor.problems.empty()) return;
  try {
    descriptor.parameters = complete_stored_parameters(descriptor.parameters, found->parameters, descriptor.quip_name);
  } catch (const InputError& error) {
    descriptor.problems.push_back(error.what());
  }
}

}  // namespace

const QuipOption* QuipDescriptor::find_fit_option(std::string_view key) const {
  for (const QuipOption& option : fit_options)
    if (option.key == key) return &option;
  return nullptr;
}

void apply_gap_version(QuipDescriptor& descriptor, int version) {
  const auto is_given = [&](const char* key) {
    return std::find(descriptor.given.begin(), descriptor.given.end(), key) != descriptor.given.end();
  };
  if (descriptor.quip_name == "distance_Nb" && version < gap_version_of_compact_clusters && !is_given("compact_clusters"))
    descriptor.counts_pairs_once = true;
  if (descriptor.name != "soap" || version >= gap_version_of_own_channel) return;
  const char* key = "central_reference_all_species";
  if (is_given(key) && !descriptor.parameters.boolean(key))
    descriptor.problems.push_back(fmt::format(
        "{}=F does not go with a version below {} (found {}), whose SOAP has the centre's density in the channels of all elements", key,
        gap_version_of_own_channel, version));
  descriptor.parameters.set(key, true);
  descriptor.parameters.set("undivided_spectrum", version < gap_version_of_divided_spectrum);
}

std::string option_text(const QuipOption& option) {
  if (!option.value) return option.key;
  const bool needs_braces = option.value->find_first_of(" \t\n") != std::string::npos;
  return needs_braces ? fmt::format("{}={{{}}}", option.key, *option.value) : fmt::format("{}={}", option.key, *option.value);
}

QuipDescriptor read_quip_descriptor(std::string_view text, const std::string& where) {
  const std::vector<QuipOption> options = parse_quip_options(text, where);
  QuipDescriptor descriptor;
  // "soap", or "soap=T" as wrappers write that make key=value of every option.
  if (options.empty() || (options.front().value && quip_logical(options.front().value) != true))
    throw InputError(fmt::format("{}: '{}' does not begin with the name of a descriptor", where, trimmed(text).substr(0, 60)));
  descriptor.quip_name = options.front().key;
  for (const Kind& kind : kinds()) {
    if (descriptor.quip_name != kind.quip_name) continue;
    descriptor.name = kind.name;
    Reader reader(kind, descriptor);
    for (std::size_t i = 1; i < options.size(); ++i) reader.take(options[i]);
    reader.finish();
    complete(descriptor);
    return descriptor;
  }
  std::string known;
  for (const Kind& kind : kinds()) known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.quip_name);
  descriptor.problems.push_back(
      fmt::format("the descriptor {} is none of those that gapkit has ({}); its conventions have not been verified "
                  "against QUIP",
                  descriptor.quip_name, known));
  return descriptor;
}

}  // namespace gapkit
