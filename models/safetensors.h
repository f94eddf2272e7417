/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Weights as a safetensors file, the way in and out for programs that train or examine networks
 * elsewhere: names, shapes and gate order are those of a PyTorch state dict.
 *
 *     u64 n | n bytes of JSON {"name": {"dtype", "shape", "data_offsets"}, ...} | data
 *
 * Little-endian; offsets count from the end of the JSON text. The file is untrusted.
 */
#ifndef OTO_MODELS_SAFETENSORS_H
#define OTO_MODELS_SAFETENSORS_H

#include <stddef.h>

#include "acoustic/network.h"
#include "base/bytes.h"
#include "base/status.h"

enum oto_dtype { OTO_DTYPE_F64, OTO_DTYPE_F32, OTO_DTYPE_F16, OTO_DTYPE_BF16 };

struct oto_safetensor {
    char *name; /* owned */
    enum oto_dtype dtype;
    int n_dims;   /* 1 or 2 */
    int shape[2]; /* shape[1] is 1 where n_dims is */
    size_t begin; /* of its numbers in data */
};

struct oto_safetensors {
    struct oto_map map;
    struct oto_safetensor *tensors; /* by offset */
    size_t n;
    const unsigned char *data; /* into the map */
    size_t data_size;
};

/**
 * Every size and offset checked: the tensors fill the data exactly. OTO_ERR_FORMAT names file and
 * tensor; OTO_ERR_UNSUPPORTED for other dtypes and more than two dimensions. On failure *s is zero.
 */
oto_status oto_safetensors_open(struct oto_safetensors *s, const char *path,
                                oto_error *err) OTO_WARN_UNUSED;
/** From memory that outlives *s; name is used in messages. */
oto_status oto_safetensors_parse(struct oto_safetensors *s, const void *data, size_t size,
                                 const char *name, oto_error *err) OTO_WARN_UNUSED;
void oto_safetensors_close(struct oto_safetensors *s);
/** Private to models/safetensors*.c: the JSON text into s->tensors. */
oto_status oto_safetensors_read_header(struct oto_safetensors *s, const char *text, size_t size,
                                       const char *path, oto_error *err) OTO_WARN_UNUSED;

/**
 * The network in a state dict: nn.LSTM as `lstm` (two biases are added), nn.Linear as `output`, and
 * projections as proj.weight_l0, proj.bias_l0, ...
 *
 * @param shape   found from the tensors' shapes
 * @param params  [oto_network_n_parameters(shape)], released with oto_free()
 * @param prefix  what stands before each name, such as "model."; tensors without it are not looked
 *                at, the others must all belong to the network
 * Errors: OTO_ERR_CONFIG naming the tensor that is missing, of another shape or unknown;
 * OTO_ERR_DATA for a number that is not finite in single precision; OTO_ERR_MEMORY.
 */
oto_status oto_safetensors_import(struct oto_network_shape *shape, float **params,
                                  const struct oto_safetensors *s, const char *prefix,
                                  const char *path, oto_error *err) OTO_WARN_UNUSED;

/** The way back, as float32, written atomically. The second bias of each direction is zero. */
oto_status oto_safetensors_export(const struct oto_network_shape *shape, const float *params,
                                  const char *path, oto_error *err) OTO_WARN_UNUSED;

#endif
