// SPDX-License-Identifier: GPL-2.0
/* Admin commands of the NVMe controller. */
#include <linux/seq_file.h>

#include "nvme_host.h"

FIXTURE(admin) {
	struct nvme_host h;
	u64 page;
	u8 buf[4096];
};

FIXTURE_SETUP(admin)
{
	struct nvme_host *h = &self->h;

	memset(h, 0, sizeof(*h));
	h->next_page = 16;
	h->vm = fake_vm_new(HOST_FRAMES);
	h->disks[0] = fake_disk_new(1000, 9);
	h->disks[2] = fake_disk_new(500, 12);
	strcpy(fake_disk_info(h->disks[0])->serial, "DISK0001");
	strcpy(fake_disk_info(h->disks[2])->serial, "DISK0003");
	host_create(h);
	host_msix(h);
	ASSERT_TRUE(host_enable(h));
	self->page = host_page(h, 4);
}

FIXTURE_TEARDOWN(admin)
{
	host_exit(&self->h);
}

static u16 identify(struct fixture_admin *self, u32 cns, u32 nsid)
{
	u16 status;

	fake_vm_set(self->h.vm, self->page, 0xa5, 4096);
	status = host_identify(&self->h, cns, nsid, self->page);
	fake_vm_read(self->h.vm, self->page, self->buf, 4096);
	return status;
}

TEST_F(admin, identify_controller)
{
	struct nvme_id_ctrl *id = (struct nvme_id_ctrl *)self->buf;

	ASSERT_EQ(0, identify(self, NVME_CNS_CTRL, 0));
	EXPECT_EQ(0x5853, le16_to_cpu(id->vid));
	EXPECT_MEMEQ("CTRL0001            ", id->sn, 20);
	EXPECT_MEMEQ("Xen ioemu NVMe                          ", id->mn, 40);
	EXPECT_EQ(7, id->mdts);
	EXPECT_EQ(0x10400, le32_to_cpu(id->ver));
	EXPECT_EQ(3, le32_to_cpu(id->nn));
	EXPECT_EQ(0x66, id->sqes);
	EXPECT_EQ(0x44, id->cqes);
	/* Whatever the disks are: others may come. */
	EXPECT_EQ(0x7, id->vwc);
	EXPECT_EQ(0x100, le16_to_cpu(id->oacs));
	EXPECT_EQ(7, id->aerl);
	EXPECT_EQ(0, memcmp(id->subnqn, "nqn.2014-08.org.nvmexpress:uuid:", 32));
	EXPECT_EQ(68, strlen((char *)id->subnqn));
	EXPECT_TRUE(fake_vm_dirty(self->h.vm, self->page >> 12));
	/* The namespace does not matter. */
	EXPECT_EQ(0, identify(self, NVME_CNS_CTRL, 77));
}

TEST_F(admin, identify_namespace)
{
	struct nvme_id_ns *id = (struct nvme_id_ns *)self->buf;
	unsigned int i;

	ASSERT_EQ(0, identify(self, NVME_CNS_NS, 1));
	EXPECT_EQ(1000, le64_to_cpu(id->nsze));
	EXPECT_EQ(1000, le64_to_cpu(id->ncap));
	EXPECT_EQ(1000, le64_to_cpu(id->nuse));
	EXPECT_EQ(9, id->lbaf[0].ds);
	EXPECT_EQ(0, id->nlbaf);
	EXPECT_EQ(0, id->flbas);
	EXPECT_EQ(0, id->noiob);
	ASSERT_EQ(0, identify(self, NVME_CNS_NS, 3));
	EXPECT_EQ(500, le64_to_cpu(id->nsze));
	EXPECT_EQ(12, id->lbaf[0].ds);
	/* Inactive: zeroes */
	ASSERT_EQ(0, identify(self, NVME_CNS_NS, 2));
	for (i = 0; i < 4096; i++)
		EXPECT_EQ(0, self->buf[i]);
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), identify(self, NVME_CNS_NS, 0));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), identify(self, NVME_CNS_NS, 4));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS),
		  identify(self, NVME_CNS_NS, NVME_NSID_ALL));
}

