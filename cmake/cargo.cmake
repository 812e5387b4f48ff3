# Builds the library with cargo and defines kstone::kstone and kstone::kstone_static over the result.
#
# Why not Corrosion: Debian does not package it, so it would have to be fetched while configuring, and it links what
# cargo leaves under cargo's name; here a versioned file with its soname links is wanted. One command is all it takes.
#
# cargo runs in every build, because it alone knows what changed. scripts/finish-library makes of its libraries what is
# installed, and leaves that alone where nothing changed, so that nothing is linked again.

set(kstone_rust_hints "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin")
find_program(KSTONE_CARGO cargo HINTS ${kstone_rust_hints} DOC "The cargo command" REQUIRED)
find_program(KSTONE_RUSTC rustc HINTS ${kstone_rust_hints} DOC "The rustc command" REQUIRED)

set(KSTONE_LIB_DIR "${PROJECT_BINARY_DIR}/lib")
set(KSTONE_SONAME "libkstone.so.${PROJECT_VERSION_MAJOR}")
set(KSTONE_SHARED_LIB "${KSTONE_LIB_DIR}/libkstone.so.${PROJECT_VERSION}")
set(KSTONE_STATIC_LIB "${KSTONE_LIB_DIR}/libkstone.a")

# A make above this one offers a job server that cargo cannot reach; another target would put the library in another folder.
set(kstone_cargo_env --unset=MAKEFLAGS --unset=MFLAGS --unset=CARGO_BUILD_TARGET)
set(kstone_target_dir "${KSTONE_CARGO_TARGET_DIR}")
set(kstone_target_args "")
set(kstone_triple "")
set(kstone_tool_prefix "")
set(kstone_sanitize_compile "")
set(kstone_sanitize_link "")
set(kstone_sanitize_libs "")

if(KSTONE_SANITIZE OR NOT KSTONE_MIMALLOC)
  list(APPEND kstone_target_args --no-default-features)
  cmake_path(APPEND kstone_target_dir system-malloc)
endif()
if(KSTONE_SANITIZE)
  include(cmake/sanitize.cmake)
endif()

include(cmake/rust-target.cmake)

if(KSTONE_CARGO_PROFILE STREQUAL "dev")
  set(kstone_profile_dir debug)
else()
  set(kstone_profile_dir "${KSTONE_CARGO_PROFILE}")
endif()
cmake_path(APPEND kstone_target_dir "${kstone_triple}" "${kstone_profile_dir}" OUTPUT_VARIABLE kstone_artifact_dir)

if(KSTONE_SANITIZE)
  # As cargo made them: the sanitizers' reports name lines, and their suppressions files.
  set(kstone_finish_commands
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${kstone_artifact_dir}/libkstone.so" "${KSTONE_SHARED_LIB}"
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${kstone_artifact_dir}/libkstone.a" "${KSTONE_STATIC_LIB}"
    COMMAND "${CMAKE_COMMAND}" -E create_symlink "libkstone.so.${PROJECT_VERSION}" "${KSTONE_LIB_DIR}/${KSTONE_SONAME}"
    COMMAND "${CMAKE_COMMAND}" -E create_symlink "${KSTONE_SONAME}" "${KSTONE_LIB_DIR}/libkstone.so")
else()
  # GNU ld, whatever links the programs: others do not join sections' groups.
  find_program(KSTONE_LD NAMES "${kstone_tool_prefix}ld.bfd" "${kstone_tool_prefix}ld" DOC "GNU ld" REQUIRED)
  find_program(KSTONE_OBJCOPY NAMES "${kstone_tool_prefix}objcopy" DOC "GNU objcopy" REQUIRED)
  set(kstone_finish_commands
    COMMAND "${CMAKE_COMMAND}" -E env "CC=${CMAKE_C_COMPILER}" "LD=${KSTONE_LD}" "OBJCOPY=${KSTONE_OBJCOPY}" "AR=${CMAKE_AR}"
            scripts/finish-library "${kstone_artifact_dir}" "${KSTONE_LIB_DIR}")
endif()

add_custom_target(kstone_cargo ALL
  COMMAND "${CMAKE_COMMAND}" -E env ${kstone_cargo_env}
          "${KSTONE_CARGO}" build --locked --package kstone --lib --profile "${KSTONE_CARGO_PROFILE}"
          --target-dir "${kstone_target_dir}" ${kstone_target_args}
  ${kstone_finish_commands}
  BYPRODUCTS "${KSTONE_SHARED_LIB}" "${KSTONE_STATIC_LIB}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "Building libkstone with cargo (${KSTONE_CARGO_PROFILE})"
  USES_TERMINAL
  VERBATIM)
file(MAKE_DIRECTORY "${KSTONE_LIB_DIR}")

# The soname is set by build.rs. Without IMPORTED_SONAME a program would record the path of the build tree instead.
add_library(kstone::kstone SHARED IMPORTED GLOBAL)
set_target_properties(kstone::kstone PROPERTIES
  IMPORTED_LOCATION "${KSTONE_SHARED_LIB}"
  IMPORTED_SONAME "${KSTONE_SONAME}"
  INTERFACE_LINK_LIBRARIES "${kstone_sanitize_libs}")

add_library(kstone::kstone_static STATIC IMPORTED GLOBAL)
set_target_properties(kstone::kstone_static PROPERTIES
  IMPORTED_LOCATION "${KSTONE_STATIC_LIB}"
  IMPORTED_LINK_INTERFACE_LANGUAGES C
  INTERFACE_LINK_LIBRARIES "${KSTONE_NATIVE_LIBS}")

foreach(kstone_target IN ITEMS kstone::kstone kstone::kstone_static)
  set_target_properties(${kstone_target} PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include"
    INTERFACE_COMPILE_OPTIONS "${kstone_sanitize_compile}"
    INTERFACE_LINK_OPTIONS "${kstone_sanitize_link}")
  add_dependencies(${kstone_target} kstone_cargo)
endforeach()
