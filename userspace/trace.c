// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu trace: the driver's trace events, as they happen.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain.h"
#include "host.h"
#include "json.h"
#include "target.h"

#define EVENTS		"events/xen_ioemu"

#define PAUSE_MS	1000	/* between two looks when nothing happens */

/**
 * struct trace - one run of the command
 * @target: whose events
 * @store: connection, if a domain was named
 * @as_json: --json
 */
struct trace {
	struct target target;
	struct store store;
	bool as_json;
};

static volatile sig_atomic_t stop;

static void note_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = write(fd, text, strlen(text));
		close(fd);
	}
	if (n < 0)
		complain("%s: %s", path, strerror(errno));
	return n >= 0;
}

/* Ends @text before the last @separator in it; returns what comes after that. */
static char *cut_last(char *text, const char *separator)
{
	char *next, *last = NULL;

	for (next = text; (next = strstr(next, separator)); next++)
		last = next;
	if (!last)
		return NULL;
	*last = '\0';
	return last + strlen(separator);
}

/* KEY=VALUE by themselves, hexadecimal ones as they are; the other words together. */
static void json_fields(struct json *json, char *fields)
{
	const char *words[16];
	size_t n = 0, i;
	char *word, *value;

	while ((word = strsep(&fields, " "))) {
		value = strchr(word, '=');
		if (value) {
			*value++ = '\0';
			if (*value && !value[strspn(value, "0123456789")])
				json_number(json, word, strtoull(value, NULL, 10));
			else
				json_string(json, word, value);
		} else if (*word && n < ARRAY_SIZE(words)) {
			words[n++] = word;
		}
	}
	json_open(json, "words", '[');
	for (i = 0; i < n; i++)
		json_string(json, NULL, words[i]);
	json_close(json, ']');
}

/*
 * "COMM-PID [CPU] FLAGS SECONDS.MICROSECONDS: EVENT: FIELDS", from its end: whoever
 * ran then has chosen COMM. False when it is not like that.
 */
static bool json_event(struct json *json, char *line)
{
	char *fields = cut_last(line, ": ");
	char *event = fields ? cut_last(line, ": ") : NULL;
	char *when = event ? cut_last(line, " ") : NULL;
	char *cpu = when ? cut_last(line, "[") : NULL;
	uint64_t seconds, us;
	unsigned int number;

	if (!cpu || sscanf(cpu, "%u]", &number) != 1 ||
	    sscanf(when, "%" SCNu64 ".%6" SCNu64, &seconds, &us) != 2)
		return false;
	json_number(json, "time-us", seconds * 1000000 + us);
	json_number(json, "cpu", number);
	json_string(json, "event", event);
	json_fields(json, fields);
	return true;
}

static void show_json(char *line)
{
	char *whole = xstrdup(line);
	unsigned int cpu;
	uint64_t lost = 0;
	struct json json;
	int n;

	json_init(&json, stdout);
	json.one_line = true;
	json_open(&json, NULL, '{');
	n = sscanf(line, "CPU:%u [LOST %" SCNu64, &cpu, &lost);
	if (n > 0) {
		json_number(&json, "cpu", cpu);
		if (n > 1)
			json_number(&json, "lost", lost);
		else
			json_string(&json, "lost", NULL);
	} else if (!json_event(&json, line)) {
		json_string(&json, "text", whole);
	}
	json_close(&json, '}');
	free(whole);
}

/* All whole lines; returns how many bytes are left of one that is not. */
static size_t show_lines(char *text, size_t n)
{
	char *line = text, *end;

	while ((end = memchr(line, '\n', n))) {
		*end++ = '\0';
		show_json(line);
		n -= (size_t)(end - line);
		line = end;
	}
	memmove(text, line, n);
	return n;
}

/*
 * Waits for events. There are none of a domain that is gone, and so nothing is missed
 * when it is looked for after a while without any. That also ends the wait when a
 * signal came just before it.
 */
static enum tool_status wait_events(struct trace *trace, int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	if (poll(&pollfd, 1, PAUSE_MS) || stop)
		return TOOL_OK;
	return target_known(&trace->target, &trace->store);
}

