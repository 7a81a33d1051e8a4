# Every habit of the project is one verb. Bare make lists them.
SHELL := /bin/bash
DURABILITY ?= memory
W ?=
ROUNDS ?= 20
CYCLES ?= 10
FS ?= ext4
SECONDS_OF_OVERLOAD = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)
SECONDS_OF_FUZZ = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)
N ?= 1000
SEED ?= 1
F ?= 5
MINUTES ?= 60
CONFIG := -c Release -v q --nologo

# Packages are those of the lock files, or the restore fails; a meant change: make build RestoreLockedMode=false.
export RestoreLockedMode ?= true

# Figures are of the program that users run: the published one.
LOAD = dotnet build bench/Load $(CONFIG) && MUSTER_REBUILD=1 ./muster version && \
	MUSTER_EXECUTABLE=$(CURDIR)/artifacts/muster/muster artifacts/bin/Load/release/Muster.Load

# What was said on the command line; each workload has its own defaults.
COMMIT = $(shell git rev-parse --short=12 HEAD)
LOAD_OPTIONS = $(if $(filter command line,$(origin DURABILITY)),--durability $(DURABILITY)) \
	$(if $(filter command line,$(origin ROUNDS)),--rounds $(ROUNDS)) $(if $(TASKS),--tasks $(TASKS)) \
	$(if $(PAYLOAD),--payload $(PAYLOAD)) $(if $(PER_SECOND),--per-second $(PER_SECOND)) \
	$(if $(MEMORY),--memory $(MEMORY)) $(if $(QUEUED),--queued $(QUEUED))

