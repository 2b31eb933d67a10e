# SPDX-License-Identifier: MIT
# FUZZ_OPERATIONS random operations, in FUZZ_SECONDS at most if that is not 0, guided where the kernel tells what they reach.
load_driver || exit 1
say "test-driver-fuzz ${FUZZ_OPERATIONS:-20000}"
tap fuzz test-driver-fuzz "${FUZZ_OPERATIONS:-20000}" "${FUZZ_SEED:-1}" 2 /test/driver.corpus "${FUZZ_SECONDS:-0}"
unload_driver
