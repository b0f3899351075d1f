#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An unmodified Linux guest with namespaces of many kinds on one controller:
# data, flush, discard, errors, time-outs, resets, other capacities, removal.
# One boot serves all tests; each leaves the disks as usable as it found them.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=linux
SLOT=16
PCI=0000:00:10.0

attach()
{
	"$TOOL" attach --slot $SLOT --serial CONTROLLER \
		--disk "params=$N512,serial=N512" \
		--disk "params=$N4096,serial=N4096" \
		--disk "params=$LOOP,serial=LOOP" \
		--disk "params=$DM,serial=DM" \
		--disk "params=$RO,serial=RO,mode=r" \
		--disk "params=$VIRTIO,serial=VIRTIO" \
		--disk "params=$AHCI,serial=AHCI" "$1"
}

# Sectors of the dm device in most tests, and of what lies below it.
DM_SECTORS=131072
UNDER_SECTORS=262144

setup()
{
	module_load
	modprobe -a dm_mod loop
	# The guest's errors are the point of some tests.
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: '
	N512=$(make_disk n512 96 discard=1)
	N4096=$(make_disk n4096 96 blocksize=4096 poll_queues=1)
	LOOP=$(make_loop loop 96)
	UNDER=$(make_disk under $((UNDER_SECTORS / 2048)))
	RO=$(make_disk ro 16)
	dd if=/dev/urandom of="$RO" bs=1M count=16 oflag=direct status=none
	dmsetup create ioemu --table "0 $DM_SECTORS linear $UNDER 0"
	DM=/dev/mapper/ioemu
	VIRTIO=$(readlink -f /dev/lab/virtio)
	AHCI=$(readlink -f /dev/lab/ahci)
	# In the order of their namespaces; those that any test may write to.
	DISKS=("$N512" "$N4096" "$LOOP" "$DM" "$RO" "$VIRTIO" "$AHCI")
	WRITABLE="1 2 3 4 6 7"
	build_guest --modules nvme,ext4 $GUEST
	DOMID=$(xl domid $GUEST)
	attach $GUEST
	unpause_guest $GUEST
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	dmsetup remove ioemu
	remove_disk n512
	remove_disk n4096
	remove_loop loop
	remove_disk under
	remove_disk ro
	module_unload
}

# The disk of a namespace.
disk()
{
	echo "${DISKS[$1 - 1]}"
}

# stat_field NSID FIELD: of dom0's counts for the disk, as documented.
stat_field()
{
	awk -v f="$2" '{ print $f }' "/sys/class/block/$(basename "$(readlink -f "$(disk "$1")")")/stat"
}

t_namespaces_have_sizes_and_flags_of_their_disks()
{
	local n d

	for n in 1 2 3 4 5 6 7; do
		d=$(disk $n)
		echo "$n $(blockdev --getsz "$d") $(blockdev --getss "$d") $((n == 5))"
	done >"$TMP/expected"
	g 'for n in 1 2 3 4 5 6 7; do
		cd /sys/block/nvme0n$n
		echo $n $(cat size queue/logical_block_size ro)
	done'
	diff "$TMP/found" "$TMP/expected" || fail "found by the guest: <, expected: >"
	g '[ ! -e /sys/block/nvme0n8 ]; cat /sys/class/nvme/nvme0/serial'
	expect_eq "$(tr -d ' ' <"$TMP/found")" CONTROLLER
}

t_namespaces_have_an_identity_each()
{
	local n

	g 'cat /sys/block/nvme0n*/wwid' >"$TMP/wwids"
	cat "$TMP/wwids"
	expect_eq "$(sort -u "$TMP/wwids" | grep -c '^uuid\.')" 7
}

t_random_writes_on_six_disks_at_once_verify()
{
	g -t 300 "fio_verify \$mixed \$(on $WRITABLE)
		fio_verify \$large \$(on $WRITABLE)"
	# shellcheck disable=SC2086
	sums_match 4 $WRITABLE
}

t_single_blocks_verify()
{
	g -t 300 'fio_verify --bssplit=512/60:1k/20:1536/10:3k/10 --size=128k $(on 1 3)'
	sums_match 1 1 3
}

