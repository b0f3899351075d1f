// SPDX-License-Identifier: GPL-2.0
/*
 * The binding in xenstore: back-end nodes of type "ioemu", one for each
 * controller.
 *
 * There is no front-end driver in the guest. The toolstack owns the front-end
 * directory and plays its part: the nodes appear with state Initialising, a
 * front-end state of Closing asks for the device to be taken away, and the
 * directory goes when the domain goes.
 *
 * All work is done in the device's own work item, so that a slow disk holds up
 * neither xenstore's watches nor other devices. The work item looks at what
 * xenstore and Xen say now and brings the device there; whoever sees a change
 * queues it. A second work item follows what the toolstack changes while the
 * device is connected: limits, disks that come and go, log-dirty mode.
 */

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

#include <ioemu/model.h>

#include "config.h"
#include "debugfs.h"
#include "disk.h"
#include "node.h"
#include "stats.h"
#include "vm.h"
#include "xenbus.h"
#include "xenstore.h"

/* How soon a changed capacity is noticed. Deferrable: wakes no idle CPU. */
#define BACKEND_POLL		(2 * HZ)

/* How long the removal of a node waits for its disks' last requests. */
#define BACKEND_PATIENCE	(10 * HZ)

/**
 * struct backend - a controller as xenstore describes it
 * @ref: one until the device is removed, one until it has ended
 * @node: back-end directory; holds a reference to the xenbus device
 * @otherend: the front-end's directory
 * @work: brings the device to where it should be
 * @poll: looks for changed capacities, now and then
 * @watch: sees what the toolstack changes in the back-end directory
 * @update: follows it
 * @release: sees that a domain ends, of which @work finds out whether it is this one
 * @end: takes all down after the device was removed
 * @ended: that is done
 * @lock: guards all below
 * @log_dirty: what log-dirty said last
 * @unsaid: log-dirty-state is yet to follow it
 * @missed: @update could not do its work, which @poll has it try again
 * @failed: connecting failed; only a front-end Closing lets it be tried again
 * @vm: domain, if connected
 * @model: kind of controller
 * @ctrl: the controller, if connected
 * @stats: its counters
 * @slot: PCI device number
 * @disks: by index
 * @debugfs: the controller's file
 */
struct backend {
	struct kref ref;
	struct ioemu_node node;
	char *otherend;
	struct delayed_work work;
	struct delayed_work poll;
	struct xenbus_watch watch;
	struct work_struct update;
	struct xenbus_watch release;
	struct work_struct end;
	struct completion ended;
	struct mutex lock;
	bool log_dirty;
	bool unsaid;
	bool missed;
	bool failed;
	struct ioemu_vm *vm;
	const struct ioemu_model *model;
	struct ioemu_controller *ctrl;
	struct ioemu_ctrl_stats *stats;
	unsigned int slot;
	struct ioemu_disk *disks[IOEMU_MAX_DISKS];
	struct dentry *debugfs;
};

static struct workqueue_struct *backend_wq;

static int backend_open_disk(struct backend *be, unsigned int index,
			     const struct ioemu_disk_config *cfg)
{
	struct ioemu_stats *stats;
	struct ioemu_disk *disk;
	const char *why;

	stats = ioemu_stats_create(&be->node.xdev->dev.kobj, index);
	if (IS_ERR(stats))
		return ioemu_node_fail(&be->node, PTR_ERR(stats),
				       "disk/%u: no statistics, out of memory",
				       index);
	disk = ioemu_disk_open(cfg->path, cfg->read_only, cfg->serial, stats);
	if (!IS_ERR(disk)) {
		ioemu_disk_set_limit(disk, cfg->iops, cfg->bytes);
		be->disks[index] = disk;
		return 0;
	}
	ioemu_stats_destroy(stats);

	switch (PTR_ERR(disk)) {
	case -ENOENT:
		why = "does not exist";
		break;
	case -ENOTBLK:
		why = "is not a block device";
		break;
	case -EBUSY:
		why = "is in use; a device must not be used by anybody else";
		break;
	case -EACCES:
	case -EROFS:
		why = cfg->read_only ? "cannot be opened" :
		      "is read-only, accepted: mode r";
		break;
	case -EINVAL:
		why = "has logical blocks over 4096 bytes";
		break;
	case -EMEDIUMTYPE:
		why = "is zoned; accepted: a device that can be written in any order";
		break;
	default:
		why = "cannot be opened";
	}
	return ioemu_node_fail(&be->node, PTR_ERR(disk),
			       "disk/%u/params: \"%s\" %s", index, cfg->path,
			       why);
}

