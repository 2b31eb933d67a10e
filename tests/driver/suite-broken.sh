# SPDX-License-Identifier: MIT
# Boards that go wrong: four after a few doorbells, and two whose registers never made sense. The options that
# make them so are in meson.build, in the order of $BROKEN.
# What the driver finds out by itself, and what it does about it, is in suite-recover.sh.
load_driver resets_per_minute=0 heartbeat_ms=0 || exit 1
boards=$(ls /dev/accel | wc -l)
check "the boards that never made sense are refused: $boards of $GUEST_BOARDS are driven" test "$boards" = 4
check "and the kernel log says why" sh -c 'dmesg | grep -q "magic register reads"'
n=0
for how in $BROKEN; do
	say "a board that does: $how"
	GUEST_NODE=/dev/accel/accel$n tap "$how" test-driver-broken "$how"
	n=$((n + 1))
done
check "hearth-smi lists them all and ends with status 1" sh -c '
	hearth-smi; [ $? = 1 ] && [ $(hearth-smi | grep -c "^[0-9]*: ") = '"$GUEST_BOARDS"' ]'
hearth-smi
unload_driver
