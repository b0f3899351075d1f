# SPDX-License-Identifier: GPL-2.0
#
# xen-ioemu: build, test, install. "make help" lists the targets.
#
# Everything that is made goes below $(O); the source tree stays as it is.

SHELL		:= /bin/bash
MAKEFLAGS	+= --no-print-directory

VERSION		:= 0.1.0
O		?= build
override O	:= $(abspath $(O))
PREFIX		?= /usr/local

# On a Xen host: the running kernel. Elsewhere: the newest Debian 6.1 kernel
# whose headers are installed.
ifeq ($(shell cat /sys/hypervisor/type 2>/dev/null),xen)
KVER		?= $(shell uname -r)
else
KVER		?= $(shell cd /lib/modules 2>/dev/null && ls -d 6.1.*-amd64/build \
			2>/dev/null | sed 's,/build,,' | sort -V | tail -n 1)
endif
KDIR		?= /lib/modules/$(KVER)/build

# The module is built in a tree of symbolic links, one for each kernel, so that
# several kernels can be built side by side.
release		= $(or $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
			'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null),unknown)
module_dir	= $(O)/module/$(release)

module_args	= $(if $(IOEMU_DEBUG),-- IOEMU_DEBUG=$(IOEMU_DEBUG))

all: modules tools

help:
	@echo 'Build:'
	@echo '  all           modules and tools (default)'
	@echo '  modules       the kernel module, in build/module/VERSION/'
	@echo '  tools         the tool, build/tools/xen-ioemu'
	@echo '  install       install module, tool and man page'
	@echo '  deb           the Debian packages, in build/deb/'
	@echo '  clean         remove build/'
	@echo 'Try and test, on any Debian 12 machine:'
	@echo '  demo          a Xen host in QEMU, and a guest on an emulated NVMe disk'
	@echo '  check         all tests; LAYERS="unit tool" runs some, see scripts/check'
	@echo '  check-all     all that, the packages on a host that runs, UEFI firmware, power cuts,'
	@echo '                long attacks, check-debug, check-kcsan, fuzz and soak'
	@echo '  bench         compare the disk paths of guests; VIEW="wall exact" PATHS= WORKLOADS='
	@echo '                DISKS= DURATION= select, see scripts/bench --help'
	@echo '  check-debug   the vm layer on a dom0 kernel that looks for bugs'
	@echo '  check-kcsan   likewise, for data races of the module'
	@echo '  fuzz          random input for parts of the driver; TIME=SECONDS each'
	@echo '  coverage      lines that unit tests and the fuzzers reach, by file'
	@echo '  soak          verified load on all sides; TIME=SECONDS'
	@echo '  lint          look at the sources with the usual tools'
	@echo '  deps          install the packages that these need (as root)'
	@echo 'Parts:'
	@echo '  guest         the test guest, build/guest/tiny.elf'
	@echo '  payload       what the lab runs, build/payload/'
	@echo 'Variables:'
	@echo '  IOEMU_DEBUG=y the module checks that each request completes, once'
	@echo '  KDIR=DIR      kernel build directory; now $(KDIR)'
	@echo '  O=DIR         where to build; now $(O)'
	@echo '  PREFIX=DIR    where to install; now $(PREFIX)'
	@echo '  DESTDIR=DIR   prepended to all that is installed'

modules:
	@scripts/build-module --kdir '$(KDIR)' --out '$(module_dir)' $(module_args)

tools:
	@$(MAKE) -C userspace O='$(O)/tools' VERSION='$(VERSION)'

guest:
	@$(MAKE) -C selftests/guest OUT='$(O)/guest'

# For the kernel that the lab boots, whatever KDIR is.
lab_kver	= $(shell selftests/lab/lab kver)
lab_kdir	= $(shell selftests/lab/lab kdir)
payload: tools guest
	@kver=$(lab_kver); test -n "$$kver" && \
	scripts/build-module --kdir '$(lab_kdir)' --out '$(O)/module/'"$$kver" \
		$(module_args) && \
	$(MAKE) -C selftests install O='$(O)' INSTALL_PATH='$(O)/payload' \
		MODULE='$(O)/module/'"$$kver"'/xen-ioemu.ko'

version:
	@echo $(VERSION)

deps:
	@scripts/deps

demo: deps payload
	@O='$(O)' scripts/demo

check:
	@scripts/deps --deb
	@O='$(O)' scripts/check $(LAYERS)

# Each of these has a verdict of its own; the first that fails ends it.
check-all:
	@scripts/deps --deb
	@O='$(O)' scripts/check --all
	@$(MAKE) check-debug
	@$(MAKE) check-kcsan
	@$(MAKE) fuzz
	@$(MAKE) soak

bench:
	@scripts/deps --bench
	@$(MAKE) -s payload
	@O='$(O)' scripts/bench

check-debug: export LAB_FLAVOUR := debug
check-kcsan: export LAB_FLAVOUR := kcsan
check-debug check-kcsan: export IOEMU_DEBUG := y
check-debug check-kcsan: export SUITE_TIMEOUT := 21600
check-debug check-kcsan: deps
	@O='$(O)/$(LAB_FLAVOUR)' scripts/check vm

fuzz:
	@$(MAKE) -C selftests/fuzz run O='$(O)/fuzz' TIME='$(or $(TIME),60)'

coverage:
	@selftests/coverage '$(O)/coverage'

# The module keeps accounts of its requests: a build of its own.
soak: export IOEMU_DEBUG := y
soak: deps
	@$(MAKE) -s payload O='$(O)/soak'
	@O='$(O)/soak' scripts/soak '$(or $(TIME),600)'

lint: deps
	@O='$(O)' scripts/lint

install: modules tools
	env -u MAKEFLAGS -u O $(MAKE) -C '$(KDIR)' M='$(module_dir)' \
		$(if $(DESTDIR),INSTALL_MOD_PATH='$(DESTDIR)') modules_install
	$(MAKE) -C userspace O='$(O)/tools' VERSION='$(VERSION)' \
		PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' install
	$(if $(DESTDIR),,ldconfig)

deb:
	@scripts/deps --deb
	@scripts/build-deb '$(O)/deb'

.PHONY: deb

clean:
	rm -rf '$(O)'

.PHONY: all help modules tools guest payload version deps demo check check-all check-debug \
	check-kcsan bench fuzz coverage soak lint install clean