static void backend_close_disks(struct backend *be)
{
	unsigned int i;

	for (i = 0; i < IOEMU_MAX_DISKS; i++) {
		if (be->disks[i])
			ioemu_disk_close(be->disks[i]);
		be->disks[i] = NULL;
	}
}

static int backend_get_vm(struct backend *be)
{
	int domid = be->node.xdev->otherend_id;
	struct ioemu_vm *vm;
	const char *why;

	/* xenstore's numbers are longer than Xen's. */
	if (domid < 0 || domid >= DOMID_FIRST_RESERVED)
		return ioemu_node_fail(&be->node, -EINVAL,
				       "frontend-id: %d, accepted: 0 to %u",
				       domid, DOMID_FIRST_RESERVED - 1);
	vm = ioemu_vm_get(domid);
	if (!IS_ERR(vm)) {
		be->vm = vm;
		return 0;
	}

	switch (PTR_ERR(vm)) {
	case -ESRCH:
		why = "does not exist";
		break;
	case -EINVAL:
	case -EOPNOTSUPP:
		why = "is not an HVM domain";
		break;
	case -EPERM:
		why = "does not let this domain be its device model";
		break;
	case -ENOSPC:
		why = "has too many device models";
		break;
	default:
		why = "cannot be served";
	}
	return ioemu_node_fail(&be->node, PTR_ERR(vm),
			       "frontend-id: domain %d %s", domid, why);
}

static int backend_create(struct backend *be, const struct ioemu_config *cfg)
{
	struct ioemu_model_config mcfg = {
		.vm = be->vm,
		.slot = cfg->slot,
	};

	be->stats = ioemu_ctrl_stats_create(&be->node.xdev->dev.kobj);
	if (IS_ERR(be->stats))
		return PTR_ERR(be->stats);
	mcfg.exits = be->stats->exits;
	strscpy(mcfg.serial, cfg->serial, sizeof(mcfg.serial));
	memcpy(mcfg.disks, be->disks, sizeof(mcfg.disks));
	be->ctrl = cfg->model->create(&mcfg);
	if (IS_ERR(be->ctrl))
		ioemu_ctrl_stats_destroy(be->stats);
	return PTR_ERR_OR_ZERO(be->ctrl);
}

static void backend_destroy(struct backend *be)
{
	be->model->destroy(be->ctrl);
	be->ctrl = NULL;
	ioemu_ctrl_stats_destroy(be->stats);
}

static int backend_connect(struct backend *be)
{
	struct xenbus_device *xdev = be->node.xdev;
	struct ioemu_config *cfg;
	char name[32];
	unsigned int i;
	int err;

	lockdep_assert_held(&be->lock);

	cfg = ioemu_config_read(&be->node);
	if (IS_ERR(cfg))
		return PTR_ERR(cfg);
	ioemu_xs_switch_state(xdev, XenbusStateInitWait);

	err = backend_get_vm(be);
	if (err)
		goto out_config;
	err = ioemu_vm_claim_slot(be->vm, cfg->slot);
	if (err) {
		ioemu_node_fail(&be->node, err,
				"slot: %u is taken by another controller of domain %d",
				cfg->slot, xdev->otherend_id);
		goto err_vm;
	}
	be->slot = cfg->slot;

	for (i = 0; i < IOEMU_MAX_DISKS && !err; i++)
		if (cfg->disks[i].path)
			err = backend_open_disk(be, i, &cfg->disks[i]);
	if (err)
		goto err_disks;

	be->model = cfg->model;
	err = backend_create(be, cfg);
	if (err) {
		ioemu_node_fail(&be->node, err, "cannot create the controller");
		goto err_disks;
	}
	err = ioemu_vm_start(be->vm, be->ctrl);
	if (err) {
		ioemu_node_fail(&be->node, err,
				"slot: the controller cannot be added at %u",
				be->slot);
		goto err_ctrl;
	}

	snprintf(name, sizeof(name), "%s-%s", be->model->name,
		 kbasename(xdev->nodename));
	be->debugfs = ioemu_debugfs_add_controller(ioemu_vm_dir(be->vm), name,
						   be->ctrl);
	queue_delayed_work(backend_wq, &be->poll, BACKEND_POLL);
	/* An earlier controller of this node may have said something else. */
	be->unsaid = true;
	queue_work(backend_wq, &be->update);
	ioemu_node_write(&be->node, "", "hotplug-status", "connected");
	ioemu_xs_switch_state(xdev, XenbusStateConnected);
	goto out_config;

err_ctrl:
	backend_destroy(be);
err_disks:
	be->ctrl = NULL;
	backend_close_disks(be);
	ioemu_vm_release_slot(be->vm, be->slot);
err_vm:
	ioemu_vm_put(be->vm);
	be->vm = NULL;
out_config:
	ioemu_config_free(cfg);
	return err;
}

