// SPDX-License-Identifier: GPL-2.0
/*
 * Get Features and Set Features, sections 5.13 and 5.21. Nothing is saved over a
 * reset.
 */
#include "nvme.h"

/* Temperature thresholds: command dword 11 */
#define NVME_TEMP_MASK		0x0000ffffu
#define NVME_TEMP_SENSOR(v)	((v) >> 16 & 0xf)
#define NVME_TEMP_SENSOR_ALL	0xf
#define NVME_TEMP_TYPE(v)	((v) >> 20 & 0x3)

/**
 * ioemu_nvme_features_reset() - all features to their defaults
 * @ctrl: controller
 *
 * Context: process context, ctrl->lock held or @ctrl not visible yet.
 */
void ioemu_nvme_features_reset(struct ioemu_nvme *ctrl)
{
	unsigned int i;

	memset(&ctrl->features, 0, sizeof(ctrl->features));
	ctrl->features.temp_over = NVME_WARNING_TEMP;
	WRITE_ONCE(ctrl->force_fua, false);
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		ctrl->ns[i].error_recovery = 0;
}

/**
 * ioemu_nvme_temperature_critical() - is a temperature threshold passed?
 * @ctrl: controller
 *
 * Context: ctrl->lock held.
 */
bool ioemu_nvme_temperature_critical(const struct ioemu_nvme *ctrl)
{
	return NVME_TEMPERATURE >= ctrl->features.temp_over ||
	       NVME_TEMPERATURE <= ctrl->features.temp_under;
}

static bool nvme_has_io_queues(struct ioemu_nvme *ctrl)
{
	unsigned int qid;

	for (qid = 1; qid <= NVME_MAX_QID; qid++)
		if (ioemu_nvme_sq(ctrl, qid) || ioemu_nvme_cq(ctrl, qid))
			return true;
	return false;
}

/* What a feature can do, 0 if there is no such feature. */
static u32 nvme_feature_caps(u8 fid)
{
	switch (fid) {
	case NVME_FEAT_ERROR_RECOVERY:
		return NVME_FEATCAP_CHANGEABLE | NVME_FEATCAP_NS;
	case NVME_FEAT_ARBITRATION:
	case NVME_FEAT_POWER:
	case NVME_FEAT_TEMPERATURE:
	case NVME_FEAT_WRITE_CACHE:
	case NVME_FEAT_QUEUES:
	case NVME_FEAT_IRQ_COALESCING:
	case NVME_FEAT_IRQ_CONFIG:
	case NVME_FEAT_WRITE_ATOMIC:
	case NVME_FEAT_ASYNC_EVENT:
		return NVME_FEATCAP_CHANGEABLE;
	default:
		return 0;
	}
}

/* The namespace of feature 05h; NULL with *status 0 means all of them. */
static struct ioemu_nvme_ns *nvme_feature_ns(struct ioemu_nvme_req *req,
					     bool set, u16 *status)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;

	*status = NVME_SC_SUCCESS;
	if (req->nsid == NVME_NSID_ALL && set)
		return NULL;
	if (!req->nsid || req->nsid > ctrl->nn)
		*status = ioemu_nvme_dnr(NVME_SC_INVALID_NS);
	else if (!ctrl->ns[req->nsid - 1].disk)
		*status = ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	else
		return &ctrl->ns[req->nsid - 1];
	return NULL;
}

static u16 nvme_set_error_recovery(struct ioemu_nvme_req *req, u32 value)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	struct ioemu_nvme_ns *ns;
	unsigned int i;
	u16 status;

	/* No namespace reports deallocated blocks, see Identify's NSFEAT. */
	if (value & NVME_ERR_DULBE)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	ns = nvme_feature_ns(req, true, &status);
	if (status)
		return status;
	for (i = 0; i < ctrl->nn; i++)
		if (!ns || ns == &ctrl->ns[i])
			ctrl->ns[i].error_recovery = value & 0xffff;
	return NVME_SC_SUCCESS;
}

