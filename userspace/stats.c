// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu stats: what the driver has counted.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "domain.h"
#include "json.h"
#include "target.h"

#define PREFIX	"xen_ioemu_"

/* The letters of the options */
enum { FORMAT_TEXT, FORMAT_JSON = 'j', FORMAT_OPENMETRICS = 'o' };

/* A disk and its numbers, and those of its controller, whose @first disk it is. */
struct sample {
	const struct found_disk *disk;
	struct counters counters;
	struct latencies latencies;
	struct exits exits;
	bool first;
};

static bool parse(struct target *target, int *format, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	 no_argument,	    NULL, FORMAT_JSON },
		{ "openmetrics", no_argument,	    NULL, FORMAT_OPENMETRICS },
		{ "backend",	 required_argument, NULL, 'b' },
		{ }
	};

	return reader_options(options, argc, argv, format,
			      &target->backend_id) &&
	       target_parse(target, "stats", argc, argv, 0, 3);
}

static void text_device(const struct found_disk *disk)
{
	printf("domain %u (", disk->dev.domid);
	print_safe(stdout, disk->name ? disk->name : "-");
	printf(") device %u", disk->dev.devid);
}

static void text_value(const struct counter_info *info, uint64_t value)
{
	printf("  %-20s %" PRIu64 "\n", info->name, value);
}

static void show_text(const struct sample *samples, unsigned int n)
{
	unsigned int i, j;

	for (i = 0; i < n; i++) {
		if (samples[i].first && samples[i].exits.there) {
			text_device(samples[i].disk);
			putchar('\n');
			for (j = 0; j < EXITS; j++)
				text_value(&exit_info[j],
					   samples[i].exits.value[j]);
		}
		text_device(samples[i].disk);
		printf(" disk %u\n", samples[i].disk->index);
		for (j = 0; j < COUNTERS; j++)
			if (samples[i].counters.have & 1U << j)
				text_value(&counter_info[j],
					   samples[i].counters.value[j]);
	}
}

static void json_sample(struct json *json, const struct sample *sample)
{
	unsigned int i, j;

	json_open(json, NULL, '{');
	json_number(json, "domid", sample->disk->dev.domid);
	json_string(json, "name", sample->disk->name);
	json_number(json, "devid", sample->disk->dev.devid);
	json_number(json, "disk", sample->disk->index);
	for (i = 0; i < COUNTERS; i++)
		if (sample->counters.have & 1U << i)
			json_number(json, counter_info[i].name,
				    sample->counters.value[i]);
	if (sample->exits.there) {
		json_open(json, "controller", '{');
		for (i = 0; i < EXITS; i++)
			json_number(json, exit_info[i].name,
				    sample->exits.value[i]);
		json_close(json, '}');
	}
	json_open(json, "latency", '{');
	for (i = 0; i < sample->latencies.n; i++) {
		json_open(json, sample->latencies.stage[i], '[');
		for (j = 0; j < BUCKETS; j++)
			json_number(json, NULL, sample->latencies.count[i][j]);
		json_close(json, ']');
	}
	json_close(json, '}');
	if (sample->latencies.have_sum) {
		json_open(json, "latency-sum-ns", '{');
		for (i = 0; i < sample->latencies.n; i++)
			json_number(json, sample->latencies.stage[i],
				    sample->latencies.sum[i]);
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void show_json(const struct sample *samples, unsigned int n)
{
	struct json json;
	unsigned int i;

	json_init(&json, stdout);
	json_open(&json, NULL, '[');
	for (i = 0; i < n; i++)
		json_sample(&json, &samples[i]);
	json_close(&json, ']');
}

/* Whoever named the domain must not break the format. */
static void print_label(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text >= ' ' && *text <= '~' ? *text : '?');
	}
}

static void print_device_labels(const struct found_disk *disk)
{
	printf("{domid=\"%u\",domain=\"", disk->dev.domid);
	print_label(disk->name ? disk->name : "");
	printf("\",devid=\"%u\"", disk->dev.devid);
}

static void print_labels(const struct found_disk *disk)
{
	print_device_labels(disk);
	printf(",disk=\"%u\"", disk->index);
}

static void metric_head(const struct counter_info *info)
{
	printf("# TYPE " PREFIX "%s %s\n", info->name,
	       info->gauge ? "gauge" : "counter");
	if (info->bytes)
		printf("# UNIT " PREFIX "%s bytes\n", info->name);
	printf("# HELP " PREFIX "%s %s.\n", info->name, info->help);
}

static void metric_name(const struct counter_info *info)
{
	printf(PREFIX "%s%s", info->name, info->gauge ? "" : "_total");
}

static void metric_counter(const struct sample *samples, unsigned int n,
			   unsigned int counter)
{
	unsigned int i;

	metric_head(&counter_info[counter]);
	for (i = 0; i < n; i++) {
		if (!(samples[i].counters.have & 1U << counter))
			continue;
		metric_name(&counter_info[counter]);
		print_labels(samples[i].disk);
		printf("} %" PRIu64 "\n", samples[i].counters.value[counter]);
	}
}

