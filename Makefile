# The door. `make` says what there is.
PRESET ?= debug
RELEASE := build/release
JOBS ?= $(shell nproc)
CTEST = ctest --test-dir build/$(PRESET) --output-on-failure --no-tests=error

.PHONY: help setup build release install quickstart check check-fast check-all nightly sim sim-bugs asan fuzz bench format \
        coverage check-tree clean deploy-setup e2e-setup e2e e2e-all e2e-kv

help:
	@echo "make quickstart   install what is missing, build, start a private cluster, run the tour"
	@echo "                  (PORT=5434: where 5433, the default, is taken)"
	@echo "make setup        install the packages of tools/packages.txt (apt; root or sudo)"
	@echo "make release      optimised build in $(RELEASE)"
	@echo "make install      release build into the system's PostgreSQL and /usr/local/bin"
	@echo "make check        all that guards a push (about 10 minutes at most)"
	@echo "make check-fast   unit tests and tree checks (about a minute)"
	@echo "make check-all    check, then sanitizers and the long random tests"
	@echo "make nightly      a day of random DML and the oracle against heap (NIGHTLY_SECONDS); resumes,"
	@echo "                  report in build/debug/nightly/report.txt"
	@echo "make sim          simulated cores under drawn faults: CORE=raft, log, txn, swim or node; SEED=N replays one"
	@echo "                  (TRACE=1 prints its events), SEEDS=50000 FIRST=1 runs many"
	@echo "make sim-bugs     plants known mistakes in turn: how many seeds each takes (SEARCHES=15, CORE=...)"
	@echo "make asan         unit and fuzz tests under AddressSanitizer and UBSan"
	@echo "make fuzz         coverage-guided fuzzing, FUZZ_SECONDS=60 a target (clang)"
	@echo "make coverage     lines of the SSTable library that unit tests run, by module (gcov, gcovr)"
	@echo "make deploy-setup a schema validator for deploy/kubernetes (PyPI, into build/)"
	@echo "make e2e-setup    real Cassandra for make e2e (Java 17, Maven; downloads 70 MB)"
	@echo "make e2e          Cassandra writes SSTables for us to read, and judges those we write;"
	@echo "                  writes docs/sstable-judged.md (30 minutes)"
	@echo "make e2e-all      the same with every compressor for each table (two hours)"
	@echo "make e2e-kv       clusters of real processes under faults, judged (3 minutes; needs Go, for most root):"
	@echo "                  SCENARIO=kill,cut (or short, all), SEED=N, MINUTES=60 (of faults, in all)"
	@echo "make bench        benchmarks, results as in docs/performance.md"
	@echo "make format       clang-format over the tree"
	@echo "make clean        remove build/"

setup:
	@tools/setup.sh

build:
	@cmake --preset $(PRESET) >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build build/$(PRESET) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))

release:
	@$(MAKE) --no-print-directory build PRESET=release

# What is installed and nothing else: the tests are most of a full build.
install:
	@$(MAKE) --no-print-directory build PRESET=release TARGETS="orochi_ext extension_sql orochi orochi_sstable_c"
	@tools/as_root.sh cmake --install $(RELEASE)

quickstart: setup install
	@tools/quickstart.sh $(if $(PORT),--port $(PORT))

check-tree:
	@python3 tools/check_modules.py
	@python3 tools/check_tree.py

check: build check-tree
	@cmake --build build/$(PRESET) -j $(JOBS) --target header_check
	@$(CTEST) -LE long -j $(JOBS)

check-fast: build check-tree
	@$(CTEST) -L unit -j $(JOBS)

check-all: check asan
	@$(CTEST) -L long

# Bounded by NIGHTLY_SECONDS, goes on where it was stopped; says where the report is.
nightly: build
	@tools/nightly.sh build/$(PRESET) $${NIGHTLY_SECONDS:-86400}

# Where the simulation of each core is.
SIM_raft = raft/simulation/raft
SIM_log = kv/log/simulation/kv_log
SIM_txn = kv/txn/simulation/transaction
SIM_swim = swim/simulation/swim
SIM_node = kv/node/simulation/node
CORES = raft log txn swim node
sim: CORE ?= raft
sim:
	@$(MAKE) --no-print-directory build TARGETS=$(notdir $(SIM_$(CORE)))_simulation
	@build/$(PRESET)/src/$(SIM_$(CORE))_simulation $(if $(SEED),--seed $(SEED) $(if $(TRACE),--trace),\
		--first $(or $(FIRST),1) --seeds $(or $(SEEDS),2000))

sim-bugs: CORE ?= $(CORES)
sim-bugs:
	@$(MAKE) --no-print-directory build TARGETS="$(foreach core,$(CORE),$(notdir $(SIM_$(core)))_planted_bugs_test)"
	@for test in $(foreach core,$(CORE),$(SIM_$(core))); do \
	  OROCHI_PLANTED_BUG_SEARCHES=$(or $(SEARCHES),5) \
	    build/$(PRESET)/src/$${test}_planted_bugs_test || exit 1; \
	done

asan:
	@$(MAKE) --no-print-directory build PRESET=asan
	@ctest --test-dir build/asan --output-on-failure --no-tests=error -L 'unit|fuzz' -j $(JOBS)

fuzz:
	@$(MAKE) --no-print-directory build PRESET=fuzz
	@tools/run_fuzzers.sh build/fuzz $${FUZZ_SECONDS:-60}

COVERAGE_TESTS = $(foreach module,types cql schema format read dump query verify write change table check scrub,sstable_$(module)_test)

coverage:
	@$(MAKE) --no-print-directory build PRESET=coverage TARGETS="$(COVERAGE_TESTS)"
	@tools/coverage.py build/coverage $(COVERAGE_FLAGS)

deploy-setup:
	@test -x build/deploy-python/bin/kubernetes-validate || \
		{ python3 -m venv build/deploy-python && build/deploy-python/bin/pip install -q kubernetes-validate==1.37.0; }

e2e-setup:
	@python3 e2e/cassandra/cassandra.py setup build/cassandra

e2e e2e-all: e2e-setup
	@$(MAKE) --no-print-directory build PRESET=release TARGETS="rewrite_tree lookup_tree orochi pgroot"
	@python3 e2e/cassandra/cassandra.py check build/cassandra $(RELEASE) $(if $(filter e2e-all,$@),--all) \
		--page docs/sstable-judged.md

e2e-kv:
	@$(MAKE) --no-print-directory build PRESET=release TARGETS="orochi-kvd state_lines"
	@python3 e2e/kv/trial.py --node-program $(RELEASE)/src/kv/server/orochi-kvd --build $(RELEASE)/e2e/kv \
		--state-lines $(RELEASE)/e2e/state_lines --scenario $(or $(SCENARIO),short) --seed $(or $(SEED),0) \
		--minutes $(or $(MINUTES),0)

bench: release e2e-setup
	@$(MAKE) --no-print-directory build PRESET=release TARGETS="sstable_bench sstable_writer_bench"
	@bench/run.sh $(RELEASE)

format:
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

clean:
	rm -rf build
