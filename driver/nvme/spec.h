/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What travels between a host and an NVMe controller: NVM Express Base
 * Specification, revision 1.4. Section and figure numbers refer to it.
 *
 * Little endian throughout. Only what the controller offers or refuses by name
 * is listed.
 */
#ifndef _IOEMU_NVME_SPEC_H
#define _IOEMU_NVME_SPEC_H

#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* Controller registers, section 3.1 */
#define NVME_REG_CAP		0x00
#define NVME_REG_VS		0x08
#define NVME_REG_INTMS		0x0c
#define NVME_REG_INTMC		0x10
#define NVME_REG_CC		0x14
#define NVME_REG_CSTS		0x1c
#define NVME_REG_NSSR		0x20
#define NVME_REG_AQA		0x24
#define NVME_REG_ASQ		0x28
#define NVME_REG_ACQ		0x30
#define NVME_REG_DBS		0x1000	/* doorbells, section 3.1.24 */

#define NVME_CAP_MQES_SHIFT	0
#define NVME_CAP_CQR		(1ull << 16)
#define NVME_CAP_TO_SHIFT	24
#define NVME_CAP_CSS_NVM	(1ull << 37)

#define NVME_VS_1_4		0x00010400u

#define NVME_CC_EN		0x00000001u
#define NVME_CC_CSS_MASK	0x00000070u
#define NVME_CC_MPS_MASK	0x00000780u
#define NVME_CC_AMS_MASK	0x00003800u
#define NVME_CC_SHN_MASK	0x0000c000u
#define NVME_CC_IOSQES_SHIFT	16
#define NVME_CC_IOCQES_SHIFT	20
#define NVME_CC_WRITABLE	0x00fffff1u

#define NVME_CSTS_RDY		0x00000001u
#define NVME_CSTS_CFS		0x00000002u
#define NVME_CSTS_SHST_MASK	0x0000000cu
#define NVME_CSTS_SHST_BUSY	0x00000004u
#define NVME_CSTS_SHST_DONE	0x00000008u

#define NVME_AQA_WRITABLE	0x0fff0fffu
#define NVME_AQA_ACQS_SHIFT	16
#define NVME_AQA_SIZE_MASK	0x0fffu
#define NVME_AQ_BASE_MASK	(~0xfffull)

/* Sizes that this controller works with */
#define NVME_PAGE_SHIFT		12	/* CC.MPS 0 */
#define NVME_PAGE_SIZE		(1u << NVME_PAGE_SHIFT)
#define NVME_PAGE_MASK		(NVME_PAGE_SIZE - 1)
#define NVME_SQES		6
#define NVME_CQES		4
#define NVME_SQE_SIZE		(1u << NVME_SQES)
#define NVME_CQE_SIZE		(1u << NVME_CQES)

#define NVME_NSID_ALL		0xffffffffu
#define NVME_NSID_LIST_MAX	0xfffffffdu	/* largest start of a list */

/* Admin commands, figure 139 */
enum {
	NVME_ADMIN_DELETE_SQ		= 0x00,
	NVME_ADMIN_CREATE_SQ		= 0x01,
	NVME_ADMIN_GET_LOG_PAGE		= 0x02,
	NVME_ADMIN_DELETE_CQ		= 0x04,
	NVME_ADMIN_CREATE_CQ		= 0x05,
	NVME_ADMIN_IDENTIFY		= 0x06,
	NVME_ADMIN_ABORT		= 0x08,
	NVME_ADMIN_SET_FEATURES		= 0x09,
	NVME_ADMIN_GET_FEATURES		= 0x0a,
	NVME_ADMIN_ASYNC_EVENT		= 0x0c,
	NVME_ADMIN_DBBUF		= 0x7c,
};

/* I/O commands of the NVM command set, figure 346 */
enum {
	NVME_CMD_FLUSH			= 0x00,
	NVME_CMD_WRITE			= 0x01,
	NVME_CMD_READ			= 0x02,
	NVME_CMD_WRITE_ZEROES		= 0x08,
	NVME_CMD_DSM			= 0x09,
};

