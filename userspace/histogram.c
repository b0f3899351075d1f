// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu histogram: how long the stages of requests took, drawn.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "counters.h"
#include "domain.h"
#include "json.h"
#include "target.h"

#define BAR_COLUMNS	50

/* The drawing: a panel for each stage, a bar for each bucket. */
#define SVG_BAR		18
#define SVG_PANEL	150
#define SVG_TOP		46
#define SVG_LEFT	70

/* The letters of the options */
enum { FORMAT_TEXT, FORMAT_JSON = 'j', FORMAT_SVG = 's' };

static bool parse(struct target *target, int *format, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument,	   NULL, FORMAT_JSON },
		{ "svg",	no_argument,	   NULL, FORMAT_SVG },
		{ "backend",	required_argument, NULL, 'b' },
		{ }
	};

	return reader_options(options, argc, argv, format,
			      &target->backend_id) &&
	       target_parse(target, "histogram", argc, argv, 3, 3);
}

static uint64_t largest(const uint64_t *count)
{
	uint64_t max = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		if (count[i] > max)
			max = count[i];
	return max;
}

/* First and last bucket that anything was counted in, of any stage. */
static bool range(const struct latencies *latencies, unsigned int *first,
		  unsigned int *last)
{
	unsigned int stage, i;
	bool any = false;

	for (i = 0; i < BUCKETS; i++) {
		for (stage = 0; stage < latencies->n; stage++) {
			if (!latencies->count[stage][i])
				continue;
			if (!any)
				*first = i;
			*last = i;
			any = true;
		}
	}
	return any;
}

static void bound(char *text, size_t size, unsigned int bucket)
{
	latency_text(text, size, bucket ? 1ULL << bucket : 0);
}

static void text_stage(const uint64_t *count, unsigned int first,
		       unsigned int last)
{
	uint64_t max = largest(count);
	unsigned int i, columns, c;
	char text[16];

	for (i = first; i <= last; i++) {
		bound(text, sizeof(text), i);
		printf("  %9s %10" PRIu64 " ", text, count[i]);
		columns = max ? (unsigned int)((count[i] * BAR_COLUMNS +
						max - 1) / max) : 0;
		for (c = 0; c < columns; c++)
			putchar('#');
		putchar('\n');
	}
}

static void show_text(const struct latencies *latencies)
{
	char p50[16], p99[16];
	unsigned int first, last, stage;

	if (!range(latencies, &first, &last)) {
		puts("no request yet");
		return;
	}
	for (stage = 0; stage < latencies->n; stage++) {
		latency_text(p50, sizeof(p50),
			     latency_percentile(latencies->count[stage], 50));
		latency_text(p99, sizeof(p99),
			     latency_percentile(latencies->count[stage], 99));
		printf("%s: 50%% within %s, 99%% within %s\n",
		       latencies->stage[stage], p50, p99);
		text_stage(latencies->count[stage], first, last);
	}
}

static void show_json(const struct latencies *latencies)
{
	unsigned int stage, i;
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	for (stage = 0; stage < latencies->n; stage++) {
		json_open(&json, latencies->stage[stage], '{');
		json_number(&json, "p50-ns",
			    latency_percentile(latencies->count[stage], 50));
		json_number(&json, "p99-ns",
			    latency_percentile(latencies->count[stage], 99));
		if (latencies->have_sum)
			json_number(&json, "sum-ns", latencies->sum[stage]);
		json_open(&json, "counts", '[');
		for (i = 0; i < BUCKETS; i++)
			json_number(&json, NULL, latencies->count[stage][i]);
		json_close(&json, ']');
		json_close(&json, '}');
	}
	json_close(&json, '}');
}

static void svg_stage(const struct latencies *latencies, unsigned int stage,
		      unsigned int first, unsigned int last)
{
	unsigned int bottom = SVG_TOP + (stage + 1) * SVG_PANEL - 34;
	const uint64_t *count = latencies->count[stage];
	uint64_t max = largest(count);
	unsigned int i, x, height;
	char text[16];

	printf("<text x=\"8\" y=\"%u\" font-weight=\"bold\">%s</text>\n",
	       bottom - 40, latencies->stage[stage]);
	for (i = first; i <= last; i++) {
		x = SVG_LEFT + (i - first) * SVG_BAR;
		height = max ? (unsigned int)(count[i] * (SVG_PANEL - 60) / max) : 0;
		bound(text, sizeof(text), i);
		if (count[i])
			printf("<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"#4477aa\"><title>from %s: %" PRIu64 "</title></rect>\n",
			       x, bottom - height - 1, SVG_BAR - 2, height + 1,
			       text, count[i]);
		if ((i - first) % 3 == 0)
			printf("<text x=\"%u\" y=\"%u\" fill=\"#555\">%s</text>\n",
			       x, bottom + 14, text);
	}
}

static void show_svg(const struct target *target,
		     const struct latencies *latencies)
{
	unsigned int first = 0, last = 0, stage, width;

	range(latencies, &first, &last);
	width = SVG_LEFT + (last - first + 1) * SVG_BAR + 40;
	if (width < 360)
		width = 360;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"sans-serif\" font-size=\"11\">\n"
	       "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	       "<text x=\"8\" y=\"20\" font-size=\"14\">Latency by stage: domain %u, device %u, disk %u</text>\n",
	       width, SVG_TOP + latencies->n * SVG_PANEL, target->domid,
	       target->devid, target->disk);
	for (stage = 0; stage < latencies->n; stage++)
		svg_stage(latencies, stage, first, last);
	puts("</svg>");
}

static enum tool_status show(const struct target *target, struct store *store,
			     const struct device *dev, int format)
{
	bool local = device_is_local(store, dev);
	struct latencies latencies;

	if (!store_settle(store))
		return TOOL_FAILED;
	if (!local || !latencies_read(dev, target->disk, &latencies)) {
		complain_no_counters(dev, target->disk);
		return TOOL_FAILED;
	}
	if (format == FORMAT_JSON)
		show_json(&latencies);
	else if (format == FORMAT_SVG)
		show_svg(target, &latencies);
	else
		show_text(&latencies);
	return TOOL_OK;
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

const struct command histogram_command = {
	.name = "histogram",
	.summary = "draw how long the stages of requests took",
	.usage =
	"Usage: xen-ioemu histogram [OPTIONS] DOMAIN DEVID DISK\n"
	"\n"
	"Draws, for each stage of a request, how many took how long. A line is for times\n"
	"from the one that it shows to twice that.\n"
	"\n"
	"  --svg           print a drawing as SVG\n"
	"  --json          print a JSON object\n"
	"  --backend N     number of the domain where the driver runs; default: 0\n",
	.run = run,
};
