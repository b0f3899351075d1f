// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function: configuration space, BARs, capabilities and MSI-X, by the
 * PCI Local Bus Specification 3.0 and, where present, PCI Express.
 */
#include "apic.h"
#include "harness.h"
#include "mem.h"
#include "nvme.h"
#include "time.h"

#define EXP_DEVCAP		4
#define EXP_DEVCAP_FLR		BIT(28)
#define EXP_DEVCTL		8
#define EXP_DEVCTL_FLR		BIT(15)
#define PM_CTRL			4
#define PM_CTRL_NO_SOFT_RESET	BIT(3)

static struct pci_dev *dev;

static void setup(void)
{
	nvme_attach();
	dev = &nvme.pci;
}

static void teardown(void)
{
	int gsi;

	if (!dev)
		return;
	gsi = pci_intx_gsi(dev);
	if (gsi >= 0)
		ioapic_mask(gsi);
	nvme_forget(false);
	nvme_stop();
}

static void setup_msix(void)
{
	setup();
	SKIP_IF(!dev->msix_cap, "no MSI-X");
}

static void teardown_msix(void)
{
	if (!dev)
		return;
	nvme_forget(true);
	nvme_stop();
}

SUITE(pci, .setup = setup, .teardown = teardown);
SUITE(msix, .setup = setup_msix, .teardown = teardown_msix);

TEST(pci, identity)
{
	EXPECT_NE(dev->vendor, 0xffff);
	EXPECT_NE(dev->vendor, 0);
	EXPECT_EQ(pci_read32(dev, PCI_REVISION_ID) >> 8, 0x010802);
	EXPECT_EQ(pci_read8(dev, PCI_HEADER_TYPE) & 0x7f, 0);
}

TEST(pci, absent_function_reads_ones)
{
	struct pci_dev d = { .dev = dev->dev, .fn = 7 };

	SKIP_IF(pci_read8(dev, PCI_HEADER_TYPE) & 0x80, "multi-function device");
	EXPECT_EQ(pci_read32(&d, 0), 0xffffffff);
	EXPECT_EQ(pci_read16(&d, 2), 0xffff);
	EXPECT_EQ(pci_read8(&d, 9), 0xff);
}

/* All of the header and the capabilities by dword, word and byte. */
TEST(pci, read_widths_agree)
{
	u32 off, i, v;

	for (off = 0; off < 0x100; off += 4) {
		v = pci_read32(dev, off);
		for (i = 0; i < 4; i++)
			if (!EXPECT_EQ(pci_read8(dev, off + i), (v >> i * 8) & 0xff))
				test_note("byte at %02x", off + i);
		for (i = 0; i < 4; i += 2)
			if (!EXPECT_EQ(pci_read16(dev, off + i), (v >> i * 8) & 0xffff))
				test_note("word at %02x", off + i);
	}
}

/* The middle two bytes of a dword: two byte enables like any other. */
TEST(pci, read_odd_words)
{
	u32 off;

	for (off = 0; off < 0x40; off += 4)
		if (!EXPECT_EQ(pci_read16(dev, off + 1),
			       (pci_read32(dev, off) >> 8) & 0xffff))
			test_note("word at %02x", off + 1);
}

TEST(pci, write_widths)
{
	u32 old = pci_read32(dev, PCI_INTERRUPT_LINE);

	/* The interrupt line is a scratch register; its neighbours are not. */
	pci_write8(dev, PCI_INTERRUPT_LINE, 0x5a);
	EXPECT_EQ(pci_read32(dev, PCI_INTERRUPT_LINE), (old & 0xffffff00) | 0x5a);
	pci_write16(dev, PCI_INTERRUPT_LINE, 0xffa5);
	EXPECT_EQ(pci_read32(dev, PCI_INTERRUPT_LINE), (old & 0xffffff00) | 0xa5);
	pci_write32(dev, PCI_INTERRUPT_LINE, 0xffffff3c);
	EXPECT_EQ(pci_read32(dev, PCI_INTERRUPT_LINE), (old & 0xffffff00) | 0x3c);
	pci_write8(dev, PCI_INTERRUPT_PIN, ~0);
	EXPECT_EQ(pci_read32(dev, PCI_INTERRUPT_LINE), (old & 0xffffff00) | 0x3c);
	pci_write8(dev, PCI_INTERRUPT_LINE, old);
	EXPECT_EQ(pci_read32(dev, PCI_INTERRUPT_LINE), old);
}

