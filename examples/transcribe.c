/* SPDX-License-Identifier: BSD-2-Clause */
#include <otolith/otolith.h>
#include <stdio.h>
int main(int argc, char **argv) /* sox a.wav -r 16000 -c 1 -t f32 - | transcribe english.oto */
{
    static float x[60 * 16000]; /* mono, at the model's rate, full scale +-1 */
    oto_error err = {OTO_ERR_ARGUMENT, "usage: transcribe MODEL.oto < SAMPLES"};
    oto_model *model = NULL;
    char *text = NULL;
    int failed = argc != 2 || oto_model_load(&model, argv[1], &err) ||
                 oto_transcribe(&text, model, x, fread(x, sizeof *x, 60 * 16000, stdin), &err);
    puts(failed ? err.message : text);
    oto_text_free(text), oto_model_destroy(model);
    return failed;
}
