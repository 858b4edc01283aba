! The C interface of gapkit (gapkit.h, docs/c-interface.md) for Fortran 2008. Compile it with your program and link libgapkit.
module gapkit
  use, intrinsic :: iso_c_binding
  implicit none
  private
  public :: gapkit_structure, gapkit_environments, gapkit_results
  public :: gapkit_load, gapkit_free, gapkit_cutoff, gapkit_has_error_bars, gapkit_evaluate, gapkit_evaluate_environments
  public :: gapkit_message

  integer(c_int), parameter, public :: GAPKIT_INTERFACE = 1, GAPKIT_OK = 0

  ! Members as in gapkit.h; c_null_ptr: not given, not wanted. Indices of atoms count from 0. A Fortran array of shape (3, n) is C's [n][3].
  type, bind(c) :: gapkit_structure
    integer(c_size_t) :: size = 0
    integer(c_int) :: n_atoms = 0
    type(c_ptr) :: atomic_numbers = c_null_ptr
    type(c_ptr) :: positions = c_null_ptr
    type(c_ptr) :: cell = c_null_ptr
    type(c_ptr) :: pbc = c_null_ptr
  end type

  type, bind(c) :: gapkit_environments
    integer(c_size_t) :: size = 0
    integer(c_int) :: n_centres = 0
    integer(c_int) :: n_atoms = 0
    type(c_ptr) :: centres = c_null_ptr
    type(c_ptr) :: atomic_numbers = c_null_ptr
    type(c_ptr) :: positions = c_null_ptr
    type(c_ptr) :: first = c_null_ptr
    type(c_ptr) :: neighbors = c_null_ptr
    real(c_double) :: list_cutoff = 0
    type(c_ptr) :: owners = c_null_ptr
    real(c_double) :: halo = 0
  end type

  type, bind(c) :: gapkit_results
    integer(c_size_t) :: size = 0
    type(c_ptr) :: energy = c_null_ptr
    type(c_ptr) :: atom_energies = c_null_ptr
    type(c_ptr) :: forces = c_null_ptr
    type(c_ptr) :: virial = c_null_ptr
    type(c_ptr) :: atom_virials = c_null_ptr
    type(c_ptr) :: energy_std = c_null_ptr
    type(c_ptr) :: forces_std = c_null_ptr
    type(c_ptr) :: virial_std = c_null_ptr
    type(c_ptr) :: energy_std_epistemic = c_null_ptr
    type(c_ptr) :: forces_std_epistemic = c_null_ptr
    type(c_ptr) :: virial_std_epistemic = c_null_ptr
    type(c_ptr) :: atom_energies_std_epistemic = c_null_ptr
    type(c_ptr) :: distance_ratio = c_null_ptr
    type(c_ptr) :: extrapolation = c_null_ptr
  end type

  interface
    integer(c_int) function load_c(path, interface_version, model) bind(c, name="gapkit_load")
      import :: c_int, c_ptr, c_char
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int), value :: interface_version
      type(c_ptr), intent(out) :: model
    end function
    subroutine gapkit_free(model) bind(c)
      import :: c_ptr
      type(c_ptr), value :: model
    end subroutine
    real(c_double) function gapkit_cutoff(model) bind(c)
      import :: c_double, c_ptr
      type(c_ptr), value :: model
    end function
    integer(c_int) function gapkit_has_error_bars(model) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value :: model
    end function
    integer(c_int) function gapkit_evaluate(model, structure, results) bind(c)
      import :: c_int, c_ptr, gapkit_structure, gapkit_results
      type(c_ptr), value :: model
      type(gapkit_structure), intent(in) :: structure
      type(gapkit_results), intent(in) :: results
    end function
    integer(c_int) function gapkit_evaluate_environments(model, environments, results) bind(c)
      import :: c_int, c_ptr, gapkit_environments, gapkit_results
      type(c_ptr), value :: model
      type(gapkit_environments), intent(in) :: environments
      type(gapkit_results), intent(in) :: results
    end function
    type(c_ptr) function error_message_c() bind(c, name="gapkit_error_message")
      import :: c_ptr
    end function
    integer(c_size_t) function strlen(text) bind(c)
      import :: c_size_t, c_ptr
      type(c_ptr), value :: text
    end function
  end interface

contains

  integer(c_int) function gapkit_load(path, model)
    character(len=*), intent(in) :: path
    type(c_ptr), intent(out) :: model
    gapkit_load = load_c(trim(path)//c_null_char, GAPKIT_INTERFACE, model)
  end function

  ! Message of the last call that failed.
  function gapkit_message() result(message)
    character(len=:), allocatable :: message
    character(kind=c_char), pointer :: text(:)
    integer :: i
    type(c_ptr) :: address
    address = error_message_c()
    call c_f_pointer(address, text, [strlen(address)])
    allocate (character(len=size(text)) :: message)
    do i = 1, size(text)
      message(i:i) = text(i)
    end do
  end function

end module
