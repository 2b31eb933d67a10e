# SPDX-License-Identifier: MIT
# A board that reaches for host memory which is not mapped for it; with an IOMMU it gets none.
load_driver || exit 1
tap stray test-driver-stray
unload_driver