# What the module counts for good is what its queues count, and what the guest did.
t_exits_are_counted_and_saved()
{
	local before queues after commands doorbells interrupts i

	read -ra before < <(exits_counted)
	read -ra queues < <(exits_of_queues)
	g 'fio --name=depth --filename=/dev/nvme0n1 --thread --ioengine=libaio --direct=1 \
		--iodepth=32 --rw=randread --bs=4k --size=8m >/dev/null'
	read -ra after < <(exits_counted)
	"$TOOL" show --json $GUEST 0 | tr -d ' \n' >"$TMP/show.json"
	for i in 0 1 2; do
		queues[i]=$((after[i] - before[i] + queues[i]))
	done
	expect_eq "$(exits_of_queues)" "${queues[*]}" "commands, doorbells, interrupts"
	commands=$((after[0] - before[0]))
	doorbells=$((after[1] - before[1]))
	interrupts=$((after[2] - before[2]))
	note "$commands commands: $doorbells doorbells, $interrupts interrupts"
	# 2048 by fio, and few by whoever looks at a disk that was open.
	[ $commands -ge 2048 ]
	[ $commands -le 2200 ]
	# At this depth, at least a third is saved.
	[ $((doorbells + interrupts)) -le $((2 * commands)) ]
	grep -q "\"exits_saved\":$((3 * after[0] - after[1] - after[2]))}" "$TMP/show.json"

	# Queues go with a reset, their counts do not.
	g 'echo 1 >/sys/class/nvme/nvme0/reset_controller; until_true 30 live'
	read -ra before < <(exits_counted)
	read -ra queues < <(exits_of_queues)
	for i in 0 1 2; do
		[ "${before[i]}" -ge "${after[i]}" ]
		[ "${queues[i]}" -lt "${after[i]}" ]
	done
}

t_what_dom0_wrote_is_what_the_guest_reads()
{
	g 'dd if=/dev/nvme0n5 iflag=direct bs=64k 2>/dev/null | md5sum'
	expect_eq "$(cat "$TMP/found")" "$(md5sum <"$RO")"
}

t_ext4_in_a_partition_survives_a_remount()
{
	g -t 300 'echo "2048,," | sfdisk -q /dev/nvme0n3
		mkfs.ext4 -q /dev/nvme0n3p1
		mount -t ext4 /dev/nvme0n3p1 /mnt
		for i in 1 2 3; do
			dd if=/dev/urandom of=/mnt/f$i bs=1M count=6 2>/dev/null
		done
		cp -r /tools /mnt/
		cd /mnt && find . -type f | sort | xargs md5sum >/tmp/sums
		cd / && umount /mnt
		echo 3 >/proc/sys/vm/drop_caches
		mount -t ext4 /dev/nvme0n3p1 /mnt
		cd /mnt && md5sum -c /tmp/sums >/tmp/check || { cat /tmp/check; exit 1; }
		cd / && umount /mnt
		e2fsck -fn /dev/nvme0n3p1'
}

t_flush_reaches_the_disk()
{
	local before after

	g 'cat /sys/block/nvme0n3/queue/write_cache'
	expect_eq "$(cat "$TMP/found")" "write back"
	before=$(stat_field 3 16)
	g 'dd if=/dev/zero of=/dev/nvme0n3 bs=4k count=8 oflag=direct conv=fsync'
	after=$(stat_field 3 16)
	note "flushes of the disk: $before, then $after"
	[ "$after" -gt "$before" ] || fail "no flush"
}

t_forced_unit_access_reaches_the_disk()
{
	local before after

	before=$(stat_field 3 16)
	g 'fio --name=fua --filename=/dev/nvme0n3 --thread --ioengine=psync --direct=1 \
		--sync=dsync --rw=write --bs=4k --size=32k --minimal >/dev/null'
	after=$(stat_field 3 16)
	note "flushes of the disk: $before, then $after"
	[ $((after - before)) -ge 8 ] || fail "fewer flushes than writes"
}

t_discard_reaches_the_disk()
{
	local before after

	before=$(stat_field 1 12)
	g 'dd if=/dev/urandom of=/dev/nvme0n1 bs=1M count=8 oflag=direct 2>/dev/null
		blkdiscard -o 1048576 -l 4194304 /dev/nvme0n1
		dd if=/dev/nvme0n1 iflag=direct bs=1M skip=1 count=4 2>/dev/null |
			tr -d "\\0" | wc -c'
	expect_eq "$(cat "$TMP/found")" 0 "bytes that are not zero"
	after=$(stat_field 1 12)
	note "discards of the disk: $before, then $after"
	[ "$after" -gt "$before" ] || fail "no discard"
	sums_match 1 1
	expect_eq "$(dd if="$N512" iflag=direct bs=1M skip=1 count=4 status=none |
		tr -d '\0' | wc -c)" 0 "bytes that are not zero in dom0"
}

