// Potentials of gap_fit (QUIP caff154 + GAP 6c3375f and older) read into models predict the same as QUIP; each fit's command line stands
// in its XML under <command_line>.

#include <algorithm>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/xml.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/predict/predictor.hpp>

#include "convert/quip_predictions.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

// Energies to 1e-7 eV/atom, forces to 1e-6 eV/Å, virials to 1e-5 eV, QUIP's variance to 1e-6 of itself.
void check_agreement(const fs::path& xml, const fs::path& predictions, const std::string& forces_key = "force", double energy = 1e-7,
                     double forces = 1e-6) {
  CAPTURE(predictions.string());
  const GapXmlImport imported = read_gap_xml(xml);
  CHECK(!imported.model.has_posterior());
  const Differences worst = differences_from(imported.model, predictions, forces_key);
  MESSAGE(predictions.filename().string(), ": ", worst.frames, " frames, energy ", worst.energy, " eV/atom, forces ", worst.forces,
          " eV/Å, virial ", worst.virial, " eV (", worst.virials, "), variance ", worst.variance, " relative (", worst.variances, ")");
  REQUIRE(worst.frames > 0);
  CHECK(worst.energy <= energy);
  CHECK(worst.forces <= forces);
  CHECK(worst.virial <= 1e-5);
  CHECK(worst.variance <= 1e-6);
}

fs::path own_models() {
  return source_folder() / "tests" / "data" / "gap_models";
}

}  // namespace

TEST_CASE("the potentials in tests/data predict as QUIP does: two species, 2b + SOAP; 2b + 3b + SOAP") {
  check_agreement(own_models() / "D_sic_2bsoap.xml", own_models() / "D_sic_2bsoap.sic8.xyz");
  check_agreement(own_models() / "si_own_2b3bsoap.xml", own_models() / "si_own_2b3bsoap.cases.xyz");
}

TEST_CASE("all reference fits predict as QUIP does" * doctest::test_suite(beside_checkout) *
          doctest::skip(is_missing(reference_folder(), "reference data"))) {
  const fs::path reference = reference_folder();
  int count = 0;
  for (const auto& entry : fs::directory_iterator(reference / "predictions")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".xyz") continue;
    check_agreement(reference / "fits" / (name.substr(0, name.find('.')) + ".xml"), entry.path());
    ++count;
  }
  CHECK(count == 8);
}

TEST_CASE("public potentials predict as QUIP does: three species with inline sparse points; a wild card for the species" *
          doctest::test_suite(beside_checkout) * doctest::skip(is_missing(public_data_folder(), "public data"))) {
  const fs::path data = public_data_folder();
  const fs::path models = data / "gap_models";
  for (const char* set : {"test", "train", "volumescan"})
    check_agreement(models / "mace_solvent" / "GAP.xml", data / "solvent_xtb" / (std::string("quip_gap_predictions_") + set + ".xyz"),
                    "forces");
  // The coordinates of this structure are known to six digits of the cell only, its forces to six digits.
  check_agreement(models / "mlearn_mo_example" / "soap.xml", models / "mlearn_mo_example" / "test_struct_quip_reference.xyz", "forces",
                  2e-7, 2e-5);
  CHECK(read_gap_xml(models / "mlearn_mo_example" / "soap.xml").model.reference_energies.count(42) == 1);
}

TEST_CASE("an imported model is saved and loaded, and has no error bars but QUIP's variance") {
  const TemporaryFolder folder;
  const GapXmlImport imported = read_gap_xml(own_models() / "D_sic_2bsoap.xml");
  save_model(imported.model, folder.path() / "model.h5");
  const Model loaded = load_model(folder.path() / "model.h5");
  CHECK(!loaded.has_posterior());
  CHECK(loaded.weights == imported.model.weights);
  CHECK(loaded.notes.at("origin").find("D_sic_2bsoap.xml") != std::string::npos);
  CHECK(loaded.notes.at("gap_fit_command_line").find("e0={Si:-1.0:C:-2.0}") != std::string::npos);
  const Differences worst = differences_from(loaded, own_models() / "D_sic_2bsoap.sic8.xyz");
  CHECK(worst.energy <= 1e-7);
  CHECK(worst.variances == 1);
  Predictor predictor(std::make_shared<const Model>(loaded));
  const Structure s = random_triclinic(4, 3, {6, 14});
  const std::string message = message_of<InputError>([&] { predictor.compute(s, {.energy_std = true}); });
  CHECK(message.find("imported") != std::string::npos);
  CHECK(message.find("--std local") != std::string::npos);
}

