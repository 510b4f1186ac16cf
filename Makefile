# SPDX-License-Identifier: MIT OR Apache-2.0
# `make help` lists what there is. Installing honours PREFIX, LIBDIR, INCLUDEDIR and DESTDIR.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SYSTEM  := $(shell uname -s)
KQUEUE_SONAME := libevl-kqueue.so.0
KQUEUE_SHARED := libevl-kqueue.so.$(VERSION)

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

CARGO  ?= $(or $(shell command -v cargo),$(HOME)/.cargo/bin/cargo)
# make would look for g++, which only GNU's compiler is called.
ifeq ($(origin CXX),default)
CXX := c++
endif
export CARGO CXX MAKE
B      := build
TARGET := $(or $(CARGO_TARGET_DIR),target)
# How the system names a shared library, how its loader calls the folder of a program, and what the Rust
# standard library needs of it, by `cargo rustc -- --print native-static-libs`, but for gcc_s: the
# compiler adds it itself, or with -static the form of it that fits.
ifeq ($(SYSTEM),Darwin)
LIBRARY := libevl.dylib
SONAME  := libevl.0.dylib
SHARED  := libevl.$(VERSION).dylib
ORIGIN  := @loader_path
SYSTEM_LIBS := -lm
else
LIBRARY := libevl.so
SONAME  := $(LIBRARY).0
SHARED  := $(LIBRARY).$(VERSION)
ORIGIN  := $$ORIGIN
SYSTEM_LIBS := -lutil -lrt -lpthread -lm $(if $(filter Linux,$(SYSTEM)),-ldl) -lc
endif
# The BSDs and macOS have the names of <sys/event.h> themselves.
KQUEUE := $(if $(filter Linux,$(SYSTEM)),$(B)/libevl-kqueue.so $(B)/libevl-kqueue.a)
COMMA       := ,
SYMBOLS     := $(shell sed -n 's/^ *\(evl_[a-z_]*\);/\1/p' evl.map)

# What a target needs besides a C compiler and Rust. What it depends on inherits this, so that all that
# is missing is told before anything is built.
TOOLS :=
examples: TOOLS += c++
test: TOOLS = python3-venv curl pkg-config
python: TOOLS = python3-venv

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-13s %s\n", $$1, $$2 }'

run: examples ## build, and serve the demo site at http://localhost:8080/
	@$(B)/examples/webserv site/webserv.conf

test: examples c-tests ## every test: Rust, C, the examples (and with valgrind), Python
	@.ci/need $(TOOLS)
	@tests/run

build: $(B)/$(LIBRARY) $(B)/libevl.a $(KQUEUE) ## the shared and the static library, as they are installed

header: ## write include/evl.h from src/ffi
	$(CARGO) check --quiet --features header

examples: build ## the programs of c-examples, into build/examples
	@.ci/need $(TOOLS)
	@mkdir -p $(B)/examples
	@$(MAKE) --silent --no-print-directory -C c-examples OUT=../$(B)/examples EVL_CFLAGS=-I../include \
		EVL_LIBS='-L../$(B) -levl -Wl,-rpath,$(subst $$,\$$$$,$(ORIGIN))/..' \
		KQUEUE_CFLAGS='$(if $(KQUEUE),-I../include/kqueue)' \
		KQUEUE_LIBS='$(if $(KQUEUE),-L../$(B) -levl-kqueue -levl -Wl$(COMMA)-rpath$(COMMA)\$$$$ORIGIN/..)'

check: examples c-tests ## format, lints, docs, and whether header and symbols are up to date
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --no-deps --document-private-items
	@cp include/evl.h $(B)/evl.h.before && $(MAKE) --no-print-directory header && \
		cmp include/evl.h $(B)/evl.h.before || { echo 'include/evl.h was stale: commit the new one'; exit 1; }
	@nm -D --defined-only $(B)/libevl.so | awk '$$2 == "T" { sub("@.*", "", $$3); print $$3 }' | sort > $(B)/exported
	@echo $(SYMBOLS) | tr ' ' '\n' | sort | diff - $(B)/exported || { echo 'build/libevl.so and evl.map differ'; exit 1; }
	@echo 'check: all is well'

# The standard library for a system that cannot be run here is type-checked from its sources. That
# takes a matching compiler: Debian's, which comes with them. The lint that is off mistakes the standard
# library's own macro, on systems without native thread-local storage.
BSD_TARGETS := x86_64-apple-darwin aarch64-apple-darwin x86_64-unknown-freebsd x86_64-unknown-netbsd \
	x86_64-unknown-openbsd
check-bsd: ## type-check, and lint, everything for macOS and the BSDs
	@.ci/need rust-web
	@set -e; for target in $(BSD_TARGETS); do \
		echo "check-bsd: $$target"; \
		RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
		RUSTC_WORKSPACE_WRAPPER=/usr/bin/clippy-driver CARGO_PROFILE_DEV_DEBUG=0 \
		RUSTFLAGS='-Zno-codegen -Dwarnings -Aclippy::missing_const_for_thread_local' \
			$(CARGO) check --quiet --all-targets -Zbuild-std=std,panic_unwind,test --target $$target \
			--target-dir $(TARGET)/check-bsd; \
	done
	@echo 'check-bsd: all is well'