static void backend_disconnect(struct backend *be)
{
	lockdep_assert_held(&be->lock);

	if (!be->ctrl)
		return;
	debugfs_remove(be->debugfs);
	ioemu_vm_stop(be->vm, be->ctrl);
	/* What ended last was reported, too. */
	if (be->log_dirty)
		ioemu_vm_log_dirty(be->vm, false);
	be->log_dirty = false;
	backend_destroy(be);
	backend_close_disks(be);
	ioemu_vm_release_slot(be->vm, be->slot);
	ioemu_vm_put(be->vm);
	be->vm = NULL;
}

static void backend_work(struct work_struct *work)
{
	struct backend *be = container_of(to_delayed_work(work), struct backend,
					  work);
	struct xenbus_device *xdev = be->node.xdev;
	enum xenbus_state state;

	mutex_lock(&be->lock);
	if (be->ctrl && !ioemu_vm_alive(be->vm)) {
		backend_disconnect(be);
		be->failed = true;
		ioemu_xs_switch_state(xdev, XenbusStateClosed);
	}
	if (ioemu_xs_state(be->otherend, &state)) {
		/* Not a reason to take anything away, but nobody says it twice. */
		dev_err(&xdev->dev, "the front-end's state cannot be read\n");
		queue_delayed_work(backend_wq, &be->work, BACKEND_POLL);
		goto out_unlock;
	}
	switch (state) {
	case XenbusStateClosing:
	case XenbusStateClosed:
		if (be->ctrl)
			ioemu_xs_switch_state(xdev, XenbusStateClosing);
		backend_disconnect(be);
		be->failed = false;
		ioemu_xs_switch_state(xdev, XenbusStateClosed);
		break;
	case XenbusStateUnknown:
		/*
		 * The front-end directory is gone, and with it the domain.
		 * Nobody else may be left to clean up; removing the node
		 * removes the device.
		 */
		backend_disconnect(be);
		ioemu_xs_switch_state(xdev, XenbusStateClosed);
		ioemu_xs_remove(xdev, be->otherend);
		break;
	default:
		if (!be->ctrl && !be->failed && backend_connect(be)) {
			be->failed = true;
			ioemu_xs_switch_state(xdev, XenbusStateClosed);
		}
	}
out_unlock:
	mutex_unlock(&be->lock);
}

static void backend_look(struct backend *be)
{
	mod_delayed_work(backend_wq, &be->work, 0);
}

static void backend_poll(struct work_struct *work)
{
	struct backend *be = container_of(to_delayed_work(work), struct backend,
					  poll);
	unsigned int i;

	mutex_lock(&be->lock);
	if (be->ctrl) {
		for (i = 0; i < IOEMU_MAX_DISKS; i++)
			if (be->disks[i] && ioemu_disk_resized(be->disks[i]))
				be->model->disk_changed(be->ctrl, i);
		if (be->missed)
			queue_work(backend_wq, &be->update);
		queue_delayed_work(backend_wq, &be->poll, BACKEND_POLL);
	}
	mutex_unlock(&be->lock);
}

/* A disk that is connected: what may change, has it? */
static void backend_update_disk(struct backend *be, unsigned int index,
				const char *owner, bool failed)
{
	struct ioemu_disk_config cfg;

	if (ioemu_config_read_limits(&be->node, index, &cfg))
		return;
	ioemu_disk_set_limit(be->disks[index], cfg.iops, cfg.bytes);
	if (failed) {
		ioemu_node_rm(&be->node, owner, "hotplug-error");
		ioemu_node_write(&be->node, owner, "hotplug-status", "connected");
	}
}

static void backend_add_disk(struct backend *be, unsigned int index,
			     const char *owner)
{
	struct ioemu_disk_config cfg = {};
	int err;

	/* It is complete when it has this. */
	if (ioemu_node_missing(&be->node, owner, "params"))
		return;
	err = ioemu_config_read_disk(&be->node, index, &cfg);
	if (!err)
		err = backend_open_disk(be, index, &cfg);
	if (!err) {
		be->model->disk_added(be->ctrl, index, be->disks[index]);
		ioemu_node_write(&be->node, owner, "hotplug-status", "connected");
	}
	kfree(cfg.path);
}

