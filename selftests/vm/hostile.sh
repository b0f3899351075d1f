#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A guest that attacks, beside one that works. The attacker runs the tiny guest's
# hostile suites, on a quick disk and on one whose requests take their time; each
# suite is a TAP document. All the while the other guest writes, reads back and
# compares; it must get on, with this share at least of what it does when alone,
# measured before and after, of which the slower counts. In the lab all guests
# share one CPU, so that the two busy ones of the attacker leave it a third; half
# of that is asked for.
SHARE=16	# per cent
#
# HOSTILE_SECONDS (5) is how long the random accesses go on, HOSTILE_SEED where
# they begin (printed; random if not set). With HOSTILE_MS each storm and race
# takes so many milliseconds, and each suite has a run of its own.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ="seconds=${HOSTILE_SECONDS:-5} seed=${HOSTILE_SEED:-$RANDOM}"
# Where something else takes the time, a share only says that it goes on.
[ "$PATIENCE" -eq 1 ] || SHARE=1
MS=${HOSTILE_MS:-150}
MAP_LIMIT=16	# MiB, the least there is
SUITES="hostile_race hostile_queue hostile_access hostile_storm"

# Two disks for the attacker, which is built and does not run yet.
attach()
{
	"$TOOL" attach --slot 16 --disk "params=$QUICK" --disk "params=$SLOW" \
		"$1" >/dev/null
}

# As long as it is there: the most frames that were mapped of its memory.
watch_map()
{
	local line most=0

	while read -r line; do
		[[ $line =~ ^mapped\ frames:\ ([0-9]+) ]] || continue
		[ "${BASH_REMATCH[1]}" -gt $most ] || continue
		most=${BASH_REMATCH[1]}
		echo "$most" >"$FRAMES"
	done < <(while cat "/sys/kernel/debug/xen-ioemu/$1/domain"; do sleep 0.5; done)
}

if [ "${1-}" = attach ]; then
	attach "$2"
	echo 0 >"$FRAMES"
	watch_map "$2" >/dev/null 2>&1 &
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

now_ms()
{
	local t=${EPOCHREALTIME/./}

	echo "${t%???}"
}

# A rate in commands per second between two of these.
mark()
{
	queue_commands "$VICTIM"
	MARK_COMMANDS=$COMMANDS
	MARK_MS=$(now_ms)
}

rate()
{
	queue_commands "$VICTIM"
	RATE=$(((COMMANDS - MARK_COMMANDS) * 1000 / ($(now_ms) - MARK_MS + 1)))
}

# What it does with nobody beside it, in ALONE.
alone()
{
	mark
	sleep 1
	rate
	ALONE=$RATE
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

# victim_report WHAT: about the victim during an attack.
victim_report()
{
	local rc=0 before=$ALONE during

	rate
	during=$RATE
	alone
	[ "$before" -lt "$ALONE" ] || before=$ALONE
	echo "# $1: $during commands a second, alone $before," \
		"$((during * 100 / (before + 1))) per cent"
	if grep -aq '^not ok\|^Bail out' "$TMP/victim.serial"; then
		tr -d '\r' <"$TMP/victim.serial" | tail -n 5 | sed 's/^/# /'
		rc=1
	elif [ $((during * 100)) -lt $((before * SHARE)) ]; then
		rc=1
	fi
	verdict $rc "$1: the other guest's I/O goes on, not slower than it must be"
}

# map_report WHAT: however much of its memory the attacker used, no more of it
# was mapped at a time than it may have.
map_report()
{
	local frames

	read -r frames <"$FRAMES"
	echo "# $1: $frames frames of its memory were mapped, $((MAP_LIMIT * 256)) may be"
	[ "$frames" -gt 0 ] && [ "$frames" -le $((2 * MAP_LIMIT * 256)) ]
	verdict $? "$1: not too much of its memory is mapped"
}

# attack WHAT WORD...: one run of the attacker, with these arguments.
attack()
{
	local what=$1 rc=0

	shift
	mark
	"$PAYLOAD/tiny-run" -c 2 -n attacker -t $((240 * PATIENCE)) \
		-k "$PAYLOAD/vm/hostile.sh attach" "ms=$MS" "$@" || rc=$?
	victim_report "$what" || rc=1
	map_report "$what" || rc=1
	return $rc
}

# ---- what ends the attacker ------------------------------------------------

ends()
{
	local id

	id=$(paused_domain attacker 2 "hostile_end.$1" nsid=2)
	attach "$id"
	xl unpause attacker
	wait_for 60 domain_gone attacker
	wait_for 20 disk_free "$QUICK"
	wait_for 20 disk_free "$SLOW"
	[ ! -e "/sys/kernel/debug/xen-ioemu/$id" ]
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

# It is shut down for that reason but there, and nothing of it is on its way.
suspended()
{
	xl list attacker | grep -Eq ' [r-][b-][p-]ss[d-] ' &&
		! grep -q '^sq.* in_flight [1-9]' "/sys/kernel/debug/xen-ioemu/$1/nvme-0"
}

# The domain stays, and so does its device, until somebody takes it away.
t_suspend_in_mid_io()
{
	local id

	id=$(paused_domain attacker 2 hostile_end.suspend nsid=2)
	attach "$id"
	xl unpause attacker
	wait_for 60 suspended "$id"
	victim_works_on 200
	destroy_domain attacker
	wait_for 20 disk_free "$QUICK"
	wait_for 20 disk_free "$SLOW"
}

t_nothing_of_the_attackers_is_left()
{
	! grep -aq '^not ok\|^Bail out' "$TMP/victim.serial"
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
WORK=$(make_disk work 64)
FRAMES=$TMP/frames
export QUICK SLOW FRAMES
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
else
	for suite in hostile_command $SUITES; do
		attack "$suite" "$suite" || rc=1
	done
	for nsid in 1 2; do
		attack "hostile_change nsid=$nsid" hostile_change nsid=$nsid || rc=1
		attack "hostile_fuzz nsid=$nsid" hostile_fuzz nsid=$nsid $FUZZ || rc=1
	done
fi
run_tests || rc=1
xl destroy victim 2>/dev/null
module_unload
remove_disk quick
remove_disk slow
remove_disk work
exit $rc
