# SPDX-License-Identifier: MIT
# What else than its driver resets a board, the sleep of the whole system included. That the emulated ports through
# which this suite speaks do not survive: so results go to a file first, and the ports are found anew afterwards.
load_driver || exit 1
load_peers
test-driver-pci "${PCI_COUNT:-2}" >/tmp/results 2>&1

for port in /dev/vport*p2; do :; done
serial=$(readlink -f "/sys/class/virtio-ports/${port#/dev/}")
until [ -e "$serial/remove" ]; do serial=$(dirname "$serial"); done
echo 1 >"$serial/remove"
echo 1 >/sys/bus/pci/rescan
n=0
until ls /dev/vport*p2 >/dev/null 2>&1 || [ $n = 100 ]; do
	usleep 100000
	n=$((n + 1))
done
for new in /dev/vport*p2; do :; done
# The end of the suite is told through the port of the old name.
[ "$new" = "$port" ] || ln -s "$new" "$port"
exec >"${new%2}1" 2>&1

tap pci cat /tmp/results
unload_driver
