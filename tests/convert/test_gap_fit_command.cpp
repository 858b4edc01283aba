// A gap_fit command line becomes a configuration that the reader accepts, and every argument is somewhere.

#include <gapkit/io/xml.hpp>

#include "convert/gap_fit_folder.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

TEST_CASE("everything that both programs have is translated") {
  const GapFitFolder data;
  const GapFitTranslation t = data.translate(
      "e0={Si:-1.5:C:-2.5} config_type_sigma={liquid:0.01:0.2:0.3:0.0:a b:1:2:3:0} sparse_jitter=1d-8 energy_parameter_name=dft_energy "
      "force_parameter_name=dft_forces virial_parameter_name=dft_virial config_type_parameter_name=kind force_mask_parameter_name=fixed "
      "sigma_per_atom=F rnd_seed=7 gp_file=out/potential.xml do_copy_at_file=F sparse_separate_file=T",
      "distance_2b cutoff=4.0 cutoff_transition_width=1.0 covariance_type=ard_se delta=2.0 theta_uniform=0.8 sparse_method=uniform "
      "n_sparse=12 "
      "Z1=14 Z2=6 : soap l_max=4 n_max=6 atom_sigma=0.6 zeta=2.5 cutoff=5.0 cutoff_transition_width=0.7 central_weight=0.9 delta=0.3 "
      "n_sparse=60 config_type_n_sparse={liquid:10:crystal:20} covariance_type=dot_product sparse_method=covariance");
  CHECK(t.unsupported.empty());
  const FitConfiguration o = data.read(t);
  CHECK(o.train.size() == 1);
  CHECK(o.keys.named("energy") == "dft_energy");
  CHECK(o.keys.named("forces") == "dft_forces");
  CHECK(o.keys.named("virial") == "dft_virial");
  CHECK(o.keys.config_type == "kind");
  CHECK(o.keys.force_mask == "fixed");
  CHECK(o.reference_energies.mode == ReferenceEnergyOptions::Mode::explicit_values);
  CHECK(o.reference_energies.values == std::map<std::string, double>{{"Si", -1.5}, {"C", -2.5}});
  CHECK(o.regularization.standard[Property::energy] == 0.002);
  CHECK(o.regularization.standard[Property::force] == 0.05);
  CHECK(o.regularization.standard[Property::virial] == 0.1);
  CHECK(!o.regularization.scale_with_atoms);
  REQUIRE(o.regularization.config_type.size() == 2);
  CHECK(o.regularization.config_type.at("liquid")[Property::force] == 0.2);
  CHECK(o.regularization.config_type.at("a b")[Property::virial] == 3);
  CHECK(o.jitter_absolute == 1e-8);
  CHECK(o.seed == 7);
  CHECK(o.model_path == "out/potential.h5");
  REQUIRE(o.terms.size() == 2);
  const TermOptions& pair = o.terms[0];
  CHECK(pair.descriptor == "two_body");
  CHECK(pair.species == std::vector<std::string>{"C-Si"});
  CHECK(pair.kernel == "squared_exponential");
  CHECK(pair.kernel_parameters.reals("length_scale") == std::vector<double>{0.8});
  CHECK(pair.delta == 2.0);
  CHECK(pair.n_sparse == 12);
  CHECK(pair.selection == "uniform");
  CHECK(pair.descriptor_parameters.real("cutoff_width") == 1.0);
  const TermOptions& many = o.terms[1];
  CHECK(many.descriptor == "soap");
  CHECK(many.species.empty());
  CHECK(many.descriptor_parameters.integer("n_max") == 6);
  CHECK(many.descriptor_parameters.integer("l_max") == 4);
  CHECK(many.descriptor_parameters.real("atom_sigma") == 0.6);
  CHECK(many.descriptor_parameters.real("cutoff_width") == 0.7);
  CHECK(many.descriptor_parameters.real("central_weight") == 0.9);
  CHECK(many.descriptor_parameters.integer("radial_weight") == 0);
  CHECK(many.kernel_parameters.real("zeta") == 2.5);
  CHECK(many.selection == "variance");
  CHECK(many.config_type_n_sparse == std::map<std::string, int>{{"liquid", 10}, {"crystal", 20}});
  CHECK(many.n_sparse == 0);  // config_type_n_sparse excludes it
}

