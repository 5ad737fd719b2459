#include "bindings/bindings.h"

namespace gt::bindings {

void init_llama_engine(Napi::Env, Napi::Object) {}

}  // namespace gt::bindings
