// SPDX-License-Identifier: GPL-2.0
/*
 * exits FILE: how often HVM guests left for Xen, and with which exit codes of the
 * processor, of a record of xentrace, as one JSON object. Only what lies between
 * the first and the last exit is known.
 */
#include <stdint.h>
#include <stdio.h>

#include <xenctrl.h>
#include <xen/trace.h>

#define CODES	0x800

static unsigned long long codes[CODES];

int main(int argc, char **argv)
{
	const char *comma = "";
	unsigned long long exits = 0, first = 0, last = 0, now;
	xc_physinfo_t physinfo = { 0 };
	uint32_t head, extra[9];
	unsigned int n, event;
	xc_interface *xch;
	FILE *f;

	f = argc == 2 ? fopen(argv[1], "r") : NULL;
	xch = xc_interface_open(NULL, NULL, 0);
	if (!f || !xch || xc_physinfo(xch, &physinfo) || !physinfo.cpu_khz)
		return 1;
	while (fread(&head, sizeof(head), 1, f) == 1) {
		n = TRC_HD_EXTRA(head);
		if (TRC_HD_INCLUDES_CYCLE_COUNT(head))
			n += 2;
		if (n && fread(extra, sizeof(extra[0]), n, f) != n)
			break;
		event = TRC_HD_TO_EVENT(head);
		if (event != TRC_HVM_VMEXIT && event != TRC_HVM_VMEXIT64)
			continue;
		if (!TRC_HD_INCLUDES_CYCLE_COUNT(head))
			continue;
		now = extra[0] | (unsigned long long)extra[1] << 32;
		if (!exits++)
			first = now;
		last = now;
		if (n > 2 && extra[2] < CODES)
			codes[extra[2]]++;
	}
	fclose(f);
	printf("{\"exits\":%llu,\"ns\":%.0f,\"codes\":{", exits,
	       (last - first) * 1e6 / physinfo.cpu_khz);
	for (n = 0; n < CODES; n++) {
		if (!codes[n])
			continue;
		printf("%s\"%#x\":%llu", comma, n, codes[n]);
		comma = ",";
	}
	printf("}}\n");
	xc_interface_close(xch);
	return 0;
}
