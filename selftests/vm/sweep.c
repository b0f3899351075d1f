// SPDX-License-Identifier: GPL-2.0
/*
 * sweep KIND FIRST STEP LAST DOMID DISK [COMMANDS [early]]: attach a controller to
 * a domain and take it away again, over and over; the first time the FIRST-th
 * chance of the kernel's fault injection KIND (failslab and so on) fails, then the
 * one STEP further, up to LAST or until there are no more chances. Whose chances
 * count, the caller has set in debugfs.
 *
 * With COMMANDS, a guest is at work with the controller, and chances count from the
 * moment that its I/O queue has seen so many, when the controller is taken away;
 * or early, from before it is there.
 *
 * After each fault: the toolstack is told that the device is connected or what
 * is wrong, what is left can be taken away, nobody holds the disk, and the next
 * device connects: one without a fault after each that was refused, and at the end.
 *
 * Prints "faults N refused N connected N" and exits with 0, or says what went
 * wrong. The injection's own count goes on for ever and cannot be read, so it is
 * kept in a file: "interval" is set to what it will be.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#define DEVID		7
#define SLOT		"20"
#define POLL_US		3000
#define PATIENCE	60		/* seconds; some emulated machines are slow */
#define MAX_CYCLES	8		/* until a fault comes that is due in one */

enum { CONNECTED = 4, CLOSING = 5, CLOSED = 6 };

static struct xs_handle *xs;
static const char *kind, *disk;
static unsigned int domid;
static char be[128], fe[128], error[160], sysfs[128], count_file[64], queues[64];
static unsigned long long busy;
static bool early;
static unsigned long count, interval;
static unsigned int refused, connected;
static char why[256];

/* ---- the kernel's fault injection -------------------------------------- */

static void set(const char *attr, unsigned long value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, attr);
	f = fopen(path, "w");
	if (!f || fprintf(f, "%lu\n", value) < 0 || fclose(f))
		err(2, "%s", path);
}

static bool fired(void)
{
	char path[128];
	long times;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/times", kind);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &times) != 1)
		err(2, "%s", path);
	fclose(f);
	return !times;
}

static void arm(unsigned long nth)
{
	set("probability", 0);
	interval = count + nth;
	set("interval", interval);
	set("times", 1);
	set("probability", 100);
}

static void disarm(void)
{
	FILE *f;

	set("probability", 0);
	/* At an interval of 1 nothing is counted. */
	count = interval > 1 ? interval : 0;
	f = fopen(count_file, "w");
	if (!f || fprintf(f, "%lu\n", count) < 0 || fclose(f))
		err(2, "%s", count_file);
}

/* ---- one device -------------------------------------------------------- */

static char *get(const char *dir, const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", dir, *key ? "/" : "", key);
	return xs_read(xs, XBT_NULL, path, NULL);
}

static void put(xs_transaction_t t, const char *dir, const char *key, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (!xs_write(xs, t, path, value, strlen(value)))
		err(2, "%s", path);
}

static int state(void)
{
	char *value = get(be, "state");
	int n = value ? atoi(value) : 0;

	free(value);
	return n;
}

static bool wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return false;
}

static bool wait_until(bool (*is)(void))
{
	time_t end = time(NULL) + PATIENCE;

	while (!is()) {
		if (time(NULL) > end)
			return false;
		usleep(POLL_US);
	}
	return true;
}

static bool settled(void)
{
	int n = state();

	return n == CONNECTED || n == CLOSED;
}

static bool closed(void)
{
	return state() == CLOSED;
}

/* The file of a controller that has no such queue yet is not an error. */
static bool at_work(void)
{
	unsigned long long commands = 0;
	char line[512], *at;
	FILE *f;

	f = fopen(queues, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, " commands ");
		if (!strncmp(line, "sq1:", 4) && at)
			commands = strtoull(at + strlen(" commands "), NULL, 10);
	}
	fclose(f);
	return commands >= busy;
}

static bool gone(void)
{
	return access(sysfs, F_OK);
}

