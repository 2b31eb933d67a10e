# SPDX-License-Identifier: MIT
# Submission by a store to the doorbell against submission by system calls, in one guest and in turn.
# The watch over the board reads its registers now and then.
load_driver heartbeat_ms=0 || exit 1
check "hearth_submit.ko loads" insmod /test/hearth_submit.ko
tap paths test-driver-submit-paths "$SUBMIT_BATCHES"
check "hearth_submit.ko unloads" rmmod hearth_submit
unload_driver
