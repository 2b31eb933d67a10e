# SPDX-License-Identifier: MIT
# hearth-conform on the raw PCI function, as a board maker has it: vfio-pci, behind the machine's IOMMU, no driver.
load_vfio
wait_for "vfio-pci is there" test -d /sys/bus/pci/drivers/vfio-pci
bdf=
for function in /sys/bus/pci/devices/*; do
	[ "$(cat "$function/class")" != 0x120000 ] || bdf=$(basename "$function")
done
say "the board is $bdf"
echo vfio-pci >"/sys/bus/pci/devices/$bdf/driver_override"
echo "$bdf" >/sys/bus/pci/drivers_probe
wait_for "the board's group can be opened" sh -c 'ls /dev/vfio/[0-9]* && [ -c /dev/vfio/vfio ]'
tap "vfio-pci" hearth-conform --firmware /test/hearth-fw.bin --pci "$bdf" --patience 60 --tap
