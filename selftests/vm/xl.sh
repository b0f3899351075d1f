#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Domains whose disks stand in xl's configuration, by way of ioemu-dm: each way in
# which a domain can begin and end, with block devices and files. After every one
# nothing is left in xenstore, of loop devices, or in the module.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

DM=$PAYLOAD/ioemu-dm
FILES=/var/tmp/xl.$$		# on a file system with direct I/O

# config NAME DISK... : a domain of nothing but firmware and disks
config()
{
	local name=$1 list="" d

	shift
	for d; do
		list+="\"-ioemu\", \"$d\", "
	done
	cat >"$TMP/$name.cfg" <<-END
	name = "$name"
	type = "hvm"
	memory = 64
	vcpus = 1
	boot = "c"
	device_model_override = "$DM"
	device_model_args = [ $list ]
	vga = "none"
	serial = "file:$TMP/$name.serial"
	on_poweroff = "destroy"
	on_reboot = "restart"
	on_crash = "destroy"
	END
}

# tiny NAME TEST...: it has the tiny guest as its firmware, and two CPUs
tiny()
{
	sed -i 's/^vcpus = .*/vcpus = 2/' "$TMP/$1.cfg"
	tiny_firmware "$@" >>"$TMP/$1.cfg"
}

# letters FILE TEXT: what the boot sector shall do there, a letter a boot
letters()
{
	dd if="$PAYLOAD/cycle.bin" of="$1" conv=notrunc status=none
	printf '%s' "$2" | dd of="$1" bs=512 seek=1 conv=notrunc,sync status=none
}

serial_says()
{
	[ "$(tr -dc 'a-zA-Z:\n' <"$TMP/$1.serial" | grep -c "^boot:$2")" -ge 1 ]
}

connected()
{
	state_is "$(xl domid "$1")" "$2" 4
}

loops()
{
	losetup -a | grep -F "$FILES"
}

# Nodes of the module and its users.
nodes()
{
	xenstore-ls -f | grep "ioemu/" | sort
}

# The suites before this one may have left some.
new_nodes()
{
	nodes | comm -23 - "$TMP/nodes"
}

nothing_left()
{
	wait_for_no 20 new_nodes
	wait_for_no 20 loops
	wait_for 20 disk_free "$DISK"
	expect_no_leaks
}

# refused NAME TEXT: the domain is not created, and its log says why.
refused()
{
	! xl create -p "$TMP/$1.cfg" || fail "$1 was created"
	grep -F "$2" "/var/log/xen/qemu-dm-$1.log" || {
		cat "/var/log/xen/qemu-dm-$1.log"
		return 1
	}
	! xl domid "$1" 2>/dev/null
}

t_created_paused_and_destroyed()
{
	local domid loop

	config one "nvme,params=$FILES/a,serial=FILE" "nvme,params=$DISK,mode=r" \
		"nvme,params=$FILES/b,controller=3,slot=9"
	xl create -p "$TMP/one.cfg"
	domid=$(xl domid one)
	connected one 0
	connected one 3
	expect_eq "$(xenstore-read "$(backend_path "$domid" 0)/disk/0/serial")" FILE
	expect_eq "$(xenstore-read "$(backend_path "$domid" 0)/disk/1/params")" "$DISK"
	expect_eq "$(xenstore-read "$(backend_path "$domid" 0)/disk/1/mode")" r
	expect_eq "$(xenstore-read "$(backend_path "$domid" 3)/slot")" 9
	loop=$(losetup -n -O NAME -j "$FILES/a")
	expect_eq "$(losetup -n -O DIO,AUTOCLEAR "$loop" | tr -d ' ')" 11 "direct I/O, autoclear"
	# It has become the real one, which knows nothing of the disks.
	tr '\0' ' ' <"/proc/$(xenstore-read "/local/domain/$domid/image/device-model-pid")/cmdline" >"$TMP/cmdline"
	grep -q '^/usr/libexec/xen-qemu-system-i386 .*-xen-domid' "$TMP/cmdline"
	! grep nvme "$TMP/cmdline" || return 1
	destroy_domain one
	nothing_left
}

