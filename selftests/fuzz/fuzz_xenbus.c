// SPDX-License-Identifier: GPL-2.0
/*
 * xenstore says what it likes about a controller, at any moment; disks cannot be
 * opened, domains refuse, memory runs out, domains die. What reaches the model was
 * checked, what was taken is given back, and a refusal is explained.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <standin/kernel.h>
#include <standin/sched.h>
#include <xen/xenbus.h>

#include <ioemu/model.h>

#include "debugfs.h"
#include "disk.h"
#include "input.h"
#include "stats.h"
#include "vm.h"
#include "xenbus.h"
#include "xenstore.h"

#define CHECK(c) do {							\
	if (!(c))							\
		standin_die("%s:%d: %s", __func__, __LINE__, #c); } while (0)

#define DOMAIN		"backend/ioemu/7"
#define BACKEND		DOMAIN "/0"
#define FRONTEND	"/local/domain/7/ioemu/0"
#define MAX_NODES	96
#define MAX_STEPS	60
#define PATH_SIZE	128
#define MESSAGE_MAX	4096	/* bytes; xenstored ends a connection with more */

struct node {
	char path[PATH_SIZE];
	char value[MESSAGE_MAX];
};

/* The domain that there is. */
struct ioemu_vm {
	unsigned int refs;
	unsigned long slots;
	bool alive, log_dirty;
};

struct ioemu_disk {
	bool open, in_use;
};

static struct input in;
static struct node nodes[MAX_NODES];
static unsigned int nr_nodes;
/* The transaction that is open, or 0, and how all was before it */
static u32 transaction, last_transaction;
static struct node before[MAX_NODES];
static unsigned int nr_before;
static bool explained, short_of_memory;
static struct ioemu_vm domain;
static struct ioemu_disk disks[IOEMU_MAX_DISKS];
static struct ioemu_controller controller;
static struct ioemu_disk *at[IOEMU_MAX_DISKS];	/* the controller's */
static bool created, started;
static u16 trouble;	/* what is to go wrong, by bit */
static struct xenbus_driver *driver;
/* Of the driver and of its one device */
static struct xenbus_watch *release_watch, *nodes_watch;
static struct xenbus_watch *stale_watch;	/* xenstored has one at this address */
static unsigned int nr_stats;
static struct xenbus_device xdev;

enum {
	NO_DOMAIN = 1, NO_DISK = 2, NO_CREATE = 4, NO_START = 8, NO_READ = 16,
	NO_SLOT = 32, NO_WATCH = 64, STALE_WATCH = 128, AGAIN = 256,
	BESIDE = 512, REMOVED = 1024, RETURNS = 2048,
};

static int an_error(void)
{
	static const int errors[] = {
		-ENOENT, -ENOTBLK, -EBUSY, -EACCES, -EROFS, -EINVAL, -ENOMEM,
		-ESRCH, -EOPNOTSUPP, -EPERM, -ENOSPC, -EIO,
	};

	return errors[input_u8(&in) % ARRAY_SIZE(errors)];
}

/* ---- xenstore ---------------------------------------------------------- */

static struct node *find(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_nodes; i++)
		if (!strcmp(nodes[i].path, path))
			return &nodes[i];
	return NULL;
}

/* Is it this node, or one below? */
static bool within(const struct node *n, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(n->path, path, len) && (!n->path[len] || n->path[len] == '/');
}

static bool exists(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_nodes; i++)
		if (within(&nodes[i], path))
			return true;
	return false;
}

static void set(const char *path, const char *value)
{
	struct node *n = find(path);

	if (!n && nr_nodes < MAX_NODES)
		n = &nodes[nr_nodes++];
	if (!n)
		return;
	snprintf(n->path, sizeof(n->path), "%s", path);
	snprintf(n->value, sizeof(n->value), "%s", value);
}

static void drop(const char *path)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr_nodes; i++)
		if (!within(&nodes[i], path))
			nodes[kept++] = nodes[i];
	nr_nodes = kept;
}

static void set_state(const char *path, unsigned int state)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", state);
	set(path, text);
}

