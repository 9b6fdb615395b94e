/* tidemark fit: the command. */
#include "run/fit.h"

#include "run/commands.h"

#include <stdio.h>
#include <sysexits.h>

static int exit_code_of(int error) {
    return error == ERR_UNAVAILABLE ? EX_UNAVAILABLE
           : error == ERR_REFUSED   ? EX_USAGE
           : error == ERR_INVALID   ? EX_DATAERR
                                    : 1;
}

static void warn(const struct fit_result *result) {
    if (result->purchases_at_edge) {
        fprintf(stderr,
                "tidemark: these customers do not tell every one of r, alpha, a and b: one of them has run away\n");
    }
    if (result->spend_at_edge) {
        fprintf(stderr, "tidemark: these customers do not tell every one of p, q and v: one of them has run away\n");
    }
}

static int fit_and_tell(const struct config *config, const struct fit_histories *histories) {
    struct fit_result result;
    struct buffer out = {0};
    int error = fit_models(histories->items, histories->count, config->scoring.lifetime_value.model, &result);
    if (error == ERR_INVALID) {
        fprintf(stderr, "tidemark: %zu customers have bought, %zu of them again: a fit takes at least %d and %d\n",
                result.customers, result.repeat_buyers, FIT_CUSTOMERS_MIN, FIT_REPEAT_BUYERS_MIN);
        return 1;
    }
    if (error) {
        fprintf(stderr, "tidemark: %s\n", error_text(error));
        return 1;
    }
    warn(&result);
    fit_write(&result, histories, &config->scoring.lifetime_value, &out);
    ASSERT(!out.error);
    fwrite(out.data, 1, out.size, stdout);
    buffer_finish(&out);
    return fflush(stdout) ? EX_IOERR : 0;
}

int command_fit(const struct config *config, int64_t at_ms) {
    char problem[256];
    struct fit_histories histories = {0};
    int error = fit_read(config, at_ms, &histories, problem);
    if (error) {
        fprintf(stderr, "tidemark: %s\n", problem);
        return exit_code_of(error);
    }
    int exit_code = fit_and_tell(config, &histories);
    fit_histories_finish(&histories);
    return exit_code;
}
