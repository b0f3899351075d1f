// SPDX-License-Identifier: GPL-2.0
/*
 * Turn the PVH start info into the kernel's boot parameters ("zero page").
 * Offsets are those of Linux's Documentation/arch/x86/zero-page.rst.
 */
#include <stdint.h>

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_entries;
};

struct memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

#define ACPI_RSDP	0x070
#define E820_ENTRIES	0x1e8
#define SETUP_HEADER	0x1f1
#define LOADER_TYPE	0x210
#define RAMDISK_IMAGE	0x218
#define RAMDISK_SIZE	0x21c
#define CMD_LINE_PTR	0x228
#define E820_TABLE	0x2d0
#define E820_MAX	128

extern const uint8_t setup_header[], setup_header_end[];
extern const char initrd_start[], initrd_end[];

uint8_t boot_params[4096] __attribute__((aligned(4096)));

static void put(unsigned int offset, const void *from, unsigned int size)
{
	const uint8_t *byte = from;

	while (size--)
		boot_params[offset++] = *byte++;
}

static void put32(unsigned int offset, uint32_t value)
{
	put(offset, &value, sizeof(value));
}

void fill_boot_params(const struct start_info *info)
{
	const struct memmap_entry *map = (void *)(uint32_t)info->memmap;
	uint32_t i, n = info->memmap_entries;
	uint8_t loader = 0xff;

	if (n > E820_MAX)
		n = E820_MAX;
	put(SETUP_HEADER, setup_header, setup_header_end - setup_header);
	put(LOADER_TYPE, &loader, sizeof(loader));
	put(ACPI_RSDP, &info->rsdp, sizeof(info->rsdp));
	put32(RAMDISK_IMAGE, (uint32_t)initrd_start);
	put32(RAMDISK_SIZE, initrd_end - initrd_start);
	put32(CMD_LINE_PTR, (uint32_t)info->cmdline);
	for (i = 0; i < n; i++)
		put(E820_TABLE + i * 20, &map[i], 20);
	loader = n;
	put(E820_ENTRIES, &loader, sizeof(loader));
}
