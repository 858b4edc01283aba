"""pair_style hybrid, models on top of another one, ways to load the style, and mistakes."""

import json
import re
import shutil
import unittest
from unittest import mock

import numpy as np
from support import (BUILD, FOLDER, LAMMPS, PLUGIN, SOURCE, Frame, LammpsTest, model, predict, read_dump, run_lammps, run_program, silicon,
                     start_lammps, vectors)

RESULTS = """
compute e all pe/atom
thermo_style custom step pe press
dump d all custom 1 results.dump id type fx fy fz c_e {more}
dump_modify d sort id format float %.17g
run 0
print "$(pe:%.17g) $(press:%.17g)" file results.txt screen no
"""


def evaluate(text, more="", **settings):
    """Energy, pressure and the atoms of one structure."""
    run_lammps("units metal\n" + text + RESULTS.format(more=more), **settings)
    energy, pressure = (float(word) for word in (FOLDER / "results.txt").read_text().split())
    (atoms,) = read_dump(FOLDER / "results.dump")
    return energy, pressure, atoms


class Hybrid(LammpsTest):

    def test_overlay_adds_another_style(self):
        read = silicon((1, 1, 2), 11).data_file("overlay", ["Si"])
        gapkit, lj = f"gapkit\npair_coeff * * {{0}}{model('si')} Si\n", "lj/cut 6.0\npair_coeff * * {0}0.02 2.0\n"
        alone = [evaluate(f"{read}pair_style {style.format('')}") for style in (gapkit, lj)]
        both = "pair_style hybrid/overlay gapkit lj/cut 6.0\n" + "".join(
            style.format(name).split("\n")[1] + "\n" for style, name in ((gapkit, "gapkit "), (lj, "lj/cut ")))
        for ranks, newton in ((1, "on"), (2, "off")):
            energy, pressure, atoms = evaluate(f"newton {newton}\n{read}{both}", ranks=ranks)
            self.assert_close(energy, alone[0][0] + alone[1][0], name="energy")
            self.assert_close(pressure, alone[0][1] + alone[1][1], name="pressure")
            for column in ("fx", "fy", "fz", "c_e"):
                self.assertGreater(np.abs(alone[1][2][column]).max(), 1e-3)
                self.assert_close(atoms[column], alone[0][2][column] + alone[1][2][column], name=column)

    def test_types_without_an_element_are_left_out(self):
        # Two thirds of the atoms belong to the model, the others to a pair potential that acts on nothing but them.
        frame = silicon((1, 2, 2), 12)
        symbols = ["Mg" if k % 3 == 1 else "Si" for k in range(len(frame))]
        mixed = Frame(symbols, frame.positions, frame.cell)
        is_modelled = np.array(symbols) == "Si"
        part = Frame([s for s in symbols if s == "Si"], frame.positions[is_modelled], frame.cell)
        (expected,) = predict(model("si"), [part], "--std", "local,force")
        text = f"""{mixed.data_file("mixed", ["Mg", "Si"])}
pair_style hybrid gapkit lj/cut 5.0
pair_coeff * * gapkit {model('si')} NULL Si
pair_coeff 1 1 lj/cut 0.0 1.0
pair_coeff 1 2 lj/cut 0.0 1.0
compute local all gapkit/std
compute force all gapkit/std force points all
"""
        for ranks in (1, 2):
            energy, _, atoms = evaluate(text, "c_local c_force[*]", ranks=ranks)
            self.assert_close(energy, expected["gap_energy"][0], name="energy")
            self.assert_close(vectors(atoms, "fx", "fy", "fz")[is_modelled], expected["gap_forces"], name="forces")
            self.assert_close(atoms["c_local"][is_modelled], expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "local std")
            force = vectors(atoms, *(f"c_force[{d}]" for d in (1, 2, 3)))
            self.assert_close(force[is_modelled], expected["gap_forces_std"], 1e-4, "force std")
            for column in ("fx", "c_e", "c_local", "c_force[1]"):
                self.assertEqual(np.abs(atoms[column][~is_modelled]).max(), 0, column)

    def test_a_difference_with_its_base(self):
        """The base is another model of gapkit; error bars are those of the second instance."""
        base_values = FOLDER / "base_values.xyz"
        run_program([BUILD / "bin/gap-predict", model("cheap"), SOURCE / "data/silicon/train.xyz", "-o", base_values, "--prefix", "base_"])
        (FOLDER / "difference.toml").write_text(DIFFERENCE)
        run_program([BUILD / "bin/gap-fit", "difference.toml"])
        frame = silicon((1, 1, 2), 13)
        predict(model("cheap"), [frame], "--prefix", "base_")
        shutil.copy(FOLDER / "output.xyz", FOLDER / "with_base.xyz")
        (expected,) = predict(FOLDER / "difference.h5", FOLDER / "with_base.xyz", "--std", "local")
        text = f"""{frame.data_file("difference", ["Si"])}
pair_style hybrid/overlay gapkit gapkit difference
pair_coeff * * gapkit 1 {model('cheap')} Si
pair_coeff * * gapkit 2 difference.h5 Si
compute local all gapkit/std instance 2
"""
        energy, _, atoms = evaluate(text, "c_local")
        self.assert_close(energy, expected["gap_energy"][0], name="energy")
        self.assert_close(vectors(atoms, "fx", "fy", "fz"), expected["gap_forces"], name="forces")
        self.assert_close(atoms["c_local"], expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "local std")
        alone = start_lammps(f"units metal\n{frame.data_file('difference', ['Si'])}pair_style gapkit\npair_coeff * * difference.h5 Si\nrun 0\n")
        self.assertNotEqual(alone.returncode, 0)
        self.assertIn("the difference from another one", alone.stdout + alone.stderr)


