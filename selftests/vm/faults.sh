#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Disks that fail, come late, vanish, and lose power, under an unmodified Linux
# guest: it sees the right errors, each request completes once, and what it was
# told is on the disk is there after every power cut.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=faults
SECTORS=65536		# of the disks that fail and come late
CUT_MB=64		# size of the disk whose power is cut
FLUSH_MS=2000		# how long the slow disk takes to flush
ROUNDS=${FAULTS_ROUNDS:-15}
STATES=${FAULTS_STATES:-3}

setup()
{
	module_load
	modprobe -a dm_mod dm_flakey dm_delay dm_log_writes loop ext4 xfs
	# The guest's errors are the point.
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: ' 'null_blk: rq .* timed out'
	UNDER=$(make_disk under $((SECTORS / 2048)))
	GONE=$(make_disk gone 16)
	CUT=$(make_disk cut $CUT_MB)
	LOG=$(make_disk log 256)
	TIMING=$(make_disk timing 16)
	# Only its flushes are slow. A loop device has no forced writes: the block
	# layer makes a write and a flush of each.
	SLOW=$(make_disk slow 16 cache_size=4)
	dmsetup create slow --table "0 32768 delay $SLOW 0 0 $SLOW 0 0 $SLOW 0 $FLUSH_MS"
	SLOW_LOOP=$(losetup --find --show /dev/mapper/slow)
	dmsetup create bad --table "0 $SECTORS linear $UNDER 0"
	dmsetup create cut --table "0 $((CUT_MB * 2048)) log-writes $CUT $LOG"
	build_guest --modules nvme,ext4,xfs $GUEST
	DOMID=$(xl domid $GUEST)
	"$TOOL" attach --slot 16 --disk params=/dev/mapper/bad \
		--disk params=/dev/mapper/cut --disk "params=$GONE" \
		--disk "params=$TIMING" --disk "params=$SLOW_LOOP" $GUEST
	"$LAB/guest-unpause" $GUEST
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	dmsetup remove bad
	dmsetup remove cut
	losetup -d "$SLOW_LOOP"
	dmsetup remove slow
	for name in under gone cut log timing slow; do
		remove_disk $name
	done
	module_unload
}

# The log's superblock is written with a mark only, and what dom0 has of it in
# memory is older still.
replay()
{
	dmsetup message cut 0 mark now
	sleep 0.2
	blockdev --flushbufs "$LOG"
	"$PAYLOAD/log-replay" "$@"
}

healthy()
{
	dm_table bad "0 $SECTORS linear $UNDER 0"
}

t_intermittent_errors_end_every_request_once()
{
	dm_table bad "0 $SECTORS flakey $UNDER 0 1 1"
	g -t 100 'mark
		fio --name=bad --filename=/dev/nvme0n1 --thread --ioengine=libaio \
			--direct=1 --iodepth=16 --rw=randrw --bssplit=4k/70:64k/30 \
			--size=16m --time_based --runtime=3 --continue_on_error=all \
			--minimal >/tmp/fio.out 2>/dev/null || :
		since | grep -c "I/O error\|medium error"' ||
		{ healthy; return 1; }
	note "$(cat "$TMP/found") messages of errors in the guest"
	[ "$(cat "$TMP/found")" -gt 0 ]
	healthy
	wait_for 20 accounts_balance
	g "fio_verify \$mixed \$(on 1)"
	wait_for 5 accounts_balance
}

t_late_completions_end_every_request_once()
{
	dm_table bad "0 $SECTORS delay $UNDER 0 150 $UNDER 0 250"
	g -t 100 'fio_verify --bs=16k --size=512k $(on 1)' || { healthy; return 1; }
	healthy
	wait_for 20 accounts_balance
}

# Requests that ended in an error, of the disk with this index.
disk_errors()
{
	awk '$1 == "errors" { print $2 }' \
		"/sys/bus/xen-backend/devices/ioemu-$DOMID-0/disk$1/stat"
}