# ThreadSanitizer has to see the standard library's own code, else it reports races that are none: built
# from its sources, as above, with the compiler's runtime of the same LLVM.
THREADS_TARGET := $(shell uname -m)-unknown-linux-gnu
check-threads: ## models of what takes no lock, and the reactor's tests under ThreadSanitizer
	@.ci/need rust-web clang-22 llvm-symbolizer
	RUSTFLAGS='--cfg loom' $(CARGO) test --quiet --lib reactor::models --target-dir $(TARGET)/loom
	RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only \
	RUSTFLAGS='-Zsanitizer=thread -Zexternal-clangrt -Clinker=clang-22 -Clink-arg=-fsanitize=thread' \
	TSAN_OPTIONS='suppressions=$(CURDIR)/.ci/tsan.supp external_symbolizer_path=$(shell command -v llvm-symbolizer)' \
		$(CARGO) test --quiet --test storm --test reactor_threads --test reactor_conformance \
		-Zbuild-std=std,panic_unwind,test --target $(THREADS_TARGET) --target-dir $(TARGET)/threads
	@echo 'check-threads: all is well'

# cargo-fuzz wants flags of the compiler that only a nightly one, or this word, allows.
FUZZ_SECONDS ?= 60
FUZZERS := $(basename $(notdir $(wildcard fuzz/targets/*.rs)))
fuzz: ## each fuzzer of fuzz/ for FUZZ_SECONDS (60)
	@.ci/need c++ cargo-fuzz
	@set -e; for fuzzer in $(FUZZERS); do \
		mkdir -p fuzz/corpus/$$fuzzer; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$fuzzer fuzz/corpus/$$fuzzer fuzz/seeds/$$fuzzer -- \
			-dict=fuzz/http.dict -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1; \
	done
	@echo 'fuzz: all is well'

costs: ## whether a request takes more instructions or system calls than recorded
	@.ci/need valgrind strace
	benches/count

bench: examples ## load runs of evl beside its peers
	bench/run

python: build ## the Python wheel, into build/wheel
	@.ci/need $(TOOLS)
	@test -d $(B)/venv || python3 -m venv $(B)/venv
	$(B)/venv/bin/pip wheel --quiet --no-deps --wheel-dir $(B)/wheel ./python-bindings

# A .pc.in as it is to be installed.
PC = sed -e 's|@prefix@|$(PREFIX)|; s|@libdir@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	-e 's|@includedir@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
	-e 's|@version@|$(VERSION)|; s|@system_libs@|$(SYSTEM_LIBS)|'

install: build ## the libraries, their headers, evl.pc and evl-kqueue.pc
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(B)/$(SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/$(LIBRARY)
	install -m 644 $(B)/libevl.a $(DESTDIR)$(LIBDIR)/
	install -m 644 include/evl.h $(DESTDIR)$(INCLUDEDIR)/
	$(PC) evl.pc.in > $(B)/evl.pc
	install -m 644 $(B)/evl.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
ifeq ($(SYSTEM),Linux)
	install -d $(DESTDIR)$(INCLUDEDIR)/evl/kqueue/sys
	install -m 755 $(B)/$(KQUEUE_SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf $(KQUEUE_SHARED) $(DESTDIR)$(LIBDIR)/$(KQUEUE_SONAME)
	ln -sf $(KQUEUE_SONAME) $(DESTDIR)$(LIBDIR)/libevl-kqueue.so
	install -m 644 $(B)/libevl-kqueue.a $(DESTDIR)$(LIBDIR)/
	install -m 644 include/kqueue/sys/event.h $(DESTDIR)$(INCLUDEDIR)/evl/kqueue/sys/
	$(PC) evl-kqueue.pc.in > $(B)/evl-kqueue.pc
	install -m 644 $(B)/evl-kqueue.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi
endif
ifeq ($(SYSTEM),Darwin)
	install_name_tool -id $(LIBDIR)/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SHARED)
endif

uninstall: ## remove what install made
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(SHARED) $(SONAME) $(LIBRARY) libevl.a pkgconfig/evl.pc) \
		$(addprefix $(DESTDIR)$(LIBDIR)/,$(KQUEUE_SHARED) $(KQUEUE_SONAME) libevl-kqueue.so) \
		$(addprefix $(DESTDIR)$(LIBDIR)/,libevl-kqueue.a pkgconfig/evl-kqueue.pc) \
		$(DESTDIR)$(INCLUDEDIR)/evl.h $(DESTDIR)$(INCLUDEDIR)/evl/kqueue/sys/event.h
	@rmdir $(addprefix $(DESTDIR)$(INCLUDEDIR)/evl,/kqueue/sys /kqueue /) 2> /dev/null || true

clean: ## remove everything that was built
	rm -rf $(B)
	$(CARGO) clean

# On Linux the library is one object in which only evl's own names are visible; both forms are made of it.
# Elsewhere the shared one is linked from what cargo made, and the static one is that.

$(TARGET)/release/libevl.a: $(shell find src -name '*.rs') build.rs Cargo.toml Cargo.lock
	@.ci/need cc cargo $(TOOLS)
	$(CARGO) build --quiet --release

# glibc's other name for sigaction: libevl-kqueue has a function of that name, which calls evl.
REAL_SIGACTION := $(if $(findstring gnu,$(shell $(CC) -dumpmachine)),--redefine-sym sigaction=__sigaction)

ifeq ($(SYSTEM),Linux)
$(B)/evl.o: $(TARGET)/release/libevl.a evl.map
	@mkdir -p $(B)
	@ld -r --gc-sections $(SYMBOLS:%=-u %) -o $@ $<
	@objcopy --strip-debug -R .llvmbc -R .llvmcmd --wildcard --keep-global-symbol='evl_*' \
		$(REAL_SIGACTION) $@

$(B)/libevl.a: $(B)/evl.o
	@rm -f $@
	ar rcs $@ $<

LINKED := $(B)/evl.o
LINK   := -shared $(LINKED) -Wl,-z,defs
else
$(B)/libevl.a: $(TARGET)/release/libevl.a
	@mkdir -p $(B)
	cp $< $@

LINKED := $(TARGET)/release/libevl.a
LINK   := -shared -Wl,--whole-archive $(LINKED) -Wl,--no-whole-archive
endif

ifeq ($(SYSTEM),Darwin)
LINK := -dynamiclib -Wl,-force_load,$(LINKED) -Wl,-install_name,@rpath/$(SONAME) \
	-Wl,-exported_symbol,'_evl_*' -Wl,-dead_strip
else
LINK += -Wl,-soname,$(SONAME) -Wl,--version-script=evl.map -Wl,--gc-sections -Wl,-z,nodelete -s
endif

$(B)/$(LIBRARY): $(LINKED) evl.map
	@mkdir -p $(B)
	$(CC) -o $(B)/$(SHARED) $(LINK) $(SYSTEM_LIBS)
	ln -sf $(SHARED) $(B)/$(SONAME)
	ln -sf $(SONAME) $@

# The names of <sys/event.h>, in a library of their own.

KQUEUE_OBJECTS := $(B)/kqueue.o $(B)/kqueue_signals.o
$(KQUEUE_OBJECTS): $(B)/%.o: src/ffi/%.c include/evl.h include/kqueue/sys/event.h
	@mkdir -p $(B)
	$(CC) -std=c11 -D_DEFAULT_SOURCE -O2 -fPIC -Wall -Wextra -Wpedantic -Werror -Iinclude -Iinclude/kqueue -c $< -o $@

$(B)/libevl-kqueue.a: $(KQUEUE_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(B)/libevl-kqueue.so: $(KQUEUE_OBJECTS) evl-kqueue.map $(B)/libevl.so
	$(CC) -shared -o $(B)/$(KQUEUE_SHARED) $(KQUEUE_OBJECTS) -Wl,-soname,$(KQUEUE_SONAME) \
		-Wl,--version-script=evl-kqueue.map -Wl,-z,defs -Wl,-rpath,'$$ORIGIN' -s -L$(B) -levl
	ln -sf $(KQUEUE_SHARED) $(B)/$(KQUEUE_SONAME)
	ln -sf $(KQUEUE_SONAME) $@

# Each program of tests/c as C99 and as C++20: the header has to be good for both.

C_TESTS := $(basename $(notdir $(wildcard tests/c/*.c)))
C_TESTS := $(if $(KQUEUE),$(C_TESTS),$(filter-out kqueue%,$(C_TESTS)))
c-tests: $(C_TESTS:%=$(B)/tests/%.c99) $(C_TESTS:%=$(B)/tests/%.c++20)

TEST_FLAGS := -Wall -Wextra -Wpedantic -Werror -g -Iinclude $(if $(KQUEUE),-Iinclude/kqueue)
TEST_LIBS  := -L$(B) $(if $(KQUEUE),-levl-kqueue) -levl -Wl,-rpath,'$(ORIGIN)/..' -pthread
$(B)/tests/%.c99: tests/c/%.c tests/c/check.h include/evl.h $(B)/$(LIBRARY) $(KQUEUE)
	@mkdir -p $(B)/tests
	$(CC) -std=c99 -D_POSIX_C_SOURCE=200809L $(TEST_FLAGS) $< -o $@ $(TEST_LIBS)
$(B)/tests/%.c++20: tests/c/%.c tests/c/check.h include/evl.h $(B)/$(LIBRARY) $(KQUEUE)
	@mkdir -p $(B)/tests
	$(CXX) -std=c++20 -x c++ $(TEST_FLAGS) $< -x none -o $@ $(TEST_LIBS)

.PHONY: help run test build header examples check check-bsd check-threads fuzz costs bench python install uninstall clean c-tests
