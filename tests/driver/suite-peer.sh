# SPDX-License-Identifier: MIT
# Two boards behind one switch: board memory of one on the other.
load_driver || exit 1
wait_for "/dev/accel/accel1 appears" test -c /dev/accel/accel1
case $(uname -r) in
6.12.*) refused=refused ;;
*) refused= ;;
esac
tap "second board's memory on the first" test-driver-peer /dev/accel/accel1 $refused
GUEST_NODE=/dev/accel/accel1 tap "and the other way" test-driver-peer /dev/accel/accel0 $refused
unload_driver
