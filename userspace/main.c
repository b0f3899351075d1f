// SPDX-License-Identifier: GPL-2.0
/*
 * xen-ioemu: give emulated storage controllers to Xen HVM domains.
 */
#include <string.h>

#include "tool.h"

static const struct command *const commands[] = {
	&attach_command,
	&detach_command,
	&attach_disk_command,
	&detach_disk_command,
	&list_command,
	&show_command,
	&limit_command,
	&resize_command,
	&stats_command,
	&top_command,
	&histogram_command,
	&trace_command,
	&check_command,
};

static void usage(FILE *out)
{
	size_t i;

	fputs("Usage: xen-ioemu COMMAND [ARGUMENTS]\n"
	      "       xen-ioemu COMMAND --help | help COMMAND\n"
	      "       xen-ioemu --help | --version\n"
	      "\n"
	      "Gives emulated storage controllers of the xen-ioemu module to HVM domains.\n"
	      "\n"
	      "Commands:\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("\n"
	      "Exit status: 0 success, 1 refused or failed, 2 wrong usage, 3 no such domain\n"
	      "or device, 4 no answer in time.\n", out);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	complain("'%s' is not a command; see xen-ioemu --help", name);
	return NULL;
}

/* "xen-ioemu attach --help" needs neither a domain nor a connection. */
static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return false;
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

static enum tool_status help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		usage(stdout);
		return TOOL_OK;
	}
	command = find_command(argv[2]);
	if (!command)
		return TOOL_USAGE;
	fputs(command->usage, stdout);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	const struct command *command;
	enum tool_status status;
	char name[64];

	if (argc < 2) {
		usage(stderr);
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("xen-ioemu " VERSION);
		return TOOL_OK;
	}

	command = find_command(argv[1]);
	if (!command)
		return TOOL_USAGE;
	if (wants_help(argc - 1, argv + 1)) {
		fputs(command->usage, stdout);
		return TOOL_OK;
	}
	/* What getopt_long() says begins with it. */
	snprintf(name, sizeof(name), "xen-ioemu %s", command->name);
	argv[1] = name;
	status = command->run(argc - 1, argv + 1);
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to standard output");
		if (status == TOOL_OK)
			status = TOOL_FAILED;
	}
	return status;
}
