#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Firmware boots from the disk: SeaBIOS finds the controller, loads the boot
# sector, and reads more for it.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# A domain with nothing but firmware and the disk; its text is in $TMP/serial.
# It stays when it has stopped, which it does as soon as it has said it.
boot_domain()
{
	: >"$TMP/serial"
	cat >"$TMP/boot.cfg" <<-END
	name = "boot"
	type = "hvm"
	memory = 64
	vcpus = 1
	boot = "c"
	device_model_override = "/usr/libexec/xen-qemu-system-i386"
	vga = "none"
	serial = "file:$TMP/serial"
	on_poweroff = "preserve"
	on_reboot = "destroy"
	on_crash = "destroy"
	END
	xl create -p "$TMP/boot.cfg" >/dev/null
	"$TOOL" attach boot --slot 16 --disk "params=$DISK"
	xl unpause boot
}

serial_says()
{
	grep -aq "$1" "$TMP/serial"
}

t_seabios_boots_from_the_controller()
{
	local text

	text="read by the boot sector: $(tr -dc a-z </dev/urandom | head -c 12)"
	dd if="$PAYLOAD/boot.bin" of="$DISK" oflag=direct status=none
	{
		echo "$text"
		cat /dev/zero
	} | head -c 512 | dd of="$DISK" bs=512 seek=2048 oflag=direct status=none
	boot_domain
	wait_for 90 serial_says . || {
		xl dmesg | tail -n 30
		return 1
	}
	wait_for 30 serial_says "$text" || {
		cat "$TMP/serial"
		return 1
	}
	note "$(tr '\n' ';' <"$TMP/serial" | tr -d '\0')"
	cat "/sys/kernel/debug/xen-ioemu/$(xl domid boot)/nvme-0"
	destroy_domain boot
}

t_nothing_is_left()
{
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

module_load
DISK=$(make_disk boot 16)
run_tests
rc=$?
destroy_domain boot
module_unload
remove_disk boot
exit $rc
