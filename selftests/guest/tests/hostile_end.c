// SPDX-License-Identifier: GPL-2.0
/*
 * The domain ends in the middle of I/O, by its own doing. None of these tests
 * returns, nor says anything after the line by which it begins: whoever starts
 * them looks at that, and at what is left.
 */
#include "hostile.h"
#include "apic.h"
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

/*
 * Messages of the modes that are no interrupt with a vector, and of those that are
 * none: to this CPU, the other one and all, physically and logically. It is Xen's
 * affair what becomes of them, and the guest's what becomes of the guest.
 */
TEST(hostile_end, message_of_every_mode)
{
	static const u32 addrs[] = { 0xfee00000, 0xfee02000, 0xfeeff000, 0xfee03004 };
	static const u32 datas[] = { 0, VEC_DEVICE, 0xc000 | VEC_DEVICE };
	struct nvme_cmd c = { .opcode = IO_FLUSH, .nsid = nvme.nsid };
	struct nvme_sq sq;
	struct nvme_cq cq;
	uintptr_t entry;
	u32 mode, i, k;

	ASSERT(nvme.pci.msix_cap);
	nvme_create_pair(&sq, &cq, 3, IO_DEPTH, true);
	entry = nvme.pci.msix_table + cq.vector * MSIX_ENTRY_SIZE;
	begin();
	for (mode = 2; mode < 8; mode++) {
		for (i = 0; i < ARRAY_SIZE(addrs); i++) {
			for (k = 0; k < ARRAY_SIZE(datas); k++) {
				mmio_write32(entry + MSIX_ENTRY_CTRL, 1);
				mmio_write32(entry + MSIX_ENTRY_ADDR, addrs[i]);
				mmio_write32(entry + MSIX_ENTRY_DATA, datas[k] | mode << 8);
				mmio_write32(entry + MSIX_ENTRY_CTRL, 0);
				ASSERT_STATUS(nvme_exec(&sq, &c, NULL), SC_SUCCESS);
			}
			irq_settle(NSEC_PER_MSEC);
		}
	}
	xen_shutdown(SHUTDOWN_CRASH);
}
