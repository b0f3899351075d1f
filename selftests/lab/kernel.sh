# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# Kernels of our own for dom0: flavour NAME has Debian's kernel source with the
# configuration of kernel/common and kernel/NAME.config. Everything else of dom0,
# and the guests' kernel, are those of the flavour without a configuration.

kernel_source=/usr/src/linux-source-6.1.tar.xz

# kernel_own FLAVOUR: it has a kernel of its own.
kernel_own() {
	[ -e "$lab_dir/kernel/$1.config" ]
}

# kernel_deps: "FILE PACKAGE" as in deps_table.
kernel_deps() {
	cat <<-EOF
		$kernel_source linux-source-6.1
		/usr/bin/flex flex
		/usr/bin/bison bison
		/usr/bin/bc bc
		/usr/include/libelf.h libelf-dev
	EOF
}

# kernel_dir FLAVOUR: kdir/ to build modules in, vmlinuz, lib/modules/VERSION.
kernel_dir() {
	echo "$cache/kernel-$1-$(hash_of "$lab_dir/kernel.sh" "$lab_dir/kernel/common" \
		"$lab_dir/kernel/kasan_pv.c" "$lab_dir/kernel/$1.config" <(stat -Lc '%s %Y' "$kernel_source"))"
}

kernel_version() {
	cat "$(kernel_dir "$1")/kdir/include/config/kernel.release"
}

# kernel_make ARG...: make what is not worth a line on the terminal.
kernel_make() {
	make -s -C "$lab_tmp/kernel/kdir" -j "$(nproc)" "$@" >>"$lab_tmp/kernel.log" 2>&1 || {
		tail -n 20 "$lab_tmp/kernel.log" >&2
		die "the kernel does not build"
	}
}

# kernel_configure CONFIG: what it asks for must be what comes of it.
kernel_configure() {
	local line lost=
	kernel_make KCONFIG_ALLCONFIG="$1" allnoconfig
	while read -r line; do
		grep -qxF "$line" "$lab_tmp/kernel/kdir/.config" || lost+=" $line"
	done < <(grep '^CONFIG_' "$1")
	[ -z "$lost" ] || die "the kernel's configuration does not take:$lost"
}

# kernel_patch: what Linux 6.1 lacks.
kernel_patch() {
	local dir=$lab_tmp/kernel/kdir
	# Its order with mmap_lock is reported at once, after which lockdep is off.
	sed -i 's/mutex_init(&priv->lock);/& lockdep_set_novalidate_class(\&priv->lock);/' \
		"$dir/drivers/xen/gntdev.c"
	# As in Linux 6.2: faults only for those who have some function on their
	# stack, who are counted alone then.
	sed -i '/^config FAULT_INJECTION_STACKTRACE_FILTER/,/^$/{/depends on !X86_64/d}' \
		"$dir/lib/Kconfig.debug"
	sed -i -e '/if (!fail_stacktrace(attr))/,+1d' \
		-e '/if (atomic_read(&attr->space) > size) {/i if (!fail_stacktrace(attr)) return false;' \
		"$dir/lib/fault-inject.c"
	# As in later kernels: a connection does not wait for a workqueue that may wait for
	# it, which lockdep reports, and is off then.
	sed -i '/^static u16 nvmet_tcp_install_queue/,/^}/{/if (sq->qid == 0) {/,/^\t}/d}' \
		"$dir/drivers/nvme/target/tcp.c"
	# What is certain needs no random number, whose lock must not be taken where
	# functions are made to fail: lockdep reports it, and is off then.
	sed -i 's/if (attr->probability <= prandom/if (attr->probability < 100 \&\& attr->probability <= prandom/' \
		"$dir/lib/fault-inject.c"
}

