#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The binding through xenstore: good nodes connect, bad ones are refused with a
# text that names the key, the value and what is accepted, and harm nobody.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

setup()
{
	module_load
	DOMID=$(paused_domain bind)
	DISK=$(make_disk bind 64)
	OTHER=$(make_disk bind2 64)
	# Refusals are the point of this suite.
	"$LAB/announce" 'vbd|xen-backend ioemu-|ioemu-[0-9]+-[0-9]+: '
}

teardown()
{
	destroy_domain bind
	remove_disk bind
	remove_disk bind2
}

# refused KEY=VALUE... -- PATTERN: nodes like these end with such an error, and
# the good device of the domain does not notice.
refused()
{
	local args=() pattern text

	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	pattern=$2
	raw_attach "$DOMID" 9 "${args[@]}"
	wait_for 10 state_is "$DOMID" 9 6
	text=$(error_of "$DOMID" 9)
	note "$text"
	grep -Eq "$pattern" <<<"$text" || fail "'$text' does not match '$pattern'"
	grep -q error < <(xenstore-read "$(backend_path "$DOMID" 9)/hotplug-status")
	state_is "$DOMID" 0 4 || fail "the good device was disturbed"
	raw_detach "$DOMID" 9
}

t_good_node_connects()
{
	raw_attach "$DOMID" 0 model=nvme slot=16 disk/0/params="$DISK"
	wait_for 10 state_is "$DOMID" 0 4
	expect_eq "$(xenstore-read "$(backend_path "$DOMID" 0)/hotplug-status")" \
		connected
	cat "/sys/kernel/debug/xen-ioemu/$DOMID/domain"
	cat "/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
}

t_unknown_model_is_refused()
{
	refused model=floppy slot=17 disk/0/params="$OTHER" -- \
		'model: "floppy".*accepted: nvme'
}

t_missing_model_is_refused()
{
	refused slot=17 disk/0/params="$OTHER" -- 'model: "".*accepted: nvme'
}

t_slot_out_of_range_is_refused()
{
	refused model=nvme slot=32 disk/0/params="$OTHER" -- \
		'slot: "32".*accepted: 3 to 31'
	refused model=nvme slot=-1 disk/0/params="$OTHER" -- \
		'slot: "-1".*accepted: 3 to 31'
	refused model=nvme slot=five disk/0/params="$OTHER" -- \
		'slot: "five".*accepted: 3 to 31'
	refused model=nvme disk/0/params="$OTHER" -- \
		'slot: "".*accepted: 3 to 31'
}

t_taken_slot_is_refused()
{
	refused model=nvme slot=16 disk/0/params="$OTHER" -- \
		'slot: 16 is taken'
}

t_no_disk_is_refused()
{
	refused model=nvme slot=17 -- 'disk: none given, accepted: disk/0/params'
}

t_bad_disk_number_is_refused()
{
	refused model=nvme slot=17 disk/16/params="$OTHER" -- \
		'disk/16: .*accepted: 0 to 15'
	refused model=nvme slot=17 disk/first/params="$OTHER" -- \
		'disk/first: .*accepted: 0 to 15'
	refused model=nvme slot=17 disk/0/params="$OTHER" disk/01/params="$OTHER" -- \
		'disk/01: .*accepted: 0 to 15'
}

t_missing_params_is_refused()
{
	refused model=nvme slot=17 disk/0/mode=w -- \
		'disk/0/params: "".*accepted: the absolute path'
	refused model=nvme slot=17 disk/0/params=nullb0 -- \
		'disk/0/params: "nullb0".*accepted: the absolute path'
}

t_unopenable_device_is_refused()
{
	refused model=nvme slot=17 disk/0/params=/dev/none -- \
		'disk/0/params: "/dev/none" does not exist'
	refused model=nvme slot=17 disk/0/params=/etc/passwd -- \
		'disk/0/params: "/etc/passwd" is not a block device'
}

