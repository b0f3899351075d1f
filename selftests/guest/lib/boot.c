// SPDX-License-Identifier: GPL-2.0
/*
 * From the loader's information to a running harness.
 *
 * Xen's domain builder leaves the address of its start information in %ebx
 * (struct hvm_start_info of Xen's public interface). A domain with a device
 * model gets no command line there, but the file that xl calls the BIOS is
 * loaded as it is and listed as a module: the arguments are that file's text.
 * A multiboot loader gives the arguments as its command line.
 */
#include "boot.h"
#include "apic.h"
#include "console.h"
#include "harness.h"
#include "io.h"
#include "mem.h"
#include "string.h"
#include "time.h"
#include "xen.h"

#define MULTIBOOT_MAGIC		0x2badb002
#define HVM_START_MAGIC		0x336ec578
#define HVM_INFO_TABLE		0x9f800
#define MEM_RAM			1

struct hvm_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	u32 memmap_entries, reserved;
};

struct hvm_module {
	u64 paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap {
	u64 addr, size;
	u32 type, reserved;
};

struct hvm_info_table {
	char signature[8];
	u32 length;
	u8 checksum, apic_mode;
	u32 nr_vcpus, low_mem_pgend;
};

struct multiboot_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	u32 mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct multiboot_mmap {
	u32 size;		/* of what follows */
	u64 addr, len;
	u32 type;
} __packed;

extern u8 __image_end[];
void boot_main(u32 magic, void *info);

struct boot_info boot;
bool cpu_has_sse2;

static void args_set(const char *s, u32 len)
{
	u32 i;

	len = min(len, (u32)BOOT_ARGS_MAX - 1);
	for (i = 0; i < len && s[i]; i++)
		boot.args[i] = (u8)s[i] <= ' ' ? ' ' : s[i];
	boot.args[i] = '\0';
}

const char *arg_find(const char *key)
{
	const char *p = boot.args, *found = NULL;
	u32 len = strlen(key);

	while (*p) {
		if (!strncmp(p, key, len) && p[len] == '=')
			found = p + len + 1;
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
	return found;
}

u64 arg_u64(const char *key, u64 dflt)
{
	const char *v = arg_find(key);

	return v ? str_to_u64(v, NULL) : dflt;
}

bool arg_is(const char *key, const char *value)
{
	const char *v = arg_find(key);
	u32 len = strlen(value);

	return v && !strncmp(v, value, len) && (v[len] == ' ' || !v[len]);
}

/* Take the RAM region above 1 MiB in which the image lies. */
static void mem_region(u64 addr, u64 size, u32 type)
{
	u64 end = min(addr + size, 0xf0000000ull);

	if (type == MEM_RAM && addr <= phys(__image_end) && end > phys(__image_end))
		boot.mem_end = (u32)end;
}

/* Whatever the loader put behind the image stays where it is. */
static void mem_keep(u64 addr, u64 size)
{
	if (addr + size < 0xf0000000ull)
		boot.mem_start = max(boot.mem_start, (u32)(addr + size));
}

static void boot_xen(const struct hvm_start_info *si)
{
	const struct hvm_info_table *hi = (void *)HVM_INFO_TABLE;
	const struct hvm_module *mod = (void *)(uintptr_t)si->modlist_paddr;
	const struct hvm_memmap *map = (void *)(uintptr_t)si->memmap_paddr;
	u32 i;

	boot.kind = BOOT_XEN_HVM;
	mem_keep(phys(si), PAGE_SIZE);
	if (si->cmdline_paddr)
		args_set((void *)(uintptr_t)si->cmdline_paddr, BOOT_ARGS_MAX);
	for (i = 0; i < si->nr_modules; i++) {
		mem_keep(mod[i].paddr, mod[i].size);
		/* A real BIOS there has no place in the arguments. */
		if (!i && mod[i].size < BOOT_ARGS_MAX)
			args_set((void *)(uintptr_t)mod[i].paddr, (u32)mod[i].size);
	}
	if (si->version >= 1) {
		for (i = 0; i < si->memmap_entries; i++)
			mem_region(map[i].addr, map[i].size, map[i].type);
		mem_keep(si->memmap_paddr, si->memmap_entries * sizeof(*map));
	}
	if (!memcmp(hi->signature, "HVM INFO", 8)) {
		boot.nr_cpus = hi->nr_vcpus;
		if (!boot.mem_end)
			boot.mem_end = hi->low_mem_pgend << PAGE_SHIFT;
	}
}

static void boot_multiboot(const struct multiboot_info *mi)
{
	u32 off;

	boot.kind = BOOT_MULTIBOOT;
	if (mi->flags & BIT(2)) {
		const char *p = (void *)mi->cmdline;

		/* Its first word is the image's name. */
		while (*p && *p != ' ')
			p++;
		args_set(p, BOOT_ARGS_MAX);
	}
	if (mi->flags & BIT(6)) {
		for (off = 0; off < mi->mmap_length;) {
			struct multiboot_mmap *m = (void *)(mi->mmap_addr + off);

			mem_region(m->addr, m->len, m->type);
			off += m->size + 4;
		}
	}
}

void cpu_features_enable(void)
{
	u32 r[4], cr;

	cpuid(1, 0, r);
	if (!(r[3] & BIT(26)))
		return;
	__asm__ __volatile__("movl %%cr0, %0" : "=r"(cr));
	__asm__ __volatile__("movl %0, %%cr0" :: "r"((cr & ~(BIT(2) | BIT(3))) | BIT(1)));
	__asm__ __volatile__("movl %%cr4, %0" : "=r"(cr));
	__asm__ __volatile__("movl %0, %%cr4" :: "r"(cr | BIT(9)));	/* OSFXSR */
	cpu_has_sse2 = true;
}

void guest_exit(int status)
{
	console_flush();
	printf("# tiny-guest: exit %d\n", status);
	xen_shutdown(SHUTDOWN_POWEROFF);
	outl(0xf4, status);		/* QEMU's isa-debug-exit */
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void boot_main(u32 magic, void *info)
{
	static const char *const kinds[] = { "unknown", "Xen HVM", "multiboot" };
	const struct hvm_start_info *si = info;

	boot.mem_start = (u32)phys(__image_end);
	if (magic == MULTIBOOT_MAGIC)
		boot_multiboot(info);
	else if (si && si->magic == HVM_START_MAGIC)
		boot_xen(si);
	if (!boot.mem_end)
		boot.mem_end = (u32)arg_u64("mem", 32) << 20;

	idt_init();
	cpu_features_enable();
	xen_init();
	console_init(arg_is("console", "serial") ? "serial" :
		     arg_is("console", "xen") ? "xen" :
		     arg_is("console", "both") ? "both" : "");
	time_init();
	mem_init();
	pic_mask();
	apic_enable();
	printf("# tiny-guest: start (%s%s, memory %x-%x, TSC %u kHz)\n",
	       kinds[boot.kind], xen_present() ? ", hypercalls" : "",
	       boot.mem_start, boot.mem_end, tsc_khz());
	printf("# arguments:%s%s\n", boot.args[0] == ' ' ? "" : " ", boot.args);

	guest_exit(harness_run() ? 1 : 0);
}
