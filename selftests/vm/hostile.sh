#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A guest that attacks, beside one that works. The attacker runs the tiny guest's
# hostile suites, on a quick disk and on one whose requests take their time; each
# suite is a TAP document. All the while the other guest writes, reads back and
# compares; it must get on, with a share at least of what it does when alone,
# measured before and after, of which the slower counts. In the lab all guests
# share one CPU, so that the two busy ones of the attacker leave it a third, four
# leave it a fifth; half of that is asked for.
SHARE=50	# per cent, of one CPU more than the attacker has
# Nor may there be a second in which it all but stands still: the slowest ones have
# 20 per cent and more where nothing else runs, a tenth of that when much does.
SLOWEST_SHARE=2	# per cent
# Nor may it go without a completed command for longer than this at any time, nor may
# dom0 be too busy to look for as long.
STALL=$((4000 * PATIENCE))	# ms
# dom0's log gets no more lines than what is said on behalf of a guest may have at
# its limit: 10 in 5 s from each place in the driver, one about those left out.
LOG_PLACES=3	# nvme/ctrl.c, pci.c, guestmem.c
LOG_LINES=11
LOG_SECONDS=5
#
# HOSTILE_SECONDS (5) is how long the random accesses go on, HOSTILE_SEED where
# they begin (printed; random if not set). With HOSTILE_MS each storm and race
# takes so many milliseconds, and each suite has a run of its own.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ="seconds=${HOSTILE_SECONDS:-5} seed=${HOSTILE_SEED:-$RANDOM}"
# Where something else takes the time, a share only says that it goes on.
[ "$PATIENCE" -eq 1 ] || SHARE=5 SLOWEST_SHARE=0
MS=${HOSTILE_MS:-150}
MAP_LIMIT=16	# MiB, the least there is
LATE_MS=$((1000 * PATIENCE))	# what a read in the middle of the last disk takes
SUITES="hostile_race hostile_queue hostile_sgl hostile_reserved hostile_access hostile_storm"

# Three disks for the attacker, which is built and does not run yet.
attach()
{
	"$TOOL" attach --slot 16 --disk "params=$QUICK" --disk "params=$SLOW" \
		--disk "params=$LATE" "$1" >/dev/null
}

# The number of the last line of dom0's log, however many of them it still has.
log_number()
{
	dd if=/dev/kmsg iflag=nonblock bs=8k status=none 2>/dev/null |
		awk -F, '/^[0-9]+,[0-9]+,/ { n = $2 } END { print n + 0 }'
}

now_ms()
{
	NOW=${EPOCHREALTIME/./}
	NOW=${NOW%???}
}

# What the working guest's queue has completed so far.
completed()
{
	local lines

	mapfile -t lines <"/sys/kernel/debug/xen-ioemu/$VICTIM/nvme-0"
	[[ ${lines[*]} =~ cq1:\ [^:]*\ posted\ ([0-9]+) ]] && DONE=${BASH_REMATCH[1]}
}

# As long as the attacker has a device: the most frames that were mapped of its
# memory; of the other guest the longest time without a completed command, the
# fewest in a second and their rate from beginning to end; the longest time between
# two looks. Starts no process, which would take a part of what is looked at.
watch()
{
	local lines pause frames=0 stall=0 slowest=-1 blind=0 rate
	local begun first changed looked before second second_first

	exec {pause}<> <(:)
	completed
	now_ms
	begun=$NOW changed=$NOW looked=$NOW second=$NOW
	first=$DONE before=$DONE second_first=$DONE
	while mapfile -t lines <"/sys/kernel/debug/xen-ioemu/$1/domain"; do
		[[ ${lines[*]} =~ mapped\ frames:\ ([0-9]+) ]] &&
			[ "${BASH_REMATCH[1]}" -gt $frames ] && frames=${BASH_REMATCH[1]}
		completed
		now_ms
		[ "$DONE" -eq "$before" ] || changed=$NOW
		[ $((NOW - changed)) -le $stall ] || stall=$((NOW - changed))
		[ $((NOW - looked)) -le $blind ] || blind=$((NOW - looked))
		before=$DONE looked=$NOW
		if [ $((NOW - second)) -ge 1000 ]; then
			rate=$(((DONE - second_first) * 1000 / (NOW - second)))
			[ $slowest -ge 0 ] && [ $slowest -le $rate ] || slowest=$rate
			second=$NOW second_first=$DONE
		fi
		rate=$(((DONE - first) * 1000 / (NOW - begun + 1)))
		echo $frames $stall $((slowest < 0 ? rate : slowest)) $rate $blind >"$WATCHED"
		read -rt 0.2 -u "$pause"
	done
}

if [ "${1-}" = attach ]; then
	attach "$2"
	now_ms
	echo "$NOW $(log_number)" >"$BEGUN"
	echo 0 0 0 0 0 >"$WATCHED"
	watch "$2" >/dev/null 2>&1 &
	exit
fi

# ---- the guest that works --------------------------------------------------

