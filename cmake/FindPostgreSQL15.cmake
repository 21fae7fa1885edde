# The server headers and programs of PostgreSQL, through pg_config (-DPG_CONFIG=... chooses one).
# Sets PG_BINDIR, PG_PKGLIBDIR, PG_SHAREDIR, PG_PGXS_DIR and the target PostgreSQL::Server.

find_program(PG_CONFIG NAMES pg_config PATHS /usr/lib/postgresql/15/bin
             DOC "pg_config of the PostgreSQL to build for" NO_DEFAULT_PATH)
find_program(PG_CONFIG NAMES pg_config)
if(NOT PG_CONFIG)
  message(FATAL_ERROR "pg_config not found: install the package postgresql-server-dev-15 "
                      "(`make setup` does)")
endif()

function(orochi_pg_config option out)
  execute_process(COMMAND ${PG_CONFIG} ${option} OUTPUT_VARIABLE value
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${out} ${value} PARENT_SCOPE)
endfunction()

orochi_pg_config(--bindir PG_BINDIR)
orochi_pg_config(--pkglibdir PG_PKGLIBDIR)
orochi_pg_config(--sharedir PG_SHAREDIR)
orochi_pg_config(--includedir-server PG_INCLUDEDIR_SERVER)
orochi_pg_config(--includedir PG_INCLUDEDIR)
orochi_pg_config(--version PG_VERSION)
get_filename_component(PG_PGXS_DIR ${PG_PKGLIBDIR}/pgxs ABSOLUTE)

if(NOT EXISTS ${PG_INCLUDEDIR_SERVER}/postgres.h)
  message(FATAL_ERROR "${PG_INCLUDEDIR_SERVER}/postgres.h not found: install the package "
                      "postgresql-server-dev-15 (`make setup` does)")
endif()

add_library(PostgreSQL::Server INTERFACE IMPORTED)
target_include_directories(PostgreSQL::Server SYSTEM INTERFACE ${PG_INCLUDEDIR_SERVER}
                                                                ${PG_INCLUDEDIR})
set(PostgreSQL15_FOUND TRUE)
message(STATUS "PostgreSQL: ${PG_VERSION}, ${PG_BINDIR}")
