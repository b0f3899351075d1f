# SPDX-License-Identifier: GPL-2.0
# The images: each a directory or file of the cache, named by the hash of
# everything it is made of and renamed to that name only when it is whole.

dom0_key() {
	hash_of "$lab_dir/images.sh" "$lab_dir/packages.sh" "$lab_dir"/dom0/* "$(packages_file "$1")"
}

guest_key() {
	hash_of "$lab_dir/images.sh" "$lab_dir/guest.sh" "$lab_dir"/guest/* "$(packages_file "$1")"
}

tools_key() {
	hash_of "$lab_dir/images.sh" "$lab_dir"/tools/* <(guest_key "$1")
}

dom0_dir() {
	echo "$cache/dom0-$(dom0_key "$1")"
}

guest_dir() {
	echo "$cache/guest-$(guest_key "$1")"
}

tools_image() {
	echo "$cache/tools-$(tools_key "$1").img"
}

# image_modules TREE KVER FILE DEST: copy the modules named in FILE, and those
# they need, to DEST, and write the order to load them in to DEST/order.
image_modules() {
	local tree=$1 kver=$2 list=$3 dest=$4 name path
	mkdir -p "$dest"
	while read -r name; do
		case $name in "#"* | "") continue ;; esac
		modprobe -d "$tree" -S "$kver" --show-depends "$name" ||
			die "no module $name in the kernel package"
	done <"$list" | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			cp "$path" "$dest/"
			basename "$path"
		done >"$dest/order"
}

# image_cpio DIR: a compressed initramfs of DIR on stdout.
image_cpio() {
	(cd "$1" && find . -print0 | LC_ALL=C sort -z |
		cpio --null --quiet --reproducible -R 0:0 -H newc -o) | zstd -q -19 -T0
}

# image_squash FILE SIZE DIR: a read-only file system with the content of DIR,
# uncompressed: it is written more often than it is read. The size is fixed
# because a saved state remembers the size of its disks.
image_squash() {
	rm -f "$1"
	mksquashfs "$3" "$1" -quiet -no-progress -all-root -noI -noD -noF -noX >/dev/null
	[ "$(stat -c %s "$1")" -le "$(numfmt --from=iec "$2")" ] ||
		die "$3 does not fit into $2"
	truncate -s "$2" "$1"
}

# image_tree FLAVOUR: the unpacked packages, shared by the images of one build.
image_tree() {
	local kver
	[ -z "$lab_tree" ] || return 0
	packages_fetch "$1"
	progress "unpacking packages"
	kver=$(packages_kver "$1")
	lab_tree=$lab_tmp/tree
	packages_unpack "$1" "$lab_tree"
	depmod -b "$lab_tree" "$kver"
}

image_build_dom0() {
	local tree new kver f
	image_tree "$1"
	progress "building the dom0 image"
	kver=$(packages_kver "$1")
	tree=$lab_tmp/dom0
	new=$lab_tmp/dom0-new
	mkdir "$new"
	cp -a --reflink=auto "$lab_tree" "$tree"
	gzip -dc "$tree/boot/xen-4.17-amd64.gz" >"$new/xen"
	cp "$tree/boot/vmlinuz-$kver" "$new/vmlinuz"

	mkdir -p "$tree"/{dev,proc,sys,run,tmp,root,payload,results,var/log,usr/lib/lab}
	install -m 755 "$lab_dir/dom0/init" "$tree/usr/sbin/lab-init"
	install -m 755 "$lab_dir/dom0/agent" "$tree/usr/sbin/lab-agent"
	cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
	cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
	for f in kvm sgx input render; do
		echo "$f:x:$((100 + ${#f})):"
	done >>"$tree/etc/group"
	ln -sf mawk "$tree/usr/bin/awk"
	ln -sf dash "$tree/usr/bin/sh"
	ln -sfn /run "$tree/var/run"
	ln -sfn /run/lock "$tree/var/lock"
	ldconfig -r "$tree"
	truncate -s 1536M "$new/root.img"
	mkfs.ext4 -q -F -d "$tree" -m 0 -O ^resize_inode \
		-E root_owner=0:0,lazy_itable_init=1 "$new/root.img"
	rm -rf "$tree"

	tree=$lab_tmp/dom0-initrd
	mkdir -p "$tree/bin"
	cp "$lab_tree/bin/busybox" "$tree/bin/busybox"
	install -m 755 "$lab_dir/dom0/initrd-init" "$tree/init"
	image_modules "$lab_tree" "$kver" "$lab_dir/dom0/initrd-modules" "$tree/modules"
	image_cpio "$tree" >"$new/initrd.img"
	mv -T "$new" "$(dom0_dir "$1")"
}

image_build_tools() {
	local tree=$lab_tmp/tools new=$lab_tmp/tools-new.img
	progress "building the tools disk"
	mkdir -p "$tree"
	cp "$lab_dir"/tools/* "$tree/"
	chmod 755 "$tree"/*
	cp -rL "$(guest_dir "$1")" "$tree/guest"
	image_squash "$new" 128M "$tree"
	mv -T "$new" "$(tools_image "$1")"
}

# images_build FLAVOUR: build whatever the cache does not have.
images_build() {
	packages_ensure_list "$1"
	[ -d "$(dom0_dir "$1")" ] || image_build_dom0 "$1"
	[ -d "$(guest_dir "$1")" ] || guest_build "$1"
	[ -e "$(tools_image "$1")" ] || image_build_tools "$1"
	if [ -n "$lab_tree" ]; then
		rm -rf "$lab_tree"
		lab_tree=
	fi
}