# kernel_patch_kasan DIR: kasan_pv.c says what it is about. All of a kernel under
# KASAN would not start in time; what works on the module's objects is watched.
kernel_patch_kasan() {
	local part x86=$1/arch/x86 table='pfn == PFN_DOWN(__pa_symbol(kasan_early_shadow_pte))'
	for part in block drivers/xen drivers/xen/events drivers/xen/xenbus; do
		sed -i '2i KASAN_SANITIZE := y' "$1/$part/Makefile"
	done
	cp "$lab_dir/kernel/kasan_pv.c" "$x86/xen/"
	echo "obj-\$(CONFIG_KASAN) += kasan_pv.o" >>"$x86/xen/Makefile"
	sed -i '/^#ifdef CONFIG_KASAN$/a extern bool kasan_pv_ready;\n#define kasan_arch_is_ready() kasan_pv_ready\nvoid kasan_pv_tables(void);' \
		"$x86/include/asm/kasan.h"
	# Which is only asked where the compiler does not look by itself.
	sed -i '/select HAVE_ARCH_KASAN\t/a \\tselect ARCH_DISABLE_KASAN_INLINE' "$x86/Kconfig"
	sed -i -e '/load_cr3(/d' -e 's/^\tclear_pgds(.*;/\tkasan_pv_tables();/' \
		-e '/^static void __init clear_pgds/,/^}/d' \
		-e 's/MEMBLOCK_ALLOC_ACCESSIBLE/MEMBLOCK_ALLOC_NOLEAKTRACE/' \
		-e '/init_task.kasan_depth = 0;/a \\tkasan_pv_ready = true;' \
		"$x86/mm/kasan_init_64.c"
	# Xen pins a table once; this one is referred to from many places.
	sed -i -e 's,#include <linux/gfp.h>,&\n#include <linux/kasan.h>,' \
		-e "s/USE_SPLIT_PTE_PTLOCKS && !pinned/& \\&\\&\n!(IS_ENABLED(CONFIG_KASAN) \\&\\& $table)/" \
		"$x86/xen/mmu_pv.c"
}

# kernel_build FLAVOUR: have it in the cache. Takes minutes.
kernel_build() {
	local dir new=$lab_tmp/kernel
	dir=$(kernel_dir "$1")
	[ ! -d "$dir" ] || return 0
	[ -e "$kernel_source" ] || die "no $kernel_source: lab deps"
	progress "building the $1 kernel"
	mkdir "$new" "$new/kdir"
	tar -C "$new/kdir" --strip-components=1 -xf "$kernel_source"
	kernel_patch
	! grep -qx CONFIG_KASAN=y "$lab_dir/kernel/$1.config" || kernel_patch_kasan "$new/kdir"
	cat "$lab_dir/kernel/common" "$lab_dir/kernel/$1.config" >"$lab_tmp/kernel.config"
	kernel_configure "$lab_tmp/kernel.config"
	# What is built here is not watched, by KCSAN or KASAN, but for the parts that
	# kernel_patch_kasan() names; what is built for it is.
	export KASAN_SANITIZE=n
	kernel_make KCSAN_SANITIZE=n bzImage modules
	unset KASAN_SANITIZE
	kernel_make INSTALL_MOD_PATH="$new" INSTALL_MOD_STRIP=1 modules_install
	rm -f "$new"/lib/modules/*/{build,source}
	cp "$new/kdir/arch/x86/boot/bzImage" "$new/vmlinuz"
	cp "$new/kdir/System.map" "$new/"
	# To build modules it takes headers, makefiles and the build's own tools.
	find "$new/kdir" -mindepth 1 -maxdepth 1 -type d ! -name arch ! -name include \
		! -name scripts ! -name tools -exec rm -rf {} +
	find "$new"/kdir/{arch,tools} -mindepth 1 -maxdepth 1 ! -name x86 ! -name objtool \
		-exec rm -rf {} +
	find "$new/kdir/arch" -name '*.[oac]' -delete
	rm -f "$new"/kdir/{vmlinux*,*.a,.tmp*,.vmlinux*}
	mv -T "$new" "$dir"
}
