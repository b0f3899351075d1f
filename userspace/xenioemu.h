/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libxenioemu: emulated storage controllers for Xen HVM domains, for toolstacks.
 *
 * A handle is for one thread at a time. All functions that return an int return
 * an enum xenioemu_status; xenioemu_error() then has a sentence about it. The
 * library neither prints, nor touches signals, nor ends the process: when memory is
 * short, a call fails, and what it had begun is undone. Disks and controllers are
 * described as on the command line of xen-ioemu(8), and by the names that its JSON
 * has, so that new keys need no new interface.
 *
 * What a function fills is undefined when it fails, except for pointers that
 * xenioemu_free() is to get, which are then NULL.
 */
#ifndef XENIOEMU_H
#define XENIOEMU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum xenioemu_status {
	XENIOEMU_OK		= 0,
	XENIOEMU_FAILED		= 1,	/* the driver or xenstore refused, no memory */
	XENIOEMU_INVALID	= 2,	/* an argument makes no sense */
	XENIOEMU_NOT_FOUND	= 3,	/* no such domain, device or disk */
	XENIOEMU_TIMEOUT	= 4,	/* the driver did not answer in time */
};

/* Leave a limit as it is. */
#define XENIOEMU_KEEP	UINT64_MAX

/* Counts of a histogram. */
#define XENIOEMU_BUCKETS	36

/* The controllers of all domains. */
#define XENIOEMU_ALL	UINT32_MAX

struct xenioemu;

/**
 * struct xenioemu_controller - a controller's name
 * @domid: the domain that has it
 * @devid: its number there
 */
struct xenioemu_controller {
	unsigned int domid;
	unsigned int devid;
};

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
 *
 * What is left of one, without a driver to ask, is removed likewise.
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
 * xenioemu_attach_disk_at() - add a disk with a certain number
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: number of the disk, which no disk of the controller has
 * @disk: "params=PATH,mode=w,..."
 * @timeout: seconds
 */
int xenioemu_attach_disk_at(struct xenioemu *handle, unsigned int domid,
			    unsigned int devid, unsigned int index,
			    const char *disk, unsigned int timeout);

/**
 * xenioemu_detach_disk() - remove a disk from a controller that runs
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @timeout: seconds
 *
 * After XENIOEMU_TIMEOUT, the same call waits on.
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
 * xenioemu_limits() - the limits of a disk
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @iops: filled with I/Os per second, 0 for no limit
 * @bw: filled with bytes per second, 0 for no limit
 */
int xenioemu_limits(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, unsigned int index, uint64_t *iops,
		    uint64_t *bw);

/**
 * xenioemu_resize() - let a disk that is a file have another size
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @size: bytes, or XENIOEMU_KEEP to take over the size that the file has got
 * @shrink: it may become smaller
 * @bytes: filled with the size that the disk has now
 *
 * Other devices are resized with their own tools; the guest is told without this.
 */
int xenioemu_resize(struct xenioemu *handle, unsigned int domid,
		    unsigned int devid, unsigned int index, uint64_t size,
		    int shrink, uint64_t *bytes);

/**
 * xenioemu_list() - which controllers are there?
 * @handle: handle
 * @domid: those of this domain, or XENIOEMU_ALL
 * @controllers: filled with an array for xenioemu_free(), sorted
 * @n: filled with their number
 *
 * Return: XENIOEMU_OK also when there are none.
 */
int xenioemu_list(struct xenioemu *handle, unsigned int domid,
		  struct xenioemu_controller **controllers, unsigned int *n);

/**
 * xenioemu_list_disks() - which disks has a controller?
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @indices: filled with an array for xenioemu_free(), sorted
 * @n: filled with their number
 */
int xenioemu_list_disks(struct xenioemu *handle, unsigned int domid,
			unsigned int devid, unsigned int **indices,
			unsigned int *n);

/**
 * xenioemu_controller_value() - what is known of a controller
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @key: "name", "model", "slot", "serial", "state" or "error"
 * @value: filled with a string for xenioemu_free(); NULL when nothing is known
 */
int xenioemu_controller_value(struct xenioemu *handle, unsigned int domid,
			      unsigned int devid, const char *key,
			      char **value);

/**
 * xenioemu_disk_value() - what is known of a disk
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @key: "params", "file", "mode", "serial", "iops-limit", "bw-limit", "status",
 *       "error" or "bytes"
 * @value: filled with a string for xenioemu_free(); NULL when nothing is known
 */
int xenioemu_disk_value(struct xenioemu *handle, unsigned int domid,
			unsigned int devid, unsigned int index,
			const char *key, char **value);

/**
 * xenioemu_free() - free what a call has filled
 * @p: array, string or NULL
 */
void xenioemu_free(void *p);

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

/**
 * xenioemu_controller_counter() - one of the driver's counters of a controller
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @name: "commands" and so on, see xen-ioemu(8)
 * @value: filled
 */
int xenioemu_controller_counter(struct xenioemu *handle, unsigned int domid,
				unsigned int devid, const char *name,
				uint64_t *value);

/**
 * xenioemu_histogram() - how long a stage of a disk's requests took
 * @handle: handle
 * @domid: the domain
 * @devid: the controller
 * @index: the disk
 * @stage: "fetch" and so on, see xen-ioemu(8)
 * @counts: filled; element i counts times from 2^i to 2^(i+1) ns, the last one all
 *          that are longer
 * @sum: filled with the nanoseconds of all together; UINT64_MAX when the driver does
 *       not add them up
 */
int xenioemu_histogram(struct xenioemu *handle, unsigned int domid,
		       unsigned int devid, unsigned int index,
		       const char *stage, uint64_t counts[XENIOEMU_BUCKETS],
		       uint64_t *sum);

#ifdef __cplusplus
}
#endif

#endif /* XENIOEMU_H */
