/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec-rig.h"

int main(void) { return 77; }