t_write_zeroes_reaches_the_disk()
{
	g 'for n in 1 2 3 4; do
			[ "$(cat /sys/block/nvme0n$n/queue/write_zeroes_max_bytes)" != 0 ]
			dd if=/dev/urandom of=/dev/nvme0n$n bs=1M count=4 oflag=direct 2>/dev/null
			/tools/bin/blkdiscard -z -o 1048576 -l 2097152 /dev/nvme0n$n
			dd if=/dev/nvme0n$n iflag=direct bs=1M skip=1 count=2 2>/dev/null |
				tr -d "\\0" | wc -c
		done'
	expect_eq "$(sort -u "$TMP/found")" 0 "bytes that are not zero"
	sums_match 4 1 2 3 4
}

t_read_only_namespace_refuses_writes()
{
	local before

	before=$(md5sum <"$RO")
	g 'fails dd if=/dev/zero of=/dev/nvme0n5 bs=4k count=1 oflag=direct 2>/dev/null'
	# Past Linux, which would not ask: the controller itself.
	g 'dd if=/dev/zero of=/tmp/zero bs=4k count=1 2>/dev/null
		nvme write /dev/nvme0n5 -s 0 -c 7 -z 4096 -d /tmp/zero 2>&1 || :'
	grep -qi 'write protected' "$TMP/found"
	expect_eq "$(md5sum <"$RO")" "$before"
}

t_resets_under_load_lose_nothing()
{
	local state

	g -t 300 'mark
		fio_verify $mixed --size=4m $(on 1 6) &
		fio=$!
		for i in 1 2 3; do
			before=$(writes 1)
			until_true 30 "[ \$(writes 1) -gt $((before + 50)) ]"
			echo 1 >/sys/class/nvme/nvme0/reset_controller
			until_true 30 live
		done
		kill -0 $fio
		wait $fio
		! since | grep "I/O error"' || return
	sums_match 4 1 6
	state=$(head -n 1 "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0")
	note "$state"
	grep -Eq 'state: enabled .* resets ([4-9]|1[0-9])' <<<"$state"
}

t_stalled_disk_ends_in_abort_and_reset_and_recovers()
{
	dmsetup suspend --nolockfs --noflush ioemu
	g -t 200 'mark
		echo 3000 >/sys/block/nvme0n4/queue/io_timeout
		fio_verify $mixed --size=1m $(on 4) </dev/null >/dev/null 2>&1 &
		echo $! >/run/fio
		until_true 60 "since | grep -q \"timeout, abort\""
		until_true 60 "since | grep -q \"timeout, reset controller\""' ||
		{ dmsetup resume ioemu; return 1; }
	dmsetup resume ioemu
	g -t 200 'until_true 60 live
		until_true 120 "[ ! -e /proc/$(cat /run/fio) ]"
		since | tail -n 20
		echo 30000 >/sys/block/nvme0n4/queue/io_timeout
		fio_verify $mixed $(on 4)'
	sums_match 1 4
}

t_disk_errors_reach_the_guest_and_go()
{
	local half=$((DM_SECTORS / 2)) before

	before=$(dd if="$DM" iflag=direct bs=1M count=4 status=none | md5sum)
	dm_table ioemu "0 $half linear $UNDER 0" "$half $half error"
	g "mark
		dd if=/dev/nvme0n4 iflag=direct bs=1M count=4 2>/dev/null | md5sum
		fails dd if=/dev/nvme0n4 iflag=direct bs=4k skip=$((half / 8)) count=1 2>/tmp/read
		fails dd if=/dev/zero of=/dev/nvme0n4 oflag=direct bs=4k seek=$((half / 8)) count=1 2>/tmp/write
		grep -h '^dd: ' /tmp/read /tmp/write
		since"
	expect_eq "$(head -n 1 "$TMP/found")" "$before" "the half without errors"
	# Linux makes ENODATA of what is wrong with the medium.
	expect_eq "$(grep -c '^dd: .*No data available' "$TMP/found")" 2 "errors"
	# Unrecovered Read Error, Write Fault
	grep -q 'sct 0x2 / sc 0x81' "$TMP/found"
	grep -q 'sct 0x2 / sc 0x80' "$TMP/found"
	expect_eq "$(grep -c 'critical medium error' "$TMP/found")" 2 "messages"
	dm_table ioemu "0 $DM_SECTORS linear $UNDER 0"
	g "dd if=/dev/urandom of=/dev/nvme0n4 oflag=direct bs=1M seek=$((half / 2048)) count=1 2>/dev/null
		dd if=/dev/nvme0n4 iflag=direct bs=1M skip=$((half / 2048)) count=1 2>/dev/null | md5sum"
	expect_eq "$(cat "$TMP/found")" \
		"$(dd if="$DM" iflag=direct bs=1M skip=$((half / 2048)) count=1 status=none | md5sum)"
}