TEST(pci, read_only_fields)
{
	static const u8 fixed[] = {
		PCI_VENDOR_ID, PCI_REVISION_ID, 0x28, PCI_SUBSYSTEM_VENDOR_ID,
		PCI_CAP_PTR, 0x38,
	};
	u32 i, old;

	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		old = pci_read32(dev, fixed[i]);
		pci_write32(dev, fixed[i], ~old);
		if (!EXPECT_EQ(pci_read32(dev, fixed[i]), old))
			test_note("dword at %02x", fixed[i]);
		pci_write32(dev, fixed[i], 0);
		pci_write32(dev, fixed[i], ~0u);
		EXPECT_EQ(pci_read32(dev, fixed[i]), old);
	}
	old = pci_read8(dev, PCI_HEADER_TYPE);
	pci_write8(dev, PCI_HEADER_TYPE, ~old);
	EXPECT_EQ(pci_read8(dev, PCI_HEADER_TYPE), old);
	old = pci_read16(dev, PCI_MIN_GNT);
	pci_write16(dev, PCI_MIN_GNT, ~old);
	EXPECT_EQ(pci_read16(dev, PCI_MIN_GNT), old);
	/* Writing ones to the status register clears events, never sets a bit. */
	old = pci_read16(dev, PCI_STATUS);
	pci_write16(dev, PCI_STATUS, 0xffff);
	EXPECT_EQ(pci_read16(dev, PCI_STATUS), old & 0x06ff);
	EXPECT(pci_read16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST);
}

TEST(pci, command_register)
{
	u16 old = pci_read16(dev, PCI_COMMAND);
	u16 bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;

	pci_write16(dev, PCI_COMMAND, 0xffff);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND) & bits, bits);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND) & 0xf800, 0);	/* reserved */
	pci_write16(dev, PCI_COMMAND, 0);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND), 0);
	/* By single bytes as well. */
	pci_write8(dev, PCI_COMMAND + 1, PCI_COMMAND_INTX_DISABLE >> 8);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND), PCI_COMMAND_INTX_DISABLE);
	pci_write8(dev, PCI_COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND),
		  PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MEMORY);
	pci_write16(dev, PCI_COMMAND, old);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND), old);
}

TEST(pci, bar_sizes)
{
	u32 i, vectors = 0;

	pci_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
	pci_size_bars(dev);
	for (i = 0; i < 6; i++) {
		struct pci_bar *b = &dev->bar[i];

		if (!b->size)
			continue;
		test_note("BAR %u: 0x%llx bytes at 0x%llx, flags %x", i, b->size,
			  b->addr, b->flags);
		EXPECT_EQ(b->size & (b->size - 1), 0);
		EXPECT(b->size >= (b->is_io ? 4 : 16));
		EXPECT(b->is_io || (b->flags & 6) == 0 || (b->flags & 6) == 4);
		vectors++;
	}
	EXPECT(vectors);
	/* NVMe: BAR 0 is memory, registers and at least the admin doorbells. */
	EXPECT(!dev->bar[0].is_io);
	EXPECT(dev->bar[0].size >= 0x2000);
}

