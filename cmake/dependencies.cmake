# Libraries: from Debian by pkg-config; the pinned ones (cmake/pins.txt) are fetched and built by cmake/deps.sh.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(protobuf_c REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent libevent_pthreads)
pkg_check_modules(libevent_openssl REQUIRED IMPORTED_TARGET libevent_openssl)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(nlopt REQUIRED IMPORTED_TARGET nlopt)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_program(PROTOC_C protoc-c REQUIRED)

pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)

set(pinned yyjson hiredis librdkafka echarts)
if(TIDEMARK_ECHARTS)
    list(REMOVE_ITEM pinned echarts)
endif()
execute_process(COMMAND "${CMAKE_SOURCE_DIR}/cmake/deps.sh" "${TIDEMARK_DEPS_DIR}" ${pinned} RESULT_VARIABLE deps_result)
if(NOT deps_result EQUAL 0)
    message(FATAL_ERROR "cmake/deps.sh could not build the pinned libraries")
endif()

function(tidemark_import target file)
    add_library(${target} STATIC IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${TIDEMARK_DEPS_DIR}/lib/${file}"
        INTERFACE_INCLUDE_DIRECTORIES "${TIDEMARK_DEPS_DIR}/include"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${TIDEMARK_DEPS_DIR}/include")
    target_link_libraries(${target} INTERFACE ${ARGN})
endfunction()

tidemark_import(yyjson::yyjson libyyjson.a)
tidemark_import(hiredis::hiredis libhiredis.a OpenSSL::SSL OpenSSL::Crypto)

if(TIDEMARK_LIBRDKAFKA STREQUAL "system")
    # Older ones lack the ListOffsets admin request (2.3), by which the ends of partitions are asked for without
    # blocking a loop: a task's clock follows the wall clock only once it has read its partitions to their ends.
    pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.3.0)
    add_library(rdkafka::rdkafka ALIAS PkgConfig::rdkafka)
elseif(TIDEMARK_LIBRDKAFKA STREQUAL "bundled")
    pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
    tidemark_import(rdkafka::rdkafka librdkafka.a PkgConfig::zlib PkgConfig::zstd OpenSSL::SSL OpenSSL::Crypto
        Threads::Threads m dl)
else()
    message(FATAL_ERROR "TIDEMARK_LIBRDKAFKA is bundled or system, not '${TIDEMARK_LIBRDKAFKA}'")
endif()

# Records, headers and customers are allocated by one thread and freed by another, small and by the million: with glibc's malloc
# that takes a tenth more of the processor, and more memory (tests/bench/README.md).
add_library(tidemark_allocator INTERFACE)
if(TIDEMARK_ALLOCATOR STREQUAL "jemalloc")
    if(NOT TIDEMARK_SANITIZE)
        pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
        target_link_libraries(tidemark_allocator INTERFACE PkgConfig::jemalloc)
    endif()
elseif(NOT TIDEMARK_ALLOCATOR STREQUAL "libc")
    message(FATAL_ERROR "TIDEMARK_ALLOCATOR is jemalloc or libc, not '${TIDEMARK_ALLOCATOR}'")
endif()
