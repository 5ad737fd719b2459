// Registration only: one line for each file of bindings/.
#include "bindings/bindings.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  gt::bindings::init_devices(env, exports);
  gt::bindings::init_state_dict(env, exports);
  gt::bindings::init_tokenizer(env, exports);
  gt::bindings::init_generation(env, exports);
  gt::bindings::init_grammar(env, exports);
  gt::bindings::init_llama_engine(env, exports);
  gt::bindings::init_graph_engine(env, exports);
  return exports;
}

NODE_API_MODULE(ggml_transformers, init)
