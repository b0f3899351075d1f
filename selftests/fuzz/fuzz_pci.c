// SPDX-License-Identifier: GPL-2.0
/*
 * Two PCI functions and a guest that does what it likes: accesses of all kinds
 * to configuration space, memory and ports, in between notifications, pin levels,
 * refusals of the hypervisor and want of memory.
 *
 * After each step, what a guest can see is compared with what the specification
 * makes of the registers, worked out here once more from the registers alone:
 * which ranges are claimed, which messages may have been sent, what may be
 * pending, the level of the pin.
 */
#include <linux/pci_regs.h>
#include <standin/kernel.h>
#include <standin/sched.h>

#include "fake_vm.h"
#include "input.h"
#include "pci_msi.h"

#define NR_DEVS		2
#define FIRST_SLOT	5
#define MAX_STEPS	400

/* What the model knows of a function beyond its registers. */
struct dev {
	struct ioemu_pci pci;
	struct ioemu_pci_config config;
	bool added;
	bool wish;
	bool told_master;
	unsigned int bar;
	u64 offset;
	unsigned int hits;
	unsigned int resets;
};

static struct ioemu_vm *vm;
static struct dev devs[NR_DEVS];
/* A claim was refused in this run: ranges may be missing from now on. */
static bool refused;

#define CHECK(c) do {							\
	if (!(c))							\
		standin_die("%s:%d: %s", __func__, __LINE__, #c); } while (0)

static u64 bar_read(struct ioemu_pci *pci, unsigned int bar, u64 offset,
		    unsigned int size)
{
	struct dev *d = container_of(pci, struct dev, pci);

	CHECK(d->added);
	CHECK(offset + size <= d->config.bars[bar].size);
	d->bar = bar;
	d->offset = offset;
	d->hits++;
	return ~0ULL;
}

static void bar_write(struct ioemu_pci *pci, unsigned int bar, u64 offset,
		      unsigned int size, u64 value)
{
	bar_read(pci, bar, offset, size);
	CHECK(size == 8 || !(value >> 8 * size));
}

static void reset(struct ioemu_pci *pci)
{
	struct dev *d = container_of(pci, struct dev, pci);

	CHECK(d->added);
	CHECK(!ioemu_pci_master(pci));
	CHECK(!d->told_master);
	d->resets++;
	d->wish = false;
	/* A device that does not stop at once. */
	ioemu_pci_notify(pci, 0);
	ioemu_pci_set_intx(pci, true);
	CHECK(!fake_vm_intx(vm, pci->slot, 0));
}

static void master(struct ioemu_pci *pci, bool on)
{
	struct dev *d = container_of(pci, struct dev, pci);

	CHECK(d->added);
	CHECK(d->told_master != on);
	CHECK(ioemu_pci_master(pci) == on);
	d->told_master = on;
}

static const struct ioemu_pci_ops ops = { bar_read, bar_write, reset, master };

static const struct ioemu_pci_config shapes[][NR_DEVS] = {
	{
		{
			.vendor = 1, .device = 2, .class = 0x010802,
			.bars = { [0] = { .size = 0x4000, .is_64bit = true } },
			.nr_vectors = 5, .msix_offset = 0x2000,
		}, {
			.vendor = 3, .device = 4, .class = 0x010000,
			.bars = {
				[0] = { .size = 16 },
				[1] = { .size = 64 },
				[2] = { .size = 0x2000 },
				[5] = { .size = 16 },
			},
			.nr_vectors = 2, .msix_bar = 2, .msix_offset = 0x18,
		},
	}, {
		{
			.vendor = 1, .device = 2, .class = 0x010802,
			.bars = { [0] = { .size = 0x4000, .is_64bit = true } },
			.nr_vectors = 65, .msix_offset = 0x2000,
		}, {
			.vendor = 5, .device = 6, .class = 0x010601,
			.bars = {
				[4] = { .size = 1ULL << 33, .is_64bit = true },
				[5] = { },
				[0] = { .size = 256 },
			},
		},
	},
};

static u64 cfg(const struct dev *d, unsigned int reg, unsigned int size)
{
	return fake_config_read(vm, d->pci.slot, reg, size);
}

/* The registers that decide what is seen of a function, read once a step. */
struct registers {
	u16 command, status, msix, msi;
	u32 id, bars[IOEMU_PCI_BARS];
	bool in_d0;
};

static struct registers regs_of[NR_DEVS];

static struct registers *regs(const struct dev *d)
{
	return &regs_of[d - devs];
}

static void read_registers(void)
{
	unsigned int i, b;
	struct dev *d;

	for (i = 0; i < NR_DEVS; i++) {
		struct registers *r = &regs_of[i];

		d = &devs[i];
		if (!d->added)
			continue;
		r->id = cfg(d, 0, 4);
		r->command = cfg(d, 4, 2);
		r->status = cfg(d, 6, 2);
		r->in_d0 = !(cfg(d, CAP_PM + 4, 1) & 3);
		for (b = 0; b < IOEMU_PCI_BARS; b++)
			r->bars[b] = cfg(d, 16 + 4 * b, 4);
		if (!d->config.nr_vectors)
			continue;
		r->msi = cfg(d, CAP_MSI + 2, 2);
		r->msix = cfg(d, CAP_MSIX + 2, 2);
	}
}

static bool in_d0(const struct dev *d)
{
	return regs(d)->in_d0;
}

/* Where the registers say that a BAR is. */
static bool window(const struct dev *d, unsigned int i, u64 *start)
{
	const struct ioemu_pci_bar_config *bar = &d->config.bars[i];
	unsigned __int128 end;
	u64 base;

	if (!bar->size || !(regs(d)->command & PCI_COMMAND_MEMORY) || !in_d0(d))
		return false;
	base = regs(d)->bars[i];
	if (bar->is_64bit)
		base |= (u64)regs(d)->bars[i + 1] << 32;
	base -= base % bar->size;
	end = (unsigned __int128)base + bar->size;
	if (!base || end > 1ULL << 52 || end == 1ULL << 32)
		return false;
	*start = base;
	return true;
}

/* Do the registers put two BARs at one place? Then one is not decoded. */
static bool clash(void)
{
	struct { u64 start, end; } w[NR_DEVS * IOEMU_PCI_BARS];
	unsigned int i, b, j, n = 0;
	u64 start;

	for (i = 0; i < NR_DEVS; i++) {
		const struct ioemu_pci_bar_config *bars = devs[i].config.bars;

		for (b = 0; b < IOEMU_PCI_BARS; b++) {
			if (!devs[i].added || !window(&devs[i], b, &start))
				continue;
			w[n].start = start;
			w[n].end = start + bars[b].size - 1;
			for (j = 0; j < n; j++)
				if (w[j].start <= w[n].end &&
				    w[n].start <= w[j].end)
					return true;
			n++;
		}
	}
	return false;
}

static void check_ranges(void)
{
	unsigned int i, b, claimed = 0;
	u64 start;

	if (clash())
		refused = true;

	for (i = 0; i < NR_DEVS; i++) {
		struct dev *d = &devs[i];

		if (!d->added)
			continue;
		CHECK(fake_vm_has_range(vm, IOEMU_IO_PCI, d->pci.slot << 3,
					d->pci.slot << 3));
		claimed++;
		for (b = 0; b < IOEMU_PCI_BARS; b++) {
			u64 size = d->config.bars[b].size;
			unsigned int hits = d->hits;

			if (!window(d, b, &start))
				continue;
			if (!fake_vm_has_range(vm, IOEMU_IO_MEMORY, start,
					       start + size - 1)) {
				CHECK(refused);
				continue;
			}
			claimed++;
			/* What is claimed answers, from its own device. */
			fake_mmio_read(vm, start + size - 1, 1);
			CHECK(fake_vm_io_claimed(vm));
			if (d->hits != hits)
				CHECK(d->offset == size - 1);
			if (d->hits != hits && !refused)
				CHECK(d->bar == b);
		}
	}
	/*
	 * Nothing is claimed but what the registers say. Two BARs of one size at
	 * one address count twice above.
	 */
	if (refused)
		CHECK(fake_vm_nr_ranges(vm) <= claimed);
	else
		CHECK(fake_vm_nr_ranges(vm) == claimed);
}

static bool msix_on(const struct dev *d)
{
	return d->config.nr_vectors && regs(d)->msix & 0x8000;
}

static bool msi_on(const struct dev *d)
{
	return d->config.nr_vectors && !msix_on(d) && regs(d)->msi & 1;
}

static u64 table(struct dev *d, unsigned int v, unsigned int at,
		 unsigned int size)
{
	return ioemu_pci_msix_read(&d->pci, d->config.msix_offset + 16 * v + at,
				   size);
}

/* A message for an event channel: the mask bit of its vector does not count. */
static bool for_xen(u32 data)
{
	return data && !(data & 0xff);
}

static bool may_send(struct dev *d, unsigned int v, struct fake_msi *m)
{
	if (!d->added || !in_d0(d) || !(regs(d)->command & 4))
		return false;
	if (msix_on(d)) {
		m->addr = table(d, v, 0, 8);
		m->data = table(d, v, 8, 4);
		return !(regs(d)->msix & 0x4000) &&
		       (!(table(d, v, 12, 4) & 1) || for_xen(m->data));
	}
	if (msi_on(d)) {
		u16 control = regs(d)->msi;
		unsigned int offered = control >> 1 & 7;
		unsigned int given = min(control >> 4 & 7u, offered);
		u16 base = cfg(d, CAP_MSI + 12, 2);

		m->addr = cfg(d, CAP_MSI + 4, 8);
		m->data = base - base % (1 << given) + v;
		return v < 1u << given &&
		       (!(cfg(d, CAP_MSI + 16, 4) >> v & 1) || for_xen(base));
	}
	return false;
}

/* Only a vector that may not send can be pending. */
static void check_pending(struct dev *d)
{
	struct fake_msi want;
	unsigned int first, v;
	u64 bits;

	for (first = 0; first < d->config.nr_vectors; first += 64) {
		bits = ioemu_pci_msix_read(&d->pci, d->pci.msix_pba + first / 8,
					   8);
		if (!first)
			bits |= cfg(d, CAP_MSI + 20, 4);
		for (v = first; bits; v++, bits >>= 1) {
			if (!(bits & 1))
				continue;
			CHECK(v < d->config.nr_vectors);
			CHECK(msix_on(d) || msi_on(d));
			CHECK(!may_send(d, v, &want));
		}
	}
}

static void check_messages(bool all)
{
	unsigned int i, v, n = fake_vm_nr_msi(vm), m;
	struct fake_msi sent, want;

	for (m = 0; m < n; m++) {
		bool allowed = false;

		sent = fake_vm_msi(vm, m);
		for (i = 0; i < NR_DEVS && !allowed; i++)
			for (v = 0; v < devs[i].config.nr_vectors; v++)
				if (may_send(&devs[i], v, &want) &&
				    want.addr == sent.addr &&
				    want.data == sent.data)
					allowed = true;
		CHECK(allowed);
	}
	fake_vm_clear_msi(vm);

	for (i = 0; all && i < NR_DEVS; i++)
		if (devs[i].added)
			check_pending(&devs[i]);
}

static void check_state(void)
{
	unsigned int i;

	for (i = 0; i < NR_DEVS; i++) {
		struct dev *d = &devs[i];
		u16 command, status;
		bool d0, on;

		if (!d->added) {
			CHECK(!fake_vm_intx(vm, FIRST_SLOT + i, 0));
			continue;
		}
		command = regs(d)->command;
		status = regs(d)->status;
		d0 = in_d0(d);
		on = d0 && command & 4;
		CHECK(ioemu_pci_master(&d->pci) == on);
		CHECK(d->told_master == on);
		CHECK(ioemu_pci_irq_mode(&d->pci) ==
		      (msix_on(d) ? IOEMU_PCI_IRQ_MSIX :
		       msi_on(d) ? IOEMU_PCI_IRQ_MSI : IOEMU_PCI_IRQ_INTX));
		CHECK(status == (0x10 | d->wish << 3));
		CHECK(fake_vm_intx(vm, d->pci.slot, 0) ==
		      (d->wish && d0 && !(command & 0x400) && !msix_on(d) &&
		       !msi_on(d)));
		CHECK(regs(d)->id ==
		      (d->config.vendor | (u32)d->config.device << 16));
	}
	CHECK(!standin_in_atomic());
}

static void add(unsigned int i)
{
	struct dev *d = &devs[i];

	d->wish = false;
	d->told_master = false;
	d->added = true;
	if (ioemu_pci_add(&d->pci)) {
		d->added = false;
		/* Nothing else says no. */
		CHECK(refused);
	}
}

static void drop(unsigned int i)
{
	ioemu_pci_remove(&devs[i].pci);
	devs[i].added = false;
}

/* An address near a place of interest: a BAR, mostly. */
static u64 address(struct input *in, enum ioemu_io_type type)
{
	u8 how = input_u8(in);
	struct dev *d = &devs[how & 1];
	unsigned int bar = (how >> 1) % IOEMU_PCI_BARS;
	u64 start;

	if (how & 0x80)
		return type == IOEMU_IO_PORT ? input_u16(in) : input_u64(in);
	if (!d->added || !window(d, bar, &start))
		start = 0x1000;
	if (how & 0x40)
		return start + d->config.msix_offset + input_u8(in) % 0x60;
	if (how & 0x20)
		return start + (input_u16(in) & 0x7fff) - 8;
	return start + d->pci.msix_pba + input_u8(in) % 32 - 8;
}

static void step(struct input *in)
{
	static const u8 regs[] = {
		0x04, 0x04, 0x05, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x3c,
		0x44, 0x4a, 0x4c, 0x50, 0x54, 0x58, 0x62, 0x63, 0x78, 0x79,
	};
	u8 op = input_u8(in), arg = input_u8(in);
	struct dev *d = &devs[arg & 1];
	unsigned int size = 1u << (arg >> 1 & 3);
	enum ioemu_io_type type;
	unsigned int reg;
	u64 value;

	switch (op % 16) {
	case 0 ... 4:
		/* Two registers in three are among those that do things. */
		reg = op % 16 < 4 ? regs[(arg >> 3) % ARRAY_SIZE(regs)] :
				    input_u16(in) & 0xfff;
		if (op & 0x80)
			reg += input_u8(in) % 8 - 4;
		input_take(in, &value, size);
		if (size < 8)
			value &= (1ULL << 8 * size) - 1;
		fake_config_write(vm, d->pci.slot, reg, size, value);
		break;
	case 5:
		fake_config_read(vm, d->pci.slot, input_u16(in) & 0x1fff, size);
		break;
	case 6 ... 8:
		type = arg & 0x80 ? IOEMU_IO_PORT : IOEMU_IO_MEMORY;
		value = address(in, type);
		fake_vm_io_write(vm, type, value, size, input_u64(in));
		break;
	case 9:
		type = arg & 0x80 ? IOEMU_IO_PORT : IOEMU_IO_MEMORY;
		value = address(in, type);
		fake_vm_io_read(vm, type, value, arg & 0x40 ? arg & 15 : size);
		break;
	case 10 ... 12:
		if (arg & 2)
			standin_irq_enter();
		ioemu_pci_notify(&d->pci, arg >> 2 == 63 ? input_u32(in) :
				 arg >> 2);
		if (arg & 2)
			standin_irq_exit();
		break;
	case 13:
		ioemu_pci_set_intx(&d->pci, arg & 2);
		d->wish = d->added && arg & 2;
		if (!d->added)
			ioemu_pci_set_intx(&d->pci, false);
		break;
	case 14:
		if (d->added)
			drop(arg & 1);
		else
			add(arg & 1);
		break;
	case 15:
		/* Seldom, since a run with refusals is checked less. */
		if (arg < 0xc0)
			break;
		refused = true;
		if (arg & 2)
			fake_vm_fail_claims(vm, (arg >> 2) % IOEMU_IO_TYPES,
					    arg & 0x20 ? -EPERM : 0);
		else
			standin_fail_alloc(arg >> 2 & 7, false);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	unsigned int i, n, shape;

	if (!vm) {
		standin_fail_aborts = true;
		vm = fake_vm_new(1);
	}
	refused = false;
	shape = input_u8(&in) % ARRAY_SIZE(shapes);
	for (i = 0; i < NR_DEVS; i++) {
		struct dev *d = &devs[i];

		memset(d, 0, sizeof(*d));
		d->config = shapes[shape][i];
		CHECK(!ioemu_pci_init(&d->pci, vm, FIRST_SLOT + i, &d->config,
				      &ops));
		add(i);
	}
	read_registers();
	for (n = 0; n < MAX_STEPS && in.left; n++) {
		step(&in);
		read_registers();
		check_ranges();
		/* What is pending stays so: to look now and then is enough. */
		check_messages(n % 4 == 3 || !in.left);
		check_state();
	}
	standin_fail_alloc(0, false);
	for (i = 0; i < NR_DEVS; i++) {
		if (devs[i].added)
			drop(i);
		ioemu_pci_destroy(&devs[i].pci);
	}
	standin_rcu_drain();
	fake_vm_reset(vm);
	return 0;
}
