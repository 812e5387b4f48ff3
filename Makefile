# What one types here. The work is done by scripts/ and CMake; each script says what it does.

STEPS := dialects drift clippy unit doc native-libs symbols instructions ctest valgrind asan tsan fuzz consumer go clients python
PREFIX ?= /usr/local

.PHONY: help demo library test bench header fmt lint install clean $(STEPS)

help:
	@echo 'make demo      build the library and run the example program in C'
	@echo 'make library   build libkstone.so and libkstone.a as they are installed, into build/lib'
	@echo 'make test      every check there is'
	@echo 'make STEP      one step of make test: $(STEPS)'
	@echo 'make bench     measure kstone and other stores; BENCH="--help" says what can be chosen;'
	@echo '               BENCH="--dynamodb": the operations of DynamoDB, compared with dynoxide'
	@echo 'make header    write include/kstone.h anew, of its template and the comments in src/'
	@echo 'make fmt       format the Rust code'
	@echo 'make lint      formatting and lints, without tests'
	@echo 'make install   header, libraries, CMake and pkg-config files under PREFIX ($(PREFIX)) and DESTDIR;'
	@echo '               cmake --install build/install --component debug adds the debug information'
	@echo 'make clean     remove everything that was built'
	@echo
	@echo 'demo and test install what they need first, as root or with sudo. V=1 shows all that the steps print.'

demo:
	@scripts/demo

library:
	@scripts/setup install
	@scripts/library

test:
	@scripts/test

$(STEPS):
	@scripts/test $@

bench:
	@scripts/bench $(BENCH)

header:
	@scripts/header

fmt:
	cargo fmt --all

lint:
	@scripts/test fmt clippy

install:
	@scripts/setup install
	cmake -S . -B build/install -DKSTONE_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX:PATH="$(PREFIX)"
	cmake --build build/install
	cmake --install build/install
	@case "$(DESTDIR)$(PREFIX)" in /usr|/usr/local) PATH="$$PATH:/usr/sbin:/sbin" ldconfig ;; esac

clean:
	cargo clean
	rm -rf build
