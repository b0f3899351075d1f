// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's statistics of a disk, as sysfs has them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "host.h"

#define DEVICE_DIR	"/sys/bus/xen-backend/devices/" DEVICE_TYPE "-%u-%u"
#define DISK_DIR	DEVICE_DIR "/disk%u"

/*
 * Of one command that shares nothing: the doorbell that says it is there, the
 * interrupt that says it is done, and the doorbell that says so was seen.
 */
#define EXITS_OF_A_COMMAND	3

const struct counter_info counter_info[COUNTERS] = {
	{ .name = "reads", .help = "Reads that were completed" },
	{ .name = "read_bytes", .help = "Bytes read", .bytes = true },
	{ .name = "writes", .help = "Writes that were completed" },
	{ .name = "write_bytes", .help = "Bytes written", .bytes = true },
	{ .name = "flushes", .help = "Flushes that were completed" },
	{ .name = "discards", .help = "Discarded ranges" },
	{ .name = "discard_bytes", .help = "Bytes discarded", .bytes = true },
	{ .name = "write_zeroes",
	  .help = "Write zeroes commands that were completed" },
	{ .name = "write_zeroes_bytes", .help = "Bytes zeroed", .bytes = true },
	{ .name = "errors", .help = "Requests that ended in an error" },
	{ .name = "in_flight",
	  .help = "Requests in the block layer now", .gauge = true },
	{ .name = "bounced",
	  .help = "Requests that went through private memory" },
	{ .name = "throttled", .help = "Requests that a limit delayed" },
};

const struct counter_info exit_info[EXITS] = {
	{ .name = "commands", .help = "Commands fetched from the guest" },
	{ .name = "doorbells", .help = "Doorbell writes that were trapped" },
	{ .name = "interrupts", .help = "Interrupts sent to the guest" },
	{ .name = "exits_saved",
	  .help = "Exits that three for each command would have been on top",
	  .gauge = true },
};

/* Names that are not known here are those of a newer driver. */
static uint32_t read_values(FILE *f, const struct counter_info *info,
			    unsigned int n, uint64_t *values)
{
	char name[64];
	uint64_t value;
	uint32_t have = 0;
	unsigned int i;

	while (fscanf(f, "%63s %" SCNu64, name, &value) == 2) {
		for (i = 0; i < n; i++) {
			if (strcmp(name, info[i].name) != 0)
				continue;
			values[i] = value;
			have |= 1U << i;
		}
	}
	return have;
}

bool counters_read(const struct device *dev, unsigned int index,
		   struct counters *counters)
{
	FILE *f;

	memset(counters, 0, sizeof(*counters));
	f = host_open(DISK_DIR "/stat", dev->domid, dev->devid, index);
	if (!f)
		return false;
	counters->have = read_values(f, counter_info, COUNTERS,
				     counters->value);
	fclose(f);
	return counters->have;
}

/* Of commands that were rung for and not fetched yet, it may be less than none. */
static void count_saved(struct exits *exits)
{
	uint64_t alone = EXITS_OF_A_COMMAND * exits->value[EXIT_COMMANDS];
	uint64_t real = exits->value[EXIT_DOORBELLS] +
			exits->value[EXIT_INTERRUPTS];

	exits->value[EXIT_SAVED] = alone > real ? alone - real : 0;
}

bool exits_read(const struct device *dev, struct exits *exits)
{
	const uint32_t all = (1U << EXIT_SAVED) - 1;
	FILE *f;

	memset(exits, 0, sizeof(*exits));
	f = host_open(DEVICE_DIR "/controller/stat", dev->domid, dev->devid);
	if (!f)
		return false;
	exits->there = read_values(f, exit_info, EXIT_SAVED,
				   exits->value) == all;
	fclose(f);
	count_saved(exits);
	return exits->there;
}

bool exits_between(const struct exits *before, const struct exits *now,
		   struct exits *between)
{
	unsigned int i;

	memset(between, 0, sizeof(*between));
	between->there = before->there && now->there;
	for (i = 0; i < EXIT_SAVED; i++)
		if (now->value[i] < before->value[i])
			return between->there;
	for (i = 0; i < EXIT_SAVED; i++)
		between->value[i] = now->value[i] - before->value[i];
	count_saved(between);
	return between->there;
}

static bool parse_stage(struct latencies *latencies, char *line)
{
	unsigned int n = latencies->n, i;
	char *word, *rest = line;

	word = strsep(&rest, " ");
	snprintf(latencies->stage[n], sizeof(latencies->stage[n]), "%s", word);
	for (i = 0; i < BUCKETS && rest; i++)
		latencies->count[n][i] = strtoull(rest, &rest, 10);
	if (i < BUCKETS)
		return false;
	latencies->n++;
	return true;
}

static bool parse_sum(struct latencies *latencies, const char *stage,
		      uint64_t sum)
{
	unsigned int i;

	for (i = 0; i < latencies->n; i++) {
		if (strcmp(latencies->stage[i], stage) != 0)
			continue;
		latencies->sum[i] = sum;
		return true;
	}
	return false;
}

/* Those of all stages, or none. */
static void read_sums(struct latencies *latencies, FILE *f)
{
	unsigned int n = 0;
	char stage[64];
	uint64_t sum;

	while (fscanf(f, "%63s %" SCNu64, stage, &sum) == 2)
		n += parse_sum(latencies, stage, sum);
	latencies->have_sum = n == latencies->n;
}

bool latencies_read(const struct device *dev, unsigned int index,
		    struct latencies *latencies)
{
	char line[2048];
	bool ok = true;
	FILE *f;

	memset(latencies, 0, sizeof(*latencies));
	f = host_open(DISK_DIR "/latency", dev->domid, dev->devid, index);
	if (!f)
		return false;
	while (ok && latencies->n < STAGES_MAX && fgets(line, sizeof(line), f))
		ok = parse_stage(latencies, line);
	fclose(f);
	f = host_open(DISK_DIR "/latency_sum", dev->domid, dev->devid, index);
	if (f) {
		read_sums(latencies, f);
		fclose(f);
	}
	return latencies->n;
}

uint64_t latency_percentile(const uint64_t *count, unsigned int percent)
{
	uint64_t total = 0, sum = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		total += count[i];
	if (!total)
		return 0;
	for (i = 0; i < BUCKETS; i++) {
		sum += count[i];
		if (sum * 100 >= total * percent)
			break;
	}
	return 2ULL << i;
}

void latency_text(char *text, size_t size, uint64_t ns)
{
	if (!ns)
		snprintf(text, size, "-");
	else if (ns < 1000)
		snprintf(text, size, "%" PRIu64 "ns", ns);
	else if (ns < 1000000)
		snprintf(text, size, "%.1fus", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, size, "%.1fms", (double)ns / 1e6);
	else
		snprintf(text, size, "%.1fs", (double)ns / 1e9);
}

void complain_no_counters(const struct device *dev, unsigned int index)
{
	complain("domain %u device %u disk %u has no statistics: is it connected (xen-ioemu list), does the driver run in this domain, and is it new enough?",
		 dev->domid, dev->devid, index);
}
