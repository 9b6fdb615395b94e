#!/usr/bin/env bash
# Fetches and builds the pinned third-party libraries (cmake/pins.txt), once, into a directory that all presets share.
#
#   cmake/deps.sh DIR [NAME...]   builds what is missing there, or only these; safe to call from several configures at once
#
# Result: DIR/include/{librdkafka,hiredis,yyjson.h}, DIR/lib/{librdkafka,libhiredis,libyyjson}.a, DIR/share/echarts.js,
# DIR/licences/NAME.
# A library is built again when its pin or its recipe (the function build_NAME below) changes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in
"" | --help | -h)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit "$([ $# -gt 0 ] && echo 0 || echo 64)"
    ;;
esac
mkdir -p "$1/include/librdkafka" "$1/include/hiredis" "$1/lib" "$1/share" "$1/licences"
deps=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- yyjson hiredis librdkafka echarts
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
cflags="-O2 -g1 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2"

exec 9>"$deps/.lock"
flock 9

say() { echo "deps: $*" >&2; }

die() {
    say "$@"
    exit 1
}

pin() { # name column
    awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$here/pins.txt"
}

# Runs a command with its output in a file, whose end is shown if it fails.
quietly() { # file command...
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; die "failed: $*"; }
}

# Downloads the pinned package of a library, checks it and prints the file's path.
download() { # name
    local registry package version file
    registry=$(pin "$1" 3) package=$(pin "$1" 4) version=$(pin "$1" 5)
    local into="$deps/download/$1"
    rm -rf "$into" && mkdir -p "$into"
    case $registry in
    npm)
        command -v npm >/dev/null || die "npm is missing: run tests/install or install the package npm"
        (cd "$into" && npm pack --silent "$package@$version" >/dev/null) || die "npm could not fetch $package $version"
        ;;
    pypi)
        python3 -m pip --version >/dev/null 2>&1 || die "pip is missing: run tests/install or install the package python3-pip"
        quietly "$into.log" python3 -m pip download --no-deps --no-binary :all: --dest "$into" "$package==$version"
        ;;
    *) die "unknown registry '$registry' for $1 in pins.txt" ;;
    esac
    file=$(find "$into" -type f | head -n 1)
    [ -n "$file" ] || die "could not download $package $version from $registry"
    echo "$(pin "$1" 6)  $file" | sha256sum --check --quiet - >&2 || die "the checksum of $1 differs from cmake/pins.txt"
    echo "$file"
}

# Fails unless a header says the version that the pin file claims.
expect_version() { # name found
    [ "$2" = "$(pin "$1" 2)" ] || die "$1 is version '$2', but cmake/pins.txt says $(pin "$1" 2)"
}

# The values of three macros, joined by dots.
version_of() { # header major minor patch
    local header=$1
    shift
    for macro in "$@"; do
        awk -v macro="$macro" '$1 == "#define" && $2 == macro { printf "%s", $3 }' "$header"
        [ "$macro" = "${!#}" ] || printf .
    done
}

# Changes the one place in a source that matches a basic regular expression.
replace_once() { # file expression replacement
    [ "$(grep -c "$2" "$1")" = 1 ] || die "$1 has not just one '$2'"
    sed -i "s/$2/$3/" "$1"
}

build_yyjson() { # unpacked source
    local source
    source=$(dirname "$(find "$1" -name yyjson.c)")
    expect_version yyjson \
        "$(version_of "$source/yyjson.h" YYJSON_VERSION_MAJOR YYJSON_VERSION_MINOR YYJSON_VERSION_PATCH)"
    cc $cflags -c "$source/yyjson.c" -o "$1/yyjson.o"
    rm -f "$deps/lib/libyyjson.a"
    ar rcs "$deps/lib/libyyjson.a" "$1/yyjson.o"
    cp "$source/yyjson.h" "$deps/include/"
    # The Python package's LICENSE is its own; yyjson's stands at the head of its source.
    sed -n '1,/\*=*\*\//p' "$source/yyjson.c" >"$deps/licences/yyjson"
}

build_hiredis() { # unpacked source
    local source
    source=$(dirname "$(find "$1" -path "*/vendor/hiredis/hiredis.c")")
    expect_version hiredis "$(version_of "$source/hiredis.h" HIREDIS_MAJOR HIREDIS_MINOR HIREDIS_PATCH)"
    for file in alloc async hiredis net read sds sockcompat ssl; do # without _GNU_SOURCE: strerror_r as POSIX has it
        [ -f "$source/$file.c" ] || continue
        cc $cflags -std=c99 -I"$source" -c "$source/$file.c" -o "$source/$file.o"
    done
    rm -f "$deps/lib/libhiredis.a"
    ar rcs "$deps/lib/libhiredis.a" "$source"/*.o
    cp "$source"/*.h "$deps/include/hiredis/"
    cp "$source/COPYING" "$deps/licences/hiredis"
}

build_librdkafka() { # unpacked source
    local source=$1/package/deps/librdkafka hex
    hex=$(awk '$2 == "RD_KAFKA_VERSION" { print $3 }' "$source/src/rdkafka.h")
    expect_version librdkafka "$((16#${hex:2:2})).$((16#${hex:4:2})).$((16#${hex:6:2}))"
    # A broker that its controller has fenced for a moment answers with topics but no brokers; librdkafka then forgets every
    # broker, the one that answered too, and a consumer without one never joins its group again. Such an answer is none.
    replace_once "$source/src/rdkafka_metadata.c" 'md->broker_cnt == 0 && md->topic_cnt == 0' 'md->broker_cnt == 0'
    # Kerberos and OIDC would bring Cyrus SASL and libcurl along; SASL PLAIN, SCRAM and OAUTHBEARER need only OpenSSL.
    # The bundled lz4 serves; zlib, zstd and OpenSSL must be found, or compressed topics and TLS would fail later.
    (
        cd "$source"
        CFLAGS="$cflags" quietly configure-output.txt ./configure --enable-static --disable-gssapi --disable-curl \
            --disable-syslog --disable-lz4-ext --enable-ssl --enable-zlib --enable-zstd
        quietly make-output.txt make -C src -j"$jobs" librdkafka.a
    )
    cp "$source/src/librdkafka.a" "$deps/lib/"
    cp "$source/src/rdkafka.h" "$source/src/rdkafka_mock.h" "$deps/include/librdkafka/"
    cp "$source/LICENSES.txt" "$deps/licences/librdkafka"
}

build_echarts() { # unpacked source
    local source=$1/package
    expect_version echarts "$(sed -n 's/^ *"version": "\([^"]*\)",$/\1/p' "$source/package.json" | head -n 1)"
    cp "$source/dist/echarts.esm.min.mjs" "$deps/share/echarts.js"
    cat "$source/NOTICE" "$source/LICENSE" >"$deps/licences/echarts"
}

for name in "$@"; do
    wanted="$(pin "$name" 6) $({ echo "$cflags"; declare -f "build_$name"; } | sha256sum | cut -c1-16)"
    [ "$(cat "$deps/.built-$name" 2>/dev/null)" != "$wanted" ] || continue
    say "building $name $(pin "$name" 2)"
    file=$(download "$name")
    source="$deps/src/$name"
    rm -rf "$source" && mkdir -p "$source"
    tar xzf "$file" -C "$source" --no-same-owner
    "build_$name" "$source"
    echo "$wanted" >"$deps/.built-$name"
    rm -rf "$source" "${deps:?}/download/$name" "$deps/download/$name.log"
done