TEST_F(admin, identify_shape)
{
	struct ioemu_disk_info *info = fake_disk_info(self->h.disks[0]);
	struct nvme_id_ns *id = (struct nvme_id_ns *)self->buf;

	info->physical_shift = 12;
	info->optimal_blocks = 128;
	info->discard_granularity = 16;
	ASSERT_EQ(0, identify(self, NVME_CNS_NS, 1));
	EXPECT_EQ(NVME_NSFEAT_ATOMICS | NVME_NSFEAT_UIDREUSE |
		  NVME_NSFEAT_OPTPERF, id->nsfeat);
	EXPECT_EQ(7, le16_to_cpu(id->npwg));
	EXPECT_EQ(7, le16_to_cpu(id->nawupf));
	EXPECT_EQ(7, le16_to_cpu(id->nabspf));
	EXPECT_EQ(15, le16_to_cpu(id->npdg));
	EXPECT_EQ(127, le16_to_cpu(id->nows));
	info->optimal_blocks = 1 << 20;
	ASSERT_EQ(0, identify(self, NVME_CNS_NS, 1));
	EXPECT_EQ(0xffff, le16_to_cpu(id->nows));
}

TEST_F(admin, identify_lists)
{
	__le32 *list = (__le32 *)self->buf;

	ASSERT_EQ(0, identify(self, NVME_CNS_NS_LIST, 0));
	EXPECT_EQ(1, le32_to_cpu(list[0]));
	EXPECT_EQ(3, le32_to_cpu(list[1]));
	EXPECT_EQ(0, list[2]);
	EXPECT_EQ(0, list[1023]);
	ASSERT_EQ(0, identify(self, NVME_CNS_NS_LIST, 1));
	EXPECT_EQ(3, le32_to_cpu(list[0]));
	ASSERT_EQ(0, identify(self, NVME_CNS_NS_LIST, 3));
	EXPECT_EQ(0, list[0]);
	ASSERT_EQ(0, identify(self, NVME_CNS_NS_LIST, 0xfffffffd));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS),
		  identify(self, NVME_CNS_NS_LIST, 0xfffffffe));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS),
		  identify(self, NVME_CNS_NS_LIST, 0xffffffff));
}

TEST_F(admin, identify_descriptors)
{
	static const u8 start[] = { 0x01, 0x08, 0x00, 0x00, 0x00, 0x16, 0x3e };
	u8 first[64];

	ASSERT_EQ(0, identify(self, NVME_CNS_NS_DESC, 1));
	memcpy(first, self->buf, sizeof(first));
	EXPECT_MEMEQ(start, first, 7);
	EXPECT_EQ(NVME_NIDT_NGUID, first[12]);
	EXPECT_EQ(16, first[13]);
	EXPECT_EQ(NVME_NIDT_UUID, first[32]);
	EXPECT_EQ(16, first[33]);
	EXPECT_EQ(8, first[36 + 6] >> 4);
	EXPECT_EQ(2, first[36 + 8] >> 6);
	EXPECT_EQ(0, first[52]);
	ASSERT_EQ(0, identify(self, NVME_CNS_NS_DESC, 3));
	EXPECT_NE(0, memcmp(first + 4, self->buf + 4, 8));
	EXPECT_NE(0, memcmp(first + 16, self->buf + 16, 16));
	EXPECT_NE(0, memcmp(first + 36, self->buf + 36, 16));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  identify(self, NVME_CNS_NS_DESC, 2));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), identify(self, NVME_CNS_NS_DESC, 0));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), identify(self, NVME_CNS_NS_DESC, 4));
}

TEST_F(admin, identify_others)
{
	unsigned int cns;

	for (cns = 0; cns < 256; cns++) {
		if (cns <= 3)
			continue;
		EXPECT_EQ(cns == 5 || cns == 6 ? 0 :
			  DNR(NVME_SC_INVALID_FIELD), identify(self, cns, 1));
	}
}

TEST_F(admin, opcodes)
{
	static const u8 known[] = { 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 0x7c };
	unsigned int opcode, i;
	u16 status;

	for (opcode = 0; opcode < 256; opcode++) {
		if (opcode == NVME_ADMIN_ASYNC_EVENT)
			continue;
		status = host_admin(&self->h, (struct nvme_sqe) {
			.opcode = opcode, .prp1 = ~0ull, .prp2 = ~0ull,
			.cdw10 = 0xffffffff, .cdw11 = 0xffffffff }, NULL);
		for (i = 0; i < sizeof(known) && known[i] != opcode; i++)
			;
		if (i < sizeof(known))
			EXPECT_NE(DNR(NVME_SC_INVALID_OPCODE), status);
		else
			EXPECT_EQ(DNR(NVME_SC_INVALID_OPCODE), status);
	}
}

