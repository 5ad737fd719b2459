#include "bindings/bindings.h"

namespace gt::bindings {

void init_state_dict(Napi::Env, Napi::Object) {}

}  // namespace gt::bindings
