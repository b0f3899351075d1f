// SPDX-License-Identifier: GPL-2.0
/* Controller registers: NVMe 1.4 section 3.1, 7.3 (resets), 7.6 (initialisation). */
#include "harness.h"
#include "mem.h"
#include "nvme.h"
#include "time.h"

static void setup(void)
{
	nvme_attach();
	if (!nvme_disable())
		test_fatal("CSTS.RDY stays 1 after CC.EN=0");
}

SUITE(nvme_regs, .setup = setup, .teardown = nvme_stop);

static u32 cc_default(void)
{
	return CC_DEFAULT | CC_MPS(CAP_MPSMIN(nvme.cap));
}

static u32 csts(void)
{
	return nvme_r32(NVME_CSTS);
}

TEST(nvme_regs, cap)
{
	u64 cap = nvme.cap;
	u32 pages;

	test_note("CAP 0x%llx: MQES %u, TO %u, DSTRD %u", cap, CAP_MQES(cap),
		  CAP_TO(cap), CAP_DSTRD(cap));
	EXPECT(CAP_MQES(cap) >= 1);
	EXPECT(CAP_CSS(cap) & BIT(0));		/* the NVM command set */
	EXPECT(CAP_MPSMIN(cap) <= CAP_MPSMAX(cap));
	EXPECT_EQ(cap >> 19 & 31, 0);		/* reserved */
	EXPECT_EQ(cap >> 46 & 3, 0);
	EXPECT_EQ(cap >> 58, 0);
	EXPECT(CAP_TO(cap) > 0);
	/* What guests need: SeaBIOS 4 KiB pages, Linux 8 KiB of BAR at least. */
	EXPECT_EQ(CAP_MPSMIN(cap), 0);
	pages = (NVME_DOORBELLS + 4 * nvme.stride + PAGE_MASK) / PAGE_SIZE;
	EXPECT(nvme.pci.bar[0].size >= pages * PAGE_SIZE);
}

TEST(nvme_regs, vs)
{
	u32 vs = nvme_r32(NVME_VS);

	test_note("version %u.%u.%u", vs >> 16, vs >> 8 & 0xff, vs & 0xff);
	EXPECT(vs >> 16 >= 1 && vs >> 16 <= 2);
	EXPECT(vs >= 0x00010200);
}

TEST(nvme_regs, idle_after_reset)
{
	EXPECT_EQ(nvme_r32(NVME_CC) & CC_EN, 0);
	EXPECT_EQ(csts() & (CSTS_RDY | CSTS_CFS), 0);
	EXPECT_EQ(CSTS_SHST(csts()), 0);
	EXPECT_EQ(csts() & ~0x3fu, 0);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0);
}

TEST(nvme_regs, read_only)
{
	u64 cap = nvme_r64(NVME_CAP);
	u32 vs = nvme_r32(NVME_VS), st = csts();

	nvme_w64(NVME_CAP, ~cap);
	nvme_w32(NVME_VS, ~vs);
	/* NSSRO and nothing else is cleared by writing a one. */
	nvme_w32(NVME_CSTS, ~(st | CSTS_NSSRO));
	EXPECT_EQ(nvme_r64(NVME_CAP), cap);
	EXPECT_EQ(nvme_r32(NVME_VS), vs);
	EXPECT_EQ(csts(), st);
}

TEST(nvme_regs, reserved_is_zero)
{
	static const u32 regs[] = { 0x18, 0x60, 0x80, 0x100, 0x800, 0xdf8 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (!EXPECT_EQ(nvme_r32(regs[i]), 0))
			test_note("register %x", regs[i]);
		nvme_w32(regs[i], ~0u);
		EXPECT_EQ(nvme_r32(regs[i]), 0);
	}
}

