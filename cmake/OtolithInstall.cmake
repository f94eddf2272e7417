# SPDX-License-Identifier: BSD-2-Clause
# What `cmake --install` puts where: program, libraries, public headers, models, and the files by which others find them
# (pkg-config and find_package).
include(CMakePackageConfigHelpers)

target_include_directories(otolith_shared INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(otolith_shared PROPERTIES EXPORT_NAME otolith)
set(installed_libraries otolith_shared)
install(TARGETS otolith_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

if(OTOLITH_AUDIO)
  # The audio library carries its own hidden copy of base/, so that libotolith shows nothing but its public functions.
  add_library(otolith_audio_shared SHARED ${audio_sources})
  target_include_directories(otolith_audio_shared PRIVATE ${PROJECT_SOURCE_DIR} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(otolith_audio_shared PRIVATE otolith_static oto_audio_deps)
  target_link_options(otolith_audio_shared PRIVATE "LINKER:--exclude-libs,ALL")
  set_target_properties(otolith_audio_shared PROPERTIES OUTPUT_NAME otolith-audio VERSION ${PROJECT_VERSION} SOVERSION 0
    EXPORT_NAME audio)
  list(APPEND installed_libraries otolith_audio_shared)
  install(TARGETS otolith_audio ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS otolith RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(TARGETS ${installed_libraries} EXPORT OtolithTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/otolith DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
  PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/otolith/models FILES_MATCHING
  PATTERN "*.oto" PATTERN "recipes" EXCLUDE PATTERN "cards" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/models/FORMAT.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
# With the models goes what they owe to others: sources, licences, notices.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/cards DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Otolith)
install(EXPORT OtolithTargets NAMESPACE Otolith:: DESTINATION ${config_dir})
file(WRITE ${PROJECT_BINARY_DIR}/OtolithConfig.cmake
  "# Gives Otolith::otolith, and Otolith::audio where it was built.\n"
  "include(\${CMAKE_CURRENT_LIST_DIR}/OtolithTargets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/OtolithConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/OtolithConfig.cmake ${PROJECT_BINARY_DIR}/OtolithConfigVersion.cmake
  DESTINATION ${config_dir})

foreach(name otolith otolith-audio)
  if(name STREQUAL "otolith" OR OTOLITH_AUDIO)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  endif()
endforeach()
