// What cannot be represented is named with its tag and line; damaged files are refused.

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/descriptors/descriptor.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

// One SOAP of one element (n_max 1, l_max 1: two features and the appended one), two inline sparse points.
std::string small_xml() {
  return "<L>\n"
         "<Potential label=\"L\" init_args=\"IP GAP label=L\"/>\n"
         "<GAP_params label=\"L\" gap_version=\"1686220958\">\n"
         "  <GAP_data do_core=\"F\">\n"
         "    <e0 Z=\"14\" value=\"-.5\"/>\n"
         "  </GAP_data>\n"
         "  <gpSparse label=\"L\" n_coordinate=\"1\" fitted=\"T\">\n"
         "    <gpCoordinates label=\"L1\" dimensions=\"3\" signal_variance=\"2.0\" signal_mean=\".0E+000\" sparsified=\"T\" "
         "n_permutations=\"1\" "
         "covariance_type=\"2\" zeta=\"4.0\" n_sparseX=\"2\">\n"
         "      <descriptor>soap l_max=1 n_max=1 atom_sigma=0.5 cutoff=4.0 delta=2.0 n_species=1 Z=14 species_Z={14 }</descriptor>\n"
         "      <permutation i=\"1\">1 </permutation>\n"
         "      <sparseX i=\"1\" alpha=\"1.5\" sparseCutoff=\"1.0\"> 1.0 0.0 0.0 </sparseX>\n"
         "      <sparseX i=\"2\" alpha=\"-.5D+00\" sparseCutoff=\"1.0\" sliced=\"T\">\n"
         "        <sparseX_slice start=\"1\" end=\"2\"> 0.6 0.8</sparseX_slice><sparseX_slice start=\"3\" end=\"3\">0.0</sparseX_slice>\n"
         "      </sparseX>\n"
         "    </gpCoordinates>\n"
         "  </gpSparse>\n"
         "  <command_line><![CDATA[ gap_fit ]]></command_line>\n"
         "</GAP_params>\n"
         "</L>\n";
}

// The sentence that a changed file is answered with.
std::string refusal(const std::string& from, const std::string& to) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("m.xml", replaced(small_xml(), from, to));
  return message_of<InputError>([&] { read_gap_xml(path); });
}

void check_refused(const std::string& from, const std::string& to, const std::vector<std::string>& parts) {
  CAPTURE(from);
  CAPTURE(to);
  const std::string message = refusal(from, to);
  CAPTURE(message);
  for (const std::string& part : parts) CHECK(message.find(part) != std::string::npos);
}

fs::path copy_of_example(const TemporaryFolder& folder) {
  const fs::path own = source_folder() / "tests" / "data" / "gap_models";
  for (const auto& entry : fs::directory_iterator(own))
    if (entry.path().filename().string().starts_with("D_sic_2bsoap.xml")) fs::copy(entry.path(), folder.path());
  return folder.path() / "D_sic_2bsoap.xml";
}

}  // namespace

TEST_CASE("the small potential is read") {
  const TemporaryFolder folder;
  const Model model = read_gap_xml(folder.write("m.xml", small_xml())).model;
  REQUIRE(model.terms.size() == 1);
  CHECK(model.weights == Vector{{1.5, -0.5}});
  CHECK(model.terms[0].sparse.x == Matrix{{1.0, 0.0}, {0.6, 0.8}});
  CHECK(model.terms[0].delta == 2.0);
  CHECK(model.reference_energies == std::map<int, double>{{14, -0.5}});
  // The defaults of options that are not given
  CHECK(model.terms[0].descriptor->parameters().real("cutoff_width") == 0.5);
  CHECK(model.terms[0].descriptor->parameters().real("central_weight") == 1.0);
  CHECK(model.terms[0].descriptor->parameters().integer("radial_weight") == 0);  // GAP has none; new configurations have 1
}

