# Language, warnings, sanitizers and the compiler cache, for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # PostgreSQL's headers need gnu++20.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # Every library ends up in orochi.so.
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

option(OROCHI_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(OROCHI_COVERAGE "Count executed lines (gcc)" OFF)
option(OROCHI_LIBFUZZER "Link fuzz targets with libFuzzer (clang only)" OFF)

add_compile_options(-Wall -Wextra -Wimplicit-fallthrough)

# x86-64-v2 (SSE4.2: hardware CRC-32C) is every server since 2009; wider vectors are chosen at run
# time where they pay.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(OROCHI_SLOW_ASSERTS OROCHI_CHECK_STATUS)
endif()

if(OROCHI_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# Seconds for a test program; instrumented ones do the same work several times slower.
set(OROCHI_TEST_TIMEOUT 300)
if(OROCHI_SANITIZE OR OROCHI_COVERAGE)
  set(OROCHI_TEST_TIMEOUT 900)
endif()

if(OROCHI_LIBFUZZER)
  # What guides the fuzzer is the code under test, which is in the libraries.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(OROCHI_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
