# What a program that links libkstone.a must link besides, as rustc prints it (--print native-static-libs), with gcc_eh
# in the place of gcc_s: the same as a static library, which serves fully static programs too. scripts/native-libs checks
# it. Also installed, for kstoneConfig.cmake.
set(KSTONE_NATIVE_LIBS gcc_eh util rt pthread m dl c)