TEST_CASE("other potentials, options and covariances are refused by name with tag and line") {
  check_refused("do_core=\"F\"", "do_core=\"T\"", {"m.xml:4: <GAP_data>", "do_core", "Glue"});
  check_refused("IP GAP label=L", "Sum init_args_pot1={IP GAP label=L} init_args_pot2={IP Glue}", {"m.xml:1: <L>", "Glue_params"});
  check_refused("IP GAP label=L", "Sum init_args_pot1={IP GAP label=L} init_args_pot2={IP SW}", {"m.xml:2: <Potential>", "IP SW"});
  check_refused("IP GAP label=L", "IP GAP label=L r_scale=1.01", {"m.xml:2: <Potential>", "r_scale=1.01"});
  check_refused("IP GAP label=L", "IP GAP label=L wonder=T", {"m.xml:2: <Potential>", "wonder=T"});
  check_refused("IP GAP label=L", "IP GAP label=L E_scale=-1", {"m.xml:2: <Potential>", "E_scale=-1"});
  check_refused("soap l_max", "soap xml_version=1423143768 l_max", {"m.xml:9: <descriptor>", "xml_version=1423143768"});
  check_refused("gap_version=\"1686220958\"", "gap_version=\"new\"", {"m.xml:3: <GAP_params>", "gap_version='new'"});
  check_refused("</GAP_params>", "</GAP_params>\n<Glue_params/>", {"<Glue_params>", "m.xml:19"});
  check_refused("<command_line>", "<gpFull/><command_line>", {"<gpFull>", "does not know"});
  check_refused("zeta=\"4.0\"", "zeta=\"4.0\" news=\"1\"", {"m.xml:8: <gpCoordinates>", "news='1'"});
  check_refused("signal_mean=\".0E+000\"", "signal_mean=\"1.0\"", {"m.xml:8", "signal_mean"});
  check_refused("covariance_type=\"2\"", "covariance_type=\"3\"", {"m.xml:8", "bond_real_space"});
  check_refused("covariance_type=\"2\"", "covariance_type=\"4\"", {"m.xml:8", "pp"});
  check_refused("covariance_type=\"2\"", "covariance_type=\"1\"", {"m.xml:8", "ard_se"});
  check_refused("covariance_type=\"2\"", "covariance_type=\"9\"", {"m.xml:8", "9"});
  check_refused("n_permutations=\"1\"", "n_permutations=\"2\"", {"m.xml:8", "permutations"});
  check_refused(">1 </permutation>", ">2 1 3</permutation>", {"m.xml:10: <permutation>", "identity"});
  check_refused("fitted=\"T\"", "fitted=\"F\"", {"m.xml:7: <gpSparse>", "not fitted"});
  check_refused("soap l_max", "distance_Nb order=3 l_max", {"m.xml:9: <descriptor>", "distance_Nb"});
  check_refused("soap l_max", "bispectrum_so4 l_max", {"bispectrum_so4"});
  for (const char* option : {"normalise=F", "average=T", "radial_basis=GTO", "cutoff_dexp=2", "cutoff_scale=2.0", "nu_R=1", "n_Z=2",
                             "wonder=1", "covariance_sigma0=0.1", "diagonal_radial=T", "basis_error_exponent=8"})
    check_refused("soap l_max", "soap " + std::string(option) + " l_max", {"m.xml:9: <descriptor>", option});
  check_refused("Z=14 species", "Z=6 species", {"m.xml:9", "species_Z"});
  check_refused("1.0 0.0 0.0 <", "1.0 0.0 0.5 <", {"covariance_sigma0"});
  check_refused("<e0 Z=\"14\"", "<e0 Z=\"6\"", {"<e0>", "Si"});
  check_refused("Z=14 species_Z={14 }", "", {"--species"});
}

TEST_CASE("several reasons are in one message") {
  const std::string message = refusal("soap l_max", "soap normalise=F radial_basis=GTO l_max");
  CHECK(message.find("2 reasons") != std::string::npos);
  CHECK(message.find("normalise=F") != std::string::npos);
  CHECK(message.find("radial_basis=GTO") != std::string::npos);
}

TEST_CASE("options at the values that gapkit has are accepted") {
  const TemporaryFolder folder;
  const std::string options =
      "soap normalise=T average=F radial_basis=EQUISPACED_GAUSS cutoff_dexp=0 cutoff_scale=1.0 nu_R=2 n_Z=1 xml_version=1426512068 "
      "energy_scale=2.0 atom_gaussian_width=0.5 l_max";
  const std::string xml = replaced(replaced(small_xml(), "soap l_max", options), " atom_sigma=0.5", "");
  CHECK(message_of<InputError>([&] { read_gap_xml(folder.write("m.xml", xml)); }) == "");
}

