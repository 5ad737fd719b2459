#include "background.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace gt {

#ifdef __linux__

namespace {

// The kernel's struct sched_attr, as it was first.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy;
  uint64_t flags = 0;
  int32_t nice;
  uint32_t priority = 0;
  uint64_t runtime;
  uint64_t deadline = 0;
  uint64_t period = 0;
};

constexpr uint64_t slice = 20'000'000;  // nanoseconds: who asks for shorter ones goes before us

}  // namespace

// https://docs.kernel.org/scheduler/sched-eevdf.html: a thread that wakes up with a shorter slice need not wait for the
// end of a longer one.
void compute_in_background() {
  const int policy = sched_getscheduler(0);
  if (policy != SCHED_OTHER && policy != SCHED_BATCH) return;
  SchedulingAttributes attributes;
  attributes.policy = static_cast<uint32_t>(policy);
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  attributes.runtime = slice;
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

#else

void compute_in_background() {}

#endif

}  // namespace gt
