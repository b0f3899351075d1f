// SPDX-License-Identifier: GPL-2.0
/*
 * The domain ends in the middle of I/O, by its own doing. None of these tests
 * returns, nor says anything after the line by which it begins: whoever starts
 * them looks at that, and at what is left.
 */
#include "hostile.h"
#include "xen.h"

SUITE(hostile_end, .setup = hostile_setup, .flags = SUITE_MANUAL);

/* All of the queue is on its way, for the largest part. */
static void begin(void)
{
	u8 *p = page_alloc(IO_DEPTH);
	struct nvme_cmd c;
	u32 i;

	ASSERT(noise_start());
	for (i = 0; i < IO_DEPTH - 1; i++) {
		c = io_cmd(i & 1 ? IO_READ : IO_WRITE, i * 8, PAGE_SIZE / nvme.lba_size);
		c.prp1 = phys(p + i * PAGE_SIZE);
		nvme_put(&io_sq, &c);
	}
	delay_ns(50 * NSEC_PER_MSEC);
	test_note("begun");
	nvme_ring_sq(&io_sq);
}

TEST(hostile_end, crash)
{
	begin();
	xen_shutdown(SHUTDOWN_CRASH);
}

TEST(hostile_end, suspend)
{
	begin();
	xen_shutdown(SHUTDOWN_SUSPEND);
}

TEST(hostile_end, reboot)
{
	begin();
	xen_shutdown(SHUTDOWN_REBOOT);
}

TEST(hostile_end, triple_fault)
{
	static const struct {
		u16 limit;
		u32 base;
	} __packed none;

	begin();
	__asm__ __volatile__("lidt %0; int3" :: "m"(none));
}

/*
 * REP INS from the function's configuration to its own registers, which is two
 * devices' business at once: Xen 4.17 ends the domain for it.
 */
TEST(hostile_end, string_input_to_registers)
{
	void *to = (void *)nvme.bar;
	u32 n = 3;

	begin();
	pci_read32(&nvme.pci, PCI_INTERRUPT_LINE);
	__asm__ __volatile__("rep insl" : "+D"(to), "+c"(n) : "d"((u16)0xcfc) : "memory");
	xen_shutdown(SHUTDOWN_CRASH);
}

/* Within the doorbell's own exit: memory goes first, then the domain. */
TEST(hostile_end, memory_then_crash)
{
	begin();
	ASSERT_EQ(xen_balloon_out((u32)phys(io_sq.ring) >> PAGE_SHIFT), 1);
	ASSERT_EQ(xen_balloon_out((u32)phys(io_cq.ring) >> PAGE_SHIFT), 1);
	nvme_w32(nvme_sq_db(1), 1);
	xen_shutdown(SHUTDOWN_CRASH);
}
