# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the suites share: TAP, null_blk disks, back-end nodes, leak checks.
# Sourced by a suite that runs in dom0 with the payload as working directory.

LAB=${LAB:-/usr/lib/lab}
PAYLOAD=${PAYLOAD:-$PWD}
TOOL=$PAYLOAD/xen-ioemu
# Where the packages are installed, theirs.
MODULE=$(modinfo -n xen-ioemu 2>/dev/null) || MODULE=$PAYLOAD/xen-ioemu.ko
TMP=$(mktemp -d /tmp/ioemu.XXXXXX)

# How many times as long everything may take. A kernel that checks all it does
# takes some times as long; a machine that is busy is told by the environment.
PATIENCE=${PATIENCE:-1}
case $(uname -r) in *-ioemu-*) PATIENCE=$((PATIENCE * 6)) ;; esac

# ---- TAP -------------------------------------------------------------------

# Run every function named t_* of the suite, in the order of their definition.
# Each runs in a subshell with "set -e"; what it prints is shown if it fails, and
# after_failure() is called, where the suite has one.
run_tests()
{
	local names n=0 failed=0 start rc

	# Where a status is looked at, bash lets no command end a test.
	(
		set -e
		false
		true
	)
	if [ $? -eq 0 ]; then
		echo "Bail out! run_tests is part of a condition"
		exit 1
	fi
	names=$(sed -n 's/^\(t_[a-z0-9_]*\)()$/\1/p' "$0")
	echo "TAP version 13"
	echo "1..$(wc -w <<<"$names")"
	for name in $names; do
		n=$((n + 1))
		start=$SECONDS
		(
			set -e
			"$name"
		) >"$TMP/log" 2>&1
		rc=$?
		if [ $rc -eq 0 ]; then
			grep '^# ' "$TMP/log"
			echo "ok $n - ${name#t_} # $((SECONDS - start)) s"
		elif [ $rc -eq 4 ]; then
			echo "ok $n - ${name#t_} # SKIP $(tail -n 1 "$TMP/log")"
		else
			sed 's/^/# /' "$TMP/log"
			echo "not ok $n - ${name#t_} # status $rc, $((SECONDS - start)) s"
			failed=1
			# So that it is the only one that fails.
			! declare -F after_failure >/dev/null || after_failure >/dev/null 2>&1
		fi
	done
	[ $failed -eq 0 ]
}

fail()
{
	echo "failed: $*"
	return 1
}

# A line that is shown also when the test passes.
note()
{
	echo "# $*"
}

expect_eq()
{
	[ "$1" = "$2" ] || fail "${3:-value}: got '$1', expected '$2'"
}

# Wait until a command succeeds: wait_for SECONDS COMMAND...
wait_for()
{
	local end=$((SECONDS + $1 * PATIENCE))

	shift
	until "$@"; do
		if [ $SECONDS -ge $end ]; then
			fail "timeout: $*"
			return
		fi
		sleep 0.1
	done
}

silent()
{
	[ -z "$("$@")" ]
}

# Wait until a command, which lists what should go, prints nothing: wait_for_no SECONDS
# COMMAND...
wait_for_no()
{
	wait_for "$1" silent "${@:2}" || fail "left: $("${@:2}")"
}

# ---- the module ------------------------------------------------------------

module_load()
{
	grep -q '^xen_ioemu ' /proc/modules || insmod "$MODULE"
}

# Loose what is bound, then remove the module.
module_unload()
{
	local d

	for d in /sys/bus/xen-backend/drivers/xen_ioemu/ioemu-*; do
		[ -e "$d" ] || continue
		basename "$d" >/sys/bus/xen-backend/drivers/xen_ioemu/unbind
	done
	rmmod xen_ioemu
}

# ---- disks -----------------------------------------------------------------

# make_disk NAME SIZE_MB [ATTRIBUTE=VALUE...]: a null_blk disk that remembers
# what is written; prints its device.
make_disk()
{
	local dir=/sys/kernel/config/nullb/$1 attr

	modprobe null_blk nr_devices=0
	mkdir "$dir"
	echo "$2" >"$dir/size"
	echo 1 >"$dir/memory_backed"
	# By default a part of its requests end when somebody looks, at any time.
	echo 0 >"$dir/poll_queues"
	shift 2
	for attr in "$@"; do
		echo "${attr#*=}" >"$dir/${attr%%=*}"
	done
	echo 1 >"$dir/power"
	udevadm settle 2>/dev/null || :
	# Newer kernels name the disk after its directory.
	if [ -b "/dev/${dir##*/}" ]; then
		echo "/dev/${dir##*/}"
	else
		echo "/dev/nullb$(cat "$dir/index")"
	fi
}

remove_disk()
{
	local dir=/sys/kernel/config/nullb/$1

	[ -d "$dir" ] || return 0
	echo 0 >"$dir/power"
	rmdir "$dir"
}

# make_loop NAME SIZE_MB [OPTION...]: a loop device on a file in memory, of which
# blocks may be of any size; prints its device.
make_loop()
{
	local file=/tmp/loop-$1.img

	truncate -s "$2M" "$file"
	shift 2
	losetup --find --show "$@" "$file"
}

