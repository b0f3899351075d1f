// SPDX-License-Identifier: GPL-2.0
/*
 * As many events as all CPUs can raise: doorbells right and wrong, resets,
 * configuration accesses, commands that all fail. dom0 has to stay able to do
 * other work, which the suite around this measures on another guest.
 */
#include "hostile.h"
#include "smp.h"
#include "xen.h"

SUITE(hostile_storm, .setup = hostile_setup, .teardown = hostile_teardown,
      .flags = SUITE_MANUAL);

static volatile bool stop;
static volatile u32 accesses[MAX_CPUS];
static void (*volatile storm)(u32 cpu, u32 i);

static void storm_on(void *arg)
{
	u32 cpu = (u32)(uintptr_t)arg, i;

	for (i = 0; !stop; i++)
		storm(cpu, i);
	accesses[cpu] = i;
}

/* All CPUs, the first one too, unless it has @meanwhile to do. */
static void storm_for(void (*fn)(u32 cpu, u32 i), void (*meanwhile)(void))
{
	u64 start = now_ns(), ns = hostile_ns(1000);
	u32 cpu, i, n = smp_start(), sum = 0;

	storm = fn;
	stop = false;
	for (cpu = 1; cpu < n; cpu++)
		smp_call(cpu, storm_on, (void *)(uintptr_t)cpu);
	for (i = 0; now_ns() - start < ns; i++) {
		if (meanwhile)
			meanwhile();
		else
			fn(0, i);
	}
	stop = true;
	accesses[0] = meanwhile ? 0 : i;
	for (cpu = 1; cpu < n; cpu++)
		ASSERT(smp_wait(cpu, timeout_ns()));
	for (cpu = 0; cpu < n; cpu++)
		sum += accesses[cpu];
	test_note("%u rounds by %u CPUs", sum, n);
	hostile_recover();
}

/* A generator for each CPU: rnd() is not made for several at once. */
static u32 noise_of(u32 cpu, u32 i)
{
	u32 x = (i + 1) * 2654435761u ^ (cpu + 1) * 0x9e3779b9u;

	x ^= x >> 15;
	x *= 0x2c1b3c6d;
	return x ^ x >> 12;
}

static void any_doorbell(u32 cpu, u32 i)
{
	u32 x = noise_of(cpu, i);

	nvme_w32(NVME_DOORBELLS + (x & 0x3ff) * 4, x & 0x400 ? x >> 16 : x >> 26);
}

TEST(hostile_storm, doorbells)
{
	storm_for(any_doorbell, NULL);
}

/* The same doorbell with the same value: nothing to do, each time. */
static void same_doorbell(u32 cpu, u32 i)
{
	nvme_w32(nvme_sq_db(1), (cpu + i) & 1);
}

TEST(hostile_storm, same_doorbell)
{
	storm_for(same_doorbell, NULL);
}

/* Any of a queue that there is not, so that those which there are go on. */
static void other_doorbell(u32 cpu, u32 i)
{
	u32 x = noise_of(cpu, i);

	nvme_w32(NVME_DOORBELLS + (4 + x % 0x3fc) * 4, x >> 16);
}

static void *error_log;

/* Errors are reported to parked event requests, which are renewed at once. */
static void renew_events(void)
{
	struct nvme_cmd c = { .opcode = ADMIN_ASYNC_EVENT };
	struct nvme_cqe e;
	u32 i;

	for (i = 0; i < 4; i++) {
		c.cid = 100 + i;
		nvme_put(&nvme.asq, &c);
	}
	c = (struct nvme_cmd) {
		.opcode = ADMIN_GET_LOG, .cid = 200, .cdw10 = 0x3f0001,
		.prp1 = phys(error_log),
	};
	nvme_put(&nvme.asq, &c);
	nvme_ring_sq(&nvme.asq);
	while (nvme_reap(&nvme.acq, &e, NSEC_PER_MSEC, true))
		if (e.cid == 200)
			break;
}

TEST(hostile_storm, doorbells_and_events)
{
	error_log = page_alloc(1);
	storm_for(any_doorbell, renew_events);
}

static void any_register(u32 cpu, u32 i)
{
	u32 x = noise_of(cpu, i);

	switch (x & 3) {
	case 0: nvme_r32(x >> 8 & 0x3c); break;
	case 1: nvme_w32(NVME_INTMS + (x & 4), x); break;
	case 2: nvme_w32(NVME_CC, CC_DEFAULT | (x >> 8 & (CC_EN | CC_SHN_MASK))); break;
	case 3: nvme_w32(nvme_sq_db(x >> 8 & 3), x >> 16 & 31); break;
	}
}

TEST(hostile_storm, registers_and_resets)
{
	storm_for(any_register, NULL);
}

/* Each is answered in process context, by way of one workqueue. */
static void any_config(u32 cpu, u32 i)
{
	u32 x = noise_of(cpu, i);

	switch (x & 3) {
	case 0: pci_read32(&nvme.pci, x >> 8 & 0xfc); break;
	case 1: pci_command(&nvme.pci, PCI_COMMAND_MASTER, x >> 8 & PCI_COMMAND_MASTER); break;
	case 2: pci_write32(&nvme.pci, PCI_BAR0, 0xf8000000 + (x >> 8 & 7) * 0x4000); break;
	case 3: pci_write32(&nvme.pci, PCI_CACHE_LINE_SIZE, x); break;
	}
}

