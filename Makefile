# The front door. CMake and Ninja do the building; `make help` lists what can be asked for.

BUILD := build
JOBS  := $(shell nproc)

.PHONY: all help setup run demo test cover drill check tidy fuzz faults simulate bench bench-segments clean $(BUILD)/dult

all: $(BUILD)/build.ninja ## build build/dult and everything beside it
	cmake --build $(BUILD) -j $(JOBS)

$(BUILD)/dult: $(BUILD)/build.ninja
	@cmake --build $(BUILD) -j $(JOBS) --target dult

$(BUILD)/build.ninja: CMakeLists.txt
	@scripts/setup build --check
	cmake -S . -B $(BUILD) -G Ninja

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: ## install what is missing, for building and for testing
	scripts/setup test

run: ## install what is missing, build, and start Dult on ./data
	@scripts/run

demo: ## the same with a shop that sells tents, on ./data-demo
	@scripts/run --demo

test: ## build what the tests need and run every test
	@scripts/setup test
	@scripts/test

cover: ## which branches of src/engine/ its tests take; in a whole run of the tests, too
	@scripts/setup test
	@scripts/test cover

drill: all ## send 100,000 messages to a failing server under kill -9 (DRILL_MESSAGES, DRILL_KILLS, DULT_SEED)
	@scripts/setup test
	@scripts/test --clients-only
	@DRILL_MESSAGES=$${DRILL_MESSAGES:-100000} node --test test/drill_test.mjs

check: ## what needs no run: format, static analysis, include direction
	@scripts/check

tidy: ## format the sources in place
	@git ls-files 'src/*.c' 'src/*.h' 'src/*.cc' 'bench/*.c' | xargs clang-format -i

fuzz: ## fuzz every parser, FUZZ_SECONDS each (600 unless set)
	@scripts/setup test
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} scripts/test fuzz

faults: ## plant each fault of test/faults/ and say which test finds it (FAULTS: so many, other ones each day)
	@scripts/setup test
	@node test/faults.mjs

simulate: $(BUILD)/build.ninja ## random journeys beside their naive twin, 10 minutes (SIMULATE_SECONDS, DULT_SEED)
	@cmake --build $(BUILD) -j $(JOBS) --target engine_test
	@scripts/simulate $(BUILD)

bench: all ## measure, and write docs/benchmarks.md
	@bench/run

bench-segments: ## the same beside other engines, docs/benchmarks-segments.md
	@bench/segments

clean: ## remove what was built
	rm -rf build build-*