# size_seen NSID SECTORS: the guest comes to see this capacity.
size_seen()
{
	g "until_true 20 '[ \$(cat /sys/block/nvme0n$1/size) = $2 ]'"
}

t_growth_is_seen_by_the_guest()
{
	local loop=$((160 * 2048)) old=$((DM_SECTORS / 8))

	dm_table ioemu "0 $UNDER_SECTORS linear $UNDER 0"
	truncate -s $((loop * 512)) /tmp/loop-loop.img
	losetup -c "$LOOP"
	size_seen 4 $UNDER_SECTORS
	size_seen 3 $loop
	g "dd if=/dev/urandom of=/dev/nvme0n4 bs=4k seek=$old count=16 oflag=direct 2>/dev/null
		dd if=/dev/nvme0n4 bs=4k skip=$old count=16 iflag=direct 2>/dev/null | md5sum"
	expect_eq "$(cat "$TMP/found")" \
		"$(dd if="$UNDER" bs=4k skip=$old count=16 iflag=direct status=none | md5sum)"
}

t_shrinking_is_seen_by_the_guest()
{
	dm_table ioemu "0 $((DM_SECTORS / 2)) linear $UNDER 0"
	size_seen 4 $((DM_SECTORS / 2))
	g "dd if=/dev/nvme0n4 bs=4k skip=$((DM_SECTORS / 16)) count=1 iflag=direct >/tmp/end || :
		[ ! -s /tmp/end ]
		dd if=/dev/nvme0n4 bs=4k skip=$((DM_SECTORS / 16 - 1)) count=1 iflag=direct >/dev/null"
	dm_table ioemu "0 $DM_SECTORS linear $UNDER 0"
	size_seen 4 $DM_SECTORS
}

# The numbers in a disk's statistics: stat INDEX NAME
stat()
{
	awk -v name="$2" '$1 == name { print $2 }' \
		"/sys/bus/xen-backend/devices/ioemu-$DOMID-0/disk$1/stat"
}

# latencies INDEX STAGE: how many were counted.
latencies()
{
	awk -v stage="$2" '$1 == stage { for (i = 2; i <= NF; i++) n += $i; print n + 0 }' \
		"/sys/bus/xen-backend/devices/ioemu-$DOMID-0/disk$1/latency"
}

t_statistics_count_what_the_guest_does()
{
	local reads bytes writes flushes disk submit total

	reads=$(stat 0 reads)
	bytes=$(stat 0 read_bytes)
	writes=$(stat 0 write_bytes)
	flushes=$(stat 2 flushes)
	disk=$(latencies 0 disk)
	submit=$(latencies 0 submit)
	total=$(latencies 0 total)
	g "dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=8k count=50 2>/dev/null
		dd if=/dev/zero of=/dev/nvme0n1 oflag=direct bs=4k count=20 2>/dev/null
		dd if=/dev/zero of=/dev/nvme0n3 bs=4k count=1 conv=fsync 2>/dev/null"
	expect_eq $(($(stat 0 reads) - reads)) 50
	expect_eq $(($(stat 0 read_bytes) - bytes)) $((50 * 8192))
	expect_eq $(($(stat 0 write_bytes) - writes)) $((20 * 4096))
	[ "$(stat 2 flushes)" -gt "$flushes" ]
	expect_eq "$(latencies 0 disk)" $((disk + 70))
	expect_eq "$(latencies 0 submit)" $((submit + 70))
	expect_eq "$(latencies 0 total)" $((total + 70))
	expect_eq "$(stat 0 in_flight)" 0
}

