# Headers, libraries, and what lets others find them: kstoneConfig.cmake and kstone.pc, both movable with their prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(kstone_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/kstone")
set(kstone_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES include/kstone.h bindings/cpp/kstone.hpp bindings/cpp/kstone_account.hpp
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES
  "${KSTONE_SHARED_LIB}" "${KSTONE_LIB_DIR}/${KSTONE_SONAME}" "${KSTONE_LIB_DIR}/libkstone.so" "${KSTONE_STATIC_LIB}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# cmake --install <build> --component debug: what debuggers find next to the shared library, and a static library to be
# linked in the place of the other.
install(FILES "${KSTONE_SHARED_LIB}.debug" "${KSTONE_LIB_DIR}/libkstone-debug.a"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT debug EXCLUDE_FROM_ALL)
install(FILES LICENSE-MIT LICENSE-APACHE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

configure_package_config_file(cmake/kstoneConfig.cmake.in "${PROJECT_BINARY_DIR}/kstoneConfig.cmake"
  INSTALL_DESTINATION "${kstone_cmake_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# As the soname: within one major version functions are only added.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/kstoneConfigVersion.cmake" COMPATIBILITY SameMajorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/kstoneConfig.cmake" "${PROJECT_BINARY_DIR}/kstoneConfigVersion.cmake"
  cmake/kstone-native-libs.cmake
  DESTINATION "${kstone_cmake_dir}")

# kstone.pc finds its prefix from its own place, except where a directory was given as an absolute path.
if(IS_ABSOLUTE "${kstone_pc_dir}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(kstone_pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH kstone_pc_up "/${kstone_pc_dir}" "/")
  string(REGEX REPLACE "/$" "" kstone_pc_up "${kstone_pc_up}")
  set(kstone_pc_prefix "\${pcfiledir}/${kstone_pc_up}")
endif()
set(kstone_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
set(kstone_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
foreach(kstone_dir IN ITEMS kstone_pc_libdir kstone_pc_includedir)
  if(NOT IS_ABSOLUTE "${${kstone_dir}}")
    set(${kstone_dir} "\${prefix}/${${kstone_dir}}")
  endif()
endforeach()
list(TRANSFORM KSTONE_NATIVE_LIBS PREPEND "-l" OUTPUT_VARIABLE kstone_pc_libs_private)
list(JOIN kstone_pc_libs_private " " kstone_pc_libs_private)
configure_file(cmake/kstone.pc.in "${PROJECT_BINARY_DIR}/kstone.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/kstone.pc" DESTINATION "${kstone_pc_dir}")