TEST_CASE("defaults are gap_fit's, not gapkit's") {
  const GapFitFolder data;
  const FitConfiguration o = data.options("", "soap l_max=4 n_max=6 atom_sigma=0.5 cutoff=5.0 delta=0.3 n_sparse=60");
  CHECK(o.jitter_absolute == 1e-10);
  CHECK(o.keys.named("forces") == "force");
  CHECK(o.keys.named("energy") == "energy");
  CHECK(o.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated);
  CHECK(o.regularization.scale_with_atoms);
  CHECK(o.terms.at(0).selection == "random");
  CHECK(o.terms.at(0).kernel_parameters.real("zeta") == 1);
  CHECK(o.terms.at(0).descriptor_parameters.real("cutoff_width") == 0.5);
  CHECK(o.model_path == "gap_new.h5");
}

TEST_CASE("aliases, quotes, nested braces and line continuations mean the same") {
  const GapFitFolder data;
  const std::string plain = data.translate("config_type_sigma={liquid:0.01:0.2:0.3:0.0} sigma_per_atom=T gp_file=a.xml").toml;
  const std::string aliased =
      translate_gap_fit(
          "/opt/bin/gap_fit atoms_filename=train.xyz \\\n  \"gap={{ soap l_max=4 n_max=6 atom_gaussian_width=0.5 soap_exponent=4 "
          "cutoff=5.0 "
          "energy_scale=0.3 n_sparse=60 covariance_type=DOT_PRODUCT sparse_method=CUR_POINTS }}\" \\\n "
          "default_kernel_regularisation='0.002 0.05 0.1 0' config_type_kernel_regularisation=\"liquid:0.01:0.2:0.3:0.0\" "
          "kernel_regularisation_is_per_atom=T gap_file=a.xml",
          data.folder.path())
          .toml;
  CHECK(aliased == plain);
  const std::string uniform =
      data.translate("", "distance_2b cutoff=4 delta=1 n_sparse=5 covariance_type=gaussian lengthscale_uniform=0.8").toml;
  CHECK(uniform == data.translate("", "distance_2b cutoff=4 delta=1 n_sparse=5 covariance_type=ard_se theta_uniform=0.8").toml);
  const std::string factor =
      data.translate("", "distance_2b cutoff=4 delta=1 n_sparse=5 covariance_type=ard_se lengthscale_factor=0.5").toml;
  CHECK(factor.find("length_scale = { fraction_of_range = 0.5 }") != std::string::npos);
}

TEST_CASE("properties that the data do not have under gap_fit's names are not fitted under others") {
  const TemporaryFolder folder;
  folder.write(
      "train.xyz",
      "1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1 stress=\"1 1 1 0 0 0\" Lattice=\"9 0 0 0 9 0 0 0 9\"\nSi 0 0 0 0 0 0\n");
  const std::string command = std::string("at_file=train.xyz gap={") + soap + "} default_sigma={1 1 1 0}";
  const GapFitTranslation t = translate_gap_fit(command, folder.path());
  CHECK(t.unsupported.empty());
  CHECK(any_holds(t.notes, "force_parameter_name=force"));
  CHECK(any_holds(t.notes, "virial_parameter_name=virial"));
  const FitConfiguration o = parse_fit_options(t.toml, "t.toml", folder.path());
  CHECK(!o.use[Property::force]);
  CHECK(o.use[Property::virial]);
  CHECK(o.keys.named("stress") == "stress");
  CHECK(o.keys.named("virial").empty());
}

TEST_CASE("one e0 for all elements is written for each element of the data") {
  const GapFitFolder data;
  CHECK(data.options("e0=-4.25").reference_energies.values == std::map<std::string, double>{{"Si", -4.25}, {"C", -4.25}});
  const GapFitTranslation unknown = translate_gap_fit(std::string("at_file=none.xyz gap={") + soap + "} default_sigma={1 1 1 0} e0=-4.25");
  CHECK(any_holds(unknown.unsupported, "e0=-4.25"));
  const GapFitTranslation other =
      translate_gap_fit(std::string("at_file=none.xyz gap={") + soap + "} default_sigma={1 1 1 0} e0_method=average");
  CHECK(other.toml.find("mode = \"least_squares\"") != std::string::npos);
}