# remove_loop NAME
remove_loop()
{
	losetup -j "/tmp/loop-$1.img" | cut -d: -f1 | xargs -r losetup -d
	rm -f "/tmp/loop-$1.img"
}

# Nobody holds the device: it can be opened exclusively.
disk_free()
{
	"$PAYLOAD/excl" "$1"
}

# ---- domains and nodes -----------------------------------------------------

# tiny_firmware NAME [TEST...]: the lines of such a guest's configuration.
tiny_firmware()
{
	echo "console=serial ${*:2}" >"$TMP/$1.args"
	cat <<-END
	firmware_override = "$PAYLOAD/tiny.elf"
	bios_path_override = "$TMP/$1.args"
	END
}

# paused_domain NAME [VCPUS [TEST...]]: a tiny guest that is built but does not
# run yet; prints its number. Its text goes to what SERIAL names, in xl's words.
paused_domain()
{
	local name=$1 vcpus=${2:-1}

	shift $(($# < 2 ? $# : 2))
	cat >"$TMP/$name.cfg" <<-END
	name = "$name"
	type = "hvm"
	memory = 32
	vcpus = $vcpus
	$(tiny_firmware "$name" "$@")
	device_model_override = "/usr/libexec/xen-qemu-system-i386"
	vga = "none"
	serial = "${SERIAL:-null}"
	on_poweroff = "destroy"
	on_reboot = "destroy"
	on_crash = "destroy"
	END
	xl create -p "$TMP/$name.cfg" >/dev/null
	xl domid "$name"
}

destroy_domain()
{
	xl destroy "$1" 2>/dev/null || :
	wait_for 20 domain_gone "$1"
}

# Also not a zombie whose pages are still mapped: that would be called (null).
domain_gone()
{
	! xl list | grep -Eq "^(\\(null\\)|$1) "
}

# said NAME: what such a guest said to its serial console, a file $TMP/NAME.serial;
# ends a test that failed.
said()
{
	tr -d '\r' <"$TMP/$1.serial"
	return 1
}

# guest_is_well NAME: nothing it looked at was wrong; what it said if something was.
guest_is_well()
{
	[ "$(grep -ac '^not ok\|^Bail out' "$TMP/$1.serial")" = 0 ] || said "$1"
}

# guest_resets DOMID: how often its guest has reset the controller, in RESETS. Starts no
# process.
guest_resets()
{
	local line

	read -r line <"/sys/kernel/debug/xen-ioemu/$1/nvme-0" || return
	RESETS=${line##*resets }
	RESETS=${RESETS%% *}
}

# Has it done so more often than that? guest_resets_over DOMID N
guest_resets_over()
{
	guest_resets "$1" && [ "$RESETS" -gt "$2" ]
}

# queue_commands DOMID: commands that its I/O queue has seen, in COMMANDS. Starts
# no process.
queue_commands()
{
	local file=/sys/kernel/debug/xen-ioemu/$1/nvme-0 line

	COMMANDS=0
	[ -e "$file" ] || return 0
	while read -r line; do
		[[ $line =~ ^sq1:.*\ commands\ ([0-9]+) ]] &&
			COMMANDS=${BASH_REMATCH[1]}
	done <"$file"
	return 0
}

# Has it seen more than that? queue_commands_over DOMID N
queue_commands_over()
{
	queue_commands "$1"
	[ "$COMMANDS" -gt "$2" ]
}

backend_path()
{
	echo "/local/domain/0/backend/ioemu/$1/$2"
}

# raw_attach DOMID DEVID KEY=VALUE...: write nodes as they are, good or bad.
raw_attach()
{
	local domid=$1 be fe kv args=()

	be=$(backend_path "$1" "$2")
	fe=/local/domain/$1/ioemu/$2
	shift 2
	for kv in "$@"; do
		args+=("$be/${kv%%=*}" "${kv#*=}")
	done
	# The core makes a device of it when the last of these is there.
	xenstore-write -- "$fe/backend" "$be" "$fe/backend-id" 0 "$fe/state" 1 \
		"${args[@]}" "$be/online" 1 "$be/frontend-id" "$domid" \
		"$be/state" 1 "$be/frontend" "$fe"
}

raw_detach()
{
	local be fe=/local/domain/$1/ioemu/$2

	be=$(backend_path "$1" "$2")
	xenstore-write "$fe/state" 5
	wait_for 20 state_is "$1" "$2" 6
	xenstore-rm "$be" "$fe"
}

state_is()
{
	[ "$(xenstore-read "$(backend_path "$1" "$2")/state" 2>/dev/null)" = "$3" ]
}

error_of()
{
	xenstore-read "/local/domain/0/error/backend/ioemu/$1/$2/error"
}

# ---- leaks -----------------------------------------------------------------

# What the module has in the kernel.
leaks()
{
	grep 'ioemu-' /proc/interrupts
	grep -l ioemu /proc/[0-9]*/comm 2>/dev/null | xargs -r cat 2>/dev/null | grep -v '^kworker'
	ls /sys/kernel/debug/xen-ioemu 2>/dev/null
	domain_gone /none || echo "pages of a dead domain are mapped"
}

# Nothing is left once nothing is bound, but for what goes just then: the disks are the
# first to be free.
expect_no_leaks()
{
	wait_for_no 20 leaks
}
