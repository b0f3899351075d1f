// SPDX-License-Identifier: GPL-2.0
/*
 * Log pages, section 5.14, and the error log that feeds one of them.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "nvme.h"

/* ---- the error log ----------------------------------------------------- */

static void nvme_log_add(struct ioemu_nvme *ctrl,
			 struct nvme_error_entry *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&ctrl->log_lock, flags);
	entry->error_count = cpu_to_le64(++ctrl->error_count);
	ctrl->error_log[ctrl->error_count % NVME_ERROR_ENTRIES] = *entry;
	spin_unlock_irqrestore(&ctrl->log_lock, flags);
}

/**
 * ioemu_nvme_log_error() - remember a command that failed
 * @req: request with its status
 *
 * Context: any.
 */
void ioemu_nvme_log_error(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	struct nvme_error_entry entry = {
		.sqid = cpu_to_le16(req->sq->qid),
		.cid = cpu_to_le16(req->cid),
		.param_location = cpu_to_le16(0xffff), /* not known */
		.lba = cpu_to_le64(req->slba),
		.nsid = cpu_to_le32(req->nsid),
	};
	unsigned long flags;

	req->status |= NVME_SC_MORE;
	entry.status = cpu_to_le16(req->status << 1);
	nvme_log_add(ctrl, &entry);

	if ((req->status & 0x700) == 0x200) {
		spin_lock_irqsave(&ctrl->log_lock, flags);
		ctrl->media_errors++;
		spin_unlock_irqrestore(&ctrl->log_lock, flags);
	}
}

/**
 * ioemu_nvme_log_doorbell() - remember a doorbell write that was refused
 * @ctrl: controller
 * @qid: queue that it would have been for
 *
 * Context: any.
 */
void ioemu_nvme_log_doorbell(struct ioemu_nvme *ctrl, unsigned int qid)
{
	/* Of no command: figure 193 */
	struct nvme_error_entry entry = {
		.sqid = cpu_to_le16(qid),
		.cid = cpu_to_le16(0xffff),
		.param_location = cpu_to_le16(0xffff),
	};

	nvme_log_add(ctrl, &entry);
}

/* Newest first */
static void nvme_error_page(struct ioemu_nvme *ctrl)
{
	struct nvme_error_entry *to = ctrl->buffer;
	unsigned int i, nr;

	spin_lock_irq(&ctrl->log_lock);
	nr = min_t(u64, ctrl->error_count, NVME_ERROR_ENTRIES);
	for (i = 0; i < nr; i++)
		to[i] = ctrl->error_log[(ctrl->error_count - i) %
					NVME_ERROR_ENTRIES];
	spin_unlock_irq(&ctrl->log_lock);
}

/* ---- the other pages --------------------------------------------------- */

/**
 * ioemu_nvme_stats_add() - add one queue's counters up
 * @sum: to this
 * @s: counters that another context may be writing
 */
void ioemu_nvme_stats_add(struct ioemu_nvme_sq_stats *sum,
			  const struct ioemu_nvme_sq_stats *s)
{
	sum->commands += READ_ONCE(s->commands);
	sum->reads += READ_ONCE(s->reads);
	sum->writes += READ_ONCE(s->writes);
	sum->read_blocks += READ_ONCE(s->read_blocks);
	sum->write_blocks += READ_ONCE(s->write_blocks);
	sum->batches += READ_ONCE(s->batches);
	sum->starved += READ_ONCE(s->starved);
}

static void nvme_smart_page(struct ioemu_nvme *ctrl)
{
	struct ioemu_nvme_sq_stats sum = ctrl->past;
	struct nvme_smart_log *log = ctrl->buffer;
	struct ioemu_nvme_sq *sq;
	unsigned int qid;

	for (qid = 1; qid <= NVME_MAX_QID; qid++) {
		sq = ioemu_nvme_sq(ctrl, qid);
		if (sq)
			ioemu_nvme_stats_add(&sum, &sq->stats);
	}
	log->temperature[0] = NVME_TEMPERATURE & 0xff;
	log->temperature[1] = NVME_TEMPERATURE >> 8;
	if (ioemu_nvme_temperature_critical(ctrl))
		log->critical_warning |= NVME_SMART_TEMPERATURE;
	log->avail_spare = 100;
	log->spare_thresh = 10;
	/* Thousands of 512-byte units, rounded up */
	log->data_units_read[0] =
		cpu_to_le64(div_u64(sum.read_blocks + 999, 1000));
	log->data_units_written[0] =
		cpu_to_le64(div_u64(sum.write_blocks + 999, 1000));
	log->host_reads[0] = cpu_to_le64(sum.reads);
	log->host_writes[0] = cpu_to_le64(sum.writes);
	log->power_cycles[0] = cpu_to_le64(1);
	log->power_on_hours[0] =
		cpu_to_le64(div_u64(ktime_get_seconds() - ctrl->created, 3600));
	spin_lock_irq(&ctrl->log_lock);
	log->media_errors[0] = cpu_to_le64(ctrl->media_errors);
	log->num_err_entries[0] = cpu_to_le64(ctrl->error_count);
	spin_unlock_irq(&ctrl->log_lock);
}

