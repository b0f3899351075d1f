#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the module is for, step by step: an unmodified Linux guest puts a file
# system and files on its NVMe disk; afterwards dom0 reads the same files from
# the block device. Not a suite: the output is for readers, and the last line is
# "demo: PASS" only if everything was as it should.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
set -eE -o pipefail

NAME=demo
DISK=$(readlink -f /dev/lab/virtio)

trap 'echo; echo "demo: FAIL: line $LINENO: $BASH_COMMAND"; exit 1' ERR

step()
{
	printf '\n== %s\n' "$*"
}

# Show a command, then its output.
dom0()
{
	echo "dom0#  $*"
	"$@" 2>&1 | sed 's/^/       /'
}

# The same with lines of shell in the guest.
guest()
{
	sed 's/^/guest# /' <<<"$1"
	"$LAB/guest-exec" --timeout 300 $NAME "set -e
$1" 2>&1 | tr -d '\r' | sed 's/^/       /'
}

# What the module has counted since the guest set the queues up.
module_counts()
{
	awk '/^sq[1-9]/ {
		for (i = 2; i < NF; i += 2)
			n[$i] += $(i + 1)
	}
	END {
		print n["commands"], n["reads"], n["writes"], n["write_blocks"]
	}' "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
}

# CPU time of the guest's device model, in ticks of 10 ms.
qemu_ticks()
{
	local stat

	read -r stat <"/proc/$QEMU/stat"
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

step "Load the module"
dom0 insmod "$MODULE"
lsmod | grep '^xen_ioemu' | sed 's/^/       /'

step "Create a guest paused; give it $DISK on an NVMe controller"
echo "dom0#  xl create -p $NAME.cfg"
"$LAB/guest-start" --tools --modules nvme,ext4 --timeout 300 --paused $NAME
DOMID=$(xl domid $NAME)
QEMU=$(xenstore-read "/local/domain/$DOMID/image/device-model-pid")
dom0 "$TOOL" attach $NAME --slot 16 --disk "params=$DISK,serial=DEMO"
echo "       In xenstore, that is:"
dom0 xenstore-ls "$(backend_path "$DOMID" 0)"
state_is "$DOMID" 0 4

step "Let it run: Debian's kernel, with its own NVMe driver"
"$LAB/guest-unpause" $NAME
guest 'uname -srv
cat /sys/block/nvme0n1/device/address /sys/block/nvme0n1/wwid
grep nvme /proc/interrupts
nvme list'
ticks=$(qemu_ticks)
since=$SECONDS

step "In the guest: a partition, a file system, files"
guest 'echo "2048,," | sfdisk -q /dev/nvme0n1
mkfs.ext4 -q -L demo /dev/nvme0n1p1
mount -t ext4 /dev/nvme0n1p1 /mnt
for i in 1 2 3 4 5 6; do
	dd if=/dev/urandom of=/mnt/random$i bs=1M count=8 2>/dev/null
done
cp -r /tools /lib/modules /mnt/
cd /mnt && find . -type f | sort | xargs sha256sum >/tmp/sums
wc -l </tmp/sums; du -sh /mnt'

step "And again, from the disk and not from the guest's memory"
guest 'umount /mnt
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/nvme0n1p1 /mnt
cd /mnt && sha256sum -c /tmp/sums | grep -c "OK$"
cp /tmp/sums /mnt/SHA256SUMS
cd / && umount /mnt'
sums=$("$LAB/guest-exec" $NAME 'sha256sum </tmp/sums' | tr -d '\r')

step "Who did that? The module:"
dom0 cat "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
read -r commands reads writes blocks <<<"$(module_counts)"
echo "       $commands commands, $reads reads, $writes writes of $((blocks / 2048)) MiB"
[ "$blocks" -gt $((48 * 2048)) ]
echo "       Not the guest's QEMU, process $QEMU:"
used=$(($(qemu_ticks) - ticks))
took=$((SECONDS - since))
echo "       it used $((used * 10)) ms of CPU time in these $took s"
[ "$used" -lt $((took * 5)) ]		# 5 percent: its timers
if readlink "/proc/$QEMU"/fd/* | grep -Fx "$DISK"; then
	false
fi
echo "       and does not even have $DISK open"

step "Turn the guest off: the module lets go of the disk"
"$LAB/guest-stop" --clean $NAME
wait_for 30 disk_free "$DISK"
if xenstore-exists "$(backend_path "$DOMID" 0)"; then
	false
fi
dom0 "$TOOL" list

step "In dom0: the same files, from $DISK itself"
blockdev --rereadpt "$DISK"
udevadm settle
dom0 fdisk -l "$DISK"
dom0 e2fsck -fn "${DISK}1"
mkdir "$TMP/mnt"
mount -o ro "${DISK}1" "$TMP/mnt"
cd "$TMP/mnt"
found=$(sha256sum <SHA256SUMS)
[ "$found" = "$sums" ]
sha256sum -c --quiet SHA256SUMS
echo "       $(wc -l <SHA256SUMS) files have the checksums that the guest computed"
cd "$PAYLOAD"
umount "$TMP/mnt"

step "Remove the module"
dom0 rmmod xen_ioemu
expect_no_leaks

echo
echo "demo: PASS"
