// A gap_fit command line and its training data: reference energies, sigma, names. Words of a shell or a program.

#include "convert/gap_fit_folder.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("e0_method=average, e0_offset and elements that e0 leaves out are as in gap_fit") {
  const GapFitFolder data;  // Si C with -1 eV, Si alone with -1 eV
  using Energies = std::map<std::string, double>;
  const auto energies = [&](const std::string& more) {
    const GapFitTranslation t = data.translate(more);
    CAPTURE(t.toml);
    CHECK(t.unsupported.empty());
    const FitConfiguration o = data.read(t);
    CHECK(o.reference_energies.mode == ReferenceEnergyOptions::Mode::explicit_values);
    return o.reference_energies.values;
  };
  // The mean over the frames of energy per atom, for every element.
  CHECK(energies("e0_method=average") == Energies{{"Si", -0.75}, {"C", -0.75}});
  CHECK(energies("e0_method=Average e0_offset=2.0") == Energies{{"Si", 1.25}, {"C", 1.25}});
  CHECK(energies("e0={Si:-1.5:C:-2.5} e0_offset=0.5") == Energies{{"Si", -1.0}, {"C", -2.0}});
  CHECK(energies("e0={Si:-1.5}") == Energies{{"Si", -1.5}, {"C", 0.0}});
  CHECK(any_holds(data.translate("e0={Si:-1.5}").notes, "the data have C, whose energy is 0"));
  CHECK(data.options("e0_offset=0.0").reference_energies.mode == ReferenceEnergyOptions::Mode::isolated);
  // Isolated atoms of all elements, one of them in a cell without neighbours within the cutoff, one with images.
  const std::string frames = read_text(data.folder.path() / "train.xyz");
  data.folder.write("train.xyz", frames + "1\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3 energy=-3\nC 0 0 0\n");
  CHECK(energies("e0_offset=2.0") == Energies{{"Si", 1.0}, {"C", -1.0}});
  data.folder.write("train.xyz", frames + "1\nLattice=\"3 0 0 0 3 0 0 0 3\" Properties=species:S:1:pos:R:3 energy=-3\nC 0 0 0\n");
  CHECK(any_holds(data.translate("e0_offset=2.0").unsupported, "e0_offset=2.0"));
  CHECK(message_of<InputError>([&] { data.translate("e0=-1 e0_offset=x"); }).find("e0_offset=x") != std::string::npos);
}

TEST_CASE("a sigma of 0 stops the fit only where frames have the property") {
  const TemporaryFolder folder;
  const std::string energy_only = "1\nProperties=species:S:1:pos:R:3 energy=-1 config_type=atom\nSi 0 0 0\n";
  const std::string whole =
      "1\nProperties=species:S:1:pos:R:3:force:R:3 energy=-1 virial=\"1 0 0 0 1 0 0 0 1\" config_type=bulk Lattice=\"3 0 0 0 3 0 0 0 "
      "3\"\nSi 0 0 0 0 0 0\n";
  const auto translate = [&](const std::string& frames, const std::string& sigma) {
    folder.write("train.xyz", frames);
    return translate_gap_fit("at_file=train.xyz gap={" + std::string(soap) + "} " + sigma, folder.path());
  };
  const std::string types = "default_sigma={0.1 0.2 0.3 0} config_type_sigma={atom:0.01:0.0:0.0:0.0}";
  const GapFitTranslation good = translate(energy_only + whole, types);
  CHECK(good.unsupported.empty());
  const FitConfiguration o = parse_fit_options(good.toml, "t.toml", folder.path());
  CHECK(o.regularization.config_type.at("atom")[Property::energy] == 0.01);
  CHECK(o.use[Property::virial]);
  CHECK(any_holds(translate(whole + whole.substr(0, whole.find("bulk")) + "atom" + whole.substr(whole.find("bulk") + 4), types).unsupported,
                  "config_type_sigma atom=0.01:0:0:0"));
  // The same for default_sigma: {… 0 0} for data without virials is usual.
  CHECK(translate(energy_only, "default_sigma={0.001 0.1 0.0 0.0}").unsupported.empty());
  CHECK(any_holds(translate(whole, "default_sigma={0.001 0.1 0.0 0.0}").unsupported, "a sigma of 0 for virial"));
  const GapFitTranslation by_type = translate(whole, "default_sigma={0.001 0.1 0.0 0.0} config_type_sigma={bulk:0.1:0.1:0.5:0}");
  CHECK(by_type.unsupported.empty());
  CHECK(parse_fit_options(by_type.toml, "t.toml", folder.path()).use[Property::virial]);
}

