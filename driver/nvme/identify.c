// SPDX-License-Identifier: GPL-2.0
/*
 * Identify, section 5.15, and what the identifiers are made from.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "nvme.h"

/* ---- identifiers ------------------------------------------------------- */

/*
 * FNV-1a over a serial number, with a well-known finalizer so that all bits
 * depend on all characters.
 */
static u64 nvme_hash(const char *text, u64 seed)
{
	u64 hash = 0xcbf29ce484222325ull ^ seed;

	for (; *text; text++) {
		hash ^= (u8)*text;
		hash *= 0x100000001b3ull;
	}
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdull;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ull;
	hash ^= hash >> 33;
	return hash;
}

static void nvme_put_be64(u8 *to, u64 value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		to[i] = value >> (56 - i * 8);
}

/* A UUID of version 8 (RFC 9562): 122 bits of our own making */
static void nvme_make_uuid(u8 *uuid, const char *text, u64 seed)
{
	nvme_put_be64(uuid, nvme_hash(text, seed));
	nvme_put_be64(uuid + 8, nvme_hash(text, ~seed));
	uuid[6] = (uuid[6] & 0x0f) | 0x80;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

/* 00163e is Xen's organizationally unique identifier. */
static void nvme_put_oui(u8 *to)
{
	to[0] = 0x00;
	to[1] = 0x16;
	to[2] = 0x3e;
}

/**
 * ioemu_nvme_ns_identity() - make a namespace's identifiers
 * @ns: namespace
 * @serial: its disk's serial number
 * @salt: 0, or a number that tells it from others with the same serial number
 *
 * They depend on the arguments alone, so that they are the same after a restart
 * or on another host, and guests find their disks again. The scheme must never
 * change. UUID: version 8 of two hashes. EUI64: the OUI and 40 bits of a hash.
 * NGUID: 64 bits of a hash, the OUI, 40 bits more.
 *
 * Context: any.
 */
void ioemu_nvme_ns_identity(struct ioemu_nvme_ns *ns, const char *serial,
			    unsigned int salt)
{
	u64 seed = (u64)salt << 8;
	u8 hash[8];

	nvme_make_uuid(ns->uuid, serial, seed | 1);
	nvme_put_be64(hash, nvme_hash(serial, seed | 2));
	nvme_put_oui(ns->eui64);
	memcpy(ns->eui64 + 3, hash, 5);
	nvme_put_be64(ns->nguid, nvme_hash(serial, seed | 3));
	nvme_put_oui(ns->nguid + 8);
	memcpy(ns->nguid + 11, hash, 5);
}

/* ---- data structures --------------------------------------------------- */

/* ASCII fields are padded with spaces, section 1.5. */
static void nvme_pad(u8 *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(to, ' ', size);
	memcpy(to, text, len);
}

static void nvme_identify_ctrl(struct ioemu_nvme *ctrl)
{
	struct nvme_id_ctrl *id = ctrl->buffer;
	u8 uuid[16];

	id->vid = cpu_to_le16(NVME_PCI_VENDOR);
	id->ssvid = cpu_to_le16(NVME_PCI_VENDOR);
	nvme_pad(id->sn, sizeof(id->sn), ctrl->serial);
	nvme_pad(id->mn, sizeof(id->mn), NVME_MODEL);
	memcpy(id->fr, NVME_FIRMWARE, sizeof(id->fr));
	id->ieee[0] = 0x3e;
	id->ieee[1] = 0x16;
	id->ieee[2] = 0x00;
	id->mdts = NVME_MDTS;
	id->cntlid = cpu_to_le16(ctrl->slot);
	id->ver = cpu_to_le32(NVME_VS_1_4);
	id->oaes = cpu_to_le32(NVME_OAES_NS_ATTR);
	id->cntrltype = NVME_CNTRLTYPE_IO;
	id->oacs = cpu_to_le16(NVME_OACS_DBBUF);
	id->acl = 3;
	id->aerl = NVME_MAX_AERS - 1;
	id->frmw = NVME_FRMW_SLOT1_RO | NVME_FRMW_ONE_SLOT;
	id->lpa = NVME_LPA_EFFECTS | NVME_LPA_EXTENDED;
	id->elpe = NVME_ERROR_ENTRIES - 1;
	id->wctemp = cpu_to_le16(NVME_WARNING_TEMP);
	id->cctemp = cpu_to_le16(NVME_CRITICAL_TEMP);
	id->sqes = NVME_SQES << 4 | NVME_SQES;
	id->cqes = NVME_CQES << 4 | NVME_CQES;
	id->nn = cpu_to_le32(ctrl->nn);
	id->oncs = cpu_to_le16(NVME_ONCS_DSM | NVME_ONCS_WRITE_ZEROES |
			       NVME_ONCS_SELECT);
	/*
	 * Guests ask once and never flush without it, but a disk with a cache may
	 * come later. Without one, a flush costs nothing.
	 */
	id->vwc = NVME_VWC_FLUSH_ALL | NVME_VWC_PRESENT;
	id->sgls = cpu_to_le32(NVME_SGLS_DWORD | NVME_SGLS_EXCESS);

	nvme_make_uuid(uuid, ctrl->serial, ctrl->slot << 8 | 4);
	snprintf((char *)id->subnqn, sizeof(id->subnqn),
		 "nqn.2014-08.org.nvmexpress:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5],
		 uuid[6], uuid[7], uuid[8], uuid[9], uuid[10], uuid[11],
		 uuid[12], uuid[13], uuid[14], uuid[15]);
}

/* A number of blocks as a "0's based" field of 16 bits */
static __le16 nvme_blocks0(u64 blocks)
{
	return cpu_to_le16(blocks ? min_t(u64, blocks, 65536) - 1 : 0);
}

static void nvme_identify_ns(const struct ioemu_nvme_ns *ns,
			     struct nvme_id_ns *id)
{
	struct ioemu_disk_info info;
	u64 physical = 1;
	u64 nsze = READ_ONCE(ns->nsze);

	ioemu_disk_info(ns->disk, &info);
	if (info.physical_shift > ns->block_shift)
		physical = 1ull << (info.physical_shift - ns->block_shift);

	id->nsze = cpu_to_le64(nsze);
	id->ncap = cpu_to_le64(nsze);
	id->nuse = cpu_to_le64(nsze);
	id->dlfeat = NVME_DLFEAT_WZ_DEAC;
	id->nsattr = ns->read_only ? NVME_NSATTR_WP : 0;
	id->lbaf[0].ds = ns->block_shift;
	id->lbaf[0].rp = NVME_LBAF_RP_BEST;
	memcpy(id->nguid, ns->nguid, sizeof(id->nguid));
	memcpy(id->eui64, ns->eui64, sizeof(id->eui64));

	/* A physical block is written whole or not at all, if aligned. */
	id->nsfeat = NVME_NSFEAT_UIDREUSE;
	if (physical > 1) {
		id->nsfeat |= NVME_NSFEAT_ATOMICS;
		id->nawun = nvme_blocks0(physical);
		id->nawupf = nvme_blocks0(physical);
		id->nabsn = nvme_blocks0(physical);
		id->nabspf = nvme_blocks0(physical);
	}
	if (physical > 1 || info.discard_granularity > 1 ||
	    info.optimal_blocks > 1) {
		id->nsfeat |= NVME_NSFEAT_OPTPERF;
		id->npwg = nvme_blocks0(physical);
		id->npwa = nvme_blocks0(physical);
		id->npdg = nvme_blocks0(info.discard_granularity);
		id->npda = nvme_blocks0(info.discard_granularity);
		/*
		 * A preferred multiple of writes is no boundary that commands
		 * should not cross, so this is not NOIOB: hosts split commands
		 * at that one.
		 */
		id->nows = nvme_blocks0(max_t(u64, info.optimal_blocks,
					      physical));
	}
}

/* Identifiers of namespaces above @after, in order */
static void nvme_identify_list(struct ioemu_nvme *ctrl, u32 after)
{
	__le32 *list = ctrl->buffer;
	u32 nsid;

	for (nsid = 1; nsid <= ctrl->nn; nsid++)
		if (nsid > after && ctrl->ns[nsid - 1].disk)
			*list++ = cpu_to_le32(nsid);
}

static u8 *nvme_add_desc(u8 *to, u8 type, const u8 *id, u8 len)
{
	struct nvme_ns_desc *desc = (struct nvme_ns_desc *)to;

	desc->nidt = type;
	desc->nidl = len;
	memcpy(desc->nid, id, len);
	return to + sizeof(*desc) + len;
}

static void nvme_identify_desc(struct ioemu_nvme *ctrl,
			       const struct ioemu_nvme_ns *ns)
{
	u8 *to = ctrl->buffer;

	to = nvme_add_desc(to, NVME_NIDT_EUI64, ns->eui64, sizeof(ns->eui64));
	to = nvme_add_desc(to, NVME_NIDT_NGUID, ns->nguid, sizeof(ns->nguid));
	nvme_add_desc(to, NVME_NIDT_UUID, ns->uuid, sizeof(ns->uuid));
}

/* Limits over all disks, for the NVM command set */
static void nvme_identify_cs_ctrl(struct ioemu_nvme *ctrl)
{
	struct nvme_id_cs_ctrl *id = ctrl->buffer;

	id->wzsl = NVME_MDTS;
}

/**
 * ioemu_nvme_identify() - the Identify command
 * @req: request
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status.
 */
u16 ioemu_nvme_identify(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u32 cdw11 = le32_to_cpu(sqe->cdw11);
	struct ioemu_nvme_ns *ns = NULL;
	bool valid;

	valid = req->nsid && req->nsid <= ctrl->nn;
	if (valid && ctrl->ns[req->nsid - 1].disk)
		ns = &ctrl->ns[req->nsid - 1];
	memset(ctrl->buffer, 0, NVME_IDENTIFY_SIZE);

	switch (le32_to_cpu(sqe->cdw10) & 0xff) {
	case NVME_CNS_NS:
		if (!valid)
			return ioemu_nvme_dnr(NVME_SC_INVALID_NS);
		/* All zeroes for an inactive one */
		if (ns)
			nvme_identify_ns(ns, ctrl->buffer);
		break;
	case NVME_CNS_CTRL:
		nvme_identify_ctrl(ctrl);
		break;
	case NVME_CNS_NS_LIST:
		if (req->nsid > NVME_NSID_LIST_MAX)
			return ioemu_nvme_dnr(NVME_SC_INVALID_NS);
		nvme_identify_list(ctrl, req->nsid);
		break;
	case NVME_CNS_NS_DESC:
		if (!valid)
			return ioemu_nvme_dnr(NVME_SC_INVALID_NS);
		if (!ns)
			return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
		nvme_identify_desc(ctrl, ns);
		break;
	case NVME_CNS_CS_NS:
		/* Bits 31:24: command set; all zeroes for the NVM one */
		if (cdw11 >> 24)
			return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
		if (!valid)
			return ioemu_nvme_dnr(NVME_SC_INVALID_NS);
		break;
	case NVME_CNS_CS_CTRL:
		if (cdw11 >> 24)
			return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
		nvme_identify_cs_ctrl(ctrl);
		break;
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	}
	return ioemu_nvme_reply(req, ctrl->buffer, NVME_IDENTIFY_SIZE);
}