TEST_F(admin, flags)
{
	unsigned int flags;

	for (flags = 0; flags < 256; flags++)
		EXPECT_EQ(flags & 0xc3 ? DNR(NVME_SC_INVALID_FIELD) : 0,
			  host_admin(&self->h, (struct nvme_sqe) {
				.opcode = NVME_ADMIN_GET_FEATURES,
				.flags = flags, .cdw10 = cpu_to_le32(7) },
				NULL));
}

TEST_F(admin, features_and_their_values)
{
	struct nvme_host *h = &self->h;
	static const struct {
		u8 fid;
		u32 def;
		u32 set;
		u32 got;
	} table[] = {
		{ 0x01, 0, 0x12345607, 0x12345607 },
		{ 0x02, 0, 0xe0, 0xe0 },
		{ 0x06, 1, 0, 0 },
		{ 0x08, 0, 0xffffabcd, 0xabcd },
		{ 0x0a, 0, 1, 1 },
		{ 0x0b, 0, 0xffffffff, NVME_AEC_SUPPORTED },
	};
	unsigned int i;
	u32 v;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		u8 f = table[i].fid;

		EXPECT_EQ(0, host_get_feature(h, f, &v));
		EXPECT_EQ(table[i].def, v);
		EXPECT_EQ(0, host_set_feature(h, f, table[i].set, NULL));
		EXPECT_EQ(0, host_get_feature(h, f, &v));
		EXPECT_EQ(table[i].got, v);
		EXPECT_EQ(0, host_get_feature(h, f | 1 << 8, &v));
		EXPECT_EQ(table[i].def, v);
		EXPECT_EQ(0, host_get_feature(h, f | 2 << 8, &v));
		EXPECT_EQ(table[i].def, v);
		EXPECT_EQ(0, host_get_feature(h, f | 3 << 8, &v));
		EXPECT_EQ(NVME_FEATCAP_CHANGEABLE, v);
		EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
			  host_get_feature(h, f | 4 << 8, NULL));
		EXPECT_EQ(DNR(NVME_SC_FID_NOT_SAVEABLE),
			  host_set_feature(h, f | 1u << 31, table[i].set, NULL));
	}
	/* Reset brings the defaults back. */
	ASSERT_TRUE(host_disable(h));
	ASSERT_TRUE(host_enable(h));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		EXPECT_EQ(0, host_get_feature(h, table[i].fid, &v));
		EXPECT_EQ(table[i].def, v);
	}
}

TEST_F(admin, unknown_features)
{
	struct nvme_host *h = &self->h;
	unsigned int fid;

	for (fid = 0; fid < 256; fid++) {
		bool known = fid == 1 || fid == 2 || (fid >= 4 && fid <= 0xb);

		if (known)
			continue;
		EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
			  host_get_feature(h, fid, NULL));
		EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
			  host_get_feature(h, fid | 3 << 8, NULL));
		EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
			  host_set_feature(h, fid, 0, NULL));
	}
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, NVME_FEAT_POWER, 1, NULL));
}

TEST_F(admin, temperature_thresholds)
{
	struct nvme_host *h = &self->h;
	u32 v;

	EXPECT_EQ(0, host_get_feature(h, 4, &v));
	EXPECT_EQ(343, v);
	EXPECT_EQ(0, host_set_feature(h, 4, 350, NULL));
	EXPECT_EQ(0, host_set_feature(h, 4, 1 << 20 | 0xf << 16 | 200, NULL));
	EXPECT_EQ(0, host_get_feature(h, 4, &v));
	EXPECT_EQ(350, v);
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, 4, 1 << 16 | 200, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, 4, 2 << 20 | 200, NULL));
	EXPECT_EQ(0, host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 4,
		.cdw11 = 1 << 20 }, &v));
	EXPECT_EQ(200, v);
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 4,
		.cdw11 = 1 << 16 }, &v));
}

TEST_F(admin, number_of_queues)
{
	struct nvme_host *h = &self->h;
	u32 v;

	EXPECT_EQ(0, host_set_feature(h, 7, 0, &v));
	EXPECT_EQ(0x003f003f, v);
	EXPECT_EQ(0, host_set_feature(h, 7, 0xfffefffe, &v));
	EXPECT_EQ(0x003f003f, v);
	EXPECT_EQ(0, host_get_feature(h, 7, &v));
	EXPECT_EQ(0x003f003f, v);
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, 7, 0xffff, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, 7, 0xffff0000, NULL));
	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	EXPECT_EQ(DNR(NVME_SC_SEQUENCE), host_set_feature(h, 7, 1, NULL));
}