# What the controller's threads have cost: CPU time in ticks, and how often they ran.
threads_cost()
{
	{ grep -ls "^ioemu/$DOMID\." /proc/[0-9]*/comm || :; } | while read -r comm; do
		awk '{ print $14 + $15 }' "${comm%comm}stat"
		awk '/ctxt_switches/ { print $2 }' "${comm%comm}status"
	done | awk '{ n += $1 } END { print n }'
}

# The counter FIELD of all submission queues.
queues()
{
	awk -v f="$1" '/^sq/ {
		for (i = 1; i < NF; i++)
			if ($i == f)
				sum += $(i + 1)
	} END { print sum + 0 }' "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
}

t_disk_with_poll_queues_is_polled()
{
	local before

	before=$(queues polled)
	g 'dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=4k count=100 2>/dev/null'
	expect_eq "$(queues polled)" "$before"
	g 'dd if=/dev/nvme0n2 of=/dev/null iflag=direct bs=4k count=100 2>/dev/null'
	[ "$(queues polled)" -ge $((before + 100)) ]
}

t_idle_guest_costs_dom0_nothing()
{
	local before

	g 'dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=4k count=100 2>/dev/null
		sync; sleep 3'
	before=$(threads_cost)
	[ "$before" -gt 0 ]
	sleep 5
	expect_eq "$(threads_cost)" "$before"
}

# What the disk itself completes a second, in RATE: the guest has more to ask for than
# a limit lets it, however little it runs. What may go at once when the limit changes has
# gone before.
rate()
{
	local before start

	sleep 1
	before=$(stat_field 1 1)
	start=${EPOCHREALTIME/./}
	sleep 3
	RATE=$((($(stat_field 1 1) - before) * 1000000 / (${EPOCHREALTIME/./} - start)))
	note "$RATE reads a second, $1"
}

t_limits_hold_and_change_while_the_guest_runs()
{
	local be throttled

	be=$(backend_path "$DOMID" 0)
	throttled=$(stat 0 throttled)
	xenstore-write "$be/disk/0/iops-limit" 10
	g 'reads=$(reads 1)
		fio --name=r --filename=/dev/nvme0n1 --direct=1 --rw=randread --bs=4k --iodepth=16 \
			--ioengine=libaio --gtod_reduce=1 --norandommap --time_based --runtime=1000 \
			--size=64m >/dev/null 2>&1 &
		until_true 60 "[ \$(reads 1) -gt $((reads + 10)) ]"'
	rate "10 at most"
	[ "$RATE" -ge 7 ]
	[ "$RATE" -le 14 ]
	[ "$(stat 0 throttled)" -gt "$throttled" ]
	xenstore-write "$be/disk/0/iops-limit" 0 "$be/disk/0/bw-limit" 20480
	rate "5 at most"
	[ "$RATE" -ge 3 ]
	[ "$RATE" -le 6 ]
	xenstore-write "$be/disk/0/bw-limit" fast
	wait_for 10 xenstore-exists "$be/disk/0/hotplug-error"
	expect_eq "$(xenstore-read "$be/disk/0/hotplug-error")" \
		'disk/0/bw-limit: "fast", accepted: a number, 0 for no limit'
	xenstore-rm "$be/disk/0/bw-limit"
	wait_for 10 eval "! xenstore-exists $be/disk/0/hotplug-error"
	rate "without a limit"
	[ "$RATE" -ge 18 ]
	g 'killall fio; until_true 20 "! pidof fio >/dev/null"'
	# Zeroes are bytes like others, whoever writes them.
	xenstore-write "$be/disk/0/bw-limit" 1048576
	g 'start=$(cut -d. -f1 /proc/uptime)
		for i in 1 2 3; do
			/tools/bin/blkdiscard -z -l 2097152 /dev/nvme0n1
		done
		echo $(($(cut -d. -f1 /proc/uptime) - start))'
	xenstore-rm "$be/disk/0/bw-limit"
	note "6 MiB of zeroes in $(cat "$TMP/found") s"
	[ "$(cat "$TMP/found")" -ge 3 ]
}

# The guest's driver then waits for what it had given, and gives it again.
t_reset_does_not_wait_for_a_limit()
{
	local be

	be=$(backend_path "$DOMID" 0)
	guest_resets "$DOMID"
	xenstore-write "$be/disk/0/iops-limit" 1
	g "fio --name=r --filename=/dev/nvme0n1 --direct=1 --rw=randread --bs=4k \
		--iodepth=128 --ioengine=libaio --number_ios=256 --size=64m >/dev/null 2>&1 &
		sleep 2
		echo 1 >/sys/class/nvme/nvme0/reset_controller &"
	wait_for 10 guest_resets_over "$DOMID" "$RESETS"
	xenstore-rm "$be/disk/0/iops-limit"
	g 'wait; until_true 20 live
		dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=4k count=1 2>/dev/null'
}

