#include "ingest/currency.h"

/* ISO 4217 with its minor units, by number of decimals; also codes withdrawn since 2015, as events
 * may be old. Codes without a minor unit (XAU, XDR, XXX, ...) are no money that anyone pays with.
 */
static const struct {
    int decimals;
    const char *codes;
} currencies[] = {
    {2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP "
        "GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
        "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD "
        "XCG YER ZAR ZMW ZWG ZWL "},
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
};

enum { CODE_BYTES = 3, CODE_STRIDE = 4, DECIMALS_DIFFERENCE_MAX = 4 };

int currency_decimals(const char code[4]) {
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++) {
        for (const char *at = currencies[i].codes; *at != '\0'; at += CODE_STRIDE) {
            if (memcmp(at, code, CODE_BYTES) == 0 && code[CODE_BYTES] == '\0') {
                return currencies[i].decimals;
            }
        }
    }
    return -1;
}

const struct currency_rate *currency_find(const struct decoder *decoder, struct bytes code) {
    for (size_t i = 0; code.size == CODE_BYTES && i < decoder->currencies_count; i++) {
        if (memcmp(decoder->currencies[i].code, code.data, CODE_BYTES) == 0) {
            return &decoder->currencies[i];
        }
    }
    return NULL;
}

/* ISO C has no 128 bits; gcc and clang have, and say so. */
__extension__ typedef __int128 int128_number;

bool currency_convert(const struct currency_rate *rate, int64_t amount_minor, int64_t *out) {
    static const int64_t powers[DECIMALS_DIFFERENCE_MAX + 1] = {1, 10, 100, 1000, 10000};
    static const int64_t nano = 1000000000;
    int shift = rate->decimals_difference;
    ASSERT(shift >= -DECIMALS_DIFFERENCE_MAX && shift <= DECIMALS_DIFFERENCE_MAX);
    int128_number divisor = nano;
    int128_number product = (int128_number)amount_minor * rate->rate_nano; /* cannot overflow */
    if (shift < 0) {
        divisor *= powers[-shift];
    } else if (__builtin_mul_overflow(product, (int128_number)powers[shift], &product)) {
        return false;
    }
    int128_number half = product < 0 ? -(divisor / 2) : divisor / 2; /* the divisor is even */
    /* |product| <= 2^126 * 10^4 was refused above if it did not fit; `half` may still tip it. */
    if (__builtin_add_overflow(product, half, &product)) {
        return false;
    }
    int128_number converted = product / divisor;
    if (converted > AMOUNT_MINOR_MAX || converted < -AMOUNT_MINOR_MAX) {
        return false;
    }
    *out = (int64_t)converted;
    return true;
}
