# SPDX-License-Identifier: MIT
# What `cmake --install` lays down: the program, the library with its headers, and find_package(weir).