/* What each message takes: memory, and the transaction that is open. */
static int message(struct xenbus_transaction xbt, const char *dir,
		   const char *node, char *path)
{
	void *memory = kmalloc(1, GFP_KERNEL);

	CHECK(xbt.id == transaction);
	if (!memory) {
		short_of_memory = true;
		return -ENOMEM;
	}
	kfree(memory);
	if (path)
		snprintf(path, PATH_SIZE, *node ? "%s/%s" : "%s", dir, node);
	return 0;
}

void *xenbus_read(struct xenbus_transaction xbt, const char *dir,
		  const char *node, unsigned int *len)
{
	char path[PATH_SIZE], *value;
	int err = message(xbt, dir, node, path);
	struct node *n;

	if (err)
		return ERR_PTR(err);
	if (!xbt.id && (trouble & NO_READ) && !(input_u8(&in) & 7))
		return ERR_PTR(-EIO);
	if (!exists(path))
		return ERR_PTR(-ENOENT);
	n = find(path);
	value = kstrdup(n ? n->value : "", GFP_KERNEL);
	return value ?: ERR_PTR(-ENOMEM);
}

/* As the client does it: pointers and strings in one piece of memory. */
char **xenbus_directory(struct xenbus_transaction xbt, const char *dir,
			const char *node, unsigned int *num)
{
	char path[PATH_SIZE], **names, *text;
	int err = message(xbt, dir, node, path);
	unsigned int i, k, n = 0;
	size_t len, part;

	if (err)
		return ERR_PTR(err);
	if (!xbt.id && (trouble & NO_READ) && !(input_u8(&in) & 7))
		return ERR_PTR(-EIO);
	if (!exists(path))
		return ERR_PTR(-ENOENT);
	names = kzalloc(MAX_NODES * (sizeof(*names) + PATH_SIZE), GFP_KERNEL);
	if (!names)
		return ERR_PTR(-ENOMEM);
	text = (char *)(names + MAX_NODES);
	len = strlen(path);
	for (i = 0; i < nr_nodes; i++) {
		if (!within(&nodes[i], path) || !nodes[i].path[len])
			continue;
		part = strcspn(nodes[i].path + len + 1, "/");
		memcpy(text, nodes[i].path + len + 1, part);
		text[part] = '\0';
		for (k = 0; k < n && strcmp(names[k], text); k++)
			;
		if (k < n)
			continue;
		names[n++] = text;
		text += part + 1;
	}
	*num = n;
	return names;
}

int xenbus_write(struct xenbus_transaction xbt, const char *dir,
		 const char *node, const char *string)
{
	char path[PATH_SIZE], owner[PATH_SIZE];
	int err = message(xbt, dir, node, path);

	CHECK(strlen(path) + 1 + strlen(string) <= MESSAGE_MAX);
	if (err)
		return err;
	/* What was removed is not made anew. */
	strcpy(owner, path);
	strcpy(strrchr(owner, '/'), strstr(path, "/disk/") ? "/params" : "/state");
	CHECK(find(owner));
	if (!strcmp(path, BACKEND "/state")) {
		if (!strcmp(string, "4"))
			CHECK(created && started);
		if (!strcmp(string, "6"))
			CHECK(!created && !domain.refs);
	}
	if (!strcmp(path, BACKEND "/hotplug-error") ||
	    (strstr(path, "/disk/") && strstr(path, "/hotplug-error"))) {
		CHECK(string && *string);
		explained = true;
	}
	set(path, string);
	return 0;
}

int xenbus_rm(struct xenbus_transaction xbt, const char *dir, const char *node)
{
	char path[PATH_SIZE];
	int err = message(xbt, dir, node, path);

	if (err)
		return err;
	if (*node)
		CHECK(strstr(path, "/hotplug-error"));
	else
		CHECK((!strcmp(path, BACKEND) || !strcmp(path, DOMAIN)) &&
		      !exists(FRONTEND));
	if (!exists(path))
		return -ENOENT;
	drop(path);
	return 0;
}

