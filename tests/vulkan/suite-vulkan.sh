# SPDX-License-Identifier: MIT
# The Vulkan tests on a board: device 0 of the installed driver. The CPU of the guest is device 1.
export VK_DRIVER_FILES=/usr/local/share/vulkan/icd.d/hearth_icd.json
load_driver || exit 1
[ -x /test/vulkaninfo ] && check "vulkaninfo is content with the board" vulkaninfo
for program in objects compute images abilities cache hostile; do
	[ -x /test/test-vulkan-$program ] || continue
	say "test-vulkan-$program on the board"
	tap "$program" /test/test-vulkan-$program 0
done
for device in 0 1; do
	say "test-vulkan-external on device $device"
	tap "external on device $device" /test/test-vulkan-external $device
done
# While one process faults and hangs, another's results stay right.
if [ -x /test/test-vulkan-fault ]; then
	say "test-vulkan-fault, with test-vulkan-compute beside it all the while"
	rm -f /tmp/fault-over
	while [ ! -e /tmp/fault-over ]; do
		/test/test-vulkan-compute 0 >/tmp/neighbour 2>&1 || break
	done &
	tap fault /test/test-vulkan-fault 0
	touch /tmp/fault-over
	wait
	tap neighbour cat /tmp/neighbour
	tap reset /test/test-vulkan-fault 0 reset
fi
unload_driver