static u16 nvme_set_temperature(struct ioemu_nvme *ctrl, u32 value)
{
	struct ioemu_nvme_features *f = &ctrl->features;
	unsigned int sensor = NVME_TEMP_SENSOR(value);

	/* There is the composite temperature and no sensor else. */
	if (sensor && sensor != NVME_TEMP_SENSOR_ALL)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	switch (NVME_TEMP_TYPE(value)) {
	case 0:
		f->temp_over = value & NVME_TEMP_MASK;
		break;
	case 1:
		f->temp_under = value & NVME_TEMP_MASK;
		break;
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	}
	if ((f->async_event & NVME_AEC_TEMPERATURE) &&
	    ioemu_nvme_temperature_critical(ctrl))
		ioemu_nvme_event_raise(ctrl, NVME_AER_SMART,
				       NVME_AER_SMART_TEMPERATURE,
				       NVME_LOG_SMART);
	return NVME_SC_SUCCESS;
}

static u16 nvme_set_queues(struct ioemu_nvme_req *req, u32 value)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;

	if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (nvme_has_io_queues(ctrl))
		return ioemu_nvme_dnr(NVME_SC_SEQUENCE);
	req->result = (NVME_MAX_QID - 1) << 16 | (NVME_MAX_QID - 1);
	return NVME_SC_SUCCESS;
}

static u16 nvme_set_irq_config(struct ioemu_nvme *ctrl, u32 value)
{
	unsigned int vector = value & 0xffff;

	if (vector >= NVME_NR_VECTORS)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (value & NVME_IRQ_CONFIG_CD)
		__set_bit(vector, ctrl->features.irq_no_coalescing);
	else
		__clear_bit(vector, ctrl->features.irq_no_coalescing);
	return NVME_SC_SUCCESS;
}

/*
 * Without a cache, nothing that was complete before is in one either. A write that the
 * disk has meanwhile completes by the old rule.
 */
static u16 nvme_set_write_cache(struct ioemu_nvme *ctrl, bool on)
{
	bool was = ctrl->force_fua;
	u16 status;

	WRITE_ONCE(ctrl->force_fua, !on);
	if (on)
		return NVME_SC_SUCCESS;
	/* What a thread writes by the old rule it has submitted now. */
	ioemu_nvme_queues_settle(ctrl);
	status = ioemu_nvme_blk_status(ioemu_nvme_flush_disks(ctrl), true);
	if (status)
		WRITE_ONCE(ctrl->force_fua, was);
	return status;
}

/**
 * ioemu_nvme_set_features() - the Set Features command
 * @req: request
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status.
 */
u16 ioemu_nvme_set_features(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	struct ioemu_nvme_features *f = &ctrl->features;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u32 cdw10 = le32_to_cpu(sqe->cdw10), value = le32_to_cpu(sqe->cdw11);
	u8 fid = cdw10 & 0xff;
	u32 caps = nvme_feature_caps(fid);

	if (!caps)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (cdw10 & NVME_FEAT_SAVE)
		return ioemu_nvme_dnr(NVME_SC_FID_NOT_SAVEABLE);
	/* A feature of the controller, asked for one namespace */
	if (!(caps & NVME_FEATCAP_NS) && req->nsid &&
	    req->nsid != NVME_NSID_ALL)
		return ioemu_nvme_dnr(NVME_SC_FID_NOT_NS);

	switch (fid) {
	case NVME_FEAT_ARBITRATION:
		f->arbitration = value;
		break;
	case NVME_FEAT_POWER:
		/* There is power state 0 only. */
		if (value & 0x1f)
			return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
		f->power = value & 0xff;
		break;
	case NVME_FEAT_TEMPERATURE:
		return nvme_set_temperature(ctrl, value);
	case NVME_FEAT_ERROR_RECOVERY:
		return nvme_set_error_recovery(req, value);
	case NVME_FEAT_WRITE_CACHE:
		return nvme_set_write_cache(ctrl, value & 1);
	case NVME_FEAT_QUEUES:
		return nvme_set_queues(req, value);
	case NVME_FEAT_IRQ_COALESCING:
		WRITE_ONCE(f->irq_coalescing, value & 0xffff);
		break;
	case NVME_FEAT_IRQ_CONFIG:
		return nvme_set_irq_config(ctrl, value);
	case NVME_FEAT_WRITE_ATOMIC:
		f->write_atomicity = value & 1;
		break;
	case NVME_FEAT_ASYNC_EVENT:
		f->async_event = value & NVME_AEC_SUPPORTED;
		break;
	}
	return NVME_SC_SUCCESS;
}

