/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device behind a PCI function, for tests of the function: it remembers what
 * it is asked and asserts nothing by itself.
 */
#ifndef PCI_DEV_H
#define PCI_DEV_H

#include <linux/pci_regs.h>
#include <standin/sched.h>

#include <ioemu/pci.h>

#include "fake_vm.h"
#include "harness.h"

#define SLOT		5
#define SBDF_OF(slot)	((u64)(slot) << 3)

/* Where the capabilities are: found once by walking, see test_pci_config.c. */
#define PM		0x40
#define MSI		0x48
#define MSIX		0x60
#define EXP		0x70

/* BAR 0: 64 bits, 16 KiB, with MSI-X; BAR 2: 32 bits, 64 bytes; BAR 3: 4 KiB. */
#define BAR0		0x10
#define BAR2		0x18
#define BAR3		0x1c
#define BAR0_SIZE	0x4000
#define BAR2_SIZE	0x40
#define BAR3_SIZE	0x1000
#define TABLE		0x2000
#define PBA		0x3000
#define VECTORS		65

#define ON_MEM		(PCI_COMMAND_MEMORY)
#define ON_ALL		(ON_MEM | PCI_COMMAND_MASTER)

struct pci_dev {
	struct ioemu_pci pci;
	struct ioemu_vm *vm;
	unsigned int reads, writes, resets, masters;
	unsigned int bar, size;
	u64 offset, value;
	bool master;
	bool master_at_reset;
	void (*on_reset)(struct pci_dev *dev);
	void (*on_master)(struct pci_dev *dev, bool on);
};

static inline u64 dev_read(struct ioemu_pci *pci, unsigned int bar, u64 offset,
			   unsigned int size)
{
	struct pci_dev *d = container_of(pci, struct pci_dev, pci);

	if (offset + size > pci->config.bars[bar].size)
		standin_fail("access beyond the BAR");
	d->reads++;
	d->bar = bar;
	d->offset = offset;
	d->size = size;
	return 0xdddddddd00000000ULL + offset;
}

static inline void dev_write(struct ioemu_pci *pci, unsigned int bar,
			     u64 offset, unsigned int size, u64 value)
{
	struct pci_dev *d = container_of(pci, struct pci_dev, pci);

	if (offset + size > pci->config.bars[bar].size)
		standin_fail("access beyond the BAR");
	d->writes++;
	d->bar = bar;
	d->offset = offset;
	d->size = size;
	d->value = value;
}

static inline void dev_reset(struct ioemu_pci *pci)
{
	struct pci_dev *d = container_of(pci, struct pci_dev, pci);

	standin_might_sleep(__func__);
	d->resets++;
	d->master_at_reset = ioemu_pci_master(pci);
	if (d->on_reset)
		d->on_reset(d);
}

static inline void dev_master(struct ioemu_pci *pci, bool enabled)
{
	struct pci_dev *d = container_of(pci, struct pci_dev, pci);

	standin_might_sleep(__func__);
	if (d->master == enabled)
		standin_fail("bus mastering told twice");
	if (ioemu_pci_master(pci) != enabled)
		standin_fail("told of a state that is not there");
	d->masters++;
	d->master = enabled;
	if (d->on_master)
		d->on_master(d, enabled);
}

static const struct ioemu_pci_ops dev_ops = {
	.bar_read = dev_read, .bar_write = dev_write,
	.reset = dev_reset, .master = dev_master,
};

static inline struct ioemu_pci_config dev_config(unsigned int nr_vectors)
{
	return (struct ioemu_pci_config) {
		.vendor		= 0x1b36,
		.device		= 0x0010,
		.subsys_vendor	= 0x5853,
		.subsys_device	= 0x1234,
		.revision	= 0x42,
		.class		= 0x010802,
		.bars		= {
			[0] = { .size = BAR0_SIZE, .is_64bit = true },
			[2] = { .size = BAR2_SIZE },
			[3] = { .size = BAR3_SIZE },
		},
		.nr_vectors	= nr_vectors,
		.msix_bar	= 0,
		.msix_offset	= TABLE,
	};
}

static inline u64 cfg_rd(struct pci_dev *d, unsigned int reg, unsigned int size)
{
	return fake_config_read(d->vm, d->pci.slot, reg, size);
}

static inline void cfg_wr(struct pci_dev *d, unsigned int reg,
			  unsigned int size, u64 value)
{
	fake_config_write(d->vm, d->pci.slot, reg, size, value);
}

