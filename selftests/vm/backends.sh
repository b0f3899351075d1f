#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A disk may be any block device of dom0: a thin volume, a file, an NVMe namespace
# and an NBD export across a network (here dom0's own), an encrypted device, a
# volume on top of any of these. An unmodified Linux guest has one of each, and
# does not notice which is which, not even when its data moves between them.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=linux-lib.sh
. "$(dirname "$0")/linux-lib.sh"

GUEST=backends
FILE=/var/tmp/backends.img	# on a file system with direct I/O
NQN=nqn.2014-08.org.xen-ioemu:backends
NVMET=/sys/kernel/config/nvmet
NVME_PORT=4420
NBD_PORT=10809
UUID_DISK=6b1f2c04-0000-4000-8000-000000000001
UUID_VOLUME=6b1f2c04-0000-4000-8000-000000000002
MODULES="dm_thin_pool dm_crypt dm_mirror loop nvmet_tcp nvme_tcp nbd"

# ---- LVM -------------------------------------------------------------------

lvm_setup()
{
	mkdir "$TMP/lvm"
	cat >"$TMP/lvm/lvm.conf" <<-END
	devices {
		use_devicesfile = 0
		types = [ "nullb", 16 ]
		global_filter = [ "a!^/dev/(be-pool|nullb|nbd|nvme)!", "r!.*!" ]
	}
	global { use_lvmpolld = 0 }
	activation { monitoring = 0 }
	END
	export LVM_SYSTEM_DIR=$TMP/lvm LVM_SUPPRESS_FD_WARNINGS=1
}

thin_setup()
{
	vgcreate -q thin "$POOL"
	lvcreate -q -W n -L 96M -T thin/pool -V 64M -n guest
}

# Bytes of the pool that volumes use.
pool_used()
{
	lvs --noheadings --units b --nosuffix -o lv_size,data_percent thin/pool |
		awk '{ printf "%.0f\n", $1 * $2 / 100 }'
}

# ---- NVMe over TCP ---------------------------------------------------------

# target_setup DEVICE...: namespaces from 1 up, which nobody can reach yet
target_setup()
{
	local dir=$NVMET/subsystems/$NQN n=0 d uuids=("$UUID_DISK" "$UUID_VOLUME")

	mkdir "$dir"
	echo 1 >"$dir/attr_allow_any_host"
	for d; do
		mkdir "$dir/namespaces/$((n + 1))"
		echo "$d" >"$dir/namespaces/$((n + 1))/device_path"
		echo "${uuids[n]}" >"$dir/namespaces/$((n + 1))/device_uuid"
		n=$((n + 1))
		echo 1 >"$dir/namespaces/$n/enable"
	done
	mkdir $NVMET/ports/1
	echo tcp >$NVMET/ports/1/addr_trtype
	echo ipv4 >$NVMET/ports/1/addr_adrfam
	echo 127.0.0.1 >$NVMET/ports/1/addr_traddr
	echo $NVME_PORT >$NVMET/ports/1/addr_trsvcid
}

target_on()
{
	ln -s $NVMET/subsystems/$NQN $NVMET/ports/1/subsystems/
}

target_off()
{
	rm $NVMET/ports/1/subsystems/$NQN
}

target_remove()
{
	target_off
	rmdir $NVMET/ports/1 $NVMET/subsystems/$NQN/namespaces/* $NVMET/subsystems/$NQN
}

nvme_tcp_connect()
{
	nvme connect -t tcp -a 127.0.0.1 -s $NVME_PORT -n $NQN --hostnqn="$NQN-host" \
		--nr-io-queues=1 --reconnect-delay=1 --ctrl-loss-tmo=600
	wait_for 20 nvme_by_uuid $UUID_DISK
	wait_for 20 nvme_by_uuid $UUID_VOLUME
}

# The namespace's device, whatever its name is this time.
nvme_by_uuid()
{
	local name

	# Its paths (nvme0c0n1) are not for us.
	name=$(grep -lx "$1" /sys/block/nvme*/uuid | cut -d/ -f4 | grep -v c)
	[ -b "/dev/$name" ] && echo "/dev/$name"
}

# The controller of the host side.
nvme_ctrl()
{
	dirname "$(grep -lx $NQN /sys/class/nvme/*/subsysnqn)"
}

nvme_state_is()
{
	[ "$(cat "$(nvme_ctrl)/state")" = "$1" ]
}

# ---- NBD -------------------------------------------------------------------

