/* SPDX-License-Identifier: MIT */
/* What kernel headers use and sparse 0.6.4 does not know; seen by sparse alone. */
#define __typeof_unqual__   __typeof__
#define __builtin_strlen(s) (sizeof(s) - 1)