/* Command dword 0, figure 104: flags are its byte 1 */
#define NVME_CMD_FUSE_MASK	0x03
#define NVME_CMD_PSDT_MASK	0xc0
#define NVME_CMD_PSDT_PRP	0x00
#define NVME_CMD_PSDT_SGL	0x40	/* metadata pointer is an address */
#define NVME_CMD_PSDT_SGL_META	0x80	/* metadata pointer is an SGL */

/* SGL descriptor, figures 111 to 119 */
struct nvme_sgl {
	__le64 addr;
	__le32 length;
	__u8 rsvd[3];
	__u8 type;
};

#define NVME_SGL_TYPE(t)	((t) >> 4)
#define NVME_SGL_SUBTYPE(t)	((t) & 0x0f)
#define NVME_SGL_DATA		0x0
#define NVME_SGL_SEGMENT	0x2
#define NVME_SGL_LAST_SEGMENT	0x3

/* Submission queue entry, figures 104 and 105 */
struct nvme_sqe {
	__u8 opcode;
	__u8 flags;
	__le16 cid;
	__le32 nsid;
	__le32 cdw2;
	__le32 cdw3;
	__le64 mptr;
	union {
		struct {
			__le64 prp1;
			__le64 prp2;
		};
		struct nvme_sgl sgl;
	};
	__le32 cdw10;
	__le32 cdw11;
	__le32 cdw12;
	__le32 cdw13;
	__le32 cdw14;
	__le32 cdw15;
};

static_assert(sizeof(struct nvme_sqe) == NVME_SQE_SIZE);

/* Completion queue entry, figure 120; bit 0 of the status is the phase tag */
struct nvme_cqe {
	__le32 result;
	__le32 rsvd;
	__le16 sq_head;
	__le16 sq_id;
	__le16 cid;
	__le16 status;
};

static_assert(sizeof(struct nvme_cqe) == NVME_CQE_SIZE);

/*
 * Status field without the phase tag, figures 124 to 133: bits 7:0 code, 10:8
 * type, 13 more, 14 do not retry.
 */
enum {
	NVME_SC_SUCCESS			= 0x000,
	NVME_SC_INVALID_OPCODE		= 0x001,
	NVME_SC_INVALID_FIELD		= 0x002,
	NVME_SC_DATA_TRANSFER		= 0x004,
	NVME_SC_INTERNAL		= 0x006,
	NVME_SC_ABORT_REQUESTED		= 0x007,
	NVME_SC_ABORT_SQ_DELETED	= 0x008,
	NVME_SC_INVALID_NS		= 0x00b,
	NVME_SC_SEQUENCE		= 0x00c,
	NVME_SC_SGL_SEGMENT		= 0x00d,
	NVME_SC_SGL_COUNT		= 0x00e,
	NVME_SC_SGL_DATA_LENGTH		= 0x00f,
	NVME_SC_SGL_TYPE		= 0x011,
	NVME_SC_PRP_OFFSET		= 0x013,
	NVME_SC_SGL_GRANULARITY		= 0x01e,
	NVME_SC_WRITE_PROTECTED		= 0x020,
	NVME_SC_INTERRUPTED		= 0x021,
	NVME_SC_TRANSIENT_TRANSPORT	= 0x022,
	NVME_SC_LBA_RANGE		= 0x080,
	NVME_SC_CAPACITY		= 0x081,
	NVME_SC_NS_NOT_READY		= 0x082,

	NVME_SC_CQ_INVALID		= 0x100,
	NVME_SC_QID_INVALID		= 0x101,
	NVME_SC_QUEUE_SIZE		= 0x102,
	NVME_SC_AER_LIMIT		= 0x105,
	NVME_SC_VECTOR			= 0x108,
	NVME_SC_LOG_PAGE		= 0x109,
	NVME_SC_QUEUE_DELETION		= 0x10c,
	NVME_SC_FID_NOT_SAVEABLE	= 0x10d,
	NVME_SC_FID_NOT_CHANGEABLE	= 0x10e,
	NVME_SC_FID_NOT_NS		= 0x10f,

