#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest, the toolstack's nodes, the driver or the module go away in the middle
# of I/O: nothing is left, and nobody else notices. The guest keeps 32 commands
# outstanding all the time.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ROUNDS=14
# Each takes half a minute there, and kmemleak finds what one of them has lost.
[ ! -e /sys/kernel/debug/kmemleak ] || ROUNDS=8
WARM_UP=4
UNBIND=/sys/bus/xen-backend/drivers/xen_ioemu/unbind
BIND=/sys/bus/xen-backend/drivers/xen_ioemu/bind

# A guest in the middle of I/O on a disk: start_load DISK [NAME [TEST]]
start_load()
{
	local name=${2:-load}

	DOMID=$(paused_domain "$name" 1 "${3:-load}")
	raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params="$1"
	wait_for 10 state_is "$DOMID" 0 4
	xl unpause "$name"
	wait_for 60 queue_commands_over "$DOMID" 500
}

# Its I/O goes on.
load_goes_on()
{
	queue_commands "$DOMID"
	wait_for 30 queue_commands_over "$DOMID" $((COMMANDS + 500))
}

# Lines, when the programs of the domains have gone, too: what the kernel's own
# structures take, what dom0 has left (which goes up and down by some MiB without any
# guest), both in KiB; how many ranges of addresses it has for pages of others.
memory()
{
	wait_for 20 eval '! pgrep -x xl && ! pgrep -f "xen-domid [1-9]"' >/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|KernelStack|VmallocUsed|Percpu):/ { used += $2 }
		/^MemAvailable:/ { left = $2 }
		END { print used; print left }' /proc/meminfo
	grep -c 'Xen scratch\|System RAM (unpopulated)' /proc/iomem || :
}

# rounds NAME DISK N: a guest comes and is destroyed, so many times.
rounds()
{
	local i

	for ((i = 0; i < $3; i++)); do
		start_load "$2" "$1"
		destroy_domain "$1"
		wait_for 10 disk_free "$2"
	done
}

# Two at a time: one comes while the other goes.
rounds_of_two()
{
	local pids=()

	rounds load "$DISK" "$1" &
	pids+=($!)
	rounds twin "$TWIN" "$1" &
	pids+=($!)
	wait "${pids[0]}"
	wait "${pids[1]}"
}

t_domain_destroyed_in_mid_io_many_times()
{
	local before after

	TWIN=$(make_disk twin 64)
	# What is set up once is there after the first rounds.
	rounds_of_two $((WARM_UP / 2))
	mapfile -t before < <(memory)
	rounds_of_two $(((ROUNDS - WARM_UP) / 2))
	mapfile -t after < <(memory)
	note "kernel structures: ${before[0]} KiB, then ${after[0]} KiB"
	note "memory available: ${before[1]} KiB, then ${after[1]} KiB"
	note "ranges for foreign pages: ${before[2]}, then ${after[2]}"
	# A guest's device takes more than 100 KiB of structures. KASAN keeps for a while
	# what is freed; where it is there, kmemleak looks after these.
	[ -e /sys/kernel/debug/kmemleak ] || [ $((after[0] - before[0])) -lt 512 ]
	[ $((before[1] - after[1])) -lt 8192 ]
	[ "${after[2]}" -le "${before[2]}" ]
	expect_no_leaks
	remove_disk twin
}

t_node_removed_in_mid_io()
{
	start_load "$DISK"
	xenstore-rm "$(backend_path "$DOMID" 0)"
	wait_for 20 disk_free "$DISK"
	[ ! -e "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0" ]
	xl list load
	destroy_domain load
	expect_no_leaks
}

t_device_detached_in_mid_io()
{
	start_load "$DISK"
	"$TOOL" detach load 0
	disk_free "$DISK"
	destroy_domain load
	expect_no_leaks
}

