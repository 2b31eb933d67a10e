# SPDX-License-Identifier: MIT
# Boards that go wrong once, or again and again, and what the driver does about it by itself: all at the same time,
# since the driver has to be patient. The options that make them so are in meson.build, in the order of $RECOVER.
load_driver heartbeat_ms=300 || exit 1
n=0
for how in $RECOVER; do
	wait_for "/dev/accel/accel$n appears" test -c /dev/accel/accel$n
	GUEST_NODE=/dev/accel/accel$n test-driver-recover "$how" >/tmp/recover-$how 2>&1 &
	n=$((n + 1))
done
wait
for how in $RECOVER; do
	say "a board that does: $how"
	tap "$how" cat /tmp/recover-$how
done
unload_driver