	NVME_SC_WRITE_FAULT		= 0x280,
	NVME_SC_READ_ERROR		= 0x281,
	NVME_SC_GUARD			= 0x282,
	NVME_SC_ACCESS_DENIED		= 0x286,

	NVME_SC_MORE			= 0x2000,
	NVME_SC_DNR			= 0x4000,
};

/* Create I/O queues, sections 5.3 and 5.4: command dword 11 */
#define NVME_QUEUE_PC		0x0001
#define NVME_CQ_IEN		0x0002

/* Read, Write, Write Zeroes: command dword 12 */
#define NVME_RW_NLB_MASK	0x0000ffffu
#define NVME_RW_DEAC		(1u << 25)
#define NVME_RW_FUA		(1u << 30)

/* Dataset Management, section 6.7 */
#define NVME_DSM_NR_MASK	0x000000ffu
#define NVME_DSM_AD		0x00000004u
#define NVME_DSM_MAX_RANGES	256

struct nvme_dsm_range {
	__le32 attributes;
	__le32 nlb;
	__le64 slba;
};

/* Identify, section 5.15 */
enum {
	NVME_CNS_NS			= 0x00,
	NVME_CNS_CTRL			= 0x01,
	NVME_CNS_NS_LIST		= 0x02,
	NVME_CNS_NS_DESC		= 0x03,
	NVME_CNS_CS_NS			= 0x05,
	NVME_CNS_CS_CTRL		= 0x06,
};

#define NVME_IDENTIFY_SIZE	4096

struct nvme_id_psd {
	__le16 mp;
	__u8 rsvd2;
	__u8 flags;
	__le32 enlat;
	__le32 exlat;
	__u8 rrt;
	__u8 rrl;
	__u8 rwt;
	__u8 rwl;
	__u8 rsvd16[16];
};

/* Identify Controller, figure 247 */
struct nvme_id_ctrl {
	__le16 vid;
	__le16 ssvid;
	__u8 sn[20];
	__u8 mn[40];
	__u8 fr[8];
	__u8 rab;
	__u8 ieee[3];
	__u8 cmic;
	__u8 mdts;
	__le16 cntlid;
	__le32 ver;
	__le32 rtd3r;
	__le32 rtd3e;
	__le32 oaes;
	__le32 ctratt;
	__le16 rrls;
	__u8 rsvd102[9];
	__u8 cntrltype;
	__u8 fguid[16];
	__le16 crdt[3];
	__u8 rsvd134[122];
	__le16 oacs;
	__u8 acl;
	__u8 aerl;
	__u8 frmw;
	__u8 lpa;
	__u8 elpe;
	__u8 npss;
	__u8 avscc;
	__u8 apsta;
	__le16 wctemp;
	__le16 cctemp;
	__u8 rsvd270[242];
	__u8 sqes;
	__u8 cqes;
	__le16 maxcmd;
	__le32 nn;
	__le16 oncs;
	__le16 fuses;
	__u8 fna;
	__u8 vwc;
	__le16 awun;
	__le16 awupf;
	__u8 nvscc;
	__u8 nwpc;
	__le16 acwu;
	__u8 rsvd534[2];
	__le32 sgls;
	__le32 mnan;
	__u8 rsvd544[224];
	__u8 subnqn[256];
	__u8 rsvd1024[1024];
	struct nvme_id_psd psd[32];
	__u8 vs[1024];
};

static_assert(offsetof(struct nvme_id_ctrl, oacs) == 256);
static_assert(offsetof(struct nvme_id_ctrl, sqes) == 512);
static_assert(offsetof(struct nvme_id_ctrl, sgls) == 536);
static_assert(offsetof(struct nvme_id_ctrl, subnqn) == 768);
static_assert(sizeof(struct nvme_id_ctrl) == NVME_IDENTIFY_SIZE);

