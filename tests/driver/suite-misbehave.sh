# SPDX-License-Identifier: MIT
# Boards that are wrong in small ways: the options that make them so are in meson.build, in the order of $MISBEHAVE.
load_driver || exit 1
n=0
for how in $MISBEHAVE; do
	wait_for "/dev/accel/accel$n appears" test -c /dev/accel/accel$n
	say "a board that does: $how"
	GUEST_NODE=/dev/accel/accel$n tap "$how" test-driver-misbehave "$how"
	n=$((n + 1))
done
unload_driver
