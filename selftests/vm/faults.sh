#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Disks that fail, come late, vanish, and lose power, under an unmodified Linux
# guest: it sees the right errors, each request completes once, and what it was
# told is on the disk is there after a power cut.
#
# FAULTS_STATES (3) is how many of the acknowledgements a power cut follows: at once,
# and when the next flush or forced write is done. "all" is a power cut after every
# flush, forced write and acknowledgement.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=faults
SECTORS=65536		# of the disks that fail and come late
CUT_MB=64		# size of the disk whose power is cut
FLUSH_MS=2000		# how long the slow disk takes to flush
ROUNDS=8		# of blocks; flushed, and every second one forced instead
FILES=12
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
	unpause_guest $GUEST
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

healthy()
{
	dm_table bad "0 $SECTORS linear $UNDER 0"
}

# The errors go on for longer than it takes the guest to try a request six times.
t_intermittent_errors_end_every_request_once()
{
	dm_table bad "0 $SECTORS flakey $UNDER 0 1 5"
	g -t 100 'mark
		fio --name=bad --filename=/dev/nvme0n1 --thread --ioengine=libaio \
			--direct=1 --iodepth=16 --rw=randrw --bssplit=4k/70:64k/30 \
			--size=16m --time_based --runtime=8 --continue_on_error=all \
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
	# One of the two may have been between two requests until there was no disk.
	[ -s "$TMP/errors" ]
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
		[ "$command" = write ] || [ "$ms" -ge $((FLUSH_MS - 20)) ] ||
			fail "$command is acknowledged early"
	done <"$TMP/found"
	# One for each but the plain write.
	expect_eq $(($(slow_flushes) - before)) 3 "flushes"
}

# For commands in the guest: tell dom0 what was acknowledged, and go on when it has
# put a mark with that text into the log.
ACKED='
acked() {
	echo "acked $1"
	read -r _ </dev/hvc0
}
'

# Like g, with acked().
g_acked()
{
	local tty line

	tty=$(cat "/run/lab/guests/$GUEST/tty")
	"$LAB/guest-exec" --timeout $((200 * PATIENCE)) $GUEST ". /run/lib$ACKED$1" |
	while read -r line; do
		line=${line%$'\r'}
		echo "$line"
		case $line in
		"acked "*)
			dmsetup message cut 0 mark "${line#acked }"
			echo >"$tty"
			;;
		esac
	done
	return "${PIPESTATUS[0]}"
}

# log_has MARK: it does, and the states up to there are in $TMP/states. What dom0 has
# of the log in memory may be older.
log_has()
{
	blockdev --flushbufs "$LOG"
	"$PAYLOAD/log-replay" "$LOG" >"$TMP/states" && grep -q " mark $1\$" "$TMP/states"
}

t_flushed_and_forced_rounds_are_in_the_log_when_acknowledged()
{
	local checked

	g_acked "for r in \$(seq 1 $ROUNDS); do
			awk -v r=\$r 'BEGIN { for (b = 0; b < 8; b++)
				printf \"%-4096s\", \"round \" r \" block \" b \"\\n\" }' >/tmp/round
			if [ \$((r % 2)) = 0 ]; then
				nvme write /dev/nvme0n2 -s \$((r * 64)) -c 63 -z 32768 \
					-d /tmp/round -f >/dev/null 2>&1
			else
				dd if=/tmp/round of=/dev/nvme0n2 bs=4k seek=\$((r * 8)) \
					oflag=direct conv=fsync,notrunc 2>/dev/null
			fi
			acked round-\$r
		done"
	wait_for 5 log_has round-$ROUNDS
	checked=$("$PAYLOAD/log-replay" --order "$LOG") || {
		echo "$checked"
		return 1
	}
	note "rounds of 8 blocks checked: $checked"
	expect_eq "$checked" "$ROUNDS" "rounds"
}

# A copy of the disk as it was: its journal is replayed by the kernel; then the first
# ACKED files are whole, at most MORE others are there, and nothing is to be repaired.
# check_state STATE ACKED MORE FSCK...
check_state()
{
	local state=$1 acked=$2 more=$3 files rc=0

	shift 3
	cp --sparse=always "$TMP/disk" "$TMP/state"
	mount -o loop "$TMP/state" "$TMP/mnt" || { fail "$state"; return; }
	files=$(find "$TMP/mnt" -name 'file*' | wc -l)
	[ "$acked" -eq 0 ] || (
		cd "$TMP/mnt"
		head -n "$acked" "$TMP/sums" | md5sum --check --quiet
	) || rc=1
	umount "$TMP/mnt"
	"$@" "$TMP/state" >"$TMP/fsck" 2>&1 || { cat "$TMP/fsck"; rc=1; }
	if [ $rc -ne 0 ] || [ "$files" -lt "$acked" ] ||
	   [ "$files" -gt $((acked + more)) ]; then
		fail "$state: $acked files are acknowledged, $files are there"
	fi
}

# survives FILE-SYSTEM MKFS FSCK...: the guest makes it, and files one after the
# other, each synced before the next; then power is cut where STATES says.
survives()
{
	local type=$1 mkfs=$2 at what text picked next="" acked=0 more from=0 all n=0

	shift 2
	g_acked "cd /tmp
		for i in \$(seq 1 $FILES); do
			yes \"this is file \$i\" | head -c \$((20000 + i * 1000)) >file\$i
		done
		md5sum \$(seq 1 $FILES | sed s/^/file/)
		$mkfs /dev/nvme0n2
		acked $type-0
		mount -t $type /dev/nvme0n2 /mnt
		for i in \$(seq 1 $FILES); do
			dd if=file\$i of=/mnt/file\$i bs=4k conv=fsync 2>/dev/null
			acked $type-\$i
		done
		umount /mnt
		acked $type-end" >"$TMP/found" || { cat "$TMP/found"; return 1; }
	grep '  file[0-9]*$' "$TMP/found" >"$TMP/sums"
	expect_eq "$(wc -l <"$TMP/sums")" $FILES "sums"
	wait_for 5 log_has "$type-end"
	sed -i "/ mark $type-0\$/,/ mark $type-end\$/!d" "$TMP/states"
	all=$(wc -l <"$TMP/states")
	mkdir -p "$TMP/mnt"
	rm -f "$TMP/disk"
	truncate -s ${CUT_MB}M "$TMP/disk"
	while read -r at what text; do
		picked=$next next="" more=1
		[ "$what" != mark ] || more=0
		if [ "$what" = mark ] && [ "$text" != "$type-end" ]; then
			acked=${text#"$type"-}
			# The last one and others at like distances.
			[ "$STATES" = all ] || [ $((acked * STATES / FILES)) -eq \
				$(((acked - 1) * STATES / FILES)) ] || picked=1 next=1
		fi
		[ "$STATES" = all ] || [ "$picked" ] || continue
		"$PAYLOAD/log-replay" "$LOG" "$TMP/disk" "$from" "$at"
		from=$at
		check_state "$at entries, $what $text" "$acked" $more "$@"
		n=$((n + 1))
	done <"$TMP/states"
	note "states of the disk: $all, checked: $n"
	expect_eq "$acked" $FILES "files"
}

t_acknowledged_files_of_ext4_survive_power_cuts()
{
	survives ext4 'mkfs.ext4 -q -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 \
		-J size=4' e2fsck -fn
}

# So small a one is not made for use, says mkfs.
t_acknowledged_files_of_xfs_survive_power_cuts()
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
