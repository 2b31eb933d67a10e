# SPDX-License-Identifier: MIT
# Every allocation of every call fails once, which a kernel with fault injection can do.
load_driver || exit 1
load_peers
tap failnth test-driver-failnth
unload_driver