# Every time, the domain gets all disks, in their order: it boots from the first.
t_boots_reboots_and_turns_itself_off()
{
	local disks=("nvme,params=$FILES/a" "nvme,params=$DISK,mode=r") f first

	for f in b c d e f g h; do
		disks+=("nvme,params=$FILES/$f")
	done
	letters "$FILES/a" RO
	config cycle "${disks[@]}"
	xl create "$TMP/cycle.cfg"
	first=$(xl domid cycle)
	has_disks "$first" 9
	wait_for 60 serial_says cycle R
	wait_for 60 next_has_disks "$first" 9
	wait_for 90 serial_says cycle O
	wait_for 20 domain_gone cycle
	head -c 4 <(tail -c +513 "$FILES/a") | grep -q xx
	nothing_left
}

# has_disks DOMID N: so many are open in the driver.
has_disks()
{
	[ "$(find /sys/bus/xen-backend/devices/ioemu-"$1"-*/ -maxdepth 1 -name 'disk*' | wc -l)" = "$2" ]
}

# The domain that follows has a number of its own.
next_has_disks()
{
	local domid

	domid=$(xl domid cycle) && [ "$domid" -gt "$1" ] && has_disks "$domid" "$2"
}

# disks NUMBER...: those that the guest's controller has, as the driver sees it
expect_disks()
{
	expect_eq "$(cd "/sys/bus/xen-backend/devices/ioemu-$(xl domid one)-0" && echo disk*)" "$*"
}

