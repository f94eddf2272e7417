/* SPDX-License-Identifier: BSD-2-Clause */
/* Model files. Checksums would stop every change at the door, so that each input is tried once as
 * it is and once signed anew; what then loads is run. */
#include "fuzz.h"

#include "acoustic/network.h"
#include "base/mem.h"
#include "models/bundle_format.h"

static void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Size and checksums as if the content were meant so. */
static void sign(uint8_t *data, size_t size)
{
    if (size < OTO_CONTAINER_HEADER)
        return;
    size_t n = (size_t)get(data + 12, 4);
    if (n > OTO_CONTAINER_MAX_SECTIONS || OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY + 8 > size)
        return;
    put_u64(data + 16, size);
    for (size_t k = 0; k < n; k++) {
        uint8_t *entry = data + OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY;
        uint64_t offset = get(entry + 16, 8), length = get(entry + 24, 8);
        if (offset <= size && length <= size - offset)
            put_u64(entry + 32, oto_checksum(data + offset, (size_t)length));
    }
    size_t end = OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY;
    put_u64(data + end, oto_checksum(data, end));
}

/* One forward pass over zeros: what the checks let through must also run. */
static void run(const struct oto_bundle *b)
{
    struct oto_dsp dsp;
    struct oto_network *net = NULL;
    struct oto_network_workspace *ws = NULL;
    struct oto_sequences seqs = {0};
    int n_frames = 3;
    struct oto_dsp_int8 int8;
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    oto_dsp_int8_init(&int8, oto_cpu_flags());
    float *x = oto_calloc(3 * (size_t)b->shape.n_inputs, sizeof *x);
    float *y = oto_calloc(3 * (size_t)b->shape.n_outputs, sizeof *y);
    if (x != NULL && y != NULL &&
        (b->tensors != NULL ? oto_network_create_int8(&net, &b->shape, &dsp, &int8, NULL)
                            : oto_network_create(&net, &b->shape, &dsp, NULL)) == OTO_OK &&
        oto_network_workspace_create(&ws, net, NULL) == OTO_OK &&
        oto_sequences_set(&seqs, &n_frames, 1, NULL) == OTO_OK) {
        if (b->tensors != NULL)
            oto_network_set_int8(net, b->tensors, NULL);
        else
            oto_network_set_parameters(net, b->weights, NULL);
        if (oto_network_forward(net, ws, y, x, &seqs, 0, NULL, NULL, NULL) != OTO_OK)
            abort();
    }
    oto_sequences_clear(&seqs);
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_free(x);
    oto_free(y);
}

static void parse(const uint8_t *data, size_t size)
{
    struct oto_bundle *b = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status status = oto_bundle_parse(&b, data, size, "fuzz", &err);
    if ((status == OTO_OK) != (b != NULL) || (status != OTO_OK && err.message[0] == 0))
        abort();
    if (b != NULL && oto_network_n_parameters(&b->shape) < 100000)
        run(b);
    oto_bundle_destroy(b);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    parse(data, size);
    sign(data, size);
    parse(data, size);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "model", 3000);
}
#endif