TEST_CASE("arguments without counterpart that change the fit are listed with a reason; the others are translated") {
  const GapFitFolder data;
  const auto check_listed = [&](const std::string& more, const std::string& gap, const std::string& argument) {
    CAPTURE(argument);
    const GapFitTranslation t = data.translate(more, gap);
    CHECK(any_holds(t.unsupported, argument));
    CHECK(t.toml.find("# not supported: ") != std::string::npos);
    data.read(t);
  };
  for (const char* argument : {"core_ip_args={IP Glue}", "sparsify_only_no_fit=T", "sparse_use_actual_gpcov=T", "e0_offset=2.0",
                               "local_property0=1.0", "wonder=1"})
    check_listed(std::string(argument) + " core_param_file=glue.xml", soap, argument);
  for (const char* option : {"normalise=F", "radial_basis=GTO", "f0=1.0", "sparse_method=kmeans", "covariance_type=bond_real_space",
                             "unique_descriptor_tolerance=1e-3", "wonder=1", "sparse_method=file"}) {
    std::string gap = "soap l_max=4 n_max=6 atom_sigma=0.5 cutoff=5.0 delta=0.3 n_sparse=60 " + std::string(option);
    check_listed("", gap, option);
  }
  check_listed("", std::string(soap) + " : bispectrum_so4 cutoff=3", "bispectrum_so4");
  // A σ of 0 takes the property out of the fit, and is reported.
  const GapFitTranslation no_virial =
      translate_gap_fit(std::string("at_file=train.xyz gap={") + soap + "} default_sigma={0.1 0.1 0.0 0.0}", data.folder.path());
  CHECK(any_holds(no_virial.unsupported, "virial"));
  CHECK(!data.read(no_virial).use[Property::virial]);
}

TEST_CASE("every argument ends up somewhere") {
  const GapFitFolder data;
  for (const char* argument : {"verbosity=NERD", "openmp_chunk_size=5", "do_ip_timing=T", "linear_system_dump_file=dump",
                               "hessian_delta=0.1", "template_file=t.xyz", "condition_number_norm=O", "mpi_blocksize_rows=8",
                               "baseline_param_filename=b.xml", "export_covariance=T", "local_property_parameter_name=charge"}) {
    CAPTURE(argument);
    const GapFitTranslation t = data.translate(argument);
    CHECK(t.unsupported.empty());
    CHECK(t.notes.size() == data.translate("").notes.size() + 1);
  }
}

TEST_CASE("distance_Nb of order 2 is two_body; with compact_clusters=F each pair counts once, which halves delta") {
  const GapFitFolder data;
  const std::string pairs =
      "distance_Nb order=2 cutoff=5.0 n_sparse=15 covariance_type=pp delta=2.0 theta_uniform=2.5 sparse_method=uniform Z={{14 6}}";
  const auto term = [&](const std::string& more) {
    const GapFitTranslation t = data.translate("", pairs + more);
    CHECK(t.unsupported.empty());
    return data.read(t).terms.at(0);
  };
  for (const auto& [option, delta] :
       {std::pair{" compact_clusters=T", 2.0}, {" compact_clusters=F", 1.0}, {"", 2.0}, {" xml_version=1500000000", 1.0}}) {
    const char* more = option;  // CAPTURE takes no structured bindings in Clang 14
    CAPTURE(more);
    const TermOptions pair = term(more);
    CHECK(pair.descriptor == "two_body");
    CHECK(pair.species == std::vector<std::string>{"C-Si"});
    CHECK(pair.delta == delta);
    CHECK(pair.kernel == "piecewise_polynomial");
    CHECK(pair.kernel_parameters.integer("smoothness") == 1);
    CHECK(pair.kernel_parameters.reals("length_scale") == std::vector<double>{2.5});
  }
  CHECK(message_of<InputError>([&] { data.translate("", "distance_Nb order=3 cutoff=4 n_sparse=5 delta=1"); }).find("distance_Nb") !=
        std::string::npos);
}

TEST_CASE("sparse points: numbers by config type exclude n_sparse and may be 0; none takes all; files have cutoffs") {
  const GapFitFolder data;
  const std::string start = "soap l_max=4 n_max=6 atom_sigma=0.5 zeta=4 cutoff=5.0 delta=0.3 covariance_type=dot_product ";
  const auto term = [&](const std::string& more) {
    const GapFitTranslation t = data.translate("", start + more);
    CAPTURE(t.toml);
    CHECK(t.unsupported.empty());
    return data.read(t).terms.at(0);
  };
  const TermOptions by_type = term("sparse_method=cur_points config_type_n_sparse={liquid:10:crystal:0:default:7}");
  CHECK(by_type.n_sparse == 7);
  CHECK(by_type.config_type_n_sparse == std::map<std::string, int>{{"liquid", 10}, {"crystal", 0}});
  CHECK(term("sparse_method=cur_points n_sparse=0 config_type_n_sparse={liquid:10}").n_sparse == 0);
  CHECK(term("sparse_method=cur_points config_type_n_sparse={default:12}").n_sparse == 12);
  CHECK(term("sparse_method=none").selection == "all");
  data.folder.write("points.dat", "1.0 0.5\n");
  const TermOptions file = term("sparse_method=FILE sparse_file=points.dat");
  CHECK(file.selection == "file");
  CHECK(file.sparse_file_cutoffs);
}

