# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cost of reflection: how long the tiny guest waits for one read of a
# register, by who answers it: Xen (its local APIC), the module or QEMU (the
# version register of an NVMe controller). All three are memory accesses that Xen
# has to emulate.

TRAP_SAMPLES=${TRAP_SAMPLES:-2000}

# measure_trap PATH trap-idle|trap-loaded
measure_trap()
{
	local words=(-c 1) test=latency.version_read name=nvme-vs hogs=() result

	case $1 in
	xen) test=latency.xen_mmio name=xen-mmio words+=(-q "${DISKS[0]}") ;;
	qemu) words+=(-q "${DISKS[0]}") ;;
	ioemu) words+=(-k "$TOOL attach --disk params=${DISKS[0]}") ;;
	esac
	if [ "$2" = trap-loaded ]; then
		# One for each CPU of dom0, as a compiler would be.
		for _ in $(seq "$(nproc)"); do
			bash -c 'while :; do :; done' &
			hogs+=($!)
		done
	fi
	"$PAYLOAD/tiny-run" "${words[@]}" "$test" "samples=$TRAP_SAMPLES" >"$TMP/trap"
	[ ${#hogs[@]} -eq 0 ] || kill "${hogs[@]}"
	wait
	result=$(sed -n "s/^# *latency: $name  *//p" "$TMP/trap" | tr -d '\r')
	if [ -z "$result" ]; then
		cat "$TMP/trap"
		echo "@failed $row no result of the tiny guest"
		return
	fi
	echo "@row {\"row\":\"$row\",\"samples\":$TRAP_SAMPLES,\"ns\":[${result// /,}]}"
}
