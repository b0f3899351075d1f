# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# One run: options, payload, the command's life, its results and logs.

run_mode=wall
run_payload=
run_fresh=
run_system=
run_limit=1800
run_command=()
run_disks=()
run_qemu=()

run_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--exact) run_mode=exact ;;
		--fresh) run_fresh=1 ;;
		--payload | --logs | --suite-timeout | --disk | --system)
			[ $# -ge 2 ] || run_usage "$1 needs a value"
			case $1 in
			--payload) run_payload=$2 ;;
			--logs) lab_logs=$2 ;;
			--suite-timeout) run_limit=$2 ;;
			--system)
				run_system=$2
				run_fresh=1
				;;
			--disk)
				run_disks+=("$2")
				run_fresh=1
				;;
			esac
			shift
			;;
		--)
			shift
			run_command=("$@")
			return
			;;
		*) run_usage "unknown option $1" ;;
		esac
		shift
	done
}

# A mistake of the caller.
run_usage() {
	printf 'lab: %s\n' "$*" >&2
	exit "$exit_usage"
}

# run_disk_args: set run_qemu to QEMU's arguments for the extra disks.
run_disk_args() {
	local spec bus what n=0
	run_qemu=()
	for spec in "${run_disks[@]}"; do
		bus=virtio what=$spec
		case $spec in
		virtio:* | ahci:* | nvme:*) bus=${spec%%:*} what=${spec#*:} ;;
		esac
		if [[ $what =~ ^[0-9]+[KMGT]?$ ]]; then
			truncate -s "$what" "$lab_work/disk$n.img"
			what=$lab_work/disk$n.img
		elif [ ! -r "$what" ]; then
			run_usage "--disk $spec: no such file, and not a size"
		fi
		run_qemu+=(-drive "file=$(readlink -f "$what"),if=none,id=disk$n,format=raw,snapshot=on,cache=unsafe,discard=unmap")
		case $bus in
		virtio) run_qemu+=(-device "virtio-blk-pci,drive=disk$n,serial=lab-disk$n") ;;
		ahci) run_qemu+=(-device "ide-hd,drive=disk$n,bus=ide.$((n + 1)),serial=lab-disk$n") ;;
		nvme) run_qemu+=(-device "nvme,drive=disk$n,serial=lab-disk$n") ;;
		esac
		n=$((n + 1))
	done
}

run_prepare() {
	lab_begin
	: "${lab_logs:=$lab_top/build/lab-logs/$(date +%Y%m%d-%H%M%S)-$$}"
	mkdir -p "$lab_logs"
	lab_logs=$(cd "$lab_logs" && pwd)
	rm -rf "$lab_logs"/{results,libxl,announced,*.log}
	lab_exclusive images_build "$flavour"
	[ -z "$run_system" ] || system_build "$run_system"
	[ -n "$run_fresh" ] || lab_exclusive machine_save "$run_mode"

	lab_work=$lab_tmp/run
	mkdir "$lab_work" "$lab_tmp/empty"
	image_squash "$lab_work/payload.img" 1G "${run_payload:-$lab_tmp/empty}"
	machine_prepare "$lab_work"
}

# run_boot: get to a dom0 that waits for a request.
run_boot() {
	if [ -n "$run_fresh" ]; then
		run_disk_args
		machine_blank_disks "$lab_work"
		progress "booting dom0 ($run_mode)"
		machine_start "$run_mode" "$lab_work" "${run_qemu[@]}"
		machine_wait_ready
	else
		machine_load "$run_mode" "$lab_work"
		machine_start "$run_mode" "$lab_work" -loadvm lab
	fi
}

