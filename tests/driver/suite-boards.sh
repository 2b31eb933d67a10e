# SPDX-License-Identifier: MIT
# Two boards in one host: memory of one on the other, in both directions.
load_driver || exit 1
wait_for "/dev/accel/accel1 appears" test -c /dev/accel/accel1
tap "second to first" test-driver-import /dev/accel/accel1
GUEST_NODE=/dev/accel/accel1 tap "first to second" test-driver-import /dev/accel/accel0
unload_driver
