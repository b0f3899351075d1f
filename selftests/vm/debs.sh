#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages in a Debian that does not run: what apt and DKMS make of them,
# for every kernel that is there.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=system-lib.sh
. "$(dirname "$0")/system-lib.sh"

KERNELS=$(cd /lib/modules && echo 6.1.* 6.12.*)
OTHERS="6.6.13-other 6.1.0-without"	# the module is not for them

# kernel NAME: one with the headers of the first that is there, but for lines of the
# configuration that match $2.
kernel()
{
	local headers build=/lib/modules/$1/build

	headers=$(readlink -f "/lib/modules/${KERNELS%% *}/build")
	mkdir -p "$build"
	ln -s "$headers"/* "$build/"
	grep -v "$2" "$headers/.config" >"$build/.config"
}

# What is on the disk, but for what every day changes.
files()
{
	find / -xdev \( -path /tmp -o -path /var/tmp -o -path /srv -o -path /root -o \
		-path /var/log -o -path /var/cache -o -path /var/lib/apt -o \
		-path /var/lib/dpkg -o -path /var/lib/xen -o -path /var/lib/systemd \) \
		-prune -o -print |
		grep -vE '^(/lib|/usr/lib)/modules/[^/]*/modules\.|^/var/lib/dkms/mok\.' |
		sort
	find /var/lib/systemd/deb-systemd-helper-*
}

t_apt_installs_and_dkms_builds_for_each_kernel()
{
	local kver

	files >"$TMP/before"
	apt_install "$DEBS"
	for kver in $KERNELS; do
		dkms_has "$(version_of "$DEBS")" "$kver"
		modinfo -F vermagic -k "$kver" xen-ioemu | grep "^$kver "
		expect_eq "$(modinfo -F version -k "$kver" xen-ioemu)" "$(version_of "$DEBS")"
		note "built for $kver"
	done
	[ -e /etc/systemd/system/multi-user.target.wants/xen-ioemu.service ]
}

# With the links that lead from one to another.
t_the_documents_are_in_the_package()
{
	local doc list

	list=$(dpkg-deb -c "$DEBS"/xen-ioemu-utils_*.deb)
	for doc in README Documentation/{operations,security,xenstore,benchmarks}; do
		grep -qE "/usr/share/doc/xen-ioemu-utils/$doc\.md(\.gz)?$" <<<"$list" ||
			fail "$doc.md is missing"
	done
}

# apt has not failed because of kernels for which the module does not build.
t_other_kernels_are_left_alone()
{
	local kver

	dkms status
	! dkms status | grep -F -e "${OTHERS% *}" -e "${OTHERS#* }" || return 1
	# shellcheck source=/dev/null
	. "/usr/src/xen-ioemu-$(version_of "$DEBS")/dkms.conf"
	for kver in 6.1.0-44-amd64 6.4.1-x 6.9.0 6.10.3-1 6.12.57+deb12-amd64 7.0.1 10.0-rc1; do
		[[ $kver =~ $BUILD_EXCLUSIVE_KERNEL ]] || fail "not for $kver"
	done
	for kver in 5.19.0 6.0.1 6.5.0-x 6.8.12-amd64 1.6.1; do
		[[ ! $kver =~ $BUILD_EXCLUSIVE_KERNEL ]] || fail "for $kver"
	done
}

t_upgrade_replaces_it()
{
	local kver

	apt_install "$NEXT"
	for kver in $KERNELS; do
		dkms_has "$(version_of "$NEXT")" "$kver"
		expect_eq "$(modinfo -F version -k "$kver" xen-ioemu)" "$(version_of "$NEXT")"
	done
	! dkms status | grep -F "/$(version_of "$DEBS")," || fail "the old one is still there"
	xen-ioemu --version | grep -F "$(version_of "$NEXT")"
}

# Every function that the header has, with what pkg-config would say.
t_programs_are_built_with_the_library()
{
	local pc calls

	apt_get install "$NEXT"/libxenioemu{0,-dev}_*.deb
	calls=$(sed -n 's/^[a-z][a-z ]*[ *]\(xenioemu_[a-z_]*\)(.*/\1/p' /usr/include/xenioemu.h)
	[ "$(wc -w <<<"$calls")" -ge 20 ]
	cat >"$TMP/use.c" <<-END
	#include <stdio.h>
	#include <xenioemu.h>
	void *const calls[] = { $(sed 's/$/,/' <<<"$calls") };
	int main(void)
	{
		struct xenioemu *handle = xenioemu_open();
		int there = handle && calls[0];

		xenioemu_close(handle);
		puts(there ? "xenstore" : "no xenstore");
		return there;
	}
	END
	pc=$(echo /usr/lib/*/pkgconfig/xenioemu.pc)
	grep -qx "Version: $(xen-ioemu --version | cut -d ' ' -f 2)" "$pc"
	# Its variables, and then the flags.
	eval "$(sed -n 's/^\([a-z]*\)=/\1=/p' "$pc")"
	eval "flags=\"$(sed -n 's/^\(Libs\|Cflags\): //p' "$pc" | paste -sd ' ')\""
	# shellcheck disable=SC2154,SC2086
	gcc -Wall -Werror -o "$TMP/use" "$TMP/use.c" $flags
	expect_eq "$("$TMP/use")" "no xenstore"
}

t_purge_leaves_nothing()
{
	apt_get purge xen-ioemu-dkms xen-ioemu-utils libxenioemu0 libxenioemu-dev
	files | diff "$TMP/before" - || fail "files are left"
}

kernel "${OTHERS% *}" nothing
kernel "${OTHERS#* }" '^CONFIG_XEN_BACKEND='
run_tests
