// SPDX-License-Identifier: GPL-2.0
/* Admin commands other than queue handling: NVMe 1.4 section 5. */
#include "harness.h"
#include "mem.h"
#include "nvme.h"
#include "string.h"
#include "time.h"

SUITE(nvme_admin, .setup = nvme_start, .teardown = nvme_stop);

#define ALL_NS	0xffffffff

static u16 get16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static u32 get32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static u64 get64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool is_ascii(const u8 *p, u32 n)
{
	while (n--)
		if (p[n] < 0x20 || p[n] > 0x7e)
			return false;
	return true;
}

static u16 admin(struct nvme_cmd *c)
{
	return nvme_exec(&nvme.asq, c, NULL);
}

/* ---- Identify ---- */

TEST(nvme_admin, identify_controller)
{
	u8 *id = page_alloc(1);
	u32 i;

	memset(id, 0xa5, PAGE_SIZE);
	ASSERT_STATUS(nvme_identify(1, 0, id), SC_SUCCESS);
	EXPECT_EQ(get16(id), pci_read16(&nvme.pci, PCI_VENDOR_ID));
	EXPECT_EQ(get16(id + 2), pci_read16(&nvme.pci, PCI_SUBSYSTEM_VENDOR_ID));
	EXPECT(is_ascii(id + 4, 20));		/* SN */
	EXPECT(is_ascii(id + 24, 40));		/* MN */
	EXPECT(is_ascii(id + 64, 8));		/* FR */
	EXPECT_EQ(get32(id + 80), nvme_r32(NVME_VS));
	EXPECT_EQ(id[512] & 15, 6);		/* SQES: 64 bytes required */
	EXPECT(id[512] >> 4 >= 6);
	EXPECT_EQ(id[513] & 15, 4);		/* CQES */
	EXPECT(id[513] >> 4 >= 4);
	EXPECT(get32(id + 516) >= 1);		/* NN */
	EXPECT(get32(id + 516) <= 1024);	/* firmware looks at each of them */
	EXPECT((id[260] >> 1 & 7) >= 1);	/* FRMW: a slot at least */
	EXPECT(!strncmp((char *)id + 768, "nqn.", 4));
	for (i = 768; i < 1024 && id[i]; i++)
		;
	EXPECT(i < 1024 && i - 768 <= 223);
	if (nvme_r32(NVME_VS) >= 0x10400)
		EXPECT_EQ(id[111], 1);		/* CNTRLTYPE: I/O controller */
	/* Power state 0 is always there. */
	EXPECT(id[263] <= 31);
	/* Nothing of the buffer is left out; reserved fields are zero. */
	EXPECT_EQ(bytes_check(id + 1024, 768, 0), -1);
	EXPECT_EQ(bytes_check(id + 2048 + (id[263] + 1) * 32, (31 - id[263]) * 32, 0), -1);
}

TEST(nvme_admin, identify_namespace)
{
	u8 *id = page_alloc(1);
	u32 nlbaf, lbads;
	u64 nsze;

	SKIP_IF(!nvme.nsid, "no active namespace");
	memset(id, 0xa5, PAGE_SIZE);
	ASSERT_STATUS(nvme_identify(0, nvme.nsid, id), SC_SUCCESS);
	nsze = get64(id);
	EXPECT(nsze > 0);
	EXPECT(get64(id + 8) <= nsze);			/* NCAP */
	EXPECT(get64(id + 16) <= get64(id + 8));	/* NUSE */
	nlbaf = id[25];
	EXPECT(nlbaf <= 15);
	EXPECT((id[26] & 15) <= nlbaf);			/* FLBAS */
	lbads = id[128 + (id[26] & 15) * 4 + 2];
	EXPECT(lbads >= 9 && lbads <= 16);
	EXPECT_EQ(bytes_check(id + 192, 192, 0), -1);
	test_note("namespace %u: 0x%llx blocks of %u", nvme.nsid, nsze, 1u << lbads);
}

