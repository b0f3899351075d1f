/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of a PCI function: what pci.c and pci_msi.c share.
 */
#ifndef _PCI_MSI_H
#define _PCI_MSI_H

#include <linux/pci_regs.h>
#include <linux/types.h>

#include <ioemu/pci.h>

/* Capabilities in configuration space; a function without vectors lacks two. */
#define CAP_PM			0x40
#define CAP_MSI			0x48
#define CAP_MSIX		0x60
#define CAP_EXP			0x70

#define MSI_SIZEOF		0x18	/* 64 bits, per-vector masking */

/* Registers are little endian and may stand anywhere. */
static inline u16 space_get16(const struct ioemu_pci *pci, unsigned int reg)
{
	return pci->space[reg] | pci->space[reg + 1] << 8;
}

static inline u32 space_get32(const struct ioemu_pci *pci, unsigned int reg)
{
	return space_get16(pci, reg) | (u32)space_get16(pci, reg + 2) << 16;
}

static inline void bytes_set16(u8 *bytes, unsigned int reg, unsigned int value)
{
	bytes[reg] = value & 0xff;
	bytes[reg + 1] = value >> 8 & 0xff;
}

static inline void bytes_set32(u8 *bytes, unsigned int reg, u32 value)
{
	bytes_set16(bytes, reg, value & 0xffff);
	bytes_set16(bytes, reg + 2, value >> 16);
}

int ioemu_pci_msi_init(struct ioemu_pci *pci);
void ioemu_pci_msi_destroy(struct ioemu_pci *pci);
void ioemu_pci_msi_build(struct ioemu_pci *pci);
void ioemu_pci_msi_reset(struct ioemu_pci *pci);
void ioemu_pci_msi_update(struct ioemu_pci *pci);
u32 ioemu_pci_msi_pending(const struct ioemu_pci *pci);

bool ioemu_pci_msix_covers(const struct ioemu_pci *pci, unsigned int bar,
			   u64 offset, unsigned int size);
u64 ioemu_pci_msix_read(struct ioemu_pci *pci, u64 offset, unsigned int size);
void ioemu_pci_msix_write(struct ioemu_pci *pci, u64 offset, unsigned int size,
			  u64 value);

#endif /* _PCI_MSI_H */
