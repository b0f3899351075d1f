// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu trace, against a tracefs of files.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static bool signal_again;

static void late_signal(int sig)
{
	(void)sig;
	signal_again = true;
	raise(SIGINT);
}

/* The signal comes after the look for one and before the read that waits. */
static void interrupted_late(void)
{
	fake_read = NULL;
	raise(SIGINT);
}

static void one_signal(void)
{
	struct sigaction action = { .sa_handler = late_signal };

	fresh_store();
	fake_file("/sys/kernel/tracing/events/xen_ioemu/enable", "0");
	fake_file("/sys/kernel/tracing/instances/x", "");
	sigaction(SIGALRM, &action, NULL);
	alarm(30);
	fake_read = interrupted_late;
	tool_says("trace guest", 0, "");
	alarm(0);
	ok(!signal_again, "one signal ends it");
}

void test_trace(void)
{
	one_signal();
	forget_fake_files();
}