TEST(nvme_admin, identify_namespace_invalid)
{
	u32 nn = get32(nvme.idctrl + 516);
	void *page = page_alloc(1);

	EXPECT_STATUS(nvme_identify(0, 0, page), SC_INVALID_NS);
	if (nn < 0xfffffffe) {
		EXPECT_STATUS(nvme_identify(0, nn + 1, page), SC_INVALID_NS);
		EXPECT_STATUS(nvme_identify(0, 0xfffffffe, page), SC_INVALID_NS);
	}
	/* The broadcast value is for controllers with namespace management. */
	EXPECT_STATUS(nvme_identify(0, ALL_NS, page), SC_SUCCESS, SC_INVALID_NS);
}

TEST(nvme_admin, identify_inactive_namespace)
{
	u32 nn = get32(nvme.idctrl + 516), *list = page_alloc(1), i, n;
	u8 *page = page_alloc(1);

	ASSERT_STATUS(nvme_identify(2, 0, list), SC_SUCCESS);
	for (n = 1, i = 0; n <= nn && i < 1024 && list[i] == n; n++)
		i++;
	SKIP_IF(n > nn, "all %u namespaces are active", nn);
	memset(page, 0xa5, PAGE_SIZE);
	EXPECT_STATUS(nvme_identify(0, n, page), SC_SUCCESS);
	EXPECT_EQ(bytes_check(page, PAGE_SIZE, 0), -1);
}

TEST(nvme_admin, identify_list)
{
	u32 *list = page_alloc(1), i, first;

	memset(list, 0xa5, PAGE_SIZE);
	ASSERT_STATUS(nvme_identify(2, 0, list), SC_SUCCESS);
	for (i = 0; i < 1024 && list[i]; i++)
		EXPECT(!i || list[i] > list[i - 1]);
	EXPECT_EQ(bytes_check(list + i, PAGE_SIZE - i * 4, 0), -1);
	test_note("%u active namespaces", i);
	first = list[0];
	SKIP_IF(!first, "no active namespace");
	/* Only greater identifiers than the one given */
	ASSERT_STATUS(nvme_identify(2, first, list), SC_SUCCESS);
	EXPECT_NE(list[0], first);
	EXPECT(!list[0] || list[0] > first);
	ASSERT_STATUS(nvme_identify(2, 0xfffffffd, list), SC_SUCCESS);
	EXPECT_EQ(list[0], 0);
	EXPECT_STATUS(nvme_identify(2, 0xfffffffe, list), SC_INVALID_NS);
	EXPECT_STATUS(nvme_identify(2, 0xffffffff, list), SC_INVALID_NS);
}

TEST(nvme_admin, identify_descriptors)
{
	static const u8 length[] = { 0, 8, 16, 16, 1 };
	u8 *p = page_alloc(1);
	u32 pos = 0, n = 0;

	SKIP_IF(!nvme.nsid, "no active namespace");
	memset(p, 0xa5, PAGE_SIZE);
	ASSERT_STATUS(nvme_identify(3, nvme.nsid, p), SC_SUCCESS);
	while (pos + 4 <= PAGE_SIZE && p[pos]) {
		u8 type = p[pos], len = p[pos + 1];

		test_note("descriptor type %u, %u bytes", type, len);
		ASSERT(type < ARRAY_SIZE(length));
		ASSERT_EQ(len, length[type]);
		EXPECT_EQ(get16(p + pos + 2), 0);
		if (type < 4)
			EXPECT(bytes_check(p + pos + 4, len, 0) >= 0);
		pos += 4 + len;
		n++;
	}
	EXPECT(n);
	EXPECT_EQ(bytes_check(p + pos, PAGE_SIZE - pos, 0), -1);
	EXPECT_STATUS(nvme_identify(3, 0, p), SC_INVALID_NS);
	EXPECT_STATUS(nvme_identify(3, ALL_NS, p), SC_INVALID_NS, SC_INVALID_FIELD);
}

TEST(nvme_admin, identify_unknown)
{
	void *page = page_alloc(1);

	EXPECT_STATUS(nvme_identify(0x0f, 0, page), SC_INVALID_FIELD);
	EXPECT_STATUS(nvme_identify(0x7f, 0, page), SC_INVALID_FIELD);
	EXPECT_STATUS(nvme_identify(0xff, 0, page), SC_INVALID_FIELD);
}

