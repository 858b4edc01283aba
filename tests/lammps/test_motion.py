"""Molecular dynamics: ranks, conservation of energy, halts, restarts, and the recipes of lammps/examples."""

import re
import shutil

import numpy as np
from support import (BUILD, CONFIGURATIONS, FOLDER, SOURCE, LammpsTest, model, predict, read_dump, read_frames, run_lammps, run_program,
                     silicon, vectors)

EXAMPLES = SOURCE / "lammps/examples"

LOOP = """
[data]
train = ["{source}/data/silicon/train.xyz"]
[reference_energies]
mode = "isolated"
[loop]
folder = "loop"
labels = 2
[[source]]
kind = "pool"
files = ["pool.xyz"]
[threshold]
quantity = "local_energy"
mode = "absolute"
value = 0.01
[choose]
per_round = 2
[label]
kind = "stillinger_weber"
"""


# Silicon that moves as a whole too, so that atoms cross the borders of domains.
MOVING = """units metal
{read}
pair_style gapkit
pair_coeff * * {model} Si
neighbor 1.0 bin
neigh_modify delay 0
velocity all create 2000 4711
velocity all set 20 10 5 sum yes units box
fix motion all nve
"""


def crystal(model_name, size, temperature):
    read = f"""lattice diamond 5.43
region box block 0 {size} 0 {size} 0 {size}
create_box 1 box
create_atoms 1 box
mass 1 28.085"""
    return MOVING.format(read=read, model=model(model_name)).replace("create 2000 4711", f"create {temperature} 4711 loop geom")


def thermo_table(log, columns):
    """Rows of the last table of numbers."""
    lines, rows = log.splitlines(), []
    start = max(i for i, line in enumerate(lines) if line.split()[:1] == ["Step"])
    for line in lines[start + 1:]:
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            break
        rows.append(row)
    table = np.array(rows)
    assert table.shape[1] == columns, log
    return table


class Motion(LammpsTest):

    def test_ranks_and_newton_give_the_same_trajectory_while_atoms_cross_domains(self):
        # From a file: the numbers of atoms that create_atoms makes depend on the ranks.
        frame = silicon((3, 3, 3), 6, noise=0.05)
        text = MOVING.format(read=frame.data_file("moving", ["Si"]), model=model("cheap")) + """thermo_style custom step etotal press
thermo 50
thermo_modify format float %.17g
dump d all custom 300 moved.dump id xu yu zu
dump_modify d sort id format float %.17g
run 300
"""
        results = []
        for ranks, newton in ((1, "on"), (2, "on"), (4, "on"), (3, "off")):
            log = run_lammps(f"newton {newton}\n" + text, ranks=ranks)
            self.assertGreater(int(re.search(r"Neighbor list builds = (\d+)", log)[1]), 3)
            start, end = (vectors(frame, "xu", "yu", "zu") for frame in read_dump(FOLDER / "moved.dump"))
            results.append((thermo_table(log, 3)[:, 1:], end - start))
        # Atoms cross the middle of the cell, a border of domains.
        middle = frame.cell[0, 0] / 2
        self.assertGreater(np.sum((start[:, 0] < middle - 1) & (end[:, 0] > middle + 1)), 10)
        for table, moved in results[1:]:
            self.assert_close(moved, results[0][1], 1e-9, "displacements")
            self.assert_close(table[:, 0], results[0][0][:, 0], 1e-11, "energies")
            self.assert_close(table[:, 1], results[0][0][:, 1], 1e-8, "pressures")

    def test_energy_is_conserved_over_ten_picoseconds(self):
        text = crystal("cheap", 4, 900) + """thermo_style custom step etotal temp
thermo 50
thermo_modify format float %.17g
run 10000
"""
        table = thermo_table(run_lammps(text), 3)
        self.assertEqual(len(table), 201)
        time, energy = table[20:, 0] / 1000, table[20:, 1] / 512  # ps, eV per atom, after the first picosecond
        drift = np.polyfit(time, energy, 1)[0]
        self.assertLess(abs(drift), 1e-5)
        self.assertLess(np.ptp(energy), 1e-4)
        self.assertGreater(table[20:, 2].min(), 300)

    def test_restart(self):
        start = crystal("cheap", 2, 1500)
        end = "thermo_style custom step etotal press\nthermo_modify format float %.17g\nrun 20\n"
        whole = thermo_table(run_lammps(start + "run 20\n" + end), 3)[-1]
        run_lammps(start + "run 20\nwrite_restart half.restart\n")
        again = f"read_restart half.restart\npair_style gapkit\npair_coeff * * {model('cheap')} Si\nneighbor 1.0 bin\nfix motion all nve\n"
        self.assertIn("stores no restart info", log := run_lammps(again + end))
        self.assert_close(thermo_table(log, 3)[-1], whole, 1e-11, "after the restart")