static bool disk_free(void)
{
	int fd = open(disk, O_RDWR | O_EXCL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void attach(void)
{
	char number[16];
	xs_transaction_t t;

	snprintf(number, sizeof(number), "%u", domid);
	do {
		t = xs_transaction_start(xs);
		put(t, fe, "backend", be);
		put(t, fe, "backend-id", "0");
		put(t, fe, "state", "1");
		put(t, be, "model", "nvme");
		put(t, be, "slot", SLOT);
		put(t, be, "disk/0/params", disk);
		put(t, be, "disk/0/serial", "SWEEP");
		put(t, be, "online", "1");
		put(t, be, "frontend", fe);
		put(t, be, "frontend-id", number);
		put(t, be, "state", "1");
	} while (!xs_transaction_end(xs, t, false) && errno == EAGAIN);
}

/* What the toolstack sees is one of two things, and all of it. */
static bool judge(void)
{
	char *status, *text;
	bool ok = true;

	if (!wait_until(settled))
		return wrong("state %d, neither connected nor closed", state());
	status = get(be, "hotplug-status");
	text = get(error, "");
	if (state() == CONNECTED) {
		connected++;
		if (!status || strcmp(status, "connected"))
			ok = wrong("connected, but hotplug-status is %s", status ?: "missing");
	} else {
		refused++;
		if (!status || strcmp(status, "error"))
			ok = wrong("closed, but hotplug-status is %s", status ?: "missing");
		else if (!text || !*text)
			ok = wrong("closed without an error");
	}
	free(status);
	free(text);
	return ok;
}

static bool detach(void)
{
	put(XBT_NULL, fe, "state", "5");
	if (!wait_until(closed))
		return wrong("state %d: the device is not taken away", state());
	if (!wait_until(disk_free))
		return wrong("closed, but the disk is held");
	xs_rm(xs, XBT_NULL, be);
	xs_rm(xs, XBT_NULL, fe);
	xs_rm(xs, XBT_NULL, error);
	if (!wait_until(gone))
		return wrong("the device stays when its nodes are gone");
	return true;
}

/* If a guest is at work, the @nth chance from then on fails; 0: what is armed stays. */
static bool cycle(unsigned long nth)
{
	unsigned int before = connected;

	attach();
	if (!judge())
		return false;
	if (busy && connected > before) {
		if (!wait_until(at_work))
			return wrong("the guest is not at work");
		if (nth)
			arm(nth);
	}
	return detach();
}

/* Nothing fails any more; this also finds what the last fault has left. */
static void clean_cycle(unsigned long nth)
{
	unsigned int before = connected;

	if (!cycle(0) || connected == before)
		errx(1, "%s: fault %lu: the next device: %s", kind, nth,
		     *why ? why : "is refused");
	connected = before;
}

int main(int argc, char **argv)
{
	unsigned long nth, step, last, faults = 0;
	bool clean = true;
	unsigned int cycles;
	FILE *f;

	if (argc < 7 || argc > 9)
		errx(2, "usage: sweep KIND FIRST STEP LAST DOMID DISK [COMMANDS [early]]");
	kind = argv[1];
	nth = strtoul(argv[2], NULL, 10);
	step = strtoul(argv[3], NULL, 10);
	last = strtoul(argv[4], NULL, 10);
	domid = atoi(argv[5]);
	disk = argv[6];
	busy = argc > 7 ? strtoull(argv[7], NULL, 10) : 0;
	early = !busy || argc > 8;
	snprintf(be, sizeof(be), "/local/domain/0/backend/ioemu/%u/%u", domid, DEVID);
	snprintf(fe, sizeof(fe), "/local/domain/%u/ioemu/%u", domid, DEVID);
	snprintf(error, sizeof(error), "/local/domain/0/error/backend/ioemu/%u/%u/error",
		 domid, DEVID);
	snprintf(sysfs, sizeof(sysfs), "/sys/bus/xen-backend/devices/ioemu-%u-%u",
		 domid, DEVID);
	snprintf(queues, sizeof(queues), "/sys/kernel/debug/xen-ioemu/%u/nvme-%u", domid,
		 DEVID);
	snprintf(count_file, sizeof(count_file), "/run/sweep.%s", kind);
	f = fopen(count_file, "r");
	if (f) {
		if (fscanf(f, "%lu", &count) != 1)
			count = 0;
		fclose(f);
	}
	xs = xs_open(0);
	if (!xs)
		err(2, "xenstore");

	clean_cycle(0);
	for (; nth <= last; nth += step) {
		unsigned int before = refused;
		bool ok, end;

		if (early)
			arm(nth);
		ok = cycle(early ? 0 : nth);
		end = !fired();
		/* What is counted now is not known: until it fails, it is. */
		for (cycles = 0; ok && !fired(); cycles++)
			ok = cycles < MAX_CYCLES ? cycle(0) : wrong("does not come");
		disarm();
		if (!ok)
			errx(1, "%s: fault %lu: %s", kind, nth, why);
		faults++;
		clean = refused > before;
		if (clean)
			clean_cycle(nth);
		if (end)
			break;
	}
	if (!clean)
		clean_cycle(nth);
	printf("faults %lu refused %u connected %u\n", faults, refused, connected);
	return 0;
}