TEST(hostile_storm, configuration)
{
	storm_for(any_config, NULL);
}

static bool right_error(u16 cid, u16 status)
{
	return status == (cid & 1 ? SC_INVALID_OPCODE : SC_LBA_RANGE);
}

/* A queue full of commands of which each is an error, again and again. */
static void wrong_commands(void)
{
	struct nvme_cmd c;
	u32 i;

	for (i = 0; i < IO_DEPTH - 1; i++) {
		c = io_cmd(i & 1 ? 0x7f : IO_READ, ~0ull, 8);
		c.cid = i;
		c.prp1 = hostile_addr(i % HOSTILE_ADDRS);
		nvme_put(&io_sq, &c);
	}
	nvme_ring_sq(&io_sq);
	hostile_reap(IO_DEPTH - 1, right_error);
}

TEST(hostile_storm, errors)
{
	storm_for(other_doorbell, wrong_commands);
}

/* Each transfer is the largest there is, and its list the most scattered. */
static void large_commands(void)
{
	u32 mark = mem_mark(), i, pages = min(nvme.max_transfer / PAGE_SIZE, 32u);
	u8 *data = page_alloc(1);
	u64 *list = page_alloc(1);
	struct nvme_cmd c;

	for (i = 0; i < pages; i++)
		list[i] = phys(data);
	for (i = 0; i < IO_DEPTH - 1; i++) {
		c = io_cmd(IO_READ, 0, pages * PAGE_SIZE / nvme.lba_size);
		c.cid = i;
		c.prp1 = phys(data);
		c.prp2 = phys(list);
		nvme_put(&io_sq, &c);
	}
	nvme_ring_sq(&io_sq);
	hostile_reap(IO_DEPTH - 1, hostile_success);
	mem_release(mark);
}

TEST(hostile_storm, large_commands)
{
	storm_for(other_doorbell, large_commands);
}

/* ---- event channels ---- */

/* Twice as many as a small domain has: some operations are about no port at all. */
#define PORTS	2048

#define XEN_EACCES	13

/*
 * How many of the domain's event channels are Xen's own: by those it tells dom0
 * that a request is waiting. Of all others, which are closed first, nothing is left.
 */
static u32 ports_of_xen(void)
{
	u32 port, n = 0, a[6] = { XEN_SELF };
	long rc;

	EXPECT_EQ(xen_evtchn(EVTCHN_RESET, a), 0);
	for (port = 1; port < PORTS; port++) {
		u32 st[6] = { XEN_SELF, port };

		rc = xen_evtchn(EVTCHN_STATUS, st);
		if (rc == -XEN_EACCES)
			n++;
		else if (!rc)
			EXPECT_EQ(st[2], EVTCHN_CLOSED);
	}
	return n;
}

/* All that there is to be done to one, by all CPUs, in any order */
static void any_event(u32 cpu, u32 i)
{
	u32 x = noise_of(cpu, i), port = x >> 8 & (PORTS - 1), vcpu = x >> 20 & 3;
	u32 a[6] = { port };

	switch (x & 15) {
	case 0: case 1: case 2: case 3:
		xen_evtchn(EVTCHN_SEND, a);
		break;
	case 4: case 5: case 6:
		xen_evtchn(EVTCHN_CLOSE, a);
		break;
	case 7: case 8:
		a[1] = vcpu;
		xen_evtchn(EVTCHN_BIND_VCPU, a);
		break;
	case 9: case 10:
		xen_evtchn(EVTCHN_UNMASK, a);
		break;
	case 11:
		a[0] = XEN_SELF;	/* and dom0 for its end */
		xen_evtchn(EVTCHN_ALLOC_UNBOUND, a);
		break;
	case 12:
		a[0] = vcpu;
		xen_evtchn(EVTCHN_BIND_IPI, a);
		break;
	case 13:
		a[0] = x >> 22 & 31;
		a[1] = vcpu;
		xen_evtchn(EVTCHN_BIND_VIRQ, a);
		break;
	case 14:
		a[0] = x >> 22 & 1 ? XEN_SELF : 0;
		a[1] = port;
		xen_evtchn(EVTCHN_BIND_INTERDOMAIN, a);
		break;
	case 15:
		a[0] = XEN_SELF;
		if (!(x >> 22 & 7))
			xen_evtchn(EVTCHN_RESET, a);
		break;
	}
}

/* Verified I/O between a CPU's own events: each access reaches dom0 by an event. */
static void io_and_events(void)
{
	static u32 n;
	u32 i;

	for (i = 0; i < 16; i++)
		any_event(0, n++);
	io_write_pattern(n / 16 % 64 * 8, PAGE_SIZE, n);
	io_expect_pattern(n / 16 % 64 * 8, PAGE_SIZE, n);
}

TEST(hostile_storm, event_channels)
{
	u32 before;

	SKIP_IF(!xen_present(), "not under Xen");
	before = ports_of_xen();
	/* One for each CPU and device model at least */
	EXPECT(before >= 2 * smp_start());
	storm_for(any_event, io_and_events);
	EXPECT_EQ(ports_of_xen(), before);
	test_note("%u channels of Xen's", before);
}
