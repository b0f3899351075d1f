# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# The emulated machine: its command line, its channels, and its saved states.
#
# Channels are named pipes in the machine's directory: con (the serial port,
# Xen's console), mon (QEMU's monitor), ctl (requests to dom0's agent).

xen_args="console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=2048M,max:2048M"
dom0_args="console=hvc0 loglevel=8 panic=1"
# A kernel of our own is so slow that a lost wake-up of a spinlock is met: README.md.
! kernel_own "$flavour" || dom0_args+=" nopvspin"

# machine_accel MODE
machine_accel() {
	case $1 in
	wall) echo "-accel tcg,thread=multi" ;;
	exact) echo "-accel tcg,thread=single -icount shift=1,sleep=off" ;;
	esac
}

# machine_fixed_args: all that is the same in every run and that a saved state
# depends on; paths are relative to the machine's directory.
machine_fixed_args() {
	cat <<-EOF
		-nodefaults -no-user-config -no-reboot -display none
		-M q35 -cpu qemu64,+svm,+npt -smp 2 -m 4096
		-drive file=root.qcow2,if=none,id=root,cache=unsafe
		-device virtio-blk-pci,drive=root,serial=lab-root
		-drive file=payload.img,if=none,id=payload,format=raw,readonly=on
		-device virtio-blk-pci,drive=payload,serial=lab-payload
		-drive file=tools.img,if=none,id=tools,format=raw,readonly=on
		-device virtio-blk-pci,drive=tools,serial=lab-tools
		-drive file=virtio.qcow2,if=none,id=virtio,cache=unsafe,discard=unmap
		-device virtio-blk-pci,drive=virtio,serial=lab-virtio
		-drive file=ahci.qcow2,if=none,id=ahci,cache=unsafe,discard=unmap
		-device ide-hd,drive=ahci,bus=ide.0,serial=lab-ahci
		-device virtio-serial-pci
		-chardev pipe,id=con,path=con -serial chardev:con
		-chardev pipe,id=mon,path=mon -mon chardev=mon,mode=readline
		-chardev pipe,id=ctl,path=ctl
		-device virtserialport,chardev=ctl,name=lab.ctl
		-chardev pipe,id=out,path=out
		-device virtserialport,chardev=out,name=lab.out
		-chardev file,id=kmsg,path=dom0-dmesg.log
		-device virtserialport,chardev=kmsg,name=lab.kmsg
		-chardev file,id=results,path=results.tar
		-device virtserialport,chardev=results,name=lab.results
	EOF
	[ -z "$lab_guests" ] || cat <<-EOF
		-drive file=guests.img,if=none,id=guests,format=raw,readonly=on
		-device virtio-blk-pci,drive=guests,serial=lab-guests
	EOF
}

# machine_state MODE: the directory of the saved state.
machine_state() {
	local key
	key=$(hash_of <(machine_fixed_args) <(machine_accel "$1") \
		<(echo "$xen_args; $dom0_args") <(qemu-system-x86_64 --version) \
		<(echo "${lab_dom0##*/}"))
	echo "$cache/state-$1-$key"
}

# machine_prepare DIR: give a machine its files and pipes.
machine_prepare() {
	local p
	mkdir -p "$1"
	for p in xen vmlinuz initrd.img root.img; do
		ln -sfn "$lab_dom0/$p" "$1/$p"
	done
	ln -sfn "$lab_tools" "$1/tools.img"
	[ -z "$lab_guests" ] || ln -sfn "$lab_guests" "$1/guests.img"
	for p in con mon ctl out; do
		mkfifo "$1/$p.in" "$1/$p.out"
	done
	[ -e "$1/payload.img" ] || truncate -s 1G "$1/payload.img"
}

# machine_blank_disks DIR
machine_blank_disks() {
	qemu-img create -q -f qcow2 -F raw -b root.img "$1/root.qcow2"
	qemu-img create -q -f qcow2 "$1/virtio.qcow2" 1G
	qemu-img create -q -f qcow2 "$1/ahci.qcow2" 1G
}

