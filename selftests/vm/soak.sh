#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Verified load for SECONDS (the argument). A Linux guest runs fio on two bare
# disks at all sizes and depths, and random file operations (fileops.c; Debian 12
# packages neither fsstress nor fsx) on ext4, xfs and btrfs, one disk each; a tiny
# guest and a second Linux guest verify; one attacks with random accesses, anew each
# time. While the Linux guest gives memory away and takes it back, its controller is
# reset, one disk grows and shrinks with fio on what it always has, another one comes
# and goes with fio on it. In the end, the guests and dom0 read the same, and all file
# systems are whole.
#
# Not one of the suites that run by themselves: it is as long as one likes.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=soak
SECOND=second
RUN_SECONDS=${1:-60}
MEMORY=640
LEAST=65536	# sectors of the disk that changes its size
PCI=0000:00:10.0

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
	OWN=$(make_disk own 48)
	PREY=$(make_disk prey 32 irqmode=2 completion_nsec=1000000)
	export PREY
	dmsetup create soak --table "0 $LEAST linear $UNDER 0"
	# In the order of their namespaces.
	DISKS=("$A" "$B" "$EXT4" "$XFS" "$BTRFS" /dev/mapper/soak)
	# How a program gets into the guest.
	cp "$PAYLOAD/fileops" /tmp/loop-program.img
	truncate -s 2M /tmp/loop-program.img
	PROGRAM=$(make_loop program 2)
	build_guest --memory 512 --vcpus 1 $SECOND
	"$TOOL" attach --slot 16 --disk "params=$OWN" $SECOND
	unpause_guest $SECOND
	build_guest --memory $MEMORY --modules nvme,ext4,xfs,btrfs $GUEST
	DOMID=$(xl domid $GUEST)
	"$TOOL" attach --slot 16 --disk "params=$A" --disk "params=$B" \
		--disk "params=$EXT4" --disk "params=$XFS" --disk "params=$BTRFS" \
		--disk params=/dev/mapper/soak --disk "params=$PROGRAM,mode=r" $GUEST
	unpause_guest $GUEST
	# It has the most to do of those that share a CPU.
	xl sched-credit2 -d $GUEST -w 512
	# It takes all that the guests' CPU has left: after those that are to start.
	OTHER_ID=$(SERIAL=file:$TMP/victim.serial paused_domain victim 1 victim)
	"$TOOL" attach --slot 16 --disk "params=$OTHER" victim >/dev/null
	xl unpause victim
}

# The disk of a namespace.
disk()
{
	echo "${DISKS[$1 - 1]}"
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	"$LAB/guest-stop" $SECOND
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	dmsetup remove soak
	remove_loop program
	for name in a b ext4 xfs btrfs under hot other own prey; do
		remove_disk $name
	done
	module_unload
}

# In the guest, until it is told to stop: each round of fio verifies what it wrote. It is
# a little nicer than the tests' own commands.
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
			fio_verify --nice=5 --bssplit=512/5:4k/40:8k/20:16k/15:60k/10:128k/10 \
				--iodepth=$((1 << n % 7)) --randseed=$n --size=2m \
				--offset=$((n % 24 * 2))m \
				--name=n1 --filename=/dev/nvme0n1 \
				--name=n2 --filename=/dev/nvme0n2 \
				--bssplit=4k/60:64k/30:512k/10 \
				--name=n6 --filename=/dev/nvme0n6 \
				--offset=$((n % 16 * 2))m || { echo fio failed >/run/bad; break; }
			echo $n >/run/rounds
		done
		touch /run/done) </dev/null >/run/fio.log 2>&1 &'
	GUEST=$SECOND g '(n=0
		while [ ! -e /run/stop ]; do
			n=$((n + 1))
			fio_verify $mixed --offset=$((n % 48))m --randseed=$n $(on 1) || {
				echo fio failed >/run/bad; break; }
			echo $n >/run/rounds
		done
		touch /run/done) </dev/null >/run/fio.log 2>&1 &'
}

show_bad='[ ! -e /run/bad ] || { cat /run/bad /run/*.log; dmesg | tail -n 40; exit 1; }'

# Resets in mid-I/O, one after the other without a pause, one of them the function's.
# Linux tries a request six times.
resets()
{
	local before

	guest_resets "$DOMID"
	before=$RESETS
	g "$show_bad"'
		for i in 1 2; do
			echo 1 >/sys/class/nvme/nvme0/reset_controller
		done
		echo 1 >/sys/bus/pci/devices/'$PCI'/reset
		echo 1 >/sys/class/nvme/nvme0/reset_controller
		until_true 60 live'
	guest_resets_over "$DOMID" $((before + 3)) || fail "fewer resets than there were to be"
}

# The disk has so many sectors, and the guest comes to see it.
resize()
{
	dm_table soak "0 $1 linear $UNDER 0"
	g "until_true 60 '[ \$(cat /sys/block/nvme0n6/size) = $1 ]'"
}