static void metric_exit(const struct sample *samples, unsigned int n,
			unsigned int counter)
{
	unsigned int i;

	metric_head(&exit_info[counter]);
	for (i = 0; i < n; i++) {
		if (!samples[i].first || !samples[i].exits.there)
			continue;
		metric_name(&exit_info[counter]);
		print_device_labels(samples[i].disk);
		printf("} %" PRIu64 "\n", samples[i].exits.value[counter]);
	}
}

static void stage_name(const struct sample *sample, unsigned int stage,
		       const char *suffix)
{
	printf(PREFIX "latency_seconds_%s", suffix);
	print_labels(sample->disk);
	printf(",stage=\"%s\"", sample->latencies.stage[stage]);
}

static void metric_stage(const struct sample *sample, unsigned int stage)
{
	const uint64_t second = 1000000000;
	uint64_t ns = sample->latencies.sum[stage];
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		count += sample->latencies.count[stage][i];
		stage_name(sample, stage, "bucket");
		fputs(",le=\"", stdout);
		/* The last one holds all that is longer. */
		if (i == BUCKETS - 1)
			fputs("+Inf", stdout);
		else
			printf("%.12g", (double)(2ULL << i) / 1e9);
		printf("\"} %" PRIu64 "\n", count);
	}
	/* There are both of these or none. */
	if (!sample->latencies.have_sum)
		return;
	stage_name(sample, stage, "count");
	printf("} %" PRIu64 "\n", count);
	stage_name(sample, stage, "sum");
	printf("} %" PRIu64 ".%09" PRIu64 "\n", ns / second, ns % second);
}

static void show_openmetrics(const struct sample *samples, unsigned int n)
{
	unsigned int i, j;

	for (i = 0; i < COUNTERS; i++)
		metric_counter(samples, n, i);
	for (i = 0; i < EXITS; i++)
		metric_exit(samples, n, i);
	fputs("# TYPE " PREFIX "latency_seconds histogram\n"
	      "# UNIT " PREFIX "latency_seconds seconds\n"
	      "# HELP " PREFIX "latency_seconds Time that stages of requests took.\n",
	      stdout);
	for (i = 0; i < n; i++)
		for (j = 0; j < samples[i].latencies.n; j++)
			metric_stage(&samples[i], j);
	puts("# EOF");
}

/* The disks of a controller follow each other. */
static bool same_device(const struct sample *sample,
			const struct found_disk *disk)
{
	return sample->disk->dev.domid == disk->dev.domid &&
	       sample->disk->dev.devid == disk->dev.devid;
}

static enum tool_status show(const struct target *target, struct store *store,
			     const struct device *dev, int format)
{
	struct found_disk *disks;
	struct sample *samples;
	unsigned int nr_disks, n = 0, i;

	disks = target_disks(target, store, &nr_disks);
	if (!store_settle(store)) {
		free_disks(disks, nr_disks);
		return TOOL_FAILED;
	}
	samples = xcalloc(nr_disks + 1, sizeof(*samples));
	for (i = 0; i < nr_disks; i++) {
		if (!disks[i].local ||
		    !counters_read(&disks[i].dev, disks[i].index,
				   &samples[n].counters))
			continue;
		latencies_read(&disks[i].dev, disks[i].index,
			       &samples[n].latencies);
		exits_read(&disks[i].dev, &samples[n].exits);
		samples[n].first = !n || !same_device(&samples[n - 1],
						      &disks[i]);
		samples[n++].disk = &disks[i];
	}

	if (format == FORMAT_JSON)
		show_json(samples, n);
	else if (format == FORMAT_OPENMETRICS)
		show_openmetrics(samples, n);
	else
		show_text(samples, n);
	/* Of many disks, one may just be going; the only one may have gone. */
	if (target->have_disk && !n)
		complain_no_counters(dev, target->disk);
	free(samples);
	free_disks(disks, nr_disks);
	return target->have_disk && !n ? TOOL_FAILED : TOOL_OK;
}

static enum tool_status run(int argc, char **argv)
{
	int format = FORMAT_TEXT;
	struct target target = { };
	enum tool_status status;
	struct device dev;
	struct store store;

	if (!parse(&target, &format, argc, argv))
		return TOOL_USAGE;
	if (!store_open(&store))
		return TOOL_FAILED;
	status = target_find(&target, &store, &dev);
	if (status == TOOL_OK)
		status = show(&target, &store, &dev, format);
	store_close(&store);
	return status;
}

const struct command stats_command = {
	.name = "stats",
	.summary = "show what the driver has counted",
	.usage =
	"Usage: xen-ioemu stats [OPTIONS] [DOMAIN [DEVID [DISK]]]\n"
	"\n"
	"Shows the driver's counters of all disks, or of those that are named.\n"
	"\n"
	"  --json          print a JSON array of objects, with histograms\n"
	"  --openmetrics   print them as OpenMetrics, for Prometheus and the like\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