/* What is asked to stop waits no more; nor does what nobody reads any more. */
static enum tool_status copy_all(struct trace *trace, int fd, const char *path)
{
	enum tool_status status = TOOL_OK;
	char buffer[65536];
	size_t have = 0;
	ssize_t n;

	while (!stop && status == TOOL_OK) {
		n = read(fd, buffer + have, sizeof(buffer) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			status = wait_events(trace, fd);
			continue;
		}
		if (n < 0) {
			complain("%s: %s", path, strerror(errno));
			return TOOL_FAILED;
		}
		if (!n)
			break;
		have += (size_t)n;
		if (trace->as_json) {
			have = show_lines(buffer, have);
		} else {
			fwrite(buffer, 1, have, stdout);
			have = 0;
		}
		if (fflush(stdout))
			break;
	}
	return status;
}

static enum tool_status copy(struct trace *trace, const char *dir)
{
	enum tool_status status;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/trace_pipe", dir);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		complain("%s: %s", path, strerror(errno));
		return TOOL_FAILED;
	}
	status = copy_all(trace, fd, path);
	close(fd);
	return status;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

/* @before: filled with what they did. Those that nohup or a shell ignores stay so. */
static void catch_signals(struct sigaction *before)
{
	struct sigaction action = { .sa_handler = note_stop };
	size_t i;

	/* Without SA_RESTART: what waits is to end. */
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

static void ignore_signals(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

static void restore_signals(const struct sigaction *before)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
}

/* In an instance of its own, whoever else traces is not disturbed. */
static enum tool_status trace_in(const char *dir, const char *filter,
				 struct trace *trace)
{
	struct sigaction before[ARRAY_SIZE(signals)];
	enum tool_status status = TOOL_FAILED;

	stop = 0;
	/* Before, since it takes a while: who is killed then leaves the instance. */
	catch_signals(before);
	if (mkdir(dir, 0700)) {
		complain("%s: %s; is tracefs mounted, and are you root?", dir,
			 strerror(errno));
		restore_signals(before);
		return TOOL_FAILED;
	}
	if ((!filter[0] || write_file(dir, EVENTS "/filter", filter)) &&
	    write_file(dir, EVENTS "/enable", "1"))
		status = copy(trace, dir);
	ignore_signals();
	write_file(dir, EVENTS "/enable", "0");
	if (rmdir(dir))
		complain("%s: %s", dir, strerror(errno));
	restore_signals(before);
	return status;
}

static bool parse(struct trace *trace, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument,	   NULL, 'j' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return false;	/* getopt_long() has complained */
		trace->as_json = true;
	}
	return target_parse(&trace->target, "trace", argc, argv, 0, 1);
}

static enum tool_status run(int argc, char **argv)
{
	struct trace trace = { };
	enum tool_status status;
	char dir[256], filter[64] = "";
	struct device dev;

	if (!parse(&trace, argc, argv))
		return TOOL_USAGE;
	if (!host_exists(TRACEFS "/" EVENTS)) {
		complain("no trace events: %s",
			 host_exists("/sys/module/xen_ioemu") ?
			 "tracefs is not mounted (mount -t tracefs none " TRACEFS ")" :
			 "the module is not loaded (modprobe xen-ioemu)");
		return TOOL_FAILED;
	}
	if (trace.target.domain) {
		if (!store_open(&trace.store))
			return TOOL_FAILED;
		status = target_find(&trace.target, &trace.store, &dev);
		if (status != TOOL_OK)
			goto out;
		snprintf(filter, sizeof(filter), "domid == %u",
			 trace.target.domid);
	}
	host_path(dir, sizeof(dir), TRACE_INSTANCE "%d", (int)getpid());
	status = trace_in(dir, filter, &trace);
out:
	store_close(&trace.store);
	return status;
}

const struct command trace_command = {
	.name = "trace",
	.summary = "show decoded commands as they happen",
	.usage =
	"Usage: xen-ioemu trace [OPTIONS] [DOMAIN]\n"
	"\n"
	"Shows the module's trace events, of all domains or of DOMAIN, until it is\n"
	"interrupted or DOMAIN ends, which it does when it reboots (exit status 3):\n"
	"accesses, registers, commands and their completion. Costs time for every request\n"
	"while it runs.\n"
	"\n"
	"  --json          print a JSON object a line\n",
	.run = run,
};
