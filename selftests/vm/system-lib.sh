# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What suites share that run in an installed Debian (lab/chroot); sourced after
# lib.sh. The packages are in deb/, and with a higher version in deb-next/.

DEBS=$PAYLOAD/deb
NEXT=$PAYLOAD/deb-next
KVER=$(uname -r)
BEFORE=/run/files-before	# the packages were installed

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

# apt_install DIR
apt_install()
{
	note_files
	apt_get install "$1"/xen-ioemu-{dkms,utils}_*.deb
}

note_files()
{
	installed || files >$BEFORE
}

installed()
{
	[ "$(dpkg-query -f '${db:Status-Status}' -W xen-ioemu-dkms 2>/dev/null)" = installed ]
}

# Take the packages away, and see what they leave.
purge_all()
{
	apt_get purge xen-ioemu-dkms xen-ioemu-utils
	files | diff $BEFORE - || fail "files are left"
}

dkms_has()
{
	dkms status | grep -F "xen-ioemu/$1, $2, x86_64: installed" || {
		dkms status
		return 1
	}
}
