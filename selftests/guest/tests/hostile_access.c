// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of every width and alignment, with and without REP, to configuration
 * space, registers, doorbells and the MSI-X table; messages to everywhere. Another
 * CPU keeps a queue pair busy meanwhile.
 */
#include "hostile.h"
#include "apic.h"
#include "io.h"

#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc

SUITE(hostile_access, .setup = hostile_noisy_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

static void config_select(u32 off)
{
	outl(CONFIG_ADDRESS, 0x80000000 | (u32)nvme.pci.dev << 11 | (off & 0xfc));
}

/* Ports 0xcfc to 0xcff by all widths, also beyond the last one. */
TEST(hostile_access, config_reads)
{
	u32 off, port;

	for (off = 0; off < 256; off += 4) {
		config_select(off);
		for (port = 0; port < 4; port++) {
			inb(CONFIG_DATA + port);
			inw(CONFIG_DATA + port);
			inl(CONFIG_DATA + port);
		}
	}
	hostile_recover();
}

TEST(hostile_access, config_writes)
{
	u32 off, port, v;

	for (off = 0; off < 256; off += 4) {
		for (port = 0; port < 4; port++) {
			v = port & 1 ? rnd() : ~0u;
			config_select(off);
			outl(CONFIG_DATA + port, v);
			outw(CONFIG_DATA + port, (u16)rnd());
			outb(CONFIG_DATA + port, (u8)rnd());
		}
	}
	hostile_recover();
}

/* REP INS and OUTS of @width bytes, forwards or backwards. */
static void rep_in(u16 port, u32 width, u64 addr, u32 count, bool down)
{
	void *p = (void *)(uintptr_t)addr;

	if (down)
		__asm__ __volatile__("std" ::: "cc");
	if (width == 1)
		__asm__ __volatile__("rep insb" : "+D"(p), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		__asm__ __volatile__("rep insw" : "+D"(p), "+c"(count) : "d"(port) : "memory");
	else
		__asm__ __volatile__("rep insl" : "+D"(p), "+c"(count) : "d"(port) : "memory");
	__asm__ __volatile__("cld" ::: "cc");
}

static void rep_out(u16 port, u32 width, u64 addr, u32 count, bool down)
{
	void *p = (void *)(uintptr_t)addr;

	if (down)
		__asm__ __volatile__("std" ::: "cc");
	if (width == 1)
		__asm__ __volatile__("rep outsb" : "+S"(p), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		__asm__ __volatile__("rep outsw" : "+S"(p), "+c"(count) : "d"(port) : "memory");
	else
		__asm__ __volatile__("rep outsl" : "+S"(p), "+c"(count) : "d"(port) : "memory");
	__asm__ __volatile__("cld" ::: "cc");
}

TEST(hostile_access, config_rep)
{
	u64 middle = phys(page_alloc(4)) + 2 * PAGE_SIZE;
	u32 width, down, off;

	for (off = 0; off < 0x60; off += 0x1c) {
		for (width = 1; width <= 4; width *= 2) {
			for (down = 0; down < 2; down++) {
				config_select(off);
				/* Across a page, then aligned and not */
				rep_in(CONFIG_DATA, width, middle - 3, 8, down);
				rep_in(CONFIG_DATA + 1, width, middle, 16, down);
				rep_out(CONFIG_DATA, width, middle - 2, 8, down);
				rep_out(CONFIG_DATA + 3, width, middle, 16, down);
			}
		}
	}
	hostile_recover();
}

static void rep_movs(u64 to, u64 from, u32 width, u32 count, bool down)
{
	void *d = (void *)(uintptr_t)to, *s = (void *)(uintptr_t)from;

	if (down)
		__asm__ __volatile__("std" ::: "cc");
	if (width == 1)
		__asm__ __volatile__("rep movsb" : "+D"(d), "+S"(s), "+c"(count) :: "memory");
	else if (width == 2)
		__asm__ __volatile__("rep movsw" : "+D"(d), "+S"(s), "+c"(count) :: "memory");
	else
		__asm__ __volatile__("rep movsl" : "+D"(d), "+S"(s), "+c"(count) :: "memory");
	__asm__ __volatile__("cld" ::: "cc");
}

static void rep_stos(u64 to, u32 v, u32 width, u32 count, bool down)
{
	void *d = (void *)(uintptr_t)to;

	if (down)
		__asm__ __volatile__("std" ::: "cc");
	if (width == 1)
		__asm__ __volatile__("rep stosb" : "+D"(d), "+c"(count) : "a"(v) : "memory");
	else if (width == 2)
		__asm__ __volatile__("rep stosw" : "+D"(d), "+c"(count) : "a"(v) : "memory");
	else
		__asm__ __volatile__("rep stosl" : "+D"(d), "+c"(count) : "a"(v) : "memory");
	__asm__ __volatile__("cld" ::: "cc");
}

/* What comes to be in the MSI-X table below must not be sent. */
static void mask_messages(void)
{
	if (nvme.pci.msix_cap)
		msix_control(&nvme.pci, 0, MSIX_CONTROL_MASKALL);
}

/* Offsets in BAR 0 where one thing ends and another begins, and its end. */
static const u32 edges[] = {
	0, 0x0c, 0x14, 0x1c, 0x24, 0x30, 0x38, 0xffc, 0x1000, 0x1008, 0x11f8,
	0x1208, 0x1ffc, 0x2000, 0x2408, 0x240c, 0x2410, 0x2ffc, 0x3000, 0x3ff0, 0x3ffc,
};

TEST(hostile_access, registers_unaligned)
{
	u32 i, by, v;

	mask_messages();
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		for (by = 0; by < 4; by++) {
			uintptr_t a = nvme.bar + edges[i] + by;

			mmio_read8(a);
			mmio_read16(a);
			v = mmio_read32(a);
			if (cpu_has_sse2)
				mmio_read64_once(a);
			/* What was there, then what was not; CC stays valid */
			mmio_write8(a, (u8)v);
			mmio_write16(a, (u16)v);
			mmio_write32(a, by ? rnd() : v);
			if (cpu_has_sse2 && by)
				mmio_write64_once(a, rnd());
		}
	}
	hostile_recover();
}

TEST(hostile_access, registers_rep)
{
	u64 ram = phys(page_alloc(4)) + 2 * PAGE_SIZE;
	u32 i, width, down;

	mask_messages();
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		for (width = 1; width <= 4; width *= 2) {
			for (down = 0; down < 2; down++) {
				u64 a = nvme.bar + edges[i];

				rep_movs(ram - 6, a, width, 8, down);
				rep_movs(a, ram - 6, width, 8, down);
				rep_movs(a, nvme.bar + edges[(i + 3) % ARRAY_SIZE(edges)],
					 width, 3, down);
				rep_stos(a, rnd(), width, 5, down);
			}
		}
	}
	hostile_recover();
}

/* Read-modify-write instructions, which are two accesses to the device. */
TEST(hostile_access, registers_read_modify_write)
{
	u32 i, v, *p;

	mask_messages();
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		p = (u32 *)(nvme.bar + edges[i]);
		v = rnd();
		__asm__ __volatile__("xchgl %0, %1" : "+r"(v), "+m"(*p) :: "memory");
		__asm__ __volatile__("lock; orl %0, %1" :: "r"(v), "m"(*p) : "memory", "cc");
		__asm__ __volatile__("lock; andl %0, %1" :: "r"(v), "m"(*p) : "memory", "cc");
		__asm__ __volatile__("lock; xaddl %0, %1" : "+r"(v), "+m"(*p) :: "memory", "cc");
		__asm__ __volatile__("lock; cmpxchgl %1, %0" : "+m"(*p) : "r"(v), "a"(v)
				     : "memory", "cc");
	}
	hostile_recover();
}