victim_start()
{
	VICTIM=$(SERIAL=file:$TMP/victim.serial paused_domain victim 1 victim)
	"$TOOL" attach --slot 16 --disk "params=$WORK" victim >/dev/null
	xl unpause victim
	victim_works_on 200
}

# It does so many more commands.
victim_works_on()
{
	queue_commands "$VICTIM"
	wait_for 30 queue_commands_over "$VICTIM" $((COMMANDS + $1))
}

# How many commands it completes a second with nobody beside it, in ALONE.
alone()
{
	local before since

	completed
	now_ms
	before=$DONE since=$NOW
	sleep 2
	completed
	now_ms
	ALONE=$(((DONE - before) * 1000 / (NOW - since)))
}

# ---- TAP -------------------------------------------------------------------

# verdict STATUS WORD...: of a document with one test.
verdict()
{
	local rc=$1

	shift
	echo "TAP version 13"
	echo "1..1"
	[ "$rc" -eq 0 ] || printf 'not '
	echo "ok 1 - $*"
	return "$rc"
}

# victim_report WHAT: about the victim during an attack. In DURING, STALLED, SLOWEST
# and BLIND is what was seen of it.
victim_report()
{
	local rc=0 before=$ALONE share=$((SHARE / (CPUS + 1)))

	alone
	[ "$before" -lt "$ALONE" ] || before=$ALONE
	echo "# $1: $DURING commands a second, alone $before," \
		"$((DURING * 100 / (before + 1))) per cent"
	if ! guest_is_well victim >"$TMP/victim.said"; then
		tail -n 5 "$TMP/victim.said" | sed 's/^/# /'
		rc=1
	elif [ $((DURING * 100)) -lt $((before * share)) ]; then
		rc=1
	fi
	verdict $rc "$1: the other guest's I/O goes on, not slower than it must be"
	echo "# $1: at worst $STALLED ms without a command of the other guest, $SLOWEST in a" \
		"second; at most $BLIND ms between two looks"
	[ "$STALLED" -le $STALL ] && [ "$BLIND" -le $STALL ]
	verdict $? "$1: the other guest is not kept waiting for more than $STALL ms" || rc=1
	[ $((SLOWEST * 100)) -ge $((before * SLOWEST_SHARE)) ]
	verdict $? "$1: the other guest all but stands still in no second" || rc=1
	return $rc
}

# map_report WHAT: however much of its memory the attacker used, no more of it
# was mapped at a time than it may have.
map_report()
{
	echo "# $1: $FRAMES frames of its memory were mapped, $((MAP_LIMIT * 256)) may be"
	[ "$FRAMES" -gt 0 ] && [ "$FRAMES" -le $((2 * MAP_LIMIT * 256)) ]
	verdict $? "$1: not too much of its memory is mapped"
}

# log_report WHAT: from when the attacker had its device.
log_report()
{
	local began number lines most

	read -r began number <"$BEGUN"
	lines=$(($(log_number) - number))
	now_ms
	most=$((LOG_PLACES * LOG_LINES * ((NOW - began) / 1000 / LOG_SECONDS + 2)))
	echo "# $1: $lines lines in dom0's log in $((NOW - began)) ms, $most may be"
	[ $lines -ge 0 ] && [ $lines -le $most ]
	verdict $? "$1: dom0's log is not flooded"
}

# attack WHAT WORD...: one run of the attacker, with so many CPUS and these arguments.
CPUS=2
attack()
{
	local what=$1 rc=0

	shift
	"$PAYLOAD/tiny-run" -c $CPUS -n attacker -t $((600 * PATIENCE)) \
		-k "$PAYLOAD/vm/hostile.sh attach" "ms=$MS" "$@" || rc=$?
	read -r FRAMES STALLED SLOWEST DURING BLIND <"$WATCHED"
	log_report "$what" || rc=1
	victim_report "$what" || rc=1
	map_report "$what" || rc=1
	return $rc
}

# ---- what it may not use ---------------------------------------------------

# Reads that the disk below has done.
reads_done()
{
	local stat

	read -ra stat <"/sys/block/$(basename "$QUICK")/stat"
	READS_DONE=${stat[0]}
}

# Whatever it gives up to begin anew: the disk does no more for it.
t_limit_is_not_escaped()
{
	local iops=10 id before begun most

	id=$(SERIAL=file:$TMP/attacker.serial paused_domain attacker 2 hostile_limit ms=2000)
	"$TOOL" attach --slot 16 --disk "params=$QUICK,iops-limit=$iops" attacker >/dev/null
	reads_done
	now_ms
	before=$READS_DONE begun=$NOW
	xl unpause attacker
	wait_for 120 domain_gone attacker
	reads_done
	now_ms
	most=$((iops * (NOW - begun) / 1000 + iops))
	note "$((READS_DONE - before)) reads in $((NOW - begun)) ms, $most may be"
	tr -d '\r' <"$TMP/attacker.serial" | grep -a '^#.*reads\|^not ok\|^Bail' || :
	[ "$(grep -ac '^ok' "$TMP/attacker.serial")" -eq 4 ]
	guest_is_well attacker
	[ $((READS_DONE - before)) -ge $iops ]
	[ $((READS_DONE - before)) -le $most ]
}