memory_at_most()
{
	[ "$(xl list $GUEST | awk 'NR == 2 { print $3 }')" -le "$1" ]
}

# What a guest gives back is gone from dom0's maps when Xen says so, but requests keep
# theirs; the guest does not wait until a disk that is held back has done them all.
t_memory_is_given_back_although_requests_wait()
{
	local be memory start

	be=$(backend_path "$DOMID" 0)
	memory=$(xl list $GUEST | awk 'NR == 2 { print $3 }')
	xenstore-write "$be/disk/0/iops-limit" 20
	g 'fio --name=r --filename=/dev/nvme0n1 --direct=1 --rw=randread --bs=4k --iodepth=256 \
			--ioengine=libaio --time_based --runtime=1000 --size=64m >/dev/null 2>&1 &
		sleep 2'
	start=$SECONDS
	xl mem-set $GUEST $((memory - 96))
	wait_for 120 memory_at_most $((memory - 92))
	note "92 MiB given back in $((SECONDS - start)) s"
	xenstore-rm "$be/disk/0/iops-limit"
	xl mem-set $GUEST "$memory"
	g 'killall fio; until_true 20 "! pidof fio >/dev/null"'
}

# The guest has namespace 10; Linux numbers its devices by itself.
G_ADDED="until_true 20 'grep -qx 10 /sys/block/nvme0n*/nsid'
	grep -lx 10 /sys/block/nvme0n*/nsid | cut -d/ -f4 >/run/added
	until_true 10 '[ -e /dev/\$(cat /run/added) ]'"

t_disk_is_added_and_removed_while_the_guest_runs()
{
	local be added sum

	be=$(backend_path "$DOMID" 0)
	added=$(make_disk added 32)
	dd if=/dev/urandom of="$added" bs=1M count=4 oflag=direct status=none
	xenstore-write "$be/disk/9/params" /dev/nonexistent
	wait_for 10 xenstore-exists "$be/disk/9/hotplug-error"
	expect_eq "$(xenstore-read "$be/disk/9/hotplug-error")" \
		'disk/9/params: "/dev/nonexistent" does not exist'
	wait_for 10 xenstore-exists "$be/disk/9/hotplug-status"
	xenstore-rm "$be/disk/9"
	xenstore-write "$be/disk/9/serial" ADDED "$be/disk/9/params" "$added"
	g "$G_ADDED
		dd if=/dev/\$(cat /run/added) iflag=direct bs=1M count=4 2>/dev/null | md5sum"
	sum=$(dd if="$added" iflag=direct bs=1M count=4 status=none | md5sum)
	expect_eq "$(cat "$TMP/found")" "$sum"
	expect_eq "$(xenstore-read "$be/disk/9/hotplug-status")" connected
	# Removed in the middle of I/O: that ends, in errors, and the disk is free.
	g "added=\$(cat /run/added)
		fio --name=r --filename=/dev/\$added --allow_file_create=0 --direct=1 \
		--rw=randread --bs=4k --iodepth=32 --ioengine=libaio --time_based \
		--runtime=60 --size=16m >/dev/null 2>&1 &
		until_true 20 '[ \$(reads \${added#nvme0n}) -gt 200 ]'"
	xenstore-rm "$be/disk/9"
	wait_for 20 disk_free "$added"
	g "until_true 20 '[ ! -e /sys/block/\$(cat /run/added) ]'
		dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=4k count=1 2>/dev/null"
	remove_disk added
}

# first_4_mib DISK [FLAG...]: the sum of what dom0 reads.
first_4_mib()
{
	dd if="$1" bs=1M count=4 status=none "${@:2}" | md5sum
}