# The message would be more than xenstored takes, which ends the connection that
# all of dom0's kernel has.
t_value_that_fills_a_message_is_refused()
{
	local path

	path=/$(printf '%4000s' '' | tr ' ' x)
	refused model=nvme slot=17 disk/0/params="$path" -- \
		'disk/0/params: "/x+\.\.\.x+" cannot be opened'
	raw_attach "$DOMID" 9 model=nvme slot=17 disk/0/params="$OTHER"
	wait_for 10 state_is "$DOMID" 9 4
	raw_detach "$DOMID" 9
}

t_device_in_use_is_refused()
{
	refused model=nvme slot=17 disk/0/params="$DISK" -- \
		"disk/0/params: \"$DISK\" is in use"
	mkfs.ext4 -q "$OTHER"
	mkdir -p "$TMP/mnt"
	mount "$OTHER" "$TMP/mnt"
	refused model=nvme slot=17 disk/0/params="$OTHER" -- \
		"disk/0/params: \"$OTHER\" is in use"
	umount "$TMP/mnt"
}

t_second_disk_in_use_releases_the_first()
{
	refused model=nvme slot=17 disk/0/params="$OTHER" \
		disk/1/params="$DISK" -- "disk/1/params: \"$DISK\" is in use"
	disk_free "$OTHER"
}

t_bad_mode_is_refused()
{
	refused model=nvme slot=17 disk/0/params="$OTHER" disk/0/mode=rw -- \
		'disk/0/mode: "rw", accepted: r, w'
}

t_writable_read_only_device_is_refused()
{
	blockdev --setro "$OTHER"
	refused model=nvme slot=17 disk/0/params="$OTHER" disk/0/mode=w -- \
		'is read-only, accepted: mode r'
	raw_attach "$DOMID" 9 model=nvme slot=17 disk/0/params="$OTHER" \
		disk/0/mode=r
	wait_for 10 state_is "$DOMID" 9 4
	raw_detach "$DOMID" 9
	blockdev --setrw "$OTHER"
}

# Its guest would take it for a disk that can be written anywhere.
t_zoned_device_is_refused()
{
	local zoned

	zoned=$(make_disk bind_zoned 64 zoned=1 zone_size=4)
	if [ ! -b "$zoned" ]; then
		remove_disk bind_zoned
		echo "this kernel has no zoned devices"
		return 4
	fi
	refused model=nvme slot=17 disk/0/params="$zoned" -- \
		"disk/0/params: \"$zoned\" is zoned"
	remove_disk bind_zoned
}

t_bad_serial_is_refused()
{
	refused model=nvme slot=17 serial=123456789012345678901 \
		disk/0/params="$OTHER" -- 'serial: .*accepted: 1 to 20 printable'
	refused model=nvme slot=17 disk/0/params="$OTHER" disk/0/serial= -- \
		'disk/0/serial: .*accepted: 1 to 20 printable'
}

t_domain_that_is_not_hvm_is_refused()
{
	local domid text

	cat >"$TMP/pv.cfg" <<-END
	name = "pv"
	type = "pv"
	memory = 160
	kernel = "$(echo /boot/vmlinuz-*)"
	END
	xl create -p "$TMP/pv.cfg"
	domid=$(xl domid pv)
	raw_attach "$domid" 0 model=nvme slot=16 disk/0/params="$OTHER"
	wait_for 10 state_is "$domid" 0 6
	text=$(error_of "$domid" 0)
	note "$text"
	grep -q "domain $domid is not an HVM domain" <<<"$text"
	destroy_domain pv
}

t_domain_that_is_gone_is_refused()
{
	local text

	raw_attach 4242 0 model=nvme slot=16 disk/0/params="$OTHER"
	wait_for 10 state_is 4242 0 6
	text=$(error_of 4242 0)
	note "$text"
	grep -q "domain 4242 does not exist" <<<"$text"
	raw_detach 4242 0
	xenstore-rm /local/domain/4242
}