int xenbus_transaction_start(struct xenbus_transaction *xbt)
{
	int err = message(XBT_NIL, "", "", NULL);

	if (err)
		return err;
	/* The toolstack makes a device anew of what is about to be removed. */
	if (trouble & RETURNS && xdev.state == XenbusStateClosed)
		set_state(FRONTEND "/state", XenbusStateInitialising);
	xbt->id = transaction = ++last_transaction;
	memcpy(before, nodes, nr_nodes * sizeof(*nodes));
	nr_before = nr_nodes;
	return 0;
}

int xenbus_transaction_end(struct xenbus_transaction xbt, int abort)
{
	static unsigned int ends;
	int err;

	CHECK(xbt.id);
	err = message(xbt, "", "", NULL);
	/* What was not sent has ended nothing; who tries for long enough may go. */
	if (err && ++ends <= 50)
		return err;
	ends = 0;
	transaction = 0;
	if (!err && !abort) {
		if (!(trouble & AGAIN) || !(input_u8(&in) & 1))
			return 0;
		err = -EAGAIN;
	}
	memcpy(nodes, before, nr_before * sizeof(*nodes));
	nr_nodes = nr_before;
	return err;
}

void xenbus_dev_fatal(struct xenbus_device *dev, int err, const char *fmt, ...)
{
	char path[PATH_SIZE], text[2 * MESSAGE_MAX];
	va_list args;
	int len;

	CHECK(err < 0);
	CHECK(explained || short_of_memory || !find(BACKEND "/state"));
	len = snprintf(path, sizeof(path), "error/%s/error", dev->nodename) + 1;
	va_start(args, fmt);
	len += snprintf(text, sizeof(text), "%d ", -err);
	len += vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(len <= MESSAGE_MAX);
	dev->state = XenbusStateClosing;
}

int xenbus_register_backend(struct xenbus_driver *drv)
{
	driver = drv;
	return 0;
}

void xenbus_unregister_driver(struct xenbus_driver *drv)
{
	driver = NULL;
}

int register_xenbus_watch(struct xenbus_watch *w)
{
	struct xenbus_watch **where = &nodes_watch;

	/* The answer may take as long as xenstored is not there: until a device is. */
	CHECK(driver);
	if (!strcmp(w->node, "@releaseDomain"))
		where = &release_watch;
	else
		CHECK(!strcmp(w->node, BACKEND));
	if ((trouble & NO_WATCH) && (where == &release_watch || input_u8(&in) & 1))
		return -ENOMEM;
	if ((trouble & STALE_WATCH) &&
	    (w == stale_watch || (!stale_watch && !(input_u8(&in) & 1)))) {
		stale_watch = w;
		return -EEXIST;
	}
	CHECK(!*where);
	*where = w;
	w->callback(w, w->node, "");
	return 0;
}

void unregister_xenbus_watch(struct xenbus_watch *w)
{
	if (w == nodes_watch)
		nodes_watch = NULL;
	else
		release_watch = NULL;
}

/* ---- disks, domain, model ---------------------------------------------- */

struct ioemu_disk *ioemu_disk_open(const char *path, bool read_only,
				   const char *serial,
				   struct ioemu_stats *stats)
{
	unsigned int i;

	CHECK(nr_stats);

	CHECK(path[0] == '/');
	CHECK(serial[0] && strlen(serial) <= 20);
	if ((trouble & NO_DISK) && input_u8(&in) & 1)
		return ERR_PTR(an_error());
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		if (!disks[i].open)
			break;
	CHECK(i < IOEMU_MAX_DISKS);
	disks[i] = (struct ioemu_disk) { .open = true };
	/* Its node, or all of them, are removed while it is being opened. */
	if (trouble & REMOVED)
		drop(input_u8(&in) & 1 ? BACKEND "/disk/1" : BACKEND);
	return &disks[i];
}

void ioemu_disk_close(struct ioemu_disk *disk)
{
	CHECK(disk->open && nr_stats && (!created || !disk->in_use));
	disk->open = false;
	nr_stats--;
}

void ioemu_disk_set_limit(struct ioemu_disk *disk, u64 iops, u64 bytes)
{
	CHECK(disk->open);
}