t_what_dom0_cached_is_neither_late_nor_stale()
{
	local be cached sum

	be=$(backend_path "$DOMID" 0)
	cached=$(make_disk cached 32)
	# As long as somebody has it open, what was written stays in the cache.
	exec 9<"$cached"
	dd if=/dev/urandom of="$cached" bs=1M count=4 conv=notrunc status=none
	sum=$(first_4_mib "$cached")
	xenstore-write "$be/disk/9/params" "$cached"
	g "$G_ADDED
		dd if=/dev/\$(cat /run/added) iflag=direct bs=1M count=4 2>/dev/null | md5sum"
	expect_eq "$(cat "$TMP/found")" "$sum" "what the guest read"

	# It is read into the cache, is old there then, and nobody's to write.
	first_4_mib "$cached" >/dev/null
	g "dd if=/dev/urandom of=/tmp/new bs=1M count=4 2>/dev/null
		dd if=/tmp/new of=/dev/\$(cat /run/added) oflag=direct bs=1M 2>/dev/null
		md5sum </tmp/new; rm /tmp/new"
	sum=$(cat "$TMP/found")
	sync
	expect_eq "$(first_4_mib "$cached" iflag=direct)" "$sum" "what the guest wrote"
	xenstore-rm "$be/disk/9"
	wait_for 20 disk_free "$cached"
	expect_eq "$(first_4_mib "$cached")" "$sum" "what dom0 read afterwards"
	exec 9<&-
	remove_disk cached
}

# The guest is told of it by nobody.
t_second_controller_comes_and_goes_while_the_guest_runs()
{
	local second sum resets

	second=$(make_disk second 32)
	guest_resets "$DOMID"
	resets=$RESETS
	"$TOOL" attach --slot $((SLOT + 1)) --serial SECOND --disk "params=$second" $GUEST
	g 'echo 1 >/sys/bus/pci/rescan
		until_true 30 "[ -b /dev/nvme1n1 ]"
		tr -d " " </sys/class/nvme/nvme1/serial'
	expect_eq "$(cat "$TMP/found")" SECOND
	# Both at once
	g -t 300 'fio_verify $mixed $(on 1) --name=second --filename=/dev/nvme1n1
		dd if=/dev/nvme1n1 iflag=direct bs=1M count=1 2>/dev/null | md5sum'
	sum=$(cat "$TMP/found")
	expect_eq "$(dd if="$second" iflag=direct bs=1M count=1 status=none | md5sum)" "$sum"
	g "echo 1 >/sys/bus/pci/devices/${PCI/10.0/11.0}/remove
		[ ! -e /dev/nvme1n1 ]"
	"$TOOL" detach $GUEST 1
	disk_free "$second"
	remove_disk second
	g 'fio_verify $mixed $(on 1)'
	sums_match 1 1
	guest_resets "$DOMID"
	expect_eq "$RESETS" "$resets" "resets of the first controller"
}

# The guest lets go of the controller, or finds it.
guest_removes()
{
	g "echo 1 >/sys/bus/pci/devices/$PCI/remove
		[ ! -e /dev/nvme0n1 ]"
}

guest_rescans()
{
	g 'echo 1 >/sys/bus/pci/rescan
		until_true 30 "[ -e /sys/block/nvme0n7/wwid ]"'
}

disks_are_free()
{
	local d

	for d in "$N512" "$N4096" "$LOOP" "$DM" "$VIRTIO" "$AHCI"; do
		wait_for 5 disk_free "$d"
	done
}

t_controller_leaves_and_comes_back_with_the_same_identities()
{
	g 'cat /sys/block/nvme0n*/wwid' >"$TMP/before"
	guest_removes
	"$TOOL" detach $GUEST 0
	disks_are_free
	attach $GUEST
	guest_rescans
	g 'cat /sys/block/nvme0n*/wwid' | diff - "$TMP/before"
	sums_match 4 1 2 3 4
}

t_controller_taken_away_ends_in_errors_not_in_a_hang()
{
	g 'for n in 1 2 3 4 5 6 7; do
			echo 3000 >/sys/block/nvme0n$n/queue/io_timeout
		done'
	"$TOOL" detach $GUEST 0
	disks_are_free
	g 'mark
		fails dd if=/dev/nvme0n1 of=/dev/null iflag=direct bs=4k count=1
		until_true 60 "[ ! -e /sys/block/nvme0n1 ]"
		since'
	g "[ ! -e /sys/bus/pci/devices/$PCI ] || echo 1 >/sys/bus/pci/devices/$PCI/remove"
	attach $GUEST
	guest_rescans
	sums_match 4 1 2 3 4
}

t_guest_turns_itself_off_cleanly()
{
	"$LAB/guest-stop" --clean $GUEST
	disks_are_free
	wait_for 20 domain_gone $GUEST
	expect_no_leaks
}

run_suite
