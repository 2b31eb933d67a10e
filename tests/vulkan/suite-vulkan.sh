# SPDX-License-Identifier: MIT
# The Vulkan tests on a board: device 0 of the installed driver. The CPU of the guest is device 1.
export VK_DRIVER_FILES=/usr/local/share/vulkan/icd.d/hearth_icd.json
load_driver || exit 1
for program in objects compute hostile fault; do
	[ -x /test/test-vulkan-$program ] || continue
	say "test-vulkan-$program on the board"
	tap "$program" /test/test-vulkan-$program 0
done
unload_driver