/* Registers of features which CAP denies read as zero. */
TEST(nvme_regs, absent_features_are_zero)
{
	if (!(nvme.cap & CAP_NSSRS)) {
		nvme_w32(NVME_NSSR, 0x12345678);
		EXPECT_EQ(nvme_r32(NVME_NSSR), 0);
	}
	if (!(nvme.cap & CAP_CMBS)) {
		EXPECT_EQ(nvme_r32(0x38), 0);
		EXPECT_EQ(nvme_r32(0x3c), 0);
	}
	if (!(nvme.cap & CAP_BPS)) {
		EXPECT_EQ(nvme_r32(0x40), 0);
		EXPECT_EQ(nvme_r32(0x44), 0);
	}
	if (!(nvme.cap & CAP_PMRS))
		EXPECT_EQ(nvme_r32(0xe00), 0);
}

TEST(nvme_regs, admin_queue_registers)
{
	nvme_w32(NVME_AQA, 0x00ff003f);
	EXPECT_EQ(nvme_r32(NVME_AQA), 0x00ff003f);
	nvme_w32(NVME_AQA, 0x0fff0fff);
	EXPECT_EQ(nvme_r32(NVME_AQA), 0x0fff0fff);

	nvme_w32(NVME_ASQ, 0x00345000);
	nvme_w32(NVME_ASQ + 4, 0x00000001);
	EXPECT_EQ(nvme_r32(NVME_ASQ), 0x00345000);
	EXPECT_EQ(nvme_r32(NVME_ASQ + 4), 1);
	/* Either half alone leaves the other as it was, in any order. */
	nvme_w32(NVME_ASQ + 4, 0x00000022);
	EXPECT_EQ(nvme_r64(NVME_ASQ), 0x0000002200345000ull);
	nvme_w32(NVME_ASQ, 0xfff00000);
	EXPECT_EQ(nvme_r64(NVME_ASQ), 0x00000022fff00000ull);

	nvme_w32(NVME_ACQ + 4, 0x00000003);
	nvme_w32(NVME_ACQ, 0x00456000);
	EXPECT_EQ(nvme_r64(NVME_ACQ), 0x0000000300456000ull);
	EXPECT_EQ(nvme_r64(NVME_ASQ), 0x00000022fff00000ull);
	EXPECT_EQ(nvme_r32(NVME_AQA), 0x0fff0fff);
}

TEST(nvme_regs, admin_queue_reserved_bits)
{
	nvme_w32(NVME_AQA, 0xffffffff);
	EXPECT_EQ(nvme_r32(NVME_AQA), 0x0fff0fff);
	nvme_w64(NVME_ASQ, 0x0000000100345fffull);
	EXPECT_EQ(nvme_r64(NVME_ASQ), 0x0000000100345000ull);
	nvme_w64(NVME_ACQ, 0x0000000100345fffull);
	EXPECT_EQ(nvme_r64(NVME_ACQ), 0x0000000100345000ull);
}

TEST(nvme_regs, access_64bit)
{
	uintptr_t b = nvme.bar;

	SKIP_IF(!cpu_has_sse2, "no 8-byte access on this CPU");
	EXPECT_EQ(mmio_read64_once(b + NVME_CAP), nvme.cap);
	mmio_write64_once(b + NVME_ASQ, 0x0000000512345000ull);
	EXPECT_EQ(nvme_r64(NVME_ASQ), 0x0000000512345000ull);
	EXPECT_EQ(mmio_read64_once(b + NVME_ASQ), 0x0000000512345000ull);
	nvme_w64(NVME_ACQ, 0x0000000623456000ull);
	EXPECT_EQ(mmio_read64_once(b + NVME_ACQ), 0x0000000623456000ull);
}

TEST(nvme_regs, enable_disable)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		nvme_admin_setup(8, 8);
		ASSERT(nvme_enable(cc_default()));
		EXPECT_EQ(nvme_r32(NVME_CC), cc_default() | CC_EN);
		EXPECT_EQ(csts() & ~CSTS_NSSRO, CSTS_RDY);
		ASSERT(nvme_disable());
		EXPECT_EQ(csts() & ~CSTS_NSSRO, 0);
	}
}