.DEFAULT_GOAL := help
# No verb is a file; the list is made from the lines of verbs.
.PHONY: $(shell awk -F: '/^[a-z-]+:.*\#\# /{print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## compile everything, warnings are errors
	dotnet build Muster.slnx $(CONFIG)

test: ## everything that CI runs (the same as ./test)
	./test

unit: ## tests of single components
	./test Unit

tidy: ## tests of the repository itself: layers, sizes, words, snapshots, links
	./test Tidy

integ: ## tests with real processes, real shared memory and kill -9
	./test Integration

interop: ## gRPC conformance against Python and Node; last line is JSON
	@./test Interop | tee artifacts/interop.log; \
	awk '/ passed, /{printf "{\"cases\":%d,\"passed\":%d}\n", $$1+$$3, $$1}' artifacts/interop.log

fuzz: ## random frames and header blocks against the server's HTTP/2: make fuzz SECONDS=60 SEED=1; last line is JSON
	@mkdir -p artifacts && rm -f artifacts/fuzz.txt; \
	MUSTER_FUZZ_SECONDS=$$(($(SECONDS_OF_FUZZ) / 3)) MUSTER_FUZZ_REPORT=$(CURDIR)/artifacts/fuzz.txt \
		$(if $(filter command line,$(origin SEED)),MUSTER_FUZZ_SEED=$(SEED)) \
		dotnet test tests/Unit -c Release --nologo --filter FullyQualifiedName~FuzzTests; status=$$?; \
	awk '{i+=$$2;c+=$$3;h+=$$4} END {printf "{\"targets\":%d,\"inputs\":%d,\"crashes\":%d,\"hangs\":%d}\n",NR,i,c,h}' \
		artifacts/fuzz.txt; exit $$status

floods: ## honest calls beside each kind of flood: their p99 alone and meanwhile; last line is JSON
	@mkdir -p artifacts && rm -f artifacts/floods.txt; \
	MUSTER_FLOODS_REPORT=$(CURDIR)/artifacts/floods.txt \
		dotnet test tests/Unit -c Release --nologo --filter FullyQualifiedName~FloodLatencyTests; status=$$?; \
	cat artifacts/floods.txt; \
	awk -F '\t' '{n++; c+=$$5; if ($$4 > w) w=$$4; if ($$4 > 3) o++} END \
		{printf "{\"floods\":%d,\"cut\":%d,\"worst_p99_ratio\":%.2f,\"over_3x\":%d}\n",n,c,w,o}' \
		artifacts/floods.txt; exit $$status

sbom: ## what the product is made of, from the lock files, as CycloneDX in artifacts/sbom.json; last line is JSON
	@mkdir -p artifacts && eng/sbom artifacts/sbom.json

reproducible: ## two builds of the commit in different places, compared byte by byte; last line is JSON
	@eng/reproducible

sim: ## a simulated cell: make sim SEED=7 tells one seed's story, make sim SEEDS=1000 runs many; last line is JSON
	@dotnet build tests/Simulation $(CONFIG) && artifacts/bin/Simulation/release/Muster.Simulation \
		$(if $(SEEDS),--seeds $(SEEDS) --first $(SEED),--seed $(SEED))

chaos: ## kill and stop any and all parts under load: make chaos ROUNDS=20 SEED=1 DURABILITY=memory; last line is JSON
	@$(LOAD) chaos --rounds $(ROUNDS) --seed $(SEED) --durability $(DURABILITY)$(if $(TASKS), --tasks $(TASKS))

powercut: ## cut the power under a cell: make powercut CYCLES=10 FS=ext4|xfs DURABILITY=durable; last line is JSON
	@$(LOAD) powercut --rounds $(CYCLES) --seed $(SEED) --fs $(FS) \
		--durability $(if $(filter command line,$(origin DURABILITY)),$(DURABILITY),durable)

overload: ## offer ten times what the cell can do for SECONDS, then normal load again; last line is JSON
	@$(LOAD) overload --seconds $(SECONDS_OF_OVERLOAD)
corrupt: ## damage N journals and count what is noticed: make corrupt N=1000 SEED=1; last line is JSON
	@dotnet build bench/Load $(CONFIG) && artifacts/bin/Load/release/Muster.Load corrupt --journals $(N) --seed $(SEED)

losses: ## kill one worker, stop another past its lease, 100,000 tasks; last line is JSON
	@$(LOAD) losses

detect: ## time from the end of a worker, in every way, until its task runs elsewhere; last line is JSON (needs root)
	@$(LOAD) detect --rounds $(ROUNDS)

false-loss: ## give nobody up who lives: make false-loss MINUTES=60; last line is JSON (needs root)
	@$(LOAD) false-loss --minutes $(MINUTES)

model: ## check the Promela models with F faults, as they are and without each safeguard: make model F=6; last line is JSON
	@eng/model $(F)

crash-points: ## kill a role at every labelled place, ROUNDS times each
	MUSTER_CRASH_ROUNDS=$(ROUNDS) dotnet test tests/Integration -c Release --filter FullyQualifiedName~CrashPointTests

map-memory: ## MapAsync over N inputs, ten million by default, in constant memory
	MUSTER_MAP_INPUTS=$(if $(filter command line,$(origin N)),$(N),10000000) dotnet test tests/Unit -c Release \
		--filter FullyQualifiedName~MapMemoryTests -l "console;verbosity=detailed"

kill-rounds: ## 1,000 kill -9 rounds inside the arena's critical sections
	MUSTER_KILL_ROUNDS=1000 dotnet test tests/Integration -c Release --filter FullyQualifiedName~KillTests

bench: ## every workload and a table, or one: make bench W=W1 DURABILITY=durable ROUNDS=3 TASKS=N MEMORY=3GiB; last line is JSON
	@$(LOAD) $(or $(W),suite) $(LOAD_OPTIONS)

baseline: ## every workload, kept under bench/baselines with machine and commit, or as OUT=FILE
	@mkdir -p bench/baselines && $(LOAD) suite $(LOAD_OPTIONS) --out $(or $(OUT),bench/baselines/$(COMMIT).jsonl)

bench-compare: ## ratios of two such files: make bench-compare A=OLD B=NEW; last line is JSON
	@dotnet build bench/Load $(CONFIG) && artifacts/bin/Load/release/Muster.Load compare --a "$(A)" --b "$(B)"

bench-pages: ## fill the tables of README.md and docs/PERFORMANCE.md from the newest baseline, or from A=FILE
	@dotnet build bench/Load $(CONFIG) && artifacts/bin/Load/release/Muster.Load pages \
		$(if $(A),--a "$(A)")

bench-peers: ## W1, W2, W5 beside other systems in the same run (installs them): PEERS=nats,dask; last line is JSON
	@dotnet build bench/Load $(CONFIG) && dotnet build bench/Peers $(CONFIG) && MUSTER_REBUILD=1 ./muster version && \
		MUSTER_EXECUTABLE=$(CURDIR)/artifacts/muster/muster artifacts/bin/Peers/release/Muster.Peers run \
		--load artifacts/bin/Load/release/Muster.Load $(if $(PEERS),--peers $(PEERS)) \
		$(if $(filter command line,$(origin ROUNDS)),--rounds $(ROUNDS))

sched-bench: ## judge the scheduler's decisions on workloads: make sched-bench DIR=FOLDER ONLY='G1 G8'; last line is JSON
	@test -n "$(DIR)" || { echo "make sched-bench DIR=FOLDER: a folder with workloads" >&2; exit 2; }
	@dotnet build bench/Decisions $(CONFIG) && artifacts/bin/Decisions/release/Muster.Decisions "$(DIR)" $(ONLY)

wire: ## ways to serve HTTP/2, Kestrel's and ours, beside each other: make wire ROUNDS=3; last line is JSON
	@dotnet build bench/Wire $(CONFIG) && artifacts/bin/Wire/release/Muster.Wire \
		$(if $(filter command line,$(origin ROUNDS)),--rounds $(ROUNDS))

micro: ## costs of single parts with BenchmarkDotNet: make micro ONLY='*Heap*'
	@dotnet build bench/Micro $(CONFIG) && artifacts/bin/Micro/release/Muster.Micro --filter "$(or $(ONLY),*)"

run: ## a whole cell with a worker, in the foreground
	./muster up

fmt: ## lay the code out as .editorconfig says
	dotnet format Muster.slnx --no-restore

snapshots: ## write the reviewed snapshots anew after a meant change
	MUSTER_UPDATE_SNAPSHOTS=1 dotnet test tests/Tidy -c Release --filter FullyQualifiedName~Snapshot
	MUSTER_UPDATE_SNAPSHOTS=1 dotnet test tests/Unit -c Release --filter FullyQualifiedName~Layout
