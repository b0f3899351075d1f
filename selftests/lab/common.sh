# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# What every part of the lab uses: messages, hashes, the temporary directory.

# The kernel and Xen that dom0 is made of.
flavour=${LAB_FLAVOUR:-bookworm}

lab_tmp=
lab_dom0=
lab_tools=
lab_guests=
lab_work=
lab_logs=
machine_pid=
lab_start=$SECONDS

progress() {
	printf '# lab: %s (%d s)\n' "$*" $((SECONDS - lab_start)) >&2
}

die() {
	printf 'lab: %s\n' "$*" >&2
	exit "$exit_build"
}

# lab_fail STATUS TEXT: end a run that the lab could not bring to its end.
lab_fail() {
	local status=$1
	shift
	printf 'lab: %s\n' "$*" >&2
	if [ -n "$lab_work" ] && [ -s "$lab_work/xen-console.log" ]; then
		printf 'lab: the last lines of the console:\n' >&2
		tail -n 25 "$lab_work/xen-console.log" | tr -d '\r' >&2
	fi
	exit "$status"
}

# hash_of FILE...: a short hash of the contents.
hash_of() {
	cat -- "$@" | sha256sum | cut -c 1-16
}

# lab_begin: a temporary directory in the cache and its removal at the end.
lab_begin() {
	local d lock
	mkdir -p "$cache"
	exec {lock}>"$cache/lock"
	flock "$lock"
	# Directories whose owner was killed: nobody holds their lock.
	for d in "$cache"/tmp-*; do
		[ -d "$d" ] || continue
		if flock -n "$d" true 2>/dev/null; then
			rm -rf "$d"
		fi
	done
	lab_tmp=$(mktemp -d "$cache/tmp-XXXXXX")
	exec {lab_tmp_lock}<"$lab_tmp"
	flock "$lab_tmp_lock"
	exec {lock}>&-
	trap lab_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# lab_exclusive COMMAND...: builders of the same image wait for each other.
lab_exclusive() {
	local lock
	exec {lock}>"$cache/build.lock"
	flock -n "$lock" || {
		progress "waiting for another build"
		flock "$lock"
	}
	"$@"
	exec {lock}>&-
}

lab_end() {
	local status=$?
	trap - EXIT INT TERM HUP
	machine_stop
	if [ -n "$lab_work" ] && [ -n "$lab_logs" ]; then
		run_keep_logs
	fi
	rm -rf "$lab_tmp"
	exit "$status"
}
