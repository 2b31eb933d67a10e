# SPDX-License-Identifier: MIT
# A board that belongs to somebody: whose firmware it runs, and how it is given another. The images: the installed one,
# signed by the owner; next.bin, likewise with a higher rollback counter; wrong.bin, signed by nobody known.
load_driver || exit 1
check "the board takes what its owner signed" test -c /dev/accel/accel0
bdf=$(basename "$(readlink /sys/class/accel/accel0/device)")
uuid=$(hearth-smi --json | sed -n 's/.*"uuid": *"\([0-9a-f-]*\)".*/\1/p' | head -n 1)
say "board $bdf has the UUID $uuid"
# The kernel looks for firmware from the first process' root, which sees /tmp as /mnt/tmp.
mkdir -p /tmp/firmware/hearth
echo -n /mnt/tmp/firmware >/sys/module/firmware_class/parameters/path
own=/tmp/firmware/hearth/$uuid.bin

rebind() {
	echo "$bdf" >/sys/bus/pci/drivers/hearth/unbind
	dmesg -c >/dev/null
	echo "$bdf" >/sys/bus/pci/drivers/hearth/bind 2>/dev/null
}

cp /test/wrong.bin "$own"
rebind
check "an image that the owner did not sign is not started" sh -c 'dmesg | grep -q "not with a key of the board"'
check "the one for all boards is, instead" sh -c 'dmesg | grep -q "not started.*is tried" && [ -c /dev/accel/accel0 ]'
tap "the board works" test-driver-ioctls
head -c 1000 /test/next.bin >/tmp/cut.bin
cp /tmp/cut.bin "$own"
rebind
check "a cut image is not started, and does no harm" sh -c 'dmesg | grep -q "is tried" && [ -c /dev/accel/accel0 ]'
rm "$own"
rebind

# updates STATUS IMAGE: hearth-smi ends so when it is to install this image.
updates() {
	hearth-smi firmware update "$uuid" "$2" --firmware-folder /tmp/firmware
	[ $? -eq "$1" ]
}
exec 9</dev/accel/accel0
check "hearth-smi does not update a board that is in use" updates 1 /test/next.bin
exec 9<&-
check "it is told when the board does not take an image" updates 5 /test/wrong.bin
check "and leaves nothing of it" test ! -e "$own"
tap "the board works as before" test-driver-ioctls
check "a cut image it does not even try" updates 1 /tmp/cut.bin
check "it installs a newer one of the owner" updates 0 /test/next.bin
check "and tells of it" sh -c 'hearth-smi firmware --json --firmware-folder /tmp/firmware | tr -d " \n" |
	grep -q "\"image\":\"own\".*\"own_rollback\":1,\"own_signed\":\"yes\""'
rebind
check "with which the board starts from then on" sh -c '! dmesg | grep -q "is tried" && [ -c /dev/accel/accel0 ]'
tap "and the board works with it" test-driver-ioctls
rm "$own"
rebind
check "there is no way back below the rollback counter" sh -c 'dmesg | grep -q "rollback counter" && [ ! -e /dev/accel/accel0 ]'
cp /test/next.bin "$own"
echo "$bdf" >/sys/bus/pci/drivers/hearth/bind
check "but there is one forward" test -c /dev/accel/accel0
unload_driver
