// SPDX-License-Identifier: GPL-2.0-only
/* The bodies of the trace points; see hearth_trace.h. */
#define CREATE_TRACE_POINTS
#include "hearth_trace.h"
