# What a program that links libkstone.a must link besides, as rustc prints it (--print native-static-libs).
# scripts/native-libs checks that it still does. Also installed, for kstoneConfig.cmake.
set(KSTONE_NATIVE_LIBS gcc_s util rt pthread m dl c)