TEST_CASE("numbers and counts that do not fit are refused with tag and line") {
  check_refused("alpha=\"1.5\"", "alpha=\"1.5x\"", {"m.xml:11: <sparseX>", "alpha='1.5x'"});
  check_refused("alpha=\"1.5\"", "alpha=\"NaN\"", {"m.xml:11: <sparseX>", "finite"});
  check_refused("alpha=\"1.5\"", "", {"m.xml:11: <sparseX>", "no attribute 'alpha'"});
  check_refused("i=\"2\" alpha", "i=\"1\" alpha", {"m.xml:12: <sparseX>", "i=1"});
  check_refused("1.0 0.0 0.0 <", "1.0 0.0 <", {"m.xml:11: <sparseX>", "2 numbers, expected 3"});
  check_refused("1.0 0.0 0.0 <", "1.0 zero 0.0 <", {"m.xml:11: <sparseX>", "'zero'"});
  check_refused("start=\"3\" end=\"3\"", "start=\"4\" end=\"4\"", {"m.xml:13: <sparseX_slice>"});
  check_refused("n_sparseX=\"2\"", "n_sparseX=\"3\"", {"m.xml:8", "n_sparseX=3"});
  check_refused("dimensions=\"3\"", "dimensions=\"4\"", {"m.xml:8", "dimensions=4, expected 3"});
  check_refused("signal_variance=\"2.0\"", "signal_variance=\"0.0\"", {"signal_variance"});
  check_refused("n_coordinate=\"1\"", "n_coordinate=\"2\"", {"m.xml:7", "n_coordinate='2'"});
  check_refused("zeta=\"4.0\"", "zeta=\"0.5\"", {"zeta"});
  check_refused(" cutoff=4.0", " cutoff=-4.0", {"m.xml:9", "cutoff"});
  check_refused(" cutoff=4.0", "", {"m.xml:9", "soap has no cutoff"});
  check_refused("l_max=1", "l_max=one", {"m.xml:9", "l_max=one", "integer"});
  check_refused("species_Z={14 }", "species_Z={14", {"m.xml:9", "not closed"});
}

TEST_CASE("files that are cut short, and files of something else, are refused") {
  const TemporaryFolder folder;
  const std::string xml = small_xml();
  for (std::size_t length = 0; length + 8 < xml.size(); length += 37) {
    CAPTURE(length);
    CHECK(message_of<InputError>([&] { read_gap_xml(folder.write("m.xml", xml.substr(0, length))); }).find("m.xml:") != std::string::npos);
  }
  CHECK(message_of<InputError>([&] { read_gap_xml(folder.write("m.xml", "<html/>")); }).find("no <GAP_params>") != std::string::npos);
  CHECK(message_of<InputError>([&] { read_gap_xml(folder.path() / "none.xml"); }).find("cannot be opened") != std::string::npos);
}

TEST_CASE("files of sparse points are checked: missing, another MD5 sum, too few numbers") {
  const TemporaryFolder folder;
  const fs::path xml = copy_of_example(folder);
  CHECK(message_of<InputError>([&] { read_gap_xml(xml); }) == "");
  const fs::path points = folder.path() / "D_sic_2bsoap.xml.sparseX.GAP_2026_11_22_0_9_8_17_5262";
  const std::string original = read_text(points);
  REQUIRE(original.size() > 100);
  std::string damaged = original;
  damaged[3] = damaged[3] == '1' ? '2' : '1';
  folder.write(points.filename().string(), damaged);
  std::string message = message_of<InputError>([&] { read_gap_xml(xml); });
  CHECK(message.find("MD5") != std::string::npos);
  CHECK(message.find("GAP_2026_11_22_0_9_8_17_5262") != std::string::npos);
  fs::remove(points);
  message = message_of<InputError>([&] { read_gap_xml(xml); });
  CHECK(message.find("not beside the XML") != std::string::npos);
  CHECK(message.find("<gpCoordinates>") != std::string::npos);
  // Without a checksum the count still shows it.
  folder.write(points.filename().string(), original.substr(0, original.size() / 2));
  const std::string text = read_text(xml), sum = "sparseX_md5sum=\"bd128c42d3372e13596776cc10459759\"";
  folder.write("D_sic_2bsoap.xml", replaced(text, sum, ""));
  message = message_of<InputError>([&] { read_gap_xml(xml); });
  CHECK(message.find("12 × 1 = 12 numbers") != std::string::npos);
}
