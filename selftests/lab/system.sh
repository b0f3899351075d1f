# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# Debian 12 as an administrator has it, installed and not only unpacked. For
# packages and everything around them; all other suites use the dom0 of images.sh,
# which is smaller and starts sooner.

system_base_key() {
	hash_of "$lab_dir"/system/{packages,without}
}

# system_packages: those of the list, separated by commas.
system_packages() {
	grep -v '^#' "$lab_dir/system/packages" | grep . | paste -sd ,
}

# system_base FILE: a tar archive of an installed Debian.
system_base() {
	local path new=$lab_tmp/system-base.tar
	local -a options=()
	[ -e /usr/bin/mmdebstrap ] || die "no mmdebstrap: lab deps"
	[ "$(id -u)" = 0 ] || die "Debian installs for root only"
	progress "installing Debian"
	packages_configure
	while read -r path; do
		case $path in "#"* | "") continue ;; esac
		options+=("--dpkgopt=path-exclude=$path")
	done <"$lab_dir/system/without"
	mmdebstrap --variant=minbase --skip=check/empty \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io "${options[@]}" \
		--include="$(system_packages)" \
		bookworm "$new" "$cache/apt/sources.list" >"$new.log" 2>&1 || {
		tail -n 20 "$new.log" >&2
		die "Debian does not install"
	}
	mv "$new" "$1"
}

# system_have_base: print where it is.
system_have_base() {
	local base
	base=$cache/system-base-$(system_base_key).tar
	[ -e "$base" ] || system_base "$base"
	echo "$base"
}

# system_clean: remove what the current recipe does not use.
system_clean() {
	local f
	for f in "$cache"/system-*; do
		case $f in
		"$cache/system-base-$(system_base_key).tar") ;;
		*) rm -rf "$f" ;;
		esac
	done
}
