#include "graph/cpu/processor.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gt::graph::cpu {
namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
#ifdef _MSC_VER
  int values[4];
  __cpuid(values, 0);
  if (static_cast<uint32_t>(values[0]) < leaf) return r;
  __cpuidex(values, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(values[0]), static_cast<uint32_t>(values[1]), static_cast<uint32_t>(values[2]),
       static_cast<uint32_t>(values[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// The registers that the operating system keeps across a switch of threads.
uint64_t saved_registers() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

bool all(uint64_t value, uint64_t bits) { return (value & bits) == bits; }

// Linux gives a process the tile registers on request; other systems are not asked.
bool tiles_granted() {
#ifdef __linux__
  constexpr long arch_req_xcomp_perm = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, arch_req_xcomp_perm, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace

const Variant& best_variant() {
  const char* asked = std::getenv("GGML_TRANSFORMERS_CPU");
  const auto is = [&](const char* name) { return asked && std::strcmp(asked, name) == 0; };
  const Registers basic = cpuid(1, 0), extended = cpuid(7, 0);
  constexpr uint32_t fma = 1u << 12, osxsave = 1u << 27, f16c = 1u << 29;
  if (is("portable") || !all(basic.c, fma | osxsave | f16c)) return portable_variant;
  const uint64_t saved = saved_registers();
  constexpr uint32_t avx2 = 1u << 5;
  if (!all(saved, 0x6) || !all(extended.b, avx2)) return portable_variant;
  constexpr uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  if (is("avx2") || !all(saved, 0xe6) || !all(extended.b, avx512)) return avx2_variant;
  constexpr uint32_t amx = 1u << 22 | 1u << 24;  // AMX-BF16, AMX-TILE
  if (is("avx512") || !all(saved, 0x600e6) || !all(extended.d, amx) || !tiles_granted()) return avx512_variant;
  return amx_variant;
}

}  // namespace gt::graph::cpu

#else

namespace gt::graph::cpu {
const Variant& best_variant() { return portable_variant; }
}  // namespace gt::graph::cpu

#endif
