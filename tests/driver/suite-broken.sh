# SPDX-License-Identifier: MIT
# A board that goes wrong after a few doorbells, as $HOW says.
load_driver || exit 1
tap "$HOW" test-driver-broken "$HOW"
unload_driver
