/* SPDX-License-Identifier: GPL-2.0 */
/* PCI configuration space through ports 0xcf8/0xcfc; BARs; capabilities; MSI. */
#ifndef TINY_PCI_H
#define TINY_PCI_H

#include "types.h"

#define PCI_VENDOR_ID		0x00
#define PCI_DEVICE_ID		0x02
#define PCI_COMMAND		0x04
#define  PCI_COMMAND_IO		0x001
#define  PCI_COMMAND_MEMORY	0x002
#define  PCI_COMMAND_MASTER	0x004
#define  PCI_COMMAND_INTX_DISABLE 0x400
#define PCI_STATUS		0x06
#define  PCI_STATUS_INTERRUPT	0x08
#define  PCI_STATUS_CAP_LIST	0x10
#define PCI_REVISION_ID		0x08
#define PCI_CACHE_LINE_SIZE	0x0c
#define PCI_LATENCY_TIMER	0x0d
#define PCI_HEADER_TYPE		0x0e
#define PCI_BIST		0x0f
#define PCI_BAR0		0x10
#define PCI_SUBSYSTEM_VENDOR_ID	0x2c
#define PCI_ROM			0x30
#define PCI_CAP_PTR		0x34
#define PCI_INTERRUPT_LINE	0x3c
#define PCI_INTERRUPT_PIN	0x3d
#define PCI_MIN_GNT		0x3e

#define PCI_CAP_PM		0x01
#define PCI_CAP_MSI		0x05
#define PCI_CAP_EXP		0x10
#define PCI_CAP_MSIX		0x11

/* Offsets into the MSI-X capability and into a table entry */
#define MSIX_CONTROL		2
#define  MSIX_CONTROL_ENABLE	0x8000
#define  MSIX_CONTROL_MASKALL	0x4000
#define  MSIX_CONTROL_SIZE	0x07ff
#define MSIX_TABLE		4
#define MSIX_PBA		8
#define MSIX_ENTRY_ADDR		0
#define MSIX_ENTRY_UPPER	4
#define MSIX_ENTRY_DATA		8
#define MSIX_ENTRY_CTRL		12
#define MSIX_ENTRY_SIZE		16

struct pci_bar {
	u64 size;		/* 0: not implemented */
	u32 flags;		/* the read-only low bits */
	u64 addr;
	u64 home;		/* where pci_enable() placed it, 0: not yet */
	bool is_io, is_64;
};

struct pci_dev {
	u8 bus, dev, fn;
	u16 vendor, device;
	bool sized;
	struct pci_bar bar[6];
	/* MSI-X, when msix_cap is not 0 */
	u8 msix_cap;
	u32 msix_count;
	uintptr_t msix_table, msix_pba;	/* addresses once BARs are placed */
};

/* Any offset and width that x86 can express, within one aligned dword. */
u8 pci_read8(const struct pci_dev *d, u32 off);
u16 pci_read16(const struct pci_dev *d, u32 off);
u32 pci_read32(const struct pci_dev *d, u32 off);
void pci_write8(const struct pci_dev *d, u32 off, u8 v);
void pci_write16(const struct pci_dev *d, u32 off, u16 v);
void pci_write32(const struct pci_dev *d, u32 off, u32 v);

/*
 * Find on bus 0 the @nth device whose class code (24 bits) and vendor are these;
 * -1 for any. Fills @d with its address and identity.
 */
bool pci_find(struct pci_dev *d, int class_code, int vendor, u32 nth);
/* The device at "slot[.function]", numbers as in str_to_u64(). */
bool pci_at(struct pci_dev *d, const char *where);

/* Size all BARs; decoding is off meanwhile. */
void pci_size_bars(struct pci_dev *d);
/* An unused address for @size bytes below 4 GiB; never given back. */
u32 pci_alloc_mmio(u64 size);
/* Set a memory BAR; both halves of a 64-bit one. */
void pci_set_bar(struct pci_dev *d, u32 n, u64 addr);
/*
 * Size and place all memory BARs, turn memory decoding and mastering on. Once
 * more, it puts right what was changed since: BARs are back where they were.
 */
void pci_enable(struct pci_dev *d);
void pci_command(const struct pci_dev *d, u16 clear, u16 set);

/* Offset of the capability @id after the one at @from (0: the first), or 0. */
u8 pci_find_cap(const struct pci_dev *d, u8 id, u8 from);

/* Find MSI-X; needs placed BARs. False if there is none. */
bool msix_init(struct pci_dev *d);
/* Aim entry @n at this vector on the boot CPU, unmasked; msix_mask to change. */
void msix_set(struct pci_dev *d, u32 n, u32 vector);
void msix_mask(struct pci_dev *d, u32 n, bool masked);
bool msix_pending(const struct pci_dev *d, u32 n);
void msix_control(struct pci_dev *d, u16 clear, u16 set);

/*
 * The I/O APIC pin that the function's interrupt pin leads to: by Xen's fixed
 * wiring, else by the PIIX3 router as firmware set it up; -1 if not known.
 */
int pci_intx_gsi(const struct pci_dev *d);

/* Aim plain MSI at this vector and enable it; false if there is none. */
bool msi_enable(struct pci_dev *d, u32 vector);
void msi_disable(struct pci_dev *d);

#endif