TEST_CASE("terms of one set of options share a name") {
  const Model model = read_gap_xml(own_models() / "D_sic_2bsoap.xml").model;
  std::string labels;
  for (const Term& term : model.terms) labels += term.label() + "; ";
  CHECK(labels == "two_body Si-Si; two_body C-Si; two_body C-C; soap Si; soap C; ");
}

TEST_CASE("a model that is written as XML and read back predicts the same") {
  const TemporaryFolder folder;
  int refused = 0, written = 0;
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    const fs::path path = folder.path() / "toy.xml";
    if (std::any_of(toy.model->terms.begin(), toy.model->terms.end(), [](const Term& term) {
          return term.kernel_name == "piecewise_polynomial" && term.kernel->parameters().integer("smoothness") != 1;
        })) {
      CHECK(message_of<InputError>([&] { write_gap_xml(*toy.model, path); }).find("piecewise_polynomial") != std::string::npos);
      ++refused;
      continue;
    }
    const std::vector<std::string> notes = write_gap_xml(*toy.model, path);
    CHECK(notes.size() == 1);
    const Model back = read_gap_xml(path).model;
    REQUIRE(back.terms.size() == toy.model->terms.size());
    CHECK(back.weights == toy.model->weights);
    for (std::size_t t = 0; t < back.terms.size(); ++t) CHECK(back.terms[t].sparse.x == toy.model->terms[t].sparse.x);
    std::vector<Structure> structures;
    for (const ToyStructure& s : toy_structures(toy.elements)) structures.push_back(s.structure);
    const Differences worst = differences_between(*toy.model, back, structures);
    ++written;
    CHECK(worst.frames > 2);
    CHECK(worst.energy <= 1e-9);
    CHECK(worst.forces <= 1e-9);
    CHECK(worst.virial <= 1e-9);
  }
  CHECK(written > 2 * refused);
}

TEST_CASE("a tensor, which a GAP potential cannot have, is left out and named") {
  const TemporaryFolder folder;
  const auto toys = toy_models();
  const auto toy =
      std::find_if(toys.begin(), toys.end(), [](const ToyModel& t) { return t.model->terms[0].descriptor_name == "two_body"; });
  REQUIRE(toy != toys.end());
  Model model = *toy->model;
  const auto tensor = std::make_shared<FittedTensor>();
  tensor->keys.name = "mu";
  model.tensors.push_back(tensor);
  const std::vector<std::string> notes = write_gap_xml(model, folder.path() / "m.xml");
  CHECK(std::any_of(notes.begin(), notes.end(), [](const std::string& note) { return note.find("the tensor 'mu'") != std::string::npos; }));
}

TEST_CASE("a radial weight and contracted channels, which QUIP does not have, are refused by their names") {
  const TemporaryFolder folder;
  const auto toys = toy_models();
  const auto toy = std::find_if(toys.begin(), toys.end(), [](const ToyModel& t) { return t.model->terms[0].descriptor_name == "soap"; });
  REQUIRE(toy != toys.end());
  Model model = *toy->model;
  Term& term = model.terms[0];
  Parameters weighted = term.descriptor->parameters();
  weighted.set("radial_weight", std::int64_t{2});
  term.descriptor = descriptor_kind("soap").make(weighted, term.species, term.elements);
  const std::string message = message_of<InputError>([&] { write_gap_xml(model, folder.path() / "m.xml"); });
  CHECK(message.find("term '" + term.label() + "': QUIP has no counterpart of radial_weight = 2; ") != std::string::npos);
  weighted.set("radial_weight", std::int64_t{0});
  weighted.set("channels", std::int64_t{1});
  term.descriptor = descriptor_kind("soap").make(weighted, term.species, term.elements);
  const std::string of_channels = message_of<InputError>([&] { write_gap_xml(model, folder.path() / "m.xml"); });
  CHECK(of_channels.find("term '" + term.label() + "': QUIP has no counterpart of channels = 1; ") != std::string::npos);
  CHECK(!fs::exists(folder.path() / "m.xml"));
}

