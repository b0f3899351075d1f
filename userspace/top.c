// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu top: what goes on, again and again.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "domain.h"
#include "json.h"
#include "target.h"

/**
 * struct top - one run of the command
 * @target: what to show
 * @interval: --interval
 * @count: --count, 0 for no end
 * @as_json: --json
 * @before: the last look
 * @nr_before: disks in it
 */
struct top {
	struct target target;
	unsigned int interval;
	unsigned int count;
	bool as_json;
	struct look *before;
	unsigned int nr_before;
};

/* A disk at one moment; the name is that of its domain, or NULL. */
struct look {
	unsigned int domid, devid, disk;
	char *name;
	struct timespec when;
	struct counters counters;
	struct latencies latencies;
	struct exits exits;
};

/* Nanoseconds that half of the requests and all but one in a hundred stayed below. */
struct percentiles {
	uint64_t p50, p99;
};

/* Of a disk, between two looks. */
struct rates {
	double reads, read_bytes, writes, write_bytes;
	uint64_t in_flight;
	struct percentiles disk, total;
	bool have_exits;
	double exits, exits_saved;
};

static bool parse(struct top *top, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval",	required_argument, NULL, 'i' },
		{ "count",	required_argument, NULL, 'c' },
		{ "json",	no_argument,	   NULL, 'j' },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};
	bool ok = true;
	int option;

	while (ok && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			ok = parse_option("--interval", "a number of seconds",
					  optarg, 1, 3600, &top->interval);
			break;
		case 'c':
			ok = parse_option("--count", "a number", optarg, 1,
					  1000000, &top->count);
			break;
		case 'j':
			top->as_json = true;
			break;
		case 'b':
			ok = backend_option(optarg, &top->target.backend_id);
			break;
		default:
			return false;	/* getopt_long() has complained */
		}
	}
	return ok && target_parse(&top->target, "top", argc, argv, 0, 3);
}

static void free_looks(struct look *looks, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		free(looks[i].name);
	free(looks);
}

/* NULL after a complaint. */
static struct look *look_at_all(const struct top *top, struct store *store,
				unsigned int *n)
{
	struct found_disk *disks;
	struct look *looks, *look;
	unsigned int nr, i;

	disks = target_disks(&top->target, store, &nr);
	*n = 0;
	if (!store_settle(store)) {
		free_disks(disks, nr);
		return NULL;
	}
	looks = xcalloc(nr + 1, sizeof(*looks));
	for (i = 0; i < nr; i++) {
		look = &looks[*n];
		if (!disks[i].local ||
		    !counters_read(&disks[i].dev, disks[i].index,
				   &look->counters))
			continue;
		latencies_read(&disks[i].dev, disks[i].index,
			       &look->latencies);
		exits_read(&disks[i].dev, &look->exits);
		clock_gettime(CLOCK_MONOTONIC, &look->when);
		look->domid = disks[i].dev.domid;
		look->devid = disks[i].dev.devid;
		look->disk = disks[i].index;
		look->name = disks[i].name;
		disks[i].name = NULL;
		(*n)++;
	}
	free_disks(disks, nr);
	return looks;
}

static const struct look *find_before(const struct top *top,
				      const struct look *now)
{
	unsigned int i;

	for (i = 0; i < top->nr_before; i++)
		if (top->before[i].domid == now->domid &&
		    top->before[i].devid == now->devid &&
		    top->before[i].disk == now->disk)
			return &top->before[i];
	return NULL;
}

static const uint64_t *stage(const struct latencies *latencies, const char *name)
{
	static const uint64_t nothing[BUCKETS];
	unsigned int i;

	for (i = 0; i < latencies->n; i++)
		if (!strcmp(latencies->stage[i], name))
			return latencies->count[i];
	return nothing;
}

/* Another disk has got the number: it counts from 0, and since the last look only. */
static bool began_anew(const struct look *before, const struct look *now)
{
	const uint64_t *old = stage(&before->latencies, "disk");
	const uint64_t *new = stage(&now->latencies, "disk");
	unsigned int i;

	for (i = 0; i < COUNTERS; i++)
		if (!counter_info[i].gauge &&
		    now->counters.value[i] < before->counters.value[i])
			return true;
	for (i = 0; i < BUCKETS; i++)
		if (new[i] < old[i])
			return true;
	return false;
}

static double rate(const struct look *before, const struct look *now,
		   enum counter counter, double seconds)
{
	uint64_t old = before->counters.value[counter];
	uint64_t new = now->counters.value[counter];

	return (double)(new - old) / seconds;
}

static struct percentiles between(const struct look *before,
				  const struct look *now, const char *name)
{
	const uint64_t *old = stage(&before->latencies, name);
	const uint64_t *new = stage(&now->latencies, name);
	uint64_t count[BUCKETS];
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		count[i] = new[i] - old[i];
	return (struct percentiles){
		.p50 = latency_percentile(count, 50),
		.p99 = latency_percentile(count, 99),
	};
}

static void compare(const struct look *before, const struct look *now,
		    struct rates *rates)
{
	double seconds = (double)(now->when.tv_sec - before->when.tv_sec) +
			 (double)(now->when.tv_nsec - before->when.tv_nsec) / 1e9;
	struct look fresh = { };
	struct exits exits;

