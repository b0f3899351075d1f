// SPDX-License-Identifier: GPL-2.0
/*
 * Files that hold a disk in a format of their own.
 */
#include <string.h>

#include "host.h"
#include "image.h"

#define FOOTER	512	/* bytes; at the end of every VHD */

/* Formats that QEMU and other hypervisors have, by what stands at an offset. */
static const struct magic {
	const char *format;
	size_t offset;
	const char *text;
} magics[] = {
	{ "qcow2", 0, "QFI\xfb" },
	{ "VHDX", 0, "vhdxfile" },
	{ "VHD", 0, "conectix" },
	{ "VMDK", 0, "KDMV" },
	{ "VMDK", 0, "COWD" },
	{ "VMDK", 0, "# Disk DescriptorFile" },
	{ "VDI", 0x40, "\x7f\x10\xda\xbe" },
};

const char *image_format(const char *path)
{
	char head[128] = "", footer[9] = "";
	FILE *f = host_open("%s", path);
	const struct magic *magic;
	size_t i;

	if (!f)
		return NULL;
	/* A VHD of fixed size has the blocks first. */
	if (fread(head, 1, sizeof(head), f) && !fseeko(f, -FOOTER, SEEK_END))
		footer[fread(footer, 1, sizeof(footer) - 1, f)] = '\0';
	fclose(f);

	for (i = 0; i < ARRAY_SIZE(magics); i++) {
		magic = &magics[i];
		if (!memcmp(head + magic->offset, magic->text,
			    strlen(magic->text)))
			return magic->format;
	}
	return strcmp(footer, "conectix") ? NULL : "VHD";
}
