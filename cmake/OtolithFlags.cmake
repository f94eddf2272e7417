# SPDX-License-Identifier: BSD-2-Clause
# One interface target with the language and warning flags that every file of ours is built with.
add_library(oto_flags INTERFACE)
target_compile_definitions(oto_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(oto_flags INTERFACE -ffp-contract=off -Wall -Wextra -Wconversion -Wno-sign-conversion
  -Wdouble-promotion -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-align
  -Wwrite-strings -Wformat=2)
if(OTOLITH_WERROR)
  target_compile_options(oto_flags INTERFACE -Werror)
endif()
if(OTOLITH_SANITIZE)
  target_compile_options(oto_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(oto_flags INTERFACE -fsanitize=address,undefined)
endif()
find_package(Threads REQUIRED)
target_link_libraries(oto_flags INTERFACE Threads::Threads m)