TEST(nvme_admin, identify_prp)
{
	u8 *p = page_alloc(4), *ref = page_alloc(1);
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };

	ASSERT_STATUS(nvme_identify(1, 0, ref), SC_SUCCESS);
	/* From the middle of one page into the start of another */
	c.prp1 = phys(p) + 0x800;
	c.prp2 = phys(p) + 2 * PAGE_SIZE;
	EXPECT_STATUS(admin(&c), SC_SUCCESS);
	EXPECT_EQ(memcmp(p + 0x800, ref, 0x800), 0);
	EXPECT_EQ(memcmp(p + 2 * PAGE_SIZE, ref + 0x800, 0x800), 0);
	EXPECT_EQ(bytes_check(p, 0x800, 0), -1);
	EXPECT_EQ(bytes_check(p + PAGE_SIZE, PAGE_SIZE, 0), -1);
	EXPECT_EQ(bytes_check(p + 2 * PAGE_SIZE + 0x800, 0x800, 0), -1);
	/* A second page with an offset */
	c.prp1 = phys(p) + 0x800;
	c.prp2 = phys(p) + PAGE_SIZE + 0x100;
	EXPECT_STATUS(admin(&c), SC_PRP_OFFSET, SC_INVALID_FIELD);
}

/* An offset which is no dword's: refused, or its low bits are ignored. */
TEST(nvme_admin, identify_prp_unaligned)
{
	u8 *p = page_alloc(2), *ref = page_alloc(1);
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };

	ASSERT_STATUS(nvme_identify(1, 0, ref), SC_SUCCESS);
	c.prp1 = phys(p) + 2;
	c.prp2 = phys(p) + PAGE_SIZE;
	if (EXPECT_STATUS(admin(&c), SC_PRP_OFFSET, SC_INVALID_FIELD, SC_SUCCESS) &&
	    bytes_check(p, PAGE_SIZE, 0) >= 0)
		EXPECT_EQ(memcmp(p, ref, PAGE_SIZE), 0);
}

/* ---- Features ---- */

TEST(nvme_admin, feature_number_of_queues)
{
	struct nvme_sq sq;
	struct nvme_cq cq;
	u32 a, b;

	EXPECT_STATUS(nvme_set_feature(FEAT_NUM_QUEUES, 0xffff0000, NULL), SC_INVALID_FIELD);
	EXPECT_STATUS(nvme_set_feature(FEAT_NUM_QUEUES, 0x0000ffff, NULL), SC_INVALID_FIELD);
	ASSERT_STATUS(nvme_set_feature(FEAT_NUM_QUEUES, 0x00010001, &a), SC_SUCCESS);
	ASSERT_STATUS(nvme_get_feature(FEAT_NUM_QUEUES, 0, 0, &b), SC_SUCCESS);
	EXPECT_EQ(a, b);
	test_note("asked for 2 and 2, got %u and %u", (a & 0xffff) + 1, (a >> 16) + 1);
	/* Too much to have is answered with what there is. */
	ASSERT_STATUS(nvme_set_feature(FEAT_NUM_QUEUES, 0xfffefffe, &a), SC_SUCCESS);
	ASSERT_STATUS(nvme_get_feature(FEAT_NUM_QUEUES, 0, 0, &b), SC_SUCCESS);
	EXPECT_EQ(a, b);
	/* Not any more once there are queues */
	nvme.nr_ioq = 1;
	nvme_create_pair(&sq, &cq, 1, 4, false);
	EXPECT_STATUS(nvme_set_feature(FEAT_NUM_QUEUES, 0, NULL), SC_CMD_SEQUENCE);
	ASSERT_STATUS(nvme_get_feature(FEAT_NUM_QUEUES, 0, 0, &a), SC_SUCCESS);
	EXPECT_EQ(a, b);
}

