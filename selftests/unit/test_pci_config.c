// SPDX-License-Identifier: GPL-2.0
/* Configuration space but for BARs and messages: driver/pci.c. */
#include "pci_dev.h"

PCI_FIXTURE(VECTORS, 0)

TEST_F(pci, identity)
{
	struct pci_dev *d = &self->d;

	EXPECT_EQ(0x1b36, cfg_rd(d, PCI_VENDOR_ID, 2));
	EXPECT_EQ(0x0010, cfg_rd(d, PCI_DEVICE_ID, 2));
	EXPECT_EQ(0x00101b36, cfg_rd(d, PCI_VENDOR_ID, 4));
	EXPECT_EQ(0x42, cfg_rd(d, PCI_REVISION_ID, 1));
	EXPECT_EQ(0x01080242, cfg_rd(d, PCI_CLASS_REVISION, 4));
	EXPECT_EQ(0x5853, cfg_rd(d, PCI_SUBSYSTEM_VENDOR_ID, 2));
	EXPECT_EQ(0x1234, cfg_rd(d, PCI_SUBSYSTEM_ID, 2));
	EXPECT_EQ(0, cfg_rd(d, PCI_HEADER_TYPE, 1));
	EXPECT_EQ(0, cfg_rd(d, PCI_BIST, 1));
	EXPECT_EQ(0, cfg_rd(d, PCI_COMMAND, 2));
	EXPECT_EQ(PCI_STATUS_CAP_LIST, cfg_rd(d, PCI_STATUS, 2));
	EXPECT_EQ(1, cfg_rd(d, PCI_INTERRUPT_PIN, 1));
	EXPECT_EQ(0, cfg_rd(d, PCI_ROM_ADDRESS, 4));
	EXPECT_EQ(0, cfg_rd(d, PCI_CARDBUS_CIS, 4));
}

TEST_F(pci, other_functions_are_not_there)
{
	unsigned int slot;

	for (slot = 0; slot < 32; slot++)
		EXPECT_EQ(slot == SLOT ? 0x00101b36 : 0xffffffff,
			  fake_config_read(self->vm, slot, 0, 4));
	/* Function 1 of the same device. */
	EXPECT_EQ(0xffffffff, fake_vm_io_read(self->vm, IOEMU_IO_PCI,
					      (SBDF_OF(SLOT) + 1) << 32, 4));
	EXPECT_TRUE(fake_vm_has_range(self->vm, IOEMU_IO_PCI, SBDF_OF(SLOT),
				      SBDF_OF(SLOT)));
	EXPECT_EQ(1, fake_vm_nr_ranges(self->vm));
}

/* 6.7: the list ends, its parts are aligned and do not overlap. */
TEST_F(pci, capability_list)
{
	static const struct { u8 id, at; } want[] = {
		{ PCI_CAP_ID_PM, PM }, { PCI_CAP_ID_MSI, MSI },
		{ PCI_CAP_ID_MSIX, MSIX }, { PCI_CAP_ID_EXP, EXP },
	};
	struct pci_dev *d = &self->d;
	u8 at = cfg_rd(d, PCI_CAPABILITY_LIST, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		EXPECT_EQ(want[i].at, at);
		EXPECT_EQ(0, at % 4);
		EXPECT_EQ(want[i].id, cfg_rd(d, at, 1));
		at = cfg_rd(d, at + 1, 1);
	}
	EXPECT_EQ(0, at);
}

/* Without vectors there is no MSI and no MSI-X. */
TEST(no_vectors)
{
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { };
	unsigned int reg;

	dev_add(&d, vm, SLOT, 0);
	EXPECT_EQ(PM, cfg_rd(&d, PCI_CAPABILITY_LIST, 1));
	EXPECT_EQ(EXP, cfg_rd(&d, PM + 1, 1));
	EXPECT_EQ(0, cfg_rd(&d, EXP + 1, 1));
	for (reg = MSI; reg < EXP; reg += 4) {
		cfg_wr(&d, reg, 4, ~0U);
		EXPECT_EQ(0, cfg_rd(&d, reg, 4));
	}
	place_bars(&d, ON_ALL);
	ioemu_pci_notify(&d.pci, 0);
	EXPECT_EQ(0, fake_vm_nr_msi(vm));
	EXPECT_EQ(IOEMU_PCI_IRQ_INTX, ioemu_pci_irq_mode(&d.pci));
	/* The whole BAR is the device's. */
	fake_mmio_read(vm, MMIO0 + TABLE, 4);
	EXPECT_EQ(1, d.reads);
	dev_remove(&d);
	fake_vm_free(vm);
}