TEST_CASE("the config type 'default' of config_type_sigma replaces default_sigma") {
  const GapFitFolder data;
  const FitConfiguration o = data.options("config_type_sigma={default:0.01:0.3:0.4:0.0:'liquid':0.02:0.5:0.6:0.0}");
  CHECK(o.regularization.standard[Property::energy] == 0.01);
  CHECK(o.regularization.standard[Property::force] == 0.3);
  CHECK(o.regularization.standard[Property::virial] == 0.4);
  REQUIRE(o.regularization.config_type.size() == 1);
  CHECK(o.regularization.config_type.at("liquid")[Property::virial] == 0.6);
}

TEST_CASE("scripts: exports, mpirun, comments, redirections and other commands are not arguments") {
  const GapFitFolder data;
  const std::string plain = data.translate("gp_file=a.xml e0={Si:-1.5:C:-2.5}").toml;
  const std::string gap = std::string("gap={") + soap + "}";
  const auto same = [&](const std::string& script) {
    CAPTURE(script);
    const GapFitTranslation t = translate_gap_fit(script, data.folder.path());
    CHECK(t.unsupported.empty());
    CHECK(t.toml == plain);
  };
  const std::string rest = "default_sigma={0.002 0.05 0.1 0} gp_file=a.xml";
  same(
      "#!/bin/bash\n#SBATCH --ntasks=4\n# don't\nexport OMP_NUM_THREADS=4; which gap_fit && echo gap_fit\nmodule load quip\nmpirun -np 4 "
      "/opt/gap_fit at_file=train.xyz " +
      gap + " " + rest + " e0={Si:-1.5:C:-2.5} > out.log 2>&1 &\nwait; quip atoms_filename=test.xyz param_filename=a.xml E\n");
  same("OMP_NUM_THREADS=2 srun --mpi=pmix gap_fit \\\n at_file=train.xyz \\\n \"" + gap + "\" \\\n " + rest +
       " \"e0={'Si':-1.5, 'C': -2.5}\" | tee log && echo done\n");
  same("gap_fit at_file = train.xyz\n" + gap + "\n" + rest + "\n\ne0={Si:-1.5:C:-2.5}\necho done; a=1\n");
  same("export X=1\n$GAP_FIT at_file=train.xyz " + gap + " " + rest + " e0=\\{Si:-1.5:C:-2.5\\}\n");
  same("gap_fit at_file=train.xyz 'gap={" + std::string(soap) +
       "' '}' 'default_sigma={0.002' 0.05 0.1 '0}' gp_file=a.xml e0={Si:-1.5:C:-2.5};");
  // With config_file gap_fit reads nothing else.
  data.folder.write("fit.conf", "# fit\nat_file=train.xyz " + gap + "\n" + rest + "\ne0={Si:-1.5:C:-2.5}\n");
  same("gap_fit config_file=fit.conf");
  same("gap_fit config_file=fit.conf gp_file=a.xml");
  const GapFitTranslation beside = translate_gap_fit("config_file=fit.conf gp_file=b.xml rnd_seed=1", data.folder.path());
  CHECK(data.read(beside).model_path == "a.h5");
  CHECK(data.read(beside).seed == 0);
  CHECK(any_holds(beside.notes, "gp_file=b.xml: ignored"));
  CHECK(any_holds(beside.notes, "rnd_seed=1: ignored"));
  CHECK(beside.command_line.starts_with("at_file=train.xyz gap={"));
  CHECK(beside.command_line.find('\n') == std::string::npos);

  const std::string twice = "gap_fit at_file=train.xyz " + gap + " " + rest + "\n";
  CHECK(message_of<InputError>([&] { translate_gap_fit(twice + twice, data.folder.path()); }).find("2 times") != std::string::npos);
  const GapFitTranslation variable = data.translate("sparse_jitter=1e-8 rnd_seed=$SEED", std::string(soap) + " print_sparse_index=$FILE");
  CHECK(any_holds(variable.unsupported, "rnd_seed=$SEED"));
  CHECK(message_of<InputError>([&] { data.translate("config_file=absent.conf"); }).find("absent.conf") != std::string::npos);
}