struct ioemu_stats *ioemu_stats_create(struct kobject *parent,
				       unsigned int disk)
{
	CHECK(disk < IOEMU_MAX_DISKS);
	if ((trouble & NO_DISK) && !(input_u8(&in) & 7))
		return ERR_PTR(-ENOMEM);
	nr_stats++;
	return (struct ioemu_stats *)&nr_stats;
}

struct ioemu_ctrl_stats *ioemu_ctrl_stats_create(struct kobject *parent)
{
	static struct ioemu_ctrl_stats stats;

	if ((trouble & NO_DISK) && !(input_u8(&in) & 7))
		return ERR_PTR(-ENOMEM);
	nr_stats++;
	return &stats;
}

void ioemu_ctrl_stats_destroy(struct ioemu_ctrl_stats *stats)
{
	CHECK(nr_stats);
	nr_stats--;
}

void ioemu_stats_destroy(struct ioemu_stats *stats)
{
	CHECK(nr_stats);
	nr_stats--;
}

bool ioemu_disk_resized(struct ioemu_disk *disk)
{
	CHECK(disk->open);
	return input_u8(&in) & 1;
}

struct ioemu_vm *ioemu_vm_get(domid_t domid)
{
	CHECK(domid == 7 && xdev.otherend_id == 7);
	if (trouble & NO_DOMAIN)
		return ERR_PTR(an_error());
	if (!domain.alive)
		return ERR_PTR(-ESRCH);
	domain.refs++;
	return &domain;
}

void ioemu_vm_put(struct ioemu_vm *vm)
{
	CHECK(vm->refs && !created);
	vm->refs--;
}

int ioemu_vm_claim_slot(struct ioemu_vm *vm, unsigned int slot)
{
	CHECK(slot >= 3 && slot < 32);
	if (trouble & NO_SLOT)
		return -EBUSY;
	CHECK(!(vm->slots >> slot & 1));
	vm->slots |= 1ul << slot;
	return 0;
}

void ioemu_vm_release_slot(struct ioemu_vm *vm, unsigned int slot)
{
	CHECK(vm->slots >> slot & 1);
	vm->slots &= ~(1ul << slot);
}

int ioemu_vm_start(struct ioemu_vm *vm, struct ioemu_controller *ctrl)
{
	CHECK(ctrl == &controller && created && !started);
	if (trouble & NO_START)
		return an_error();
	started = true;
	return 0;
}

void ioemu_vm_stop(struct ioemu_vm *vm, struct ioemu_controller *ctrl)
{
	CHECK(started);
	started = false;
}

bool ioemu_vm_alive(const struct ioemu_vm *vm)
{
	CHECK(vm->refs);
	return vm->alive;
}

void ioemu_vm_log_dirty(struct ioemu_vm *vm, bool on)
{
	CHECK(vm->refs && vm->log_dirty != on);
	vm->log_dirty = on;
}

struct dentry *ioemu_vm_dir(const struct ioemu_vm *vm)
{
	return NULL;
}

struct dentry *ioemu_debugfs_add_controller(struct dentry *dir,
					    const char *name,
					    struct ioemu_controller *ctrl)
{
	return NULL;
}

static struct ioemu_controller *create(const struct ioemu_model_config *cfg)
{
	const char *c = cfg->serial;
	unsigned int i, n = 0;

	CHECK(!created);
	CHECK(*c && strlen(c) <= 20);
	for (; *c; c++)
		CHECK(*c >= ' ' && *c <= '~');
	for (i = 0; i < IOEMU_MAX_DISKS; i++) {
		if (!cfg->disks[i])
			continue;
		CHECK(cfg->disks[i]->open);
		n++;
	}
	CHECK(n && cfg->vm == &domain && domain.slots >> cfg->slot & 1);
	if (trouble & NO_CREATE)
		return ERR_PTR(an_error());
	memcpy(at, cfg->disks, sizeof(at));
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		if (at[i])
			at[i]->in_use = true;
	created = true;
	return &controller;
}

static void destroy(struct ioemu_controller *ctrl)
{
	unsigned int i;

	memset(at, 0, sizeof(at));
	CHECK(created && !started);
	created = false;
	for (i = 0; i < IOEMU_MAX_DISKS; i++)
		disks[i].in_use = false;
}