class Halt(LammpsTest):
    """A melting crystal whose error bars grow."""

    THRESHOLD = 0.012  # eV

    def halted(self, ranks):
        text = crystal("si", 2, 5000) + f"""compute std all gapkit/std
variable largest equal c_std
thermo_style custom step temp v_largest
thermo 10
fix stop all halt 10 v_largest > {self.THRESHOLD} error soft
run 5000
write_dump all custom halt.dump id type element x y z c_std modify element Si sort id format float %.17g
"""
        log = run_lammps(text, ranks=ranks)
        step, value = re.search(r"Fix halt condition for fix-id stop met on step (\d+) with value (\S+)", log).groups()
        return int(step), float(value), thermo_table(log, 3), read_dump(FOLDER / "halt.dump")[-1]

    def test_it_halts_at_the_same_step_on_any_number_of_ranks(self):
        results = [self.halted(ranks) for ranks in (1, 2)]
        step, value, table, frame = results[0]
        self.assertTrue(10 <= step <= 500, step)
        self.assertGreater(value, self.THRESHOLD)
        self.assertTrue((table[:-1, 2] <= self.THRESHOLD).all())
        self.assertGreater(table[-5:, 1].mean(), 2000)
        self.assertEqual(results[1][0], step)
        self.assert_close(results[1][1], value, 1e-6, "the error bar")
        # The dump of the halt has the structure and its error bars.
        self.assertEqual(frame["step"], step)
        run_program([SOURCE / "lammps/dump-to-xyz", "halt.dump", "-o", "halt.xyz"])
        (expected,) = predict(model("si"), FOLDER / "halt.xyz", "--std", "local")
        self.assert_close(frame["c_std"], expected["gap_local_energy_std_epistemic"][:, 0], 1e-6, "error bars")
        self.assert_close(expected["gap_local_energy_std_epistemic"].max(), value, 1e-6, "the largest")


