// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu detach against a made-up driver.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static void attach_two(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --disk params=/dev/fake0");
	tool("attach guest --disk params=/dev/fake1");
	fake_xs.on_change = NULL;
}

static bool gone(void)
{
	return !fake_xs_count(BACKEND) && !fake_xs_count(FRONTEND) &&
	       !fake_xs_count(DRIVER_ERROR);
}

static bool saw_offline;

static void notes_and_closes(void)
{
	const char *online = fake_xs_get(BACKEND "/online");
	const char *state = fake_xs_get(BACKEND "/state");

	if (online && !strcmp(online, "0") && state && !strcmp(state, "4"))
		saw_offline = true;
	driver_closes();
}

static void orderly(void)
{
	attach_two();
	fake_xs_set(DRIVER_ERROR "/error", "5 something once");
	saw_offline = false;
	fake_xs.on_change = notes_and_closes;
	tool_says("detach guest 0", 0, "");
	ok(saw_offline, "the driver saw online = 0 while it was connected");
	ok(gone(), "all nodes are gone");
	ok(fake_xs_get("/local/domain/0/backend/ioemu/3/1/state") &&
	   fake_xs_get("/local/domain/3/ioemu/1/state"),
	   "the other device stays");
	tool_says("detach guest 0", 3, "domain 3 has no device 0");
	tool_says("detach --force 3 1", 0, "");
	ok(!fake_xs_count("/local/domain/0/backend/ioemu/3") &&
	   !fake_xs_count("/local/domain/3/ioemu"),
	   "empty directories go with the last device");
}

static void closes_later(void)
{
	const char *state = fake_xs_get(BACKEND "/state");

	if (state && !strcmp(state, "5"))
		fake_xs_set(BACKEND "/state", "6");
}

static void starts_closing(void)
{
	const char *state = fake_xs_get(FRONTEND "/state");

	if (state && !strcmp(state, "5"))
		fake_xs_set(BACKEND "/state", "5");
}

static void slow(void)
{
	attach_two();
	fake_xs.on_change = starts_closing;
	fake_xs.on_watch = closes_later;
	tool_says("detach guest 0", 0, "");
	ok(gone(), "a driver that takes its time");

	attach_two();
	tool_says("detach --timeout 1 guest 0", 4,
		  "not closed after 1 s, its state is Connected; its nodes stay, --force");
	ok(fake_xs_get(BACKEND "/model") && fake_xs_get(FRONTEND "/backend"),
	   "after a timeout the nodes stay");
	tool_says("detach --force guest 0", 0, "");
	ok(gone(), "--force removes them");
}

static void vanishes(void)
{
	const char *state = fake_xs_get(FRONTEND "/state");

	if (state && !strcmp(state, "5"))
		fake_xs_remove(BACKEND);
}

static void domain_goes(void)
{
	fake_xs_remove("/local/domain/3");
	fake_xs_remove(BACKEND);
}

static void ruins(void)
{
	attach_two();
	fake_xs.on_transaction = domain_goes;
	tool_says("detach 3 0", 0, "");
	ok(gone() && !fake_xs_count("/local/domain/3"),
	   "the domain goes at the last moment: nothing of it comes back");

	attach_two();
	fake_xs_remove("/local/domain/3");
	tool_says("detach 3 0", 0, "");
	ok(gone() && !fake_xs_count("/local/domain/3"),
	   "the domain is gone: nothing of it comes back");
	tool_says("detach guest 1", 3, "no domain 'guest'");

	attach_two();
	fake_xs_remove(BACKEND);
	tool_says("detach guest 0", 0, "");
	ok(gone(), "the backend directory was gone");

	attach_two();
	fake_xs.on_change = vanishes;
	tool_says("detach guest 0", 0, "");
	ok(gone(), "the backend directory goes meanwhile");

	fresh_store();
	tool_says("detach nobody 0", 3, "no domain 'nobody'");
	tool_says("detach --backend 5 guest 0", 3, "no device 0");
	fake_xs.refuse_open = true;
	tool_says("detach guest 0", 1, "cannot connect to xenstore");
}

static void conflicts(void)
{
	attach_two();
	fake_xs.on_change = driver_closes;
	fake_xs.conflicts = 2;
	tool_says("detach guest 0", 0, "");
	ok(gone(), "transactions with conflicts are repeated");
}

static void other_backend(void)
{
	attach_two();
	tool_says("detach --backend 5 guest 0", 3, "domain 3 has no device 0");
	ok(fake_xs_get(FRONTEND "/backend") && fake_xs_get(BACKEND "/model"),
	   "the device of another backend stays");
}

/* What could not be looked for is not said to be missing. */
static void failing_calls(const char *ruin)
{
	unsigned int call;
	bool good = true;
	int status;

	for (call = 1; ; call++) {
		attach_two();
		fake_xs_remove(ruin);
		fake_xs.on_change = driver_closes;
		fake_xs.calls = 0;
		fake_xs.fail_call = call;
		status = tool("detach 3 0");
		if (fake_xs.calls < call)
			break;
		if (!fake_xs_open_ends() &&
		    (status ? status == 1 && tool_err[0] : gone()))
			continue;
		printf("# call %u: status %d, %s\n", call, status, tool_err);
		good = false;
	}
	ok(good && call > 10,
	   "without '%s', each of %u calls to xenstore fails in turn", ruin,
	   call - 1);
}

void test_detach(void)
{
	orderly();
	slow();
	ruins();
	conflicts();
	other_backend();
	failing_calls("/nothing");
	failing_calls(FRONTEND);
	failing_calls(BACKEND);
}
