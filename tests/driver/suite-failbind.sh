# SPDX-License-Identifier: MIT
# Every allocation of binding a board fails once, which a kernel with fault injection can do. $FAILBIND: see test_failbind.c.
load_driver || exit 1
tap failbind test-driver-failbind $FAILBIND
unload_driver
