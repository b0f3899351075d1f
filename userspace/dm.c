// SPDX-License-Identifier: GPL-2.0
/*
 * ioemu-dm: what xl starts as the device model of a domain. Gives the domain its
 * controllers, then becomes the real device model.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "controller.h"
#include "domain.h"
#include "host.h"
#include "loop.h"
#include "tool.h"

#define CONTROLLERS_MAX	16

/*
 * For all disks, and for all controllers. libxl gives a device model a minute, of
 * which QEMU needs some too; whoever is slower than that ends without a word.
 */
#define WAIT_DISKS_MS	15000
#define WAIT_DRIVER_MS	30000

#define OPTION		"-ioemu"
#define OPTION_MODEL	"-ioemu-dm"

/**
 * struct dm - one run
 * @ctrls: controllers, by the number in controller=
 * @argv: what remains for the real device model
 * @argc: how many of them
 * @program: the real device model; NULL for that of the installed Xen
 * @domid: value of -xen-domid
 * @have_domid: it was given
 */
struct dm {
	struct controller ctrls[CONTROLLERS_MAX];
	char **argv;
	int argc;
	const char *program;
	unsigned int domid;
	bool have_domid;
};

/* What an argument may say of the controller that the disk belongs to. */
struct about_controller {
	char *number;
	char *slot;
	char *serial;
};

/* libxl keeps standard error in a log of the domain; few look there. */
static void to_logs(const char *line)
{
	fprintf(stderr, "ioemu-dm: %s\n", line);
	syslog(LOG_ERR, "%s", line);
}

static struct controller *pick_controller(struct dm *dm,
					  const struct about_controller *about)
{
	unsigned int number = 0;

	if (about->number &&
	    !parse_option(OPTION ": controller", "the number of a controller",
			  about->number, 0, CONTROLLERS_MAX - 1, &number))
		return NULL;
	return &dm->ctrls[number];
}

static bool set_slot(struct controller *ctrl, const char *text)
{
	unsigned int slot;

	if (!parse_option(OPTION ": slot", "a PCI device number", text,
			  SLOT_MIN, SLOT_MAX, &slot))
		return false;
	if (ctrl->have_slot && ctrl->slot != slot) {
		complain(OPTION ": slot=%u: this controller is in slot %u already; disks of another controller need another controller=",
			 slot, ctrl->slot);
		return false;
	}
	ctrl->have_slot = true;
	ctrl->slot = slot;
	return true;
}

static bool set_serial(struct controller *ctrl, char **text)
{
	if (!serial_check(OPTION ": controller-serial", *text))
		return false;
	if (ctrl->serial) {
		complain(OPTION ": controller-serial is given twice for one controller");
		return false;
	}
	ctrl->serial = *text;
	*text = NULL;
	return true;
}

static bool set_controller(struct controller *ctrl, const char *model,
			   struct about_controller *about)
{
	ctrl->model = controller_model(OPTION, model);
	if (!ctrl->model)
		return false;
	if (about->slot && !set_slot(ctrl, about->slot))
		return false;
	return !about->serial || set_serial(ctrl, &about->serial);
}

/* MODEL,KEY=VALUE,...: one disk, and what there is to say of its controller. */
static bool take_disk(struct dm *dm, const char *text)
{
	struct about_controller about = { };
	struct disk disk = { };
	struct pair pairs[DISK_KEYS + 4] = {
		[DISK_KEYS] = { "slot", "slot=NUMBER", &about.slot },
		{ "controller", "controller=NUMBER", &about.number },
		{ "controller-serial", "controller-serial=TEXT",
		  &about.serial },
	};
	size_t length = strcspn(text, ",");
	char *model = xstrdup(text);
	struct controller *ctrl;
	bool ok = false;

	disk_pairs(&disk, pairs);
	model[length] = '\0';
	if (!text[length]) {
		complain(OPTION ": '%s' names no disk: MODEL,KEY=VALUE,... is wanted; %s",
			 text, pairs_usage(pairs));
		goto out;
	}
	if (!pairs_parse(OPTION, text + length + 1, pairs) ||
	    !disk_complete(OPTION, &disk))
		goto out;
	ctrl = pick_controller(dm, &about);
	if (!ctrl || !set_controller(ctrl, model, &about))
		goto out;
	if (ctrl->nr_disks == DISKS_MAX) {
		complain(OPTION ": more than %d disks on one controller; give some another controller=",
			 DISKS_MAX);
		goto out;
	}
	ctrl->disks[ctrl->nr_disks++] = disk;
	memset(&disk, 0, sizeof(disk));
	ok = true;
out:
	disk_free(&disk);
	free(about.number);
	free(about.slot);
	free(about.serial);
	free(model);
	return ok;
}

/* Takes out what is for this program. */
static bool parse(struct dm *dm, int argc, char **argv)
{
	bool mine, model;
	int i;

	dm->argv = xcalloc((size_t)argc + 1, sizeof(*dm->argv));
	for (i = 0; i < argc; i++) {
		mine = i && !strcmp(argv[i], OPTION);
		model = i && !strcmp(argv[i], OPTION_MODEL);
		if ((mine || model) && i + 1 == argc) {
			complain("%s: a value is missing", argv[i]);
			return false;
		}
		if (mine) {
			if (!take_disk(dm, argv[++i]))
				return false;
			continue;
		}
		if (model) {
			dm->program = argv[++i];
			continue;
		}
		if (i && i + 1 < argc && !strcmp(argv[i], "-xen-domid")) {
			dm->have_domid = true;
			if (!parse_option("-xen-domid", "a domain number",
					  argv[i + 1], 1, DOMID_LAST,
					  &dm->domid))
				return false;
		}
		dm->argv[dm->argc++] = argv[i];
	}
	return true;
}

