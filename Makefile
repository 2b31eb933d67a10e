# SPDX-License-Identifier: MIT
# Thin: Kbuild makes the module, Meson all else. `make help` says what there is.

BUILD ?= build
DESTDIR ?=
PREFIX ?= /usr/local
PYTHON ?= python3
# Options for `meson setup`, for example MESON_FLAGS=-Dwerror=true
MESON_FLAGS ?=

# The kernels to build for: KDIR, or else the running kernel if its headers are here, or else all
# whose headers are here.
KDIR ?=
running := $(wildcard /lib/modules/$(shell uname -r)/build/Makefile)
KDIRS := $(or $(KDIR),$(patsubst %/Makefile,%,$(or $(running),$(wildcard /lib/modules/*/build/Makefile))))

.PHONY: all userspace modules check check-long check-style check-debug debug-kernel run bench install deb format format-check docs clean help

all: modules userspace

help:
	@echo 'make            the kernel module and everything else'
	@echo 'make modules    the kernel module ($(or $(KDIRS),no kernel headers here)); KDIR=… for another kernel'
	@echo 'make userspace  all but the module, in $(BUILD)/'
	@echo 'make run        boots a virtual machine with a virtual board and runs a model on it'
	@echo 'make check      all tests; ends with "N passed, N failed, N skipped"'
	@echo 'make check-long what takes too long for make check: all shapes and types'
	@echo 'make check-style the kernel tools on the module: W=1, sparse, checkpatch --strict, kernel-doc, coccinelle'
	@echo 'make check-debug the driver in a guest with the debug kernel, which it makes first'
	@echo 'make debug-kernel a kernel with KASAN, lockdep, kmemleak and so on, kept for the next time'
	@echo 'make bench      the shaders on the CPU device and on lavapipe, in turns; BENCH="$(BENCH)"'
	@echo 'make install    DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)'
	@echo 'make deb        Debian packages of module (DKMS), libraries, driver, tools and plugin, in $(BUILD)/deb/packages'
	@echo 'make docs       the documentation as HTML, in $(BUILD)/Documentation/html'
	@echo 'make format     lays out all C as .clang-format says; make format-check only looks'
	@echo 'make clean      removes $(BUILD)/'

$(BUILD)/build.ninja:
	meson setup --prefix=$(PREFIX) $(MESON_FLAGS) $(BUILD)

userspace: $(BUILD)/build.ninja
	ninja -C $(BUILD)

modules:
ifeq ($(wildcard driver/Kbuild),)
	@echo 'the driver is not here: no module'
else ifeq ($(KDIRS),)
	@echo 'no kernel headers here: no module (KDIR=… names a kernel build folder)'
else
	@set -e; for kdir in $(KDIRS); do tools/dev/build-module $$kdir $(BUILD)/modules; done
endif

check: all
	ninja -C $(BUILD) meson-test-prereq
	@$(PYTHON) tests/run-all $(BUILD) --no-suite long --no-suite debug

check-long: all
	ninja -C $(BUILD) meson-test-prereq
	@$(PYTHON) tests/run-all $(BUILD) --suite long

check-style:
	@tools/dev/check-style $(BUILD)/style

# KCOV_INSTRUMENT: the module tells the fuzzer what it has reached.
check-debug: all
	ninja -C $(BUILD) meson-test-prereq
	@set -e; kernel=$$(tools/dev/debug-kernel); \
		tools/dev/build-module $$kernel/src $(BUILD)/modules KCOV_INSTRUMENT=y HEARTH_KUNIT=y modules; \
		$(PYTHON) tests/run-all $(BUILD) --suite debug

debug-kernel:
	@tools/dev/debug-kernel

run: all
	@tests/vm/run-demo $(BUILD)

# What to run, for example BENCH='matmul 20'
BENCH ?= matmul
bench: userspace
	@tests/bench/compare $(BUILD) $(BENCH)

install: all
	meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))
ifneq ($(and $(wildcard driver/Kbuild),$(KDIRS)),)
	@set -e; for kdir in $(KDIRS); do \
		tools/dev/build-module $$kdir $(BUILD)/modules INSTALL_MOD_PATH=$(abspath $(DESTDIR)) \
			$(if $(DESTDIR),DEPMOD=true) CONFIG_MODULE_SIG_ALL= modules_install; done
endif
ifeq ($(DESTDIR),)
	ldconfig
endif

# In a build folder of their own, for packages are built for /usr.
deb:
	@mkdir -p $(BUILD)/deb
	@packaging/build-tree $(BUILD)/deb/tree
	@packaging/make-deb $(BUILD)/deb/tree $(BUILD)/deb/packages

docs: $(BUILD)/build.ninja
	sphinx-build -q -W -b html -d $(BUILD)/Documentation/doctrees Documentation $(BUILD)/Documentation/html

format format-check:
	@tools/dev/$@

clean:
	rm -rf $(BUILD)