TEST(pci, bar_read_back)
{
	u64 old = dev->bar[0].addr, size = dev->bar[0].size;
	u32 low = dev->bar[0].flags;

	pci_command(dev, PCI_COMMAND_MEMORY, 0);
	pci_write32(dev, PCI_BAR0, 0xfffffff0);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0), (u32)-size | low);
	pci_write32(dev, PCI_BAR0, 0xf5555555);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0), (0xf5555555 & (u32)-size) | low);
	/* Each byte of it is written on its own. */
	pci_write32(dev, PCI_BAR0, 0);
	pci_write8(dev, PCI_BAR0 + 3, 0xf1);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0), 0xf1000000 | low);
	pci_write16(dev, PCI_BAR0 + 2, 0xe800);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0), 0xe8000000 | low);
	if (dev->bar[0].is_64) {
		pci_write32(dev, PCI_BAR0 + 4, 0x12345678);
		EXPECT_EQ(pci_read32(dev, PCI_BAR0 + 4), 0x12345678);
		EXPECT_EQ(pci_read32(dev, PCI_BAR0), 0xe8000000 | low);
		pci_write32(dev, PCI_BAR0 + 4, 0);
	}
	pci_set_bar(dev, 0, old);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0), (u32)old | low);
}

TEST(pci, unimplemented_bars_are_zero)
{
	u32 i, seen = 0;

	pci_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
	for (i = 0; i < 6; i++) {
		if (dev->bar[i].size) {
			i += dev->bar[i].is_64;
			continue;
		}
		seen++;
		pci_write32(dev, PCI_BAR0 + i * 4, 0xffffffff);
		if (!EXPECT_EQ(pci_read32(dev, PCI_BAR0 + i * 4), 0))
			test_note("BAR %u", i);
	}
	SKIP_IF(!seen, "all BARs are implemented");
}

TEST(pci, rom_bar)
{
	u32 old = pci_read32(dev, PCI_ROM), mask, size;

	pci_command(dev, PCI_COMMAND_MEMORY, 0);
	pci_write32(dev, PCI_ROM, 0xfffff800);
	mask = pci_read32(dev, PCI_ROM);
	pci_write32(dev, PCI_ROM, old);
	SKIP_IF(!mask, "no ROM");
	size = -(mask & 0xfffff800);
	EXPECT_EQ(size & (size - 1), 0);
	EXPECT(size >= 2048);
}

