// SPDX-License-Identifier: GPL-2.0
/*
 * How long one access takes, for benchmarks: no verdicts. Results are lines
 * "# latency: NAME p50 p90 p99 p99.9 max", in nanoseconds of the guest's clock.
 */
#include "io.h"
#include "nvme_io.h"

#define SAMPLES_MAX	4096

static u32 sample[SAMPLES_MAX];

static void setup(void)
{
	nvme_attach();
}

SUITE(latency, .setup = setup, .teardown = nvme_stop, .flags = SUITE_MANUAL);

static u32 samples(void)
{
	return max(1u, min((u32)arg_u64("samples", 500), (u32)SAMPLES_MAX));
}

static void sift(u32 root, u32 n)
{
	for (;;) {
		u32 child = 2 * root + 1, t;

		if (child >= n)
			return;
		if (child + 1 < n && sample[child + 1] > sample[child])
			child++;
		if (sample[root] >= sample[child])
			return;
		t = sample[root];
		sample[root] = sample[child];
		sample[child] = t;
		root = child;
	}
}

static void report(const char *name, u32 n)
{
	u32 i, t;

	for (i = n / 2; i--;)
		sift(i, n);
	for (i = n; i-- > 1;) {
		t = sample[0];
		sample[0] = sample[i];
		sample[i] = t;
		sift(0, i);
	}
	test_note("latency: %-16s %u %u %u %u %u", name, sample[n / 2],
		  sample[n * 9 / 10], sample[n * 99 / 100],
		  sample[n * 999 / 1000], sample[n - 1]);
}

static void take(u32 i, u64 cycles)
{
	u64 ns = cycles_to_ns(cycles);

	sample[i] = ns > 0xffffffff ? 0xffffffff : (u32)ns;
}

#define MEASURE(name, expr) do {					\
	u32 _i, _n = samples();						\
									\
	(void)(expr);							\
	for (_i = 0; _i < _n; _i++) {					\
		u64 _t = rdtsc();					\
									\
		(void)(expr);						\
		take(_i, rdtsc() - _t);					\
	}								\
	report(name, _n);						\
} while (0)

/* Nothing between the two stamps, and an exit to the hypervisor alone */
TEST(latency, none)
{
	u32 r[4];

	MEASURE("none", 0);
	MEASURE("cpuid", (cpuid(0x40000000, 0, r), 0));
}

/* A port which Xen answers itself: the interrupt controller's mask */
TEST(latency, xen_port)
{
	MEASURE("xen-port", inb(0x21));
}

/* The local APIC, memory mapped, which Xen answers itself */
TEST(latency, xen_mmio)
{
	MEASURE("xen-mmio", mmio_read32(0xfee00030));
}

/* A port of the device model that has all the rest: the real-time clock's */
TEST(latency, dm_port)
{
	MEASURE("dm-port", inb(0x3f8 + 7));
	MEASURE("dm-port-unused", inb(0x1e0));
}

TEST(latency, pci_config)
{
	MEASURE("pci-config", pci_read32(&nvme.pci, 0));
}

TEST(latency, version_read)
{
	MEASURE("nvme-vs", nvme_r32(NVME_VS));
}

TEST(latency, register_read)
{
	MEASURE("nvme-csts", nvme_r32(NVME_CSTS));
	MEASURE("nvme-cap-lo", nvme_r32(NVME_CAP));
}

TEST(latency, register_write)
{
	nvme_disable();
	MEASURE("nvme-aqa-write", (nvme_w32(NVME_AQA, 0x000f000f), 0));
}

TEST(latency, admin_command)
{
	nvme_start();
	MEASURE("nvme-get-feature", nvme_get_feature(FEAT_NUM_QUEUES, 0, 0, NULL));
}

static void io_latency(const char *name, u8 op, u32 bytes)
{
	struct nvme_cmd c;
	struct dbuf b;

	dbuf_alloc(&b, DBUF_CONTIGUOUS, 0, bytes);
	dbuf_fill(&b, 1);
	c = io_cmd(op, 0, bytes / nvme.lba_size);
	dbuf_prp(&b, &c, 0);
	MEASURE(name, io_exec(&c));
}

TEST(latency, io)
{
	io_setup();
	io_latency("read-512", IO_READ, max(512u, nvme.lba_size));
	io_latency("read-4k", IO_READ, 4096);
	io_latency("read-64k", IO_READ, min(65536u, nvme.max_transfer));
	io_latency("write-4k", IO_WRITE, 4096);
}

/* Commands per second at a depth, for the seconds that "seconds=" says */
static void throughput(u32 depth)
{
	u32 per_page = PAGE_SIZE / nvme.lba_size, done = 0, put = 0, i;
	u64 start, ns, limit = arg_u64("seconds", 2) * NSEC_PER_SEC;
	u8 *p = page_alloc(depth);
	struct nvme_cmd c;
	struct nvme_cqe e;

	start = now_ns();
	for (i = 0; i < depth; i++, put++) {
		c = io_cmd(IO_READ, (u64)(rnd() % 1024) * per_page, per_page);
		c.cid = put % depth;
		c.prp1 = phys(p + (put % depth) * PAGE_SIZE);
		nvme_put(&io_sq, &c);
	}
	nvme_ring_sq(&io_sq);
	while (done < put) {
		bool more = now_ns() - start < limit;
		u32 n = 0;

		ASSERT(wait_for(nvme_cq_ready(&io_cq), timeout_ns()));
		while (nvme_cq_ready(&io_cq)) {
			ASSERT(nvme_reap(&io_cq, &e, 0, false));
			ASSERT_STATUS(cqe_status(&e), SC_SUCCESS);
			done++;
			n++;
			if (more) {
				c.cid = e.cid;
				c.cdw10 = rnd() % 1024 * per_page;
				c.prp1 = phys(p + e.cid * PAGE_SIZE);
				nvme_put(&io_sq, &c);
				put++;
			}
		}
		nvme_ring_cq(&io_cq);
		if (more && n)
			nvme_ring_sq(&io_sq);
	}
	ns = now_ns() - start;
	test_note("iops: depth %u: %llu", depth,
		  div_u64((u64)done * 1000000, (u32)div_u64(ns, 1000, NULL), NULL));
}

TEST(latency, throughput)
{
	static const u8 depths[] = { 1, 4, 32 };
	u32 i;

	io_setup();
	for (i = 0; i < ARRAY_SIZE(depths); i++)
		throughput(depths[i]);
}

TEST(latency, throughput_shadow_doorbells)
{
	static const u8 depths[] = { 1, 4, 32 };
	u32 i;

	io_setup();
	SKIP_IF(!(nvme.idctrl[257] & 1), "no Doorbell Buffer Config");
	ASSERT_STATUS(nvme_dbbuf_enable(), SC_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(depths); i++)
		throughput(depths[i]);
	test_note("%u doorbell writes", nvme.doorbell_writes);
}