# machine_start MODE DIR [QEMU-ARG...]: start QEMU; sets machine_pid, and the
# descriptors machine_to, machine_from of the agent and machine_mon, machine_con.
machine_start() {
	local mode=$1 dir=$2
	shift 2
	(
		cd "$dir" || exit
		# shellcheck disable=SC2046
		exec qemu-system-x86_64 $(machine_accel "$mode") $(machine_fixed_args) \
			-kernel xen -append "$xen_args" \
			-initrd "vmlinuz ${dom0_args//,/,,},initrd.img" \
			"$@" </dev/null >qemu.log 2>&1
	) &
	machine_pid=$!
	cat "$dir/con.out" >"$dir/xen-console.log" &
	cat "$dir/mon.out" >"$dir/monitor.log" &
	exec {machine_to}<>"$dir/ctl.in" {machine_from}<>"$dir/ctl.out"
	exec {machine_mon}<>"$dir/mon.in" {machine_con}<>"$dir/con.in"
}

machine_alive() {
	[ -n "$machine_pid" ] && kill -0 "$machine_pid" 2>/dev/null
}

# machine_answer SECONDS: read one line from the agent into $answer. Returns 1
# at the time-out, 2 when the machine is gone.
machine_answer() {
	local end=$((SECONDS + $1)) part
	answer=
	while :; do
		if IFS= read -r -t 1 -u "$machine_from" part; then
			answer+=$part
			return 0
		fi
		answer+=$part
		machine_alive || return 2
		[ "$SECONDS" -lt "$end" ] || return 1
	done
}

machine_request() {
	printf '%s\n' "$*" >&"$machine_to"
}

machine_monitor() {
	printf '%s\n' "$*" >&"$machine_mon"
}

# machine_stop: end QEMU, by force if it does not answer.
machine_stop() {
	local n
	machine_alive || return 0
	machine_monitor quit
	for ((n = 0; n < 100; n++)); do
		machine_alive || break
		sleep 0.1
	done
	if machine_alive; then
		kill -KILL "$machine_pid"
	fi
	wait "$machine_pid" 2>/dev/null || true
	machine_pid=
}

# machine_wait_ready: dom0 has booted.
machine_wait_ready() {
	local rc=0
	machine_answer "$boot_timeout" || rc=$?
	case $rc in
	0) [ "$answer" = ready ] || lab_fail "$exit_boot" "dom0 said: $answer" ;;
	1) lab_fail "$exit_boot" "dom0 did not come up within $boot_timeout seconds" ;;
	2) lab_fail "$exit_boot" "the machine stopped while booting" ;;
	esac
}

# machine_save MODE: boot once and keep the state.
machine_save() {
	local state dir=$lab_tmp/save
	state=$(machine_state "$1")
	[ ! -d "$state" ] || return 0
	progress "booting dom0 once to save its state ($1)"
	rm -rf "$dir"
	mkdir "$dir"
	machine_prepare "$dir"
	machine_blank_disks "$dir"
	lab_work=$dir
	machine_start "$1" "$dir"
	machine_wait_ready
	progress "saving"
	machine_monitor "savevm lab"
	machine_monitor "quit"
	wait "$machine_pid" || lab_fail "$exit_boot" "QEMU failed while saving"
	machine_pid=
	qemu-img snapshot -l "$dir/root.qcow2" | grep -q ' lab ' ||
		lab_fail "$exit_boot" "the state was not saved: $(cat "$dir/monitor.log")"
	mkdir "$lab_tmp/state"
	mv "$dir"/*.qcow2 "$dir/xen-console.log" "$dir/dom0-dmesg.log" "$lab_tmp/state/"
	mv -T "$lab_tmp/state" "$state"
	lab_work=
}

# machine_load MODE DIR: put copies of the saved disks into DIR.
machine_load() {
	cp --reflink=auto --sparse=always "$(machine_state "$1")"/*.qcow2 "$2/"
}
