#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tiny guest's suites, which drive the controller register by register. Each
# run of the guest is a TAP document, with every test of its suites; the last
# document is about what the runs left behind.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
set -o pipefail

# The domain is built and paused: give it a controller with a namespace of 512
# bytes per block and one of 4096.
attach()
{
	"$TOOL" attach --slot 16 --disk "params=$SMALL" --disk "params=$LARGE" \
		"$1" >/dev/null
}

# tiny LABEL VCPUS WORD...: one run, whose results are called LABEL: NAME.
tiny()
{
	local label=$1 vcpus=$2 rc=0

	shift 2
	"$PAYLOAD/tiny-run" -c "$vcpus" -n tiny -t $((600 * PATIENCE)) -k "$PAYLOAD/vm/tiny.sh attach" \
		"$@" >"$TMP/tiny.out" || rc=$?
	sed "s/^\(\(not \)\?ok [0-9]* -\) /\1 $label: /" "$TMP/tiny.out"
	return $rc
}

t_nothing_of_the_guests_is_left()
{
	wait_for 20 domain_gone tiny
	expect_no_leaks
	disk_free "$SMALL"
	disk_free "$LARGE"
}

if [ "${1-}" = attach ]; then
	attach "$2"
	exit
fi

module_load
SMALL=$(make_disk small 64)
LARGE=$(make_loop large 320 --sector-size 4096)
export SMALL LARGE
rc=0
tiny "512-byte blocks" 2 || rc=1
tiny "4096-byte blocks" 2 nsid=2 nvme_io nvme_sgl || rc=1
tiny "one vCPU" 1 nvme_ioq nvme_dbbuf || rc=1
run_tests
[ $? -eq 0 ] || rc=1
module_unload
remove_disk small
remove_loop large
exit $rc