run_main() {
	local job status=0 rc=0 shown=
	run_options "$@"
	[ ${#run_command[@]} -gt 0 ] || run_usage "run needs a command after --"
	run_prepare
	run_boot
	tee "$lab_work/tap.log" <"$lab_work/out.out" &
	local streamer=$!

	printf -v job '%q ' "${run_command[@]}"
	machine_request "run $(base64 -w 0 <<<"$job")"
	run_expect begin 120
	progress "dom0 runs the command"
	machine_answer "$run_limit" || rc=$?
	if [ "$rc" = 1 ]; then
		shown="the command did not end within $run_limit seconds"
		machine_request abort
		if machine_answer 60; then
			machine_stop
		else
			run_dump
		fi
		status=$exit_timeout
	elif [ "$rc" = 2 ]; then
		shown="dom0 or Xen crashed"
		status=$exit_crash
	else
		run_drain
		case $answer in
		"exit "*) status=${answer#exit } ;;
		*)
			shown="dom0 said: $answer"
			status=$exit_crash
			;;
		esac
	fi
	machine_stop
	wait "$streamer" || true

	if ! run_judge; then
		[ "$status" != 0 ] || status=$exit_logs
	fi
	[ -z "$shown" ] || lab_fail "$status" "$shown"
	exit "$status"
}

# run_expect ANSWER SECONDS
run_expect() {
	local rc=0
	machine_answer "$2" || rc=$?
	if [ "$rc" != 0 ] || [ "$answer" != "$1" ]; then
		lab_fail "$exit_boot" "dom0 does not answer: ${answer:-nothing}"
	fi
}

# run_drain: the kernel log and the console have arrived up to the end mark.
run_drain() {
	local n f
	for f in dom0-dmesg.log xen-console.log; do
		for ((n = 0; n < 100; n++)); do
			! grep -q 'lab: run ends' "$lab_work/$f" || break
			sleep 0.1
		done
	done
}

# run_dump: dom0 hangs; ask Xen for the registers before giving up.
run_dump() {
	local key
	printf '\001\001\001' >&"$machine_con"
	for key in d 0 e q; do
		printf '%s' "$key" >&"$machine_con"
		sleep 2
	done
}

# run_judge: no bug was reported by the kernel or by Xen.
run_judge() {
	local results=$lab_work/results
	mkdir -p "$results"
	[ ! -s "$lab_work/results.tar" ] || tar -C "$results" -xmf "$lab_work/results.tar" || true
	touch "$results/announced"
	bash "$lab_dir/judge" "$lab_work/dom0-dmesg.log" "$lab_work/xen-console.log" \
		"$results/announced" >"$lab_work/offending.log" && return 0
	printf 'lab: the kernel or Xen reported:\n' >&2
	head -n 40 "$lab_work/offending.log" | sed 's/^/lab:   /' >&2
	return 1
}

# run_keep_logs: called at every end of a run, however it came.
run_keep_logs() {
	local f
	if [ -s "$lab_work/results.tar" ] && [ ! -d "$lab_work/results" ]; then
		mkdir "$lab_work/results"
		tar -C "$lab_work/results" -xmf "$lab_work/results.tar" || true
	fi
	if [ -d "$lab_work/results" ]; then
		cp -r "$lab_work/results/." "$lab_logs/"
	fi
	for f in xen-console.log dom0-dmesg.log tap.log qemu.log monitor.log offending.log; do
		[ ! -s "$lab_work/$f" ] || cp "$lab_work/$f" "$lab_logs/"
	done
	printf 'lab: logs are in %s\n' "$lab_logs" >&2
}

shell_main() {
	local saved viewer
	[ -t 0 ] || run_usage "shell needs a terminal"
	run_options "$@"
	run_prepare
	run_boot
	cat "$lab_work/out.out" >/dev/null &
	machine_request shell
	printf 'lab: a shell on the console of dom0; Ctrl-] ends the machine\n' >&2
	saved=$(stty -g)
	stty raw -echo isig intr ^] quit undef susp undef
	tail -c 0 -f "$lab_work/xen-console.log" &
	viewer=$!
	trap : INT
	cat >&"$machine_con" || true
	kill "$viewer"
	stty "$saved"
	printf '\n'
}
