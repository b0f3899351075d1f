// SPDX-License-Identifier: GPL-2.0
/*
 * counts SECONDS DOMID PID DISK...: what dom0 and a guest do meanwhile, as one
 * JSON object of differences. PID is the guest's device model, 0 if there is none;
 * each DISK is a name in /proc/diskstats.
 *
 * One process takes both samples, so that nothing is started in between: to
 * start a process costs more than many of the requests that are looked at.
 */
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xenctrl.h>

struct sample {
	unsigned long long ns;		/* of the monotonic clock */
	unsigned long long dom0_ns;	/* CPU time of dom0, as Xen accounts it */
	unsigned long long guest_ns;
	unsigned long long switches;	/* context switches in all of dom0 */
	unsigned long long dm_switches;	/* of the device model's threads */
	unsigned long long irqs;	/* of dom0, but for its timers */
	unsigned long long dm_events;	/* event channels of device models */
	unsigned long long ioreqs;	/* that the module has answered */
	unsigned long long bounced;	/* of its requests, by way of a copy */
	unsigned long long disk_ios;	/* requests that reached the disks */
};

static xc_interface *xch;

static unsigned long long cpu_ns(unsigned int domid)
{
	xc_domaininfo_t info;

	if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 || info.domain != domid)
		return 0;
	return info.cpu_time;
}

/* The number after @key at the beginning of lines of a file, summed up. */
static unsigned long long field(const char *path, const char *key)
{
	unsigned long long sum = 0;
	FILE *f = fopen(path, "r");
	char line[4096];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sum += strtoull(line + strlen(key), NULL, 10);
	fclose(f);
	return sum;
}

/* Context switches of the threads that there were at the first sample. */
static struct {
	char tid[16];
	unsigned long long first;
} threads[256];
static unsigned int nr_threads;

static unsigned long long thread_switches(const char *pid, const char *tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.15s/task/%.15s/status", pid, tid);
	return field(path, "voluntary_ctxt_switches:") +
	       field(path, "nonvoluntary_ctxt_switches:");
}

static void note_threads(const char *pid)
{
	struct dirent *e;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.15s/task", pid);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d)) && nr_threads < 256) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(threads[nr_threads].tid, 16, "%.15s", e->d_name);
		threads[nr_threads].first = thread_switches(pid, e->d_name);
		nr_threads++;
	}
	closedir(d);
}

/* Since note_threads(); those that have ended are left out. */
static unsigned long long task_switches(const char *pid)
{
	unsigned long long sum = 0, n;
	unsigned int i;

	for (i = 0; i < nr_threads; i++) {
		n = thread_switches(pid, threads[i].tid);
		if (n > threads[i].first)
			sum += n - threads[i].first;
	}
	return sum;
}

static void interrupts(struct sample *s)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char line[4096];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		unsigned long long n = 0;
		char *p, *end;

		/* Lines with a number are event channels; others sum them up. */
		strtoul(line, &end, 10);
		if (end == line || *end != ':')
			continue;
		for (p = end + 1;; p = end) {
			unsigned long long v = strtoull(p, &end, 10);

			if (end == p)
				break;
			n += v;
		}
		if (!strstr(p, " timer"))
			s->irqs += n;
		if (strstr(p, "evtchn:") && strstr(p, "qemu"))
			s->dm_events += n;
	}
	fclose(f);
}

/* Lines "vcpu N: fast N slow N" */
static unsigned long long module_ioreqs(unsigned int domid)
{
	unsigned long long sum = 0, fast, slow;
	char line[512];
	FILE *f;

	snprintf(line, sizeof(line), "/sys/kernel/debug/xen-ioemu/%u/domain", domid);
	f = fopen(line, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "vcpu %*u: fast %llu slow %llu", &fast, &slow) == 2)
			sum += fast + slow;
	fclose(f);
	return sum;
}

static unsigned long long module_bounced(unsigned int domid)
{
	unsigned long long sum = 0;
	char pattern[128];
	glob_t g;
	size_t i;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/xen-backend/devices/ioemu-%u-*/disk*/stat", domid);
	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (i = 0; i < g.gl_pathc; i++)
		sum += field(g.gl_pathv[i], "bounced ");
	globfree(&g);
	return sum;
}

static unsigned long long disk_ios(char **disks)
{
	unsigned long long sum = 0, reads, writes;
	char line[512], name[64];
	FILE *f = fopen("/proc/diskstats", "r");
	char **d;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*u %*u %63s %llu %*u %*u %*u %llu",
			   name, &reads, &writes) != 3)
			continue;
		for (d = disks; *d; d++)
			if (!strcmp(name, *d))
				sum += reads + writes;
	}
	fclose(f);
	return sum;
}

static void take(struct sample *s, unsigned int domid, const char *pid,
		 char **disks)
{
	struct timespec now;

	memset(s, 0, sizeof(*s));
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	s->dom0_ns = cpu_ns(0);
	s->disk_ios = disk_ios(disks);
	interrupts(s);
	s->switches = field("/proc/stat", "ctxt ");
	if (domid) {
		s->guest_ns = cpu_ns(domid);
		s->ioreqs = module_ioreqs(domid);
		s->bounced = module_bounced(domid);
	}
	if (pid)
		s->dm_switches = task_switches(pid);
}

int main(int argc, char **argv)
{
	struct timespec pause;
	struct sample a, b;
	unsigned int domid;
	const char *pid;
	double seconds;

	if (argc < 4) {
		fprintf(stderr, "usage: counts SECONDS DOMID PID DISK...\n");
		return 2;
	}
	domid = strtoul(argv[2], NULL, 10);
	pid = strcmp(argv[3], "0") ? argv[3] : NULL;
	xch = xc_interface_open(NULL, NULL, 0);
	if (!xch)
		return 1;
	seconds = strtod(argv[1], NULL);
	if (pid)
		note_threads(pid);
	pause.tv_sec = seconds;
	pause.tv_nsec = (seconds - pause.tv_sec) * 1e9;
	take(&a, domid, pid, argv + 4);
	nanosleep(&pause, NULL);
	take(&b, domid, pid, argv + 4);
	printf("{\"ns\":%llu", b.ns - a.ns);
#define SHOW(what) printf(",\"" #what "\":%llu", b.what - a.what)
	SHOW(dom0_ns);
	SHOW(switches);
	SHOW(irqs);
	SHOW(disk_ios);
	if (domid) {
		SHOW(guest_ns);
		SHOW(ioreqs);
		SHOW(bounced);
	}
	if (pid) {
		SHOW(dm_switches);
		SHOW(dm_events);
	}
	printf("}\n");
	xc_interface_close(xch);
	return 0;
}