# The disk does not answer some requests at all; its driver gives them up after a
# second. The guest is told that they were interrupted, and makes them again.
t_requests_that_time_out_are_made_again()
{
	local fail=/sys/kernel/debug/fail_io_timeout dir before after

	dir=/sys/block/$(basename "$TIMING")
	if [ ! -e $fail ]; then
		echo "this kernel does not lose requests on purpose"
		return 4
	fi
	before=$(disk_errors 3)
	echo 1000 >"$dir/queue/io_timeout"
	# Each request of the disk is one of the module's.
	echo 2 >"$dir/queue/nomerges"
	echo 1 >"$dir/io-timeout-fail"
	echo 0 >$fail/verbose
	echo 20 >$fail/interval
	echo 4 >$fail/times
	echo 100 >$fail/probability
	g -t 100 'mark
		fio_verify $mixed $(on 4)
		! since | grep "error, dev nvme0n4"' || { echo 0 >$fail/probability; return 1; }
	echo 0 >$fail/probability
	expect_eq "$(cat $fail/times)" 0 "requests that were not lost"
	after=$(disk_errors 3)
	note "requests lost: 4, errors of the disk: $((after - before))"
	expect_eq $((after - before)) 4 "errors"
	wait_for 20 accounts_balance
}

# Linux takes a namespace away that has no capacity any more.
t_vanished_disk_gives_errors_of_its_medium_and_is_taken_away()
{
	g 'mark
		fio --filename=/dev/nvme0n3 --thread --ioengine=psync --direct=1 --bs=64k \
			--time_based --runtime=60 --name=r --rw=randread --name=w --rw=randwrite \
			</dev/null >/dev/null 2>&1 &
		echo $! >/run/fio
		until_true 20 "[ \$(reads 3) -gt 20 ] && [ \$(writes 3) -gt 20 ]"'
	echo 0 >/sys/kernel/config/nullb/gone/power
	g 'until_true 60 "[ ! -e /proc/$(cat /run/fio) ]"
		until_true 60 "[ ! -e /sys/block/nvme0n3 ]"
		live
		since | grep "nvme0n3: "'
	sed -n 's,.*(\(0x[12]\)) @ .*(sct \(.*\) / sc \(0x[0-9a-f]*\)).*,\1 \2 \3,p' \
		"$TMP/found" | sort -u >"$TMP/errors"
	note "opcodes and statuses: $(paste -s -d, "$TMP/errors")"
	grep -q '^0x1 ' "$TMP/errors"
	grep -q '^0x2 ' "$TMP/errors"
	# Write Fault, Unrecovered Read Error; LBA Out of Range, should the controller
	# see first that it has no capacity.
	! grep -vx '0x1 0x2 0x80\|0x2 0x2 0x81\|0x[12] 0x0 0x80' "$TMP/errors" ||
		fail "other errors"
	g 'fio_verify $mixed $(on 1)'
	wait_for 20 accounts_balance
}

# Flushes of the slow disk, each late by that time.
slow_flushes()
{
	awk '{ print $16 }' "/sys/block/$(basename "$SLOW")/stat"
}

t_acknowledgement_waits_for_the_flush_of_the_disk()
{
	local before command ms

	before=$(slow_flushes)
	g 'hundredths() {
			read -r up _ </proc/uptime
			echo ${up%.*}${up#*.}
		}
		took() {	# NAME COMMAND...
			name=$1 start=$(hundredths)
			shift
			"$@" >/tmp/out 2>&1 || { cat /tmp/out; return 1; }
			echo "$name $((($(hundredths) - start) * 10))"
		}
		n=/dev/nvme0n5
		dd if=/dev/urandom of=/tmp/block bs=4k count=1 2>/dev/null
		took write nvme write $n -s 0 -c 7 -z 4096 -d /tmp/block
		took fsync dd if=/tmp/block of=$n bs=4k oflag=direct conv=fsync
		took forced-write nvme write $n -s 0 -c 7 -z 4096 -d /tmp/block -f
		took forced-zeroes nvme write-zeroes $n -s 8 -c 7 -f'
	while read -r command ms; do
		note "$command: $ms ms"
		# The clocks tick every 4 and 10 ms.
		[ "$command" = write ] || [ "$ms" -ge $((FLUSH_MS - 20)) ]
	done <"$TMP/found"
	# One for each but the plain write.
	expect_eq $(($(slow_flushes) - before)) 3 "flushes"
}

