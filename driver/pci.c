// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI function: configuration space, base address registers, power states,
 * reset, the legacy interrupt. Messages are in pci_msi.c.
 *
 * Sections are those of the PCI Local Bus Specification 3.0, unless another one
 * is named. The function sits on the conventional bus 0 of the chipset and tells
 * of itself as a root complex integrated endpoint, the one PCI Express type that
 * needs no link above it.
 *
 * A write to configuration space changes @space by what @writable allows, then
 * settle() makes the rest of the function follow from @space, whatever it was.
 *
 * Lock order: config_sem -> ioemu_pci.lock -> ioemu_iospace.lock, and below them
 * intx_lock or the lock of one vector.
 */
#include <linux/bits.h>
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ioemu/vm.h>

#include "pci_msi.h"

#define SLOTS			32
/* No processor addresses memory above; and the end of the 32-bit registers. */
#define MEMORY_LIMIT		BIT_ULL(52)
#define SIZING_LIMIT		0xffffffffULL

#define PM_D0			0
#define PM_D3HOT		3

/* Initiate Function Level Reset, within the upper byte of its register. */
#define FLR_BIT			(PCI_EXP_DEVCTL_BCR_FLR >> 8)

#define REG_BAR(i)		(PCI_BASE_ADDRESS_0 + 4 * (i))

static bool touches(u64 offset, unsigned int size, u64 reg, unsigned int length)
{
	return offset < reg + length && offset + size > reg;
}

