#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that the module asks for and may not get, fails once: memory, pages,
# hypercalls, the disk; while a device comes and goes, while a guest uses one, and
# while one goes that a guest uses. The toolstack is told, the guest gets a status
# that says so, nothing is lost, and the next attempt works.
#
# Needs a kernel that can do this (LAB_FLAVOUR=debug). INJECT_STEP=9 has every ninth
# chance fail and not each, INJECT_GUEST is how many the guest has to
# survive of each kind at any place; INJECT_VERBOSE=2 says in the log where.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

STEP=${INJECT_STEP:-1}
GUEST_FAULTS=${INJECT_GUEST:-15}
REFUSALS=8
# Commands after which a guest uses nothing for the first time any more.
AT_WORK=60
DEBUG=/sys/kernel/debug
LOST='xen_ioemu: cannot flush TLBs: [0-9]+ pages are lost'

if [ ! -e $DEBUG/failslab/require-start ] || [ ! -e $DEBUG/fail_function/inject ]; then
	echo "# this kernel cannot make the module's allocations and calls fail"
	exit 4
fi

setup()
{
	local size addr kind irq_proc

	module_load
	# That it says so is the point of this suite.
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: |XENBUS: '
	"$LAB/announce" "$LOST"
	DISK=$(make_disk inject 64 discard=1)
	GUEST_DISK=$(make_disk guest 64 discard=1)
	OTHER_DISK=$(make_loop inject 64)
	# The disk itself needs memory for what was never written: not the point.
	dd if=/dev/zero of="$DISK" bs=1M oflag=direct status=none || :
	dd if=/dev/zero of="$GUEST_DISK" bs=1M oflag=direct status=none || :
	DOMID=$(paused_domain inject)
	read -r _ size _ _ _ addr _ < <(grep '^xen_ioemu ' /proc/modules)
	MODULE_START=$addr
	MODULE_END=$(printf '0x%x' $((addr + size)))
	grep -F '[xen_ioemu]' /proc/kallsyms | sort >"$TMP/symbols"
	# Linux goes on without its files of an interrupt, and warns when it removes them.
	# The kernel's own symbols come first there and in order.
	mapfile -t irq_proc < <(awk 'found { print "0x" $1; exit }
		$3 == "register_irq_proc" { print "0x" $1; found = 1 }' /proc/kallsyms)
	for kind in failslab fail_page_alloc; do
		cd $DEBUG/$kind
		echo N >ignore-gfp-wait
		only_under $kind "$MODULE_START" "$MODULE_END"
		echo "${irq_proc[0]}" >reject-start
		echo "${irq_proc[1]}" >reject-end
		echo 32 >stacktrace-depth
	done
	echo N >$DEBUG/failslab/cache-filter
	echo N >$DEBUG/fail_page_alloc/ignore-gfp-highmem
	echo 0 >$DEBUG/fail_page_alloc/min-order
	for kind in failslab fail_page_alloc fail_function fail_make_request; do
		echo "${INJECT_VERBOSE:-0}" >$DEBUG/$kind/verbose
	done
	cd "$PAYLOAD"
}

# only_under KIND START END: of these return addresses on the stack.
only_under()
{
	echo "$2" >"$DEBUG/$1/require-start"
	echo "$3" >"$DEBUG/$1/require-end"
}

# only_in KIND FUNCTION: the chances of a function of the module and of what it calls.
only_in()
{
	local start end

	read -r start end < <(awk -v name="$2" '
		start && $1 != start { print "0x" start, "0x" $1; exit }
		$3 == name { start = $1 }' "$TMP/symbols") ||
		fail "$2 has no place of its own: is it inlined, or called something else?"
	only_under "$1" "$start" "$end"
}

teardown()
{
	local kind

	for kind in failslab fail_page_alloc fail_function fail_make_request; do
		echo 0 >$DEBUG/$kind/probability
	done
	destroy_domain inject
	destroy_domain invalidate
	destroy_domain retry
	destroy_domain replug
	destroy_domain blocks
	remove_disk inject
	remove_disk guest
	remove_loop inject
	module_unload
}

# anywhere KIND: the chances of all of the module, whatever a test left that failed.
anywhere()
{
	echo 0 >"$DEBUG/$1/probability"
	case $1 in
	failslab | fail_page_alloc) only_under "$1" "$MODULE_START" "$MODULE_END" ;;
	esac
}

# A device comes and goes: sweep KIND [STEP]
sweep()
{
	anywhere "$1"
	"$PAYLOAD/sweep" "$1" 1 "${2:-$STEP}" 100000 "$DOMID" "$DISK" >"$TMP/sweep" 2>&1 || {
		cat "$TMP/sweep"
		return 1
	}
	note "${3:-$1}: $(cat "$TMP/sweep")"
}

t_device_without_memory()
{
	sweep failslab
}

t_device_without_pages()
{
	sweep fail_page_alloc 1
}

# What fails with which error; names of functions.
may_fail()
{
	echo "$1" >$DEBUG/fail_function/inject
	printf '0x%x\n' -12 >"$DEBUG/fail_function/$1/retval"
}

may_not_fail()
{
	echo "!$1" >$DEBUG/fail_function/inject
}

t_device_without_its_calls()
{
	local f

	for f in ioreq_create_server ioreq_map_page ioreq_enable ioreq_bind_vcpu \
		 ioemu_ioreq_map_range foreign_map gmap_init_ref nvme_create_worker \
		 stats_alloc ioemu_disk_open; do
		may_fail $f
		sweep fail_function 1 $f
		grep -q 'refused [1-9]' "$TMP/sweep"
		may_not_fail $f
	done
}

# How often each CPU of the guest got its answer, at least.
least_changes()
{
	local cpu n

	for cpu in 0 1; do
		n=$(sed -n "s/^# CPU $cpu: \([0-9]*\) times.*/\1/p" \
			"$TMP/invalidate.serial" | tail -n 1)
		echo "${n:-0}"
	done | sort -n | head -n 1
}

more_changes_than()
{
	[ "$(least_changes)" -gt "$1" ]
}

# While the server is set up each CPU may already wait for an answer from it.
t_guest_goes_on_when_its_channels_are_refused()
{
	local id i

	id=$(SERIAL=file:$TMP/invalidate.serial paused_domain invalidate 2 invalidate)
	xl unpause invalidate
	wait_for 30 more_changes_than 0
	may_fail ioreq_bind_vcpu
	for ((i = 0; i < REFUSALS; i++)); do
		"$PAYLOAD/sweep" fail_function $((1 + i % 2)) 1 $((1 + i % 2)) \
			"$id" "$DISK" >"$TMP/sweep" 2>&1 || {
			cat "$TMP/sweep" "$TMP/invalidate.serial"
			return 1
		}
		wait_for 30 more_changes_than "$(least_changes)" || {
			cat "$TMP/invalidate.serial"
			return 1
		}
	done
	may_not_fail ioreq_bind_vcpu
	note "refusals survived by the guest: $i, changes of memory: $(least_changes) by each CPU"
	destroy_domain invalidate
}

fired()
{
	local times

	read -r times <"$DEBUG/$1/times"
	[ "$times" = 0 ]
}

wait_or_show()
{
	wait_for 30 "$@" || said retry
}

# fault KIND NTH: the NTH chance from now on fails, and the guest is as before after
# it. As in sweep.c: the interval is what the injection's own count is going to be.
fault()
{
	local kind=$1 dir=$DEBUG/$1 count=0

	[ ! -e "/run/sweep.$kind" ] || read -r count <"/run/sweep.$kind"
	count=$((count + $2))
	echo $count >"$dir/interval"
	echo 1 >"$dir/times"
	echo 100 >"$dir/probability"
	wait_or_show fired "$kind"
	echo 0 >"$dir/probability"
	# At an interval of 1 nothing is counted.
	[ $count -gt 1 ] || count=0
	echo $count >"/run/sweep.$kind"
	RETRY=${RETRY:-$(cat "$TMP/retry")}
	guest_resets "$RETRY"
	# What was under way does not count. With each round the guest begins anew.
	wait_or_show guest_resets_over "$RETRY" $((RESETS + 1))
	guest_is_well retry
}

# survive KIND: so many faults wherever they come.
survive()
{
	local i

	anywhere "$1"
	for ((i = 1; i <= GUEST_FAULTS; i++)); do
		fault "$1" $((1 + i * 5 % 23))
	done
	note "$1: faults survived by the guest: $GUEST_FAULTS"
}

# survive_in KIND FUNCTION CHANCES: each of the first so many in that function, while
# devices of other domains come and go.
survive_in()
{
	local i

	only_in "$1" "$2"
	for ((i = 1; i <= $3; i++)); do
		echo "$1 in $2: chance $i"
		fault "$1" $i
	done
	anywhere "$1"
	others_come_and_go
	note "$1 in $2: $3"
}

# A sweep with no faults.
others_come_and_go()
{
	"$PAYLOAD/sweep" failslab 2 1 1 "$DOMID" "$DISK"
}

t_guest_starts()
{
	RETRY=$(SERIAL=file:$TMP/retry.serial paused_domain retry 1 retry)
	echo "$RETRY" >"$TMP/retry"
	raw_attach "$RETRY" 0 model=nvme slot=16 disk/0/params="$GUEST_DISK"
	wait_for 10 state_is "$RETRY" 0 4
	xl unpause retry
	wait_or_show guest_resets_over "$RETRY" 3
	guest_is_well retry
}

t_guest_survives_lack_of_memory()
{
	survive failslab
}

t_guest_survives_lack_of_pages()
{
	survive fail_page_alloc
}

t_guest_survives_refused_mappings()
{
	may_fail foreign_map
	survive fail_function
	may_not_fail foreign_map
}

# Where the module allocates for a guest that runs, with as many chances as there
# are in one call: controller and queues, memory maps, what was mapped, data.
t_guest_survives_lack_of_memory_everywhere()
{
	survive_in failslab ioemu_nvme_cq_create 3
	survive_in failslab ioemu_nvme_sq_create 10
	survive_in failslab nvme_sq_create_worker 3
	survive_in failslab ioemu_nvme_ring_init 3
	survive_in failslab ioemu_guestmem_replace 3
	survive_in failslab ioemu_gmap_pages 4
	survive_in failslab foreign_map 2
	survive_in failslab ioemu_disk_rw 3
	survive_in failslab disk_discard 2
	survive_in failslab disk_write_zeroes 2
}

t_guest_survives_lack_of_pages_everywhere()
{
	survive_in fail_page_alloc ioemu_nvme_sq_create 4
	survive_in fail_page_alloc ioemu_disk_rw 4
}

# What no fault of an allocation reaches, since the memory is another thread's or
# there already.
t_guest_survives_refused_calls_everywhere()
{
	local f i

	for f in gmap_init_ref nvme_sq_create_worker foreign_flush; do
		may_fail $f
		for ((i = 1; i <= 3; i++)); do
			echo "$f: call $i"
			fault fail_function $i
		done
		may_not_fail $f
		others_come_and_go
	done
	dmesg | tail -n 200 | grep -Eq "$LOST"
}

# may_break DISK 0|1
may_break()
{
	echo "$2" >"/sys/block/$(basename "$1")/make-it-fail"
}

t_guest_survives_errors_of_the_disk()
{
	may_break "$GUEST_DISK" 1
	survive fail_make_request
	may_break "$GUEST_DISK" 0
}

t_guest_goes()
{
	destroy_domain retry
	wait_for 10 disk_free "$GUEST_DISK"
}

# sweep_at_work KIND LAST [FUNCTION [early]]: the device goes while its guest has
# commands in flight.
sweep_at_work()
{
	anywhere "$1"
	"$PAYLOAD/sweep" "$1" 1 "$STEP" "$2" "$(cat "$TMP/replug")" "$GUEST_DISK" $AT_WORK \
		${4:+"$4"} >"$TMP/sweep" 2>&1 || {
		cat "$TMP/sweep"
		said replug
	}
	note "${3:-$1}: $(cat "$TMP/sweep")"
	guest_is_well replug
}

# The guest itself asks for the second one, which is tried again when it asks again.
t_guest_starts_although_ranges_are_refused()
{
	SERIAL=file:$TMP/replug.serial paused_domain replug 1 replug dev=20 >"$TMP/replug"
	xl unpause replug
	may_fail ioemu_ioreq_map_range
	sweep_at_work fail_function 100000 ioemu_ioreq_map_range early
	# The device's own range, without which it is none; its registers, which can wait.
	grep -q 'refused [1-9][0-9]* connected [1-9]' "$TMP/sweep"
	may_not_fail ioemu_ioreq_map_range
}

t_device_at_work_goes_without_memory()
{
	sweep_at_work failslab 100000
}

t_device_at_work_goes_without_pages()
{
	sweep_at_work fail_page_alloc 100000
}

t_device_at_work_goes_with_errors_of_the_disk()
{
	may_break "$GUEST_DISK" 1
	sweep_at_work fail_make_request 8
	may_break "$GUEST_DISK" 0
	destroy_domain replug
	wait_for 10 disk_free "$GUEST_DISK"
}

guest_is_done()
{
	grep -aq '^# tiny-guest: exit' "$TMP/blocks.serial"
}

# Each request has the same chance, whichever of those of a command it is: with every
# so-manieth one it would depend on how many of them a command has.
t_each_kind_of_block_call_fails()
{
	local dir=$DEBUG/fail_make_request disk id

	id=$(SERIAL=file:$TMP/blocks.serial paused_domain blocks 1 blocks)
	raw_attach "$id" 0 model=nvme slot=16 disk/0/params="$GUEST_DISK" \
		disk/1/params="$OTHER_DISK"
	wait_for 10 state_is "$id" 0 4
	for disk in "$GUEST_DISK" "$OTHER_DISK"; do
		may_break "$disk" 1
	done
	echo 1 >$dir/interval
	echo -1 >$dir/times
	echo 30 >$dir/probability
	xl unpause blocks
	wait_for 120 guest_is_done || said blocks
	echo 0 >$dir/probability
	for disk in "$GUEST_DISK" "$OTHER_DISK"; do
		may_break "$disk" 0
	done
	destroy_domain blocks
	guest_is_well blocks
	grep -a '^# namespace' "$TMP/blocks.serial" | tr -d '\r'
	[ "$(grep -ac '^ok' "$TMP/blocks.serial")" -eq 2 ] || said blocks
}

t_nothing_is_left()
{
	destroy_domain inject
	wait_for 10 disk_free "$DISK"
	wait_for 10 disk_free "$GUEST_DISK"
	expect_no_leaks
}

t_module_unloads()
{
	module_unload
	module_load
}

setup >"$TMP/setup" 2>&1
run_tests
rc=$?
teardown >/dev/null 2>&1
exit $rc