/* Set it, unless the controller says, consistently, that it cannot be changed. */
static void set_changeable(u32 fid, u32 value)
{
	u16 status = nvme_set_feature(fid, value, NULL);
	u32 caps;

	if (status == SC_FEAT_NOT_CHANGEABLE && (nvme.idctrl[520] & BIT(4))) {
		ASSERT_STATUS(nvme_get_feature(fid, 3, 0, &caps), SC_SUCCESS);
		EXPECT_EQ(caps & BIT(2), 0);
		SKIP("feature %02x is not changeable", fid);
	}
	ASSERT_STATUS(status, SC_SUCCESS);
}

/* Set, get back, and back to the default by a reset. */
static void round_trip(u32 fid, u32 dw11, u32 value, u32 mask)
{
	u32 dflt, v;

	ASSERT_STATUS(nvme_get_feature(fid, 0, dw11, &dflt), SC_SUCCESS);
	set_changeable(fid, value);
	ASSERT_STATUS(nvme_get_feature(fid, 0, dw11, &v), SC_SUCCESS);
	EXPECT_EQ(v & mask, value & mask);
	nvme_start();
	ASSERT_STATUS(nvme_get_feature(fid, 0, dw11, &v), SC_SUCCESS);
	EXPECT_EQ(v & mask, dflt & mask);
}

TEST(nvme_admin, feature_arbitration)
{
	round_trip(FEAT_ARBITRATION, 0, 0x03020103, 0x7);
}

