#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tool says of a guest that works, and what it changes there, against what
# dom0 itself knows. The guest is the tiny one, which reads and writes all the time.
# Other programs (tools.py) read what is meant for programs.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

GUEST=tools
FILE=/var/tmp/tools.img

setup()
{
	module_load
	DISK=$(make_disk tools 64)
	truncate -s 16M $FILE
	DOMID=$(paused_domain $GUEST 1 load)
	"$TOOL" attach --slot 16 --serial CTRL --disk "params=$DISK,serial=LOADED" \
		--disk "params=$FILE,mode=r" $GUEST
	xl unpause $GUEST
	wait_for 30 works_on 200
}

teardown()
{
	destroy_domain $GUEST
	module_unload
	remove_disk tools
	rm $FILE
}

# The number in the disk's statistics: counter DISK NAME
counter()
{
	awk -v name="$2" '$1 == name { print $2 }' \
		"/sys/bus/xen-backend/devices/ioemu-$DOMID-0/disk$1/stat"
}

works_on()
{
	[ "$(counter 0 reads)" -gt "$1" ]
}

t_list_shows_what_was_attached()
{
	"$TOOL" list $GUEST >"$TMP/list"
	cat "$TMP/list"
	grep -Eq "^ *$DOMID $GUEST +0 nvme +16 +Connected serial CTRL$" "$TMP/list"
	grep -Fq "disk 0: $DISK mode w serial LOADED" "$TMP/list"
	grep -Eq "disk 1: /dev/loop[0-9]+ \(.+\) mode r$" "$TMP/list"
	"$TOOL" list --json >"$TMP/list.json"
}

t_show_knows_sizes_and_counts()
{
	local before

	before=$(counter 0 reads)
	"$TOOL" show $GUEST 0 >"$TMP/show"
	"$TOOL" show --json $GUEST 0 >"$TMP/show.json"
	cat "$TMP/show"
	sed -n '/^disk 0/,/^disk 1/p' "$TMP/show" >"$TMP/disk0"
	grep -qx "  bytes: $(blockdev --getsize64 "$DISK")" "$TMP/disk0"
	[ "$(sed -n 's/^  reads: //p' "$TMP/disk0")" -ge "$before" ]
	[ "$(sed -n 's/^  reads: //p' "$TMP/disk0")" -le "$(counter 0 reads)" ]
	sed -n '/^disk 1/,$p' "$TMP/show" >"$TMP/disk1"
	grep -qx "  file: $FILE" "$TMP/disk1"
	grep -qx "  bytes: $((16 << 20))" "$TMP/disk1"
}

t_stats_are_the_drivers()
{
	local name value

	"$TOOL" stats --json $GUEST >"$TMP/stats.json"
	"$TOOL" stats --openmetrics >"$TMP/stats.om"
	# The second disk stands still.
	"$TOOL" stats $GUEST 0 1 >"$TMP/stats"
	while read -r name value; do
		grep -Eqx "  $name +$value" "$TMP/stats" || fail "$name: not $value"
	done <"/sys/bus/xen-backend/devices/ioemu-$DOMID-0/disk1/stat"
}

t_top_shows_the_rates_there_are()
{
	local before after start seconds rate

	before=$(counter 0 reads)
	start=${EPOCHREALTIME/./}
	"$TOOL" top --interval 2 --count 1 --json $GUEST 0 0 >"$TMP/top.json"
	after=$(counter 0 reads)
	seconds=$((${EPOCHREALTIME/./} - start))
	rate=$(sed -n 's/.*"reads-per-second": \([0-9]*\).*/\1/p' "$TMP/top.json")
	note "$rate reads a second, $(((after - before) * 1000000 / seconds)) measured from outside"
	# Starting it takes time too, in which the guest reads on.
	[ "$rate" -gt 0 ]
	[ $((rate * 2)) -gt $(((after - before) * 1000000 / seconds)) ]
	[ "$rate" -lt $(((after - before) * 2000000 / seconds)) ]
	"$TOOL" top --interval 1 --count 2 >"$TMP/top"
	expect_eq "$(grep -c '^DOMID' "$TMP/top")" 2 "looks"
	expect_eq "$(grep -c " $GUEST " "$TMP/top")" 4 "lines"
}

t_histogram_is_drawn()
{
	"$TOOL" histogram $GUEST 0 0 >"$TMP/histogram"
	cat "$TMP/histogram"
	grep -q '^disk: 50% within ' "$TMP/histogram"
	grep -q '#####' "$TMP/histogram"
	"$TOOL" histogram --json $GUEST 0 0 >"$TMP/histogram.json"
	"$TOOL" histogram --svg $GUEST 0 0 >"$TMP/histogram.svg"
	expect_eq "$("$TOOL" histogram $GUEST 0 1)" "no request yet"
}

