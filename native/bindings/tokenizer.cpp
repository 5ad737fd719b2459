#include "bindings/bindings.h"

namespace gt::bindings {

void init_tokenizer(Napi::Env, Napi::Object) {}

}  // namespace gt::bindings