nbd_serve()
{
	cat >"$TMP/nbd.conf" <<-END
	[generic]
		listenaddr = 127.0.0.1
		port = $NBD_PORT
	[disk]
		exportname = $NBD_DISK
		flush = true
		fua = true
	[volume]
		exportname = $NBD_VOLUME
		flush = true
		fua = true
	END
	nbd-server -C "$TMP/nbd.conf"
}

# The process that listens, and one for each connection.
nbd_end()
{
	pkill -x nbd-server
	wait_for 10 eval '! pgrep -x nbd-server'
}

nbd_connect()
{
	nbd-client 127.0.0.1 $NBD_PORT "$2" -N "$1" -b 512
	wait_for 10 eval "[ \$(blockdev --getsz $2) -gt 0 ]"
}

# ---- mapped memory ---------------------------------------------------------

# How often everything of the guest's was mapped anew.
maps_replaced()
{
	sed -n 's/^maps: .* replaced: //p' "/sys/kernel/debug/xen-ioemu/$DOMID/domain"
}

maps_replaced_over()
{
	[ "$(maps_replaced)" -gt "$1" ]
}

# ---- all of them -----------------------------------------------------------

setup()
{
	module_load
	lvm_setup
	"$LAB/announce" 'xen_ioemu: |ioemu-[0-9]+-[0-9]+: '
	POOL=$(make_disk be-pool 192 discard=1)
	TARGET_DISK=$(make_disk be-target1 32)
	TARGET_VOLUME=$(make_disk be-target2 40)
	NBD_DISK=$(make_disk be-nbd1 32)
	NBD_VOLUME=$(make_disk be-nbd2 40)
	CIPHER=$(make_disk be-cipher 48)
	thin_setup
	THIN=/dev/thin/guest
	truncate -s 64M $FILE
	target_setup "$TARGET_DISK" "$TARGET_VOLUME"
	target_on
	nvme_tcp_connect
	NVME=$(nvme_by_uuid $UUID_DISK)
	nbd_serve
	NBD=/dev/nbd0
	nbd_connect disk /dev/nbd0
	nbd_connect volume /dev/nbd1
	head -c 64 /dev/urandom >"$TMP/key"
	cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$CIPHER" "$TMP/key"
	cryptsetup open --key-file "$TMP/key" "$CIPHER" backends
	CRYPT=/dev/mapper/backends
	vgcreate -q net "$(nvme_by_uuid $UUID_VOLUME)" /dev/nbd1
	lvcreate -q -W n -L 16M -n guest net "$(nvme_by_uuid $UUID_VOLUME)"
	VOLUME=/dev/net/guest
	build_guest $GUEST
	DOMID=$(xl domid $GUEST)
	"$TOOL" attach --slot 16 --disk "params=$THIN" --disk "params=$FILE" \
		--disk "params=$NVME,serial=TARGET" --disk "params=$NBD,serial=NBD" \
		--disk "params=$CRYPT" --disk "params=$VOLUME" $GUEST
	LOOP=$(xenstore-read "$(backend_path "$DOMID" 0)/disk/1/params")
	DISKS=("$THIN" "$LOOP" "$NVME" "$NBD" "$CRYPT" "$VOLUME")
	unpause_guest $GUEST
}

teardown()
{
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	vgchange -q -an net
	vgchange -q -an thin
	cryptsetup close backends
	nbd-client -d /dev/nbd0
	nbd-client -d /dev/nbd1
	nbd_end
	nvme disconnect -n $NQN
	target_remove
	for name in pool target1 target2 nbd1 nbd2 cipher; do
		remove_disk be-$name
	done
	rm $FILE
	module_unload
}

# same_data MIB NSID...: guest and dom0 read the same, and not the same everywhere.
same_data()
{
	local mib=$1 n

	shift
	g "for n in $*; do dd if=/dev/nvme0n\$n iflag=direct bs=1M count=$mib 2>/dev/null | md5sum; done"
	for n; do
		dd if="${DISKS[n - 1]}" iflag=direct bs=1M count="$mib" status=none | md5sum
	done | diff - "$TMP/found" || fail "data differs (dom0: <, guest: >)"
	expect_eq "$(sort "$TMP/found" | uniq -d)" "" "same sum twice"
}

t_each_keeps_what_the_guest_writes()
{
	g -t 300 'fio_verify $mixed $(on 1 2 3 4 5 6)
		fio_verify --bs=64k --offset=1m --size=1m $(on 1 2 3 4 5 6)
		echo 3 >/proc/sys/vm/drop_caches'
	same_data 2 1 2 3 4 5 6
}

# lines_of DEVICE: how many are what the guest writes, all over it
lines_of()
{
	dd if="$1" iflag=direct bs=1M status=none | grep -ac "$PLAIN"
}