TEST(pci, bar_moves)
{
	u32 vs = nvme_r32(NVME_VS), a = (u32)dev->bar[0].addr, b;

	ASSERT_NE(vs, 0xffffffff);
	b = pci_alloc_mmio(dev->bar[0].size);
	pci_command(dev, PCI_COMMAND_MEMORY, 0);
	pci_set_bar(dev, 0, b);
	pci_command(dev, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(mmio_read32(b + NVME_VS), vs);
	EXPECT_NE(mmio_read32(a + NVME_VS), vs);

	/* While decoding is on: not wise, but it works. */
	pci_set_bar(dev, 0, a);
	EXPECT_EQ(mmio_read32(a + NVME_VS), vs);
	EXPECT_NE(mmio_read32(b + NVME_VS), vs);
}

TEST(pci, bar_moves_often)
{
	u32 vs = nvme_r32(NVME_VS), a = (u32)dev->bar[0].addr, b, i;

	b = pci_alloc_mmio(dev->bar[0].size);
	for (i = 0; i < 20; i++) {
		pci_set_bar(dev, 0, i & 1 ? a : b);
		if (!EXPECT_EQ(mmio_read32((i & 1 ? a : b) + NVME_VS), vs))
			break;
	}
}

/* The controller's state is not tied to where its registers are. */
TEST(pci, bar_move_keeps_state)
{
	u32 b = pci_alloc_mmio(dev->bar[0].size);
	void *page;

	nvme_start();
	pci_set_bar(dev, 0, b);
	nvme.bar = b;
	EXPECT_EQ(nvme_r32(NVME_CSTS) & CSTS_RDY, CSTS_RDY);
	page = page_alloc(1);
	EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

TEST(pci, memory_disabled)
{
	u32 vs = nvme_r32(NVME_VS), aqa;

	nvme_w32(NVME_AQA, 0x00070007);
	aqa = nvme_r32(NVME_AQA);
	pci_command(dev, PCI_COMMAND_MEMORY, 0);
	/* Nobody answers; what is read then depends on the bridge. */
	EXPECT_NE(nvme_r32(NVME_VS), vs);
	nvme_w32(NVME_AQA, 0x000f000f);
	pci_command(dev, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(nvme_r32(NVME_VS), vs);
	EXPECT_EQ(nvme_r32(NVME_AQA), aqa);
}

TEST(pci, master_disabled)
{
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
	u8 *page;

	nvme_start();
	page = page_alloc(1);
	c.prp1 = phys(page);
	pci_command(dev, PCI_COMMAND_MASTER, 0);
	nvme_submit(&nvme.asq, &c);
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&nvme.acq));
	EXPECT_EQ(bytes_check(page, PAGE_SIZE, 0), -1);
	/* What comes of that command is open; a reset brings it all back. */
	pci_command(dev, 0, PCI_COMMAND_MASTER);
	nvme_start();
}

TEST(pci, capability_list)
{
	u32 pos = pci_read8(dev, PCI_CAP_PTR), n = 0, seen[8] = {};

	ASSERT(pci_read16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST);
	for (; pos; pos = pci_read8(dev, pos + 1)) {
		ASSERT_EQ(pos & 3, 0);
		ASSERT(pos >= 0x40);
		ASSERT(pos <= 0xfc);
		ASSERT(!(seen[pos / 32] & BIT(pos % 32)));
		seen[pos / 32] |= BIT(pos % 32);
		test_note("capability %02x at %02x", pci_read8(dev, pos), pos);
		EXPECT_NE(pci_read8(dev, pos), 0xff);
		ASSERT(++n < 48);
	}
	EXPECT(n);
}

TEST(pci, capability_headers_read_only)
{
	u32 pos, head, n = 0;

	for (pos = pci_read8(dev, PCI_CAP_PTR); pos && n++ < 48; pos = head >> 8) {
		head = pci_read16(dev, pos);
		pci_write16(dev, pos, ~head);
		ASSERT_EQ(pci_read16(dev, pos), head);
	}
}

TEST(pci, power_management)
{
	u8 cap = pci_find_cap(dev, PCI_CAP_PM, 0);
	u16 v;

	SKIP_IF(!cap, "no power management capability");
	v = pci_read16(dev, cap + PM_CTRL);
	EXPECT_EQ(v & 3, 0);
	pci_write16(dev, cap + PM_CTRL, v | 3);
	EXPECT_EQ(pci_read16(dev, cap + PM_CTRL) & 3, 3);
	pci_write16(dev, cap + PM_CTRL, v);
	delay_ns(10 * NSEC_PER_MSEC);
	EXPECT_EQ(pci_read16(dev, cap + PM_CTRL) & 3, 0);
	/* Without No_Soft_Reset the way back from D3 is a reset. */
	nvme_forget(true);
	nvme_start();
}

TEST(pci, function_level_reset)
{
	u8 cap = pci_find_cap(dev, PCI_CAP_EXP, 0);
	u32 csts;

	SKIP_IF(!cap || !(pci_read32(dev, cap + EXP_DEVCAP) & EXP_DEVCAP_FLR),
		"no function level reset");
	nvme_start();
	pci_write16(dev, cap + EXP_DEVCTL, EXP_DEVCTL_FLR);
	delay_ns(100 * NSEC_PER_MSEC);
	EXPECT_EQ(pci_read16(dev, cap + EXP_DEVCTL) & EXP_DEVCTL_FLR, 0);
	EXPECT_EQ(pci_read16(dev, PCI_COMMAND) & 0x0407, 0);
	EXPECT_EQ(pci_read32(dev, PCI_BAR0) & ~15u, 0);
	if (dev->msix_cap)
		EXPECT_EQ(pci_read16(dev, dev->msix_cap + MSIX_CONTROL) &
			  (MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASKALL), 0);
	nvme_forget(true);
	csts = nvme_r32(NVME_CSTS);
	EXPECT_EQ(csts & (CSTS_RDY | CSTS_CFS), 0);
	EXPECT_EQ(nvme_r32(NVME_CC) & CC_EN, 0);
	EXPECT_EQ(nvme_r32(NVME_AQA), 0);
	nvme_start();
}

TEST(msix, layout)
{
	u32 table, pba, tsize, psize, tbir, pbir;

	table = pci_read32(dev, dev->msix_cap + MSIX_TABLE);
	pba = pci_read32(dev, dev->msix_cap + MSIX_PBA);
	tbir = table & 7;
	pbir = pba & 7;
	table &= ~7u;
	pba &= ~7u;
	tsize = dev->msix_count * MSIX_ENTRY_SIZE;
	psize = ALIGN_UP(dev->msix_count, 64u) / 8;
	test_note("%u vectors, table BAR %u + %x, PBA BAR %u + %x",
		  dev->msix_count, tbir, table, pbir, pba);
	ASSERT(tbir < 6);
	ASSERT(pbir < 6);
	EXPECT(dev->bar[tbir].size >= table + tsize);
	EXPECT(dev->bar[pbir].size >= pba + psize);
	if (tbir == pbir)
		EXPECT(table + tsize <= pba || pba + psize <= table);
	/* Clear of the controller registers and the admin doorbells. */
	if (!tbir)
		EXPECT(table >= NVME_DOORBELLS + 2 * nvme.stride);
	if (!pbir)
		EXPECT(pba >= NVME_DOORBELLS + 2 * nvme.stride);
}

TEST(msix, control)
{
	u16 v;

	v = pci_read16(dev, dev->msix_cap + MSIX_CONTROL);
	pci_write16(dev, dev->msix_cap + MSIX_CONTROL, 0xffff);
	EXPECT_EQ(pci_read16(dev, dev->msix_cap + MSIX_CONTROL),
		  (v & MSIX_CONTROL_SIZE) | MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASKALL);
	pci_write16(dev, dev->msix_cap + MSIX_CONTROL, 0);
	EXPECT_EQ(pci_read16(dev, dev->msix_cap + MSIX_CONTROL), v & MSIX_CONTROL_SIZE);
	pci_write8(dev, dev->msix_cap + MSIX_CONTROL + 1, MSIX_CONTROL_MASKALL >> 8);
	EXPECT_EQ(pci_read16(dev, dev->msix_cap + MSIX_CONTROL),
		  (v & MSIX_CONTROL_SIZE) | MSIX_CONTROL_MASKALL);
	v = pci_read32(dev, dev->msix_cap + MSIX_TABLE);
	pci_write32(dev, dev->msix_cap + MSIX_TABLE, ~v);
	EXPECT_EQ(pci_read32(dev, dev->msix_cap + MSIX_TABLE) & 0xffff, v);
	v = pci_read32(dev, dev->msix_cap + MSIX_PBA);
	pci_write32(dev, dev->msix_cap + MSIX_PBA, ~v);
	EXPECT_EQ(pci_read32(dev, dev->msix_cap + MSIX_PBA) & 0xffff, v);
}

TEST(msix, table_read_write)
{
	u32 i, last;
	uintptr_t e;

	last = dev->msix_count - 1;
	msix_control(dev, 0, MSIX_CONTROL_MASKALL);
	for (i = 0;; i = i ? last : min(1u, last)) {
		e = dev->msix_table + i * MSIX_ENTRY_SIZE;
		mmio_write32(e + MSIX_ENTRY_ADDR, 0xfee12340 + i * 4);
		mmio_write32(e + MSIX_ENTRY_UPPER, 0xabcd0000 + i);
		mmio_write32(e + MSIX_ENTRY_DATA, 0x12340000 + i);
		mmio_write32(e + MSIX_ENTRY_CTRL, 1);
		EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_ADDR), 0xfee12340 + i * 4);
		EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_UPPER), 0xabcd0000 + i);
		EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_DATA), 0x12340000 + i);
		EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_CTRL) & 1, 1);
		mmio_write32(e + MSIX_ENTRY_CTRL, 0);
		EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_CTRL) & 1, 0);
		mmio_write32(e + MSIX_ENTRY_CTRL, 1);
		if (i == last)
			break;
	}
	/* Entries do not overlap. */
	EXPECT_EQ(mmio_read32(dev->msix_table + MSIX_ENTRY_ADDR),
		  last ? 0xfee12340 : 0xfee12340 + last * 4);
}

