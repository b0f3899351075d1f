#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages on a machine that runs: whoever attaches a device needs no modprobe,
# and they are upgraded and purged while a guest is at work. The older version is
# installed when this begins, none when it ends.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=system-lib.sh
. "$(dirname "$0")/system-lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=kept
IMAGE=/srv/kept.img

# A guest that uses its disk all the time, and remembers when that fails.
start_guest()
{
	truncate -s 64M $IMAGE
	"$LAB/guest-start" --timeout $((300 * PATIENCE)) --dm /usr/sbin/ioemu-dm \
		--dm-arg -ioemu --dm-arg "nvme,params=$IMAGE" $GUEST
	give_library $GUEST
	g 'mark
	dd if=/dev/urandom of=/run/sample bs=64k count=8 2>/dev/null
	dd if=/run/sample of=/dev/nvme0n1 bs=64k oflag=direct 2>/dev/null
	: >/run/rounds
	(while dd if=/dev/nvme0n1 of=/dev/nvme0n1 bs=64k count=64 skip=64 seek=128 \
		iflag=direct oflag=direct 2>/dev/null; do
		echo >>/run/rounds
	done; echo failed >/run/failed) >/dev/null 2>&1 &'
}

still_works()
{
	g 'rounds=$(wc -l </run/rounds)
	until_true 30 "[ \$(wc -l </run/rounds) -gt $((rounds + 1)) ]"
	[ ! -e /run/failed ]
	dd if=/dev/nvme0n1 bs=64k count=8 iflag=direct 2>/dev/null | cmp - /run/sample
	! since | grep -E "nvme|I/O error"'
}

end_guest()
{
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	wait_for_no 20 loop
	expect_no_leaks
}

loop()
{
	losetup -a | grep $IMAGE
}

t_a_device_loads_the_module()
{
	local domid

	systemctl stop xen-ioemu
	[ ! -e /sys/module/xen_ioemu ] || fail "it is loaded already"
	domid=$(paused_domain some)
	raw_attach "$domid" 0 model=nvme slot=16 disk/0/params=/dev/lab/virtio
	wait_for 30 state_is "$domid" 0 4
	raw_detach "$domid" 0
	destroy_domain some
	systemctl start xen-ioemu
}

t_an_upgrade_does_not_disturb_guests()
{
	local start

	start_guest
	start=$SECONDS
	apt_install "$NEXT"
	note "it took $((SECONDS - start)) s"
	still_works
	dkms_has "$(version_of "$NEXT")" "$KVER"
	expect_eq "$(loaded_version)" "$(version_of "$DEBS")" "version that serves the guest"
	# The new tools get on with it.
	xen-ioemu --version | grep -F "$(version_of "$NEXT")"
	xen-ioemu stats $GUEST | grep -E '^  reads +[1-9]'
	xen-ioemu list $GUEST | grep -w Connected
}

t_the_service_replaces_the_module_when_no_guest_needs_it()
{
	systemctl restart xen-ioemu
	expect_eq "$(loaded_version)" "$(version_of "$DEBS")" "version that serves the guest"
	still_works
	end_guest
	systemctl restart xen-ioemu
	expect_eq "$(loaded_version)" "$(version_of "$NEXT")" "version after a restart"
}

t_a_purge_does_not_disturb_guests_either()
{
	start_guest
	apt_get purge xen-ioemu-dkms xen-ioemu-utils
	still_works
	! systemctl cat xen-ioemu.service || return 1
	! systemctl is-failed xen-ioemu.service || return 1
	end_guest
	[ ! -e /sys/module/xen_ioemu ] || rmmod xen_ioemu
	! modprobe xen-ioemu || return 1
}

run_tests
rc=$?
"$LAB/guest-stop" $GUEST 2>/dev/null
rm -f $IMAGE
exit $rc
