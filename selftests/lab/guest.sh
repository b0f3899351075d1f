# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# The HVM Linux guest: Debian's own kernel with a small initramfs, as an ELF
# file that the device model puts into the guest's memory (see guest/entry.S).

# guest_unpack VMLINUZ: split a bzImage into setup_header and vmlinux.bin, the
# kernel as it lies in memory (it clears its .bss itself), in this directory.
guest_unpack() {
	local sectors offset length header_end
	sectors=$(guest_field "$1" 0x1f1 1)
	offset=$(($(guest_field "$1" 0x248 4) + (sectors + 1) * 512))
	length=$(guest_field "$1" 0x24c 4)
	header_end=$((0x202 + $(guest_field "$1" 0x201 1)))
	head -c "$header_end" "$1" | tail -c +$((0x1f1 + 1)) >setup_header
	# The payload ends with its size, which xz does not know.
	head -c $((offset + length)) "$1" | tail -c +$((offset + 1)) |
		xz -dc --single-stream >vmlinux || die "the guest kernel is not packed with xz"
	objcopy -O binary -R .bss -R .brk -R .init.scratch vmlinux vmlinux.bin
}

# guest_field FILE OFFSET SIZE: a little-endian number.
guest_field() {
	od -An -v -t "u$3" -j "$(($2))" -N "$3" "$1" | tr -d ' '
}

# guest_link TREE OUT: an ELF file of the kernel and an initramfs of TREE.
guest_link() {
	image_cpio "$1" >initrd.img
	gcc -m32 -ffreestanding -fno-pie -fno-stack-protector -fcf-protection=none \
		-mgeneral-regs-only -Os -Wall -Wextra -static -nostdlib \
		-DKERNEL_ADDR=0x1000000 -Wl,--defsym=KERNEL_ADDR=0x1000000 \
		-Wl,-T,"$lab_dir/guest/entry.lds" -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -o "$2" \
		"$lab_dir/guest/entry.S" "$lab_dir/guest/entry.c"
}

# guest_stub PROGRAM LIBRARY...: a stand-in for libraries that a program is
# linked with but that a test guest has no use for (fio's network engines come
# with 100 MB of them). It defines what PROGRAM wants and traps if called.
guest_stub() {
	local program=$1 lib
	shift
	nm -D --undefined-only "$program" | awk '{ print $2 }' |
		grep -E '^(glfs|ibv|nbd|pmem|pmemblk|rados|rbd|rdma)_' >stub.symbols
	sed -E 's/@.*//; s/.*/\t.globl &\n\t.type &, @function\n&:\tud2/' stub.symbols >stub.S
	awk -F '@+' 'NF == 2 { nodes[$2] = nodes[$2] $1 ";" }
		END { for (n in nodes) print n " { global: " nodes[n] " };" }' \
		stub.symbols >stub.map
	for lib; do
		gcc -shared -nostdlib -Wl,-soname,"$lib" -Wl,--version-script=stub.map \
			-Wl,-z,noexecstack -o "$lib" stub.S
	done
}

# guest_bundle TREE DEST: copy the tools with the libraries they need.
guest_bundle() {
	local tree=$1 dest=$2 p lib
	local -a stubs=(libgfapi.so.0 libibverbs.so.1 libnbd.so.0 libpmem.so.1
		libpmemblk.so.1 librados.so.2 librbd.so.1 librdmacm.so.1)
	mkdir -p "$dest/tools/bin" "$dest/lib" "$dest/lib64"
	guest_stub "$tree/usr/bin/fio" "${stubs[@]}"
	mv "${stubs[@]}" "$dest/lib/"
	while read -r p; do
		case $p in "#"* | "") continue ;; esac
		cp -L "$tree/$p" "$dest/tools/bin/"
		"$tree/lib64/ld-linux-x86-64.so.2" --list \
			--library-path "$dest/lib:$tree/usr/lib/x86_64-linux-gnu" "$tree/$p" |
			awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
			while read -r lib; do
				[ -e "$dest/lib/${lib##*/}" ] || cp -L "$lib" "$dest/lib/"
			done
	done <"$lab_dir/guest/tools"
	ln -s mke2fs "$dest/tools/bin/mkfs.ext4"
	cp -L "$tree/lib64/ld-linux-x86-64.so.2" "$dest/lib64/"
}

# guest_build TREE KVER DEST: linux.elf, and tools.elf with more programs.
guest_build() {
	local from=$1 kver=$2 dest=$3 work=$lab_tmp/guest tree=$lab_tmp/guest/tree
	progress "building the guest"
	mkdir -p "$work" "$tree"/{bin,sbin,dev,lib} "$dest"
	cp "$from/bin/busybox" "$tree/bin/busybox"
	install -m 755 "$lab_dir/guest/init" "$tree/init"
	image_modules "$from" "$kver" "$lab_dir/guest/modules" "$tree/lib/modules/$kver"
	cp "$from/lib/modules/$kver"/modules.{builtin,builtin.modinfo,order} \
		"$tree/lib/modules/$kver/"
	depmod -b "$tree" "$kver"
	(
		cd "$work" || exit
		guest_unpack "$from/boot/vmlinuz-$kver"
		guest_link "$tree" "$dest/linux.elf"
		guest_bundle "$from" "$tree"
		guest_link "$tree" "$dest/tools.elf"
	)
	rm -rf "$work"
}
