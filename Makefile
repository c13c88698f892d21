# routing: a PGXS extension, and commands that set up everything they need
#
#   make demo          watch orders being routed in a throw-away server
#   make test          build, install, run every test
#   make bench         measure against plain inserts        (test/bench)
#   make load          many sessions, few units             (test/load)
#   make erp           route the sample ERP data sets       (test/erp)
#   make oracle        availability against a naive oracle  (test/oracle)
#   make milp          plans against integer programs       (test/milp)
#   make fuzz          plans from made-up records           (test/fuzz)
#   make soak          the ledger and consumers under a long random load and kill -9, a million events in one transaction
#                      (test/t/007, 011, 014)
#   make docs          write what is generated of the documents (tools/event_docs.sh)
#   make lint          checks of the sources, cppcheck and clang-tidy included
#
# These eleven work on a machine that has only Debian, make, and root or sudo.
# For packagers, with server headers at hand (PG_CONFIG=... selects a server):
#
#   make && make install && make installcheck
#
# STRICT=1 turns warnings into errors, with_llvm=yes builds bitcode too.

EXTENSION	= routing
MODULE_big	= routing

# the control file is the one place for the version
EXTVERSION	:= $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)

PG_CONFIG	?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PGXS		:= $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
export PG_CONFIG

OBJS		= $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
SQL_PARTS	= $(sort $(wildcard sql/parts/*.sql))
DATA_built	= sql/$(EXTENSION)--$(EXTVERSION).sql
DATA		= $(wildcard sql/$(EXTENSION)--*--*.sql)

REGRESS			= $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS	= --inputdir=test
REGRESS_PREP	= check-names
ISOLATION		= $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS	= --inputdir=test/isolation
ifneq (,$(wildcard test/t/*.pl))
TAP_TESTS		= 1
PROVE_TESTS		= test/t/*.pl
endif

# -isystem: what the server's own headers cause is not ours to fix
PG_CPPFLAGS	= -isystem $(shell $(PG_CONFIG) --includedir-server) -Isrc \
			  -DROUTING_VERSION='"$(EXTVERSION)"' -MMD -MP
ifdef STRICT
# -Wno-unused-parameter: the server prescribes the parameters of callbacks
PG_CFLAGS	+= -Wall -Wextra -Werror -Wno-unused-parameter
endif

EXTRA_CLEAN	= $(OBJS:.o=.d) build.flags sql/$(EXTENSION)--$(EXTVERSION).sql.tmp

# no bitcode unless asked for: it doubles the time of a build
ifneq ($(with_llvm),yes)
override with_llvm = no
endif

ifneq (,$(PGXS))

include $(PGXS)

ifneq (yes,$(shell test $(VERSION_NUM) -ge 150000 && echo yes))
$(error routing needs PostgreSQL 15 or later, $(PG_CONFIG) belongs to $(VERSION))
endif

# objects depend on their headers and on the flags they were built with
$(OBJS): build.flags
build.flags: FORCE
	@echo '$(CC) $(subst ','\'',$(CFLAGS) $(CPPFLAGS))' | cmp -s - $@ || echo '$(CC) $(subst ','\'',$(CFLAGS) $(CPPFLAGS))' > $@
-include $(OBJS:.o=.d)

else

all install installcheck clean:
	@echo >&2 "server headers not found: install postgresql-server-dev-15 or set PG_CONFIG (make test and make demo install what they need)"
	@false

endif

# the directory is a prerequisite so that an added or removed part counts
sql/$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS) sql/parts $(EXTENSION).control
	cat $(SQL_PARTS) > $@.tmp && mv $@.tmp $@

# pg_regress would silently run sql/X.sql in the place of test/sql/X.sql
check-names:
	@for f in sql/*.sql; do \
		if [ -e "test/$$f" ]; then echo >&2 "$$f hides test/$$f from pg_regress"; exit 1; fi; \
	done

# the scripts install what is missing, build, and use a server of their own
setup:
	@test/setup.sh
demo:
	+@demo/run.sh
test:
	+@test/run.sh
bench load erp oracle milp:
	+@test/run.sh $@
# ROUTING_FUZZ_SECONDS of fuzzing, ten minutes by default
fuzz:
	+@ROUTING_FUZZ_SECONDS=$${ROUTING_FUZZ_SECONDS:-600} test/run.sh fuzz
# ROUTING_SOAK_SECONDS of random load on the ledger, half an hour by default
soak:
	+@ROUTING_SOAK_SECONDS=$${ROUTING_SOAK_SECONDS:-1800} test/run.sh soak
# the chapter of event types of doc/events.md, and doc/asyncapi.yaml
docs:
	+@tools/event_docs.sh
lint:
	@test/setup.sh lint
	@test/lint.sh all

.PHONY: FORCE check-names setup demo test bench load erp oracle milp fuzz soak docs lint
