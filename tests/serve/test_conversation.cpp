#include "serve/fake_server.hpp"
#include "support/toy_data.hpp"

namespace gapkit {
namespace {

using serve::KnownAtoms;
using test::FakeServer;
using test::message_of;

const std::vector<int> silicon_carbide = {6, 14};

struct Setup {
  std::vector<std::shared_ptr<const Model>> models = test::two_models(silicon_carbide);
  serve::Committee committee{{models.data(), 1}};
  Structure structure = test::random_triclinic(8, 5, silicon_carbide);
  FakeServer server;
  serve::DriverOptions options;

  serve::DriverResult drive() {
    serve::IpiConnection connection = server.connection();
    return serve::drive(connection, committee, KnownAtoms(structure), options);
  }
  std::string refusal() {
    return message_of<InputError>([&] { drive(); });
  }
};

void check_forces(FakeServer& server, const Prediction& expected) {
  const FakeServer::Forces heard = server.heard_forces();
  test::check_close(heard.energy * 27.211386245988, expected.energy, 1e-10);
  CHECK(test::largest_difference(Positions(heard.forces * (27.211386245988 / 0.529177210903)), *expected.forces) <= 1e-10);
  CHECK(test::largest_difference(Matrix3(heard.virial * 27.211386245988), *expected.virial) <= 1e-10);
  CHECK(test::largest_entry(*expected.forces) > 0.1);
  CHECK(heard.extra == "");
}

TEST_CASE("serve: a conversation from NEEDINIT to EXIT; what is sent is the prediction in hartree and bohr") {
  Setup s;
  Structure moved = s.structure;
  moved.positions(2, 1) += 0.3;
  *moved.cell *= 1.02;
  for (const char* word : {"STATUS", "STATUS"}) s.server.say(word);
  s.server.say_init("some : thing , ");
  s.server.say("STATUS");
  s.server.say_positions(s.structure);
  s.server.say("STATUS");
  s.server.say("GETFORCE");
  s.server.say("STATUS");
  s.server.say_positions(moved);
  s.server.say("GETFORCE");
  s.server.say("EXIT");
  const serve::DriverResult result = s.drive();
  CHECK(result.structures == 2);
  CHECK(result.was_dismissed);

  for (const char* answer : {"NEEDINIT    ", "NEEDINIT    ", "READY       ", "HAVEDATA    "}) CHECK(s.server.heard(12) == answer);
  Predictor predictor(s.models[0]);
  check_forces(s.server, predictor.compute(s.structure));
  CHECK(s.server.heard(12) == "READY       ");
  check_forces(s.server, predictor.compute(moved));
  CHECK(s.server.heard(1) == "");
}

TEST_CASE("serve: a model with symmetry functions and ntk sends its prediction") {
  Setup s;
  s.models = {test::network_model(silicon_carbide)};
  s.committee = serve::Committee({s.models.data(), 1});
  s.server.say_positions(s.structure);
  s.server.say("GETFORCE");
  s.server.say("EXIT");
  CHECK(s.drive().structures == 1);
  check_forces(s.server, Predictor(s.models[0]).compute(s.structure));
}

TEST_CASE("serve: neighbours are kept while atoms move little") {
  Setup s;
  for (int step = 0; step < 20; ++step) {
    s.structure.positions(0, 0) += 0.01;
    s.server.say_positions(s.structure);
    s.server.say("GETFORCE");
  }
  s.server.say("EXIT");
  CHECK(s.drive().structures == 20);
  CHECK(s.committee.lists_made() == 1);
}

TEST_CASE("serve: a closed connection is an end like EXIT, but not in the middle of the work") {
  Setup s;
  SUBCASE("after the results were taken") {
    s.server.say_positions(s.structure);
    s.server.say("GETFORCE");
    s.server.say_no_more();
    const serve::DriverResult result = s.drive();
    CHECK(result.structures == 1);
    CHECK(!result.was_dismissed);
  }
  SUBCASE("before the results were taken") {
    s.server.say_positions(s.structure);
    s.server.say("STATUS");
    s.server.say_no_more();
    CHECK(s.refusal() == "the server closed the connection before it took the results of structure 1");
  }
  SUBCASE("at once") {
    s.server.say_no_more();
    CHECK(s.refusal() == "the server closed the connection at once: is it an i-PI server?");
  }
  SUBCASE("within a header") {
    s.server.send("STAT");
    s.server.say_no_more();
    CHECK(s.refusal() == "the server closed the connection in the middle of a message");
  }
  SUBCASE("between a header and its numbers") {
    s.server.say("POSDATA");
    s.server.say_no_more();
    CHECK(s.refusal() == "the server closed the connection in the middle of a message");
  }
  SUBCASE("within the positions") {
    Structure shorter = s.structure;
    shorter.positions.conservativeResize(7, 3);
    s.server.say_positions(shorter);
    s.server.say_no_more();
    CHECK(s.refusal() == "the server closed the connection in the middle of a message");
  }
}

TEST_CASE("serve: what the protocol does not have is refused in one sentence") {
  Setup s;
  std::string expected;
  SUBCASE("another protocol") {
    s.server.send("SSH-2.0-Open\r\n");
    expected = "the server sent 'SSH-2.0-Open', expected STATUS, INIT, POSDATA, GETFORCE or EXIT of the i-PI protocol";
  }
  SUBCASE("bytes that cannot be printed") {
    s.server.send(std::string("\x16\x03\x01\0\xffGET / HT", 13));
    expected = "the server sent '\\x16\\x03\\x01\\x00\\xffGET / H', expected";
  }
  SUBCASE("forces before positions") {
    s.server.say("GETFORCE");
    expected = "the server asked for forces before it had sent positions";
  }
  SUBCASE("forces twice") {
    s.server.say_positions(s.structure);
    s.server.say("GETFORCE");
    s.server.say("GETFORCE");
    expected = "the server asked for forces before it had sent positions";
  }
  SUBCASE("an INIT of negative length") {
    s.server.say("INIT");
    s.server.send_number(std::int32_t{0});
    s.server.send_number(std::int32_t{-5});
    expected = "the server announced an INIT text of -5 bytes";
  }
  SUBCASE("several structures at once") {
    s.server.say_init(" , batch_size:8");
    expected = "the server wants 8 structures at once, gap-serve takes one: set batch_size of i-PI's force field to 1";
  }
  SUBCASE("no atoms") {
    s.server.say("POSDATA");
    for (int i = 0; i < 18; ++i) s.server.send_number(1.0);
    s.server.send_number(std::int32_t{-1});
    expected = "the server announced -1 atoms, expected 1";
  }
  const std::string found = s.refusal();
  CAPTURE(found);
  CHECK(found.starts_with(expected));
}

TEST_CASE("serve: one structure at once is no batch") {
  Setup s;
  s.server.say_init("batch_size:1");
  s.server.say_init("batch_size");
  s.server.say("EXIT");
  CHECK(s.refusal() == "");
}

TEST_CASE("serve: structures that cannot be predicted are named with their number") {
  Setup s;
  s.structure.source = "start.xyz:1 (frame 1)";
  Structure sent = s.structure;
  std::string expected;
  SUBCASE("another number of atoms") {
    sent = test::random_triclinic(9, 1, silicon_carbide);
    expected = "structure 2 from the server has 9 atoms, the template has 8 (start.xyz:1 (frame 1)): the template must hold";
  }
  SUBCASE("NaN in a position") {
    sent.positions(3, 2) = std::nan("");
    expected = "structure 2 from the server: the position of atom 4 (of 8, counted from 1) is (";
  }
  SUBCASE("infinity in a position") {
    sent.positions(0, 0) = std::numeric_limits<double>::infinity();
    expected = "structure 2 from the server: the position of atom 1 (of 8, counted from 1) is (";
  }
  SUBCASE("NaN in the cell") {
    (*sent.cell)(1, 0) = std::nan("");
    expected = "structure 2 from the server: cell vector 2 is ";
  }
  SUBCASE("a cell of zeros where the template is periodic") {
    sent.cell->setZero();
    expected = "structure 2 from the server: cell vector 1 is ";
  }
  s.server.say_positions(s.structure);
  s.server.say_positions(sent);
  const std::string found = s.refusal();
  CAPTURE(found);
  CHECK(found.starts_with(expected));
}

TEST_CASE("serve: periodic directions are the template's if it has a Lattice, else those of the server's cell") {
  const Structure crystal = test::random_triclinic(3, 7, {14});
  const Matrix3 cell = *crystal.cell;
  Matrix3 slab = cell;
  slab.row(2).setZero();
  using Directions = std::array<bool, 3>;
  const auto directions = [&](KnownAtoms atoms, const Matrix3& sent) { return atoms.structure(sent, crystal.positions, "").pbc; };

  Structure molecule = crystal, surface = crystal;
  molecule.cell.reset();
  molecule.pbc = {false, false, false};
  surface.pbc = {true, false, true};
  CHECK(directions(KnownAtoms(surface), cell) == Directions{true, false, true});
  CHECK(directions(KnownAtoms(molecule), cell) == Directions{true, true, true});
  CHECK(directions(KnownAtoms(molecule), slab) == Directions{true, true, false});
  CHECK(directions(KnownAtoms(molecule), Matrix3::Zero()) == Directions{false, false, false});
  CHECK(directions(KnownAtoms(14), slab) == Directions{true, true, false});
  // A molecule may be served after a crystal
  KnownAtoms any(14);
  CHECK(any.structure(cell, crystal.positions, "").cell.has_value());
  CHECK(!any.structure(Matrix3::Zero(), crystal.positions, "").cell.has_value());
  CHECK(any.structure(cell, Positions::Zero(2, 3), "").atomic_numbers == std::vector<int>{14, 14});
}

}  // namespace
}  // namespace gapkit
