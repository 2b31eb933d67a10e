# SPDX-License-Identifier: MIT
# The harness itself: the guest boots, sees its disk and the installed tree, and the boards are on the PCI bus.
check "the disk is read-only" sh -c '! touch /suite.new 2>/dev/null'
check "/tmp is writable" touch /tmp/x
boards=$(cat /sys/bus/pci/devices/*/class | grep -c '^0x1200')
check "boards on the PCI bus: $boards of $GUEST_BOARDS" test "$boards" = "$GUEST_BOARDS"
if [ "$GUEST_BOARDS" != 0 ] && [ -e /hearth/hearth.ko ]; then
	udevd=/usr/lib/systemd/systemd-udevd
	# Without names of groups: the guest has none.
	[ ! -x $udevd ] || $udevd --daemon --resolve-names=never
	load_driver
	check "hearth-smi lists the boards" hearth-smi
	if [ -x $udevd ]; then
		wait_for "udev names each node by its board's UUID" sh -c '
			for node in /sys/class/accel/accel*; do
				[ /dev/accel/by-uuid/$(cat $node/device/hearth/uuid) -ef /dev/accel/${node##*/} ] || exit 1
			done'
	else
		skip "udev names each node by its board's UUID" "no $udevd here"
	fi
	unload_driver
	load_driver
	# Memory of one board on the other, in both directions.
	if [ "$GUEST_BOARDS" -gt 1 ] && [ -x /test/test-driver-import ]; then
		wait_for "/dev/accel/accel1 appears" test -c /dev/accel/accel1
		tap "second board's memory on the first" test-driver-import /dev/accel/accel1
		GUEST_NODE=/dev/accel/accel1 tap "and the other way" test-driver-import /dev/accel/accel0
	fi
	unload_driver
fi
