// What addon.cpp registers. Each init_* is defined in the file of its name.
#pragma once

#include <napi.h>

namespace gt::bindings {

void init_devices(Napi::Env env, Napi::Object exports);
void init_state_dict(Napi::Env env, Napi::Object exports);
void init_tokenizer(Napi::Env env, Napi::Object exports);
void init_generation(Napi::Env env, Napi::Object exports);
void init_grammar(Napi::Env env, Napi::Object exports);
void init_llama_engine(Napi::Env env, Napi::Object exports);
void init_graph_engine(Napi::Env env, Napi::Object exports);

}  // namespace gt::bindings