#define NVME_OAES_NS_ATTR	(1u << 8)
#define NVME_CNTRLTYPE_IO	1
#define NVME_OACS_DBBUF		(1u << 8)
#define NVME_LPA_EFFECTS	(1u << 1)
#define NVME_LPA_EXTENDED	(1u << 2)
#define NVME_FRMW_SLOT1_RO	(1u << 0)
#define NVME_FRMW_ONE_SLOT	(1u << 1)
#define NVME_ONCS_DSM		(1u << 2)
#define NVME_ONCS_WRITE_ZEROES	(1u << 3)
#define NVME_ONCS_SELECT	(1u << 4)
#define NVME_VWC_PRESENT	(1u << 0)
#define NVME_VWC_FLUSH_ALL	(3u << 1)
#define NVME_SGLS_DWORD		(2u << 0)
#define NVME_SGLS_EXCESS	(1u << 18)

struct nvme_lbaf {
	__le16 ms;
	__u8 ds;
	__u8 rp;
};

/* Identify Namespace, figure 245 */
struct nvme_id_ns {
	__le64 nsze;
	__le64 ncap;
	__le64 nuse;
	__u8 nsfeat;
	__u8 nlbaf;
	__u8 flbas;
	__u8 mc;
	__u8 dpc;
	__u8 dps;
	__u8 nmic;
	__u8 rescap;
	__u8 fpi;
	__u8 dlfeat;
	__le16 nawun;
	__le16 nawupf;
	__le16 nacwu;
	__le16 nabsn;
	__le16 nabo;
	__le16 nabspf;
	__le16 noiob;
	__u8 nvmcap[16];
	__le16 npwg;
	__le16 npwa;
	__le16 npdg;
	__le16 npda;
	__le16 nows;
	__u8 rsvd74[18];
	__le32 anagrpid;
	__u8 rsvd96[3];
	__u8 nsattr;
	__le16 nvmsetid;
	__le16 endgid;
	__u8 nguid[16];
	__u8 eui64[8];
	struct nvme_lbaf lbaf[16];
	__u8 rsvd192[192];
	__u8 vs[3712];
};

static_assert(offsetof(struct nvme_id_ns, nguid) == 104);
static_assert(offsetof(struct nvme_id_ns, lbaf) == 128);
static_assert(sizeof(struct nvme_id_ns) == NVME_IDENTIFY_SIZE);

#define NVME_NSFEAT_ATOMICS	(1u << 1)
#define NVME_NSFEAT_UIDREUSE	(1u << 3)
#define NVME_NSFEAT_OPTPERF	(1u << 4)
#define NVME_DLFEAT_WZ_DEAC	0x08
#define NVME_NSATTR_WP		0x01
#define NVME_LBAF_RP_BEST	0

/* Namespace identification descriptor, figure 249 */
struct nvme_ns_desc {
	__u8 nidt;
	__u8 nidl;
	__u8 rsvd[2];
	__u8 nid[];
};

enum {
	NVME_NIDT_EUI64			= 1,
	NVME_NIDT_NGUID			= 2,
	NVME_NIDT_UUID			= 3,
};

/*
 * I/O command set specific data of the controller (TP 4056): a host that knows
 * of it asks whatever the version register says, to learn the limits of Write
 * Zeroes and Dataset Management.
 */
struct nvme_id_cs_ctrl {
	__u8 vsl;
	__u8 wzsl;
	__u8 wusl;
	__u8 dmrl;
	__le32 dmrsl;
	__le64 dmsl;
	__u8 rsvd16[4080];
};

static_assert(sizeof(struct nvme_id_cs_ctrl) == NVME_IDENTIFY_SIZE);

/* Features, section 5.21.1 */
enum {
	NVME_FEAT_ARBITRATION		= 0x01,
	NVME_FEAT_POWER			= 0x02,
	NVME_FEAT_TEMPERATURE		= 0x04,
	NVME_FEAT_ERROR_RECOVERY	= 0x05,
	NVME_FEAT_WRITE_CACHE		= 0x06,
	NVME_FEAT_QUEUES		= 0x07,
	NVME_FEAT_IRQ_COALESCING	= 0x08,
	NVME_FEAT_IRQ_CONFIG		= 0x09,
	NVME_FEAT_WRITE_ATOMIC		= 0x0a,
	NVME_FEAT_ASYNC_EVENT		= 0x0b,
};