t_what_lies_below_encryption_is_not_plain()
{
	PLAIN="what the guest has written"
	g "yes '$PLAIN' | head -n 4096 | dd of=/dev/nvme0n5 obs=64k seek=32 oflag=direct 2>/dev/null
		sync"
	expect_eq "$(lines_of "$CRYPT")" 4096 "lines in the open device"
	expect_eq "$(lines_of "$CIPHER")" 0 "lines below it"
}

t_sizes_are_those_of_the_devices()
{
	local d

	g 'cat /sys/block/nvme0n*/size'
	diff <(for d in "${DISKS[@]}"; do blockdev --getsz "$d"; done) "$TMP/found"
}

t_discards_give_space_back()
{
	local thin file

	g 'for n in 1 2; do
			dd if=/dev/urandom of=/dev/nvme0n$n bs=1M seek=8 count=8 oflag=direct 2>/dev/null
		done'
	thin=$(pool_used)
	file=$(du -k $FILE | cut -f1)
	g 'for n in 1 2; do
			blkdiscard -o $((8 << 20)) -l $((8 << 20)) /dev/nvme0n$n
		done'
	note "thin pool: $thin bytes, then $(pool_used);" \
		"file: $file KiB, then $(du -k $FILE | cut -f1)"
	[ $((thin - $(pool_used))) -ge $((7 << 20)) ]
	[ $((file - $(du -k $FILE | cut -f1))) -ge $((7 << 10)) ]
	expect_eq "$(losetup -n -O DIO "$LOOP" | tr -d ' ')" 1 "direct I/O"
}

t_growth_is_seen_by_the_guest()
{
	lvextend -q -L 80M thin/guest
	"$TOOL" resize $GUEST 0 1 80M
	g "for i in 1 2; do
			until_true 20 '[ \$(cat /sys/block/nvme0n\$i/size) = $((80 * 2048)) ]'
		done
		dd if=/dev/urandom of=/dev/nvme0n1 bs=1M seek=79 count=1 oflag=direct 2>/dev/null
		dd if=/dev/nvme0n1 bs=1M skip=79 count=1 iflag=direct 2>/dev/null | md5sum"
	expect_eq "$(cat "$TMP/found")" \
		"$(dd if=$THIN bs=1M skip=79 count=1 iflag=direct status=none | md5sum)"
}

# What was sent may have to be sent again, or is read by somebody who watches, when the
# disk has long said that it is written: the guest's frames stay where they are
# until then, although the guest gives memory back and everything is mapped anew.
t_pages_stay_while_the_network_has_them()
{
	local watch memory n

	python3 "$PAYLOAD/vm/held.py" $NVME_PORT "$TMP/go" >"$TMP/held" &
	watch=$!
	wait_for 20 grep -q ready "$TMP/held"
	# dd keeps its buffer as it is while it waits for more.
	g 'written() { awk "{ print \$7 }" /sys/block/nvme0n3/stat; }
		before=$(written)
		(tr "\0" W </dev/zero | head -c 262144; sleep 1000) 2>/dev/null |
			dd bs=256k iflag=fullblock of=/dev/nvme0n3 seek=64 oflag=direct >/dev/null 2>&1 &
		until_true 20 "[ \$(written) -ge \$((before + 512)) ]"'
	n=$(maps_replaced)
	memory=$(xl list $GUEST | awk 'NR == 2 { print $3 }')
	xl mem-set $GUEST $((memory - 16))
	wait_for 20 maps_replaced_over "$n"
	# Pages that could be had are something else now.
	g 'dd if=/dev/nvme0n1 of=/dev/null bs=1M count=8 iflag=direct 2>/dev/null'
	touch "$TMP/go"
	wait $watch
	expect_eq "$(tail -n 1 "$TMP/held")" "found 262144" "what the network has"
	g 'killall dd sleep'
	xl mem-set $GUEST "$memory"
}

t_target_that_goes_and_returns_only_delays()
{
	g '(fio_verify --bs=4k --size=512k --rate_iops=16 $(on 3)
		echo $? >/run/network) </dev/null >/run/network.log 2>&1 &
		n=$(writes 3)
		until_true 20 "[ \$(writes 3) -gt $((n + 20)) ]"'
	target_off
	wait_for 20 nvme_state_is connecting
	sleep 2
	g 'sleep 1; writes 3; sleep 2; writes 3; live; [ ! -e /run/network ]'
	expect_eq "$(sort -u "$TMP/found" | wc -l)" 1 "the writes stand still"
	target_on
	g -t 120 'until_true 100 "[ -s /run/network ]"; cat /run/network.log; cat /run/network'
	expect_eq "$(tail -n 1 "$TMP/found")" 0 "status of fio"
	same_data 1 3
}

