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

t_purge_leaves_nothing()
{
	apt_get purge xen-ioemu-dkms xen-ioemu-utils
	files | diff "$TMP/before" - || fail "files are left"
}

run_tests
