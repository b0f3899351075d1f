// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where the trace events are made.
 */
#include <ioemu/vm.h>

#include "ioreq.h"
#include "nvme/nvme.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
