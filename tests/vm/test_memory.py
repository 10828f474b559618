#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# vm: releases=12,13
"""What was written is not executed, by kernels with and without vm.memfd_noexec."""

from booted import configure, main
import test_walls


class Memory(test_walls.Memory):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        configure()


if __name__ == '__main__':
    main()
