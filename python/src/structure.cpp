#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/io/targets.hpp>

#include "bindings.hpp"

namespace gapkit::python {
namespace {

using Numbers = py::array_t<int, py::array::c_style | py::array::forcecast>;
using Reals = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::string shape_text(const py::array& array) {
  std::string text;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) text += fmt::format("{}{}", d > 0 ? ", " : "", array.shape(d));
  return "(" + text + ")";
}

// `cell` is None for a molecule.
Structure make_structure(const Numbers& numbers, const Reals& positions, const std::optional<Reals>& cell, const std::array<bool, 3>& pbc,
                         const std::string& source) {
  Structure s;
  s.source = source;
  if (numbers.ndim() != 1) throw InputError(s.place() + "numbers has the shape " + shape_text(numbers) + ", expected (atoms,)");
  const py::ssize_t atoms = numbers.shape(0);
  if (atoms == 0) throw InputError(s.place() + "the structure has no atoms, expected at least one");
  if (positions.ndim() != 2 || positions.shape(0) != atoms || positions.shape(1) != 3)
    throw InputError(s.place() + fmt::format("positions has the shape {}, expected ({}, 3)", shape_text(positions), atoms));
  s.atomic_numbers.assign(numbers.data(), numbers.data() + atoms);
  s.positions = Eigen::Map<const Positions>(positions.data(), atoms, 3);
  s.pbc = pbc;
  if (cell) {
    if (cell->ndim() != 2 || cell->shape(0) != 3 || cell->shape(1) != 3)
      throw InputError(s.place() + "cell has the shape " + shape_text(*cell) + ", expected (3, 3)");
    s.cell = Eigen::Map<const Matrix3>(cell->data());
  } else if (pbc[0] || pbc[1] || pbc[2]) {
    throw InputError(s.place() + "pbc names a periodic direction, but there is no cell");
  }
  return s;
}

template <class Value>
std::vector<Value> list_of(const py::array& array) {
  const auto values = py::array_t<Value, py::array::c_style | py::array::forcecast>(array);
  return std::vector<Value>(values.data(), values.data() + values.size());
}

std::vector<std::string> texts_of(const py::array& array) {
  std::vector<std::string> texts;
  for (const py::handle item : array.attr("ravel")()) texts.push_back(py::str(item));
  return texts;
}

bool is_integer(char kind) {
  return kind == 'i' || kind == 'u';
}

// Numbers, texts, and arrays of them with at most two dimensions. Anything else becomes a text that tells its type: harmless under a name
// that nobody reads, and a mistake that is named under that of a target.
FieldValue field_value(const py::object& value) {
  const py::array array = py::array::ensure(value);
  const std::string unreadable = "<" + std::string(py::str(py::type::of(value).attr("__name__"))) + ">";
  if (!array || array.ndim() > 2) {
    PyErr_Clear();
    return unreadable;
  }
  const char kind = array.dtype().kind();
  if (kind == 'U') return array.ndim() == 0 ? FieldValue(std::string(py::str(value))) : FieldValue(texts_of(array));
  if (kind == 'b' && array.ndim() < 2) {
    const auto list = list_of<bool>(array);
    return array.ndim() == 0 ? FieldValue(bool(list.at(0))) : FieldValue(list);
  }
  if (is_integer(kind) && array.ndim() < 2) {
    auto list = list_of<std::int64_t>(array);
    return array.ndim() == 0 ? FieldValue(list.at(0)) : FieldValue(std::move(list));
  }
  if (kind != 'f' && !is_integer(kind)) return unreadable;
  auto list = list_of<double>(array);
  if (array.ndim() == 0) return list.at(0);
  if (array.ndim() == 1) return list;
  return Matrix(Eigen::Map<const Matrix>(list.data(), array.shape(0), array.shape(1)));
}

void set_column(Structure& s, const std::string& name, const py::array& array) {
  const auto atoms = static_cast<py::ssize_t>(s.size());
  if (array.ndim() < 1 || array.ndim() > 2 || array.shape(0) != atoms)
    throw InputError(
        s.place() + fmt::format("the array '{}' has the shape {}, expected ({},) or ({}, columns)", name, shape_text(array), atoms, atoms));
  Column column{.name = name, .count = array.ndim() == 2 ? static_cast<int>(array.shape(1)) : 1, .values = {}};
  const char kind = array.dtype().kind();
  if (kind == 'f')
    column.values = list_of<double>(array);
  else if (is_integer(kind))
    column.values = list_of<std::int64_t>(array);
  else if (kind == 'b')
    column.values = list_of<bool>(array);
  else
    column.values = texts_of(array);
  std::erase_if(s.columns, [&](const Column& c) { return c.name == name; });
  s.columns.push_back(std::move(column));
}

struct Places {
  bool fields, columns;
};

/// Keys and columns of the base, by source; in the order of the table.
py::dict names_of_base(const BaseKeys& base, Places wanted) {
  py::dict names;
  for (const TargetSource& source : target_sources())
    if (const auto found = base.columns.find(source.name);
        found != base.columns.end() && (source.is_column ? wanted.columns : wanted.fields))
      names[source.name] = found->second;
  return names;
}

}  // namespace

void add_structure(py::module_& module) {
  py::class_<TargetKeys> target_keys(module, "TargetKeys");
  target_keys.def(py::init<>())
      .def("__copy__", [](const TargetKeys& other) { return other; })
      .def_readwrite("config_type", &TargetKeys::config_type)
      .def_readwrite("force_mask", &TargetKeys::force_mask)
      .def_property_readonly("base_columns",
                             [](const TargetKeys& k) {
                               return names_of_base(k.base, {true, true});
                             })
      .def_property_readonly("base_fields",
                             [](const TargetKeys& k) {
                               return names_of_base(k.base, {true, false});
                             })
      .def_property_readonly("base_arrays",
                             [](const TargetKeys& k) {
                               return names_of_base(k.base, {false, true});
                             })
      .def_property_readonly("base_name", [](const TargetKeys& k) { return k.base.name; })
      .def_property_readonly("base_text", [](const TargetKeys& k) { return k.base.text(); })
      .def(
          "set_base",
          [](TargetKeys& k, const std::string& name, const std::map<std::string, std::string>& columns) {
            k.base = {.columns = {columns.begin(), columns.end()}, .name = name};
          },
          py::arg("name"), py::arg("columns"));
  for (const TargetSource& source : target_sources())
    target_keys.def_property(
        source.name, [name = source.name](const TargetKeys& self) { return self.named(name); },
        [name = source.name](TargetKeys& self, const std::string& key) { self.name(name, key); });
  py::class_<Structure>(module, "Structure")
      .def(py::init(&make_structure), py::arg("numbers"), py::arg("positions"), py::arg("cell"), py::arg("pbc"), py::arg("source") = "")
      .def("set_field", [](Structure& s, const std::string& key, const py::object& value) { s.set_field(key, field_value(value)); })
      .def("set_column", &set_column)
      .def("assign_targets", [](Structure& s, const TargetKeys& keys) { assign_targets(s, keys); })
      .def_readonly("config_type", &Structure::config_type)
      .def_readonly("energy", &Structure::energy)
      .def("__len__", &Structure::size);
}

}  // namespace gapkit::python