TEST_F(admin, interrupt_vector_configuration)
{
	struct nvme_host *h = &self->h;
	struct nvme_sqe get = {
		.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 9, .cdw11 = 64 };
	u32 v;

	EXPECT_EQ(0, host_admin(h, get, &v));
	EXPECT_EQ(64, v);
	EXPECT_EQ(0, host_set_feature(h, 9, 1 << 16 | 64, NULL));
	EXPECT_EQ(0, host_admin(h, get, &v));
	EXPECT_EQ(1 << 16 | 64, v);
	EXPECT_EQ(0, host_set_feature(h, 9, 64, NULL));
	EXPECT_EQ(0, host_admin(h, get, &v));
	EXPECT_EQ(64, v);
	get.cdw11 = 65;
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), host_admin(h, get, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_set_feature(h, 9, 65, NULL));
}

static u16 feature_ns(struct nvme_host *h, u8 opcode, u32 fid, u32 nsid,
		      u32 value, u32 *result)
{
	return host_admin(h, (struct nvme_sqe) { .opcode = opcode,
			  .nsid = cpu_to_le32(nsid), .cdw10 = cpu_to_le32(fid),
			  .cdw11 = cpu_to_le32(value) }, result);
}

TEST_F(admin, features_of_namespaces)
{
	const u8 set = NVME_ADMIN_SET_FEATURES, get = NVME_ADMIN_GET_FEATURES;
	struct nvme_host *h = &self->h;
	u32 v;

	EXPECT_EQ(0, feature_ns(h, set, 5, 1, 100, NULL));
	EXPECT_EQ(0, feature_ns(h, get, 5, 1, 0, &v));
	EXPECT_EQ(100, v);
	EXPECT_EQ(0, feature_ns(h, get, 5, 3, 0, &v));
	EXPECT_EQ(0, v);
	EXPECT_EQ(0, feature_ns(h, set, 5, NVME_NSID_ALL, 200, NULL));
	EXPECT_EQ(0, feature_ns(h, get, 5, 3, 0, &v));
	EXPECT_EQ(200, v);
	EXPECT_EQ(0, feature_ns(h, get, 5 | 3 << 8, 3, 0, &v));
	EXPECT_EQ(NVME_FEATCAP_CHANGEABLE | NVME_FEATCAP_NS, v);
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), feature_ns(h, set, 5, 0, 1, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD), feature_ns(h, set, 5, 2, 1, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), feature_ns(h, set, 5, 4, 1, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS),
		  feature_ns(h, get, 5, NVME_NSID_ALL, 0, NULL));
	/* DULBE is not offered. */
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  feature_ns(h, set, 5, 1, 1 << 16, NULL));
	EXPECT_EQ(DNR(NVME_SC_FID_NOT_NS), feature_ns(h, set, 1, 1, 0, NULL));
	EXPECT_EQ(0, feature_ns(h, set, 1, NVME_NSID_ALL, 0, NULL));
}

TEST_F(admin, write_cache_off_means_fua)
{
	struct nvme_host *h = &self->h;
	u32 value;

	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(true, 0, 1, self->page, 0)));
	EXPECT_FALSE(fake_disk_log(h->disks[0], 0).fua);
	EXPECT_EQ(0, host_set_feature(h, 6, 0, NULL));
	/* What was written before is not in the cache any more. */
	EXPECT_EQ(FAKE_DISK_FLUSH, fake_disk_log(h->disks[0], 1).op);
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(true, 0, 1, self->page, 0)));
	EXPECT_TRUE(fake_disk_log(h->disks[0], 2).fua);
	EXPECT_EQ(0, host_set_feature(h, 6, 1, NULL));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(true, 0, 1, self->page, 0)));
	EXPECT_FALSE(fake_disk_log(h->disks[0], 3).fua);
	EXPECT_EQ(1, fake_disk_count(h->disks[0], FAKE_DISK_FLUSH));
	fake_disk_fail(h->disks[0], 1, BLK_STS_MEDIUM, false);
	EXPECT_EQ(DNR(NVME_SC_WRITE_FAULT), host_set_feature(h, 6, 0, NULL));
	EXPECT_EQ(0, host_get_feature(h, 6, &value));
	EXPECT_EQ(1, value);
}

