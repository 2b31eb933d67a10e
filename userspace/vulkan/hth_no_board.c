// SPDX-License-Identifier: MIT
/* In place of the board backend where libhearth_drm is not built: no boards are found. */
#include "hth_private.h"

VkResult hth_board_enumerate(struct hth_instance *instance)
{
	(void)instance;
	return VK_SUCCESS;
}