static void backend_remove_disk(struct backend *be, unsigned int index)
{
	be->model->disk_removed(be->ctrl, index);
	ioemu_disk_close(be->disks[index]);
	be->disks[index] = NULL;
}

static void backend_follow_disk(struct backend *be, unsigned int index)
{
	char owner[IOEMU_NODE_OWNER_SIZE];
	char *status;
	bool failed;

	ioemu_node_owner(owner, index);
	status = ioemu_node_read(&be->node, owner, "hotplug-status");
	failed = !IS_ERR(status) && !strcmp(status, "error");
	be->node.hot = owner;
	if (be->disks[index])
		backend_update_disk(be, index, owner, failed);
	else if (!failed)
		backend_add_disk(be, index, owner);
	be->node.hot = NULL;
	if (!IS_ERR(status))
		kfree(status);
}

static int backend_follow_disks(struct backend *be)
{
	DECLARE_BITMAP(present, IOEMU_MAX_DISKS) = {};
	unsigned int i, n, index;
	char **names;

	names = ioemu_xs_directory(be->node.xdev->nodename, "disk", &n);
	if (IS_ERR(names)) {
		/* All of it goes, not only the disks. */
		return PTR_ERR(names);
	}
	for (i = 0; i < n; i++)
		if (ioemu_config_disk_number(names[i], &index))
			__set_bit(index, present);
	kfree(names);
	for (i = 0; i < IOEMU_MAX_DISKS; i++) {
		if (test_bit(i, present))
			backend_follow_disk(be, i);
		else if (be->disks[i])
			backend_remove_disk(be, i);
	}
	return 0;
}

/* To miss a page that a migration copies is to lose it: never by mistake. */
static int backend_follow_log_dirty(struct backend *be)
{
	unsigned int number = 0;
	char *value;
	int err;

	value = ioemu_node_read(&be->node, "", "log-dirty");
	if (!IS_ERR(value)) {
		/* What is no number is none. */
		if (kstrtouint(value, 10, &number))
			number = 0;
		kfree(value);
	} else if (PTR_ERR(value) != -ENOENT) {
		return PTR_ERR(value);
	}
	if (!!number != be->log_dirty) {
		be->log_dirty = number;
		ioemu_vm_log_dirty(be->vm, number);
		be->unsaid = true;
	}
	if (!be->unsaid)
		return 0;
	/* From here on nothing is missed. */
	err = ioemu_node_write(&be->node, "", "log-dirty-state",
			       number ? "1" : "0");
	be->unsaid = err;
	return err;
}

static void backend_update(struct work_struct *work)
{
	struct backend *be = container_of(work, struct backend, update);
	int err = 0;

	mutex_lock(&be->lock);
	if (be->ctrl) {
		err = backend_follow_log_dirty(be);
		if (!err)
			err = backend_follow_disks(be);
	}
	/* Nobody says it a second time. What is not there is no failure. */
	be->missed = err && err != -ENOENT;
	mutex_unlock(&be->lock);
}

static void backend_changed(struct xenbus_watch *watch, const char *path,
			    const char *token)
{
	struct backend *be = container_of(watch, struct backend, watch);

	queue_work(backend_wq, &be->update);
}

static void backend_release(struct xenbus_watch *watch, const char *path,
			    const char *token)
{
	struct backend *be = container_of(watch, struct backend, release);

	backend_look(be);
}

static void backend_free(struct kref *ref)
{
	struct backend *be = container_of(ref, struct backend, ref);

	put_device(&be->node.xdev->dev);
	mutex_destroy(&be->lock);
	kfree(be->otherend);
	kfree(be);
}

/* The device was removed: nobody queues anything any more. */
static void backend_end(struct work_struct *work)
{
	struct backend *be = container_of(work, struct backend, end);

	cancel_delayed_work_sync(&be->work);
	mutex_lock(&be->lock);
	backend_disconnect(be);
	mutex_unlock(&be->lock);
	/* Without a controller it does not queue itself again, nor the other. */
	cancel_delayed_work_sync(&be->poll);
	cancel_work_sync(&be->update);
	complete_all(&be->ended);
	kref_put(&be->ref, backend_free);
}

