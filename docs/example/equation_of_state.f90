! Energy, its error bar and pressure of silicon in the diamond structure at some lattice constants, in Fortran.
!
!     equation_of_state silicon.h5
program equation_of_state
  use, intrinsic :: iso_c_binding
  use gapkit
  implicit none
  integer, parameter :: n = 8
  real(c_double), parameter :: gigapascal = 160.21766208  ! GPa in one eV/Å³
  integer, parameter :: quarters(3, n) = reshape([0, 0, 0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 1, 1, 1, 1, 3, 3, 3, 1, 3, 3, 3, 1], [3, n])
  type(c_ptr) :: model
  type(gapkit_structure) :: crystal
  type(gapkit_results) :: results
  real(c_double), target :: positions(3, n), cell(3, 3), energy, energy_std, virial(3, 3)
  integer(c_int), target :: atomic_numbers(n)
  real(c_double) :: lattice
  character(len=1000) :: path
  integer :: i

  call get_command_argument(1, path)
  call check(gapkit_load(path, model))
  atomic_numbers = 14
  crystal = gapkit_structure(size=c_sizeof(crystal), n_atoms=n, atomic_numbers=c_loc(atomic_numbers), positions=c_loc(positions), &
                             cell=c_loc(cell))
  results = gapkit_results(size=c_sizeof(results), energy=c_loc(energy), virial=c_loc(virial))
  energy_std = 0
  if (gapkit_has_error_bars(model) == 1) results%energy_std_epistemic = c_loc(energy_std)

  print '(a)', 'lattice constant (Å)   energy (eV/atom)   epistemic std (eV/atom)   pressure (GPa)'
  do i = -2, 2
    lattice = 5.43d0*(1 + 0.01d0*i)
    cell = 0
    cell(1, 1) = lattice
    cell(2, 2) = lattice
    cell(3, 3) = lattice
    positions = quarters*(lattice/4)
    call check(gapkit_evaluate(model, crystal, results))
    print '(f8.4, 2f20.9, f14.4)', lattice, energy/n, energy_std/n, &
      (virial(1, 1) + virial(2, 2) + virial(3, 3))/(3*lattice**3)*gigapascal
  end do

  ! An error: the model does not know gold.
  atomic_numbers(3) = 79
  if (gapkit_evaluate(model, crystal, results) == GAPKIT_OK) error stop 'gold was accepted'
  print '(2a)', 'as it must be: ', gapkit_message()
  call gapkit_free(model)

contains

  subroutine check(code)
    integer(c_int), intent(in) :: code
    if (code == GAPKIT_OK) return
    print '(2a)', 'equation_of_state: ', gapkit_message()
    stop 2
  end subroutine

end program
