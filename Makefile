# SPDX-License-Identifier: MIT
# The usual names for what the scripts do.
.PHONY: build test demo lint install deb
build:
	tools/packages build
	cmake --preset release
	cmake --build --preset release
test:
	./test.sh
demo:
	./demo.sh
lint:
	./test.sh lint
install: build
	cmake --install build/release
deb: build
	cpack --config build/release/CPackConfig.cmake -B build/package