static u16 nvme_get_temperature(struct ioemu_nvme_req *req, u32 which,
				bool current_value)
{
	const struct ioemu_nvme_features *f = &req->sq->ctrl->features;

	if (NVME_TEMP_SENSOR(which))
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	switch (NVME_TEMP_TYPE(which)) {
	case 0:
		req->result = current_value ? f->temp_over : NVME_WARNING_TEMP;
		return NVME_SC_SUCCESS;
	case 1:
		req->result = current_value ? f->temp_under : 0;
		return NVME_SC_SUCCESS;
	default:
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	}
}

static u16 nvme_get_irq_config(struct ioemu_nvme_req *req, u32 which,
			       bool current_value)
{
	unsigned int vector = which & 0xffff;

	if (vector >= NVME_NR_VECTORS)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	req->result = vector;
	if (current_value &&
	    test_bit(vector, req->sq->ctrl->features.irq_no_coalescing))
		req->result |= NVME_IRQ_CONFIG_CD;
	return NVME_SC_SUCCESS;
}

/**
 * ioemu_nvme_get_features() - the Get Features command
 * @req: request
 *
 * The saved value of what cannot be saved is the default.
 *
 * Context: the controller's thread, ctrl->lock held.
 * Return: status.
 */
u16 ioemu_nvme_get_features(struct ioemu_nvme_req *req)
{
	struct ioemu_nvme *ctrl = req->sq->ctrl;
	const struct ioemu_nvme_features *f = &ctrl->features;
	const struct nvme_sqe *sqe = &req->sq->scratch->sqe;
	u32 cdw10 = le32_to_cpu(sqe->cdw10), cdw11 = le32_to_cpu(sqe->cdw11);
	unsigned int sel = cdw10 >> 8 & 7;
	u8 fid = cdw10 & 0xff;
	u32 caps = nvme_feature_caps(fid);
	bool cur = sel == NVME_SEL_CURRENT;
	const struct ioemu_nvme_ns *ns;
	u16 status;

	if (!caps || sel > NVME_SEL_SUPPORTED)
		return ioemu_nvme_dnr(NVME_SC_INVALID_FIELD);
	if (sel == NVME_SEL_SUPPORTED) {
		req->result = caps;
		return NVME_SC_SUCCESS;
	}

	switch (fid) {
	case NVME_FEAT_ARBITRATION:
		req->result = cur ? f->arbitration : 0;
		break;
	case NVME_FEAT_POWER:
		req->result = cur ? f->power : 0;
		break;
	case NVME_FEAT_TEMPERATURE:
		return nvme_get_temperature(req, cdw11, cur);
	case NVME_FEAT_ERROR_RECOVERY:
		ns = nvme_feature_ns(req, false, &status);
		if (status)
			return status;
		req->result = cur ? ns->error_recovery : 0;
		break;
	case NVME_FEAT_WRITE_CACHE:
		req->result = !(cur && ctrl->force_fua);
		break;
	case NVME_FEAT_QUEUES:
		req->result = (NVME_MAX_QID - 1) << 16 | (NVME_MAX_QID - 1);
		break;
	case NVME_FEAT_IRQ_COALESCING:
		req->result = cur ? f->irq_coalescing : 0;
		break;
	case NVME_FEAT_IRQ_CONFIG:
		return nvme_get_irq_config(req, cdw11, cur);
	case NVME_FEAT_WRITE_ATOMIC:
		req->result = cur ? f->write_atomicity : 0;
		break;
	case NVME_FEAT_ASYNC_EVENT:
		req->result = cur ? f->async_event : 0;
		break;
	}
	return NVME_SC_SUCCESS;
}