static void disk_added(struct ioemu_controller *ctrl, unsigned int index,
		       struct ioemu_disk *disk)
{
	CHECK(created && index < IOEMU_MAX_DISKS);
	CHECK(!at[index] && disk->open && !disk->in_use);
	disk->in_use = true;
	at[index] = disk;
}

static void disk_removed(struct ioemu_controller *ctrl, unsigned int index)
{
	CHECK(created && index < IOEMU_MAX_DISKS && at[index]);
	at[index]->in_use = false;
	at[index] = NULL;
}

static void disk_changed(struct ioemu_controller *ctrl, unsigned int index)
{
	CHECK(created && started && index < IOEMU_MAX_DISKS);
}

const struct ioemu_model ioemu_nvme_model = {
	.name = "nvme",
	.create = create,
	.destroy = destroy,
	.disk_changed = disk_changed,
	.disk_added = disk_added,
	.disk_removed = disk_removed,
};

/* ---- what the input says ----------------------------------------------- */

/* A value: one that is right, or text of the input's own. */
static const char *value(const char *const *good, unsigned int n)
{
	static char text[MESSAGE_MAX];
	u8 how = input_u8(&in);
	unsigned int len;

	if (how & 0x80 && n)
		return good[how % n];
	len = how & 0x3f;
	input_take(&in, text, len);
	if (how & 0x40) {
		memset(text + len, 'x', 64 * len - len);
		len *= 64;
	}
	text[len] = '\0';
	return text;
}

static void one_node(void)
{
	static const char *const models[] = { "nvme", "ahci", "nvme ", "" };
	static const char *const slots[] = {
		"3", "16", "31", "2", "32", "0x10", "4294967299", "-1", " 5", "",
	};
	static const char *const serials[] = {
		"S", "12345678901234567890", "123456789012345678901", "a\tb",
	};
	static const char *const numbers[] = {
		"0", "1", "15", "16", "00", "01", "-0", "4294967296", "x", "+1",
	};
	static const char *const paths[] = { "/dev/a", "/", "dev/a", "" };
	static const char *const modes[] = { "r", "w", "rw", "" };
	static const char *const keys[] = {
		"params", "params", "params", "mode", "serial", "iops-limit",
		"bw-limit", "hotplug-status",
	};
	u8 what = input_u8(&in);
	const char *key, *last;
	char path[PATH_SIZE];

	switch (what % 11) {
	case 0:
		set(BACKEND "/model", value(models, ARRAY_SIZE(models)));
		break;
	case 1:
		set(BACKEND "/slot", value(slots, ARRAY_SIZE(slots)));
		break;
	case 2:
		set(BACKEND "/serial", value(serials, ARRAY_SIZE(serials)));
		break;
	case 3:
		set("/local/domain/7/vm", value(serials, ARRAY_SIZE(serials)));
		break;
	case 4:
		/* When the front-end changes, that is told. */
		last = nr_nodes ? nodes[nr_nodes - 1].path : "";
		if (strcmp(last, FRONTEND "/state") &&
		    strcmp(last, BACKEND "/log-dirty-state"))
			nr_nodes -= !!nr_nodes;
		break;
	case 8:
		set(BACKEND "/log-dirty", what & 0x80 ? "1" : "0");
		break;
	default:
		key = keys[what % ARRAY_SIZE(keys)];
		snprintf(path, sizeof(path), BACKEND "/disk/%.30s/%s",
			 value(numbers, ARRAY_SIZE(numbers)), key);
		set(path, key[0] == 'p' ? value(paths, ARRAY_SIZE(paths)) :
		    key[0] == 'm' ? value(modes, ARRAY_SIZE(modes)) :
		    key[0] == 's' ? value(serials, ARRAY_SIZE(serials)) :
		    value(slots, ARRAY_SIZE(slots)));
	}
}

