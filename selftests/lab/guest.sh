# SPDX-License-Identifier: GPL-2.0
# The HVM Linux guest: Debian's own kernel, a small initramfs, and a read-only
# disk with the larger tools.

# guest_bundle TREE DEST PROGRAM...: copy programs with the libraries they need.
guest_bundle() {
	local tree=$1 dest=$2 p lib
	shift 2
	mkdir -p "$dest/bin" "$dest/lib"
	for p in "$@"; do
		cp -L "$tree/$p" "$dest/bin/"
		"$tree/lib64/ld-linux-x86-64.so.2" --list \
			--library-path "$tree/usr/lib/x86_64-linux-gnu:$tree/usr/lib/x86_64-linux-gnu/ceph:$tree/usr/lib/x86_64-linux-gnu/systemd" \
			"$tree/$p" |
			awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
			while read -r lib; do
				cp -Ln "$lib" "$dest/lib/"
			done
	done
	cp -L "$tree/lib64/ld-linux-x86-64.so.2" "$dest/lib/"
}

guest_build() {
	local kver tree new
	image_tree "$1"
	progress "building the guest image"
	kver=$(packages_kver "$1")
	new=$lab_tmp/guest-new
	mkdir "$new"
	cp "$lab_tree/boot/vmlinuz-$kver" "$new/vmlinuz"

	tree=$lab_tmp/guest-initrd
	mkdir -p "$tree/bin" "$tree/sbin" "$tree/dev"
	cp "$lab_tree/bin/busybox" "$tree/bin/busybox"
	install -m 755 "$lab_dir/guest/init" "$tree/init"
	image_modules "$lab_tree" "$kver" "$lab_dir/guest/modules" "$tree/modules"
	image_cpio "$tree" >"$new/initrd.img"

	tree=$lab_tmp/guest-tools
	guest_bundle "$lab_tree" "$tree" usr/bin/fio usr/sbin/nvme usr/sbin/mke2fs \
		usr/sbin/e2fsck usr/sbin/sfdisk usr/sbin/blkdiscard usr/sbin/mkfs.xfs
	mksquashfs "$tree" "$new/tools.sqfs" -quiet -no-progress -all-root \
		-comp zstd -b 128K >/dev/null
	mv -T "$new" "$(guest_dir "$1")"
}
