#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Log-dirty mode: whoever copies a running guest's memory learns of every page that
# the module writes on the guest's behalf.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# What the disk holds changes all the time, and so does what the guest reads.
churn()
{
	while dd if=/dev/urandom of="$UNDER" bs=128k count=1 oflag=direct \
		status=none; do
		:
	done
}

# How many pages changed while the guest ran, and how many of them Xen did not know:
# compare AT_LEAST [GFN]
compare()
{
	local churn

	churn &
	churn=$!
	"$PAYLOAD/logdirty" "$DOMID" $((3 * PATIENCE)) ${2:+"$2"} >"$TMP/pages"
	kill $churn
	note "$(cat "$TMP/pages")"
	read -r _ CHANGED _ MISSED <"$TMP/pages"
	[ "$CHANGED" -ge "$1" ]
}

# start_guest SUITE: returns when it is at work
start_guest()
{
	DOMID=$(paused_domain "$1" 1 "$1")
	raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params=/dev/mapper/churned
	wait_for 10 state_is "$DOMID" 0 4
	xl unpause "$1"
	wait_for 60 queue_commands_over "$DOMID" 100
}

switch()
{
	local be

	be=$(backend_path "$DOMID" 0)
	xenstore-write "$be/log-dirty" "$1"
	wait_for 10 eval "[ \"\$(xenstore-read $be/log-dirty-state 2>/dev/null)\" = $1 ]"
}

t_pages_are_missed_while_it_is_off()
{
	compare 20
	[ "$MISSED" -gt 0 ]
}

t_no_page_is_missed_while_it_is_on()
{
	switch 1
	compare 20
	expect_eq "$MISSED" 0
}

t_it_can_be_switched_off_again()
{
	switch 0
	compare 20
	[ "$MISSED" -gt 0 ]
}

# Not even Xen can mark the very last; the one before it is written with the same
# command.
t_last_frame_but_one_is_not_missed()
{
	destroy_domain load
	start_guest last
	switch 1
	compare 1 0xfeffe
	expect_eq "$MISSED" 0
	destroy_domain last
}

module_load
# The device is opened exclusively; what lies below it can be written to.
UNDER=$(make_disk under 64)
modprobe dm_mod
dmsetup create churned --table "0 131072 linear $UNDER 0"
start_guest load
run_tests
rc=$?
destroy_domain load
destroy_domain last
dmsetup remove churned
remove_disk under
module_unload
exit $rc
