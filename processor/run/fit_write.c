#include "run/fit.h"

#include <stdio.h>
#include <time.h>

/* The longest unit that divides it: "7d", "90m". */
static void write_duration(double duration_ms, struct buffer *out) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", MS_PER_DAY}, {"h", MS_PER_HOUR}, {"m", MS_PER_MINUTE}, {"s", MS_PER_SECOND}, {"ms", 1}};
    int64_t ms = (int64_t)duration_ms;
    size_t i = 0;
    while (ms % units[i].ms != 0) {
        i++;
    }
    buffer_printf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

static void write_instant(int64_t at_ms, struct buffer *out) {
    time_t seconds = (time_t)(at_ms / MS_PER_SECOND);
    struct tm utc;
    char text[64] = "";
    if (gmtime_r(&seconds, &utc)) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    buffer_put_text(out, text);
}

static void write_comments(const struct fit_result *result, const struct fit_histories *histories, const char *model,
                           struct buffer *out) {
    buffer_printf(out, "# %zu", result->customers);
    if (histories->buyers > histories->count) {
        buffer_printf(out, " of %zu", histories->buyers);
    }
    buffer_printf(out, " customers, %zu repeat buyers; observed until ", result->repeat_buyers);
    write_instant(histories->at_ms, out);
    buffer_printf(out, "\n# %s: log-likelihood %.3f\n", model, result->purchases_log_likelihood);
    if (result->spend_fitted) {
        buffer_printf(out,
                      "# Gamma-Gamma: %zu repeat buyers who paid, log-likelihood %.3f; correlation of purchases and "
                      "spend %.2f (taken for 0)\n",
                      result->spenders, result->spend_log_likelihood, result->spend_correlation);
    } else {
        buffer_printf(out, "# Gamma-Gamma: %zu repeat buyers who paid are too few to tell\n", result->spenders);
    }
}

void fit_write(const struct fit_result *result, const struct fit_histories *histories,
               const struct ltv_params *configured, struct buffer *out) {
    const struct ltv_params *params = &result->params;
    const char *model = params->model == LTV_BG_NBD ? "bg_nbd" : "mbg_nbd";
    write_comments(result, histories, model, out);
    buffer_printf(out, "lifetime_value: {model: %s, unit: ", model);
    write_duration(configured->unit_ms, out);
    buffer_printf(out, ", r: %.7g, alpha: %.7g, a: %.7g, b: %.7g", params->r, params->alpha, params->a, params->b);
    if (result->spend_fitted) {
        buffer_printf(out, ",\n                 gamma_gamma: {p: %.7g, q: %.7g, v: %.7g}", params->p, params->q,
                      params->v);
    }
    buffer_printf(out, ",\n                 discount: %g}\n", configured->discount);
}
