# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What suites share that run in an installed Debian (lab run --system, lab/chroot);
# sourced after lib.sh. The packages are in deb/, and with a higher version in
# deb-next/.

DEBS=$PAYLOAD/deb
NEXT=$PAYLOAD/deb-next
KVER=$(uname -r)

# version_of DIR: of the packages there
version_of()
{
	basename "$1"/xen-ioemu-dkms_*_all.deb | cut -d_ -f2
}

# apt_get ARG...: nobody is asked.
apt_get()
{
	DEBIAN_FRONTEND=noninteractive apt-get -y "$@"
}

# apt_install DIR
apt_install()
{
	apt_get install "$1"/xen-ioemu-{dkms,utils}_*.deb
}

# Of the module that serves the guests
loaded_version()
{
	cat /sys/module/xen_ioemu/version
}

dkms_has()
{
	dkms status | grep -F "xen-ioemu/$1, $2, x86_64: installed" || {
		dkms status
		return 1
	}
}
