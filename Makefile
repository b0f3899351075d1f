# SPDX-License-Identifier: GPL-2.0
#
# xen-ioemu: build, test, install. "make help" lists the targets.
#
# Everything that is made goes below $(O); the source tree stays as it is.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

O ?= build
override O := $(abspath $(O))

# ---- the kernel module -----------------------------------------------------

# On a Xen host: the running kernel. Elsewhere: the newest Debian 6.1 kernel
# whose headers are installed, which is the one that the lab boots.
ifeq ($(shell cat /sys/hypervisor/type 2>/dev/null),xen)
KVER ?= $(shell uname -r)
else
KVER ?= $(shell cd /lib/modules 2>/dev/null && ls -d 6.1.*-amd64/build \
	2>/dev/null | sed 's,/build,,' | sort -V | tail -n 1)
endif
KDIR ?= /lib/modules/$(KVER)/build

# The module is built in a tree of symbolic links, one for each kernel, so that
# several kernels can be built side by side.
kbuild_name = $(or $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null),unknown)

modules:
	@scripts/build-module --kdir '$(KDIR)' --out '$(O)/module/$(kbuild_name)'

clean:
	rm -rf '$(O)'

.PHONY: modules clean