TEST_CASE("potentials of gap_fit, written again, have the same points, weights and descriptors") {
  const TemporaryFolder folder;
  for (const char* name : {"D_sic_2bsoap", "si_own_2b3bsoap"}) {
    CAPTURE(name);
    const Model model = read_gap_xml(own_models() / (std::string(name) + ".xml")).model;
    write_gap_xml(model, folder.path() / "again.xml");
    const Model back = read_gap_xml(folder.path() / "again.xml").model;
    REQUIRE(back.terms.size() == model.terms.size());
    CHECK(back.weights == model.weights);
    CHECK(back.reference_energies == model.reference_energies);
    for (std::size_t t = 0; t < back.terms.size(); ++t) {
      CHECK(back.terms[t].sparse.x == model.terms[t].sparse.x);
      CHECK(back.terms[t].sparse.covariance_cutoff == model.terms[t].sparse.covariance_cutoff);
      CHECK(back.terms[t].species == model.terms[t].species);
      CHECK(back.terms[t].delta == model.terms[t].delta);
      CHECK(parameters_to_json(back.terms[t].descriptor->parameters()) == parameters_to_json(model.terms[t].descriptor->parameters()));
      CHECK(parameters_to_json(back.terms[t].kernel->parameters()) == parameters_to_json(model.terms[t].kernel->parameters()));
    }
  }
}

TEST_CASE("terms that QUIP cannot read are named and nothing is written") {
  const TemporaryFolder folder;
  Model model = *toy_models().front().model;
  model.terms[0].kernel_name = "my_kernel";
  const std::string kernel = message_of<InputError>([&] { write_gap_xml(model, folder.path() / "m.xml"); });
  CHECK(kernel.find("my_kernel") != std::string::npos);
  model.terms[0].descriptor_name = "my_descriptor";
  const std::string descriptor = message_of<InputError>([&] { write_gap_xml(model, folder.path() / "m.xml"); });
  CHECK(descriptor.find("my_descriptor") != std::string::npos);
  Model with_baseline = *toy_models().front().model;
  with_baseline.baselines.push_back(make_potential("zbl"));
  CHECK(message_of<InputError>([&] { write_gap_xml(with_baseline, folder.path() / "m.xml"); }).find("zbl") != std::string::npos);
  CHECK(fs::is_empty(folder.path()));
  CHECK(message_of<InputError>([&] { write_gap_xml(*toy_models().front().model, folder.path() / "no" / "m.xml"); }) != "");
}

TEST_CASE("terms that QUIP cannot read are named when a model is written as XML, and no file appears") {
  const TemporaryFolder folder;
  Model model = *toy_models()[0].model;
  model.baselines.push_back(make_potential("zbl"));
  const fs::path path = folder.path() / "model.xml";
  const std::string message = message_of<InputError>([&] { write_gap_xml(model, path); });
  CHECK(message.find("cannot be written") != std::string::npos);
  CHECK(message.find("'zbl'") != std::string::npos);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a potential with its command line, its data and its points inside the XML predicts the same") {
  const TemporaryFolder folder;
  const std::string frames =
      "2\nenergy=1.0 note=\"<&]]> \xC3\xBC\" Properties=species:S:1:pos:R:3\nSi 0 0 0\nC 0 0 1.8\r\n1\nenergy=2\nSi 0 0 0\n";
  folder.write("train.xyz", frames);
  for (const ToyModel& toy : toy_models()) {
    if (std::any_of(toy.model->terms.begin(), toy.model->terms.end(), [](const Term& term) {
          return term.kernel_name == "piecewise_polynomial" && term.kernel->parameters().integer("smoothness") != 1;
        }))
      continue;
    CAPTURE(toy.label);
    const fs::path path = folder.path() / "m.xml";
    write_gap_xml(*toy.model, path, {"GAP_mine_", "at_file=train.xyz e0=]]>-1", folder.path() / "train.xyz", false});
    const XmlElement root = read_xml(path);
    CHECK(root.name == "GAP_mine_");
    const XmlElement* params = root.find_child("GAP_params");
    REQUIRE(params);
    CHECK(params->find_child("command_line")->text.find("at_file=train.xyz e0=]]>-1") != std::string::npos);
    CHECK(params->find_child("XYZ_data")->text.find("note=\"<&]]> ??\"") != std::string::npos);
    CHECK(params->find_child("XYZ_data")->text.find("C 0 0 1.8\n1\n") != std::string::npos);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path())) names.push_back(entry.path().filename().string());
    CHECK(names.size() == 2);  // no files of sparse points
    const Model again = read_gap_xml(path).model;
    CHECK(again.notes.at("gap_fit_command_line") == "at_file=train.xyz e0=]]>-1");
    CHECK(again.weights == toy.model->weights);
    REQUIRE(again.terms.size() == toy.model->terms.size());
    for (std::size_t t = 0; t < again.terms.size(); ++t) CHECK(again.terms[t].sparse.x == toy.model->terms[t].sparse.x);
  }
  CHECK(message_of<InputError>([&] {
          write_gap_xml(*toy_models()[0].model, folder.path() / "n.xml", {"", "", folder.path() / "no.xyz", true});
        }).find("no.xyz") != std::string::npos);
  CHECK(!fs::exists(folder.path() / "n.xml"));
}