/* Windows reads them back while enabled; a controller reset spares them. */
TEST(nvme_regs, admin_registers_stay)
{
	u32 aqa;
	u64 asq, acq;

	nvme_admin_setup(8, 16);
	aqa = nvme_r32(NVME_AQA);
	asq = nvme_r64(NVME_ASQ);
	acq = nvme_r64(NVME_ACQ);
	EXPECT_EQ(aqa, 0x000f0007);
	EXPECT_EQ(asq, phys(nvme.asq.ring));
	ASSERT(nvme_enable(cc_default()));
	EXPECT_EQ(nvme_r32(NVME_AQA), aqa);
	EXPECT_EQ(nvme_r64(NVME_ASQ), asq);
	EXPECT_EQ(nvme_r64(NVME_ACQ), acq);
	ASSERT(nvme_disable());
	EXPECT_EQ(nvme_r32(NVME_AQA), aqa);
	EXPECT_EQ(nvme_r64(NVME_ASQ), asq);
	EXPECT_EQ(nvme_r64(NVME_ACQ), acq);
}

/* After the reset the queues begin anew, at index 0 and phase 1. */
TEST(nvme_regs, queues_restart_after_reset)
{
	u32 round, i;
	void *page = page_alloc(1);

	for (round = 0; round < 3; round++) {
		nvme_admin_setup(4, 4);
		ASSERT(nvme_enable(cc_default()));
		for (i = 0; i < 3 + round; i++)
			ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
		ASSERT(nvme_disable());
	}
}

/* The smallest admin queue, as EDK2 uses it, and the largest. */
TEST(nvme_regs, admin_queue_sizes)
{
	void *page = page_alloc(1);
	u32 i;

	nvme_admin_setup(2, 2);
	ASSERT(nvme_enable(cc_default()));
	for (i = 0; i < 5; i++)
		ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
	ASSERT(nvme_disable());
	nvme_admin_setup(4096, 4096);
	ASSERT(nvme_enable(cc_default()));
	for (i = 0; i < 5; i++)
		ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

/* Commands that are there before the controller is enabled are not seen. */
TEST(nvme_regs, doorbell_while_disabled)
{
	void *page = page_alloc(1);

	nvme_admin_setup(8, 8);
	nvme_w32(nvme_sq_db(0), 3);
	nvme_w32(nvme_cq_db(0), 3);
	nvme_w32(nvme_sq_db(1), 1);
	delay_ns(quiet_ns());
	EXPECT_EQ(csts() & CSTS_RDY, 0);
	EXPECT(!nvme_cq_ready(&nvme.acq));
	ASSERT(nvme_enable(cc_default()));
	EXPECT(!nvme_cq_ready(&nvme.acq));
	ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

static void shutdown(u32 how)
{
	void *page = page_alloc(1);

	nvme_admin_setup(8, 8);
	ASSERT(nvme_enable(cc_default()));
	ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
	EXPECT_EQ(CSTS_SHST(csts()), 0);
	nvme_w32(NVME_CC, cc_default() | CC_EN | CC_SHN(how));
	ASSERT(wait_for(CSTS_SHST(csts()) == 2, timeout_ns()));
	EXPECT_EQ(csts() & CSTS_CFS, 0);
	/* A reset leads out of it. */
	nvme_w32(NVME_CC, cc_default());
	ASSERT(wait_for(!(csts() & CSTS_RDY), nvme_ready_ns()));
	nvme_admin_setup(8, 8);
	ASSERT(nvme_enable(cc_default()));
	EXPECT_EQ(CSTS_SHST(csts()), 0);
	ASSERT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

TEST(nvme_regs, shutdown_normal)
{
	shutdown(1);
}

TEST(nvme_regs, shutdown_abrupt)
{
	shutdown(2);
}

TEST(nvme_regs, interrupt_mask)
{
	/* With MSI-X enabled these registers must not be touched: pin mode. */
	if (nvme.pci.msix_cap)
		msix_control(&nvme.pci, MSIX_CONTROL_ENABLE, 0);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0);
	nvme_w32(NVME_INTMS, 0x00000005);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0x00000005);
	EXPECT_EQ(nvme_r32(NVME_INTMC), 0x00000005);
	nvme_w32(NVME_INTMS, 0x00000002);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0x00000007);
	nvme_w32(NVME_INTMC, 0x00000003);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0x00000004);
	EXPECT_EQ(nvme_r32(NVME_INTMC), 0x00000004);
	nvme_w32(NVME_INTMC, 0xffffffff);
	EXPECT_EQ(nvme_r32(NVME_INTMS), 0);
	if (nvme.pci.msix_cap)
		msix_control(&nvme.pci, 0, MSIX_CONTROL_ENABLE);
}

