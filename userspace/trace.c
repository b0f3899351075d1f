// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu trace: the driver's trace events, as they happen.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain.h"
#include "host.h"
#include "target.h"

#define TRACEFS		"/sys/kernel/tracing"
#define EVENTS		"events/xen_ioemu"

static volatile sig_atomic_t stop, pipe_fd = -1;

/* A read that waits is ended by the signal, one that begins later does not wait. */
static void note_stop(int sig)
{
	int err = errno;

	(void)sig;
	stop = 1;
	if (pipe_fd >= 0)
		fcntl(pipe_fd, F_SETFL, O_NONBLOCK);
	errno = err;
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

static enum tool_status copy(const char *dir)
{
	char path[512], buffer[65536];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/trace_pipe", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain("%s: %s", path, strerror(errno));
		return TOOL_FAILED;
	}
	pipe_fd = fd;
	while (!stop) {
		n = read(fd, buffer, sizeof(buffer));
		if (n <= 0)
			break;
		fwrite(buffer, 1, (size_t)n, stdout);
		if (fflush(stdout))
			break;
	}
	pipe_fd = -1;
	close(fd);
	return TOOL_OK;
}

static void on_signals(void (*handler)(int sig))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction action = { .sa_handler = handler };
	size_t i;

	/* Without SA_RESTART: a read that waits is to end. */
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* In an instance of its own, whoever else traces is not disturbed. */
static enum tool_status trace(const char *dir, const char *filter)
{
	enum tool_status status = TOOL_FAILED;

	if (mkdir(dir, 0700)) {
		complain("%s: %s; is tracefs mounted, and are you root?", dir,
			 strerror(errno));
		return TOOL_FAILED;
	}
	stop = 0;
	on_signals(note_stop);
	if ((!filter[0] || write_file(dir, EVENTS "/filter", filter)) &&
	    write_file(dir, EVENTS "/enable", "1"))
		status = copy(dir);
	on_signals(SIG_IGN);
	write_file(dir, EVENTS "/enable", "0");
	if (rmdir(dir))
		complain("%s: %s", dir, strerror(errno));
	on_signals(SIG_DFL);
	return status;
}

static bool parse(struct target *target, int argc, char **argv)
{
	static const struct option options[] = { { } };

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		return false;	/* getopt_long() has complained */
	return target_parse(target, "trace", argc, argv, 0, 1);
}

static enum tool_status run(int argc, char **argv)
{
	struct target target = { };
	enum tool_status status;
	char dir[256], filter[64] = "";
	struct device dev;
	struct store store;

	if (!parse(&target, argc, argv))
		return TOOL_USAGE;
	if (!host_exists(TRACEFS "/" EVENTS)) {
		complain("no trace events: %s",
			 host_exists("/sys/module/xen_ioemu") ?
			 "tracefs is not mounted (mount -t tracefs none " TRACEFS ")" :
			 "the module is not loaded (modprobe xen-ioemu)");
		return TOOL_FAILED;
	}
	if (target.domain) {
		if (!store_open(&store))
			return TOOL_FAILED;
		status = target_find(&target, &store, &dev);
		store_close(&store);
		if (status != TOOL_OK)
			return status;
		snprintf(filter, sizeof(filter), "domid == %u", target.domid);
	}
	host_path(dir, sizeof(dir), TRACEFS "/instances/xen-ioemu-%d",
		  (int)getpid());
	return trace(dir, filter);
}

const struct command trace_command = {
	.name = "trace",
	.summary = "show decoded commands as they happen",
	.usage =
	"Usage: xen-ioemu trace [DOMAIN]\n"
	"\n"
	"Shows the module's trace events, of all domains or of DOMAIN, until it is\n"
	"interrupted: accesses, registers, commands and their completion. Costs time for\n"
	"every request while it runs.\n",
	.run = run,
};