/* ---- log pages --------------------------------------------------------- */

static u16 log_page(struct fixture_admin *self, u32 lid, u32 bytes, u64 offset)
{
	u16 status;

	fake_vm_set(self->h.vm, self->page, 0xa5, 4096);
	status = host_log_page(&self->h, lid, bytes, offset, self->page);
	fake_vm_read(self->h.vm, self->page, self->buf, 4096);
	return status;
}

TEST_F(admin, log_pages_there_are)
{
	unsigned int lid;

	for (lid = 0; lid < 256; lid++)
		EXPECT_EQ(lid >= 1 && lid <= 5 ? 0 : DNR(NVME_SC_LOG_PAGE),
			  log_page(self, lid, 512, 0));
}

TEST_F(admin, log_page_lengths)
{
	u64 list = host_page(&self->h, 1), entry = cpu_to_le64(self->page);
	unsigned int i;

	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 4, 0));
	EXPECT_EQ(0xa5, self->buf[4]);
	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 512, 0));
	EXPECT_EQ(0xa5, self->buf[512]);
	/* Beyond its end there are zeroes. */
	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 4096, 0));
	EXPECT_EQ(0, self->buf[512]);
	EXPECT_EQ(0, self->buf[4095]);
	EXPECT_EQ(0, log_page(self, NVME_LOG_EFFECTS, 4096, 4));
	EXPECT_EQ(1, self->buf[0]);
	EXPECT_EQ(0, self->buf[4092]);
	EXPECT_EQ(0, log_page(self, NVME_LOG_ERROR, 512, 4092));
	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 512, 508));
	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 512, 512));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  log_page(self, NVME_LOG_SMART, 512, 516));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  log_page(self, NVME_LOG_SMART, 512, ~3ull));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  log_page(self, NVME_LOG_SMART, 8, 2));
	/* MDTS */
	for (i = 0; i < 127; i++)
		fake_vm_write(self->h.vm, list + i * 8, &entry, 8);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(i ? DNR(NVME_SC_INVALID_FIELD) : 0,
			  host_admin(&self->h, (struct nvme_sqe) {
			.opcode = NVME_ADMIN_GET_LOG_PAGE,
			.prp1 = cpu_to_le64(self->page),
			.prp2 = cpu_to_le64(list),
			.cdw10 = cpu_to_le32((0x1ffff + i) << 16 | 5),
			.cdw11 = cpu_to_le32((0x1ffff + i) >> 16) }, NULL));
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_admin(&self->h, (struct nvme_sqe) {
			.opcode = NVME_ADMIN_GET_LOG_PAGE,
			.cdw10 = 0xffff0005, .cdw11 = 0xffff }, NULL));
}

TEST_F(admin, smart)
{
	struct nvme_smart_log *log = (struct nvme_smart_log *)self->buf;
	struct nvme_host *h = &self->h;
	unsigned int i;

	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	for (i = 0; i < 150; i++)
		EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 8, self->page,
						    0)));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(true, 0, 8, self->page, 0)));
	fake_disk_fail(h->disks[0], 1, BLK_STS_MEDIUM, false);
	host_exec(h, 1, sqe_rw(false, 0, 8, self->page, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, log_page(self, NVME_LOG_SMART, 512, 0));
		EXPECT_EQ(151, le64_to_cpu(log->host_reads[0]));
		EXPECT_EQ(1, le64_to_cpu(log->host_writes[0]));
		EXPECT_EQ(2, le64_to_cpu(log->data_units_read[0]));
		EXPECT_EQ(1, le64_to_cpu(log->data_units_written[0]));
		EXPECT_EQ(1, le64_to_cpu(log->media_errors[0]));
		EXPECT_EQ(1, le64_to_cpu(log->num_err_entries[0]));
		EXPECT_EQ(0, log->critical_warning);
		EXPECT_EQ(303, log->temperature[0] | log->temperature[1] << 8);
		EXPECT_EQ(100, log->avail_spare);
		/* They outlive their queue. */
		EXPECT_EQ(0, host_delete(h, NVME_ADMIN_DELETE_SQ, 1));
		ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	}
	EXPECT_EQ(DNR(NVME_SC_INVALID_FIELD),
		  host_admin(h, (struct nvme_sqe) {
			.opcode = NVME_ADMIN_GET_LOG_PAGE, .nsid = 1,
			.prp1 = cpu_to_le64(self->page), .cdw10 = 2 }, NULL));
}

