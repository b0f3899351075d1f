# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# The other dom0: Debian 12 as an administrator has it, installed and not only
# unpacked, with systemd as its init. For packages and everything around them;
# all other suites use the dom0 of images.sh, which is smaller and starts sooner.

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

# system_adapt DIR: make the tree in DIR the lab's dom0.
system_adapt() {
	local root=$1
	echo lab-dom0 >"$root/etc/hostname"
	echo '127.0.0.1 localhost lab-dom0' >"$root/etc/hosts"
	: >"$root/etc/machine-id"
	mkdir -p "$root"/{payload,results} "$root"/usr/lib/{lab,guest}
	install -m 755 "$lab_dir/dom0/agent" "$root/usr/sbin/lab-agent"
	install -m 755 "$lab_dir/system/start" "$root/usr/sbin/lab-start"
	install -m 644 "$lab_dir/system/lab-agent.service" "$root/etc/systemd/system/"
	chroot "$root" systemctl --quiet enable lab-agent.service
	# Nobody looks at its terminals, and nothing is to happen by the clock.
	chroot "$root" systemctl --quiet mask getty.target serial-getty@hvc0.service \
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer \
		systemd-tmpfiles-clean.timer
	echo 'XENCONSOLED_ARGS="--log=guest --log-dir=/run/lab/out"' >>"$root/etc/default/xen"
	# As in the other dom0, see images.sh.
	echo 'vm.hvm.cpumask="all,^0"' >>"$root/etc/xen/xl.conf"
}

# system_image ARCHIVE DIR: what a dom0 is booted from, made of an installed Debian.
system_image() {
	local kver new=$lab_tmp/system-new root=$lab_tmp/system-root
	progress "building the image of the installed system"
	mkdir -p "$new" "$root"
	tar -C "$root" --numeric-owner -xpf "$1"
	kver=$(cd "$root/boot" && echo vmlinuz-*)
	kver=${kver#vmlinuz-}
	[ -e "$root/boot/vmlinuz-$kver" ] || die "$1 does not have one kernel: $kver"
	gzip -dc "$root/boot/xen-4.17-amd64.gz" >"$new/xen"
	cp "$root/boot/vmlinuz-$kver" "$new/vmlinuz"
	image_initrd "$root" "$kver" /sbin/init "$new/initrd.img"
	system_adapt "$root"
	image_ext4 "$new/root.img" 3G "$root"
	rm -rf "$root"
	mv -T "$new" "$2"
}

# system_build ARCHIVE: let dom0 be that. What it runs as guests is in the other one.
system_build() {
	lab_guests=$lab_dom0/root.img
	lab_dom0=$lab_tmp/system
	system_image "$1" "$lab_dom0"
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
