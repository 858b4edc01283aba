#pragma once

#include <map>
#include <string>
#include <vector>

/// Arguments of gap_fit without counterpart in a configuration, and other names of arguments.
namespace gapkit {

/// Other names of arguments → the name in the rest of the code.
inline const std::map<std::string, std::string> gap_fit_aliases = {
    {"atoms_filename", "at_file"},
    {"default_kernel_regularisation", "default_sigma"},
    {"config_type_kernel_regularisation", "config_type_sigma"},
    {"kernel_regularisation_is_per_atom", "sigma_per_atom"},
    {"kernel_regularisation_parameter_name", "sigma_parameter_name"},
    {"default_kernel_regularisation_local_property", "default_local_property_sigma"},
    {"hessian_displacement", "hessian_delta"},
    {"baseline_param_filename", "core_param_file"},
    {"baseline_ip_args", "core_ip_args"},
    {"gap_file", "gp_file"},
    {"do_copy_atoms_file", "do_copy_at_file"},
};

/// Arguments with a counterpart.
inline const std::vector<std::string> gap_fit_translated = {"at_file",
                                                            "config_file",
                                                            "gap",
                                                            "default_sigma",
                                                            "config_type_sigma",
                                                            "sigma_per_atom",
                                                            "e0",
                                                            "e0_method",
                                                            "e0_offset",
                                                            "sparse_jitter",
                                                            "gp_file",
                                                            "rnd_seed",
                                                            "core_ip_args",
                                                            "parameter_name_prefix",
                                                            "energy_parameter_name",
                                                            "force_parameter_name",
                                                            "virial_parameter_name",
                                                            "stress_parameter_name",
                                                            "hessian_parameter_name",
                                                            "local_property_parameter_name",
                                                            "config_type_parameter_name",
                                                            "force_mask_parameter_name",
                                                            "sigma_parameter_name"};

/// Arguments without effect on the fitted potential.
inline const std::map<std::string, std::string> gap_fit_without_effect = {
    {"do_copy_at_file", "of the XML; the model of gapkit (.h5) never holds the data"},
    {"sparse_separate_file", "of the XML; the model of gapkit (.h5) is one file"},
    {"verbosity", "without effect on the fit"},
    {"openmp_chunk_size", "without effect on the fit"},
    {"mpi_blocksize_rows", "without effect on the fit"},
    {"mpi_blocksize_cols", "without effect on the fit"},
    {"mpi_print_all", "without effect on the fit"},
    {"dryrun", "gap-fit has --dry-run"},
    {"do_ip_timing", "without effect on the fit"},
    {"linear_system_dump_file", "without effect on the fit"},
    {"condition_number_norm", "without effect on the fit; gap-fit reports the effective rank"},
    {"core_param_file", "without effect unless core_ip_args is given"},
    {"hessian_delta", "gapkit fits no Hessians"},
    {"local_property_mask_parameter_name", "gapkit fits no local properties"},
    {"export_covariance", "the model of gapkit (.h5) always holds the posterior"},
    {"default_local_property_sigma", "gapkit fits no local properties"},
    {"template_file", "only descriptors of molecules use it"},
};

/// Arguments that change the fit if they are not at this value.
struct GapFitOnlyAt {
  const char* value;
  const char* reason;
};
inline const std::map<std::string, GapFitOnlyAt> gap_fit_only_at = {
    {"sparsify_only_no_fit", {"F", "gap-fit always fits; --dry-run estimates time and memory"}},
    {"local_property0", {"", "gapkit fits no local properties, and gap_fit sets e0 to 0 with it"}},
    {"sparse_use_actual_gpcov", {"F", "gapkit's selections use the kernel itself"}},
};

}  // namespace gapkit
