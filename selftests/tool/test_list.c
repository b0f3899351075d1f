// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu list, for people and as JSON.
 */
#include <string.h>

#include "harness.h"

#define HEADER	"DOMID NAME                 DEVID MODEL    SLOT STATE\n"

static void prepare(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --serial C%1 --disk params=/dev/fake0,serial=S --disk params=/dev/fake1,mode=r");
	fake_xs.on_change = NULL;

	/* A domain that is gone, a driver that has failed. */
	fake_xs_set("/local/domain/0/backend/ioemu/12/2/state", "6");
	fake_xs_set("/local/domain/0/backend/ioemu/12/2/model", "nvme");
	fake_xs_set("/local/domain/0/error/backend/ioemu/12/2/error",
		    "16 disk/0/params: busy");
}

static void text(void)
{
	fresh_store();
	tool_says("list", 0, "");
	same(tool_out, HEADER, "no devices");

	prepare();
	tool_says("list", 0, "");
	same(tool_out, HEADER
	     "    3 guest                    0 nvme     16   Connected serial C 1\n"
	     "      disk 0: /dev/fake0 mode w serial S\n"
	     "      disk 1: /dev/fake1 mode r\n"
	     "   12 -                        2 nvme     -    Closed\n"
	     "      error: disk/0/params: busy\n", "all devices");
	tool("list 12");
	same(tool_out, HEADER
	     "   12 -                        2 nvme     -    Closed\n"
	     "      error: disk/0/params: busy\n", "one domain's devices");
	tool("list guest --backend 5");
	same(tool_out, HEADER, "another backend's devices");
	tool_says("list nobody", 3, "no domain 'nobody'");
	tool_says("list 99", 3, "there is no domain 99");
	tool_says("list 12 --backend 5", 3, "there is no domain 12");
	fake_xs.refuse_open = true;
	tool_says("list", 1, "cannot connect to xenstore");
}

/* What was made of a file is shown with it. */
static void files(void)
{
	fresh_store();
	fake_xs.on_change = driver_connects;
	tool("attach guest --disk params=/srv/disk.img");
	tool("list guest");
	same(tool_out, HEADER
	     "    3 guest                    0 nvme     16   Connected\n"
	     "      disk 0: /dev/loop7 (/srv/disk.img) mode w\n", "a file");
	tool("list --json guest");
	out_has("\"file\": \"/srv/disk.img\",", "a file as JSON");

	/* Of another domain's devices nothing is known here. */
	fake_xs_set("/local/domain/5/backend/ioemu/3/0/disk/0/params",
		    "/dev/loop7");
	tool("list --backend 5 guest");
	out_has("      disk 0: /dev/loop7 mode", "no file of another domain");
	tool("show --backend 5 guest 0");
	ok(!strstr(tool_out, "bytes:"), "nor a size");
}

/* Nothing is wrong with it; there is nothing to show. */
static void no_controller(void)
{
	static const char said[] = "domain 3 has no emulated controller";

	fresh_store();
	tool_says("list guest", 0, said);
	same(tool_out, HEADER, "no controllers of it");
	tool_says("list --json guest", 0, said);
	same(tool_out, "[]\n", "as JSON");
	tool_says("stats guest", 0, said);
	same(tool_out, "", "no counters of it");
	tool_says("stats --json guest", 0, said);
	same(tool_out, "[]\n", "as JSON");
	tool_says("top --interval 1 --count 1 --json guest", 0, said);
	same(tool_out, "[]\n", "no rates of it");
	tool_says("show guest 0", 3, "domain 3 has no device 0");
	tool_says("list", 0, "");
	ok(!*tool_err, "that no domain has one needs no words");
}

static void json(void)
{
	fresh_store();
	tool_says("list --json", 0, "");
	same(tool_out, "[]\n", "no devices as JSON");

	prepare();
	tool("list --json");
	same(tool_out,
	     "[\n"
	     "  {\n"
	     "    \"domid\": 3,\n"
	     "    \"name\": \"guest\",\n"
	     "    \"devid\": 0,\n"
	     "    \"backend-id\": 0,\n"
	     "    \"model\": \"nvme\",\n"
	     "    \"slot\": 16,\n"
	     "    \"serial\": \"C 1\",\n"
	     "    \"state\": \"Connected\",\n"
	     "    \"disks\": [\n"
	     "      {\n"
	     "        \"index\": 0,\n"
	     "        \"params\": \"/dev/fake0\",\n"
	     "        \"file\": null,\n"
	     "        \"mode\": \"w\",\n"
	     "        \"serial\": \"S\"\n"
	     "      },\n"
	     "      {\n"
	     "        \"index\": 1,\n"
	     "        \"params\": \"/dev/fake1\",\n"
	     "        \"file\": null,\n"
	     "        \"mode\": \"r\",\n"
	     "        \"serial\": null\n"
	     "      }\n"
	     "    ],\n"
	     "    \"error\": null\n"
	     "  },\n"
	     "  {\n"
	     "    \"domid\": 12,\n"
	     "    \"name\": null,\n"
	     "    \"devid\": 2,\n"
	     "    \"backend-id\": 0,\n"
	     "    \"model\": \"nvme\",\n"
	     "    \"slot\": null,\n"
	     "    \"serial\": null,\n"
	     "    \"state\": \"Closed\",\n"
	     "    \"disks\": [],\n"
	     "    \"error\": \"disk/0/params: busy\"\n"
	     "  }\n"
	     "]\n", "all devices as JSON");
}

/* Whoever writes a node must not steer the terminal, nor break the JSON. */
static void strange_strings(void)
{
	fresh_store();
	fake_xs_set("/local/domain/3/name",
		    "\033[2J\"\\ \xc3\xa4 \xff\xe2\x82\xac\xed\xa0\x80 a name that is much too long");
	fake_xs_set(BACKEND "/state", "99");
	fake_xs_set(BACKEND "/slot", "4294967295");
	tool("list");
	same(tool_out, HEADER
	     "    3 ?[2J\"\\ ?? ??????? a name that is much too long     0 -        4294967295 Unknown\n",
	     "strange strings");
	tool("list --json 3");
	same(tool_out,
	     "[\n"
	     "  {\n"
	     "    \"domid\": 3,\n"
	     "    \"name\": \"\\u001b[2J\\\"\\\\ \xc3\xa4 \\ufffd\xe2\x82\xac\\ufffd\\ufffd\\ufffd a name that is much too long\",\n"
	     "    \"devid\": 0,\n"
	     "    \"backend-id\": 0,\n"
	     "    \"model\": null,\n"
	     "    \"slot\": null,\n"
	     "    \"serial\": null,\n"
	     "    \"state\": \"Unknown\",\n"
	     "    \"disks\": [],\n"
	     "    \"error\": null\n"
	     "  }\n"
	     "]\n", "strange strings as JSON");
}

void test_list(void)
{
	text();
	files();
	no_controller();
	json();
	strange_strings();
}