t_data_moves_to_another_server_under_load()
{
	local from before

	from=$(nvme_by_uuid $UUID_VOLUME)
	expect_eq "$(lvs --noheadings -o devices net/guest | tr -d ' ')" "$from(0)"
	# Round after round, until it has moved.
	g '(rc=0
		until [ -e /run/moved ] || [ $rc != 0 ]; do
			fio_verify $mixed $(on 6) || rc=$?
		done
		echo $rc >/run/status) </dev/null >/run/moved.log 2>&1 &
		n=$(writes 6)
		until_true 20 "[ \$(writes 6) -gt $((n + 20)) ]"
		echo $(($(reads 6) + $(writes 6)))'
	before=$(cat "$TMP/found")
	pvmove -q -i 1 "$from" /dev/nbd1
	# Nothing has ended it, and it did not wait for the end of the move.
	g 'echo $(($(reads 6) + $(writes 6)))
		[ ! -e /run/status ] || { cat /run/moved.log /run/status; echo "it has ended"; exit 1; }
		touch /run/moved'
	note "$(($(cat "$TMP/found") - before)) I/Os while it moved"
	[ "$(cat "$TMP/found")" -gt "$before" ] || fail "no I/O while it moved"
	expect_eq "$(lvs --noheadings -o devices net/guest | tr -d ' ')" "/dev/nbd1(0)"
	g -t 60 'until_true 50 "[ -s /run/status ]"; cat /run/moved.log; cat /run/status'
	expect_eq "$(tail -n 1 "$TMP/found")" 0 "status of fio"
	same_data 2 6
	vgreduce -q net "$from"
}

# What comes back is another device of dom0, and the same disk to the guest.
t_lost_servers_give_errors_and_their_disks_come_back()
{
	local before

	before=$(g 'for n in 3 4; do
			cat /sys/block/nvme0n$n/wwid
			dd if=/dev/nvme0n$n iflag=direct bs=1M count=1 2>/dev/null | md5sum
		done')
	echo 1 >"$(nvme_ctrl)/ctrl_loss_tmo"
	target_off
	nbd_end
	g 'for n in 3 4; do
			fails dd if=/dev/nvme0n$n of=/dev/null bs=4k count=1 iflag=direct
		done
		live
		fio_verify --bs=4k --size=64k $(on 1)'
	"$TOOL" detach-disk $GUEST 0 2
	"$TOOL" detach-disk $GUEST 0 3
	target_on
	nvme_tcp_connect
	nbd-client -d /dev/nbd0
	nbd_serve
	nbd_connect disk /dev/nbd0
	"$TOOL" attach-disk $GUEST 0 --index 2 \
		--disk "params=$(nvme_by_uuid $UUID_DISK),serial=TARGET"
	"$TOOL" attach-disk $GUEST 0 --index 3 --disk "params=$NBD,serial=NBD"
	# Linux numbers its devices by itself.
	g 'name() { grep -lx $1 /sys/block/nvme0n*/nsid | cut -d/ -f4; }
		for i in 3 4; do
			until_true 20 "[ -b /dev/\$(name $i) ]"
			cat /sys/block/$(name $i)/wwid
			dd if=/dev/$(name $i) iflag=direct bs=1M count=1 2>/dev/null | md5sum
		done'
	diff <(echo "$before") "$TMP/found"
}

t_nothing_is_left()
{
	local d

	"$TOOL" detach $GUEST 0
	for d in "$THIN" "$CRYPT" "$VOLUME"; do
		wait_for 5 disk_free "$d"
	done
	! losetup -a | grep $FILE || fail "a loop device is left"
	"$LAB/guest-stop" $GUEST
	wait_for 20 domain_gone $GUEST
	expect_no_leaks
}

# Where locks are looked after: the last one who closes a disk of several paths has it
# removed within locks that its scan for partitions takes, whoever that is.
case $(uname -r) in *-ioemu-*) modprobe nvme_core multipath=N ;; esac
for m in $MODULES; do
	modprobe -q "$m" && continue
	echo "# this kernel has no module $m"
	# One of our own may lack it; a distribution's has all.
	case $(uname -r) in *-ioemu-*) exit 4 ;; esac
	exit 2
done
# The first step that fails ends it.
exec 3>&1
trap 'cat "$TMP/setup" >&3; echo "Bail out! no guest" >&3; set +e; teardown' EXIT
set -e
setup >"$TMP/setup" 2>&1
set +e
trap - EXIT
run_tests
rc=$?
teardown >/dev/null 2>&1
exit $rc
