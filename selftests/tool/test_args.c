// SPDX-License-Identifier: GPL-2.0
/*
 * The command line: what is refused, and in which words.
 */
#include <string.h>

#include "harness.h"

#define D	" --disk params=/dev/fake0"

struct bad_line {
	const char *args;
	const char *err;
};

static const struct bad_line bad_lines[] = {
	/* the tool */
	{ "attack", "'attack' is not a command" },
	{ "--frobnicate", "'--frobnicate' is not a command" },

	/* attach */
	{ "attach", "one DOMAIN" },
	{ "attach guest", "--disk is missing" },
	{ "attach guest other" D, "one DOMAIN, 2 were given" },
	{ "attach guest --nonsense" D, "nonsense" },
	{ "attach guest --disk", "disk" },
	{ "attach guest --model ahci" D, "'ahci' is not a model; accepted: nvme" },
	{ "attach guest --slot 2" D, "--slot: '2' is not a PCI device number; accepted: 3 to 31" },
	{ "attach guest --slot 32" D, "3 to 31" },
	{ "attach guest --slot -4" D, "3 to 31" },
	{ "attach guest --slot 4x" D, "3 to 31" },
	{ "attach guest --slot 0x4" D, "3 to 31" },
	{ "attach guest --slot %4" D, "3 to 31" },
	{ "attach guest --slot= " D, "--slot: ''" },
	{ "attach guest --slot 18446744073709551620" D, "3 to 31" },
	{ "attach guest --slot 4294967300" D, "3 to 31" },
	{ "attach guest --devid 65536" D, "--devid: '65536' is not a device number; accepted: 0 to 65535" },
	{ "attach guest --timeout 0" D, "--timeout: '0' is not a number of seconds; accepted: 1 to 3600" },
	{ "attach guest --timeout 3601" D, "1 to 3600" },
	{ "attach guest --backend 32752" D, "--backend: '32752' is not a domain number" },
	{ "attach guest --serial 123456789012345678901" D, "--serial: '123456789012345678901' is not a serial number; accepted: 1 to 20" },
	{ "attach guest --serial=" D, "1 to 20 printable" },
	{ "attach guest --serial \xc3\xa4" D, "1 to 20 printable" },
	{ "attach guest --serial a\tb" D, "1 to 20 printable" },

	/* --disk */
	{ "attach guest --disk=", "'' is not of the form KEY=VALUE" },
	{ "attach guest --disk /dev/fake0", "'/dev/fake0' is not of the form KEY=VALUE; accepted: params=PATH" },
	{ "attach guest --disk mode=r", "params= is missing" },
	{ "attach guest --disk params=", "params=''; accepted: the absolute path" },
	{ "attach guest --disk params=dev/fake0", "params='dev/fake0'; accepted: the absolute path" },
	{ "attach guest --disk params=/dev/fake0,mode=rw", "mode='rw'; accepted: r (read only) or w" },
	{ "attach guest --disk params=/dev/fake0,mode=", "mode=''" },
	{ "attach guest --disk params=/dev/file,format=qcow2", "format='qcow2'; accepted: raw; convert it (qemu-img convert -O raw OLD NEW)" },
	{ "attach guest --disk params=/dev/fake0,size=1", "unknown key 'size'" },
	{ "attach guest --disk params=/dev/fake0,=1", "unknown key ''" },
	{ "attach guest --disk params=/dev/fake0,", "'' is not of the form" },
	{ "attach guest --disk params=/dev/fake0,mode=r,mode=w", "key 'mode' is given twice" },
	{ "attach guest --disk params=/dev/fake0,params=/dev/fake1", "key 'params' is given twice" },
	{ "attach guest --disk params=/dev/fake0,serial=", "--disk: serial: ''" },
	{ "attach guest --disk params=/dev/fake0,serial=123456789012345678901", "1 to 20 printable" },
	{ "attach guest --disk params=/dev/none", "params='/dev/none': No such file" },
	{ "attach guest --disk params=/dev/dir", "'/dev/dir' is not a block device or file" },
	{ "attach guest --disk params=/dev/fake0,iops-limit=many", "iops-limit='many'; accepted: a number" },
	{ "attach guest --disk params=/dev/fake0,bw-limit=1T", "bw-limit='1T'; accepted: a number" },
	{ "attach guest --disk params=/dev/fake0,bw-limit=99999999999999999999", "accepted: a number" },
	{ "attach guest" D " --disk params=/dev/none", "params='/dev/none'" },

	/* detach */
	{ "detach", "DOMAIN and DEVID" },
	{ "detach guest", "DOMAIN and DEVID, 1 arguments" },
	{ "detach guest 0 1", "DOMAIN and DEVID, 3 arguments" },
	{ "detach guest x", "DEVID: 'x' is not a device number; accepted: 0 to 65535" },
	{ "detach guest -1", "1" },
	{ "detach --timeout soon guest 0", "--timeout: 'soon'" },
	{ "detach --disk x guest 0", "disk" },

	/* list */
	{ "list guest other", "one DOMAIN at the most" },
	{ "list --backend x", "--backend: 'x'" },
	{ "list --xml", "xen-ioemu list: unrecognized option '--xml'" },

	/* formats */
	{ "histogram --json --svg guest 0 0", "--json and --svg: one of them at a time" },
	{ "stats --openmetrics --json", "--openmetrics and --json: one of them" },

	/* help */
	{ "help attack", "'attack' is not a command" },
};

static void refused(void)
{
	unsigned int before;
	size_t i;

	for (i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		fresh_store();
		before = fake_xs_count("/local");
		tool_says(bad_lines[i].args, 2, bad_lines[i].err);
		if (fake_xs_count("/local") != before || tool_out[0])
			ok(false, "and it neither writes nor prints");
	}
}

static void help(void)
{
	static const char *const commands[] = { "attach", "detach", "list" };
	static const char *const ways[] = { "%s --help", "%s -h", "help %s" };
	char args[32], usage[64];
	size_t j;
	size_t i;

	ok(tool("") == 2 && strstr(tool_err, "Usage:") && !tool_out[0],
	   "without arguments: usage on standard error");
	ok(!tool("--help") && strstr(tool_out, "Usage:") && !tool_err[0],
	   "--help: usage on standard output");
	ok(!tool("--version") && !strncmp(tool_out, "xen-ioemu ", 10),
	   "--version");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(usage, sizeof(usage), "Usage: xen-ioemu %s ",
			 commands[i]);
		for (j = 0; j < sizeof(ways) / sizeof(ways[0]); j++) {
			snprintf(args, sizeof(args), ways[j], commands[i]);
			ok(!tool(args) && strstr(tool_out, usage) &&
			   !tool_err[0], "%s", args);
		}
	}
	ok(!tool("help") && strstr(tool_out, "Commands:") && !tool_err[0],
	   "help");
}

void test_args(void)
{
	help();
	refused();
}