t_tool_changes_disks()
{
	local loop other numbers

	config one "nvme,params=$FILES/a,iops-limit=5k"
	xl create -p "$TMP/one.cfg"
	expect_eq "$("$TOOL" limit one 0 0 | tr '\n' ' ')" "iops-limit 5120 bw-limit 0 "
	"$TOOL" attach-disk one 0 --disk "params=$FILES/b"
	# A device with the name of a loop device is not one.
	loop=$(losetup -n -O NAME -j "$FILES/a")
	other=$FILES/${loop##*/}
	read -ra numbers < <(stat -c '0x%t 0x%T' "$DISK")
	mknod "$other" b "${numbers[@]}"
	"$TOOL" attach-disk one 0 --index 7 --disk "params=$other"
	expect_disks disk0 disk1 disk7
	"$TOOL" list one | grep -q "disk 7: $other mode w"
	! "$TOOL" resize one 0 7 20M 2>"$TMP/refused" || fail "a stranger's file is resized"
	grep -q "change it with its own tool" "$TMP/refused"
	expect_eq "$(stat -c %s "$FILES/a")" $((16 << 20))
	! "$TOOL" attach-disk one 0 --disk "params=$DISK" 2>"$TMP/refused" ||
		fail "a disk is taken twice"
	grep -q "the driver refused the disk: .* is in use" "$TMP/refused"
	"$TOOL" resize one 0 1 20M
	"$TOOL" limit one 0 7 --bw 1M
	"$TOOL" show one 0 | grep -A 8 "^disk 1" | grep -q "bytes: 20971520"
	"$TOOL" stats --openmetrics one | grep -q '^xen_ioemu_reads_total{domid="[0-9]*",domain="one",devid="0",disk="7"} 0'
	"$TOOL" stats --json one | grep -q '"disk": 7,'
	"$TOOL" top --count 1 --interval 1 one 0 7 | grep -q ' one '
	"$TOOL" histogram one 0 0
	timeout 1 "$TOOL" trace one || [ $? = 124 ]
	[ -z "$(ls /sys/kernel/tracing/instances)" ]
	"$TOOL" detach-disk one 0 1
	"$TOOL" detach-disk one 0 7
	expect_disks disk0
	disk_free "$DISK"
	! losetup -a | grep -F "$FILES/b" || fail "its loop device is left"
	"$TOOL" check | grep '^error' | grep -v "installed for kernel" && return 1
	destroy_domain one
	nothing_left
}

# The device model keeps the loop device, also that of a disk which is removed.
t_file_outlasts_the_driver()
{
	local driver=/sys/bus/xen-backend/drivers/xen_ioemu dev loop

	config one "nvme,params=$FILES/a"
	xl create -p "$TMP/one.cfg"
	dev=ioemu-$(xl domid one)-0
	loop=$(losetup -n -O NAME -j "$FILES/a")
	echo "$dev" >$driver/unbind
	disk_free "$loop"
	echo "$dev" >$driver/bind
	wait_for 20 connected one 0
	"$TOOL" attach-disk one 0 --disk "params=$DISK"
	"$TOOL" detach-disk one 0 0
	"$TOOL" attach-disk one 0 --index 0 --disk "params=$FILES/a"
	expect_eq "$(losetup -n -O NAME -j "$FILES/a")" "$loop"
	"$TOOL" detach-disk one 0 0
	"$TOOL" attach-disk one 0 --index 0 --disk "params=$FILES/a,mode=r"
	expect_eq "$(losetup -n -O NAME -j "$FILES/a")" "$loop"
	destroy_domain one
	nothing_left
}

# By its own word, which is reason 3 to xl.
t_crashes()
{
	config crash "nvme,params=$FILES/a"
	tiny crash hostile_end.crash
	xl create "$TMP/crash.cfg"
	wait_for 60 grep -q "shut down, reason code 3 " /var/log/xen/xl-crash.log
	wait_for 20 domain_gone crash
	nothing_left
}

t_triple_faults()
{
	letters "$FILES/a" C
	config crash "nvme,params=$FILES/a"
	# To Xen a triple fault is a reset; another domain would follow.
	sed -i 's/^on_reboot = .*/on_reboot = "destroy"/' "$TMP/crash.cfg"
	xl create "$TMP/crash.cfg"
	wait_for 60 serial_says crash C
	wait_for 20 domain_gone crash
	nothing_left
}

t_two_at_once_and_no_file_twice()
{
	local first second

	config first "nvme,params=$FILES/a"
	config second "nvme,params=$FILES/b"
	xl create -p "$TMP/first.cfg" &
	first=$!
	xl create -p "$TMP/second.cfg" &
	second=$!
	wait $first
	wait $second
	connected first 0
	connected second 0
	! "$TOOL" attach second --disk "params=$FILES/a" 2>"$TMP/refused" ||
		fail "a file is used by two"
	grep -q "a file must not be used by two" "$TMP/refused"
	destroy_domain first
	connected second 0
	destroy_domain second
	nothing_left
}

# xen-blkback does not open it for itself alone, and the driver would not notice.
t_no_disk_of_another_back_end()
{
	config one "nvme,params=$FILES/a"
	sed -i -e "s|^device_model_args.*|disk = [ \"phy:$DISK,xvda,w\" ]|" \
		-e "s|$DM|/usr/libexec/xen-qemu-system-i386|" "$TMP/one.cfg"
	xl create -p "$TMP/one.cfg"
	disk_free "$DISK" || fail "somebody else would notice"
	config second "nvme,params=$DISK,mode=r"
	refused second "params='$DISK' is a disk of domain $(xl domid one) (one) already"
	destroy_domain one
	nothing_left
}

waits_for_driver()
{
	new_nodes | grep -q '/state = "1"'
}

# Nothing of it can tidy up, and there is no driver to do it; nor does xenbus give the
# driver a device whose domain is gone. The tool tells of it.
t_killed_while_it_waits_for_a_driver()
{
	local domid xl dm

	config one "nvme,params=$FILES/a" "nvme,params=$DISK,controller=1"
	module_unload
	xl create "$TMP/one.cfg" &
	xl=$!
	wait_for 30 waits_for_driver
	domid=$(xl domid one)
	dm=$(grep -lx ioemu-dm /proc/[0-9]*/comm)
	kill -KILL "$(cut -d / -f 3 <<<"$dm")"
	! wait $xl || fail "it was created"
	! xl domid one 2>/dev/null || fail "the domain is left"
	wait_for_no 20 loops
	disk_free "$DISK"
	module_load
	{ "$TOOL" check || :; } | grep "left of domains.* $domid"
	"$TOOL" detach --force "$domid" 0
	nothing_left
}

t_what_is_wrong_is_said()
{
	config missing "nvme,params=$FILES/a" "nvme,params=/dev/nowhere"
	refused missing "params='/dev/nowhere': No such file"
	config slot "nvme,params=$FILES/a,slot=16" "nvme,params=$FILES/b,controller=1,slot=16"
	refused slot "has a device in slot 16 already"
	nothing_left
}

no_domains()
{
	local d

	for d in one cycle crash first second missing slot; do
		xl destroy "$d" 2>/dev/null
	done
}

after_failure()
{
	no_domains
	module_load
}

nodes >"$TMP/nodes"
module_load
"$LAB/announce" "Triple fault - invoking HVM shutdown"	# the crash
DISK=$(make_disk xl 16)
mkdir -p "$FILES"
truncate -s 16M "$FILES"/{a..h}
run_tests
rc=$?
no_domains
module_unload
remove_disk xl
rm -r "$FILES"
exit $rc
