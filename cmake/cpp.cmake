# kstone::cpp and kstone::cpp_static: the header kstone.hpp over the shared and the static library.
foreach(kstone_kind IN ITEMS "" _static)
  add_library(kstone_cpp${kstone_kind} INTERFACE)
  add_library(kstone::cpp${kstone_kind} ALIAS kstone_cpp${kstone_kind})
  # A property, since target_compile_features wants C++ enabled, which only those who use the header need.
  set_target_properties(kstone_cpp${kstone_kind} PROPERTIES INTERFACE_COMPILE_FEATURES cxx_std_17)
  target_include_directories(kstone_cpp${kstone_kind} INTERFACE "${PROJECT_SOURCE_DIR}/bindings/cpp")
  target_link_libraries(kstone_cpp${kstone_kind} INTERFACE kstone::kstone${kstone_kind})
endforeach()
