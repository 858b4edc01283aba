"""A model ionic crystal whose long range is known exactly: point charges +1/-1 and A exp(-r/rho) between all pairs.

A = 1133.8 eV, rho = 0.32 A (rock salt: r0 = 2.82 A), cut at 9 A. Energy zero: ions infinitely far apart. Coulomb sums are gapkit's own.
train: rock salt rattled and strained, 8 and 16 atoms, two ions in contact. test: the same, and what is not in train: other phases, vacancy pairs,
slabs, clusters, two ions apart.

    /usr/bin/python3 make_nacl.py [FOLDER]      writes nacl_train.xyz and nacl_test.xyz (needs gapkit and ASE)
"""
import os
import sys

import ase
import numpy as np
from ase.neighborlist import neighbor_list

import gapkit

A, RHO, CUTOFF = 1133.8, 0.32, 9.0


def born_mayer(atoms):
    i, j, r, d = neighbor_list('ijdD', atoms, CUTOFF)
    pair = A * np.exp(-r / RHO)
    pull = (-pair / RHO / r)[:, None] * d  # dE/dr along d
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, i, pull)
    return 0.5 * pair.sum(), forces, -0.5 * np.einsum('pa,pb->ab', pull, d)


def label(cell, pbc, species, positions):
    atoms = ase.Atoms(species, positions=positions, cell=cell, pbc=[bool(p) for p in pbc])
    coulomb = gapkit.evaluate_potential(atoms, 'coulomb', charges={'Na': 1.0, 'Cl': -1.0}, accuracy=1e-13)
    energy, forces, virial = born_mayer(atoms)
    return coulomb.energy + energy, coulomb.forces + forces, coulomb.virial + virial


def write(f, cell, pbc, species, positions, config_type):
    energy, forces, virial = label(cell, pbc, species, positions)
    virial = 0.5 * (virial + virial.T)
    lattice = '' if cell is None else 'Lattice="' + ' '.join('%.8f' % v for v in np.ravel(cell)) + '" '
    virial = 'virial="' + ' '.join('%.10f' % v for v in virial.ravel()) + '" ' if all(pbc) else ''
    f.write(f'{len(species)}\n{lattice}Properties=species:S:1:pos:R:3:forces:R:3:charge:R:1 energy={energy:.10f} {virial}config_type={config_type} '
            'pbc="' + ' '.join('T' if p else 'F' for p in pbc) + '"\n')
    for s, p, g in zip(species, positions, forces):
        f.write(s + ' ' + ' '.join('%.8f' % v for v in p) + ' ' + ' '.join('%.10f' % v for v in g) + (' 1' if s == 'Na' else ' -1') + '\n')


FCC = np.array([[0, .5, .5], [.5, 0, .5], [.5, .5, 0]])


def crystal(kind, a, rep):
    if kind == 'rocksalt':
        base, fractional = FCC, [[0, 0, 0], [.5, .5, .5]]
    if kind == 'zincblende':
        base, fractional = FCC, [[0, 0, 0], [.25, .25, .25]]
    if kind == 'cscl':
        base, fractional = np.eye(3), [[0, 0, 0], [.5, .5, .5]]
    if kind == 'cubic8':
        g = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        return a * np.eye(3), ['Na' if s % 2 == 0 else 'Cl' for s in g.sum(1)], g * a / 2
    cell = a * base
    unit = np.array(fractional) @ cell
    positions, species = [], []
    for i in range(rep[0]):
        for j in range(rep[1]):
            for k in range(rep[2]):
                positions.append(unit + np.array([i, j, k]) @ cell)
                species += ['Na', 'Cl']
    return cell * np.array(rep)[:, None], species, np.vstack(positions)


def rattle(rng, cell, positions, sigma, strain):
    e = rng.uniform(-strain, strain, (3, 3))
    e = np.eye(3) + .5 * (e + e.T) * (.5 + .5 * np.eye(3))
    return cell @ e.T, positions @ e.T + sigma * rng.normal(size=positions.shape)


