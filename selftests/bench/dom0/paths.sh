# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The ways in which a guest gets its disks: path_PATH sets "options" to what
# guest-start is to be given for the disks in DISKS.
#
# QEMU goes through dom0's page cache: it cannot use O_DIRECT for HVM guests,
# since its mapping of a guest's memory has no struct pages behind it.

# qemu_drives: drives d0, d1, ... that no device uses yet.
qemu_drives()
{
	local n=0 disk

	for disk in "${DISKS[@]}"; do
		options+=(--dm-arg -drive --dm-arg
			  "file=$disk,if=none,id=d$n,format=raw,cache=writeback")
		n=$((n + 1))
	done
}

qemu_device()
{
	options+=(--dm-arg -device --dm-arg "$1")
}

# qemu_each FORMAT: a device for each disk; %d is its number, several times.
qemu_each()
{
	local n

	for n in "${!DISKS[@]}"; do
		qemu_device "${1//%d/$n}"
	done
}

path_ioemu()
{
	local disk words=

	for disk in "${DISKS[@]}"; do
		words+=" --disk params=$disk"
	done
	options+=(--modules nvme --hook "'$TOOL' attach --slot 16$words \$DOMID")
}

path_pv()
{
	local n list="" letters=abcdefgh

	for n in "${!DISKS[@]}"; do
		list+="${list:+, }'phy:${DISKS[n]},xvd${letters:n:1},w'"
	done
	options+=(--modules xen-blkfront --unplug unnecessary --xl "disk = [ $list ]")
}

path_qemu-nvme()
{
	options+=(--modules nvme)
	qemu_drives
	qemu_each "nvme,serial=d%d,drive=d%d"
}

path_qemu-virtio()
{
	options+=(--modules "virtio_pci,virtio_blk")
	qemu_drives
	qemu_each "virtio-blk-pci,drive=d%d"
}

path_qemu-ahci()
{
	options+=(--modules "ahci,sd_mod")
	qemu_drives
	qemu_device "ahci,id=hba"
	qemu_each "ide-hd,drive=d%d,bus=hba.%d"
}

path_qemu-pvscsi()
{
	options+=(--modules "vmw_pvscsi,sd_mod")
	qemu_drives
	qemu_device "pvscsi,id=hba"
	qemu_each "scsi-hd,drive=d%d,bus=hba.0,scsi-id=%d"
}

path_qemu-lsi()
{
	options+=(--modules "sym53c8xx,sd_mod")
	qemu_drives
	qemu_device "lsi53c895a,id=hba"
	qemu_each "scsi-hd,drive=d%d,bus=hba.0,scsi-id=%d"
}

# The controller of the machine itself, with two channels of two drives.
path_qemu-ide()
{
	local n

	options+=(--modules "ata_piix,sd_mod")
	qemu_drives
	for n in "${!DISKS[@]}"; do
		qemu_device "ide-hd,drive=d$n,bus=ide.$((n / 2)),unit=$((n % 2))"
	done
}