class Recipes(LammpsTest):
    """The files of lammps/examples as they stand, with a small crystal."""

    def run_example(self, name, **variables):
        folder = FOLDER / "examples"
        shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
        options = [word for pair in variables.items() for word in ("-var", pair[0], str(pair[1]))]
        text = (EXAMPLES / name).read_text()
        return folder, run_lammps(text, folder=folder, options=["-var", "model", str(model("si")), "-var", "size", "2", *options])

    def test_error_bars_in_the_dump(self):
        folder, _ = self.run_example("in.error-bars")
        frames = read_dump(folder / "error-bars.dump")
        self.assertEqual([frame["step"] for frame in frames], list(range(0, 1001, 100)))
        self.assertTrue(all(frame["c_std"].min() > 0 for frame in frames))

    def test_halt(self):
        folder, log = self.run_example("in.halt", temperature=2500, threshold=0.01)
        step = int(re.search(r"the run ended at step (\d+)", log)[1])
        self.assertTrue(10 <= step < 20000)
        (frame,) = read_dump(folder / "halt.dump")
        self.assertGreater(frame["c_std"].max(), 0.01)

    def test_halt_by_extrapolation(self):
        folder, log = self.run_example("in.halt-extrapolation", temperature=4000)
        step = int(re.search(r"the run ended at step (\d+)", log)[1])
        self.assertTrue(10 <= step < 20000)
        (frame,) = read_dump(folder / "halt.dump")
        self.assertGreater(frame["c_grade"].max(), 1)
        run_program([SOURCE / "lammps/dump-to-xyz", folder / "halt.dump", "-o", "halt_grades.xyz"])
        (expected,) = predict(model("si"), FOLDER / "halt_grades.xyz", "--std", "extrapolation")
        self.assert_close(frame["c_grade"], expected["gap_extrapolation"][:, 0], 1e-5, "grades")

    def test_pool(self):
        threshold = 0.012
        folder, _ = self.run_example("in.pool", temperature=2500, threshold=threshold)
        with self.assertRaisesRegex(AssertionError, "is a dump of LAMMPS.*lammps/dump-to-xyz"):
            predict(model("si"), folder / "pool.dump")
        output = run_program([SOURCE / "lammps/dump-to-xyz", folder / "pool.dump", "-o", "pool.xyz"])
        written, left_out = map(int, re.search(r"pool.xyz: (\d+) frames \((\d+) without atoms left out\)", output).groups())
        self.assertEqual(written + left_out, 41)
        self.assertGreater(written, 3)
        largest = [frame["gap_local_energy_std_epistemic"].max() for frame in predict(model("si"), FOLDER / "pool.xyz", "--std", "local")]
        self.assertEqual(len(largest), written)
        self.assertGreater(min(largest), threshold * (1 - 1e-4))
        # A loop on this pool, as in docs/lammps.md
        (FOLDER / "loop.toml").write_text(CONFIGURATIONS["si"][1] + LOOP.format(source=SOURCE))
        run_program([BUILD / "bin/gap-active", "loop.toml"])
        labelled = read_frames(FOLDER / "loop/labelled.xyz")
        self.assertEqual(len(labelled), 2)
        pool = [frame["pos"] for frame in read_frames(FOLDER / "pool.xyz")]
        self.assertTrue(all(any(np.abs(frame["pos"] - pos).max() < 1e-12 for pos in pool) for frame in labelled))