/* The controller refuses: it does not become ready, or says it is broken. */
static void refuses(u32 cc)
{
	nvme_admin_setup(8, 8);
	nvme_w32(NVME_CC, cc | CC_EN);
	wait_for(csts() & (CSTS_RDY | CSTS_CFS), NSEC_PER_SEC);
	if ((csts() & (CSTS_RDY | CSTS_CFS)) == CSTS_RDY)
		test_fail("ready with CC %x", cc | CC_EN);
	ASSERT(nvme_disable());
	/* And is well again. */
	nvme_admin_setup(8, 8);
	ASSERT(nvme_enable(cc_default()));
	ASSERT(nvme_disable());
}

TEST(nvme_regs, bad_page_size)
{
	u32 maxp = CAP_MPSMAX(nvme.cap);

	SKIP_IF(maxp == 15, "all page sizes are supported");
	refuses(CC_DEFAULT | CC_MPS(15));
	refuses(CC_DEFAULT | CC_MPS(maxp + 1));
	if (CAP_MPSMIN(nvme.cap))
		refuses(CC_DEFAULT | CC_MPS(CAP_MPSMIN(nvme.cap) - 1));
}

TEST(nvme_regs, largest_page_size)
{
	u32 shift = 12 + CAP_MPSMAX(nvme.cap);
	u8 *page;

	SKIP_IF(shift == 12, "4 KiB is the largest page");
	SKIP_IF(mem_pages_free() >> (shift - 12) < 8, "too little memory");
	nvme_admin_setup(8, 8);
	/* Queues begin at pages of that size. */
	page = (u8 *)ALIGN_UP((uintptr_t)page_alloc(4u << (shift - 12)), 1u << shift);
	nvme.asq.ring = (void *)page;
	nvme.acq.ring = (void *)(page + (1u << shift));
	nvme_w64(NVME_ASQ, phys(nvme.asq.ring));
	nvme_w64(NVME_ACQ, phys(nvme.acq.ring));
	ASSERT(nvme_enable(CC_DEFAULT | CC_MPS(CAP_MPSMAX(nvme.cap))));
	EXPECT_STATUS(nvme_identify(1, 0, page + (2u << shift)), SC_SUCCESS);
}

TEST(nvme_regs, bad_command_set)
{
	u32 n;

	for (n = 1; n < 6; n++)
		if (!(CAP_CSS(nvme.cap) & BIT(n)))
			refuses(cc_default() | CC_CSS(n));
}

/* What an arbitration that is not supported does is open; it ends with a reset. */
TEST(nvme_regs, bad_arbitration)
{
	static const u32 ams[] = { 2, 6, 7 };
	void *page = page_alloc(1);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ams); i++) {
		nvme_admin_setup(8, 8);
		if (nvme_enable(cc_default() | CC_AMS(ams[i])))
			EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
		ASSERT(nvme_disable());
	}
}

/*
 * Entry sizes are only needed for I/O queues: the controller may refuse wrong
 * ones at once, or must refuse to create queues.
 */
