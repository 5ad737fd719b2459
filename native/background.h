// Threads that compute for a long time give way to those that answer.
#pragma once

namespace gt {

// From now on the calling thread, and those that it starts, give way at once when another one has something short to do,
// such as the event loop. They lose no share of the processor. Does something on Linux from 6.12 on.
void compute_in_background();

}  // namespace gt