static unsigned int nr_controllers(const struct dm *dm)
{
	unsigned int i, n = 0;

	for (i = 0; i < CONTROLLERS_MAX; i++)
		n += !!dm->ctrls[i].nr_disks;
	return n;
}

/* Bitmap of the slots that are named, also for controllers that come later. */
static unsigned int named_slots(const struct dm *dm)
{
	unsigned int i, slots = 0;

	for (i = 0; i < CONTROLLERS_MAX; i++)
		if (dm->ctrls[i].have_slot)
			slots |= 1U << dm->ctrls[i].slot;
	return slots;
}

/* A moment at least: most controllers need no more. */
static unsigned int seconds_left(long long until)
{
	long long left = until - now_ms();

	return left > 1000 ? (unsigned int)(left / 1000) : 1;
}

/* The numbers in controller= become those of the devices. */
static enum tool_status attach(struct dm *dm, struct store *store)
{
	long long until = now_ms() + WAIT_DISKS_MS;
	enum tool_status status = TOOL_OK;
	struct controller *ctrl;
	unsigned int i;

	/* All disks first: what is wrong with one needs no tidying up. */
	for (i = 0; i < CONTROLLERS_MAX && status == TOOL_OK; i++)
		status = controller_prepare(&dm->ctrls[i], store, until);

	until = now_ms() + WAIT_DRIVER_MS;
	if (status == TOOL_OK)
		status = controller_wait_ruins(0, dm->domid, store,
					       seconds_left(until));
	for (i = 0; i < CONTROLLERS_MAX && status == TOOL_OK; i++) {
		ctrl = &dm->ctrls[i];
		if (!ctrl->nr_disks)
			continue;
		ctrl->domid = dm->domid;
		ctrl->have_devid = true;
		ctrl->devid = i;
		ctrl->reserved = named_slots(dm);
		status = controller_attach(ctrl, store, seconds_left(until));
	}
	if (status == TOOL_OK && store_interrupted(store))
		status = TOOL_FAILED;
	if (status == TOOL_OK)
		return status;
	/* Others' devices stay, also those that are in the way. */
	for (i = 0; i < CONTROLLERS_MAX; i++)
		if (dm->ctrls[i].written)
			device_remove(store, &dm->ctrls[i].dev);
	return status;
}

static enum tool_status give_controllers(struct dm *dm)
{
	enum tool_status status = TOOL_FAILED;
	struct store store;

	if (!dm->have_domid) {
		complain(OPTION " is given, but no -xen-domid: xl is to start this program, as device_model_override");
		return TOOL_USAGE;
	}
	if (store_open(&store)) {
		status = attach(dm, &store);
		store_close(&store);
	}
	if (status != TOOL_OK)
		complain("domain %u does not get its disks, and is not started",
			 dm->domid);
	return status;
}

static void bequeath_disks(struct dm *dm)
{
	unsigned int i, j;

	for (i = 0; i < CONTROLLERS_MAX; i++)
		for (j = 0; j < dm->ctrls[i].nr_disks; j++)
			disk_bequeath(&dm->ctrls[i].disks[j]);
}

static void free_controllers(struct dm *dm)
{
	unsigned int i, j;

	for (i = 0; i < CONTROLLERS_MAX; i++) {
		for (j = 0; j < dm->ctrls[i].nr_disks; j++)
			disk_free(&dm->ctrls[i].disks[j]);
		free((char *)dm->ctrls[i].serial);
	}
}

/* Before anything is set up: without it, all would have to be undone. */
static bool find_program(struct dm *dm)
{
	if (!dm->program)
		dm->program = host_device_model();
	if (!dm->program) {
		complain("no device model of Xen is found; name it with \"" OPTION_MODEL "\", \"PATH\" in device_model_args");
		return false;
	}
	if (access(dm->program, X_OK)) {
		complain("device model %s: %s", dm->program, strerror(errno));
		return false;
	}
	return true;
}

static enum tool_status become(struct dm *dm)
{
	dm->argv[0] = (char *)dm->program;
	execv(dm->program, dm->argv);
	complain("cannot start the device model %s: %s", dm->program,
		 strerror(errno));
	return TOOL_FAILED;
}

static void usage(void)
{
	puts("Usage: ioemu-dm [" OPTION " DISK]... [" OPTION_MODEL " PATH] ARGUMENTS\n"
	     "\n"
	     "Not to be called by hand, but by xl, whose configuration of the domain says:\n"
	     "\n"
	     "  device_model_override = \"/usr/sbin/ioemu-dm\"\n"
	     "  device_model_args = [ \"" OPTION "\", \"nvme,params=/dev/vg/disk\" ]\n"
	     "\n"
	     "See ioemu-dm(8).");
}

int main(int argc, char **argv)
{
	struct dm dm = { };
	enum tool_status status = TOOL_USAGE;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage();
		return TOOL_OK;
	}
	openlog("ioemu-dm", LOG_PID, LOG_DAEMON);
	complain_to(to_logs);

	if (!parse(&dm, argc, argv) || !find_program(&dm))
		goto out;
	if (nr_controllers(&dm)) {
		status = give_controllers(&dm);
		if (status != TOOL_OK)
			goto out;
	}
	/*
	 * The device model ends with the domain. Until then it keeps the loop
	 * devices, which would go whenever the driver is unbound.
	 */
	bequeath_disks(&dm);
	free_controllers(&dm);
	closelog();
	memset(dm.ctrls, 0, sizeof(dm.ctrls));
	status = become(&dm);
out:
	free_controllers(&dm);
	free(dm.argv);
	return status;
}