/* One long run over all doorbells, then one over the whole BAR. */
TEST(hostile_access, rep_over_everything)
{
	u64 ram = phys(page_alloc(8));

	mask_messages();
	rep_stos(nvme.bar + NVME_DOORBELLS, 5, 4, 0x400, false);
	rep_movs(ram, nvme.bar, 4, 0x1000, false);
	rep_stos(nvme.bar + 0x3ffc, ~0u, 4, 0x400, true);
	hostile_recover();
}

TEST(hostile_access, msix_table)
{
	u32 entry, off, width;

	SKIP_IF(!nvme.pci.msix_cap, "no MSI-X");
	for (entry = 0; entry < nvme.pci.msix_count; entry += 13) {
		for (off = 0; off < 16; off++) {
			/* The data is a vector: one that is harmless here */
			uintptr_t a = nvme.pci.msix_table + entry * 16 + off;
			bool data = off >= 8 && off < 12;

			for (width = 1; width <= 4; width *= 2) {
				u32 v = data ? 0x40404040 : rnd() & ~0x700u;

				if (width == 1)
					mmio_write8(a, (u8)v);
				else if (width == 2)
					mmio_write16(a, (u16)v);
				else
					mmio_write32(a, v);
			}
			mmio_read8(a);
			mmio_read16(a);
			mmio_read32(a);
		}
		mmio_write32(nvme.pci.msix_table + entry * 16 + MSIX_ENTRY_DATA, VEC_DEVICE);
		mmio_write32(nvme.pci.msix_table + entry * 16 + MSIX_ENTRY_CTRL, 0);
	}
	/* Beyond the table, its pending bits, and back */
	rep_stos(nvme.pci.msix_pba, ~0u, 4, 8, false);
	irq_settle(quiet_ns() / 10);
	hostile_recover();
}