TEST(nvme_admin, feature_power_management)
{
	u32 v, npss = nvme.idctrl[263];

	ASSERT_STATUS(nvme_get_feature(FEAT_POWER_MGMT, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v & 31, 0);
	set_changeable(FEAT_POWER_MGMT, npss);
	ASSERT_STATUS(nvme_get_feature(FEAT_POWER_MGMT, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v & 31, npss);
	if (npss < 31)
		EXPECT_STATUS(nvme_set_feature(FEAT_POWER_MGMT, npss + 1, NULL),
			      SC_INVALID_FIELD);
}

TEST(nvme_admin, feature_temperature_threshold)
{
	round_trip(FEAT_TEMP_THRESH, 0, 0x0170, 0xffff);
}

TEST(nvme_admin, feature_error_recovery)
{
	struct nvme_cmd c = { .opcode = ADMIN_SET_FEATURES, .nsid = nvme.nsid };
	u32 v;

	SKIP_IF(!nvme.nsid, "no active namespace");
	c.cdw10 = FEAT_ERROR_RECOVERY;
	c.cdw11 = 0x0010;
	EXPECT_STATUS(admin(&c), SC_SUCCESS);
	c.opcode = ADMIN_GET_FEATURES;
	c.cdw11 = 0;
	ASSERT_STATUS(nvme_exec(&nvme.asq, &c, &v), SC_SUCCESS);
	EXPECT_EQ(v & 0xffff, 0x0010);
}

TEST(nvme_admin, feature_write_cache)
{
	u32 v;

	if (!(nvme.idctrl[525] & 1)) {
		EXPECT_STATUS(nvme_get_feature(FEAT_VWC, 0, 0, &v), SC_INVALID_FIELD);
		EXPECT_STATUS(nvme_set_feature(FEAT_VWC, 0, &v), SC_INVALID_FIELD);
		return;
	}
	ASSERT_STATUS(nvme_get_feature(FEAT_VWC, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v & ~1u, 0);
	ASSERT_STATUS(nvme_set_feature(FEAT_VWC, 0, NULL), SC_SUCCESS);
	ASSERT_STATUS(nvme_get_feature(FEAT_VWC, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v, 0);
	ASSERT_STATUS(nvme_set_feature(FEAT_VWC, 1, NULL), SC_SUCCESS);
	ASSERT_STATUS(nvme_get_feature(FEAT_VWC, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v, 1);
}

TEST(nvme_admin, feature_interrupt_coalescing)
{
	round_trip(FEAT_IRQ_COALESCE, 0, 0x0203, 0xffff);
}

TEST(nvme_admin, feature_interrupt_vector)
{
	struct nvme_sq sq;
	struct nvme_cq cq;
	u32 v;

	nvme_create_pair(&sq, &cq, 1, 4, true);
	ASSERT_STATUS(nvme_get_feature(FEAT_IRQ_CONFIG, 0, cq.vector, &v), SC_SUCCESS);
	EXPECT_EQ(v & 0xffff, cq.vector);
	EXPECT_STATUS(nvme_get_feature(FEAT_IRQ_CONFIG, 0, 0xffff, NULL), SC_INVALID_FIELD);
	set_changeable(FEAT_IRQ_CONFIG, BIT(16) | cq.vector);
	ASSERT_STATUS(nvme_get_feature(FEAT_IRQ_CONFIG, 0, cq.vector, &v), SC_SUCCESS);
	EXPECT_EQ(v & 0x1ffff, BIT(16) | cq.vector);
	EXPECT_STATUS(nvme_set_feature(FEAT_IRQ_CONFIG, 0xffff, NULL), SC_INVALID_FIELD);
}

TEST(nvme_admin, feature_write_atomicity)
{
	u32 v;

	ASSERT_STATUS(nvme_get_feature(FEAT_WRITE_ATOMICITY, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v & ~1u, 0);
	set_changeable(FEAT_WRITE_ATOMICITY, 1);
	ASSERT_STATUS(nvme_get_feature(FEAT_WRITE_ATOMICITY, 0, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v, 1);
}

TEST(nvme_admin, feature_async_event)
{
	round_trip(FEAT_ASYNC_EVENT, 0, 0x1f, 0x1f);
}

TEST(nvme_admin, feature_unknown)
{
	static const u32 unknown[] = { 0x00, 0x60, 0x77, 0xbf };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_STATUS(nvme_get_feature(unknown[i], 0, 0, NULL), SC_INVALID_FIELD);
		EXPECT_STATUS(nvme_set_feature(unknown[i], 0, NULL), SC_INVALID_FIELD);
	}
}

TEST(nvme_admin, feature_select)
{
	u32 now, dflt, v;

	SKIP_IF(!(nvme.idctrl[520] & BIT(4)), "no Save and Select fields");
	ASSERT_STATUS(nvme_get_feature(FEAT_ASYNC_EVENT, 1, 0, &dflt), SC_SUCCESS);
	ASSERT_STATUS(nvme_set_feature(FEAT_ASYNC_EVENT, dflt ^ 0xf, NULL), SC_SUCCESS);
	ASSERT_STATUS(nvme_get_feature(FEAT_ASYNC_EVENT, 0, 0, &now), SC_SUCCESS);
	EXPECT_EQ(now & 0xf, (dflt ^ 0xf) & 0xf);
	ASSERT_STATUS(nvme_get_feature(FEAT_ASYNC_EVENT, 1, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v, dflt);
	/* Capabilities: saveable, namespace specific, changeable */
	ASSERT_STATUS(nvme_get_feature(FEAT_ASYNC_EVENT, 3, 0, &v), SC_SUCCESS);
	EXPECT_EQ(v & ~7u, 0);
	EXPECT_EQ(v & BIT(2), BIT(2));
}

TEST(nvme_admin, feature_save)
{
	struct nvme_cmd c = {
		.opcode = ADMIN_SET_FEATURES,
		.cdw10 = BIT(31) | FEAT_NUM_QUEUES,
		.cdw11 = 0x00010001,
	};

	EXPECT_STATUS(admin(&c), SC_FEAT_NOT_SAVEABLE, SC_INVALID_FIELD);
}

/* ---- Log pages ---- */

TEST(nvme_admin, log_error)
{
	u8 *p = page_alloc(1);

	memset(p, 0xa5, PAGE_SIZE);
	EXPECT_STATUS(nvme_get_log(LOG_ERROR, ALL_NS, p, 64), SC_SUCCESS);
	/* Only as much as was asked for */
	EXPECT_EQ(bytes_check(p + 64, PAGE_SIZE - 64, 0xa5), -1);
	EXPECT(bytes_check(p, 64, 0xa5) >= 0);
}

TEST(nvme_admin, log_smart)
{
	u8 *p = page_alloc(1);
	u32 kelvin;

	memset(p, 0xa5, PAGE_SIZE);
	ASSERT_STATUS(nvme_get_log(LOG_SMART, ALL_NS, p, 512), SC_SUCCESS);
	EXPECT_EQ(bytes_check(p + 512, PAGE_SIZE - 512, 0xa5), -1);
	EXPECT_EQ(p[0] & 0xc0, 0);		/* critical warning, reserved bits */
	kelvin = get16(p + 1);
	EXPECT(kelvin > 200 && kelvin < 500);
	EXPECT(p[3] <= 100);			/* available spare, % */
	EXPECT(p[4] <= 100);
	EXPECT_EQ(bytes_check(p + 232, 512 - 232, 0), -1);
}

/* Identifier 0 means the controller, as the broadcast value does. */
TEST(nvme_admin, log_smart_nsid_zero)
{
	EXPECT_STATUS(nvme_get_log(LOG_SMART, 0, page_alloc(1), 512), SC_SUCCESS);
}

TEST(nvme_admin, log_firmware)
{
	u8 *p = page_alloc(1);

	ASSERT_STATUS(nvme_get_log(LOG_FW_SLOT, ALL_NS, p, 512), SC_SUCCESS);
	EXPECT((p[0] & 7) >= 1 && (p[0] & 7) <= 7);
	/* The active slot's revision is the one that Identify shows. */
	EXPECT_EQ(memcmp(p + 8 * (p[0] & 7), nvme.idctrl + 64, 8), 0);
}

TEST(nvme_admin, log_partial)
{
	u8 *p = page_alloc(1), *q = page_alloc(1);
	struct nvme_cmd c = {
		.opcode = ADMIN_GET_LOG,
		.nsid = ALL_NS,
		.prp1 = phys(q),
		.cdw10 = (16 / 4 - 1) << 16 | LOG_FW_SLOT,
	};

	SKIP_IF(!(nvme.idctrl[261] & BIT(2)), "no extended data for Get Log Page");
	ASSERT_STATUS(nvme_get_log(LOG_FW_SLOT, ALL_NS, p, 512), SC_SUCCESS);
	c.cdw12 = 8;			/* LPO */
	ASSERT_STATUS(admin(&c), SC_SUCCESS);
	EXPECT_EQ(memcmp(q, p + 8, 16), 0);
	EXPECT_EQ(bytes_check(q + 16, 64, 0), -1);
	c.cdw12 = 516;			/* beyond the end */
	EXPECT_STATUS(admin(&c), SC_INVALID_FIELD);
	c.cdw12 = 0;
	c.cdw13 = 1;
	EXPECT_STATUS(admin(&c), SC_INVALID_FIELD);
}

TEST(nvme_admin, log_longer_than_page)
{
	u8 *p = page_alloc(2);
	struct nvme_cmd c = {
		.opcode = ADMIN_GET_LOG,
		.nsid = ALL_NS,
		.prp1 = phys(p),
		.prp2 = phys(p + PAGE_SIZE),
		.cdw10 = (2 * PAGE_SIZE / 4 - 1) << 16 | LOG_FW_SLOT,
	};

	/* What follows the log is undefined, but nothing breaks. */
	EXPECT_STATUS(admin(&c), SC_SUCCESS, SC_INVALID_FIELD);
}

TEST(nvme_admin, log_unknown)
{
	void *page = page_alloc(1);

	EXPECT_STATUS(nvme_get_log(0x00, ALL_NS, page, 512), SC_INVALID_LOG_PAGE,
		      SC_INVALID_FIELD, SC_SUCCESS);
	EXPECT_STATUS(nvme_get_log(0x6f, ALL_NS, page, 512), SC_INVALID_LOG_PAGE,
		      SC_INVALID_FIELD);
	EXPECT_STATUS(nvme_get_log(0xbf, ALL_NS, page, 512), SC_INVALID_LOG_PAGE,
		      SC_INVALID_FIELD);
}

/* ---- Asynchronous events and Abort ---- */

static u16 park_event(void)
{
	struct nvme_cmd c = { .opcode = ADMIN_ASYNC_EVENT };

	return nvme_submit(&nvme.asq, &c);
}

TEST(nvme_admin, async_event_parks)
{
	void *page = page_alloc(1);
	struct nvme_cmd c = { .opcode = ADMIN_IDENTIFY, .cdw10 = 1 };
	struct nvme_cqe e;
	u16 cid;

	park_event();
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&nvme.acq));
	/* Others go past it. */
	c.prp1 = phys(page);
	cid = nvme_submit(&nvme.asq, &c);
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	EXPECT_EQ(e.cid, cid);
	EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&nvme.acq));
	/* A reset drops it: it must not appear in the new queue. */
	nvme_start();
	EXPECT(!nvme_cq_ready(&nvme.acq));
}

TEST(nvme_admin, async_event_limit)
{
	u32 aerl = nvme.idctrl[259], i;
	struct nvme_cqe e;
	u16 cid;

	SKIP_IF(aerl > 20, "limit of %u", aerl + 1);
	for (i = 0; i <= aerl; i++)
		park_event();
	delay_ns(quiet_ns());
	EXPECT(!nvme_cq_ready(&nvme.acq));
	cid = park_event();
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	EXPECT_EQ(e.cid, cid);
	EXPECT_STATUS(cqe_status(&e), SC_AER_LIMIT);
}

static void event_after(u32 doorbell, u32 value, u32 info)
{
	void *page = page_alloc(1);
	struct nvme_cqe e;
	u16 cid = park_event();

	/* An event finds the request only after the controller has fetched it. */
	ASSERT_STATUS(nvme_get_feature(FEAT_NUM_QUEUES, 0, 0, NULL), SC_SUCCESS);
	delay_ns(10 * NSEC_PER_MSEC);
	nvme_w32(doorbell, value);
	if (!nvme_reap(&nvme.acq, &e, timeout_ns(), true)) {
		test_fail("no event after writing %x to %x", value, doorbell);
		return;
	}
	EXPECT_EQ(e.cid, cid);
	EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	EXPECT_EQ(e.result & 7, 0);			/* error status */
	EXPECT_EQ(e.result >> 8 & 0xff, info);
	EXPECT_EQ(e.result >> 16 & 0xff, LOG_ERROR);
	/* Masked until the log is read; then the next one comes. */
	EXPECT_STATUS(nvme_get_log(LOG_ERROR, ALL_NS, page, 64), SC_SUCCESS);
}

TEST(nvme_admin, event_invalid_doorbell_register)
{
	ASSERT_STATUS(nvme_set_queues(2), SC_SUCCESS);
	event_after(nvme_sq_db(1), 1, 0);
	event_after(nvme_cq_db(1), 1, 0);
}

TEST(nvme_admin, event_invalid_doorbell_value)
{
	struct nvme_sq sq;
	struct nvme_cq cq;

	nvme_create_pair(&sq, &cq, 1, 8, false);
	event_after(nvme_sq_db(1), 8, 1);
	event_after(nvme_cq_db(1), 8, 1);
	event_after(nvme_sq_db(1), 0xffff, 1);
}

TEST(nvme_admin, abort_nothing)
{
	struct nvme_cmd c = { .opcode = ADMIN_ABORT };
	u32 result = 0;

	c.cdw10 = 0x7777 << 16 | 0;
	EXPECT_STATUS(nvme_exec(&nvme.asq, &c, &result), SC_SUCCESS);
	EXPECT_EQ(result & 1, 1);		/* not aborted */
}

TEST(nvme_admin, abort_unknown_queue)
{
	struct nvme_cmd c = { .opcode = ADMIN_ABORT };
	u32 result = 0;
	u16 s;

	c.cdw10 = 1 << 16 | 0x4321;
	s = nvme_exec(&nvme.asq, &c, &result);
	EXPECT_STATUS(s, SC_SUCCESS, SC_INVALID_FIELD);
	if (s == SC_SUCCESS)
		EXPECT_EQ(result & 1, 1);
}

/* Abort may or may not succeed, but what it says must be what happened. */
TEST(nvme_admin, abort_event_request)
{
	struct nvme_cmd c = { .opcode = ADMIN_ABORT };
	struct nvme_cqe e, first;
	u16 parked = park_event(), cid;

	c.cdw10 = (u32)parked << 16;
	cid = nvme_submit(&nvme.asq, &c);
	ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	first = e;
	if (e.cid == parked)
		ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
	EXPECT_EQ(e.cid, cid);
	EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
	if (e.result & 1) {
		delay_ns(quiet_ns());
		EXPECT(first.cid != parked && !nvme_cq_ready(&nvme.acq));
	} else {
		if (first.cid != parked)
			ASSERT(nvme_reap(&nvme.acq, &first, timeout_ns(), true));
		EXPECT_EQ(first.cid, parked);
		EXPECT_STATUS(cqe_status(&first), SC_ABORT_REQUESTED);
	}
}

/* ---- What is not there ---- */

TEST(nvme_admin, unknown_opcode)
{
	static const u8 unknown[] = { 0x03, 0x07, 0x0b, 0x3f, 0x7f, 0xff };
	struct nvme_cmd c = {};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		memset(&c, 0, sizeof(c));
		c.opcode = unknown[i];
		if (!EXPECT_STATUS(admin(&c), SC_INVALID_OPCODE))
			test_note("opcode %02x", unknown[i]);
	}
}

/* Optional commands are refused as unknown when Identify denies them. */
TEST(nvme_admin, optional_commands)
{
	static const struct {
		u32 bit;
		u8 opcode;
	} cmds[] = {
		{ 0, ADMIN_SECURITY_SEND }, { 1, ADMIN_FORMAT }, { 2, ADMIN_FW_COMMIT },
		{ 2, ADMIN_FW_DOWNLOAD }, { 3, ADMIN_NS_MGMT }, { 3, ADMIN_NS_ATTACH },
		{ 8, ADMIN_DBBUF },
	};
	u16 oacs = get16(nvme.idctrl + 256);
	struct nvme_cmd c;
	u32 i;

	test_note("OACS %x", oacs);
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		if (oacs & BIT(cmds[i].bit))
			continue;
		memset(&c, 0, sizeof(c));
		c.opcode = cmds[i].opcode;
		c.nsid = nvme.nsid;
		if (!EXPECT_STATUS(admin(&c), SC_INVALID_OPCODE))
			test_note("opcode %02x", c.opcode);
	}
}

TEST(nvme_admin, sgl_is_refused)
{
	u8 *page = page_alloc(1);
	struct nvme_cmd c = {
		.opcode = ADMIN_IDENTIFY,
		.flags = CMD_PSDT_SGL,
		.sgl = { .addr = phys(page), .len = PAGE_SIZE },
		.cdw10 = 1,
	};

	/* PCIe controllers take PRPs only for admin commands. */
	EXPECT_STATUS(admin(&c), SC_INVALID_FIELD);
}

TEST(nvme_admin, fused_is_refused)
{
	u8 *page = page_alloc(1);
	struct nvme_cmd c = {
		.opcode = ADMIN_IDENTIFY,
		.flags = 1,
		.prp1 = phys(page),
		.cdw10 = 1,
	};

	EXPECT_STATUS(admin(&c), SC_INVALID_FIELD);
}

/* All entries in use, and around the ring more than once. */
TEST(nvme_admin, queue_wraps)
{
	struct nvme_cmd c = { .opcode = ADMIN_GET_FEATURES, .cdw10 = FEAT_NUM_QUEUES };
	u32 round, i, n = nvme.asq.depth - 1;
	struct nvme_cqe e;

	for (round = 0; round < 4; round++) {
		u16 first = nvme.next_cid + 1;
		u64 seen = 0;

		for (i = 0; i < n; i++) {
			c.cid = ++nvme.next_cid;
			nvme_put(&nvme.asq, &c);
		}
		nvme_ring_sq(&nvme.asq);
		for (i = 0; i < n; i++) {
			ASSERT(nvme_reap(&nvme.acq, &e, timeout_ns(), true));
			ASSERT((u16)(e.cid - first) < n);
			EXPECT(!(seen >> (u16)(e.cid - first) & 1));
			seen |= BIT_ULL((u16)(e.cid - first));
			EXPECT_STATUS(cqe_status(&e), SC_SUCCESS);
		}
		EXPECT(!nvme_cq_ready(&nvme.acq));
	}
}
