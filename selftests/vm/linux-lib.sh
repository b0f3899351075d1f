# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What suites with a Linux guest share; sourced after lib.sh. $GUEST is its name.

# What commands in the guest may use. A machine that is emulated does a few hundred
# requests a second, hence the sizes.
G_LIB='
fio_verify() {	# random data, then back; others at the same time
	fio --thread --ioengine=libaio --direct=1 --iodepth=32 --rw=randwrite \
		--verify=xxhash --verify_fatal=1 --do_verify=1 --group_reporting \
		--minimal "$@" >/tmp/fio.out 2>&1 || { cat /tmp/fio.out; return 1; }
}
mixed="--bssplit=4k/60:8k/20:16k/10:60k/10 --size=1m"
large="--bssplit=128k/70:256k/20:512k/10 --offset=1m --size=3m"
on() {		# jobs of fio, one for each namespace
	for n; do echo "--name=n$n --filename=/dev/nvme0n$n"; done
}
until_true() {	# SECONDS COMMAND
	n=$(($1 * 5 * PATIENCE))
	shift
	until eval "$*"; do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "timeout: $*"; since | tail -n 20; return 1; }
		sleep 0.2
	done
}
mark() { dmesg | wc -l >/run/mark; }
since() { dmesg | tail -n "+$(($(cat /run/mark) + 1))"; }
reads() { awk "{ print \$1 }" /sys/block/nvme0n$1/stat; }
writes() { awk "{ print \$5 }" /sys/block/nvme0n$1/stat; }
fails() {
	! "$@" || { echo "should have failed: $*"; return 1; }
}
live() { [ "$(cat /sys/class/nvme/nvme0/state)" = live ]; }
set -e
'

# Run shell commands in the guest; the first that fails ends them. What they print
# is also left in $TMP/found.
g()
{
	local limit=120

	if [ "$1" = -t ]; then
		limit=$2
		shift 2
	fi
	"$LAB/guest-exec" --timeout $((limit * PATIENCE)) $GUEST ". /run/lib
		$1" | tr -d '\r' | tee "$TMP/found"
	return "${PIPESTATUS[0]}"
}

# dm_table NAME LINE...: let the device be this, without a moment without a table.
dm_table()
{
	local name=$1

	shift
	printf '%s\n' "$@" >"$TMP/table"
	dmsetup suspend --nolockfs --noflush "$name"
	dmsetup load "$name" "$TMP/table"
	dmsetup resume "$name"
}

# Every command of the I/O queues was completed, once; $DOMID is the guest's. One
# completion queue has one submission queue in Linux.
accounts_balance()
{
	local file=/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0

	awk '/^sq[1-9]/ { for (i = 1; i <= NF; i++) {
				if ($i == "commands") commands[substr($1, 3)] = $(i + 1)
				if ($i == "in_flight") flying += $(i + 1) } }
		/^cq[1-9]/ { for (i = 1; i <= NF; i++)
				if ($i == "posted") posted[substr($1, 3)] = $(i + 1) }
		END { for (q in commands) {
				n++
				bad += commands[q] != posted[q] }
			exit !n || flying || bad }' "$file" || {
		cat "$file"
		return 1
	}
}

# sums_match MIB|all NSID...: guest and dom0 read the same there, and not twice. The
# suite's disk() says which disk a namespace is.
sums_match()
{
	local guest n count=()

	[ "$1" = all ] || count=("count=$1")
	shift
	guest=$(g -t 300 "for n in $*; do
		dd if=/dev/nvme0n\$n iflag=direct bs=1M ${count[*]} 2>/dev/null | md5sum
	done")
	for n; do
		dd if="$(disk "$n")" iflag=direct bs=1M "${count[@]}" status=none | md5sum
	done >"$TMP/sums"
	diff <(echo "$guest") "$TMP/sums" || fail "data differs (guest: <, dom0: >)"
	! sort "$TMP/sums" | uniq -d | grep . || fail "all the same: nothing was written"
}

# Commands, doorbells and interrupts of controller 0: as counted for good, and as the
# queues that there are know them. $DOMID is the guest's.
exits_counted()
{
	awk '{ printf "%s ", $2 } END { print "" }' "/sys/bus/xen-backend/devices/ioemu-$DOMID-0/controller/stat"
}
exits_of_queues()
{
	awk '/^[sc]q[0-9]/ { for (i = 2; i < NF; i++) sum[$i] += $(i + 1) }
		END { print sum["commands"], sum["doorbells"], sum["interrupts"] }' \
		"/sys/kernel/debug/xen-ioemu/$DOMID/nvme-0"
}

# A Linux guest of this name that is built but does not run yet: build_guest
# [OPTION of guest-start]... NAME
build_guest()
{
	"$LAB/guest-start" --tools --vcpus 2 --timeout $((300 * PATIENCE)) --paused "$@"
}

# What g needs in a guest that runs: give_library NAME. Once: the console is slow.
give_library()
{
	"$LAB/guest-exec" "$1" "cat >/run/lib <<'END'
PATIENCE=$PATIENCE$G_LIB
END"
}

# Let that guest run: unpause_guest NAME
unpause_guest()
{
	"$LAB/guest-unpause" "$1"
	give_library "$1"
}

# The suite from setup() to teardown(), and its end.
run_suite()
{
	local rc

	setup >"$TMP/setup" 2>&1 || {
		cat "$TMP/setup"
		echo "Bail out! no guest"
		exit 1
	}
	run_tests
	rc=$?
	teardown >/dev/null 2>&1
	exit $rc
}
