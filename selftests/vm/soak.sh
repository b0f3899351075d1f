#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Verified load for SECONDS (the argument). A Linux guest runs fio on two bare
# disks at all sizes and depths, and random file operations (fileops.c; Debian 12
# packages neither fsstress nor fsx) on ext4, xfs and btrfs, one disk each; a tiny
# guest verifies; one attacks with random accesses, anew each time. Meanwhile the
# Linux guest's controller is reset, it gives memory away and takes it back, one
# disk grows and shrinks, another one comes and goes with fio on it. In the end,
# the guest and dom0 read the same, and all file systems are whole.
#
# Not one of the suites that run by themselves: it is as long as one likes.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=soak
RUN_SECONDS=${1:-60}
MEMORY=640

if [ "${1-}" = attach ]; then
	"$TOOL" attach --slot 16 --disk "params=$PREY" "$2" >/dev/null
	exit
fi

setup()
{
	module_load
	modprobe -a dm_mod loop
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: ' \
		'\(XEN\) domain_crash called from arch/x86/hvm/emulate\.c' \
		'\(XEN\) Domain [0-9]+ \(vcpu#[0-9]+\) crashed'
	A=$(make_disk a 48 discard=1)
	B=$(make_disk b 48 blocksize=4096)
	EXT4=$(make_disk ext4 64)
	XFS=$(make_disk xfs 64 discard=1)
	BTRFS=$(make_disk btrfs 128)
	UNDER=$(make_disk under 64)
	HOT=$(make_disk hot 32)
	OTHER=$(make_disk other 32)
	PREY=$(make_disk prey 32 irqmode=2 completion_nsec=1000000)
	export PREY
	dmsetup create soak --table "0 65536 linear $UNDER 0"
	# How a program gets into the guest.
	cp "$PAYLOAD/fileops" /tmp/loop-program.img
	truncate -s 2M /tmp/loop-program.img
	PROGRAM=$(make_loop program 2)
	OTHER_ID=$(SERIAL=file:$TMP/victim.serial paused_domain victim 1 victim)
	"$TOOL" attach --slot 16 --disk "params=$OTHER" victim >/dev/null
	xl unpause victim
	build_guest --memory $MEMORY --modules nvme,ext4,xfs,btrfs $GUEST
	DOMID=$(xl domid $GUEST)
	"$TOOL" attach --slot 16 --disk "params=$A" --disk "params=$B" \
		--disk "params=$EXT4" --disk "params=$XFS" --disk "params=$BTRFS" \
		--disk params=/dev/mapper/soak --disk "params=$PROGRAM,mode=r" $GUEST
	"$LAB/guest-unpause" $GUEST
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	dmsetup remove soak
	remove_loop program
	for name in a b ext4 xfs btrfs under hot other prey; do
		remove_disk $name
	done
	module_unload
}

# In the guest, until it is told to stop: each round of fio verifies what it wrote.
start_load()
{
	g -t 300 'rm -f /run/stop
		dd if=/dev/nvme0n7 of=/run/fileops bs=64k 2>/dev/null
		chmod +x /run/fileops
		mkfs.ext4 -q /dev/nvme0n3
		mkfs.xfs -q -f --unsupported /dev/nvme0n4
		mkfs.btrfs -q /dev/nvme0n5
		n=2
		for type in ext4 xfs btrfs; do
			n=$((n + 1))
			mkdir /mnt/$type
			mount -t $type /dev/nvme0n$n /mnt/$type
			(/run/fileops /mnt/$type $n /run/stop || echo $type failed >/run/bad
			) </dev/null >/run/$type.log 2>&1 &
		done
		(n=0
		while [ ! -e /run/stop ]; do
			n=$((n + 1))
			fio_verify --bssplit=512/5:4k/40:8k/20:16k/15:60k/10:128k/10 \
				--iodepth=$((1 << n % 7)) --randseed=$n --size=2m \
				--name=n1 --filename=/dev/nvme0n1 \
				--name=n2 --filename=/dev/nvme0n2 \
				--bssplit=4k/60:64k/30:512k/10 || { echo fio failed >/run/bad; break; }
			echo $n >/run/rounds
		done
		touch /run/done) </dev/null >/run/fio.log 2>&1 &'
}

show_bad='[ ! -e /run/bad ] || { cat /run/bad /run/*.log; dmesg | tail -n 40; exit 1; }'

# A disk comes, is used, and goes in the middle of that.
hot_disk()
{
	local be

	be=$(backend_path "$DOMID" 0)
	xenstore-write "$be/disk/9/params" "$HOT"
	g "until_true 60 'grep -qx 10 /sys/block/nvme0n*/nsid'
		hot=\$(grep -lx 10 /sys/block/nvme0n*/nsid | cut -d/ -f4)
		until_true 60 \"[ -b /dev/\$hot ]\"
		# Where there is no disk, fio would make a file.
		(fio --name=hot --filename=/dev/\$hot --allow_file_create=0 --direct=1 \
			--rw=randwrite --bs=4k --iodepth=8 --ioengine=libaio --time_based \
			--runtime=60 --size=16m
		) </dev/null >/dev/null 2>&1 &
		until_true 60 '[ \$(writes \${hot#nvme0n}) -gt 100 ]'"
	xenstore-rm "$be/disk/9"
	wait_for 30 disk_free "$HOT"
	g "until_true 60 '! grep -qx 10 /sys/block/nvme0n*/nsid 2>/dev/null'"
}

attack()
{
	"$PAYLOAD/tiny-run" -c 2 -n attacker -t $((120 * PATIENCE)) \
		-k "$PAYLOAD/vm/soak.sh attach" hostile_fuzz "seed=$1" seconds=8 \
		>"$TMP/attack" || {
		cat "$TMP/attack"
		return 1
	}
}

t_load_verifies_while_everything_changes()
{
	local end n=0 seed rounds

	start_load
	end=$((SECONDS + RUN_SECONDS))
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		g "$show_bad"'
			echo 1 >/sys/class/nvme/nvme0/reset_controller
			until_true 60 live'
		dm_table soak "0 $((65536 + n % 5 * 8192)) linear $UNDER 0"
		xl mem-set $GUEST $((MEMORY - n % 2 * 128))
		hot_disk
		seed=$((RANDOM + 1))
		attack $seed
		if grep -a '^not ok\|^Bail out' "$TMP/victim.serial"; then
			fail "the guest beside it suffers"
		fi
		xl list victim >/dev/null
	done
	xl mem-set $GUEST $MEMORY
	g -t 400 "touch /run/stop
		until_true 240 '[ -e /run/done ] && ! pidof fileops >/dev/null'
		$show_bad"'
		echo $(cat /run/rounds)
		for type in ext4 xfs btrfs; do
			echo "$type: $(cat /run/$type.log)"
		done'
	note "$n resets, resizes, changes of memory, disks that came and went, attacks"
	rounds=$(head -n 1 "$TMP/found")
	# 2 MiB on each of two disks
	note "rounds of fio: $rounds, $((rounds * 4)) MiB written, read back and compared"
	queue_commands "$OTHER_ID"
	note "commands of the guest beside it: $COMMANDS, each read compared"
	tail -n 3 "$TMP/found" | while read -r line; do
		note "$line"
	done
}

t_file_systems_are_whole()
{
	g -t 300 'umount /mnt/ext4 /mnt/xfs /mnt/btrfs
		e2fsck -fn /dev/nvme0n3
		xfs_repair -n /dev/nvme0n4
		btrfs check --readonly /dev/nvme0n5' >"$TMP/fsck" 2>&1 || {
		cat "$TMP/fsck"
		return 1
	}
}

t_guest_and_dom0_read_the_same()
{
	g -t 300 'for n in 1 2 3 4 5; do
			dd if=/dev/nvme0n$n iflag=direct bs=1M count=32 2>/dev/null | md5sum
		done'
	for d in "$A" "$B" "$EXT4" "$XFS" "$BTRFS"; do
		dd if="$d" iflag=direct bs=1M count=32 status=none | md5sum
	done >"$TMP/sums"
	diff "$TMP/found" "$TMP/sums"
	wait_for 10 accounts_balance
}

t_nothing_is_left()
{
	"$LAB/guest-stop" $GUEST
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	expect_no_leaks
}

run_suite
