#!/usr/bin/env bash
# Fetches and builds the pinned third-party libraries (cmake/pins.txt), once, into a directory that all presets share.
#
#   cmake/deps.sh DIR        builds what is missing there; safe to call from several configures at once
#
# Result: DIR/include/{librdkafka,hiredis,yyjson.h} and DIR/lib/{librdkafka,libhiredis,libyyjson}.a
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
deps=${1:?usage: cmake/deps.sh DIR}
mkdir -p "$deps"
deps=$(cd "$deps" && pwd)
jobs=$(nproc)

exec 9>"$deps/.lock"
flock 9

pin() { # name column
    awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$here/pins.txt"
}

say() { echo "deps: $*" >&2; }

# Downloads the pinned package of a library and prints the file's path.
download() { # name
    local registry package version file
    registry=$(pin "$1" 3) package=$(pin "$1" 4) version=$(pin "$1" 5)
    local into="$deps/download/$1"
    rm -rf "$into" && mkdir -p "$into"
    case $registry in
    npm) (cd "$into" && npm pack --silent "$package@$version" >/dev/null) ;;
    pypi) python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$into" "$package==$version" >&2 ;;
    *) say "unknown registry $registry" && exit 1 ;;
    esac
    file=$(find "$into" -type f | head -n 1)
    [ -n "$file" ] || { say "could not download $package $version from $registry"; exit 1; }
    echo "$(pin "$1" 6)  $file" | sha256sum --check --quiet - >&2 || { say "checksum of $1 differs from cmake/pins.txt"; exit 1; }
    echo "$file"
}

# Unpacks into DIR/src/NAME.
unpack() { # name
    local file
    file=$(download "$1")
    rm -rf "$deps/src/$1" && mkdir -p "$deps/src/$1"
    tar xzf "$file" -C "$deps/src/$1" --no-same-owner
}

# True (and says so) when the library has to be built: not there yet, or from another pin.
missing() { # name
    local stamp="$deps/.built-$1"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(pin "$1" 6)" ] && return 1
    say "building $1 $(pin "$1" 2)"
}

built() { # name
    pin "$1" 6 >"$deps/.built-$1"
    rm -rf "${deps:?}/src/$1" "${deps:?}/download/$1"
}

mkdir -p "$deps/include/librdkafka" "$deps/include/hiredis" "$deps/lib"

if missing yyjson; then
    unpack yyjson
    source=$(dirname "$(find "$deps/src/yyjson" -name yyjson.c | head -n 1)")
    cc -O2 -g -fPIC -c "$source/yyjson.c" -o "$deps/src/yyjson/yyjson.o"
    ar rcs "$deps/lib/libyyjson.a" "$deps/src/yyjson/yyjson.o"
    cp "$source/yyjson.h" "$deps/include/"
    built yyjson
fi

if missing hiredis; then
    unpack hiredis
    source=$(dirname "$(find "$deps/src/hiredis" -path "*/vendor/hiredis/hiredis.c" | head -n 1)")
    for file in alloc async dict hiredis net read sds sockcompat ssl; do
        [ -f "$source/$file.c" ] || continue
        case $file in dict) continue ;; esac # included by async.c
        cc -O2 -g -fPIC -std=c99 -D_GNU_SOURCE -I"$source" -c "$source/$file.c" -o "$source/$file.o"
    done
    ar rcs "$deps/lib/libhiredis.a" "$source"/*.o
    cp "$source"/*.h "$deps/include/hiredis/"
    built hiredis
fi

if missing librdkafka; then
    unpack librdkafka
    source="$deps/src/librdkafka/package/deps/librdkafka"
    (
        cd "$source"
        CFLAGS="-O2 -g1 -fPIC" ./configure --enable-static --disable-gssapi --disable-sasl --disable-curl --disable-syslog \
            >configure.log 2>&1 || { tail -n 20 configure.log >&2; exit 1; }
        make -C src -j"$jobs" librdkafka.a >make.log 2>&1 || { tail -n 20 make.log >&2; exit 1; }
    )
    cp "$source/src/librdkafka.a" "$deps/lib/"
    cp "$source/src/rdkafka.h" "$source/src/rdkafka_mock.h" "$deps/include/librdkafka/"
    built librdkafka
fi