static void nvme_firmware_page(struct ioemu_nvme *ctrl)
{
	struct nvme_fw_log *log = ctrl->buffer;

	log->afi = 1;
	memcpy(log->frs[0], NVME_FIRMWARE, sizeof(log->frs[0]));
}

static void nvme_changed_page(struct ioemu_nvme *ctrl)
{
	__le32 *list = ctrl->buffer;
	unsigned int i;

	for_each_set_bit(i, ctrl->changed_ns, IOEMU_MAX_DISKS)
		*list++ = cpu_to_le32(i + 1);
}

static void nvme_effects_page(struct ioemu_nvme *ctrl)
{
	static const u8 admin[] = {
		NVME_ADMIN_DELETE_SQ, NVME_ADMIN_CREATE_SQ,
		NVME_ADMIN_GET_LOG_PAGE, NVME_ADMIN_DELETE_CQ,
		NVME_ADMIN_CREATE_CQ, NVME_ADMIN_IDENTIFY, NVME_ADMIN_ABORT,
		NVME_ADMIN_SET_FEATURES, NVME_ADMIN_GET_FEATURES,
		NVME_ADMIN_ASYNC_EVENT, NVME_ADMIN_DBBUF,
	};
	static const u8 io[] = {
		NVME_CMD_WRITE, NVME_CMD_WRITE_ZEROES, NVME_CMD_DSM,
	};
	struct nvme_effects_log *log = ctrl->buffer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(admin); i++)
		log->acs[admin[i]] = cpu_to_le32(NVME_EFFECT_CSUPP);
	for (i = 0; i < ARRAY_SIZE(io); i++)
		log->iocs[io[i]] = cpu_to_le32(NVME_EFFECT_CSUPP |
					       NVME_EFFECT_LBCC);
	log->iocs[NVME_CMD_READ] = cpu_to_le32(NVME_EFFECT_CSUPP);
	log->iocs[NVME_CMD_FLUSH] = cpu_to_le32(NVME_EFFECT_CSUPP);
}

/* Fill ctrl->buffer; returns the size of the page, 0 if there is none. */
static size_t nvme_log_fill(struct ioemu_nvme *ctrl, u8 lid)
{
	memset(ctrl->buffer, 0, NVME_PAGE_SIZE);
	switch (lid) {
	case NVME_LOG_ERROR:
		nvme_error_page(ctrl);
		return sizeof(ctrl->error_log);
	case NVME_LOG_SMART:
		nvme_smart_page(ctrl);
		return sizeof(struct nvme_smart_log);
	case NVME_LOG_FIRMWARE:
		nvme_firmware_page(ctrl);
		return sizeof(struct nvme_fw_log);
	case NVME_LOG_CHANGED_NS:
		nvme_changed_page(ctrl);
		return NVME_CHANGED_NS_MAX * sizeof(__le32);
	case NVME_LOG_EFFECTS:
		nvme_effects_page(ctrl);
		return sizeof(struct nvme_effects_log);
	default:
		return 0;
	}
}

/* A log page was read and RAE was clear: its events may come again. */
static void nvme_log_was_read(struct ioemu_nvme *ctrl, u8 lid)
{
	switch (lid) {
	case NVME_LOG_ERROR:
		ioemu_nvme_event_clear(ctrl, NVME_AER_ERROR, false);
		break;
	case NVME_LOG_SMART:
		ioemu_nvme_event_clear(ctrl, NVME_AER_SMART, false);
		break;
	case NVME_LOG_CHANGED_NS:
		/* The list is empty now: there is nothing to tell. */
		bitmap_zero(ctrl->changed_ns, IOEMU_MAX_DISKS);
		ioemu_nvme_event_clear(ctrl, NVME_AER_NOTICE, true);
		break;
	}
}

/**
 * ioemu_nvme_get_log_page() - the Get Log Page command
 * @req: request
 *
 * Reading past the end of a page gives zeroes.
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status.
 */
u16 ioemu_nvme_get_log_page(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u32 cdw10 = le32_to_cpu(sqe->cdw10), cdw11 = le32_to_cpu(sqe->cdw11);
	u64 offset = (u64)le32_to_cpu(sqe->cdw13) << 32 |
		     le32_to_cpu(sqe->cdw12);
	u64 bytes = ((u64)(cdw11 & 0xffff) << 16 | cdw10 >> 16) * 4 + 4;
	u8 lid = cdw10 & 0xff;
	size_t size, len;
	u16 status;

	/* No page is one of a namespace, see Identify's LPA. */
	if (lid == NVME_LOG_SMART && req->nsid && req->nsid != NVME_NSID_ALL)
		return ioemu_nvme_dnr(req->nsid > ctrl->nn ?
				      NVME_SC_INVALID_NS :
				      NVME_SC_INVALID_FIELD);
	size = nvme_log_fill(ctrl, lid);
	if (!size)
		return ioemu_nvme_dnr(NVME_SC_LOG_PAGE);
	if ((offset & 3) || offset > size || bytes > NVME_MAX_BYTES)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);

	status = ioemu_nvme_map_data(req, bytes);
	if (status)
		return status;
	len = min_t(u64, bytes, size - offset);
	ioemu_nvme_copy_out(req, ctrl->buffer + offset, len);
	if (!(cdw10 & NVME_LOG_RAE))
		nvme_log_was_read(ctrl, lid);
	return NVME_SC_SUCCESS;
}
