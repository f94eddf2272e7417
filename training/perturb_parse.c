/* SPDX-License-Identifier: BSD-2-Clause */
/** The grammar of perturb, and what a kind's draws are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/frontend_options.h"
#include "training/perturb.h"

static const struct {
    const char *name;
    double least, greatest;
    enum { NO_FOLDER, MAY_HAVE_FOLDER, NEEDS_FOLDER } folder;
} kinds[OTO_PERTURB_KINDS] = {
    [OTO_PERTURB_WARP] = {"warp", 0.5, 2, NO_FOLDER},
    [OTO_PERTURB_REVERB] = {"reverb", 0.01, 10, NO_FOLDER},
    [OTO_PERTURB_HIGHPASS] = {"highpass", 1, 1e5, NO_FOLDER},
    [OTO_PERTURB_LOWPASS] = {"lowpass", 1, 1e5, NO_FOLDER},
    [OTO_PERTURB_COLOUR] = {"colour", 0, 40, NO_FOLDER},
    [OTO_PERTURB_NOISE] = {"noise", -20, 100, MAY_HAVE_FOLDER},
    [OTO_PERTURB_GAIN] = {"gain", -60, 60, NO_FOLDER},
    [OTO_PERTURB_SPEED] = {"speed", 0.5, 2, NO_FOLDER},
    [OTO_PERTURB_PITCH] = {"pitch", 0.5, 2, NO_FOLDER},
    [OTO_PERTURB_TEMPO] = {"tempo", 0.5, 2, NO_FOLDER},
    [OTO_PERTURB_PAUSE] = {"pause", 0, 60, NO_FOLDER},
    [OTO_PERTURB_ROOM] = {"room", 0.05, 1.5, NO_FOLDER},
    [OTO_PERTURB_RESPONSE] = {"response", -60, 20, NEEDS_FOLDER},
    [OTO_PERTURB_BACKGROUND] = {"background", -20, 100, NEEDS_FOLDER},
    [OTO_PERTURB_TELEPHONE] = {"telephone", -60, 0, NO_FOLDER},
    [OTO_PERTURB_CODEC] = {"codec", 0, 60, NO_FOLDER},
};

/* The next number of "NUMBER:..." or "NUMBER", leaving *p after it and its colon. */
static bool read_number(const char **p, double *value)
{
    char *end;
    if (strchr(" \t\n\v\f\r", **p)) /* the end, or what strtod() would skip */
        return false;
    *value = strtod(*p, &end);
    if (end == *p || (*end && *end != ':'))
        return false;
    *p = end + (*end == ':' && end[1]);
    return true;
}

static oto_status parse_kind(struct oto_perturb *out, int k, const char *item, oto_error *err)
{
    double probability, low, high;
    const char *p = item + strlen(kinds[k].name) + 1;
    bool good = read_number(&p, &probability) && read_number(&p, &low) && read_number(&p, &high);
    bool has_folder = good && *p != '\0' && strcmp(p, ":") != 0;
    if (!good || (*p != '\0' && kinds[k].folder == NO_FOLDER))
        return oto_fail(err, OTO_ERR_CONFIG, "perturb '%s': expected %s:PROBABILITY:LOW:HIGH%s",
                        item, kinds[k].name,
                        kinds[k].folder == NEEDS_FOLDER      ? ":FOLDER"
                        : kinds[k].folder == MAY_HAVE_FOLDER ? "[:FOLDER]"
                                                             : "");
    if (!(probability >= 0 && probability <= 1))
        return oto_fail(err, OTO_ERR_CONFIG, "perturb '%s': expected a probability from 0 to 1",
                        item);
    if (!(low >= kinds[k].least && high <= kinds[k].greatest && low <= high))
        return oto_fail(err, OTO_ERR_CONFIG,
                        "perturb '%s': expected a range from low to high within %g to %g", item,
                        kinds[k].least, kinds[k].greatest);
    if (!has_folder && (kinds[k].folder == NEEDS_FOLDER || *p != '\0'))
        return oto_fail(err, OTO_ERR_CONFIG,
                        "perturb '%s': expected a folder of recordings after the range: "
                        "%s:PROBABILITY:LOW:HIGH:FOLDER",
                        item, kinds[k].name);
    if (out->kinds[k].probability > 0)
        return oto_fail(err, OTO_ERR_CONFIG, "perturb '%s': %s stands twice", item, kinds[k].name);
    if (has_folder) {
        oto_free(out->kinds[k].folder);
        out->kinds[k].folder = oto_strdup(p);
        if (!out->kinds[k].folder)
            return oto_fail_memory(err, "perturb");
    }
    out->kinds[k].probability = probability;
    out->kinds[k].low = low;
    out->kinds[k].high = high;
    return OTO_OK;
}