TEST_F(admin, error_log)
{
	struct nvme_error_entry *log = (struct nvme_error_entry *)self->buf;
	struct nvme_host *h = &self->h;
	unsigned int i;

	ASSERT_EQ(0, log_page(self, NVME_LOG_ERROR, 4096, 0));
	EXPECT_EQ(0, log[0].error_count);
	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	for (i = 0; i < 70; i++)
		host_exec(h, 1, sqe_rw(false, 5000 + i, 1, self->page, 0));
	ASSERT_EQ(0, log_page(self, NVME_LOG_ERROR, 4096, 0));
	for (i = 0; i < 64; i++) {
		EXPECT_EQ(70 - i, le64_to_cpu(log[i].error_count));
		EXPECT_EQ(1, le16_to_cpu(log[i].sqid));
		EXPECT_EQ(5069 - i, le64_to_cpu(log[i].lba));
		EXPECT_EQ(1, le32_to_cpu(log[i].nsid));
		EXPECT_EQ(DNR(NVME_SC_LBA_RANGE) << 1,
			  le16_to_cpu(log[i].status));
	}
}

TEST_F(admin, firmware_and_effects)
{
	__le32 *effects = (__le32 *)self->buf;

	ASSERT_EQ(0, log_page(self, NVME_LOG_FIRMWARE, 512, 0));
	EXPECT_EQ(1, self->buf[0]);
	EXPECT_MEMEQ("1.0     ", self->buf + 8, 8);
	ASSERT_EQ(0, log_page(self, NVME_LOG_EFFECTS, 4096, 0));
	EXPECT_EQ(1, le32_to_cpu(effects[NVME_ADMIN_IDENTIFY]));
	EXPECT_EQ(0, effects[0x80]);
	EXPECT_EQ(3, le32_to_cpu(effects[256 + NVME_CMD_WRITE]));
	EXPECT_EQ(1, le32_to_cpu(effects[256 + NVME_CMD_READ]));
	EXPECT_EQ(0, effects[256 + 5]);
}

/* ---- asynchronous events, abort ---------------------------------------- */

static u16 park(struct nvme_host *h)
{
	u16 cid = host_submit(h, 0, (struct nvme_sqe) {
			      .opcode = NVME_ADMIN_ASYNC_EVENT });

	run_pending();
	return cid;
}

TEST_F(admin, event_requests_stay)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		park(h);
		EXPECT_FALSE(host_take(h, 0, &cqe));
	}
	EXPECT_EQ(DNR(NVME_SC_AER_LIMIT), host_admin(h, (struct nvme_sqe) {
		  .opcode = NVME_ADMIN_ASYNC_EVENT }, NULL));
	/* Others pass them. */
	for (i = 0; i < 200; i++)
		EXPECT_EQ(0, host_get_feature(h, 7, NULL));
	ASSERT_TRUE(host_disable(h));
	ASSERT_TRUE(host_enable(h));
	EXPECT_FALSE(host_take(h, 0, &cqe));
	park(h);
	EXPECT_FALSE(host_take(h, 0, &cqe));
}

TEST_F(admin, abort)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;
	u16 cid[2];
	u32 v;

	EXPECT_EQ(0, host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_ABORT, .cdw10 = 5 << 16 | 1 }, &v));
	EXPECT_EQ(1, v);
	cid[0] = park(h);
	cid[1] = park(h);
	EXPECT_EQ(0, host_admin(h, (struct nvme_sqe) {
		.opcode = NVME_ADMIN_ABORT, .cdw10 = 0xffff << 16 }, &v));
	EXPECT_EQ(1, v);
	host_submit(h, 0, (struct nvme_sqe) { .opcode = NVME_ADMIN_ABORT,
		    .cdw10 = cpu_to_le32(cid[0] << 16) });
	run_pending();
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(cid[0], le16_to_cpu(cqe.cid));
	EXPECT_EQ(ERR(NVME_SC_ABORT_REQUESTED), cqe_status(&cqe));
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0, cqe_status(&cqe));
	EXPECT_EQ(0, le32_to_cpu(cqe.result));
	EXPECT_FALSE(host_take(h, 0, &cqe));
}

/* Active namespaces after @after, as Identify lists them */
static u32 active_ns(struct fixture_admin *self, u32 after)
{
	EXPECT_EQ(0, identify(self, 2, after));
	return le32_to_cpu(((__le32 *)self->buf)[0]);
}