TEST_CASE("a Glue of pair energies under the fit becomes a pair_spline") {
  const GapFitFolder data;
  const std::string glue =
      "<g><Potential label=\"g\" init_args=\"IP Glue\"/><Glue_params n_types=\"2\"><per_type_data type=\"1\" atomic_num=\"14\"/>"
      "<per_type_data type=\"2\" atomic_num=\"6\"/><per_pair_data type1=\"1\" type2=\"2\"><potential_pair num_points=\"4\" y1=\"1e50\" "
      "yn=\"0.0\"><point r=\"0.5\" E=\"40\"/><point r=\"1\" E=\"9.25\"/><point r=\"1.5\" E=\"1\"/><point r=\"2\" E=\"0\"/></potential_pair>"
      "</per_pair_data></Glue_params></g>";
  data.folder.write("glue.xml", glue);
  const GapFitTranslation t = data.translate("core_ip_args={IP Glue} core_param_file=glue.xml");
  CHECK(t.unsupported.empty());
  const FitConfiguration o = data.read(t);
  REQUIRE(o.baselines.size() == 1);
  CHECK(o.baselines[0]->name() == "pair_spline");
  CHECK(o.baselines[0]->parameters().text("table") == "pair C Si\n0.5 40\n1 9.25\n1.5 1\n2 0\n");
  std::string steep = glue;
  steep.replace(steep.find("1e50"), 4, "-7.0");
  data.folder.write("glue.xml", steep);
  CHECK(any_holds(data.translate("core_ip_args={IP Glue} core_param_file=glue.xml").unsupported, "y1=-7"));
}

TEST_CASE("command lines that are not of gap_fit's form are refused") {
  const auto message = [](const std::string& text) { return message_of<InputError>([&] { translate_gap_fit(text); }); };
  CHECK(message("").find("at_file") != std::string::npos);
  CHECK(message("gap_fit at_file=a.xyz default_sigma={1 1 1 1}").find("'gap' is missing") != std::string::npos);
  CHECK(message("at_file=a.xyz gap={soap default_sigma={1 1 1 1}").find("not closed") != std::string::npos);
  CHECK(message("at_file=a.xyz gap=soap} default_sigma=1").find("'}'") != std::string::npos);
  CHECK(message("at_file=a.xyz at_file=b.xyz gap={soap} default_sigma={1 1 1 1}").find("twice") != std::string::npos);
  CHECK(message("at_file=a.xyz atoms_filename=b.xyz gap={soap} default_sigma={1 1 1 1}").find("two names") != std::string::npos);
  CHECK(message("at_file=a.xyz gap={soap cutoff=3} default_sigma={1 1 1 1}").find("soap has no n_max") != std::string::npos);
  CHECK(message(std::string("at_file=a.xyz gap={") + soap + "} default_sigma={1 x 1 1}").find("default_sigma") != std::string::npos);
  CHECK(message(std::string("at_file=a.xyz gap={") + soap + "} default_sigma={1 1 1 1} config_type_sigma={a:1:2}").find("groups of 5") !=
        std::string::npos);
  CHECK(message(std::string("at_file=a.xyz gap={") + soap + "} default_sigma={1 1 1 1} sparse_jitter=-1").find("sparse_jitter") !=
        std::string::npos);
}

TEST_CASE("the command line of every potential at hand is translated and read") {
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& folder) {
    if (folder.empty() || !fs::is_directory(folder)) return;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".xml") files.push_back(entry.path());
  };
  add(source_folder() / "tests" / "data" / "gap_models");
  if (!reference_folder().empty()) add(reference_folder() / "fits");
  if (!public_data_folder().empty()) add(public_data_folder() / "gap_models");
  REQUIRE(files.size() >= 2);
  for (const fs::path& file : files) {
    CAPTURE(file.string());
    const XmlElement root = read_xml(file);
    const XmlElement* command = root.find_child("GAP_params")->find_child("command_line");
    REQUIRE(command);
    // Training data of its own, since the reader looks for it.
    const TemporaryFolder folder;
    const std::size_t at = command->text.find("at_file=");
    REQUIRE(at != std::string::npos);
    const std::size_t end = command->text.find(' ', at);
    const fs::path train = fs::path(command->text.substr(at + 8, end - at - 8));
    const fs::path here = folder.path() / "a" / "b";
    fs::create_directories(here / train.parent_path());
    folder.write((fs::path("a/b") / train).lexically_normal().string(),
                 "1\nProperties=species:S:1:pos:R:3 energy=-1 dft_energy=-1\nMo 0 0 0\n");
    const GapFitTranslation t = translate_gap_fit(command->text, here);
    CAPTURE(t.toml);
    CHECK(t.unsupported.empty());
    const FitConfiguration options = parse_fit_options(t.toml, "translated.toml", here);
    CHECK(!options.terms.empty());
    // Reading and writing it once more changes nothing.
    CHECK(fit_options_to_toml(parse_fit_options(fit_options_to_toml(options), "again.toml", here)) == fit_options_to_toml(options));
  }
}
