#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that the module asks for and may not get, fails once: memory, pages,
# hypercalls, the disk; while a device comes and goes, and while a guest uses one.
# The toolstack is told, the guest gets a status that says so, nothing is lost,
# and the next attempt works.
#
# Needs a kernel that can do this (LAB_FLAVOUR=debug). INJECT_STEP=9 has every ninth
# chance fail and not each, INJECT_GUEST is how many the guest has to
# survive of each kind; INJECT_VERBOSE=2 says in the log where.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

STEP=${INJECT_STEP:-1}
GUEST_FAULTS=${INJECT_GUEST:-15}
REFUSALS=8
DEBUG=/sys/kernel/debug

if [ ! -e $DEBUG/failslab/require-start ] || [ ! -e $DEBUG/fail_function/inject ]; then
	echo "# this kernel cannot make the module's allocations and calls fail"
	exit 4
fi

setup()
{
	local name size addr kind irq_proc

	module_load
	# That it says so is the point of this suite.
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: |XENBUS: '
	DISK=$(make_disk inject 64 discard=1)
	# The disk itself needs memory for what was never written: not the point.
	dd if=/dev/zero of="$DISK" bs=1M oflag=direct status=none || :
	DOMID=$(paused_domain inject)
	read -r name size _ _ _ addr _ < <(grep '^xen_ioemu ' /proc/modules)
	[ "$name" = xen_ioemu ]
	# Linux goes on without its files of an interrupt, and warns when it removes them.
	mapfile -t irq_proc < <(sort /proc/kallsyms |
		awk 'found { print "0x" $1; exit } $3 == "register_irq_proc" { print "0x" $1; found = 1 }')
	for kind in failslab fail_page_alloc; do
		cd $DEBUG/$kind
		echo N >ignore-gfp-wait
		printf '0x%x\n' "$addr" >require-start
		printf '0x%x\n' $((addr + size)) >require-end
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

teardown()
{
	local kind

	for kind in failslab fail_page_alloc fail_function fail_make_request; do
		echo 0 >$DEBUG/$kind/probability
	done
	destroy_domain inject
	destroy_domain invalidate
	destroy_domain retry
	remove_disk inject
	module_unload
}

# A device comes and goes: sweep KIND [STEP]
sweep()
{
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

	for f in ioreq_create_server ioreq_map_page ioreq_bind_vcpu \
		 ioemu_ioreq_map_range foreign_map ioemu_disk_open; do
		may_fail $f
		sweep fail_function 1 $f
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

# How often the guest has begun anew; starts no process.
rounds()
{
	local line

	RETRY=${RETRY:-$(cat "$TMP/retry")}
	read -r line <"$DEBUG/xen-ioemu/$RETRY/nvme-0" || return
	ROUNDS=${line##*resets }
	ROUNDS=${ROUNDS%% *}
}

more_rounds_than()
{
	rounds && [ "$ROUNDS" -gt "$1" ]
}

fired()
{
	local times

	read -r times <"$DEBUG/$1/times"
	[ "$times" = 0 ]
}

# wait_or_show COMMAND...: what the guest said, if it does not come to that.
wait_or_show()
{
	wait_for 30 "$@" || {
		cat "$TMP/retry.serial"
		return 1
	}
}

guest_is_well()
{
	! grep -aq '^not ok\|^Bail out' "$TMP/retry.serial" || {
		cat "$TMP/retry.serial"
		return 1
	}
}

# survive KIND: the guest goes through so many faults, and is as before after each.
# As in sweep.c: the interval is what the injection's own count is going to be.
survive()
{
	local kind=$1 dir=$DEBUG/$1 count=0 i

	[ ! -e "/run/sweep.$kind" ] || read -r count <"/run/sweep.$kind"
	for ((i = 1; i <= GUEST_FAULTS; i++)); do
		count=$((count + 1 + i * 5 % 23))
		echo $count >"$dir/interval"
		echo 1 >"$dir/times"
		echo 100 >"$dir/probability"
		wait_or_show fired "$kind"
		echo 0 >"$dir/probability"
		rounds
		# What was under way does not count.
		wait_or_show more_rounds_than $((ROUNDS + 1))
		guest_is_well
	done
	echo $count >"/run/sweep.$kind"
	note "$kind: faults survived by the guest: $GUEST_FAULTS"
}

t_guest_starts()
{
	RETRY=$(SERIAL=file:$TMP/retry.serial paused_domain retry 1 retry)
	echo "$RETRY" >"$TMP/retry"
	raw_attach "$RETRY" 0 model=nvme slot=16 disk/0/params="$DISK"
	wait_for 10 state_is "$RETRY" 0 4
	xl unpause retry
	wait_or_show more_rounds_than 3
	guest_is_well
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

t_guest_survives_errors_of_the_disk()
{
	local file

	file=/sys/block/$(basename "$DISK")/make-it-fail
	echo 1 >"$file"
	survive fail_make_request
	echo 0 >"$file"
}

t_guest_goes_and_nothing_is_left()
{
	destroy_domain retry
	wait_for 10 disk_free "$DISK"
	destroy_domain inject
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