TEST_F(admin, namespace_added)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	ASSERT_EQ(0, host_set_feature(h, 0xb, NVME_AEC_NS_ATTR, NULL));
	park(h);
	EXPECT_EQ(0, active_ns(self, 3));
	h->disks[7] = fake_disk_new(100, 9);
	strcpy(fake_disk_info(h->disks[7])->serial, "DISK0001");
	ioemu_nvme_model.disk_added(h->ctrl, 7, h->disks[7]);
	run_pending();
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0x040002, le32_to_cpu(cqe.result));
	EXPECT_EQ(8, active_ns(self, 3));
}

TEST_F(admin, namespace_removed)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	ASSERT_EQ(0, host_set_feature(h, 0xb, NVME_AEC_NS_ATTR, NULL));
	park(h);
	EXPECT_EQ(3, active_ns(self, 1));
	ioemu_nvme_model.disk_removed(h->ctrl, 2);
	run_pending();
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0x040002, le32_to_cpu(cqe.result));
	EXPECT_EQ(0, active_ns(self, 1));
	EXPECT_EQ(1, active_ns(self, 0));
}

/*
 * A command of several steps outlives its first; the disk need not, and the rest
 * is not for the next disk in its place.
 */
TEST_F(admin, namespace_removed_between_steps)
{
	const struct nvme_dsm_range r[2] = {
		{ .slba = cpu_to_le64(0), .nlb = cpu_to_le32(1) },
		{ .slba = cpu_to_le64(8), .nlb = cpu_to_le32(1) },
	};
	struct nvme_host *h = &self->h;
	struct ioemu_disk *disk = h->disks[2];
	struct nvme_cqe cqe;

	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	fake_vm_write(h->vm, self->page, r, sizeof(r));
	fake_disk_hold(disk, true);
	host_submit(h, 1, (struct nvme_sqe) {
		.opcode = NVME_CMD_DSM, .nsid = cpu_to_le32(3),
		.prp1 = cpu_to_le64(self->page), .cdw10 = cpu_to_le32(1),
		.cdw11 = cpu_to_le32(NVME_DSM_AD) });
	run_pending();
	ASSERT_EQ(1, fake_disk_nr_held(disk));
	ioemu_nvme_model.disk_removed(h->ctrl, 2);
	EXPECT_EQ(0, fake_disk_nr_held(disk));
	fake_disk_free(disk);
	h->disks[2] = fake_disk_new(100, 9);
	ioemu_nvme_model.disk_added(h->ctrl, 2, h->disks[2]);
	run_pending();
	EXPECT_EQ(0, fake_disk_count(h->disks[2], FAKE_DISK_DISCARD));
	ASSERT_TRUE(host_reap(h, 1, &cqe));
	EXPECT_EQ(DNR(NVME_SC_INVALID_NS), cqe_status(&cqe));
}