enum {
	NVME_SEL_CURRENT		= 0,
	NVME_SEL_DEFAULT		= 1,
	NVME_SEL_SAVED			= 2,
	NVME_SEL_SUPPORTED		= 3,
};

#define NVME_FEAT_SAVE		(1u << 31)
#define NVME_FEATCAP_NS		(1u << 1)
#define NVME_FEATCAP_CHANGEABLE	(1u << 2)
/* Feature 08h: time in 100 us, threshold one less than the entries */
#define NVME_COALESCING_TIME(v)	((v) >> 8 & 0xff)
#define NVME_COALESCING_THR(v)	((v) & 0xff)

#define NVME_IRQ_CONFIG_CD	(1u << 16)
#define NVME_AEC_TEMPERATURE	(1u << 1)
#define NVME_AEC_NS_ATTR	(1u << 8)
#define NVME_AEC_SUPPORTED	(NVME_AEC_NS_ATTR | 0x1f)
#define NVME_ERR_DULBE		(1u << 16)

/* Log pages, section 5.14.1 */
enum {
	NVME_LOG_ERROR			= 0x01,
	NVME_LOG_SMART			= 0x02,
	NVME_LOG_FIRMWARE		= 0x03,
	NVME_LOG_CHANGED_NS		= 0x04,
	NVME_LOG_EFFECTS		= 0x05,
};

#define NVME_LOG_RAE		(1u << 15)

struct nvme_error_entry {
	__le64 error_count;
	__le16 sqid;
	__le16 cid;
	__le16 status;
	__le16 param_location;
	__le64 lba;
	__le32 nsid;
	__u8 vs;
	__u8 trtype;
	__u8 rsvd30[2];
	__le64 cs;
	__u8 rsvd40[24];
};

static_assert(sizeof(struct nvme_error_entry) == 64);

struct nvme_smart_log {
	__u8 critical_warning;
	__u8 temperature[2];
	__u8 avail_spare;
	__u8 spare_thresh;
	__u8 percent_used;
	__u8 rsvd6[26];
	__le64 data_units_read[2];
	__le64 data_units_written[2];
	__le64 host_reads[2];
	__le64 host_writes[2];
	__le64 busy_minutes[2];
	__le64 power_cycles[2];
	__le64 power_on_hours[2];
	__le64 unsafe_shutdowns[2];
	__le64 media_errors[2];
	__le64 num_err_entries[2];
	__le32 warning_temp_time;
	__le32 critical_temp_time;
	__le16 temp_sensor[8];
	__u8 rsvd216[296];
};

static_assert(sizeof(struct nvme_smart_log) == 512);

#define NVME_SMART_TEMPERATURE	(1u << 1)

struct nvme_fw_log {
	__u8 afi;
	__u8 rsvd1[7];
	__u8 frs[7][8];
	__u8 rsvd64[448];
};

static_assert(sizeof(struct nvme_fw_log) == 512);

struct nvme_effects_log {
	__le32 acs[256];
	__le32 iocs[256];
	__u8 rsvd[2048];
};

static_assert(sizeof(struct nvme_effects_log) == 4096);

#define NVME_EFFECT_CSUPP	(1u << 0)
#define NVME_EFFECT_LBCC	(1u << 1)

#define NVME_CHANGED_NS_MAX	1024

/* Asynchronous events, section 5.2: completion dword 0 */
enum {
	NVME_AER_ERROR			= 0,
	NVME_AER_SMART			= 1,
	NVME_AER_NOTICE			= 2,
	NVME_AER_TYPES			= 3,
};

#define NVME_AER_ERR_DB_REGISTER	0x00
#define NVME_AER_ERR_DB_VALUE		0x01
#define NVME_AER_SMART_TEMPERATURE	0x01
#define NVME_AER_NOTICE_NS_ATTR		0x00

#endif /* _IOEMU_NVME_SPEC_H */
