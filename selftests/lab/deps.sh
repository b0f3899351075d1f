# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# What the lab needs on the machine that it runs on.

# One "FILE PACKAGE" per line: the file tells whether the package is there.
deps_table() {
	cat <<-EOF
		/usr/bin/qemu-system-x86_64 qemu-system-x86
		/usr/bin/qemu-img qemu-utils
		/sbin/mkfs.ext4 e2fsprogs
		/sbin/modprobe kmod
		/bin/cpio cpio
		/usr/bin/zstd zstd
		/usr/bin/xz xz-utils
		/usr/bin/mksquashfs squashfs-tools
		/usr/bin/pgrep procps
		/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
		/usr/bin/make make
		/usr/bin/mmdebstrap mmdebstrap
		/usr/bin/gcc gcc
		/usr/bin/objcopy binutils
	EOF
}

deps_missing() {
	local file package
	while read -r file package; do
		[ -e "$file" ] || echo "$package"
	done < <(deps_table; ! kernel_own "$flavour" || kernel_deps)
}

deps_headers() {
	[ -d "/usr/src/linux-headers-$1" ] || echo "linux-headers-$1"
}

# deps_apt PACKAGE...
deps_apt() {
	if [ "$(id -u)" != 0 ]; then
		printf 'lab: as root, install: %s\n' "$*" >&2
		exit "$exit_build"
	fi
	progress "installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -q "$@" >&2
}

deps_install() {
	local -a missing
	local headers
	mapfile -t missing < <(deps_missing)
	if [ ${#missing[@]} -gt 0 ]; then
		[ "$(id -u)" != 0 ] || apt-get -q update >&2
		deps_apt "${missing[@]}"
	fi
	lab_begin
	packages_ensure_list "$flavour"
	headers=$(deps_headers "$(packages_kver "$flavour")")
	[ -n "$headers" ] || return 0
	[ "$(id -u)" != 0 ] || apt-get -q update >&2
	if ! apt-cache show "$headers" >/dev/null 2>&1; then
		# The list is older than the archive, which keeps only the newest.
		packages_resolve "$flavour"
		headers=$(deps_headers "$(packages_kver "$flavour")")
		[ -n "$headers" ] || return 0
	fi
	deps_apt "$headers"
}
