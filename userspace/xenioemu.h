/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libxenioemu: emulated storage controllers for Xen HVM domains, for toolstacks.
 *
 * A handle is for one thread at a time. All functions that return an int return
 * an enum xenioemu_status; xenioemu_error() then has a sentence about it. The
 * library neither prints nor touches signals. Disks and controllers are
 * described as on the command line of xen-ioemu(8), so that new keys need no new
 * interface.
 */
#ifndef XENIOEMU_H
#define XENIOEMU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum xenioemu_status {
	XENIOEMU_OK		= 0,
	XENIOEMU_FAILED		= 1,	/* the driver or xenstore refused */
	XENIOEMU_INVALID	= 2,	/* an argument makes no sense */
	XENIOEMU_NOT_FOUND	= 3,	/* no such domain, device or disk */
	XENIOEMU_TIMEOUT	= 4,	/* the driver did not answer in time */
};

/* Leave a limit as it is. */
#define XENIOEMU_KEEP	UINT64_MAX

struct xenioemu;

/**
 * xenioemu_open() - connect to xenstore
 *
 * Return: a handle for xenioemu_close(); NULL, with errno, on failure.
 */
struct xenioemu *xenioemu_open(void);

/**
 * xenioemu_close() - disconnect
 * @handle: handle or NULL
 */
void xenioemu_close(struct xenioemu *handle);

/**
 * xenioemu_error() - what went wrong last
 * @handle: handle
 *
 * Return: a sentence, valid until the next call; "" when nothing did.
 */
const char *xenioemu_error(const struct xenioemu *handle);

/**
 * xenioemu_find_domain() - number of a domain
 * @handle: handle
 * @domain: its name or number
 * @domid: filled
 */
int xenioemu_find_domain(struct xenioemu *handle, const char *domain,
			 unsigned int *domid);

/**
 * xenioemu_attach() - give a controller to a domain and wait for the driver
 * @handle: handle
 * @domid: the domain, which should not have run yet
 * @controller: "model=nvme,slot=5,serial=TEXT,devid=0"; all keys are optional,
 *              NULL is for none
 * @disks: "params=PATH,mode=w,..." each, and NULL after the last
 * @timeout: seconds
 * @devid: filled with the number of the controller
 */
int xenioemu_attach(struct xenioemu *handle, unsigned int domid,
		    const char *controller, const char *const disks[],
		    unsigned int timeout, unsigned int *devid);

/**
 * xenioemu_detach() - take a controller away from a domain
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @force: do not wait for the driver
 * @timeout: seconds
 */
int xenioemu_detach(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, int force, unsigned int timeout);

/**
 * xenioemu_attach_disk() - add a disk to a controller that runs
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @disk: "params=PATH,mode=w,..."
 * @timeout: seconds
 * @index: filled with the number of the disk
 */
int xenioemu_attach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, const char *disk,
			 unsigned int timeout, unsigned int *index);

/**
 * xenioemu_detach_disk() - remove a disk from a controller that runs
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @timeout: seconds
 */
int xenioemu_detach_disk(struct xenioemu *handle, unsigned int domid,
			 unsigned int devid, unsigned int index,
			 unsigned int timeout);

/**
 * xenioemu_limit() - limit the rate of a disk
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @iops: I/Os per second, 0 for no limit, or XENIOEMU_KEEP
 * @bw: bytes per second, 0 for no limit, or XENIOEMU_KEEP
 */
int xenioemu_limit(struct xenioemu *handle, unsigned int domid,
		   unsigned int devid, unsigned int index, uint64_t iops,
		   uint64_t bw);

/**
 * xenioemu_counter() - one of the driver's counters of a disk
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @name: "reads" and so on, see xen-ioemu(8)
 * @value: filled
 */
int xenioemu_counter(struct xenioemu *handle, unsigned int domid,
		     unsigned int devid, unsigned int index, const char *name,
		     uint64_t *value);

#ifdef __cplusplus
}
#endif

#endif /* XENIOEMU_H */