t_trace_shows_this_guests_commands()
{
	local trace

	"$TOOL" trace $GUEST >"$TMP/trace" &
	trace=$!
	wait_for 30 test -s "$TMP/trace"
	sleep 1
	kill -TERM $trace
	wait $trace
	note "$(wc -l <"$TMP/trace") lines"
	"$TOOL" trace --json $GUEST >"$TMP/trace.json" &
	trace=$!
	wait_for 30 test -s "$TMP/trace.json"
	kill -TERM $trace
	wait $trace
	grep -q " ioemu_nvme_complete: domid=$DOMID slot=16 qid=1 " "$TMP/trace"
	! grep -v " domid=$DOMID " "$TMP/trace" | grep domid= || fail "others' commands"
	expect_eq "$(ls /sys/kernel/tracing/instances)" "" "instances left"
	# Nobody reads: it ends by itself.
	timeout $((20 * PATIENCE)) "$TOOL" trace | head -n 1 >/dev/null
	expect_eq "${PIPESTATUS[0]}" 1 "status of a trace that nobody reads"
	expect_eq "$(ls /sys/kernel/tracing/instances)" "" "instances left"
}

t_limit_holds()
{
	local before start

	expect_eq "$("$TOOL" limit $GUEST 0 0 | tr '\n' ' ')" "iops-limit 0 bw-limit 0 "
	"$TOOL" limit --iops 20 $GUEST 0 0
	"$TOOL" limit --json $GUEST 0 0 >"$TMP/limit.json"
	# What may go at once has gone.
	sleep 2
	before=$(($(counter 0 reads) + $(counter 0 writes)))
	start=${EPOCHREALTIME/./}
	sleep 3
	before=$((($(counter 0 reads) + $(counter 0 writes) - before) * 1000000 /
		(${EPOCHREALTIME/./} - start)))
	note "$before I/Os a second of 20"
	[ $before -ge 15 ]
	[ $before -le 25 ]
	[ "$(counter 0 throttled)" -gt 0 ]
	"$TOOL" limit --iops 0 $GUEST 0 0
	wait_for 10 works_on $(($(counter 0 reads) + 200))
}

t_file_gets_another_size()
{
	local loop

	loop=$(xenstore-read "$(backend_path "$DOMID" 0)/disk/1/params")
	expect_eq "$("$TOOL" resize $GUEST 0 1 24M)" \
		"domain $DOMID: device 0 disk 1 has $((24 << 20)) bytes"
	expect_eq "$(blockdev --getsize64 "$loop")" $((24 << 20))
	! "$TOOL" resize $GUEST 0 1 8M 2>"$TMP/refused" || fail "it became smaller"
	grep -q -- "--shrink allows it" "$TMP/refused"
	expect_eq "$(stat -c %s $FILE)" $((24 << 20))
	! "$TOOL" resize $GUEST 0 0 128M 2>"$TMP/refused" || fail "a device was resized"
	grep -q "its own tool" "$TMP/refused"
	truncate -s 32M $FILE
	"$TOOL" resize $GUEST 0 1
	expect_eq "$(blockdev --getsize64 "$loop")" $((32 << 20))
}

t_library_serves_other_toolstacks()
{
	local one two before reads

	one=$(make_disk library1 16)
	two=$(make_disk library2 16)
	before=$(counter 0 reads)
	reads=$("$PAYLOAD/library" $GUEST "params=$one" "params=$two,mode=r")
	note "$before, $reads, $(counter 0 reads) reads"
	[ "$reads" -ge "$before" ]
	[ "$reads" -le "$(counter 0 reads)" ]
	expect_eq "$("$TOOL" list $GUEST | grep -c ' nvme ')" 1 "controllers"
	disk_free "$one"
	disk_free "$two"
	remove_disk library1
	remove_disk library2
}

t_check_finds_this_host_able()
{
	# All but that the module is installed, which it is not here.
	"$TOOL" check >"$TMP/check" || :
	cat "$TMP/check"
	! grep '^error' "$TMP/check" | grep -v "installed for kernel" ||
		fail "it finds an error"
	"$TOOL" check --json >"$TMP/check.json" || :
}

t_other_programs_read_the_output()
{
	if ! python3 -c 'import prometheus_client.openmetrics.parser'; then
		echo "no python3-prometheus-client"
		return 4
	fi
	python3 "$PAYLOAD/vm/tools.py" "$TMP" "$DOMID" $GUEST >"$TMP/read"
	sed 's/^/# /' "$TMP/read"
}

setup >"$TMP/setup" 2>&1 || {
	cat "$TMP/setup"
	echo "Bail out! no guest that works"
	exit 1
}
run_tests
rc=$?
teardown >/dev/null 2>&1
exit $rc
