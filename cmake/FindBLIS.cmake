# SPDX-License-Identifier: BSD-2-Clause
# BLIS ships no pkg-config file. Gives BLIS::BLIS. Debian keeps header and library in variant folders behind alternatives.
find_path(BLIS_INCLUDE_DIR blis.h PATH_SUFFIXES blis blis-serial blis-pthread blis-openmp)
find_library(BLIS_LIBRARY blis PATH_SUFFIXES blis-serial blis-pthread blis-openmp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BLIS REQUIRED_VARS BLIS_LIBRARY BLIS_INCLUDE_DIR)
if(BLIS_FOUND AND NOT TARGET BLIS::BLIS)
  add_library(BLIS::BLIS UNKNOWN IMPORTED)
  set_target_properties(BLIS::BLIS PROPERTIES IMPORTED_LOCATION ${BLIS_LIBRARY})
  target_include_directories(BLIS::BLIS SYSTEM INTERFACE ${BLIS_INCLUDE_DIR})
endif()
