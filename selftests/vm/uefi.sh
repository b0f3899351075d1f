#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# UEFI firmware (EDK2's OvmfXen) boots from the disk: it finds the controller, the
# partition and the program there, and the program reads and writes through it.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

TEXT="read by the efi program: $(tr -dc a-z </dev/urandom | head -c 12)"

# The disk has a system partition, and on it the program.
efi_disk()
{
	dd if="$PAYLOAD/efi.img" of="$DISK" bs=1M oflag=direct status=none
	{
		echo "$TEXT"
		cat /dev/zero
	} | head -c 512 | dd of="$DISK" bs=512 seek=34 oflag=direct status=none
}

serial_says()
{
	grep -aq "$1" "$TMP/serial"
}

t_uefi_firmware_boots_from_the_controller()
{
	local start=$SECONDS

	efi_disk
	cat >"$TMP/uefi.cfg" <<-END
	name = "uefi"
	type = "hvm"
	memory = 256
	vcpus = 1
	bios = "ovmf"
	bios_path_override = "$PAYLOAD/OVMF.fd"
	device_model_override = "$PAYLOAD/ioemu-dm"
	device_model_args = [ "-ioemu", "nvme,params=$DISK,serial=EFI" ]
	vga = "none"
	serial = "file:$TMP/serial"
	on_poweroff = "destroy"
	on_reboot = "destroy"
	on_crash = "destroy"
	END
	: >"$TMP/serial"
	xl create "$TMP/uefi.cfg"
	wait_for 600 serial_says "the EFI program runs" || {
		cat "$TMP/serial"
		cat "/sys/kernel/debug/xen-ioemu/$(xl domid uefi)/nvme-0"
		xl dmesg | tail -n 40
		return 1
	}
	note "the program runs after $((SECONDS - start)) s"
	wait_for 30 domain_gone uefi || {
		cat "$TMP/serial"
		return 1
	}
	note "$(tr '\n' ';' <"$TMP/serial" | tr -dc '[:print:]')"
	serial_says "$TEXT"
	serial_says written
	expect_eq "$(dd if="$DISK" bs=512 skip=35 count=1 iflag=direct status=none |
		head -n 1)" "${TEXT^^}" "what it wrote"
}

t_nothing_is_left()
{
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

module_load
DISK=$(make_disk uefi 32)
run_tests
rc=$?
xl destroy uefi 2>/dev/null
module_unload
remove_disk uefi
exit $rc
