#include <gapkit/core/errors.hpp>
#include <gapkit/io/md5.hpp>
#include <gapkit/io/xml.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("an XML document becomes a tree with attributes, text and lines") {
  const XmlElement root = parse_xml(
      "<?xml version=\"1.0\"?>\n<a x='1' y=\"&lt;2&gt;\">\n  <b>one<!-- not this --> two</b>\n  <c/><b><![CDATA[<raw> & ]]></b>\n</a>\n",
      "x.xml");
  CHECK(root.name == "a");
  CHECK(root.line == 2);
  REQUIRE(root.find_attribute("y"));
  CHECK(*root.find_attribute("y") == "<2>");
  CHECK(root.find_attribute("z") == nullptr);
  REQUIRE(root.children_named("b").size() == 2);
  CHECK(root.children_named("b")[0]->text == "one two");
  CHECK(root.children_named("b")[0]->line == 3);
  CHECK(root.children_named("b")[1]->text == "<raw> & ");
  REQUIRE(root.find_child("c"));
  CHECK(root.find_child("c")->line == 4);
}

TEST_CASE("lines are right in documents larger than a block, and beyond 65535") {
  std::string text = "<a>\n";
  for (int i = 0; i < 70'000; ++i) text += "<b i=\"" + std::to_string(i) + "\"/>\n";
  const TemporaryFolder folder;
  const XmlElement root = read_xml(folder.write("large.xml", text + "</a>"));
  REQUIRE(root.children.size() == 70'000);
  for (const int i : {0, 1, 3000, 69'999}) {
    CHECK(root.children[static_cast<std::size_t>(i)].line == i + 2);
    CHECK(*root.children[static_cast<std::size_t>(i)].find_attribute("i") == std::to_string(i));
  }
}

TEST_CASE("what is not well formed is refused with file and line") {
  const auto message = [](const std::string& text) { return message_of<InputError>([&] { parse_xml(text, "x.xml"); }); };
  CHECK(message("<a>\n<b>\n</a>").find("x.xml:3:") == 0);
  CHECK(message("<a>\n<b>text").find("truncated") != std::string::npos);
  CHECK(message("<a>\n<b x=").find("truncated") != std::string::npos);
  CHECK(message("").find("empty") != std::string::npos);
  CHECK(message("no XML").find("x.xml:1:") == 0);
  CHECK(message("<a/><b/>").find("x.xml:1:") == 0);
  CHECK(message("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>").find("entity 'e'") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  CHECK(message(deep).find("deep") != std::string::npos);
  CHECK(message_of<InputError>([] { read_xml("no_such_file.xml"); }).find("no_such_file.xml: cannot be opened") == 0);
  CHECK(message_of<InputError>([] { read_xml("/"); }).find("cannot be opened") != std::string::npos);
}

TEST_CASE("escaped text is read back") {
  const std::string text = "a<b>&\"c\"";
  CHECK(parse_xml("<a x=\"" + xml_escaped(text) + "\">" + xml_escaped(text) + "</a>", "x").text == text);
}

TEST_CASE("MD5 of the test suite of RFC 1321, and of lengths around a block") {
  CHECK(md5_of("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_of("a") == "0cc175b9c0f1b6a831c399e269772661");
  CHECK(md5_of("abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(md5_of("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(md5_of("abcdefghijklmnopqrstuvwxyz") == "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK(md5_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == "d174ab98d277d9f5a5611c2c9f419d9f");
  CHECK(md5_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890") == "57edf4a22be3c955ac49da2e2107b67a");
  // coreutils md5sum of that many letters x
  CHECK(md5_of(std::string(55, 'x')) == "04364420e25c512fd958a70738aa8f72");
  CHECK(md5_of(std::string(56, 'x')) == "668a72d5ba17f08e62dabcafad6db14b");
  CHECK(md5_of(std::string(64, 'x')) == "c1bb4f81d892b2d57947682aeb252456");
  CHECK(md5_of(std::string(1000, 'x')) == "398533d48111e9f664b1f64cb10c4b63");
}