static const u64 message_addrs[] = {
	0, 0x8, 0x1000, 0xa0000, 0x7fffffff, 0xfec00000, 0xfee00000,
	0xfee00004, 0xfee0000c, 0xfee01000, 0xfeeff000, 0xfeefffff,
	0xfef00000, 0xffffffff, 0x1fee00000ull, 0xff000000fee00000ull,
	0x100fee00000ull, 0x8000000000000000ull, ~0ull, 0xffffffff00000000ull,
};

static const u32 message_datas[] = {
	0, 1, 15, 0x40, 0xfe, 0x140, 0x4040, 0xc040, 0xffff0040, 0x80000000,
	0xfffff000,
};

/*
 * Messages to every kind of address. Delivery modes stay fixed and lowest
 * priority: the others are for the guest's own CPUs to suffer.
 */
TEST(hostile_access, messages_everywhere)
{
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	uintptr_t entry;
	u32 i, k;

	SKIP_IF(!nvme.pci.msix_cap, "no MSI-X");
	ASSERT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	ASSERT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, true);
	entry = nvme.pci.msix_table + io_cq.vector * 16;
	for (i = 0; i < ARRAY_SIZE(message_addrs); i++) {
		for (k = 0; k < ARRAY_SIZE(message_datas); k++) {
			mmio_write32(entry + MSIX_ENTRY_CTRL, 1);
			mmio_write32(entry + MSIX_ENTRY_ADDR, (u32)message_addrs[i]);
			mmio_write32(entry + MSIX_ENTRY_UPPER, message_addrs[i] >> 32);
			mmio_write32(entry + MSIX_ENTRY_DATA, message_datas[k]);
			mmio_write32(entry + MSIX_ENTRY_CTRL, 0);
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
		}
		irq_settle(NSEC_PER_MSEC);
	}
	hostile_recover();
}

/* The capability's registers (PCI 3.0, 6.8.1), with 64-bit addresses and masks */
#define MSI_CONTROL		2
#define  MSI_CONTROL_ENABLE	0x0001
#define  MSI_CONTROL_MME	4	/* shift: log2 of the messages enabled */
#define  MSI_CONTROL_64		0x0080
#define MSI_ADDR		4
#define MSI_UPPER		8
#define MSI_DATA		12
#define MSI_MASK		16

/* The same without MSI-X, with every number of messages, and masked meanwhile. */
TEST(hostile_access, plain_messages_everywhere)
{
	static const u16 datas[] = { 0, 1, 15, 0x40, 0xfe, 0x140, 0x4040, 0xc040 };
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	u8 cap = pci_find_cap(&nvme.pci, PCI_CAP_MSI, 0);
	u32 i, k, n, vec = VEC_DEVICE + 6;

	SKIP_IF(!cap, "no MSI");
	ASSERT(pci_read16(&nvme.pci, cap + MSI_CONTROL) & MSI_CONTROL_64);
	ASSERT_STATUS(nvme_delete_sq(1), SC_SUCCESS);
	ASSERT_STATUS(nvme_delete_cq(1), SC_SUCCESS);
	/* Message 0, which is there with every number of messages */
	nvme_cq_init(&io_cq, 1, IO_DEPTH, 0, true);
	nvme_sq_init(&io_sq, 1, IO_DEPTH, &io_cq);
	ASSERT_STATUS(nvme_create_cq(&io_cq), SC_SUCCESS);
	ASSERT_STATUS(nvme_create_sq(&io_sq), SC_SUCCESS);
	msix_control(&nvme.pci, MSIX_CONTROL_ENABLE, 0);
	for (i = 0; i < ARRAY_SIZE(message_addrs); i++) {
		for (k = 0; k < ARRAY_SIZE(datas); k++) {
			pci_write32(&nvme.pci, cap + MSI_MASK, ~0u);
			pci_write32(&nvme.pci, cap + MSI_ADDR, (u32)message_addrs[i]);
			pci_write32(&nvme.pci, cap + MSI_UPPER, message_addrs[i] >> 32);
			pci_write16(&nvme.pci, cap + MSI_DATA, datas[k]);
			pci_write16(&nvme.pci, cap + MSI_CONTROL,
				    ((i + k) & 7) << MSI_CONTROL_MME | MSI_CONTROL_ENABLE);
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
			/* One is pending now, and leaves with the mask. */
			pci_write32(&nvme.pci, cap + MSI_MASK, 0);
			ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
		}
		irq_settle(NSEC_PER_MSEC);
	}
	/* To where it should be, it comes. */
	ASSERT(msi_enable(&nvme.pci, vec));
	n = irq_count(vec);
	ASSERT_STATUS(io_exec(&c), SC_SUCCESS);
	EXPECT(irq_wait_count(vec, n + 1, timeout_ns()));
	msi_disable(&nvme.pci);
	hostile_recover();
}