TEST(msix, table_64bit)
{
	uintptr_t e = dev->msix_table;

	SKIP_IF(!cpu_has_sse2, "no 8-byte access on this CPU");
	msix_control(dev, 0, MSIX_CONTROL_MASKALL);
	mmio_write64_once(e, 0x00000001fee01230ull);
	mmio_write64_once(e + 8, 0x0000000100004567ull);
	EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_ADDR), 0xfee01230);
	EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_UPPER), 1);
	EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_DATA), 0x4567);
	EXPECT_EQ(mmio_read32(e + MSIX_ENTRY_CTRL) & 1, 1);
	EXPECT_EQ(mmio_read64_once(e), 0x00000001fee01230ull);
	EXPECT_EQ((u32)mmio_read64_once(e + 8), 0x4567);
}

/* Run one Identify whose completion raises vector 0. */
static void one_event(void)
{
	void *page = page_alloc(1);

	ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

TEST(msix, delivery)
{
	u32 n;

	nvme_start();
	irq_settle(quiet_ns());
	n = irq_count(VEC_DEVICE);
	one_event();
	EXPECT(irq_wait_count(VEC_DEVICE, n + 1, timeout_ns()));
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(VEC_DEVICE), n + 1);
	/* A new message is used from the next interrupt on. */
	msix_mask(dev, 0, true);
	msix_set(dev, 0, VEC_DEVICE + 5);
	one_event();
	EXPECT(irq_wait_count(VEC_DEVICE + 5, irq_count(VEC_DEVICE + 5) + 1, timeout_ns()));
	EXPECT_EQ(irq_count(VEC_DEVICE), n + 1);
}