static oto_status parse_item(struct oto_perturb *out, const char *item, oto_error *err)
{
    size_t name = strcspn(item, ":");
    for (int k = 0; k < OTO_PERTURB_KINDS && item[name]; k++)
        if (strlen(kinds[k].name) == name && strncmp(kinds[k].name, item, name) == 0)
            return parse_kind(out, k, item, err);
    return oto_fail(err, OTO_ERR_CONFIG,
                    "perturb '%.60s': expected KIND:PROBABILITY:LOW:HIGH[:FOLDER], KIND being one "
                    "of warp, reverb, highpass, lowpass, colour, noise, gain; speed, pitch, tempo, "
                    "pause, room, response, background, telephone, codec",
                    item);
}

/* Items of the list, each without blanks around it. */
static oto_status parse_list(struct oto_perturb *out, const char *text, oto_error *err)
{
    for (const char *p = text + strspn(text, " "); *p;) {
        size_t length = strcspn(p, ","), trimmed = length;
        while (trimmed > 0 && p[trimmed - 1] == ' ')
            trimmed--;
        char *item = oto_strndup(p, trimmed);
        oto_status status = item ? parse_item(out, item, err) : oto_fail_memory(err, "perturb");
        oto_free(item);
        if (status != OTO_OK)
            return status;
        p += length;
        if (!*p)
            break;
        p += 1 + strspn(p + 1, " ");
        if (!*p)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "perturb '%s': expected another item after the last comma", text);
    }
    return OTO_OK;
}

oto_status oto_perturb_parse(struct oto_perturb *out, const char *text,
                             const struct oto_frontend_options *frontend, oto_error *err)
{
    *out = (struct oto_perturb){.n_mels = frontend->n_mels,
                                .rate_hz = frontend->rate_hz,
                                .low_hz = frontend->low_hz,
                                .high_hz = oto_frontend_high_hz(frontend),
                                .shift_s = frontend->frame_shift_ms / 1000,
                                .power = frontend->use_power};
    oto_status status = parse_list(out, text, err);
    if (status == OTO_OK && oto_perturb_any(out) && frontend->use_energy)
        status = oto_fail(err, OTO_ERR_CONFIG,
                          "perturb changes mel energies, not the log energy that --use-energy puts "
                          "beside them; leave out one of the two");
    if (status != OTO_OK)
        oto_perturb_clear(out);
    return status;
}

void oto_perturb_clear(struct oto_perturb *perturb)
{
    for (int k = 0; k < OTO_PERTURB_KINDS; k++)
        oto_free(perturb->kinds[k].folder);
    memset(perturb->kinds, 0, sizeof perturb->kinds);
}

static bool any(const struct oto_perturb *perturb, int first, int end)
{
    for (int k = first; k < end; k++)
        if (perturb->kinds[k].probability > 0)
            return true;
    return false;
}

bool oto_perturb_any(const struct oto_perturb *perturb)
{
    return any(perturb, 0, OTO_PERTURB_MEL_KINDS);
}

bool oto_perturb_any_wave(const struct oto_perturb *perturb)
{
    return any(perturb, OTO_PERTURB_MEL_KINDS, OTO_PERTURB_KINDS);
}

bool oto_perturb_draw(const struct oto_perturb *perturb, enum oto_perturb_kind kind, uint64_t seed,
                      uint64_t stream, double *value, uint64_t *own_stream)
{
    double low = perturb->kinds[kind].low, high = perturb->kinds[kind].high;
    *own_stream = oto_rng_u64(seed, stream, (uint64_t)kind);
    *value = low + (high - low) * oto_rng_uniform(seed, *own_stream, 0);
    return oto_rng_uniform(seed, *own_stream, UINT64_MAX) < perturb->kinds[kind].probability;
}