DIFFERENCE = f"""
[data]
train = ["base_values.xyz"]
[reference_energies]
mode = "least_squares"
[[baseline]]
kind = "columns"
energy = "base_energy"
forces = "base_forces"
virial = "base_virial"
[[term]]
descriptor = "two_body"
cutoff = 4.5
delta = 1.0
kernel = "squared_exponential"
length_scale = 1.0
n_sparse = 10
[regularization]
energy = 0.01
force = 0.2
virial = 0.2
[output]
model = "difference.h5"
"""


class Loading(LammpsTest):

    def test_extrapolation_grades(self):
        # Without units of energy, with the forces and after them, and the scalar is the largest.
        frame = silicon((1, 1, 2), 20)
        read = frame.data_file("grades", ["Si"])
        text = f"""{read}pair_style gapkit
pair_coeff * * {model('si')} Si
compute grade all gapkit/std extrapolation
compute local all gapkit/std
group one id 3
compute one one gapkit/std extrapolation
thermo_style custom step pe press c_grade
"""
        (expected,) = predict(model("si"), [frame], "--std", "local,extrapolation")
        grades = expected["gap_extrapolation"][:, 0]
        self.assertGreater(grades.min(), 0)
        for units, ranks in (("metal", 1), ("real", 1), ("metal", 2)):
            with self.subTest(units=units, ranks=ranks):
                run_lammps(f"units {units}\n{text}" + RESULTS.replace("thermo_style custom step pe press\n", "").format(
                    more="c_grade c_local c_one").replace("$(press:%.17g)", "$(c_grade:%.17g)"), ranks=ranks)
                (atoms,) = read_dump(FOLDER / "results.dump")
                self.assert_close(atoms["c_grade"], grades, 1e-5, "grades")
                self.assert_close(float((FOLDER / "results.txt").read_text().split()[1]), grades.max(), 1e-5, "the largest")
                self.assertEqual(np.count_nonzero(atoms["c_one"]), 1)
                self.assert_close(atoms["c_one"][2], grades[2], 1e-5, "one atom")
                if units == "metal":
                    self.assert_close(atoms["c_local"], expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "local std")

    def test_forces_take_the_calibrated_quarter_of_the_points_by_default(self):
        read = silicon((1, 1, 1), 14).data_file("quarter", ["Si"])
        factors = json.loads(run_program([BUILD / "bin/gap-info", model("si"), "--json"]))["calibration"]["factors"]
        quick = next(f["points"] for f in factors if "points" in f)
        text = f"""{read}pair_style gapkit
pair_coeff * * {model('si')} Si
compute quick all gapkit/std force
compute whole all gapkit/std force points all
"""
        _, _, atoms = evaluate(text, "c_quick[*] c_whole[*]")
        for column, options in (("c_quick", ("--std-points", str(quick))), ("c_whole", ())):
            (expected,) = predict(model("si"), [silicon((1, 1, 1), 14)], "--std", "force", *options)
            self.assert_close(vectors(atoms, *(f"{column}[{d}]" for d in (1, 2, 3))), expected["gap_forces_std"], 1e-4, column)
        self.assertGreater(np.abs(atoms["c_quick[1]"] - atoms["c_whole[1]"]).max(), 0)

    def test_fewer_points_make_error_bars_wider(self):
        read = silicon((1, 1, 1), 14).data_file("points", ["Si"])
        text = f"""{read}pair_style gapkit
pair_coeff * * {model('si')} Si
compute whole all gapkit/std
compute few all gapkit/std points 10
"""
        _, _, atoms = evaluate(text, "c_whole c_few")
        (expected,) = predict(model("si"), [silicon((1, 1, 1), 14)], "--std", "local", "--std-points", "10")
        self.assert_close(atoms["c_few"], expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "std of few points")
        self.assertTrue((atoms["c_few"] > atoms["c_whole"]).all())

    def test_a_group_and_the_steps_of_a_run(self):
        """Values at later steps of a run, in a group, equal those of a new calculation."""
        frame = silicon((1, 1, 2), 15)
        run_lammps(f"""units metal
{frame.data_file("group", ["Si"])}pair_style gapkit
pair_coeff * * {model('si')} Si
group some id 1:5
compute some some gapkit/std
compute all all gapkit/std
velocity all create 4000 1
fix motion all nve
thermo_style custom step c_some c_all
dump d all custom 25 steps.dump id type element x y z c_some c_all
dump_modify d sort id format float %.17g element Si
run 50
print "$(c_some:%.17g) $(c_all:%.17g)" file largest.txt screen no
""")
        run_program([SOURCE / "lammps/dump-to-xyz", "steps.dump", "-o", "steps.xyz"])
        expected = predict(model("si"), FOLDER / "steps.xyz", "--std", "local")
        frames = read_dump(FOLDER / "steps.dump")
        self.assertEqual(len(frames), 3)
        for atoms, values in zip(frames, expected):
            self.assert_close(atoms["c_all"], values["gap_local_energy_std_epistemic"][:, 0], 1e-6, "all")
            self.assert_close(atoms["c_some"][:5], atoms["c_all"][:5], 1e-14, "the group")
            self.assertEqual(np.abs(atoms["c_some"][5:]).max(), 0)
        of_group, of_all = (float(word) for word in (FOLDER / "largest.txt").read_text().split())
        self.assertEqual((of_group, of_all), (frames[-1]["c_some"].max(), frames[-1]["c_all"].max()))

    def test_error_bars_belong_to_the_forces_if_a_fix_moves_the_atoms_after_them(self):
        """fix press/berendsen, deform and box/relax do so at the end of a step: images of atoms do not move then."""
        frame = silicon((1, 1, 2), 20, shear=0)  # fix press/berendsen takes orthogonal cells
        read = frame.data_file("moved", ["Si"])
        text = f"""units metal
{read}pair_style gapkit
pair_coeff * * {model('si')} Si
compute local all gapkit/std
compute points all gapkit/std points 70
compute force all gapkit/std force epistemic points all
dump d all custom 1 {{0}}.dump id c_local c_points c_force[*]
dump_modify d sort id format float %.17g
fix motion all nve
"""
        run_lammps(text.format("still") + "run 1\n")
        run_lammps(text.format("squeezed") + "fix press all press/berendsen iso 0 1e5 30\nrun 1\n"
                   'print "$(lx)" file moved.txt screen no\n')
        self.assertGreater(abs(float((FOLDER / "moved.txt").read_text()) - frame.cell[0, 0]), 0.1)
        still, squeezed = (read_dump(FOLDER / f"{name}.dump")[-1] for name in ("still", "squeezed"))
        self.assert_close(squeezed["c_points"], squeezed["c_local"], 1e-6, "all points")
        for column in ("c_local", "c_force[1]", "c_force[2]", "c_force[3]"):
            self.assert_close(squeezed[column], still[column], 1e-6, column)

    def test_the_model_is_found_in_the_folders_of_lammps_potentials(self):
        (FOLDER / "potentials").mkdir(exist_ok=True)
        shutil.copy(model("si"), FOLDER / "potentials/elsewhere.h5")
        read = silicon((1, 1, 1), 22).data_file("potentials", ["Si"])
        text = f"units metal\n{read}pair_style gapkit\npair_coeff * * elsewhere.h5 Si\nrun 0\n"
        self.assertIn("elsewhere.h5: cannot be read", " ".join(start_lammps(text).stdout.split()))
        with mock.patch.dict("os.environ", {"LAMMPS_POTENTIALS": f"/no/such:{FOLDER}/potentials"}):
            self.assertIn("model 'elsewhere.h5' (Si;", " ".join(run_lammps(text).split()))

    def test_atoms_at_one_place_bring_a_warning(self):
        read = silicon((1, 1, 1), 21).data_file("close", ["Si"])
        text = f"units metal\n{read}pair_style gapkit\npair_coeff * * {model('si')} Si\n{{}}fix motion all nve\nrun 2\n"
        warning = "two atoms are at 0 of the shortest distance of their elements in the training data"
        self.assertNotIn("two atoms are at", run_lammps(text.format("")))
        together = "set atom 1 x 0.5 y 0.5 z 0.5\nset atom 2 x 0.5 y 0.5 z 0.5\n"
        self.assertEqual(" ".join(run_lammps(text.format(together)).split()).count(warning), 1)

    @unittest.skipIf(LAMMPS, "for Debian's LAMMPS")
    def test_the_stock_program_with_an_include(self):
        read = silicon((1, 1, 1), 16).data_file("stock", ["Si"])
        text = f"{read}pair_style gapkit\npair_coeff * * {model('si')} Si\n"
        expected, *_ = evaluate(text)
        for ranks in (1, 2):
            found, *_ = evaluate(f"include {PLUGIN}/gapkit.lmp\n" + text, program="lmp", ranks=ranks)
            self.assert_close(found, expected, 1e-12)

    @unittest.skipUnless(LAMMPS, "LAMMPS 29 Sep 2021 has no fix pair")
    def test_fix_pair(self):
        read = silicon((1, 1, 2), 17).data_file("fix_pair", ["Si"])
        text = f"""{read}pair_style gapkit
pair_coeff * * {model('si')} Si
compute local all gapkit/std
fix local all pair 1 gapkit local_std 1
"""
        _, _, atoms = evaluate(text, "c_local f_local")
        self.assert_close(atoms["f_local"], atoms["c_local"], 1e-9)