TEST(nvme_regs, bad_entry_sizes)
{
	static const u32 sizes[] = {
		CC_IOSQES(0) | CC_IOCQES(0), CC_IOSQES(5) | CC_IOCQES(4),
		CC_IOSQES(6) | CC_IOCQES(3), CC_IOSQES(15) | CC_IOCQES(15),
	};
	struct nvme_cq cq;
	struct nvme_sq sq;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		nvme_admin_setup(8, 8);
		if (nvme_enable(sizes[i] | CC_MPS(CAP_MPSMIN(nvme.cap)))) {
			u16 s1, s2 = SC_SUCCESS;

			nvme_set_queues(1);
			nvme_cq_init(&cq, 1, 4, 0, false);
			nvme_sq_init(&sq, 1, 4, &cq);
			s1 = nvme_create_cq(&cq);
			if (s1 == SC_SUCCESS)
				s2 = nvme_create_sq(&sq);
			if (s1 == SC_SUCCESS && s2 == SC_SUCCESS)
				test_fail("queues with CC %x", sizes[i]);
			EXPECT_STATUS(s1, SC_SUCCESS, SC_QUEUE_SIZE, SC_INVALID_FIELD);
			EXPECT_STATUS(s2, SC_SUCCESS, SC_QUEUE_SIZE, SC_INVALID_FIELD);
		}
		ASSERT(nvme_disable());
	}
}

/* IOSQES and IOCQES may be set after the controller was enabled. */
TEST(nvme_regs, entry_sizes_later)
{
	struct nvme_cq cq;
	struct nvme_sq sq;

	nvme_admin_setup(8, 8);
	if (!nvme_enable(CC_MPS(CAP_MPSMIN(nvme.cap))))
		SKIP("entry sizes are wanted at once");
	nvme_w32(NVME_CC, cc_default() | CC_EN);
	EXPECT_EQ(nvme_r32(NVME_CC), cc_default() | CC_EN);
	EXPECT_EQ(csts() & (CSTS_RDY | CSTS_CFS), CSTS_RDY);
	nvme_create_pair(&sq, &cq, 1, 4, false);
}

/* An admin queue base without memory behind it must not hurt anybody else. */
TEST(nvme_regs, admin_queue_nowhere)
{
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
	void *page = page_alloc(1);

	nvme_admin_setup(8, 8);
	nvme_w64(NVME_ASQ, 0x0000ffff00000000ull);
	nvme_w64(NVME_ACQ, 0x0000fffe00000000ull);
	c.prp1 = phys(page);
	if (nvme_enable(cc_default())) {
		nvme_submit(&nvme.asq, &c);
		delay_ns(quiet_ns());
		EXPECT(!nvme_cq_ready(&nvme.acq));
	}
	ASSERT(nvme_disable());
	nvme_admin_setup(8, 8);
	ASSERT(nvme_enable(cc_default()));
	EXPECT_STATUS(nvme_identify(1, 0, page), SC_SUCCESS);
}

/* Accesses that guests have no business with: nothing but survival is asked. */
TEST(nvme_regs, odd_accesses)
{
	uintptr_t b = nvme.bar, end = b + (uintptr_t)nvme.pci.bar[0].size;
	u32 i;

	nvme_admin_setup(8, 8);
	ASSERT(nvme_enable(cc_default()));
	for (i = 0; i < 0x40; i++) {
		mmio_read8(b + i);
		mmio_read16(b + i);
		mmio_read32(b + i);
	}
	for (i = 0; i < 8; i++) {
		mmio_read32(b + NVME_DOORBELLS - 4 + i);
		mmio_read8(end - 1);
		mmio_read16(end - 2);
		mmio_read32(end - 4);
	}
	mmio_write8(end - 1, 0xff);
	mmio_write16(end - 2, 0xffff);
	mmio_write32(end - 4, 0xffffffff);
	mmio_write8(b + NVME_INTMC, 0);
	mmio_write16(b + NVME_INTMC, 0);
	if (cpu_has_sse2) {
		mmio_read64_once(b + NVME_CC);
		mmio_read64_once(b + NVME_VS);
		mmio_read64_once(end - 8);
	}
	EXPECT_EQ(nvme_r64(NVME_CAP), nvme.cap);
	ASSERT(nvme_disable());
	nvme_start();
}