# The guest's memory, about as much as that: Xen's view.
memory_is()
{
	local mib

	mib=$(xl list $GUEST | awk 'NR == 2 { print $3 }')
	[ "$mib" -ge $(($1 - 16)) ] && [ "$mib" -le $(($1 + 16)) ]
}

replaced()
{
	sed -n 's/.*replaced: //p' "/sys/kernel/debug/xen-ioemu/$DOMID/domain"
}

# The guest begins to give memory away, or to take it back, and goes on by itself.
balloon()
{
	REPLACED=$(replaced)
	xl mem-set $GUEST "$1"
}

# Pages that the guest has given away are in no map of the module any more.
balloon_is()
{
	wait_for 60 memory_is "$1"
	[ "$1" -eq $MEMORY ] || [ "$(replaced)" -gt "$REPLACED" ] ||
		fail "the guest has given memory away, and the map is as before"
}

# A disk comes, keeps what is written to it, and goes in the middle of more.
hot_disk()
{
	local be

	be=$(backend_path "$DOMID" 0)
	xenstore-write "$be/disk/9/params" "$HOT"
	g -t 240 "until_true 60 'grep -qx 10 /sys/block/nvme0n*/nsid'
		hot=\$(grep -lx 10 /sys/block/nvme0n*/nsid | cut -d/ -f4)
		until_true 60 \"[ -b /dev/\$hot ]\"
		fio_verify --bs=4k --size=256k --name=hot --filename=/dev/\$hot \
			--allow_file_create=0
		# Where there is no disk, fio would make a file.
		(fio --name=hot --filename=/dev/\$hot --allow_file_create=0 --direct=1 \
			--rw=randwrite --bs=4k --iodepth=8 --ioengine=libaio --time_based \
			--runtime=60 --size=16m
		) </dev/null >/dev/null 2>&1 &
		until_true 60 '[ \$(writes \${hot#nvme0n}) -gt 100 ]'" || {
		cat "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
		return 1
	}
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
	local end n=0 memory seed rounds

	start_load
	end=$((SECONDS + RUN_SECONDS))
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		memory=$((MEMORY - n % 2 * 128))
		balloon $memory
		resets
		resize $((LEAST + n % 5 * 8192))
		hot_disk
		balloon_is $memory
		seed=$((RANDOM + 1))
		attack $seed
		guest_is_well victim
		xl list victim >/dev/null
		GUEST=$SECOND g "$show_bad"
	done
	balloon $MEMORY
	balloon_is $MEMORY
	GUEST=$SECOND g -t 400 "touch /run/stop
		until_true 240 '[ -e /run/done ]'
		$show_bad"'
		cat /run/rounds'
	note "rounds of fio in the second guest: $(cat "$TMP/found"), of 1 MiB"
	g -t 400 "touch /run/stop
		until_true 240 '[ -e /run/done ] && ! pidof fileops >/dev/null'
		$show_bad"'
		echo $(cat /run/rounds)
		for type in ext4 xfs btrfs; do
			echo "$type: $(cat /run/$type.log)"
		done'
	guest_resets "$DOMID"
	note "$n times another size, other memory, a disk that came and went, an attack;" \
		"$RESETS resets"
	rounds=$(head -n 1 "$TMP/found")
	# 2 MiB on each of three disks
	note "rounds of fio: $rounds, $((rounds * 6)) MiB written, read back and compared"
	queue_commands "$OTHER_ID"
	note "commands of the guest beside it: $COMMANDS, each read compared"
	tail -n 3 "$TMP/found" | while read -r line; do
		note "$line"
	done
}

# Nothing is left in the guest's cache, neither for dom0 to miss nor for these
# programs to see.
t_file_systems_are_whole()
{
	g -t 300 'umount /mnt/ext4 /mnt/xfs /mnt/btrfs
		for n in 1 2 3 4 5 6; do
			blockdev --flushbufs /dev/nvme0n$n
		done
		e2fsck -fn /dev/nvme0n3
		xfs_repair -n /dev/nvme0n4
		btrfs check --readonly /dev/nvme0n5' >"$TMP/fsck" 2>&1 || {
		cat "$TMP/fsck"
		return 1
	}
}

# It is not as empty as it was when it was made.
something_on()
{
	local byte

	byte=$(dd if="$1" iflag=direct bs=1M status=none | tr -d '\0' | head -c 1 | wc -c)
	expect_eq "$byte" 1 "bytes on $1 that are not zero"
}

t_guest_and_dom0_read_the_same()
{
	local n

	sums_match all 1 2 3 4 5 6
	for n in 1 2 3 4 5 6; do
		something_on "$(disk $n)"
	done
	(
		GUEST=$SECOND
		DISKS=("$OWN")
		DOMID=$(xl domid $GUEST)
		sums_match all 1
		wait_for 10 accounts_balance
	)
	something_on "$OWN"
	wait_for 10 accounts_balance
}

t_nothing_is_left()
{
	"$LAB/guest-stop" $GUEST
	"$LAB/guest-stop" $SECOND
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	wait_for 30 domain_gone $SECOND
	expect_no_leaks
}

run_suite