static unsigned int power_state(const struct ioemu_pci *pci)
{
	return pci->space[CAP_PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
}

static bool bar_valid(const struct ioemu_pci_config *config, unsigned int i)
{
	const struct ioemu_pci_bar_config *bar = &config->bars[i];

	if (!bar->size)
		return true;
	if (!is_power_of_2(bar->size) || bar->size < 16)
		return false;
	if (bar->is_64bit)
		return bar->size < MEMORY_LIMIT && i + 1 < IOEMU_PCI_BARS &&
		       !config->bars[i + 1].size;
	return bar->size <= 1ULL << 31;
}

/* Type 0 header, 6.1; base address registers, 6.2.5.1. */
static void build_header(struct ioemu_pci *pci)
{
	const struct ioemu_pci_config *config = &pci->config;
	u16 command = PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
		      PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE;
	u8 *space = pci->space;
	unsigned int i;

	bytes_set16(space, PCI_VENDOR_ID, config->vendor);
	bytes_set16(space, PCI_DEVICE_ID, config->device);
	bytes_set16(space, PCI_STATUS, PCI_STATUS_CAP_LIST);
	bytes_set32(space, PCI_CLASS_REVISION,
		    config->class << 8 | config->revision);
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;

	for (i = 0; i < IOEMU_PCI_BARS; i++) {
		const struct ioemu_pci_bar_config *bar = &config->bars[i];
		u64 mask = ~(bar->size - 1);

		if (!bar->size)
			continue;
		command |= PCI_COMMAND_MEMORY;
		if (bar->is_64bit)
			space[REG_BAR(i)] = PCI_BASE_ADDRESS_MEM_TYPE_64;
		bytes_set32(pci->writable, REG_BAR(i), mask);
		if (bar->is_64bit)
			bytes_set32(pci->writable, REG_BAR(i + 1), mask >> 32);
	}
	bytes_set16(pci->writable, PCI_COMMAND, command);

	bytes_set16(space, PCI_SUBSYSTEM_VENDOR_ID, config->subsys_vendor);
	bytes_set16(space, PCI_SUBSYSTEM_ID, config->subsys_device);
	space[PCI_CAPABILITY_LIST] = CAP_PM;
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
	space[PCI_INTERRUPT_PIN] = 1;
}

/*
 * PCI Power Management Interface 1.2, 3.2: D0 and D3hot, no PME#, and a soft
 * reset on the way back from D3hot.
 */
static void build_pm(struct ioemu_pci *pci)
{
	pci->space[CAP_PM] = PCI_CAP_ID_PM;
	bytes_set16(pci->space, CAP_PM + PCI_PM_PMC, 3);
	bytes_set16(pci->writable, CAP_PM + PCI_PM_CTRL,
		    PCI_PM_CTRL_STATE_MASK);
}

/*
 * PCI Express Base Specification 3.0, 7.8. The link registers of an integrated
 * endpoint are zero, and so are those of slots and root ports.
 */
static void build_exp(struct ioemu_pci *pci)
{
	u8 *space = pci->space, *writable = pci->writable;

	space[CAP_EXP] = PCI_CAP_ID_EXP;
	bytes_set16(space, CAP_EXP + PCI_EXP_FLAGS,
		    2 | PCI_EXP_TYPE_RC_END << 4);
	bytes_set32(space, CAP_EXP + PCI_EXP_DEVCAP,
		    PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	bytes_set16(space, CAP_EXP + PCI_EXP_DEVCTL,
		    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
		    PCI_EXP_DEVCTL_READRQ_512B);
	bytes_set16(writable, CAP_EXP + PCI_EXP_DEVCTL,
		    PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
		    PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
		    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD |
		    PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ |
		    PCI_EXP_DEVCTL_BCR_FLR);
	bytes_set32(space, CAP_EXP + PCI_EXP_DEVCAP2,
		    PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
	bytes_set16(writable, CAP_EXP + PCI_EXP_DEVCTL2,
		    PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
}

/* Configuration space as it is after power-on. */
static void build_space(struct ioemu_pci *pci)
{
	bool messages = pci->config.nr_vectors;

	memset(pci->space, 0, sizeof(pci->space));
	memset(pci->writable, 0, sizeof(pci->writable));
	build_header(pci);
	build_pm(pci);
	if (messages)
		ioemu_pci_msi_build(pci);
	build_exp(pci);

	pci->space[CAP_PM + PCI_CAP_LIST_NEXT] = messages ? CAP_MSI : CAP_EXP;
	if (messages) {
		pci->space[CAP_MSI + PCI_CAP_LIST_NEXT] = CAP_MSIX;
		pci->space[CAP_MSIX + PCI_CAP_LIST_NEXT] = CAP_EXP;
	}
}

/* Where a BAR is decoded now; false when it is not. */
static bool bar_decoded(const struct ioemu_pci *pci, unsigned int i, u64 *start)
{
	const struct ioemu_pci_bar_config *bar = &pci->config.bars[i];
	u64 base, end;

	if (!bar->size || !pci->live || power_state(pci) != PM_D0 ||
	    !(space_get16(pci, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return false;

	base = space_get32(pci, REG_BAR(i));
	if (bar->is_64bit)
		base |= (u64)space_get32(pci, REG_BAR(i + 1)) << 32;
	base &= ~(bar->size - 1);
	end = base + bar->size - 1;

	/*
	 * A register that was never programmed, or that is being sized with
	 * decoding left on, by either half of its bits.
	 */
	if (!base || end < base || end >= MEMORY_LIMIT || end == SIZING_LIMIT)
		return false;
	*start = base;
	return true;
}

static void bar_claim(struct ioemu_pci *pci, unsigned int i, u64 start)
{
	struct ioemu_pci_bar *bar = &pci->bars[i];
	int ret;

	bar->region.start = start;
	bar->region.end = start + pci->config.bars[i].size - 1;
	ret = ioemu_iospace_add(ioemu_vm_iospace(pci->vm), &bar->region);
	if (!ret) {
		bar->claimed = true;
		return;
	}
	pr_warn_ratelimited("d%u: PCI slot %u: BAR %u is not decoded at %#llx: error %d\n",
			    ioemu_vm_domid(pci->vm), pci->slot, i, start, ret);
}

/*
 * Give back what is not decoded any more, then claim what is. What was refused is
 * tried again: the place may be free by now.
 */
static void settle_bars(struct ioemu_pci *pci)
{
	struct ioemu_iospace *space = ioemu_vm_iospace(pci->vm);
	unsigned int i;
	u64 start;

	for (i = 0; i < IOEMU_PCI_BARS; i++) {
		struct ioemu_pci_bar *bar = &pci->bars[i];
		bool decoded = bar_decoded(pci, i, &start);

		if (bar->claimed && !(decoded && bar->region.start == start)) {
			ioemu_iospace_remove(space, &bar->region);
			bar->claimed = false;
		}
	}
	for (i = 0; i < IOEMU_PCI_BARS; i++)
		if (!pci->bars[i].claimed && bar_decoded(pci, i, &start))
			bar_claim(pci, i, start);
}

/* Show on the pin what the device wishes and the guest allows, 6.2.2. */
static void show_intx(struct ioemu_pci *pci)
{
	bool level = pci->intx_wish && pci->intx_allowed;

	lockdep_assert_held(&pci->intx_lock);

	if (level == pci->intx_shown)
		return;
	pci->intx_shown = level;
	ioemu_vm_set_intx(pci->vm, pci->slot, 0, level);
}

/* The device wishes nothing any more; nobody can see the pin now. */
static void forget_intx(struct ioemu_pci *pci)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pci->intx_lock, flags);
	WRITE_ONCE(pci->intx_wish, false);
	raw_spin_unlock_irqrestore(&pci->intx_lock, flags);
}

static void settle_intx(struct ioemu_pci *pci)
{
	bool allowed = pci->live && power_state(pci) == PM_D0 &&
		       pci->irq_mode == IOEMU_PCI_IRQ_INTX &&
		       !(space_get16(pci, PCI_COMMAND) &
			 PCI_COMMAND_INTX_DISABLE);
	unsigned long flags;

	raw_spin_lock_irqsave(&pci->intx_lock, flags);
	pci->intx_allowed = allowed;
	show_intx(pci);
	raw_spin_unlock_irqrestore(&pci->intx_lock, flags);
}

/* Make everything follow from @live and @space. True when @master changed. */
static bool settle(struct ioemu_pci *pci)
{
	bool before = pci->master;

	lockdep_assert_held(&pci->lock);

	WRITE_ONCE(pci->master,
		   pci->live && power_state(pci) == PM_D0 &&
		   space_get16(pci, PCI_COMMAND) & PCI_COMMAND_MASTER);
	ioemu_pci_msi_update(pci);
	settle_bars(pci);
	settle_intx(pci);
	return pci->master != before;
}

static void settle_and_tell(struct ioemu_pci *pci)
{
	enum ioemu_pci_irq_mode before = pci->irq_mode;

	if (settle(pci) && pci->ops->master)
		pci->ops->master(pci, pci->master);
	if (pci->live && pci->irq_mode != before && pci->ops->irq_mode)
		pci->ops->irq_mode(pci);
}

/*
 * Function-level reset (PCI Express 3.0, 6.6.2), and the soft reset from D3hot
 * to D0. The function is as if not there while the device resets itself.
 */
static void reset_function(struct ioemu_pci *pci)
{
	build_space(pci);
	pci->live = false;
	settle_and_tell(pci);
	ioemu_pci_msi_reset(pci);
	if (pci->ops->reset)
		pci->ops->reset(pci);

	forget_intx(pci);
	pci->live = true;
	settle_and_tell(pci);
}

/* A byte of configuration space with the bits that change by themselves. */
static u8 space_read(struct ioemu_pci *pci, unsigned int reg)
{
	u8 value = pci->space[reg];

	if (reg == PCI_STATUS && READ_ONCE(pci->intx_wish))
		value |= PCI_STATUS_INTERRUPT;
	if (pci->config.nr_vectors &&
	    touches(reg, 1, CAP_MSI + PCI_MSI_PENDING_64, 4))
		value = ioemu_pci_msi_pending(pci) >>
			8 * (reg - CAP_MSI - PCI_MSI_PENDING_64);
	return value;
}

static u64 config_read(struct ioemu_io_region *region, u64 offset,
		       unsigned int size)
{
	struct ioemu_pci *pci = container_of(region, struct ioemu_pci,
					     config_region);
	u64 value = 0;
	unsigned int i;

	mutex_lock(&pci->lock);
	/* The extended space is there, with no extended capability in it. */
	for (i = 0; i < size && offset + i < sizeof(pci->space); i++)
		value |= (u64)space_read(pci, offset + i) << 8 * i;
	mutex_unlock(&pci->lock);
	return value;
}

static void config_write(struct ioemu_io_region *region, u64 offset,
			 unsigned int size, u64 value)
{
	struct ioemu_pci *pci = container_of(region, struct ioemu_pci,
					     config_region);
	unsigned int i, power;
	u8 *pmcsr, *devctl;
	bool reset;

	mutex_lock(&pci->lock);
	power = power_state(pci);
	for (i = 0; i < size && offset + i < sizeof(pci->space); i++) {
		u8 mask = pci->writable[offset + i];
		u8 *byte = &pci->space[offset + i];

		*byte = (*byte & ~mask) | ((value >> 8 * i) & mask);
	}

	/* States that are not supported are ignored (PM 1.2, 3.2.4). */
	pmcsr = &pci->space[CAP_PM + PCI_PM_CTRL];
	if (power_state(pci) != PM_D0 && power_state(pci) != PM_D3HOT)
		*pmcsr = (*pmcsr & ~PCI_PM_CTRL_STATE_MASK) | power;
	reset = power == PM_D3HOT && power_state(pci) == PM_D0;

	/* The bit that starts a reset always reads zero. */
	devctl = &pci->space[CAP_EXP + PCI_EXP_DEVCTL + 1];
	if (*devctl & FLR_BIT)
		reset = true;
	*devctl &= ~FLR_BIT;

	if (reset)
		reset_function(pci);
	else if (touches(offset, size, PCI_COMMAND, 2) ||
		 touches(offset, size, REG_BAR(0), 4 * IOEMU_PCI_BARS) ||
		 touches(offset, size, CAP_PM, PCI_PM_SIZEOF) ||
		 touches(offset, size, CAP_MSI, MSI_SIZEOF) ||
		 touches(offset, size, CAP_MSIX, PCI_CAP_MSIX_SIZEOF))
		settle_and_tell(pci);
	mutex_unlock(&pci->lock);
}

static const struct ioemu_io_ops config_ops = {
	.read	= config_read,
	.write	= config_write,
};

static u64 bar_read(struct ioemu_io_region *region, u64 offset,
		    unsigned int size)
{
	struct ioemu_pci_bar *bar = container_of(region, struct ioemu_pci_bar,
						 region);
	struct ioemu_pci *pci = bar->pci;

	if (ioemu_pci_msix_covers(pci, bar->index, offset, size))
		return ioemu_pci_msix_read(pci, offset, size);
	return pci->ops->bar_read(pci, bar->index, offset, size);
}

static void bar_write(struct ioemu_io_region *region, u64 offset,
		      unsigned int size, u64 value)
{
	struct ioemu_pci_bar *bar = container_of(region, struct ioemu_pci_bar,
						 region);
	struct ioemu_pci *pci = bar->pci;

	if (ioemu_pci_msix_covers(pci, bar->index, offset, size))
		ioemu_pci_msix_write(pci, offset, size, value);
	else
		pci->ops->bar_write(pci, bar->index, offset, size, value);
}

static const struct ioemu_io_ops bar_ops = {
	.read	= bar_read,
	.write	= bar_write,
};

int ioemu_pci_init(struct ioemu_pci *pci, struct ioemu_vm *vm,
		   unsigned int slot, const struct ioemu_pci_config *config,
		   const struct ioemu_pci_ops *ops)
{
	unsigned int i;
	int ret;

	if (slot >= SLOTS || config->class >> 24)
		return -EINVAL;
	for (i = 0; i < IOEMU_PCI_BARS; i++)
		if (!bar_valid(config, i))
			return -EINVAL;

	memset(pci, 0, sizeof(*pci));
	pci->vm = vm;
	pci->slot = slot;
	pci->ops = ops;
	pci->config = *config;
	mutex_init(&pci->lock);
	raw_spin_lock_init(&pci->intx_lock);
	pci->config_region = (struct ioemu_io_region) {
		.type	= IOEMU_IO_PCI,
		.start	= slot << 3,
		.end	= slot << 3,
		.ops	= &config_ops,
	};
	for (i = 0; i < IOEMU_PCI_BARS; i++) {
		struct ioemu_pci_bar *bar = &pci->bars[i];

		bar->pci = pci;
		bar->index = i;
		bar->region.type = IOEMU_IO_MEMORY;
		bar->region.ops = &bar_ops;
	}

	ret = ioemu_pci_msi_init(pci);
	if (ret)
		mutex_destroy(&pci->lock);
	return ret;
}

void ioemu_pci_destroy(struct ioemu_pci *pci)
{
	ioemu_pci_msi_destroy(pci);
	mutex_destroy(&pci->lock);
}

/* Take the function to where ioemu_pci_init() left it. */
static void retire(struct ioemu_pci *pci)
{
	mutex_lock(&pci->lock);
	pci->live = false;
	settle(pci);
	mutex_unlock(&pci->lock);
}

int ioemu_pci_add(struct ioemu_pci *pci)
{
	int ret;

	mutex_lock(&pci->lock);
	build_space(pci);
	ioemu_pci_msi_reset(pci);
	forget_intx(pci);
	pci->live = true;
	settle(pci);
	mutex_unlock(&pci->lock);

	ret = ioemu_iospace_add(ioemu_vm_iospace(pci->vm),
				&pci->config_region);
	if (ret)
		retire(pci);
	return ret;
}

void ioemu_pci_remove(struct ioemu_pci *pci)
{
	ioemu_iospace_remove(ioemu_vm_iospace(pci->vm), &pci->config_region);
	retire(pci);
}

enum ioemu_pci_irq_mode ioemu_pci_irq_mode(const struct ioemu_pci *pci)
{
	return READ_ONCE(pci->irq_mode);
}

bool ioemu_pci_master(const struct ioemu_pci *pci)
{
	return READ_ONCE(pci->master);
}

void ioemu_pci_set_intx(struct ioemu_pci *pci, bool level)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pci->intx_lock, flags);
	WRITE_ONCE(pci->intx_wish, level);
	show_intx(pci);
	raw_spin_unlock_irqrestore(&pci->intx_lock, flags);
}