	if (seconds <= 0)
		seconds = 1;
	rates->have_exits = exits_between(&before->exits, &now->exits, &exits);
	rates->exits = (double)(exits.value[EXIT_DOORBELLS] +
				exits.value[EXIT_INTERRUPTS]) / seconds;
	rates->exits_saved = (double)exits.value[EXIT_SAVED] / seconds;
	if (began_anew(before, now))
		before = &fresh;
	rates->reads = rate(before, now, COUNTER_READS, seconds);
	rates->read_bytes = rate(before, now, COUNTER_READ_BYTES, seconds);
	rates->writes = rate(before, now, COUNTER_WRITES, seconds);
	rates->write_bytes = rate(before, now, COUNTER_WRITE_BYTES, seconds);
	rates->in_flight = now->counters.value[COUNTER_IN_FLIGHT];
	rates->disk = between(before, now, "disk");
	rates->total = between(before, now, "total");
}

static void text_line(const struct look *now, const struct rates *rates)
{
	char p50[16], p99[16], exits[24] = "-", saved[24] = "-";
	const char *name = now->name ? now->name : "-";

	if (rates->have_exits) {
		snprintf(exits, sizeof(exits), "%.0f", rates->exits);
		snprintf(saved, sizeof(saved), "%.0f", rates->exits_saved);
	}
	latency_text(p50, sizeof(p50), rates->disk.p50);
	latency_text(p99, sizeof(p99), rates->disk.p99);
	printf("%5u ", now->domid);
	print_safe(stdout, name);
	printf("%*s %5u %4u %9.0f %9.0f %9.1f %9.1f %6" PRIu64 " %8s %8s %9s %9s\n",
	       (int)(20 - strnlen(name, 20)), "", now->devid, now->disk,
	       rates->reads, rates->writes, rates->read_bytes / 1048576,
	       rates->write_bytes / 1048576, rates->in_flight, p50, p99,
	       exits, saved);
}

static void json_exits(struct json *json, const char *key,
		       const struct rates *rates, double exits)
{
	if (rates->have_exits)
		json_number(json, key, (uint64_t)(exits + 0.5));
	else
		json_string(json, key, NULL);
}

static void json_line(struct json *json, const struct look *now,
		      const struct rates *rates)
{
	json_open(json, NULL, '{');
	json_number(json, "domid", now->domid);
	json_string(json, "name", now->name);
	json_number(json, "devid", now->devid);
	json_number(json, "disk", now->disk);
	json_number(json, "reads-per-second", (uint64_t)(rates->reads + 0.5));
	json_number(json, "writes-per-second", (uint64_t)(rates->writes + 0.5));
	json_number(json, "read-bytes-per-second",
		    (uint64_t)(rates->read_bytes + 0.5));
	json_number(json, "write-bytes-per-second",
		    (uint64_t)(rates->write_bytes + 0.5));
	json_number(json, "in-flight", rates->in_flight);
	json_number(json, "disk-p50-ns", rates->disk.p50);
	json_number(json, "disk-p99-ns", rates->disk.p99);
	json_number(json, "total-p50-ns", rates->total.p50);
	json_number(json, "total-p99-ns", rates->total.p99);
	json_exits(json, "exits-per-second", rates, rates->exits);
	json_exits(json, "exits-saved-per-second", rates, rates->exits_saved);
	json_close(json, '}');
}

static void show(struct top *top, const struct look *looks, unsigned int n)
{
	const struct look *before;
	struct rates rates;
	struct json json;
	unsigned int i;

	if (top->as_json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '[');
	} else {
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		puts("DOMID NAME                 DEVID DISK   READS/S  WRITES/S  RD MiB/S  WR MiB/S FLIGHT DISK P50      P99   EXITS/S   SAVED/S");
	}
	for (i = 0; i < n; i++) {
		before = find_before(top, &looks[i]);
		if (!before)
			continue;
		compare(before, &looks[i], &rates);
		if (top->as_json)
			json_line(&json, &looks[i], &rates);
		else
			text_line(&looks[i], &rates);
	}
	if (top->as_json)
		json_close(&json, ']');
	fflush(stdout);
}

/* Until --count, a signal, nobody reads any more, or the named domain is gone. */
static enum tool_status repeat(struct top *top, struct store *store)
{
	enum tool_status status = TOOL_OK;
	struct look *looks;
	unsigned int n, i;

	top->before = look_at_all(top, store, &top->nr_before);
	for (i = 0; top->before && (!top->count || i < top->count) &&
		    !ferror(stdout); i++) {
		sleep(top->interval);
		status = target_known(&top->target, store);
		if (status != TOOL_OK)
			break;
		looks = look_at_all(top, store, &n);
		if (looks)
			show(top, looks, n);
		free_looks(top->before, top->nr_before);
		top->before = looks;
		top->nr_before = n;
	}
	if (!top->before)
		return TOOL_FAILED;
	free_looks(top->before, top->nr_before);
	return status;
}

static enum tool_status run(int argc, char **argv)
{
	struct top top = { .interval = 2 };
	enum tool_status status;
	struct device dev;
	struct store store;

	if (!parse(&top, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&top.target, &store, &dev);
	if (status == TOOL_OK)
		status = repeat(&top, &store);
	store_close(&store);
	return status;
}

const struct command top_command = {
	.name = "top",
	.summary = "show what goes on, again and again",
	.usage =
	"Usage: xen-ioemu top [OPTIONS] [DOMAIN [DEVID [DISK]]]\n"
	"\n"
	"Shows rates, requests in flight and the latency of the disks below, of all disks\n"
	"or of those that are named, until it is interrupted or the named domain ends,\n"
	"which it does when it reboots (exit status 3); and how often the whole\n"
	"controller took its guest out of guest mode, and how often it did not have to.\n"
	"\n"
	"  --interval S    seconds between two looks, 1 to 3600; default: 2\n"
	"  --count N       end after so many; default: no end\n"
	"  --json          print a JSON array of objects each time\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
