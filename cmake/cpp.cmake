# kstone::cpp and kstone::cpp_static: the header kstone.hpp over the shared and the static library. Imported targets, as
# the libraries are: a project that links one and exports its own names it, and finds it by find_package where it is used.
foreach(kstone_kind IN ITEMS "" _static)
  add_library(kstone::cpp${kstone_kind} INTERFACE IMPORTED GLOBAL)
  # A property, since target_compile_features wants C++ enabled, which only those who use the header need.
  set_target_properties(kstone::cpp${kstone_kind} PROPERTIES
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/bindings/cpp"
    INTERFACE_LINK_LIBRARIES kstone::kstone${kstone_kind})
endforeach()
