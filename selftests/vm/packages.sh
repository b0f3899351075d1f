#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages are installed, on a machine that runs: whoever attaches a device needs
# no modprobe.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

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

run_tests
