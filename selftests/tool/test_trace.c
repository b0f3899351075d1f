// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu trace, against a tracefs of files.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../../userspace/host.h"
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

static void quit_late(void)
{
	fake_read = NULL;
	raise(SIGQUIT);
}

/* What ends a program with a core file elsewhere, does not here. */
static void sigquit(void)
{
	struct sigaction action = { .sa_handler = late_signal };

	sigaction(SIGQUIT, &action, NULL);
	signal_again = false;
	fake_read = quit_late;
	tool_says("trace guest", 0, "");
	ok(!signal_again && !host_exists(TRACE_INSTANCE "%d", (int)getpid()),
	   "SIGQUIT ends it, and its instance goes");
	signal(SIGQUIT, SIG_DFL);
}

static const char one_event[] =
	"  x-1 [000] .....   1.000000: ioemu_nvme_ctrl: domid=3 slot=16\n";

static void event_and_end(void)
{
	fake_trace(one_event);
	fake_read = interrupted_late;
}

static void sighup_and_event(void)
{
	raise(SIGHUP);
	fake_trace(one_event);
	fake_read = event_and_end;
}

static void nohup(void)
{
	signal(SIGHUP, SIG_IGN);
	fake_read = sighup_and_event;
	tool_says("trace guest", 0, "");
	out_has("slot=16\n  x-1", "a signal that nohup ignores does not end it");
	ok(signal(SIGHUP, SIG_DFL) == SIG_IGN, "and is ignored still");
}

static void broken_reads(void)
{
	fake_read = event_and_end;
	fake_read_error = EINTR;
	tool_says("trace guest", 0, "");
	same(tool_out, one_event, "a read that is interrupted is repeated");
	fake_read = NULL;
	fake_read_error = EIO;
	tool_says("trace guest", 1, "/trace_pipe: Input/output error");
	ok(!host_exists(TRACE_INSTANCE "%d", (int)getpid()),
	   "after one that fails, its instance goes too");
}

static const char events[] =
	"     ioemu-3-0-812     [001] .....   123.000456: ioemu_nvme_cmd: domid=3 slot=16 qid=1 cid=7 opcode=0x2 read flags=0x0 nsid=0x1 cdw10=0x0 cdw11=0x0 cdw12=0x7 prp1=0x1f000 prp2=0x0\n"
	" a: b [c: \"-5 [000] d.h1.  9124.999999: ioemu_ioreq: domid=3 vcpu=0 mmio write addr=0xf2000008 size=4 count=1 data=0x1 irq\n"
	"CPU:1 [LOST 25 EVENTS]\n"
	"CPU:0 [LOST EVENTS]\n"
	"what is this?\n"
	"  x-1 [000] .....   1.000000: ioemu_nvme_ctrl: domid=3 sl";

/* A line comes in two parts, the last one not at all. */
static void events_come(void)
{
	static unsigned int reads;
	char part[] = { events[reads], '\0' };

	/* Every byte by itself, until the reader is asked to stop. */
	if (events[reads]) {
		fake_trace(part);
		reads++;
		return;
	}
	reads = 0;
	interrupted_late();
}

static void as_json(void)
{
	fresh_store();
	fake_file("/sys/kernel/tracing/events/xen_ioemu/enable", "0");
	fake_file("/sys/kernel/tracing/instances/x", "");
	fake_read = events_come;
	tool_says("trace guest", 0, "");
	same(tool_out, events, "events as the kernel has them");
	fake_read = events_come;
	tool_says("trace --json guest", 0, "");
	same(tool_out,
	     "{\"time-us\": 123000456, \"cpu\": 1, \"event\": \"ioemu_nvme_cmd\", \"domid\": 3, \"slot\": 16, \"qid\": 1, \"cid\": 7, \"opcode\": \"0x2\", \"flags\": \"0x0\", \"nsid\": \"0x1\", \"cdw10\": \"0x0\", \"cdw11\": \"0x0\", \"cdw12\": \"0x7\", \"prp1\": \"0x1f000\", \"prp2\": \"0x0\", \"words\": [\"read\"]}\n"
	     "{\"time-us\": 9124999999, \"cpu\": 0, \"event\": \"ioemu_ioreq\", \"domid\": 3, \"vcpu\": 0, \"addr\": \"0xf2000008\", \"size\": 4, \"count\": 1, \"data\": \"0x1\", \"words\": [\"mmio\", \"write\", \"irq\"]}\n"
	     "{\"cpu\": 1, \"lost\": 25}\n"
	     "{\"cpu\": 0, \"lost\": null}\n"
	     "{\"text\": \"what is this?\"}\n", "events as JSON");
	tool_says("trace --svg", 2, "unrecognized option");
}

static void domain_goes(void)
{
	fake_trace(one_event);
	fake_xs_remove("/local/domain/3");
	fake_read = NULL;
}

static void others_go(void)
{
	fake_xs_remove("/local/domain/4");
	fake_read = interrupted_late;
}

/* It has rebooted, perhaps: nothing of its old number comes any more. */
static void gone(void)
{
	fresh_store();
	fake_read = domain_goes;
	alarm(30);
	tool_says("trace guest", 3, "there is no domain 3");
	alarm(0);
	same(tool_out, one_event, "what it did before is shown");
	ok(!host_exists(TRACE_INSTANCE "%d", (int)getpid()),
	   "the instance goes too");
	fresh_store();
	fake_xs_set("/local/domain/4/name", "other");
	fake_read = others_go;
	tool_says("trace guest", 0, "");
	fresh_store();
	fake_read = domain_goes;
	alarm(3);
	tool_says("trace", 0, "");
	alarm(0);
	ok(signal_again, "the trace of all domains goes on");
}

void test_trace(void)
{
	as_json();
	one_signal();
	sigquit();
	nohup();
	broken_reads();
	gone();
	forget_fake_files();
}