TEST_CASE("names of fields: the prefix goes before all of them, and other names of sigma stop where the data have sigma") {
  const TemporaryFolder folder;
  const auto translate = [&](const std::string& keys, const std::string& more) {
    folder.write("train.xyz", "1\nProperties=species:S:1:pos:R:3 " + keys + "\nSi 0 0 0\n");
    return translate_gap_fit("at_file=train.xyz gap={" + std::string(soap) + "} default_sigma={1 1 1 0} " + more, folder.path());
  };
  const GapFitTranslation t = translate("REF_energy=-1 REF_config_type=odd", "parameter_name_prefix=REF_");
  CHECK(t.unsupported.empty());
  const FitConfiguration o = parse_fit_options(t.toml, "t.toml", folder.path());
  CHECK(o.keys.named("energy") == "REF_energy");
  CHECK(o.keys.config_type == "REF_config_type");
  CHECK(o.keys.force_mask == "REF_force_mask");
  CHECK(any_holds(translate("REF_energy=-1 energy_sigma=0.1", "parameter_name_prefix=REF_").unsupported, "parameter_name_prefix=REF_"));
  CHECK(translate("energy=-1", "sigma_parameter_name=mine").unsupported.empty());
  CHECK(any_holds(translate("energy=-1 force_mine=0.1", "sigma_parameter_name=mine").unsupported, "sigma_parameter_name=mine"));
  CHECK(any_holds(translate("energy=-1 n_hessian=1", "").unsupported, "Hessians"));
  CHECK(any_holds(translate("energy=-1 local_charge=1", "local_property_parameter_name=local_charge").unsupported, "local properties"));
}

TEST_CASE("words from a shell or a program: quotes go around values with blanks, as in QUIP, and nothing is a comment or redirection") {
  const GapFitFolder data;
  data.folder.write("a#1 & b.xyz", read_text(data.folder.path() / "train.xyz"));
  const std::string plain = data.translate("gp_file=out.xml e0={Si:-1.5:C:-2.5}").toml;
  const auto toml = [&](const std::vector<std::string>& words) {
    const GapFitTranslation t = translate_gap_fit_words(words, data.folder.path());
    CHECK(t.unsupported.empty());
    return t.toml;
  };
  const std::string gap(soap);
  // As subprocess passes them, and as a shell splits them.
  CHECK(toml({"at_file=train.xyz", "gap={" + gap + "}", "default_sigma=0.002 0.05 0.1 0", "gp_file=out.xml", "e0={Si:-1.5:C:-2.5}"}) ==
        plain);
  std::vector<std::string> split = {"at_file=train.xyz", "gap={"};
  for (std::size_t begin = 0; begin < gap.size();) {
    const std::size_t end = std::min(gap.find(' ', begin), gap.size());
    split.push_back(gap.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const char* word : {"}", "default_sigma={0.002", "0.05", "0.1", "0}", "gp_file=out.xml", "e0={Si:", "-1.5:C:-2.5}"})
    split.emplace_back(word);
  CHECK(toml(split) == plain);
  const GapFitTranslation odd = translate_gap_fit_words(
      {"at_file=a#1 & b.xyz", "gap={soap=T " + gap.substr(5) + " ; " + gap + "}", "default_sigma={0.002 0.05 0.1 0}", "gp_file=a>b.v2"},
      data.folder.path());
  CHECK(odd.unsupported.empty());
  CHECK(odd.train == "a#1 & b.xyz");
  CHECK(data.read(odd).terms.size() == 2);
  CHECK(data.read(odd).model_path == "a>b.v2.h5");
  CHECK(odd.command_line.starts_with("at_file=\"a#1 & b.xyz\" gap={"));
}

TEST_CASE("points of SOAP in a file have the order of species_Z, which must be gapkit's") {
  const GapFitFolder data;
  data.folder.write("points.dat", "1.0 0.5\n");
  const auto unsupported = [&](const std::string& species) {
    return data
        .translate("",
                   "soap l_max=2 n_max=3 atom_sigma=0.5 zeta=2 cutoff=4.0 delta=0.5 covariance_type=dot_product sparse_method=file "
                   "sparse_file=points.dat add_species=F Z=14 n_species=2 species_Z={{" +
                       species + "}}")
        .unsupported;
  };
  CHECK(unsupported("6 14").empty());
  CHECK(any_holds(unsupported("14 6"), "ascending atomic numbers"));
}
