// SPDX-License-Identifier: GPL-2.0
#include "pci.h"
#include "apic.h"
#include "harness.h"
#include "io.h"
#include "mmio.h"
#include "string.h"
#include "xen.h"

#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc

/* The hole that hvmloader would place BARs in; nobody else has been there. */
#define MMIO_START	0xf0000000u
#define MMIO_END	0xfb000000u

#define MSI_CONTROL	2
#define MSI_CONTROL_ENABLE	0x0001
#define MSI_CONTROL_MULTI	0x0070
#define MSI_CONTROL_64		0x0080

static u32 mmio_next = MMIO_START;

static u16 config_port(const struct pci_dev *d, u32 off)
{
	outl(CONFIG_ADDRESS, 0x80000000 | d->bus << 16 | d->dev << 11 |
	     d->fn << 8 | (off & 0xfc));
	return CONFIG_DATA + (off & 3);
}

u8 pci_read8(const struct pci_dev *d, u32 off)
{
	return inb(config_port(d, off));
}

u16 pci_read16(const struct pci_dev *d, u32 off)
{
	return inw(config_port(d, off));
}

u32 pci_read32(const struct pci_dev *d, u32 off)
{
	return inl(config_port(d, off));
}

void pci_write8(const struct pci_dev *d, u32 off, u8 v)
{
	outb(config_port(d, off), v);
}

void pci_write16(const struct pci_dev *d, u32 off, u16 v)
{
	outw(config_port(d, off), v);
}

void pci_write32(const struct pci_dev *d, u32 off, u32 v)
{
	outl(config_port(d, off), v);
}

static bool pci_probe(struct pci_dev *d, u32 dev, u32 fn)
{
	u32 id;

	memset(d, 0, sizeof(*d));
	d->dev = dev;
	d->fn = fn;
	id = pci_read32(d, PCI_VENDOR_ID);
	d->vendor = (u16)id;
	d->device = id >> 16;
	return d->vendor != 0xffff && d->vendor;
}

bool pci_find(struct pci_dev *d, int class_code, int vendor, u32 nth)
{
	u32 dev, fn, fns;

	for (dev = 0; dev < 32; dev++) {
		for (fn = 0, fns = 1; fn < fns; fn++) {
			if (!pci_probe(d, dev, fn))
				continue;
			if (!fn && (pci_read8(d, PCI_HEADER_TYPE) & 0x80))
				fns = 8;
			if (class_code != -1 &&
			    pci_read32(d, PCI_REVISION_ID) >> 8 != (u32)class_code)
				continue;
			if (vendor != -1 && d->vendor != vendor)
				continue;
			if (!nth--)
				return true;
		}
	}
	return false;
}

bool pci_at(struct pci_dev *d, const char *where)
{
	u32 dev, fn = 0;

	dev = (u32)str_to_u64(where, &where);
	if (*where == '.')
		fn = (u32)str_to_u64(where + 1, NULL);
	return dev < 32 && fn < 8 && pci_probe(d, dev, fn);
}

void pci_command(const struct pci_dev *d, u16 clear, u16 set)
{
	pci_write16(d, PCI_COMMAND, (pci_read16(d, PCI_COMMAND) & ~clear) | set);
}

/* What the BAR at @off reads after all ones were written, then restored. */
static u32 bar_mask(struct pci_dev *d, u32 off, u32 *old)
{
	u32 mask;

	*old = pci_read32(d, off);
	pci_write32(d, off, ~0u);
	mask = pci_read32(d, off);
	pci_write32(d, off, *old);
	return mask;
}

