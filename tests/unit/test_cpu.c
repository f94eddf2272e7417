/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdbool.h>

#include "base/cpu.h"

static unsigned flags_with(const char *value)
{
    if (value) {
        assert_int_equal(setenv("OTOLITH_ISA", value, 1), 0);
    } else {
        assert_int_equal(unsetenv("OTOLITH_ISA"), 0);
    }
    unsigned flags = oto_cpu_flags();
    unsetenv("OTOLITH_ISA");
    return flags;
}

static void the_variable_limits_and_never_adds(void **state)
{
    (void)state;
    unsigned machine = flags_with(NULL);
    if (machine & OTO_CPU_AVX512) {
        assert_true(machine & OTO_CPU_AVX2);
    }
    assert_int_equal(flags_with("scalar"), OTO_CPU_SCALAR);
    assert_int_equal(flags_with("avx2"), machine & OTO_CPU_AVX2);
    assert_int_equal(flags_with("avxvnni"), machine & (OTO_CPU_AVX2 | OTO_CPU_AVX_VNNI));
    assert_int_equal(flags_with("avx512"), machine);
    assert_int_equal(flags_with("auto"), machine);
    assert_int_equal(flags_with("neon-ish"), machine);
    assert_int_equal(flags_with(""), machine);
}

/* An independent opinion on Linux: what the kernel lists in /proc/cpuinfo. */
static void the_kernel_agrees(void **state)
{
    (void)state;
    FILE *f = fopen("/proc/cpuinfo", "r");
    static char text[1 << 16];
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) {
        fclose(f);
    }
    text[n] = '\0';
    char *flags = strstr(text, "\nflags");
    if (!flags || !strstr(flags, "\n\n")) {
        skip();
    }
    *strstr(flags, "\n\n") = '\0';
    char *end = strchr(flags + 1, '\n');
    if (end) {
        *end = '\0';
    }
    unsigned machine = flags_with(NULL);
    bool avx2 = strstr(flags, " avx2") && strstr(flags, " fma") && strstr(flags, " f16c");
    bool avx512 = avx2 && strstr(flags, " avx512f") && strstr(flags, " avx512bw") &&
                  strstr(flags, " avx512dq") && strstr(flags, " avx512vl");
    assert_int_equal((machine & OTO_CPU_AVX2) != 0, avx2);
    assert_int_equal((machine & OTO_CPU_AVX512) != 0, avx512);
    assert_int_equal((machine & OTO_CPU_AVX_VNNI) != 0, avx2 && strstr(flags, " avx_vnni"));
    assert_int_equal((machine & OTO_CPU_AVX512_VNNI) != 0, avx512 && strstr(flags, " avx512_vnni"));
}

static void names_parse(void **state)
{
    (void)state;
    oto_error err = {0};
    unsigned machine = flags_with(NULL), flags = 99;
    assert_int_equal(oto_cpu_parse("scalar", &flags, &err), OTO_OK);
    assert_int_equal(flags, OTO_CPU_SCALAR);
    assert_int_equal(oto_cpu_parse("auto", &flags, &err), OTO_OK);
    assert_int_equal(flags, machine);
    flags = 99;
    assert_int_equal(oto_cpu_parse("sse9", &flags, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "sse9");
    assert_contains(err.message, "avx2");
    oto_status expected = machine & OTO_CPU_AVX512 ? OTO_OK : OTO_ERR_UNSUPPORTED;
    assert_int_equal(flags, 99);
    assert_int_equal(oto_cpu_parse("avx512", &flags, &err), expected);
    if (expected != OTO_OK) {
        assert_int_equal(flags, 99);
        assert_contains(err.message, "this machine has no avx512");
    }
    expected = machine & OTO_CPU_AVX_VNNI ? OTO_OK : OTO_ERR_UNSUPPORTED;
    assert_int_equal(oto_cpu_parse("avxvnni", &flags, &err), expected);
    assert_int_equal(oto_cpu_parse("nothing", &flags, NULL), OTO_ERR_CONFIG);
}

static void flags_have_names(void **state)
{
    (void)state;
    assert_string_equal(oto_cpu_name(OTO_CPU_SCALAR), "scalar");
    assert_string_equal(oto_cpu_name(OTO_CPU_AVX2), "avx2");
    assert_string_equal(oto_cpu_name(OTO_CPU_AVX2 | OTO_CPU_AVX_VNNI), "avxvnni");
    assert_string_equal(oto_cpu_name(OTO_CPU_AVX2 | OTO_CPU_AVX512), "avx512");
    assert_string_equal(oto_cpu_name(OTO_CPU_AVX2 | OTO_CPU_AVX512 | OTO_CPU_AVX_VNNI), "avx512");
}

static void there_is_a_processor(void **state)
{
    (void)state;
    assert_in_range(oto_cpu_count(), 1, 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variable_limits_and_never_adds),
        cmocka_unit_test(the_kernel_agrees),
        cmocka_unit_test(names_parse),
        cmocka_unit_test(flags_have_names),
        cmocka_unit_test(there_is_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