t_driver_unbound_in_mid_io_and_bound_again()
{
	start_load "$DISK"
	echo "ioemu-$DOMID-0" >$UNBIND
	disk_free "$DISK"
	echo "ioemu-$DOMID-0" >$BIND
	wait_for 10 state_is "$DOMID" 0 4
	! disk_free "$DISK" 2>/dev/null || fail "the disk is not held again"
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

t_module_removed_in_mid_io_and_loaded_again()
{
	start_load "$DISK"
	module_unload
	disk_free "$DISK"
	module_load
	wait_for 10 state_is "$DOMID" 0 4
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

t_device_model_process_killed_in_mid_io()
{
	start_load "$DISK"
	kill -9 "$(xenstore-read "/local/domain/$DOMID/image/device-model-pid")"
	load_goes_on
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

t_guest_paused_in_mid_io_goes_on()
{
	start_load "$DISK"
	xl pause load
	xl unpause load
	load_goes_on
	destroy_domain load
	wait_for 10 disk_free "$DISK"
}

# A guest that reads back and compares. It ends when something is wrong, and its
# text says what.
start_verified()
{
	SERIAL=file:$TMP/verified.serial start_load "$DISK" load victim
}

verified_goes_on()
{
	load_goes_on || said verified
	guest_is_well verified
}

# A copy of the guest is made; meanwhile it stands still, and then goes on: what
# was on its way is there, and so is what comes later.
t_guest_saved_in_mid_io_goes_on()
{
	local i

	start_verified
	for i in 1 2 3; do
		xl save -c load "$TMP/load.save"
		verified_goes_on
	done
	rm "$TMP/load.save"
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

# Shut down for that reason: xl's last but one letter says which.
is_suspended()
{
	xl list load | grep -Eq ' [r-][b-][p-]ss- '
}

t_guest_suspends_itself_in_mid_io_and_is_resumed()
{
	local i loops=5

	DOMID=$(SERIAL=file:$TMP/resumed paused_domain load 1 resume loops=$loops)
	raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params="$DISK"
	wait_for 10 state_is "$DOMID" 0 4
	xl unpause load
	for ((i = 0; i < loops; i++)); do
		wait_for 30 is_suspended
		"$PAYLOAD/resume" "$DOMID"
	done
	wait_for 30 grep -aq '^# tiny-guest: exit' "$TMP/resumed"
	tr -d '\r' <"$TMP/resumed"
	grep -aq '^ok 1 - resume' "$TMP/resumed"
	# xl looks after a domain until its first suspend only.
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	expect_no_leaks
}

# The device does not go with it: the guest comes back without.
t_guest_saved_in_mid_io_and_restored()
{
	start_load "$DISK"
	xl save load "$TMP/load.save"
	wait_for 10 disk_free "$DISK"
	xl restore "$TMP/load.save"
	rm "$TMP/load.save"
	DOMID=$(xl domid load)
	[ ! -e "/sys/kernel/debug/xen-ioemu/$DOMID" ]
	disk_free "$DISK"
	destroy_domain load
	expect_no_leaks
}

# All of the guest's commands are in the disk and stay there.
all_in_flight()
{
	grep -q '^sq1:.* in_flight 32$' "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
}

t_domain_destroyed_while_its_disk_is_stalled()
{
	dmsetup create stall --table "0 65536 linear $DISK 0"
	start_load /dev/mapper/stall
	dmsetup suspend --nolockfs --noflush stall
	wait_for 20 all_in_flight
	xl destroy load
	# The disk may still write to the guest's pages: they are not given back.
	xl list
	dmsetup resume stall
	wait_for 20 domain_gone load
	wait_for 20 disk_free /dev/mapper/stall
	dmsetup remove stall
	disk_free "$DISK"
	expect_no_leaks
}

t_node_removed_while_its_disk_is_stalled_holds_up_nobody()
{
	local other stalled

	other=$(make_disk other 64)
	dmsetup create stall --table "0 65536 linear $DISK 0"
	start_load /dev/mapper/stall
	stalled=$DOMID
	xl rename load stalled
	dmsetup suspend --nolockfs --noflush stall
	wait_for 20 all_in_flight
	"$LAB/announce" 'a disk does not answer'
	xenstore-rm "$(backend_path "$stalled" 0)"
	# Others can still come and go.
	start_load "$other"
	destroy_domain load
	wait_for 20 disk_free "$other"
	dmsetup resume stall
	wait_for 20 disk_free /dev/mapper/stall
	destroy_domain stalled
	dmsetup remove stall
	remove_disk other
	expect_no_leaks
}

# Reads hold as many states of its memory as there may be; a vCPU waits for them.
memory_waits()
{
	grep -q '^maps: 64,' "/sys/kernel/debug/xen-ioemu/$DOMID/domain"
}

# Threads that are in the module and that Linux calls hung after a while.
hung_threads()
{
	grep -l '\[xen_ioemu\]' /proc/[0-9]*/stack 2>/dev/null | sed 's/stack$/stat/' |
		xargs -r grep -h ') D '
}

t_memory_that_waits_for_a_disk_holds_up_nobody()
{
	local other

	other=$(make_disk other 64)
	DOMID=$(SERIAL=file:$TMP/load.serial paused_domain load 1 give_back)
	# Each read takes minutes.
	raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params="$DISK" disk/0/bw-limit=16
	wait_for 10 state_is "$DOMID" 0 4
	xl unpause load
	wait_for 60 memory_waits || said load
	raw_attach "$DOMID" 1 model=nvme slot=17 disk/0/params="$other"
	wait_for 10 state_is "$DOMID" 1 4
	memory_waits
	# A thread may still wait for the answer to what it wrote.
	wait_for_no 5 hung_threads
	raw_detach "$DOMID" 1
	guest_is_well load
	destroy_domain load
	wait_for 10 disk_free "$DISK"
	remove_disk other
	expect_no_leaks
}

t_other_guest_does_not_notice()
{
	local other

	other=$(make_disk other 64)
	start_load "$other"
	other_id=$DOMID
	xl rename load bystander
	start_load "$DISK"
	destroy_domain load
	DOMID=$other_id
	load_goes_on
	destroy_domain bystander
	wait_for 10 disk_free "$other"
	remove_disk other
	expect_no_leaks
}

t_module_unloads()
{
	module_unload
	[ ! -e /sys/kernel/debug/xen-ioemu ]
}

module_load
DISK=$(make_disk load 64)
modprobe dm_mod
run_tests
rc=$?
xl destroy load 2>/dev/null
xl destroy bystander 2>/dev/null
xl destroy twin 2>/dev/null
wait_for 20 domain_gone load
dmsetup remove stall 2>/dev/null
! grep -q '^xen_ioemu ' /proc/modules || module_unload
remove_disk load
remove_disk twin
exit $rc