TEST(msix, vector_mask)
{
	u32 n;

	nvme_start();
	irq_settle(quiet_ns());
	n = irq_count(VEC_DEVICE);
	EXPECT(!msix_pending(dev, 0));
	msix_mask(dev, 0, true);
	one_event();
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(VEC_DEVICE), n);
	EXPECT(msix_pending(dev, 0));
	/* Unmasking sends what is pending, once. */
	msix_mask(dev, 0, false);
	EXPECT(irq_wait_count(VEC_DEVICE, n + 1, timeout_ns()));
	EXPECT(!msix_pending(dev, 0));
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(VEC_DEVICE), n + 1);
}

TEST(msix, function_mask)
{
	u32 n;

	nvme_start();
	irq_settle(quiet_ns());
	n = irq_count(VEC_DEVICE);
	msix_control(dev, 0, MSIX_CONTROL_MASKALL);
	one_event();
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(VEC_DEVICE), n);
	EXPECT(msix_pending(dev, 0));
	msix_control(dev, MSIX_CONTROL_MASKALL, 0);
	EXPECT(irq_wait_count(VEC_DEVICE, n + 1, timeout_ns()));
	EXPECT(!msix_pending(dev, 0));
}

/* Masked by the handler at the controller, as a driver does it */
static void mask_at_controller(u32 vector)
{
	(void)vector;
	nvme_w32(NVME_INTMS, 1);
}

TEST(pci, intx_delivery)
{
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
	u32 vec = VEC_DEVICE + 7, n, i;
	int gsi = pci_intx_gsi(dev);
	struct nvme_cqe e;

	SKIP_IF(gsi < 0, "nowhere known for the interrupt pin");
	nvme_start();
	if (dev->msix_cap)
		msix_control(dev, MSIX_CONTROL_ENABLE, 0);
	pci_command(dev, PCI_COMMAND_INTX_DISABLE, 0);
	nvme.vectors = 0;
	irq_handle(vec, mask_at_controller);
	ioapic_set(gsi, vec);
	c.prp1 = phys(page_alloc(1));
	for (i = 0; i < 5; i++) {
		n = irq_count(vec);
		nvme_submit(&nvme.asq, &c);
		if (!EXPECT(irq_wait_count(vec, n + 1, timeout_ns())))
			break;
		ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
		nvme_w32(NVME_INTMC, 1);
		irq_settle(quiet_ns() / 4);
		EXPECT_EQ(irq_count(vec), n + 1);
	}
	/* Not consumed: it comes again as soon as it is unmasked. */
	n = irq_count(vec);
	nvme_submit(&nvme.asq, &c);
	EXPECT(irq_wait_count(vec, n + 1, timeout_ns()));
	nvme_w32(NVME_INTMC, 1);
	EXPECT(irq_wait_count(vec, n + 2, timeout_ns()));
	/* Nothing while the command register forbids it */
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	pci_command(dev, 0, PCI_COMMAND_INTX_DISABLE);
	nvme_w32(NVME_INTMC, 1);
	irq_settle(quiet_ns() / 4);
	n = irq_count(vec);
	nvme_submit(&nvme.asq, &c);
	ASSERT(wait_for(nvme_cq_ready(&nvme.acq), timeout_ns()));
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(vec), n);
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
}