TEST_F(admin, changed_namespaces)
{
	struct nvme_host *h = &self->h;
	__le32 *list = (__le32 *)self->buf;
	struct nvme_cqe cqe;

	park(h);
	park(h);
	/* Not wanted */
	ioemu_nvme_model.disk_changed(h->ctrl, 0);
	run_pending();
	EXPECT_FALSE(host_take(h, 0, &cqe));
	EXPECT_EQ(0, log_page(self, NVME_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(1, le32_to_cpu(list[0]));
	EXPECT_EQ(0, host_set_feature(h, 0xb, NVME_AEC_NS_ATTR, NULL));
	fake_disk_info(h->disks[2])->nr_blocks = 400;
	ioemu_nvme_model.disk_changed(h->ctrl, 2);
	run_pending();
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0x040002, le32_to_cpu(cqe.result));
	/* No second one until the log page was read */
	ioemu_nvme_model.disk_changed(h->ctrl, 0);
	run_pending();
	EXPECT_FALSE(host_take(h, 0, &cqe));
	/* RAE keeps it so. */
	EXPECT_EQ(0, log_page(self, NVME_LOG_CHANGED_NS | NVME_LOG_RAE, 4096,
			      0));
	EXPECT_EQ(1, le32_to_cpu(list[0]));
	EXPECT_EQ(3, le32_to_cpu(list[1]));
	EXPECT_EQ(0, list[2]);
	EXPECT_FALSE(host_take(h, 0, &cqe));
	EXPECT_EQ(0, log_page(self, NVME_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(3, le32_to_cpu(list[1]));
	EXPECT_EQ(0, log_page(self, NVME_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(0, list[0]);
	EXPECT_FALSE(host_take(h, 0, &cqe));
	ioemu_nvme_model.disk_changed(h->ctrl, 2);
	run_pending();
	EXPECT_TRUE(host_reap(h, 0, &cqe));
	/* One that nobody waits for yet */
	EXPECT_EQ(0, log_page(self, NVME_LOG_CHANGED_NS, 4096, 0));
	ioemu_nvme_model.disk_changed(h->ctrl, 2);
	run_pending();
	EXPECT_FALSE(host_take(h, 0, &cqe));
	park(h);
	EXPECT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0x040002, le32_to_cpu(cqe.result));
}

TEST_F(admin, temperature_event)
{
	struct nvme_host *h = &self->h;
	struct nvme_cqe cqe;

	park(h);
	EXPECT_EQ(0, host_set_feature(h, 4, 300, NULL));
	EXPECT_FALSE(host_take(h, 0, &cqe));
	EXPECT_EQ(0, host_set_feature(h, 0xb, 2, NULL));
	host_submit(h, 0, (struct nvme_sqe) {
		    .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 4,
		    .cdw11 = 300 });
	run_pending();
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	ASSERT_TRUE(host_reap(h, 0, &cqe));
	EXPECT_EQ(0x020101, le32_to_cpu(cqe.result));
	EXPECT_EQ(0, log_page(self, NVME_LOG_SMART, 512, 0));
	EXPECT_EQ(2, self->buf[0]);
}

TEST_F(admin, show)
{
	struct nvme_host *h = &self->h;
	static char text[65536];
	struct seq_file m = { .buf = text, .size = sizeof(text) };

	ASSERT_EQ(0, host_create_cq(h, 1, 8));
	ASSERT_EQ(0, host_create_sq(h, 1, 8, 1));
	EXPECT_EQ(0, host_exec(h, 1, sqe_rw(false, 0, 1, self->page, 0)));
	ioemu_nvme_model.show(h->ctrl, &m);
	text[m.count] = 0;
	EXPECT_TRUE(strstr(text, "state: enabled"));
	EXPECT_TRUE(strstr(text, "ns3: blocks 500 block_size 4096"));
	EXPECT_TRUE(strstr(text, "sq1: size 8 cq 1 head 1 tail 1 commands 1"));
}

/* The identifiers of a serial number are for ever. */
TEST(identifiers_are_stable)
{
	static const u8 want[] = {
		0x01, 0x08, 0x00, 0x00,
		0x00, 0x16, 0x3e, 0x86, 0xad, 0x3a, 0x91, 0x99,
		0x02, 0x10, 0x00, 0x00,
		0xe1, 0xd9, 0xb7, 0x59, 0x57, 0x80, 0x24, 0x2f,
		0x00, 0x16, 0x3e, 0x86, 0xad, 0x3a, 0x91, 0x99,
		0x03, 0x10, 0x00, 0x00,
		0x12, 0x6d, 0x07, 0xe5, 0x17, 0x24, 0x88, 0xa9,
		0xbe, 0xe5, 0xcd, 0xaf, 0x29, 0xff, 0x72, 0x36,
	};
	struct nvme_host host, *h = &host;
	u8 buf[2][64];
	u64 page;

	memset(h, 0, sizeof(*h));
	h->next_page = 16;
	h->vm = fake_vm_new(HOST_FRAMES);
	h->disks[0] = fake_disk_new(64, 9);
	h->disks[1] = fake_disk_new(64, 9);
	strcpy(fake_disk_info(h->disks[0])->serial, "DISK0001");
	strcpy(fake_disk_info(h->disks[1])->serial, "DISK0001");
	host_create(h);
	ASSERT_TRUE(host_enable(h));
	page = host_page(h, 1);
	EXPECT_EQ(0, host_identify(h, NVME_CNS_NS_DESC, 1, page));
	fake_vm_read(h->vm, page, buf[0], 64);
	EXPECT_MEMEQ(want, buf[0], sizeof(want));
	/* Twice the same serial number still is two namespaces. */
	EXPECT_EQ(0, host_identify(h, NVME_CNS_NS_DESC, 2, page));
	fake_vm_read(h->vm, page, buf[1], 64);
	EXPECT_NE(0, memcmp(buf[0] + 4, buf[1] + 4, 8));
	EXPECT_NE(0, memcmp(buf[0] + 36, buf[1] + 36, 16));
	host_exit(h);
}