/* Which bits a guest can change, for each byte. All others stay. */
TEST_F(pci, writable_bits)
{
	static const struct { u8 reg, bits; } rw[] = {
		{ 0x04, 0x46 }, { 0x05, 0x05 }, { 0x0c, 0xff },
		/* BAR 0: 16 KiB, 64 bits. */
		{ 0x11, 0xc0 }, { 0x12, 0xff }, { 0x13, 0xff }, { 0x14, 0xff },
		{ 0x15, 0xff }, { 0x16, 0xff }, { 0x17, 0xff },
		/* BAR 2: 64 bytes. */
		{ 0x18, 0xc0 }, { 0x19, 0xff }, { 0x1a, 0xff }, { 0x1b, 0xff },
		/* BAR 3: 4 KiB. */
		{ 0x1d, 0xf0 }, { 0x1e, 0xff }, { 0x1f, 0xff },
		{ 0x3c, 0xff },
		{ PM + 4, 0x03 },
		{ MSI + 2, 0x71 },
		{ MSI + 4, 0xfc }, { MSI + 5, 0xff }, { MSI + 6, 0xff },
		{ MSI + 7, 0xff }, { MSI + 8, 0xff }, { MSI + 9, 0xff },
		{ MSI + 10, 0xff }, { MSI + 11, 0xff }, { MSI + 12, 0xff },
		{ MSI + 13, 0xff }, { MSI + 16, 0xff }, { MSI + 17, 0xff },
		{ MSI + 18, 0xff }, { MSI + 19, 0xff },
		{ MSIX + 3, 0xc0 },
		{ EXP + 8, 0xff }, { EXP + 9, 0x78 }, { EXP + 40, 0x10 },
	};
	struct pci_dev *d = &self->d;
	unsigned int reg, i, bit;

	for (reg = 0; reg < 256; reg++) {
		u8 bits = 0, before = cfg_rd(d, reg, 1), now = 0;

		for (i = 0; i < ARRAY_SIZE(rw); i++)
			if (rw[i].reg == reg)
				bits = rw[i].bits;
		for (bit = 0; bit < 8; bit++) {
			u8 value = before ^ 1U << bit;

			/* A reset is another test's matter, D1 and D2 too. */
			if ((reg == EXP + 9 && bit == 7) || reg == PM + 4)
				continue;
			cfg_wr(d, reg, 1, value);
			now = cfg_rd(d, reg, 1);
			EXPECT_EQ((before & ~bits) | (value & bits), now);
			cfg_wr(d, reg, 1, before);
			EXPECT_EQ(before, cfg_rd(d, reg, 1));
		}
	}
	EXPECT_EQ(0, d->resets);
}

/* Any width at any place reads what bytes read. */
TEST_F(pci, reads_of_all_widths)
{
	struct pci_dev *d = &self->d;
	unsigned int reg, size, i;

	for (reg = 0; reg < 256 + 8; reg++) {
		for (size = 1; size <= 8; size *= 2) {
			u64 want = 0;

			for (i = 0; i < size; i++)
				want |= cfg_rd(d, reg + i, 1) << 8 * i;
			EXPECT_EQ(want, cfg_rd(d, reg, size));
		}
	}
}

TEST_F(pci, writes_of_all_widths)
{
	struct pci_dev *d = &self->d;

	/* Across BAR 3's and the reserved BAR's dword. */
	cfg_wr(d, 0x1e, 4, 0xaabbccdd);
	EXPECT_EQ(0xccdd0000, cfg_rd(d, BAR3, 4));
	EXPECT_EQ(0, cfg_rd(d, 0x20, 4));
	cfg_wr(d, 0x13, 2, 0x1122);
	EXPECT_EQ(0x22000004, cfg_rd(d, BAR0, 4));
	EXPECT_EQ(0x11, cfg_rd(d, BAR0 + 4, 4));
	cfg_wr(d, BAR0, 8, 0x123456789abcdef0ULL);
	EXPECT_EQ(0x123456789abcc004ULL, cfg_rd(d, BAR0, 8));
	/* Up to the end of the space and over it. */
	cfg_wr(d, 0xff, 8, ~0ULL);
	cfg_wr(d, 0xfc, 8, ~0ULL);
	cfg_wr(d, 0x39, 4, 0x77ffffff);
	EXPECT_EQ(0x77, cfg_rd(d, PCI_INTERRUPT_LINE, 1));
	EXPECT_EQ(1, cfg_rd(d, PCI_INTERRUPT_PIN, 1));
}