void pci_size_bars(struct pci_dev *d)
{
	u16 cmd = pci_read16(d, PCI_COMMAND);
	u32 i, mask, old;

	pci_write16(d, PCI_COMMAND, cmd & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
	for (i = 0; i < 6; i++) {
		struct pci_bar *b = &d->bar[i];
		u64 wide;

		b->size = 0;
		mask = bar_mask(d, PCI_BAR0 + i * 4, &old);
		if (!mask)
			continue;
		b->is_io = mask & 1;
		b->flags = mask & (b->is_io ? 3 : 15);
		b->addr = old & ~(b->is_io ? 3u : 15u);
		wide = mask & ~(b->is_io ? 3u : 15u);
		b->is_64 = !b->is_io && (mask & 6) == 4 && i < 5;
		if (b->is_64) {
			wide |= (u64)bar_mask(d, PCI_BAR0 + i * 4 + 4, &old) << 32;
			b->addr |= (u64)old << 32;
		} else {
			wide |= 0xffffffff00000000ull;
			/* the upper 16 bits of an I/O BAR may be fixed at 0 */
			if (b->is_io && !(mask >> 16))
				wide |= 0xffff0000;
		}
		b->size = -wide;
		i += b->is_64;
	}
	pci_write16(d, PCI_COMMAND, cmd);
}

u32 pci_alloc_mmio(u64 size)
{
	u32 s = size < PAGE_SIZE ? PAGE_SIZE : (u32)size, addr = ALIGN_UP(mmio_next, s);

	if (size > MMIO_END - MMIO_START || addr > MMIO_END - s)
		test_fatal("no room for a BAR of 0x%llx bytes", size);
	mmio_next = addr + s;
	return addr;
}

void pci_set_bar(struct pci_dev *d, u32 n, u64 addr)
{
	pci_write32(d, PCI_BAR0 + n * 4, (u32)addr);
	if (d->bar[n].is_64)
		pci_write32(d, PCI_BAR0 + n * 4 + 4, addr >> 32);
	d->bar[n].addr = addr;
}

/* Does the BAR hold its place? Reads are cheap, a write may move mappings. */
static bool bar_is_home(const struct pci_dev *d, u32 n)
{
	const struct pci_bar *b = &d->bar[n];

	if (pci_read32(d, PCI_BAR0 + n * 4) != ((u32)b->home | b->flags))
		return false;
	return !b->is_64 || !pci_read32(d, PCI_BAR0 + n * 4 + 4);
}

void pci_enable(struct pci_dev *d)
{
	u16 on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	u32 i;

	if (!d->sized) {
		pci_command(d, PCI_COMMAND_MEMORY, 0);
		pci_size_bars(d);
		d->sized = true;
	}
	for (i = 0; i < 6; i++) {
		struct pci_bar *b = &d->bar[i];

		if (!b->size || b->is_io)
			continue;
		if (!b->home)
			b->home = pci_alloc_mmio(b->size);
		if (!bar_is_home(d, i))
			pci_set_bar(d, i, b->home);
		b->addr = b->home;
	}
	if ((pci_read16(d, PCI_COMMAND) & on) != on)
		pci_command(d, 0, on);
}

u8 pci_find_cap(const struct pci_dev *d, u8 id, u8 from)
{
	u32 pos, limit = 48;

	if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	pos = from ? pci_read8(d, from + 1) : pci_read8(d, PCI_CAP_PTR);
	while ((pos &= 0xfc) >= 0x40 && limit--) {
		u16 head = pci_read16(d, pos);

		if ((u8)head == id)
			return pos;
		pos = head >> 8;
	}
	return 0;
}

bool msix_init(struct pci_dev *d)
{
	u32 table, pba;

	d->msix_cap = pci_find_cap(d, PCI_CAP_MSIX, 0);
	if (!d->msix_cap)
		return false;
	table = pci_read32(d, d->msix_cap + MSIX_TABLE);
	pba = pci_read32(d, d->msix_cap + MSIX_PBA);
	if ((table & 7) > 5 || (pba & 7) > 5)
		return false;
	d->msix_count = (pci_read16(d, d->msix_cap + MSIX_CONTROL) & MSIX_CONTROL_SIZE) + 1;
	d->msix_table = (uintptr_t)d->bar[table & 7].addr + (table & ~7u);
	d->msix_pba = (uintptr_t)d->bar[pba & 7].addr + (pba & ~7u);
	return true;
}

void msix_set(struct pci_dev *d, u32 n, u32 vector)
{
	uintptr_t e = d->msix_table + n * MSIX_ENTRY_SIZE;

	mmio_write32(e + MSIX_ENTRY_ADDR, msi_address(apic_id()));
	mmio_write32(e + MSIX_ENTRY_UPPER, 0);
	mmio_write32(e + MSIX_ENTRY_DATA, msi_data(vector));
	mmio_write32(e + MSIX_ENTRY_CTRL, 0);
}

void msix_mask(struct pci_dev *d, u32 n, bool masked)
{
	mmio_write32(d->msix_table + n * MSIX_ENTRY_SIZE + MSIX_ENTRY_CTRL, masked);
}

bool msix_pending(const struct pci_dev *d, u32 n)
{
	return mmio_read32(d->msix_pba + n / 32 * 4) & BIT(n % 32);
}

void msix_control(struct pci_dev *d, u16 clear, u16 set)
{
	u16 v = pci_read16(d, d->msix_cap + MSIX_CONTROL);

	pci_write16(d, d->msix_cap + MSIX_CONTROL, (v & ~clear) | set);
}

int pci_intx_gsi(const struct pci_dev *d)
{
	u8 pin = pci_read8(d, PCI_INTERRUPT_PIN), irq;
	struct pci_dev bridge;

	if (!pin || pin > 4)
		return -1;
	if (xen_present())
		return 16 + ((d->dev * 4 + d->dev / 8 + pin - 1) & 31);
	if (!pci_find(&bridge, 0x060100, 0x8086, 0))
		return -1;
	irq = pci_read8(&bridge, 0x60 + ((d->dev - 1 + pin - 1) & 3));
	return irq < 16 ? irq : -1;
}

bool msi_enable(struct pci_dev *d, u32 vector)
{
	u8 cap = pci_find_cap(d, PCI_CAP_MSI, 0);
	u16 ctl;

	if (!cap)
		return false;
	ctl = pci_read16(d, cap + MSI_CONTROL);
	pci_write32(d, cap + 4, msi_address(apic_id()));
	if (ctl & MSI_CONTROL_64)
		pci_write32(d, cap + 8, 0);
	pci_write16(d, cap + (ctl & MSI_CONTROL_64 ? 12 : 8), msi_data(vector));
	pci_write16(d, cap + MSI_CONTROL, (ctl & ~MSI_CONTROL_MULTI) | MSI_CONTROL_ENABLE);
	return true;
}

void msi_disable(struct pci_dev *d)
{
	u8 cap = pci_find_cap(d, PCI_CAP_MSI, 0);

	if (cap)
		pci_write16(d, cap + MSI_CONTROL,
			    pci_read16(d, cap + MSI_CONTROL) & ~MSI_CONTROL_ENABLE);
}
