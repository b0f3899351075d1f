# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# The images: each a directory or file of the cache, named by the hash of
# everything it is made of and renamed to that name only when it is whole.

# images_kver FLAVOUR, images_kdir FLAVOUR: dom0's kernel, and its build directory.
images_kver() {
	if kernel_own "$1"; then
		kernel_build "$1" && kernel_version "$1"
	else
		packages_kver "$1"
	fi
}

images_kdir() {
	if kernel_own "$1"; then
		kernel_build "$1" && echo "$(kernel_dir "$1")/kdir"
	else
		echo "/usr/src/linux-headers-$(packages_kver "$1")"
	fi
}

# images_own_kernel FLAVOUR TREE NEW: put its kernel in the place of Debian's.
images_own_kernel() {
	local dir kver
	dir=$(kernel_dir "$1")
	kver=$(kernel_version "$1")
	rm -rf "$2"/lib/modules/*
	cp -r "$dir/lib/modules/$kver" "$2/lib/modules/"
	depmod -b "$2" "$kver"
	cp "$dir/vmlinuz" "$3/vmlinuz"
}

dom0_key() {
	hash_of "$lab_dir"/{images,packages,guest}.sh "$lab_dir"/{dom0,guest}/* \
		"$(packages_file "$1")" \
		<(! kernel_own "$1" || basename "$(kernel_dir "$1")")
}

dom0_dir() {
	echo "$cache/dom0-$(dom0_key "$1")"
}

tools_image() {
	echo "$cache/tools-$(hash_of "$lab_dir/images.sh" "$lab_dir"/tools/*).img"
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
	[ -s "$dest/order" ] || die "no modules"
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

# image_ext4 FILE SIZE DIR: a file system with the content of DIR.
image_ext4() {
	truncate -s "$2" "$1"
	mkfs.ext4 -q -F -d "$3" -m 0 -O ^resize_inode \
		-E root_owner=0:0,lazy_itable_init=1 "$1"
}

# image_initrd TREE KVER INIT FILE: an initramfs of what is in TREE, which finds the
# root and goes on with its INIT.
image_initrd() {
	local tree=$lab_tmp/initrd
	mkdir -p "$tree/bin"
	cp "$1/bin/busybox" "$tree/bin/busybox"
	sed "s,/sbin/lab-init,$3," "$lab_dir/dom0/initrd-init" >"$tree/init"
	chmod 755 "$tree/init"
	image_modules "$1" "$2" "$lab_dir/dom0/initrd-modules" "$tree/modules"
	image_cpio "$tree" >"$4"
	rm -rf "$tree"
}

# image_build_dom0 FLAVOUR DIR
image_build_dom0() {
	local kver
	local debian=$lab_tmp/debian new=$lab_tmp/dom0-new
	packages_fetch "$1"
	progress "unpacking packages"
	kver=$(packages_kver "$1")
	packages_unpack "$1" "$debian"
	depmod -b "$debian" "$kver"
	mkdir "$new"
	gzip -dc "$debian/boot/xen-4.17-amd64.gz" >"$new/xen"
	cp "$debian/boot/vmlinuz-$kver" "$new/vmlinuz"
	guest_build "$debian" "$kver" "$debian/usr/lib/guest"
	if kernel_own "$1"; then
		images_own_kernel "$1" "$debian" "$new"
		kver=$(kernel_version "$1")
	fi

	progress "building the dom0 image"
	image_initrd "$debian" "$kver" /sbin/lab-init "$new/initrd.img"

	mkdir -p "$debian"/{dev,proc,sys,run,tmp,root,payload,results,var/log,usr/lib/lab}
	install -m 755 "$lab_dir/dom0/init" "$debian/usr/sbin/lab-init"
	install -m 755 "$lab_dir/dom0/agent" "$debian/usr/sbin/lab-agent"
	cp "$debian/usr/share/base-passwd/passwd.master" "$debian/etc/passwd"
	cp "$debian/usr/share/base-passwd/group.master" "$debian/etc/group"
	# QEMU's FXRSTOR on any CPU writes the SVM state of the first one, without
	# a lock; a guest that runs there now and then loses its nested paging.
	echo 'vm.hvm.cpumask="all,^0"' >"$debian/etc/xen/xl.conf"
	ln -sf mawk "$debian/usr/bin/awk"
	ln -sf dash "$debian/usr/bin/sh"
	rm -rf "$debian/var/run" "$debian/var/lock"
	ln -s /run "$debian/var/run"
	ln -s /run/lock "$debian/var/lock"
	ldconfig -r "$debian"
	image_ext4 "$new/root.img" 1536M "$debian"
	rm -rf "$debian"
	mv -T "$new" "$2"
}

# image_build_tools FILE
image_build_tools() {
	local new=$lab_tmp/tools-new.img
	image_squash "$new" 16M "$lab_dir/tools"
	mv -T "$new" "$1"
}

# images_names FLAVOUR: the names are taken once, before anything is built: an
# edit of the recipe while it is followed must not count.
images_names() {
	packages_ensure_list "$1"
	! kernel_own "$1" || kernel_build "$1"
	lab_dom0=$(dom0_dir "$1")
	lab_tools=$(tools_image)
}

# images_build FLAVOUR: build whatever the cache does not have.
images_build() {
	images_names "$1"
	[ -d "$lab_dom0" ] || image_build_dom0 "$1" "$lab_dom0"
	[ -e "$lab_tools" ] || image_build_tools "$lab_tools"
}

# images_clean FLAVOUR: remove what the current recipe does not use.
images_clean() {
	local f keep
	images_names "$1"
	keep="$lab_dom0 $lab_tools $(machine_state wall) $(machine_state exact)"
	for f in "$cache"/{dom0,tools,state}-*; do
		case " $keep " in
		*" $f "*) ;;
		*) rm -rf "$f" ;;
		esac
	done
}