class Conversion(LammpsTest):
    """Cells, origins and coordinates of dumps."""

    def test_cells_and_coordinates(self):
        text = """units metal
boundary p p {z}
lattice diamond 5.43
region box prism {box}
create_box 2 box
create_atoms 1 region box
displace_atoms all random 0.2 0.2 0.2 815
set atom 3 type 2
mass * 28.085
pair_style zero 5.0
pair_coeff * *
write_dump all custom {name}.dump id type element {columns} modify element Si Mg sort id format float %.17g
write_dump all custom plain.dump id x y z modify sort id format float %.17g
variable origin equal xlo
print "$(xlo:%.17g) $(ylo:%.17g) $(zlo:%.17g) $(lx:%.17g) $(ly:%.17g) $(lz:%.17g) $(xy:%.17g) $(xz:%.17g) $(yz:%.17g)" file box.txt screen no
"""
        cases = [("skewed", "-1 1 0.5 2.5 0 2 0.4 -0.7 0.3", "x y z", "p"), ("scaled", "0 2 0 2 0 3 -0.9 0.8 -0.6", "xs ys zs", "p"),
                 ("unwrapped", "0 2 0 2 0 2 0 0 0.2", "xu yu zu", "f"), ("scaled_unwrapped", "0 2 0 1 0 1 0 0 0", "xsu ysu zsu", "p")]
        for name, box, columns, z in cases:
            with self.subTest(name):
                run_lammps(text.format(name=name, box=box, columns=columns, z=z))
                run_program([SOURCE / "lammps/dump-to-xyz", f"{name}.dump", "-o", f"{name}.xyz"])
                (frame,) = read_frames(FOLDER / f"{name}.xyz")
                numbers = np.array([float(word) for word in (FOLDER / "box.txt").read_text().split()])
                origin, (lx, ly, lz, xy, xz, yz) = numbers[:3], numbers[3:]
                self.assert_close(frame["Lattice"], [lx, 0, 0, xy, ly, 0, xz, yz, lz], 1e-13, "cell")
                plain = vectors(read_dump(FOLDER / "plain.dump")[0], "x", "y", "z")
                self.assertEqual(frame["pos"].shape, plain.shape)
                periods = (frame["pos"] - plain + origin) @ np.linalg.inv(frame["Lattice"].reshape(3, 3))
                self.assertLess(np.abs(periods - np.round(periods)).max(), 1e-13)
                if name in ("skewed", "scaled"):
                    self.assertLess(np.abs(periods).max(), 1e-13)
                self.assertEqual(list(frame["species"][:4, 0]), ["Si", "Si", "Mg", "Si"])
                header = (FOLDER / f"{name}.xyz").read_text().splitlines()[1]
                self.assertIn(f'pbc="T T {"T" if z == "p" else "F"}"', header)

    def test_mistakes(self):
        good = """ITEM: TIMESTEP
5
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS pp pp pp
0 3
0 3
0 3
ITEM: ATOMS id type element x y z c_std
1 1 Si 0 0 1 0.5
"""
        for text, expected, options in [
                (good.replace("element", "q"), "no column 'element'", []), (good.replace("Si 0", "C1 0"), "'C1' is no element", []),
                (good.replace("x y z", "q r s"), "no positions", []), (good.replace("0 3\n0 3\n0 3", "0 3\n0 x\n0 3"), "expected 2 numbers", []),
                (good.replace("1 1 Si", "1 2 Si"), "atom of type 2, but --elements names 1", ["--elements", "Si"]),
                (good.replace("ITEM: NUMBER", "NUMBER"), "expected a dump of LAMMPS", []), ("ITEM: UNITS\nlj\n" + good, "units are 'lj'", [])]:
            with self.subTest(expected):
                (FOLDER / "wrong.dump").write_text(text)
                with self.assertRaisesRegex(AssertionError, expected):
                    run_program([SOURCE / "lammps/dump-to-xyz", "wrong.dump", "-o", "wrong.xyz", *options])
        (FOLDER / "cut.dump").write_text(good + good[:-20])
        self.assertIn("1 frames", run_program([SOURCE / "lammps/dump-to-xyz", "cut.dump", "-o", "cut.xyz"]))
        self.assertEqual(read_frames(FOLDER / "cut.xyz")[0]["c_std"][0, 0], 0.5)

    def test_a_mistake_leaves_files_as_they_are(self):
        atom = "ITEM: ATOMS id element x y z\n1 Si {} 0 1\n"
        good = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 3\n0 3\n0 3\n" + atom.format(0)
        (FOLDER / "good.dump").write_text(good)
        (FOLDER / "nan.dump").write_text(good.replace(atom.format(0), atom.format("nan")))
        (FOLDER / "binary.dump").write_bytes(b"\x89HDF\r\n")
        (FOLDER / "kept.xyz").write_text("precious")
        for given, output, expected in [("good.dump", "good.dump", "would be overwritten"), ("nan.dump", "kept.xyz", "'nan 0 1', expected three finite"),
                                        ("binary.dump", "kept.xyz", "a file is no text"), ("absent.dump", "kept.xyz", "absent.dump: No such file"),
                                        ("good.dump", "no/such.xyz", "no/such.xyz: No such file")]:
            with self.subTest(given):
                before = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
                with self.assertRaisesRegex(AssertionError, expected):
                    run_program([SOURCE / "lammps/dump-to-xyz", given, "-o", output])
                self.assertEqual({path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}, before)
