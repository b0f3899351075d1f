#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Verified load for SECONDS (the argument): a Linux guest with fio on three disks
# at all sizes and depths, and ext4 on a fourth; a tiny guest that verifies; one
# that attacks with random accesses, anew each time. Meanwhile the Linux guest's
# controller is reset, and its fifth disk grows and shrinks. In the end, the guest
# and dom0 read the same.
#
# Not one of the suites that run by themselves: it is as long as one likes.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=soak
RUN_SECONDS=${1:-60}

if [ "${1-}" = attach ]; then
	"$TOOL" attach --slot 16 --disk "params=$PREY" "$2" >/dev/null
	exit
fi

setup()
{
	module_load
	modprobe -a dm_mod loop
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: ' \
		'\(XEN\) domain_crash called from arch/x86/hvm/emulate\.c' \
		'\(XEN\) Domain [0-9]+ \(vcpu#[0-9]+\) crashed'
	A=$(make_disk a 48 discard=1)
	B=$(make_disk b 48 blocksize=4096)
	C=$(make_loop c 48)
	FS=$(make_disk fs 64)
	UNDER=$(make_disk under 64)
	OTHER=$(make_disk other 32)
	PREY=$(make_disk prey 32 irqmode=2 completion_nsec=1000000)
	export PREY
	dmsetup create soak --table "0 65536 linear $UNDER 0"
	OTHER_ID=$(SERIAL=file:$TMP/victim.serial paused_domain victim 1 victim)
	"$TOOL" attach --slot 16 --disk "params=$OTHER" victim >/dev/null
	xl unpause victim
	"$LAB/guest-start" --tools --vcpus 2 --modules nvme,ext4 --timeout 300 \
		--paused $GUEST
	DOMID=$(xl domid $GUEST)
	"$TOOL" attach --slot 16 --disk "params=$A" --disk "params=$B" \
		--disk "params=$C" --disk "params=$FS" \
		--disk params=/dev/mapper/soak $GUEST
	"$LAB/guest-unpause" $GUEST
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	dmsetup remove soak
	remove_loop c
	for name in a b fs under other prey; do
		remove_disk $name
	done
	module_unload
}

# In the guest, until it is told to stop: each round of fio verifies what it wrote.
start_load()
{
	g 'rm -f /run/stop
		mkfs.ext4 -q /dev/nvme0n4
		mount -t ext4 /dev/nvme0n4 /mnt
		(n=0
		while [ ! -e /run/stop ]; do
			n=$((n + 1))
			fio_verify --bssplit=512/5:4k/40:8k/20:16k/15:60k/10:128k/10 \
				--iodepth=$((1 << n % 7)) --randseed=$n --size=3m \
				--name=n1 --filename=/dev/nvme0n1 \
				--name=n3 --filename=/dev/nvme0n3 \
				--name=n2 --filename=/dev/nvme0n2 \
				--bssplit=4k/60:64k/30:512k/10 || { echo failed >/run/bad; break; }
			echo $n >/run/rounds
		done) </dev/null >/run/fio.log 2>&1 &
		(n=0
		while [ ! -e /run/stop ]; do
			n=$((n + 1))
			rm -rf /mnt/copy
			cp -r /tools /mnt/copy
			sync
			echo 3 >/proc/sys/vm/drop_caches
			diff -r /tools /mnt/copy || { echo failed >/run/bad; break; }
			echo $n >/run/copies
		done) </dev/null >/run/copy.log 2>&1 &'
}

t_load_verifies_while_everything_changes()
{
	local end=$((SECONDS + RUN_SECONDS)) n=0 attacks=0 seed

	start_load
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		g '[ ! -e /run/bad ] || { cat /run/fio.log /run/copy.log; exit 1; }
			echo 1 >/sys/class/nvme/nvme0/reset_controller
			until_true 60 live'
		dm_table soak "0 $((65536 + n % 5 * 8192)) linear $UNDER 0"
		seed=$((RANDOM + 1))
		"$PAYLOAD/tiny-run" -c 2 -n attacker -t 120 \
			-k "$PAYLOAD/vm/soak.sh attach" hostile_fuzz seed=$seed \
			seconds=8 >"$TMP/attack" || {
			cat "$TMP/attack"
			return 1
		}
		attacks=$((attacks + 1))
		! grep -aq '^not ok\|^Bail out' "$TMP/victim.serial"
		xl list victim >/dev/null
	done
	g -t 300 'touch /run/stop
		mark
		until_true 240 "! pgrep fio >/dev/null && ! pgrep -f drop_caches >/dev/null"
		[ ! -e /run/bad ] || { cat /run/fio.log /run/copy.log; exit 1; }
		echo $(cat /run/rounds) $(cat /run/copies)'
	note "$n resets and resizes, $attacks attacks; rounds of fio and of copies:" \
		"$(tail -n 1 "$TMP/found")"
}

t_guest_and_dom0_read_the_same()
{
	g -t 100 'umount /mnt || :
		e2fsck -fn /dev/nvme0n4
		for n in 1 2 3; do
			dd if=/dev/nvme0n$n iflag=direct bs=1M count=9 2>/dev/null | md5sum
		done'
	for d in "$A" "$B" "$C"; do
		dd if="$d" iflag=direct bs=1M count=9 status=none | md5sum
	done >"$TMP/sums"
	diff <(tail -n 3 "$TMP/found") "$TMP/sums"
	wait_for 10 accounts_balance
}

t_nothing_is_left()
{
	"$LAB/guest-stop" $GUEST
	destroy_domain victim
	wait_for 30 domain_gone $GUEST
	expect_no_leaks
}

setup >"$TMP/setup" 2>&1 || {
	cat "$TMP/setup"
	echo "Bail out! no guests"
	exit 1
}
run_tests
rc=$?
teardown >/dev/null 2>&1
exit $rc