/* No extended capability, and nothing to write. */
TEST_F(pci, extended_space)
{
	struct pci_dev *d = &self->d;
	unsigned int reg;

	for (reg = 256; reg < 4096; reg += 4) {
		cfg_wr(d, reg, 4, ~0U);
		EXPECT_EQ(0, cfg_rd(d, reg, 4));
		EXPECT_TRUE(fake_vm_io_claimed(self->vm));
	}
	EXPECT_EQ(0xffffffff, cfg_rd(d, 4096, 4));
	EXPECT_FALSE(fake_vm_io_claimed(self->vm));
}

/* ---- bus mastering ----------------------------------------------------- */

TEST_F(pci, master)
{
	struct pci_dev *d = &self->d;

	EXPECT_FALSE(ioemu_pci_master(&d->pci));
	command(d, PCI_COMMAND_MASTER);
	EXPECT_TRUE(ioemu_pci_master(&d->pci));
	EXPECT_TRUE(d->master);
	/* Told once, and only of changes. */
	command(d, PCI_COMMAND_MASTER | ON_MEM);
	cfg_wr(d, BAR3, 4, MMIO3);
	EXPECT_EQ(1, d->masters);
	/* The upper byte alone, the lower byte alone. */
	cfg_wr(d, PCI_COMMAND + 1, 1, 4);
	EXPECT_EQ(1, d->masters);
	cfg_wr(d, PCI_COMMAND, 1, 0);
	EXPECT_EQ(2, d->masters);
	EXPECT_FALSE(ioemu_pci_master(&d->pci));
	/* By a write that starts before the register. */
	cfg_wr(d, 2, 4, PCI_COMMAND_MASTER << 16);
	EXPECT_TRUE(d->master);
	EXPECT_EQ(0x0010, cfg_rd(d, PCI_DEVICE_ID, 2));
}

TEST(no_optional_callbacks)
{
	static const struct ioemu_pci_ops ops = {
		.bar_read = dev_read, .bar_write = dev_write,
	};
	struct ioemu_pci_config config = dev_config(4);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &ops));
	ASSERT_EQ(0, ioemu_pci_add(&d.pci));
	place_bars(&d, ON_ALL);
	cfg_wr(&d, EXP + 9, 1, 0x80);
	cfg_wr(&d, PM + 4, 1, 3);
	cfg_wr(&d, PM + 4, 1, 0);
	EXPECT_EQ(0, d.resets + d.masters);
	dev_remove(&d);
	fake_vm_free(vm);
}

/* ---- the legacy interrupt ---------------------------------------------- */

#define PIN(f)	fake_vm_intx((f)->vm, SLOT, 0)

TEST_F(pci, intx_level)
{
	struct pci_dev *d = &self->d;

	EXPECT_FALSE(PIN(self));
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_TRUE(PIN(self));
	EXPECT_EQ(PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT,
		  cfg_rd(d, PCI_STATUS, 2));
	/* The same level again asks nothing of the hypervisor. */
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_EQ(1, fake_vm_nr_intx(self->vm));
	ioemu_pci_set_intx(&d->pci, false);
	EXPECT_FALSE(PIN(self));
	EXPECT_EQ(PCI_STATUS_CAP_LIST, cfg_rd(d, PCI_STATUS, 2));
	/* From hard irq context. */
	standin_irq_enter();
	ioemu_pci_set_intx(&d->pci, true);
	standin_irq_exit();
	EXPECT_TRUE(PIN(self));
}