# Xen's numbers of domains have 16 bits.
t_domain_number_that_is_none_is_refused()
{
	local domid=$((DOMID + 65536)) text

	raw_attach $domid 0 model=nvme slot=17 disk/0/params="$OTHER"
	wait_for 10 state_is $domid 0 6
	text=$(error_of $domid 0)
	note "$text"
	grep -q "frontend-id: $domid, accepted: 0 to 32751" <<<"$text"
	raw_detach $domid 0
	xenstore-rm "/local/domain/$domid"
}

t_sixteen_disks_connect()
{
	local args=() i

	for i in $(seq 0 15); do
		args+=("disk/$i/params=$(make_disk "many$i" 4)")
	done
	raw_attach "$DOMID" 9 model=nvme slot=17 "${args[@]}"
	wait_for 10 state_is "$DOMID" 9 4
	raw_detach "$DOMID" 9
	for i in $(seq 0 15); do
		remove_disk "many$i"
	done
}

t_detached_node_attaches_again()
{
	local fe=/local/domain/$DOMID/ioemu/0

	xenstore-write "$fe/state" 5
	wait_for 10 state_is "$DOMID" 0 6
	disk_free "$DISK"
	xenstore-write "$fe/state" 1
	wait_for 10 state_is "$DOMID" 0 4
}

t_module_in_use_stays()
{
	! rmmod xen_ioemu 2>/dev/null || fail "the module was removed"
	state_is "$DOMID" 0 4
}

t_reloaded_module_binds_again()
{
	module_unload
	disk_free "$DISK"
	module_load
	wait_for 10 state_is "$DOMID" 0 4
}

t_node_removed_under_the_device()
{
	xenstore-rm "$(backend_path "$DOMID" 0)"
	wait_for 10 disk_free "$DISK"
	xenstore-rm "/local/domain/$DOMID/ioemu/0"
	expect_no_leaks
}

t_tool_attaches_lists_and_detaches()
{
	local out

	"$TOOL" attach bind --slot 18 --disk "params=$DISK,serial=ABC"
	out=$("$TOOL" list bind)
	echo "$out"
	grep -q ABC <<<"$out"
	"$TOOL" detach bind 0
	! xenstore-exists "$(backend_path "$DOMID" 0)" || fail "nodes left"
	disk_free "$DISK"
}

# What tool and module have written is dom0's; the guest may read it, nobody else.
t_nodes_are_not_the_guests_to_write()
{
	local nodes other

	"$TOOL" attach bind --slot 18 --disk "params=$DISK"
	nodes=$(xenstore-ls -fp "/local/domain/$DOMID/ioemu"
		xenstore-ls -fp "/local/domain/0/backend/ioemu/$DOMID")
	"$TOOL" detach bind 0
	grep -q "^/local/domain/$DOMID/ioemu/0/state = " <<<"$nodes"
	grep -q "/backend/ioemu/$DOMID/0/hotplug-status = " <<<"$nodes"
	other=$(grep -v " *(n0,r$DOMID)\$" <<<"$nodes" || :)
	expect_eq "$other" "" "nodes with other permissions"
}

t_domain_destroyed_while_bound()
{
	"$TOOL" attach bind --slot 18 --disk "params=$DISK"
	destroy_domain bind
	wait_for 10 disk_free "$DISK"
	wait_for 10 eval "! xenstore-exists $(backend_path "$DOMID" 0)"
	expect_no_leaks
}

t_module_unloads()
{
	module_unload
}

# At boot the module may be earlier than xenstored.
t_module_loads_without_xenstored()
{
	local pid

	pid=$(cat /run/xen/xenstored.pid)
	kill -STOP "$pid"
	module_load &
	if ! wait_for 10 grep -q '^xen_ioemu .* Live' /proc/modules; then
		kill -CONT "$pid"
		fail "it waits for xenstored"
	fi
	kill -CONT "$pid"
	wait $!
	module_unload
}

setup
run_tests
rc=$?
teardown
exit $rc
