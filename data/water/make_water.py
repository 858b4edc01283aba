"""Dipoles of water monomers and dimers, and their derivatives by the positions, with GFN2-xTB (Debian package xtb 6.5.1).

Monomers: the equilibrium geometry with normal displacements. Dimers: two monomers at random orientations and distances, kept if the energy is
less than 0.4 eV above two relaxed monomers. Derivatives: central differences of dipoles, 0.005 Å. The same seed gives the same frames.
usage: make_water.py OUT.xyz monomer|dimer N SEED [frames with derivatives]
"""
import os
import sys
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'ions_xtb'))
from xtb_label import label, SYM, HARTREE

WATER = np.array([[0, 0, 0], [.7715, .5740, 0], [-.7715, .5740, 0]])
MONOMER_ENERGY = -5.07054 * HARTREE
NUMBERS = [8, 1, 1]
STEP = 0.005


def rotation(rng):
    q = rng.normal(size=4)
    q /= np.linalg.norm(q)
    w, x, y, z = q
    return np.array([[1-2*(y*y+z*z), 2*(x*y-z*w), 2*(x*z+y*w)], [2*(x*y+z*w), 1-2*(x*x+z*z), 2*(y*z-x*w)], [2*(x*z-y*w), 2*(y*z+x*w), 1-2*(x*x+y*y)]])


def monomer(rng):
    return (WATER + .05 * rng.normal(size=(3, 3))) @ rotation(rng).T


def dimer(rng):
    while True:
        u = rng.normal(size=3)
        first, second = monomer(rng), monomer(rng) + rng.uniform(2.5, 4.5) * u / np.linalg.norm(u)
        if np.linalg.norm(first[:, None] - second[None], axis=2).min() > 1.6:
            x = np.vstack([first, second])
            return x - x.mean(0)


def derivatives(numbers, x):
    """[atoms, 9]: the change of dipole component b by coordinate a of the atom at 3 a + b."""
    result = np.zeros((len(x), 9))
    for i in range(len(x)):
        for a in range(3):
            dipoles = []
            for side in (1, -1):
                moved = x.copy()
                moved[i, a] += side * STEP
                dipoles.append(label(numbers, moved, acc='0.001')['dipole'])
            result[i, 3 * a:3 * a + 3] = (dipoles[0] - dipoles[1]) / (2 * STEP)
    return result


def main():
    out, kind, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    with_derivatives = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    rng = np.random.default_rng(seed)
    numbers = NUMBERS * (2 if kind == 'dimer' else 1)
    done = 0
    with open(out, 'w') as f:
        while done < count:
            x = dimer(rng) if kind == 'dimer' else monomer(rng)
            x = np.round(x, 6)
            r = label(numbers, x, acc='0.01')
            if r is None or (kind == 'dimer' and r['energy'] > 2 * MONOMER_ENERGY + 0.4):
                continue
            z = derivatives(numbers, x) if done < with_derivatives else None
            more = ':dipole_derivatives:R:9' if z is not None else ''
            f.write('%d\nProperties=species:S:1:pos:R:3:forces:R:3%s energy=%.8f dipole="%s" config_type=%s pbc="F F F"\n'
                    % (len(x), more, r['energy'], ' '.join('%.7f' % v for v in r['dipole']), kind))
            for i in range(len(x)):
                row = ['%.6f' % v for v in x[i]] + ['%.6f' % v for v in r['forces'][i]]
                if z is not None:
                    row += ['%.5f' % v for v in z[i]]
                f.write(SYM[numbers[i]] + ' ' + ' '.join(row) + '\n')
            f.flush()
            done += 1


if __name__ == '__main__':
    main()