TEST_F(pci, intx_disable)
{
	struct pci_dev *d = &self->d;

	ioemu_pci_set_intx(&d->pci, true);
	command(d, PCI_COMMAND_INTX_DISABLE);
	EXPECT_FALSE(PIN(self));
	/* The status tells of the device, not of the pin (6.2.3). */
	EXPECT_TRUE(cfg_rd(d, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	ioemu_pci_set_intx(&d->pci, false);
	EXPECT_FALSE(cfg_rd(d, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_FALSE(PIN(self));
	command(d, 0);
	EXPECT_TRUE(PIN(self));
}

TEST_F(pci, intx_and_messages)
{
	struct pci_dev *d = &self->d;

	ioemu_pci_set_intx(&d->pci, true);
	msix_control(d, MSIX_ON);
	EXPECT_EQ(IOEMU_PCI_IRQ_MSIX, ioemu_pci_irq_mode(&d->pci));
	EXPECT_FALSE(PIN(self));
	msix_control(d, 0);
	EXPECT_EQ(IOEMU_PCI_IRQ_INTX, ioemu_pci_irq_mode(&d->pci));
	EXPECT_TRUE(PIN(self));
	cfg_wr(d, MSI + 2, 2, 1);
	EXPECT_EQ(IOEMU_PCI_IRQ_MSI, ioemu_pci_irq_mode(&d->pci));
	EXPECT_FALSE(PIN(self));
	ioemu_pci_set_intx(&d->pci, false);
	cfg_wr(d, MSI + 2, 2, 0);
	EXPECT_FALSE(PIN(self));
	/* Both: MSI-X. */
	cfg_wr(d, MSI + 2, 2, 1);
	msix_control(d, MSIX_ON);
	EXPECT_EQ(IOEMU_PCI_IRQ_MSIX, ioemu_pci_irq_mode(&d->pci));
}

/* ---- power ------------------------------------------------------------- */

TEST_F(pci, power_states)
{
	struct pci_dev *d = &self->d;
	unsigned int state;

	EXPECT_EQ(0x0003, cfg_rd(d, PM + 2, 2));
	/* D1 and D2 are not there; a write that asks for them changes nothing. */
	for (state = 1; state <= 2; state++) {
		cfg_wr(d, PM + 4, 2, state);
		EXPECT_EQ(0, cfg_rd(d, PM + 4, 2));
	}
	cfg_wr(d, PM + 4, 2, 3);
	EXPECT_EQ(3, cfg_rd(d, PM + 4, 2));
	for (state = 1; state <= 2; state++) {
		cfg_wr(d, PM + 4, 2, state);
		EXPECT_EQ(3, cfg_rd(d, PM + 4, 2));
	}
	cfg_wr(d, PM + 4, 1, 3);
	EXPECT_EQ(0, d->resets);
	cfg_wr(d, PM + 4, 4, 0);
	EXPECT_EQ(0, cfg_rd(d, PM + 4, 2));
	EXPECT_EQ(1, d->resets);
	cfg_wr(d, PM + 4, 1, 0);
	EXPECT_EQ(1, d->resets);
}

TEST_F(pci, d3hot_is_quiet)
{
	struct pci_dev *d = &self->d;

	place_bars(d, ON_ALL);
	set_entry(d, 1, false);
	msix_control(d, MSIX_ON);
	ioemu_pci_notify(&d->pci, 1);
	EXPECT_SENT(d, 1);

	cfg_wr(d, PM + 4, 2, 3);
	EXPECT_FALSE(d->master);
	EXPECT_FALSE(ioemu_pci_master(&d->pci));
	EXPECT_EQ(1, fake_vm_nr_ranges(self->vm));
	EXPECT_EQ(0xffffffff, fake_mmio_read(self->vm, MMIO0, 4));
	EXPECT_FALSE(fake_vm_io_claimed(self->vm));
	ioemu_pci_notify(&d->pci, 1);
	EXPECT_SILENT(d);
	/* Configuration space answers, with nothing lost. */
	EXPECT_EQ(ON_ALL, cfg_rd(d, PCI_COMMAND, 2));
	EXPECT_EQ(MMIO3, cfg_rd(d, BAR3, 4));
	/* Nothing that is written now has an effect. */
	msix_control(d, 0);
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_FALSE(PIN(self));
	command(d, ON_ALL | PCI_COMMAND_SERR);
	EXPECT_EQ(1, fake_vm_nr_ranges(self->vm));
	EXPECT_FALSE(ioemu_pci_master(&d->pci));

	/* A soft reset on the way back, for there is no No_Soft_Reset. */
	cfg_wr(d, PM + 4, 2, 0);
	EXPECT_EQ(1, d->resets);
	EXPECT_EQ(0, cfg_rd(d, PCI_COMMAND, 2));
	EXPECT_EQ(0, cfg_rd(d, BAR3, 4));
	EXPECT_FALSE(PIN(self));
	EXPECT_EQ(0, cfg_rd(d, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	/* The entry went, too. */
	place_bars(d, ON_ALL);
	EXPECT_EQ(1, fake_mmio_read(self->vm, MMIO0 + TABLE + 28, 4));
	EXPECT_EQ(0, fake_mmio_read(self->vm, MMIO0 + TABLE + 24, 4));
}

/* ---- reset ------------------------------------------------------------- */

TEST_F(pci, express_capability)
{
	struct pci_dev *d = &self->d;
	unsigned int reg;

	/* Version 2, root complex integrated endpoint. */
	EXPECT_EQ(0x0092, cfg_rd(d, EXP + 2, 2));
	EXPECT_EQ(0x10008000, cfg_rd(d, EXP + 4, 4));
	EXPECT_EQ(0x2810, cfg_rd(d, EXP + 8, 2));
	EXPECT_EQ(0, cfg_rd(d, EXP + 10, 2));
	/* Link, slot and root registers are not for it. */
	for (reg = EXP + 12; reg < EXP + 36; reg += 4)
		EXPECT_EQ(0, cfg_rd(d, reg, 4));
	EXPECT_EQ(0x10, cfg_rd(d, EXP + 36, 4));
	for (reg = EXP + 44; reg < EXP + 60; reg += 4)
		EXPECT_EQ(0, cfg_rd(d, reg, 4));
}

static void disturb(struct pci_dev *d)
{
	place_bars(d, ON_ALL | PCI_COMMAND_INTX_DISABLE);
	set_entry(d, 3, false);
	set_entry(d, 4, true);
	msix_control(d, MSIX_ON);
	cfg_wr(d, MSI + 4, 8, 0x1fee00000ULL);
	cfg_wr(d, MSI + 12, 2, 0x4041);
	cfg_wr(d, MSI + 16, 4, 0xff);
	cfg_wr(d, PCI_INTERRUPT_LINE, 1, 11);
	cfg_wr(d, PCI_CACHE_LINE_SIZE, 1, 16);
	cfg_wr(d, EXP + 8, 2, 0x5fff & 0x7fff);
	ioemu_pci_notify(&d->pci, 4);
}

static void in_reset(struct pci_dev *d)
{
	unsigned int v;

	/* The device is alone: nobody reaches it, and it reaches nobody. */
	EXPECT_EQ(1, fake_vm_nr_ranges(d->vm));
	for (v = 0; v < VECTORS; v++)
		ioemu_pci_notify(&d->pci, v);
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_FALSE(fake_vm_intx(d->vm, SLOT, 0));
	EXPECT_FALSE(ioemu_pci_master(&d->pci));
	EXPECT_EQ(IOEMU_PCI_IRQ_INTX, ioemu_pci_irq_mode(&d->pci));
}

TEST_F(pci, function_level_reset)
{
	struct pci_dev *d = &self->d;
	u8 before[256];
	unsigned int i;

	for (i = 0; i < 256; i++)
		before[i] = cfg_rd(d, i, 1);
	disturb(d);
	fake_vm_clear_msi(self->vm);
	d->on_reset = in_reset;
	cfg_wr(d, EXP + 8, 2, 0xffff);
	EXPECT_EQ(1, d->resets);
	EXPECT_FALSE(d->master_at_reset);
	EXPECT_EQ(2, d->masters);
	EXPECT_SILENT(d);
	for (i = 0; i < 256; i++)
		if (before[i] != cfg_rd(d, i, 1))
			harness_failed(__FILE__, __LINE__,
				       "register %#x back: %#x, not %#x", i,
				       before[i], (u8)cfg_rd(d, i, 1));
	/* The device starts anew, and its pin works. */
	EXPECT_FALSE(PIN(self));
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_TRUE(PIN(self));
	ioemu_pci_set_intx(&d->pci, false);
	place_bars(d, ON_ALL);
	for (i = 0; i < VECTORS; i++) {
		EXPECT_EQ(0, fake_mmio_read(self->vm, MMIO0 + TABLE + 16 * i, 8));
		EXPECT_EQ(1ULL << 32, fake_mmio_read(self->vm, MMIO0 + TABLE +
						     16 * i + 8, 8));
		EXPECT_FALSE(pba_bit(d, i));
	}
}

/* Any access that holds the bit resets, none that does not. */
TEST_F(pci, reset_by_any_width)
{
	struct pci_dev *d = &self->d;

	cfg_wr(d, EXP + 8, 2, 0x7fff);
	cfg_wr(d, EXP + 8, 1, 0xff);
	cfg_wr(d, EXP + 10, 2, 0xffff);
	EXPECT_EQ(0, d->resets);
	cfg_wr(d, EXP + 9, 1, 0x80);
	EXPECT_EQ(1, d->resets);
	cfg_wr(d, EXP + 8, 4, 0x8000);
	EXPECT_EQ(2, d->resets);
	cfg_wr(d, EXP + 2, 8, 0x8000ULL << 48);
	EXPECT_EQ(3, d->resets);
	cfg_wr(d, EXP + 9, 2, 0x80);
	EXPECT_EQ(4, d->resets);
	EXPECT_EQ(0x2810, cfg_rd(d, EXP + 8, 2));
	/* Out of D3hot as well, and D0 is where it ends. */
	cfg_wr(d, PM + 4, 1, 3);
	cfg_wr(d, EXP + 9, 1, 0x80);
	EXPECT_EQ(5, d->resets);
	EXPECT_EQ(0, cfg_rd(d, PM + 4, 1));
}

/* ---- coming and going -------------------------------------------------- */

TEST_F(pci, two_functions)
{
	struct pci_dev other = { };

	dev_add(&other, self->vm, 6, 2);
	cfg_wr(&other, BAR3, 4, 0xe0000000);
	command(&other, ON_MEM);
	place_bars(&self->d, ON_ALL);
	fake_mmio_read(self->vm, 0xe0000010, 4);
	EXPECT_EQ(1, other.reads);
	EXPECT_EQ(3, other.bar);
	EXPECT_EQ(0, self->d.reads);
	fake_mmio_read(self->vm, MMIO3 + 0x20, 4);
	EXPECT_EQ(1, self->d.reads);
	ioemu_pci_set_intx(&other.pci, true);
	EXPECT_TRUE(fake_vm_intx(self->vm, 6, 0));
	EXPECT_FALSE(PIN(self));
	dev_remove(&other);
	EXPECT_EQ(0xffffffff, fake_config_read(self->vm, 6, 0, 4));
	EXPECT_FALSE(fake_vm_intx(self->vm, 6, 0));
}

TEST_F(pci, one_slot_once)
{
	struct ioemu_pci_config config = dev_config(2);
	struct pci_dev other = { .vm = self->vm };

	ASSERT_EQ(0, ioemu_pci_init(&other.pci, self->vm, SLOT, &config,
				    &dev_ops));
	EXPECT_EQ(-EBUSY, ioemu_pci_add(&other.pci));
	ioemu_pci_notify(&other.pci, 0);
	ioemu_pci_set_intx(&other.pci, true);
	EXPECT_FALSE(PIN(self));
	ioemu_pci_destroy(&other.pci);
	EXPECT_EQ(0x1b36, cfg_rd(&self->d, 0, 2));
}

TEST_F(pci, add_again_after_removal)
{
	struct pci_dev *d = &self->d;

	disturb(d);
	ioemu_pci_set_intx(&d->pci, true);
	command(d, 0);
	EXPECT_TRUE(cfg_rd(d, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	ioemu_pci_remove(&d->pci);
	ioemu_pci_set_intx(&d->pci, true);
	EXPECT_EQ(0, fake_vm_nr_ranges(self->vm));
	d->master = false;
	ASSERT_EQ(0, ioemu_pci_add(&d->pci));
	EXPECT_FALSE(PIN(self));
	EXPECT_EQ(PCI_STATUS_CAP_LIST, cfg_rd(d, PCI_STATUS, 2));
	EXPECT_EQ(0, cfg_rd(d, PCI_COMMAND, 2));
	EXPECT_EQ(0, cfg_rd(d, BAR3, 4));
	place_bars(d, ON_ALL);
	EXPECT_EQ(1ULL << 32, fake_mmio_read(self->vm, MMIO0 + TABLE + 56, 8));
	EXPECT_FALSE(pba_bit(d, 4));
}

TEST_F(pci, removal_while_everything_is_on)
{
	struct pci_dev *d = &self->d;

	disturb(d);
	/* The teardown checks that all of it is over. */
}

TEST_F(pci, removal_with_the_pin_up)
{
	ioemu_pci_set_intx(&self->d.pci, true);
	EXPECT_TRUE(PIN(self));
}

TEST(refused_by_the_hypervisor)
{
	struct ioemu_pci_config config = dev_config(2);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	ASSERT_EQ(0, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	fake_vm_fail_claims(vm, IOEMU_IO_PCI, -EACCES);
	EXPECT_EQ(-EACCES, ioemu_pci_add(&d.pci));
	fake_vm_fail_claims(vm, IOEMU_IO_PCI, 0);
	EXPECT_EQ(0, ioemu_pci_add(&d.pci));
	ioemu_pci_remove(&d.pci);
	ioemu_pci_destroy(&d.pci);
	fake_vm_free(vm);
}

/* ---- shapes ------------------------------------------------------------ */

static int try_shape(unsigned int slot, const struct ioemu_pci_config *config)
{
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };
	int ret = ioemu_pci_init(&d.pci, vm, slot, config, &dev_ops);

	if (!ret)
		ioemu_pci_destroy(&d.pci);
	fake_vm_free(vm);
	return ret;
}

#define SHAPE(want, change) do {					\
	struct ioemu_pci_config c = dev_config(4);			\
	change;								\
	EXPECT_EQ(want, try_shape(SLOT, &c)); } while (0)
#define BAR_SHAPE(want, i, ...)						\
	SHAPE(want, c.bars[i] = ((struct ioemu_pci_bar_config) { __VA_ARGS__ }))

TEST(shapes)
{
	struct ioemu_pci_config ok = dev_config(4);

	EXPECT_EQ(0, try_shape(0, &ok));
	EXPECT_EQ(0, try_shape(31, &ok));
	EXPECT_EQ(-EINVAL, try_shape(32, &ok));
	SHAPE(0, c.class = 0xffffff);
	SHAPE(-EINVAL, c.class = 0x1000000);

	BAR_SHAPE(0, 4, .size = 16);
	BAR_SHAPE(-EINVAL, 4, .size = 8);
	BAR_SHAPE(-EINVAL, 4, .size = 24);
	BAR_SHAPE(-EINVAL, 4, .size = 1);
	BAR_SHAPE(0, 4, .size = 1ULL << 31);
	BAR_SHAPE(-EINVAL, 4, .size = 1ULL << 32);
	BAR_SHAPE(0, 4, .size = 1ULL << 32, .is_64bit = true);
	BAR_SHAPE(0, 4, .size = 1ULL << 51, .is_64bit = true);
	BAR_SHAPE(-EINVAL, 4, .size = 1ULL << 52, .is_64bit = true);
	/* The last one has no neighbour for its upper half. */
	BAR_SHAPE(-EINVAL, 5, .size = 16, .is_64bit = true);
	/* Its neighbour must be free. */
	BAR_SHAPE(-EINVAL, 1, .size = 16);

	SHAPE(0, c.nr_vectors = IOEMU_PCI_MAX_VECTORS);
	SHAPE(-EINVAL, c.nr_vectors = IOEMU_PCI_MAX_VECTORS + 1);
	SHAPE(-EINVAL, c.nr_vectors = UINT_MAX);
	SHAPE(-EINVAL, c.msix_bar = 6);
	SHAPE(-EINVAL, c.msix_bar = UINT_MAX);
	SHAPE(-EINVAL, c.msix_bar = 1);
	SHAPE(-EINVAL, c.msix_bar = 2);
	SHAPE(-EINVAL, c.msix_offset = 0x2004);
	SHAPE(0, c.msix_offset = 0x2008);
	/* Table, then pending bits on the next page: the last one must be there. */
	SHAPE(0, c.msix_offset = 0x3000 - 64);
	SHAPE(-EINVAL, c.msix_offset = 0x3000);
	SHAPE(-EINVAL, c.msix_offset = 0xfffffff8);
	SHAPE(-EINVAL, c.msix_bar = 3; c.msix_offset = 0);
	/* What is not used is not judged. */
	SHAPE(0, c.nr_vectors = 0; c.msix_bar = 9);
	/* Smallest place there is. */
	SHAPE(0, c.bars[4].size = 0x2000; c.msix_bar = 4; c.msix_offset = 0);
}

TEST(no_memory)
{
	struct ioemu_pci_config config = dev_config(VECTORS);
	struct ioemu_vm *vm = fake_vm_new(1);
	struct pci_dev d = { .vm = vm };

	standin_fail_alloc(1, true);
	EXPECT_EQ(-ENOMEM, ioemu_pci_init(&d.pci, vm, SLOT, &config, &dev_ops));
	standin_fail_alloc(0, false);
	fake_vm_free(vm);
}
