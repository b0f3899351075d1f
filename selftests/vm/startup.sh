#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine has started, with the packages installed and a domain that starts with
# it: the module was there before. "startup.sh --prepare" puts the domain there, in
# lab/chroot.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

CONFIG=/etc/xen/auto/auto.cfg
IMAGE=/srv/auto.img
SERIAL=/var/lib/auto.serial

# A domain of nothing but firmware and a disk whose boot sector speaks.
prepare()
{
	truncate -s 16M $IMAGE
	dd if="$PAYLOAD/cycle.bin" of=$IMAGE conv=notrunc status=none
	printf H | dd of=$IMAGE bs=512 seek=1 conv=notrunc,sync status=none
	mkdir -p /etc/xen/auto
	cat >$CONFIG <<-END
	name = "auto"
	type = "hvm"
	memory = 64
	device_model_override = "/usr/sbin/ioemu-dm"
	device_model_args = [ "-ioemu", "nvme,params=$IMAGE" ]
	vga = "none"
	serial = "file:$SERIAL"
	END
}

# property UNIT NAME
property()
{
	systemctl show -p "$2" --value "$1"
}

t_the_module_is_there_before_the_domains()
{
	local module domains

	expect_eq "$(property xen-ioemu.service ActiveState)" active
	expect_eq "$(property xendomains.service ActiveState)" active
	property xen-ioemu.service Before | grep -qw xendomains.service
	# It talks to xenstored, and waits for it.
	property xen-ioemu.service After | grep -qw xen.service
	expect_eq "$(property xen-ioemu.service TimeoutStartUSec)" 1min
	module=$(property xen-ioemu.service ActiveEnterTimestampMonotonic)
	domains=$(property xendomains.service InactiveExitTimestampMonotonic)
	[ "$module" -le "$domains" ] || fail "module at $module us, domains at $domains us"
	note "domains begin $(((domains - module) / 1000)) ms after the module"
}

says()
{
	tr -d '\0' <$SERIAL | grep -q "^boot:$1"
}

loop()
{
	losetup -a | grep $IMAGE
}

t_the_domain_boots_from_its_disk()
{
	wait_for 60 says H
	wait_for 20 domain_gone auto	# it halts, which is the end of it
	wait_for_no 20 loop
	expect_no_leaks
	rm $CONFIG $IMAGE $SERIAL
}

if [ "${1-}" = --prepare ]; then
	prepare
	exit
fi
run_tests
rc=$?
[ $rc = 0 ] || journalctl -b -u xen-ioemu -u xendomains --no-pager | sed 's/^/# /'
exit $rc
