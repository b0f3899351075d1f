// SPDX-License-Identifier: GPL-2.0
#include "hostile.h"
#include "apic.h"
#include "io.h"
#include "smp.h"

#define EXP_DEVCAP		4
#define EXP_DEVCAP_FLR		BIT(28)
#define EXP_DEVCTL		8
#define EXP_DEVCTL_FLR		BIT(15)
#define PM_CTRL			4

#define NOISE_QID		2
#define NOISE_DEPTH		32

static struct noise {
	struct nvme_sq sq;
	struct nvme_cq cq;
	u8 *pages;
	volatile bool stop;
	volatile u32 done;	/* of its commands */
	bool running;
} noise;

void hostile_setup(void)
{
	nvme_attach();
	nvme_forget(true);
	io_setup();
}

void hostile_noisy_setup(void)
{
	hostile_setup();
	if (!noise_start())
		test_note("one CPU");
}

void hostile_teardown(void)
{
	noise_stop();
	if (!nvme.bar)
		return;
	nvme_forget(true);
	nvme_stop();
}

void hostile_recover(void)
{
	noise_stop();
	hostile_power(0);
	nvme_forget(true);
	nvme_start();
	nvme_create_pair(&io_sq, &io_cq, 1, IO_DEPTH, false);
	io_expect_alive();
}

u64 hostile_addr(u32 n)
{
	switch (n) {
	case 0: return 0xa0000;			/* VGA's hole */
	case 1: return 0xfee00000;		/* local APIC */
	case 2: return 0xfec00000;		/* I/O APIC */
	case 3: return nvme.bar;
	case 4: return nvme.bar + NVME_DOORBELLS;
	case 5: return nvme.bar + 0x2000;	/* MSI-X */
	case 6: return nvme.bar + 0x4000;
	case 7: return 0xfa000000;		/* nothing there */
	case 8: return 0xfffff000;		/* firmware's flash */
	case 9: return 0x100000000ull;
	case 10: return (1ull << 40) - PAGE_SIZE;
	case 11: return (1ull << 48) - PAGE_SIZE;
	case 12: return 1ull << 51;
	case 13: return (1ull << 52) - PAGE_SIZE;
	case 14: return 1ull << 63;
	default: return ~0ull << PAGE_SHIFT;
	}
}

/*
 * Capabilities stay where they are, and are looked for once: two CPUs that use
 * these at the same time share ports 0xcf8 and 0xcfc.
 */
bool hostile_flr(void)
{
	static u8 cap;

	if (!cap)
		cap = pci_find_cap(&nvme.pci, PCI_CAP_EXP, 0);
	if (!cap || !(pci_read32(&nvme.pci, cap + EXP_DEVCAP) & EXP_DEVCAP_FLR))
		return false;
	pci_write16(&nvme.pci, cap + EXP_DEVCTL, EXP_DEVCTL_FLR);
	return true;
}

bool hostile_power(u32 state)
{
	static u8 cap;

	if (!cap)
		cap = pci_find_cap(&nvme.pci, PCI_CAP_PM, 0);
	if (!cap)
		return false;
	pci_write16(&nvme.pci, cap + PM_CTRL, state);
	return true;
}

/* Registers may be anywhere or nowhere, the queues gone: never wait. */
static void make_noise(void *arg)
{
	struct noise *n = arg;
	u32 i = 0, per_page = PAGE_SIZE / nvme.lba_size;
	struct nvme_cqe e;
	struct nvme_cmd c;

	while (!n->stop) {
		while ((n->sq.tail + 1) % n->sq.depth != n->sq.head) {
			c = io_cmd(i & 1 ? IO_READ : IO_WRITE, 512 + i % 64 * per_page,
				   per_page);
			c.cid = i++;
			c.prp1 = phys(n->pages + i % NOISE_DEPTH * PAGE_SIZE);
			nvme_put(&n->sq, &c);
		}
		nvme_ring_sq(&n->sq);
		cpu_pause();
		if (!nvme_cq_ready(&n->cq))
			continue;
		while (nvme_cq_ready(&n->cq)) {
			nvme_reap(&n->cq, &e, 0, false);
			n->sq.head = e.sq_head;
			n->done += cqe_status(&e) == SC_SUCCESS;
		}
		nvme_ring_cq(&n->cq);
	}
}

bool noise_start(void)
{
	if (smp_start() < 2)
		return false;
	nvme_create_pair(&noise.sq, &noise.cq, NOISE_QID, NOISE_DEPTH, false);
	noise.pages = page_alloc(NOISE_DEPTH);
	noise.stop = false;
	noise.done = 0;
	noise.running = true;
	smp_call(1, make_noise, &noise);
	EXPECT(wait_for(noise.done, timeout_ns()));
	return true;
}

void noise_stop(void)
{
	if (!noise.running)
		return;
	noise.stop = true;
	noise.running = false;
	if (!smp_wait(1, timeout_ns()))
		test_fail("the other CPU does not come back");
}

void hostile_reap(u32 n, bool (*right)(u16 cid, u16 status))
{
	bool seen[IO_DEPTH] = {};
	struct nvme_cqe e;
	u16 status;
	u32 i;

	for (i = 0; i < n; i++) {
		if (!nvme_reap(&io_cq, &e, timeout_ns(), false))
			test_fatal("%u of %u commands completed", i, n);
		if (e.cid >= n || seen[e.cid])
			test_fatal("completion of %x, a stranger or twice", e.cid);
		seen[e.cid] = true;
		status = cqe_status(&e);
		if (!right(e.cid, status))
			test_fail("command %u: status %03x (%s)", e.cid, status,
				  nvme_status_name(status));
	}
	nvme_ring_cq(&io_cq);
}

bool hostile_success(u16 cid, u16 status)
{
	(void)cid;
	return status == SC_SUCCESS;
}

u64 hostile_ns(u32 dflt_ms)
{
	return arg_u64("ms", dflt_ms) * NSEC_PER_MSEC;
}