/* There is nobody to follow the device's state: it ends here. */
static int backend_refuse(struct xenbus_device *xdev, int err, const char *why)
{
	const struct ioemu_node node = { .xdev = xdev };

	ioemu_node_write(&node, "", "hotplug-error", why);
	ioemu_node_write(&node, "", "hotplug-status", "error");
	xenbus_dev_fatal(xdev, err, "%s", why);
	ioemu_xs_switch_state(xdev, XenbusStateClosed);
	return err;
}

static struct backend *backend_alloc(struct xenbus_device *xdev)
{
	struct backend *be;

	be = kzalloc(sizeof(*be), GFP_KERNEL);
	if (!be)
		return NULL;
	be->otherend = kstrdup(xdev->otherend, GFP_KERNEL);
	if (!be->otherend) {
		kfree(be);
		return NULL;
	}
	kref_init(&be->ref);
	get_device(&xdev->dev);
	be->node.xdev = xdev;
	init_completion(&be->ended);
	INIT_WORK(&be->end, backend_end);
	mutex_init(&be->lock);
	INIT_DELAYED_WORK(&be->work, backend_work);
	INIT_WORK(&be->update, backend_update);
	INIT_DEFERRABLE_WORK(&be->poll, backend_poll);
	be->watch.node = xdev->nodename;
	be->watch.callback = backend_changed;
	be->release.node = "@releaseDomain";
	be->release.callback = backend_release;
	return be;
}

/*
 * Each device has its own, since xenstored is there when a device is. Loading the
 * module does not wait for it.
 */
static int backend_watch(struct backend *be)
{
	int err;

	err = register_xenbus_watch(&be->watch);
	if (err)
		return err;
	err = register_xenbus_watch(&be->release);
	if (err) {
		unregister_xenbus_watch(&be->watch);
		/* A watch says at once that there is something to see. */
		cancel_work_sync(&be->update);
	}
	return err;
}

static int backend_probe(struct xenbus_device *xdev,
			 const struct xenbus_device_id *id)
{
	struct backend *be, *taken;
	int err;

	be = backend_alloc(xdev);
	if (!be)
		return backend_refuse(xdev, -ENOMEM, "out of memory");
	err = backend_watch(be);
	if (err == -EEXIST) {
		/*
		 * A watch is known by its address, and xenstored still has one
		 * of an earlier device: Linux had no memory to take it back.
		 */
		taken = be;
		be = backend_alloc(xdev);
		kref_put(&taken->ref, backend_free);
		if (!be)
			return backend_refuse(xdev, -ENOMEM, "out of memory");
		err = backend_watch(be);
	}
	if (err) {
		kref_put(&be->ref, backend_free);
		return backend_refuse(xdev, err, "cannot be watched");
	}
	dev_set_drvdata(&xdev->dev, be);
	backend_look(be);
	return 0;
}

static void backend_remove(struct xenbus_device *xdev)
{
	struct backend *be = dev_get_drvdata(&xdev->dev);

	unregister_xenbus_watch(&be->watch);
	unregister_xenbus_watch(&be->release);
	/*
	 * This may be the thread on which all of xenbus depends: a disk that
	 * does not answer must not hold it up for ever.
	 */
	kref_get(&be->ref);
	queue_work(backend_wq, &be->end);
	if (!wait_for_completion_timeout(&be->ended, BACKEND_PATIENCE))
		dev_warn(&xdev->dev,
			 "a disk does not answer; the controller goes when it does\n");
	ioemu_xs_switch_state(xdev, XenbusStateClosed);

	dev_set_drvdata(&xdev->dev, NULL);
	kref_put(&be->ref, backend_free);
}

static void backend_otherend_changed(struct xenbus_device *xdev,
				     enum xenbus_state state)
{
	struct backend *be = dev_get_drvdata(&xdev->dev);

	backend_look(be);
}

static const struct xenbus_device_id backend_ids[] = {
	{ "ioemu" },
	{ "" }
};

static struct xenbus_driver backend_driver = {
	.name = KBUILD_MODNAME,
	.ids = backend_ids,
	.probe = backend_probe,
	.remove = backend_remove,
	.otherend_changed = backend_otherend_changed,
	.allow_rebind = true,
};

int ioemu_xenbus_init(void)
{
	int ret;

	backend_wq = alloc_workqueue("ioemu-xenbus", WQ_UNBOUND, 0);
	if (!backend_wq)
		return -ENOMEM;
	ret = xenbus_register_backend(&backend_driver);
	if (ret)
		destroy_workqueue(backend_wq);
	return ret;
}

void ioemu_xenbus_exit(void)
{
	xenbus_unregister_driver(&backend_driver);
	destroy_workqueue(backend_wq);
}