def rattled(f, rng, kind, a, rep, sigma, strain, config_type):
    cell, species, positions = crystal(kind, a, rep)
    cell, positions = rattle(rng, cell, positions, rng.uniform(.02, .25) if sigma is None else sigma, strain)
    write(f, cell, (1, 1, 1), species, positions, config_type)


def ions(f, r, config_type):
    write(f, None, (0, 0, 0), ['Na', 'Cl'], np.array([[0, 0, 0], [0, 0, r]]), config_type)


def alternating(g):
    return ['Na' if v % 2 == 0 else 'Cl' for v in g.sum(1)]


def write_train(f, rng):
    for _ in range(24):
        rattled(f, rng, 'cubic8', 5.64 * rng.uniform(.94, 1.08), None, None, .04, 'rattle8')
    for _ in range(16):
        rattled(f, rng, 'rocksalt', 5.64 * rng.uniform(.96, 1.05), (2, 2, 2), None, .03, 'rattle16')
    for r in np.linspace(2.0, 3.4, 8):
        ions(f, r, 'dimer_near')


def write_test(f, rng):
    for _ in range(8):
        rattled(f, rng, 'cubic8', 5.64 * rng.uniform(.94, 1.08), None, None, .04, 'rattle8')
    for kind, a0 in (('cscl', 3.44), ('zincblende', 6.1)):
        for _ in range(6):
            rattled(f, rng, kind, a0 * rng.uniform(.95, 1.08), (1, 1, 1), .04, .02, kind)
    for i in range(4):  # a pair of vacancies, far and near
        cell, species, p = crystal('rocksalt', 5.64, (3, 3, 3))
        p = p + .05 * rng.normal(size=p.shape)
        na = [k for k in range(len(species)) if species[k] == 'Na']
        cl = [k for k in range(len(species)) if species[k] == 'Cl']
        out = {na[0], cl[[0, 3, 13, 20][i]]}
        keep = [k for k in range(len(species)) if k not in out]
        write(f, cell, (1, 1, 1), [species[k] for k in keep], p[keep], 'vacancy_pair')
    for n in (2, 3, 4, 6):  # (100) slabs in vacuum, periodic in two directions only
        g = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in range(n)])
        write(f, np.diag([5.64, 5.64, 60.]), (1, 1, 0), alternating(g), g * 2.82 + .05 * rng.normal(size=g.shape), 'slab100')
    for n in (1, 2, 2, 3):  # polar (111) slabs Na|Cl: a field across
        a, d = 5.64 / np.sqrt(2), 5.64 / np.sqrt(12)
        cell = np.array([[a, 0, 0], [a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 60.]])
        shift = (cell[0] + cell[1]) / 3
        p = np.array([(k % 3) * shift + [0, 0, k * d] for k in range(2 * n)])
        write(f, cell, (1, 1, 0), ['Na', 'Cl'] * n, p + .03 * rng.normal(size=(2 * n, 3)), 'polar111')
    for n in ((2, 2, 2), (2, 2, 4), (4, 2, 2), (2, 4, 4), (4, 4, 4)):  # cubes cut out of the crystal
        g = np.array([[x, y, z] for x in range(n[0]) for y in range(n[1]) for z in range(n[2])])
        write(f, None, (0, 0, 0), alternating(g), g * 2.75 + .05 * rng.normal(size=g.shape), 'cluster')
    for r in (4., 5., 6., 8., 10., 15.):
        ions(f, r, 'dimer_far')


if __name__ == '__main__':
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    rng = np.random.default_rng(20261128)
    with open(os.path.join(folder, 'nacl_train.xyz'), 'w') as f:
        write_train(f, rng)
    with open(os.path.join(folder, 'nacl_test.xyz'), 'w') as f:
        write_test(f, rng)