/* Plain MSI, where the function has it */
TEST(pci, msi_delivery)
{
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
	u32 vec = VEC_DEVICE + 6, n, i;
	struct nvme_cqe e;

	SKIP_IF(!pci_find_cap(dev, PCI_CAP_MSI, 0), "no MSI");
	nvme_start();
	if (dev->msix_cap)
		msix_control(dev, MSIX_CONTROL_ENABLE, 0);
	nvme.vectors = 0;
	ASSERT(msi_enable(dev, vec));
	irq_settle(quiet_ns());
	c.prp1 = phys(page_alloc(1));
	for (i = 0; i < 5; i++) {
		n = irq_count(vec);
		nvme_submit(&nvme.asq, &c);
		if (!EXPECT(irq_wait_count(vec, n + 1, timeout_ns())))
			break;
		ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	}
	msi_disable(dev);
	n = irq_count(vec);
	nvme_submit(&nvme.asq, &c);
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	irq_settle(quiet_ns());
	EXPECT_EQ(irq_count(vec), n);
}

/* The pending bits are the device's: nothing that is written there stays. */
TEST(msix, pba_read_only)
{
	u32 v;

	v = mmio_read32(dev->msix_pba);
	mmio_write32(dev->msix_pba, ~v);
	EXPECT_EQ(mmio_read32(dev->msix_pba), v);
}

/* Without MSI-X the pin: its state shows in the status register. */
TEST(msix, off_means_pin)
{
	SKIP_IF(!pci_read8(dev, PCI_INTERRUPT_PIN), "no interrupt pin");
	EXPECT(pci_read8(dev, PCI_INTERRUPT_PIN) <= 4);
	msix_control(dev, MSIX_CONTROL_ENABLE, 0);
	pci_command(dev, 0, PCI_COMMAND_INTX_DISABLE);
	nvme_start();
	EXPECT_EQ(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT, 0);
	/* A completion which has not been consumed asserts it. */
	{
		struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
		struct nvme_cqe e;

		c.prp1 = phys(page_alloc(1));
		nvme_submit(&nvme.asq, &c);
		ASSERT(wait_for(nvme_cq_ready(&nvme.acq), timeout_ns()));
		EXPECT(wait_for(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT,
				NSEC_PER_SEC));
		nvme_w32(NVME_INTMS, 1);
		EXPECT(wait_for(!(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT),
				NSEC_PER_SEC));
		nvme_w32(NVME_INTMC, 1);
		EXPECT(wait_for(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT,
				NSEC_PER_SEC));
		EXPECT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
		EXPECT(wait_for(!(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT),
				NSEC_PER_SEC));
	}
}

/* A reset takes the cause away, so the pin goes down with it. Last: some fail. */
TEST(pci, intx_ends_with_reset)
{
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };

	SKIP_IF(!pci_read8(dev, PCI_INTERRUPT_PIN), "no interrupt pin");
	nvme_start();
	if (dev->msix_cap)
		msix_control(dev, MSIX_CONTROL_ENABLE, 0);
	nvme.vectors = 0;
	c.prp1 = phys(page_alloc(1));
	nvme_submit(&nvme.asq, &c);
	ASSERT(wait_for(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT, timeout_ns()));
	ASSERT(nvme_disable());
	EXPECT(wait_for(!(pci_read16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT), NSEC_PER_SEC));
}