class Mistakes(LammpsTest):
    """Each stops LAMMPS with a sentence."""

    SYSTEM = """units metal
{read}pair_style gapkit
pair_coeff * * {model} Si
"""

    def message(self, text, ranks=1):
        done = start_lammps(text, ranks=ranks)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        printed = done.stdout + done.stderr
        self.assertIn("ERROR", printed)
        # Versions break lines at other places.
        return " ".join(printed.split())

    def test_sentences(self):
        read = silicon((1, 1, 1), 18).data_file("mistakes", ["Si"])
        good = self.SYSTEM.format(read=read, model=model("si"))
        quip = SOURCE / "tests/data/gap_models/si_own_2b3bsoap.xml"
        (FOLDER / "no_model.h5").write_text("nothing")
        pair = Frame(["Mg", "Mg", "O"], [[0, 0, 0], [0, 0, 2], [0, 2, 0]], 9 * np.eye(3))
        oxide = self.SYSTEM.format(read=pair.data_file("oxide_pair", ["Mg", "O"]), model=model("mgo")).replace("h5 Si", "h5 Mg O")
        std = "compute s all gapkit/std {}\nthermo_style custom step c_s\n"
        for text, expected in [
                (good.replace(str(model("si")), "absent.h5"), r"absent\.h5"),
                (good.replace(str(model("si")), "no_model.h5"), r"no_model\.h5"),
                (good.replace("h5 Si", "h5 Xx"), r"'Xx' \(atom type 1\) is no element"),
                (good.replace("h5 Si", "h5 C"), r"atom type 1 is C, but the model '.*' knows Si only"),
                (good.replace("h5 Si", "h5 Si Si"), "the system has 1 atom types, but 2 elements follow"),
                (good.replace("h5 Si", "h5 NULL"), "all atom types are NULL"),
                (good.replace("style gapkit", "style gapkit fast"), "unknown keyword 'fast'"),
                (good.replace("style gapkit", "style gapkit difference"), "is no difference from another one"),
                (good.replace("units metal", "units lj"), "needs 'units metal' or 'units real', found 'units lj'"),
                (good + "neigh_modify exclude type 1 1\n", "neigh_modify exclude takes neighbours away"),
                (good + std.format("fast"), "unknown keyword 'fast'"),
                (good.replace("h5 Si", "h5 Si NULL").replace("read_data mistakes.data", "read_data mistakes.data extra/atom/types 1"),
                 "NULL leaves out the atoms of a type, which needs 'pair_style hybrid'"),
                (good + std.format("local force"), "'local' and 'force' need a compute each"),
                (good + std.format("extrapolation force"), "'extrapolation' and error bars need a compute each"),
                (good + std.format("extrapolation points 5"), "'extrapolation' has one form, of all points"),
                (good.replace(str(model("si")), str(model("si_held_out"))) + std.format("extrapolation"), "has no extrapolation thresholds"),
                (good + std.format("points"), "a number must follow 'points'"),
                (good + std.format("instance 2"), "no pair_style gapkit number 2"),
                (good + std.format("force") + "neighbor 2.0 multi\ncomm_modify mode multi\n", "needs 'comm_modify mode single'"),
                (good.replace(str(model("si")), str(quip)) + std.format(""), "has no posterior, so it has no error bars"),
                (oxide + "set atom 1 x 0.5 y 0.5 z 0.5\nset atom 2 x 0.5 y 0.5 z 0.5\n", "step 0, rank 0: .*not finite")]:
            with self.subTest(expected):
                self.assertRegex(self.message(text + "run 0\n"), expected)
        self.assertRegex(self.message(good.replace(str(model("si")), "absent.h5") + "run 0\n", ranks=2), r"absent\.h5")

    def test_excluded_bonds(self):
        frame = silicon((1, 1, 1), 19)
        frame.data_file("bonds", ["Si"])
        data = (FOLDER / "bonds.data").read_text().replace("1 atom types\n", "1 atom types\n1 bonds\n1 bond types\n")
        head, atoms = data.split("Atoms # atomic\n\n")
        atoms = "".join(re.sub(r"^(\d+) 1 ", r"\1 0 1 ", line) + "\n" for line in atoms.splitlines())
        (FOLDER / "bonds.data").write_text(f"{head}Atoms # bond\n\n{atoms}\nBonds\n\n1 1 1 2\n")
        text = """units metal
atom_style bond
read_data bonds.data extra/special/per/atom 4
bond_style zero
bond_coeff *
"""
        text += f"pair_style gapkit\npair_coeff * * {model('si')} Si\n"
        self.assertIn("special_bonds takes bonded atoms away", self.message(text + "run 0\n"))
        run_lammps(text + "special_bonds lj/coul 1 1 1\nthermo_style custom step pe\nrun 0\nprint \"$(pe:%.17g)\" file bonds.txt screen no\n")
        (expected,) = predict(model("si"), [frame])
        self.assert_close(float((FOLDER / "bonds.txt").read_text()), expected["gap_energy"][0])
