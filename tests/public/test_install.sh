# SPDX-License-Identifier: BSD-2-Clause
# Installs into a scratch folder and builds other people's programs against it: pkg-config and CMake, C99 and C++17.
. "$SOURCE_DIR/tests/cli/common.sh"
if grep -q '^OTOLITH_SANITIZE:BOOL=ON' "$BUILD_DIR/CMakeCache.txt"; then
    echo "skipped: a sanitised library needs a sanitised consumer"
    exit 77
fi
for tool in cmake c++ pkg-config nm; do
    command -v $tool >/dev/null || {
        echo "skipped: no $tool"
        exit 77
    }
done
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD_DIR/CMakeCache.txt")
prefix=$work/prefix
run 0 cmake --install "$BUILD_DIR" --prefix "$prefix"
libdir=$(dirname "$(find "$prefix" -name libotolith.so)")
[ -d "$libdir" ] || {
    fail "no libotolith.so was installed"
    finish
}
[ -n "$(find "$prefix" -path '*/doc/*/cards/english.md')" ] || fail "the models' cards were not installed"
export LD_LIBRARY_PATH=$libdir
"$make_files" model tiny.oto 3 && "$make_files" wav s1.wav 1 40000 16000 || exit 1
run 0 "$prefix/bin/otolith" transcribe --model=./tiny.oto s1.wav
text=$(cat out)

# Nothing but oto_ names, and none of the internal ones.
for library in libotolith.so libotolith-audio.so; do
    nm -D --defined-only "$libdir/$library" | awk '{ print $3 }' | sort >names
    grep -v '^oto_' names && fail "$library shows names without oto_"
    grep -hv typedef "$prefix"/include/otolith/*.h | grep -oE '\boto_[a-z_]+\(' | tr -d '(' | sort -u >declared
    comm -23 names declared >extra
    empty extra
done
for name in $(cat declared); do
    nm -D --defined-only "$libdir"/libotolith.so "$libdir"/libotolith-audio.so | grep -q " T $name\$" || fail "$name is declared and not there"
done

# pkg-config. The prefix in the file is the configured one.
sed -i "s#^prefix=.*#prefix=$prefix#; s#^libdir=.*#libdir=$libdir#; s#^includedir=.*#includedir=$prefix/include#" \
    "$libdir"/pkgconfig/*.pc
export PKG_CONFIG_PATH=$libdir/pkgconfig
flags=$(pkg-config --cflags --libs otolith-audio) || fail "pkg-config: $flags"
cp "$SOURCE_DIR/tests/public/consumer.c" consumer.cpp
run 0 "$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$SOURCE_DIR/tests/public/consumer.c" -o consumer_c $flags
run 0 c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror consumer.cpp -o consumer_cxx $flags
run 0 "$cc" "$SOURCE_DIR/examples/live.c" -o live $flags
run 1 ./live ./missing.oto
has err 'missing.oto'
run 1 ./live
has err 'usage: live MODEL'
run 0 "$cc" "$SOURCE_DIR/examples/stream.c" -o stream $flags
run 0 ./stream ./tiny.oto s1.wav
is out "$text"

# CMake.
run 0 cmake -S "$SOURCE_DIR/tests/public" -B consumer -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
run 0 cmake --build consumer
for program in ./consumer_c ./consumer_cxx consumer/consumer_c consumer/consumer_cxx; do
    run 0 $program ./tiny.oto s1.wav
    has out 'tiny|WAV'
    has out '|2|'
done
run 1 ./consumer_c ./missing.oto s1.wav
has err 'missing.oto'
finish