static inline void command(struct pci_dev *d, u16 value)
{
	cfg_wr(d, PCI_COMMAND, 2, value);
}

static inline void dev_add(struct pci_dev *d, struct ioemu_vm *vm,
			   unsigned int slot, unsigned int nr_vectors)
{
	struct ioemu_pci_config config = dev_config(nr_vectors);

	d->vm = vm;
	ASSERT_EQ(0, ioemu_pci_init(&d->pci, vm, slot, &config, &dev_ops));
	ASSERT_EQ(0, ioemu_pci_add(&d->pci));
}

static inline void dev_remove(struct pci_dev *d)
{
	unsigned int calls = d->reads + d->writes + d->resets + d->masters;
	unsigned int i;

	ioemu_pci_remove(&d->pci);
	EXPECT_FALSE(ioemu_pci_master(&d->pci));
	/* Whatever the device does now has no effect. */
	fake_vm_clear_msi(d->vm);
	ioemu_pci_set_intx(&d->pci, true);
	for (i = 0; i < IOEMU_PCI_MAX_VECTORS + 1; i++)
		ioemu_pci_notify(&d->pci, i);
	EXPECT_EQ(0, fake_vm_nr_msi(d->vm));
	EXPECT_FALSE(fake_vm_intx(d->vm, d->pci.slot, 0));
	EXPECT_EQ(calls, d->reads + d->writes + d->resets + d->masters);
	ioemu_pci_destroy(&d->pci);
}

#define MMIO0		0x8000000000ULL
#define MMIO3		0xf0000000ULL
#define MMIO2		0xf1000000ULL

/* Give all BARs an address, as firmware does, and switch @on on. */
static inline void place_bars(struct pci_dev *d, u16 on)
{
	cfg_wr(d, BAR0, 4, (u32)MMIO0);
	cfg_wr(d, BAR0 + 4, 4, MMIO0 >> 32);
	cfg_wr(d, BAR2, 4, MMIO2);
	cfg_wr(d, BAR3, 4, MMIO3);
	command(d, on);
}

#define MSG_ADDR(v)	(0xfee00000ULL + ((u64)(v) << 12))
#define MSG_DATA(v)	(0x4040u + (v))

/* Program an entry of the MSI-X table. */
static inline void set_entry(struct pci_dev *d, unsigned int v, bool masked)
{
	u64 at = MMIO0 + TABLE + 16 * v;

	fake_mmio_write(d->vm, at + 12, 4, 1);
	fake_mmio_write(d->vm, at, 4, MSG_ADDR(v));
	fake_mmio_write(d->vm, at + 4, 4, 0);
	fake_mmio_write(d->vm, at + 8, 4, MSG_DATA(v));
	fake_mmio_write(d->vm, at + 12, 4, masked);
}

#define MSIX_ON		0x8000
#define MSIX_MASKALL	0x4000

static inline void msix_control(struct pci_dev *d, u16 value)
{
	cfg_wr(d, MSIX + 2, 2, value);
}

static inline bool pba_bit(struct pci_dev *d, unsigned int v)
{
	return fake_mmio_read(d->vm, MMIO0 + PBA + v / 64 * 8, 8) >> v % 64 & 1;
}

#define EXPECT_SENT(d, v) do {						\
	EXPECT_EQ(1, fake_vm_nr_msi((d)->vm));				\
	EXPECT_EQ(1, fake_vm_count_msi((d)->vm, MSG_ADDR(v), MSG_DATA(v)));\
	fake_vm_clear_msi((d)->vm); } while (0)
#define EXPECT_SILENT(d) do {						\
	EXPECT_EQ(0, fake_vm_nr_msi((d)->vm));				\
	fake_vm_clear_msi((d)->vm); } while (0)

FIXTURE(pci) {
	struct ioemu_vm *vm;
	struct pci_dev d;
};

#define PCI_FIXTURE(vectors, on)					\
FIXTURE_SETUP(pci)							\
{									\
	self->vm = fake_vm_new(1);					\
	dev_add(&self->d, self->vm, SLOT, vectors);			\
	if (on)								\
		place_bars(&self->d, on);				\
}									\
FIXTURE_TEARDOWN(pci)							\
{									\
	dev_remove(&self->d);						\
	fake_vm_free(self->vm);						\
}

#endif /* PCI_DEV_H */