# ---- what ends the attacker ------------------------------------------------

# That it begins was the last that it said: nothing went wrong before, nothing came
# after.
began_and_no_more()
{
	[ "$(said attacker | tail -n 1)" = "# begun" ] || said attacker
}

# attacker_starts TEST: of hostile_end; in ID is its domain.
attacker_starts()
{
	ID=$(SERIAL=file:$TMP/attacker.serial paused_domain attacker 2 "hostile_end.$1" nsid=2)
	attach "$ID"
	xl unpause attacker
}

ends()
{
	attacker_starts "$1"
	wait_for 60 domain_gone attacker
	began_and_no_more
	wait_for 20 disk_free "$QUICK"
	wait_for 20 disk_free "$SLOW"
	[ ! -e "/sys/kernel/debug/xen-ioemu/$ID" ]
	victim_works_on 200
}

t_domain_crashes_in_mid_io()
{
	ends crash
}

t_domain_reboots_in_mid_io()
{
	ends reboot
}

t_triple_fault_in_mid_io()
{
	ends triple_fault
}

t_string_input_to_registers_in_mid_io()
{
	ends string_input_to_registers
}

t_memory_given_away_and_crash_in_mid_io()
{
	ends memory_then_crash
}

t_message_of_every_mode()
{
	ends message_of_every_mode
}

# It is shut down for that reason but there, and its disks have nothing to do. What they
# have done may wait for ever for room in a completion queue.
suspended()
{
	xl list attacker | grep -Eq ' [r-][b-][p-]ss[d-] ' &&
		! grep -q '^in_flight [1-9]' "/sys/bus/xen-backend/devices/ioemu-$1-0"/disk*/stat
}

# The domain stays, and so does its device, until somebody takes it away.
t_suspend_in_mid_io()
{
	attacker_starts suspend
	wait_for 60 suspended "$ID" || {
		xl list
		cat "/sys/kernel/debug/xen-ioemu/$ID/nvme-0"
		said attacker
	}
	began_and_no_more
	victim_works_on 200
	destroy_domain attacker
	wait_for 20 disk_free "$QUICK"
	wait_for 20 disk_free "$SLOW"
}

t_nothing_of_the_attackers_is_left()
{
	# In which it has looked at all of its memory.
	victim_works_on 5000
	guest_is_well victim
	destroy_domain victim
	wait_for 20 disk_free "$WORK"
	expect_no_leaks
}

# What the guest does to itself and Xen reports.
"$LAB/announce" '\(XEN\) domain_crash called from arch/x86/hvm/emulate\.c' \
	'\(XEN\) Domain [0-9]+ \(vcpu#[0-9]+\) crashed' \
	'\(XEN\) d[0-9]+v[0-9]+ Triple fault'
module_load
QUICK=$(make_disk quick 64 discard=1)
# Completed by a timer, 3 ms later.
SLOW=$(make_disk slow 64 irqmode=2 completion_nsec=3000000)
# What it reads comes late, too, not only the word that it is there. In the middle: udev
# has a look at both ends.
BACK=$(make_disk back 64)
modprobe dm_delay
dmsetup create late <<END
0 65536 linear $BACK 0
65536 32768 delay $BACK 65536 $LATE_MS $BACK 65536 0
98304 32768 linear $BACK 98304
END
LATE=/dev/mapper/late
export LATE
WORK=$(make_disk work 64)
WATCHED=$TMP/watched
BEGUN=$TMP/begun
export QUICK SLOW WATCHED BEGUN VICTIM
echo $MAP_LIMIT >/sys/module/xen_ioemu/parameters/map_limit
rc=0
victim_start
alone
if [ -z "${HOSTILE_MS-}" ]; then
	attack hostile_command hostile_command || rc=1
	# shellcheck disable=SC2086
	attack "$SUITES" $SUITES || rc=1
	attack "hostile_change, hostile_fuzz on a slow disk" \
		hostile_change hostile_fuzz nsid=2 $FUZZ || rc=1
	attack hostile_log hostile_log || rc=1
else
	for suite in hostile_command $SUITES hostile_log; do
		attack "$suite" "$suite" || rc=1
	done
	for nsid in 1 2; do
		attack "hostile_change nsid=$nsid" hostile_change nsid=$nsid || rc=1
		attack "hostile_fuzz nsid=$nsid" hostile_fuzz nsid=$nsid $FUZZ || rc=1
	done
fi
attack "hostile_stop on a late disk" hostile_stop nsid=3 late=$LATE_MS || rc=1
CPUS=4
attack "hostile_queue, hostile_storm with four CPUs" hostile_queue hostile_storm || rc=1
CPUS=1
attack "hostile_queue with one CPU" hostile_queue || rc=1
run_tests
[ $? -eq 0 ] || rc=1
xl destroy victim 2>/dev/null
module_unload
remove_disk quick
remove_disk slow
dmsetup remove late
remove_disk back
remove_disk work
exit $rc
