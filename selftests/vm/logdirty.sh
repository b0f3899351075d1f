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

# How many pages changed while the guest ran, and how many of them Xen did not know.
compare()
{
	local churn

	churn &
	churn=$!
	"$PAYLOAD/logdirty" "$DOMID" $((3 * PATIENCE)) >"$TMP/pages"
	kill $churn
	note "$(cat "$TMP/pages")"
	read -r _ CHANGED _ MISSED <"$TMP/pages"
	[ "$CHANGED" -gt 20 ]
}

guest_is_busy()
{
	grep -q '^sq1: .* commands [0-9]\{3,\} ' \
		"/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
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
	compare
	[ "$MISSED" -gt 0 ]
}

t_no_page_is_missed_while_it_is_on()
{
	switch 1
	compare
	expect_eq "$MISSED" 0
}

t_it_can_be_switched_off_again()
{
	switch 0
	compare
	[ "$MISSED" -gt 0 ]
}

module_load
# The device is opened exclusively; what lies below it can be written to.
UNDER=$(make_disk under 64)
modprobe dm_mod
dmsetup create churned --table "0 131072 linear $UNDER 0"
DOMID=$(paused_domain load 1 load)
raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params=/dev/mapper/churned
wait_for 10 state_is "$DOMID" 0 4
xl unpause load
wait_for 60 guest_is_busy
run_tests
rc=$?
destroy_domain load
dmsetup remove churned
remove_disk under
module_unload
exit $rc
