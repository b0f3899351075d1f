# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# UEFI firmware for guests: EDK2's OvmfXen, of Debian's source. The OVMF that Debian
# 12 has as a package does not run on Xen.

# firmware_deps: "FILE PACKAGE" as in deps_table.
firmware_deps() {
	cat <<-EOF
		/usr/bin/dpkg-source dpkg-dev
		/usr/bin/g++ g++
		/usr/bin/make make
		/usr/bin/patch patch
		/usr/bin/nasm nasm
		/usr/bin/iasl acpica-tools
		/usr/bin/python3 python3
		/usr/lib/python3.11/distutils/cmd.py python3-distutils
		/usr/include/uuid/uuid.h uuid-dev
	EOF
}

firmware_file() {
	echo "$cache/firmware-$(hash_of "$lab_dir/firmware.sh").fd"
}

firmware_install() {
	local file package
	local -a missing=()
	while read -r file package; do
		[ -e "$file" ] || missing+=("$package")
	done < <(firmware_deps)
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" != 0 ] || apt-get -q update >&2
	deps_apt "${missing[@]}"
}

# firmware_source DIR: unpack it there.
firmware_source() {
	local -a apt
	mkdir -p "$1/lists/partial"
	packages_configure
	sed 's/^deb /deb-src /' "$cache/apt/sources.list" >"$1/sources.list"
	apt=(packages_apt apt-get -qq -o "Dir::Etc::sourcelist=$1/sources.list"
		-o "Dir::State::lists=$1/lists")
	"${apt[@]}" update >&2 &&
		(cd "$1" && "${apt[@]}" source --download-only edk2 >&2 &&
			dpkg-source -q -x ./*.dsc edk2 >&2)
}

# firmware_patch DIR: without Debian's change to the shell, which OvmfXen cannot be
# built with; and it does not restore the task priority after each interrupt: QEMU
# 7.2 ends itself when a guest of its guest sets that while a virtual interrupt is
# pending, because its cpu_interrupt() expects a lock that nobody took.
firmware_patch() {
	patch -s -R -p1 -d "$1" \
		<"$1/debian/patches/Disable-the-Shell-when-SecureBoot-is-enabled.patch" &&
		sed -i '/^ *mov *cr8, *rax\r\?$/d' \
			"$1"/UefiCpuPkg/Library/CpuExceptionHandlerLib/X64/*.nasm
}

# In a shell of its own, whose settings EDK2's script changes.
firmware_make() (
	cd "$1" || exit
	set +eu --
	unset WORKSPACE EDK_TOOLS_PATH CONF_PATH
	export PYTHON_COMMAND=python3
	# shellcheck source=/dev/null
	. ./edksetup.sh &&
		make -C BaseTools/Source/C -j "$(nproc)" &&
		build -a X64 -t GCC5 -b RELEASE -n "$(nproc)" -p OvmfPkg/OvmfXen.dsc \
			-D NETWORK_ISCSI_ENABLE=FALSE
)

firmware_build() {
	local dir=$lab_tmp/firmware file
	file=$(firmware_file)
	[ ! -e "$file" ] || return 0
	firmware_install
	progress "building UEFI firmware"
	mkdir "$dir"
	firmware_source "$dir" || die "no source of edk2"
	firmware_patch "$dir/edk2" || die "the source of edk2 has changed"
	firmware_make "$dir/edk2" >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		die "the firmware does not build"
	}
	mv "$dir"/edk2/Build/OvmfXen/RELEASE_GCC5/FV/OVMF.fd "$file"
}

# firmware_clean: remove what the current recipe does not use.
firmware_clean() {
	local f
	for f in "$cache"/firmware-*; do
		[ "$f" = "$(firmware_file)" ] || rm -f "$f"
	done
}