static void step(void)
{
	u8 op = input_u8(&in), arg = input_u8(&in);

	switch (op % 11) {
	case 0: case 1: case 2:
		one_node();
		break;
	case 3:
		trouble = arg | op / 11 << 8;
		break;
	case 4:
		set_state(FRONTEND "/state", arg % 8);
		driver->otherend_changed(&xdev, arg % 8);
		break;
	case 5:
		domain.alive = arg & 1;
		release_watch->callback(release_watch, "@releaseDomain", "");
		break;
	case 6:
		if (arg & 3)
			set_state(FRONTEND "/state", XenbusStateInitialising);
		else
			drop(FRONTEND);
		driver->otherend_changed(&xdev, XenbusStateUnknown);
		break;
	case 7:
		run_pending();
		break;
	case 8:
		standin_advance_ms(arg * 100);
		run_pending();
		break;
	case 9:
		nodes_watch->callback(nodes_watch, BACKEND, "");
		break;
	case 10:
		if (arg & 1)
			standin_fail_alloc(1 + (arg >> 1) % 32, arg & 2);
		else
			standin_fail_alloc(0, false);
		break;
	}
}

/* Time passes while somebody waits for work to end, and the next begins. */
static void cancelled(void)
{
	if (!(trouble & BESIDE) || !created)
		return;
	standin_advance_ms(2000);
	standin_run_beside();
}

/* When all goes well again for a while, all is as xenstore says. */
static void settle(void)
{
	struct node *said, *asked;

	trouble = 0;
	standin_advance_ms(5000);
	run_pending();
	asked = find(FRONTEND "/state");
	if (!domain.alive || !asked || !strcmp(asked->value, "5") ||
	    !strcmp(asked->value, "6"))
		CHECK(!created);
	said = find(BACKEND "/log-dirty-state");
	if (created && find(BACKEND "/state"))
		CHECK(domain.log_dirty == (said && said->value[0] == '1'));
}

/* What most inputs begin with: a controller that can be. */
static void plain_nodes(void)
{
	set(BACKEND "/model", "nvme");
	set(BACKEND "/slot", "16");
	set(BACKEND "/disk/0/params", "/dev/a");
	set("/local/domain/7/vm", "/vm/01234567-89ab-cdef-0123-456789abcdef");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const int domids[] = { 65543, -65529, 32752, -1 };
	unsigned long allocs;
	unsigned int n;
	u8 begin;
	int err;

	in = (struct input) { data, size };
	standin_fail_aborts = true;
	standin_cancelled = cancelled;
	if (!driver)
		CHECK(!ioemu_xenbus_init());
	allocs = standin_live_allocs();
	nr_nodes = 0;
	trouble = 0;
	explained = false;
	short_of_memory = false;
	set(DOMAIN, "");
	set_state(BACKEND "/state", XenbusStateInitialising);
	set_state(FRONTEND "/state", XenbusStateInitialising);
	domain = (struct ioemu_vm) { .alive = true };
	xdev = (struct xenbus_device) {
		.nodename = BACKEND, .otherend = FRONTEND, .otherend_id = 7,
		.state = XenbusStateInitialising,
	};
	begin = input_u8(&in);
	if (begin >= 0xf0)
		xdev.otherend_id = domids[begin / 2 % ARRAY_SIZE(domids)];
	if (begin & 1)
		plain_nodes();
	for (n = input_u8(&in) % 24; n; n--)
		one_node();

	trouble = input_u8(&in);
	stale_watch = NULL;
	err = driver->probe(&xdev, driver->ids);
	if (err) {
		run_pending();
		CHECK(trouble & NO_WATCH && standin_live_allocs() == allocs);
		return 0;
	}
	for (n = 0; n < MAX_STEPS && in.left; n++) {
		step();
		CHECK(started == created || standin_live_allocs());
		CHECK(!started || domain.refs == 1);
	}
	standin_fail_alloc(0, false);
	if (!(trouble & BESIDE))
		settle();
	driver->remove(&xdev);
	CHECK(!created && !started && !domain.refs && !domain.slots);
	CHECK(!domain.log_dirty && !nr_stats);
	CHECK(!nodes_watch && !release_watch);
	for (n = 0; n < IOEMU_MAX_DISKS; n++)
		CHECK(!disks[n].open);
	run_pending();
	CHECK(!xdev.dev.refs);
	CHECK(standin_live_allocs() == allocs);
	return 0;
}
