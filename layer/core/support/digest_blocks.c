/* SHA-256 by the processor's own instructions: a policy of a thousand rules is read twice at
 * every start. The rounds are those of FIPS 180-4; the layout of the state in the registers is
 * the one that the instructions need. */
#include "support/digest.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

static bool has_instructions(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1; /* SHA */
}

__attribute__((target("sha,sse4.1"))) static void blocks(uint32_t state[8],
                                                         const unsigned char *bytes, size_t count)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i half = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1); /* CDAB */
    __m128i high =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b); /* EFGH */
    __m128i low = _mm_alignr_epi8(half, high, 8); /* ABEF */
    high = _mm_blend_epi16(high, half, 0xf0); /* CDGH */
    for (; count > 0; count--, bytes += 64) {
        const __m128i low_before = low, high_before = high;
        __m128i w[4];
        for (unsigned i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), order);
        for (unsigned i = 0; i < 16; i++) {
            __m128i message = _mm_add_epi32(
                w[i % 4], _mm_loadu_si128((const __m128i *)(fs_sha256_constants + 4 * i)));
            high = _mm_sha256rnds2_epu32(high, low, message);
            low = _mm_sha256rnds2_epu32(low, high, _mm_shuffle_epi32(message, 0x0e));
            if (i >= 12) continue;
            __m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
            next = _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
            w[i % 4] = _mm_sha256msg2_epu32(next, w[(i + 3) % 4]);
        }
        low = _mm_add_epi32(low, low_before);
        high = _mm_add_epi32(high, high_before);
    }
    half = _mm_shuffle_epi32(low, 0x1b); /* FEBA */
    high = _mm_shuffle_epi32(high, 0xb1); /* DCHG */
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(half, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, half, 8));
}

#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>

static bool has_instructions(void) { return getauxval(AT_HWCAP) >> 6 & 1; /* HWCAP_SHA2 */ }

__attribute__((target("sha2"))) static void blocks(uint32_t state[8], const unsigned char *bytes,
                                                   size_t count)
{
    uint32x4_t low = vld1q_u32(state), high = vld1q_u32(state + 4);
    for (; count > 0; count--, bytes += 64) {
        const uint32x4_t low_before = low, high_before = high;
        uint32x4_t w[4];
        for (unsigned i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes + 16 * i)));
        for (unsigned i = 0; i < 16; i++) {
            uint32x4_t message = vaddq_u32(w[i % 4], vld1q_u32(fs_sha256_constants + 4 * i));
            uint32x4_t before = low;
            low = vsha256hq_u32(low, high, message);
            high = vsha256h2q_u32(high, before, message);
            if (i < 12)
                w[i % 4] = vsha256su1q_u32(vsha256su0q_u32(w[i % 4], w[(i + 1) % 4]),
                                           w[(i + 2) % 4], w[(i + 3) % 4]);
        }
        low = vaddq_u32(low, low_before);
        high = vaddq_u32(high, high_before);
    }
    vst1q_u32(state, low);
    vst1q_u32(state + 4, high);
}

#else
static bool has_instructions(void) { return false; }
static void blocks(uint32_t state[8], const unsigned char *bytes, size_t count)
{
    (void)state, (void)bytes, (void)count;
}
#endif

bool fs_sha256_blocks(uint32_t state[8], const unsigned char *bytes, size_t count)
{
    if (!has_instructions()) return false;
    blocks(state, bytes, count);
    return true;
}