# What is on the disk after a flush must not depend on what came later.
t_flushed_rounds_reach_the_log_in_order()
{
	local checked

	g -t 200 "for r in \$(seq 1 $ROUNDS); do
			for b in 0 1 2 3 4 5 6 7; do
				printf 'round %u block %u\n' \$r \$b | dd bs=4k conv=sync 2>/dev/null
			done | dd of=/dev/nvme0n2 bs=4k iflag=fullblock oflag=direct \
				seek=\$((r % 64 * 8)) conv=fsync,notrunc 2>/dev/null
		done"
	checked=$(replay --order "$LOG") || {
		echo "$checked"
		return 1
	}
	note "rounds of 8 blocks checked: $checked"
	# The last round is logged with its flush.
	expect_eq "$checked" "$ROUNDS" "rounds"
}

# The text of the n-th file; all of them are of different length.
file_text()
{
	yes "this is file $1" | head -c $((20000 + $1 * 1000))
}

# A copy of the disk as it was: journal replayed by the kernel, then nothing to
# repair. Each file but the last was synced before the next came to be.
# check_state FLUSH FSCK...
check_state()
{
	local files=0 flush=$1 f i

	shift
	cp --sparse=always "$TMP/disk" "$TMP/state"
	mount -o loop "$TMP/state" "$TMP/mnt"
	for f in "$TMP"/mnt/file*; do
		[ ! -e "$f" ] || files=$((files + 1))
	done
	for ((i = 1; i < files; i++)); do
		cmp "$TMP/mnt/file$i" <(file_text $i) || {
			umount "$TMP/mnt"
			fail "state at flush $flush: file$i of $files"
			return
		}
	done
	umount "$TMP/mnt"
	"$@" "$TMP/state" >"$TMP/fsck" 2>&1 || {
		cat "$TMP/fsck"
		fail "state at flush $flush"
		return
	}
	FILES=$files
}

# survives FILE-SYSTEM MKFS FSCK...: the guest makes it, and 24 files one after the
# other; then STATES of the disk are looked at.
survives()
{
	local from to first flushes entries writes i last=0 type=$1 mkfs=$2

	shift 2
	read -r _ from _ < <(replay "$LOG")
	g -t 200 "$mkfs /dev/nvme0n2 && sync"
	read -r _ first _ < <(replay "$LOG")
	g -t 200 "mount -t $type /dev/nvme0n2 /mnt"'
		for i in $(seq 1 24); do
			yes "this is file $i" | head -c $((20000 + i * 1000)) |
				dd of=/mnt/file$i bs=4k conv=fsync 2>/dev/null
		done
		umount /mnt'
	read -r entries flushes writes < <(replay "$LOG")
	note "log: $entries entries, $writes writes, $flushes flushes;" \
		"$((flushes - first)) of them under $type"
	[ $((flushes - first)) -ge 24 ]
	mkdir -p "$TMP/mnt"
	if [ ! -e "$TMP/disk" ]; then
		truncate -s ${CUT_MB}M "$TMP/disk"
		from=0
	fi
	replay "$LOG" "$TMP/disk" "$from" "$first"
	from=$first
	for ((i = 1; i <= STATES; i++)); do
		to=$((first + (flushes - first) * i / STATES))
		replay "$LOG" "$TMP/disk" "$from" "$to"
		check_state $to "$@"
		[ "$FILES" -ge "$last" ]
		last=$FILES
		from=$to
	done
	note "states checked: $STATES, files in the last: $FILES"
	expect_eq "$FILES" 24 "files"
}

t_ext4_survives_every_power_cut()
{
	survives ext4 'mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 \
		-J size=4' e2fsck -fn
}

# So small a one is not made for use, says mkfs.
t_xfs_survives_every_power_cut()
{
	survives xfs 'mkfs.xfs -q -f -K --unsupported' xfs_repair -nf
}

t_nothing_is_left()
{
	wait_for 5 accounts_balance
	"$TOOL" detach $GUEST 0
	disk_free /dev/mapper/bad
	disk_free /dev/mapper/cut
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	expect_no_leaks
}

run_suite
